// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/dp"
)

// Target is how exact one statistic of one table is to be. The zero value is refused.
type Target struct {
	// Statistic is a statistic's name, such as share or sum_seconds, and Table the table that has it.
	Statistic, Table string
	// HalfWidth is the widest that half of the statistic's interval may be, in its unit.
	HalfWidth float64
	// People is the size of the group that it is to hold for, as in [PlanExpected].
	People int64
}

var targetText = regexp.MustCompile(`^\s*([a-z0-9_]+)\s*:\s*([a-z0-9_]+)\s+(?:±|\+-|\+/-)\s*([0-9]+(?:\.[0-9]+)?)\s+at\s+([0-9]+)\s*$`)

// ParseTarget reads a target such as "share:gender ±1 at 5000": the statistic, the table, half the width of
// the interval, and the number of people. "+-" may stand for "±".
func ParseTarget(text string) (Target, error) {
	m := targetText.FindStringSubmatch(text)
	if m == nil {
		return Target{}, fmt.Errorf("got %s, want STATISTIC:TABLE ±WIDTH at PEOPLE, such as \"share:gender ±1 at 5000\"", quoted(text))
	}
	width, errW := strconv.ParseFloat(m[3], 64)
	people, errP := strconv.ParseInt(m[4], 10, 64)
	if err := errors.Join(errW, errP); err != nil {
		return Target{}, fmt.Errorf("got %s, want numbers that can be read; write fewer digits", quoted(text))
	}
	return Target{Statistic: m[1], Table: m[2], HalfWidth: width, People: people}, nil
}

// PlanFor returns the plan of a release that spends the least ε, to three digits, with which a target is
// met, at the δ that the release has, by the noise alone: numbers that add up with others may be more exact. The
// release's own ε is passed over. It reads no data. It returns
// the faults of the two, and an error where the target names what the release does not have, or where the
// policy's budget does not reach.
func PlanFor(p *Policy, r *Release, target Target) (*Plan, error) {
	c, err := compile(p, r)
	if err != nil {
		return nil, err
	}
	if err := target.check(c); err != nil {
		return nil, err
	}
	most := p.Budget.Epsilon.Float()
	steps := epsilonSteps()
	low, high := 0, len(steps)
	// The least step that is enough, by halves: a larger ε makes no interval wider.
	for low < high {
		middle := low + (high-low)/2
		if steps[middle].value > most {
			high = middle
			continue
		}
		width, ok, err := widthAt(p, r, target, steps[middle])
		if err != nil {
			return nil, err
		}
		if ok && width <= target.HalfWidth {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low == len(steps) || steps[low].value > most {
		return nil, fmt.Errorf("target %s:%s: got ±%g at %d people, want what the policy's budget of ε = %s allows; ask for less, or for larger groups",
			target.Statistic, target.Table, target.HalfWidth, target.People, p.Budget.Epsilon)
	}
	return NewPlan(p, r.spending(steps[low].epsilon))
}

// check reports what a target names and the release does not have.
func (t Target) check(c *compiled) error {
	i := slices.IndexFunc(c.tables, func(o *compiledTable) bool { return o.Name == t.Table })
	if i < 0 {
		var names []string
		for _, o := range c.tables {
			names = append(names, o.Name)
		}
		return fmt.Errorf("target: got the table %s, want one of %s", quoted(t.Table), strings.Join(names, ", "))
	}
	var names []string
	for _, s := range c.tables[i].stats {
		names = append(names, s.Name())
	}
	if !slices.Contains(names, t.Statistic) {
		return fmt.Errorf("target: got the statistic %s, want one that table %s has: %s", quoted(t.Statistic), t.Table, strings.Join(names, ", "))
	}
	if !(t.HalfWidth > 0) || t.People < 1 || t.People > 1e15 {
		return fmt.Errorf("target: got ±%g at %d people, want a width above 0 and a number of people from 1 to 10^15", t.HalfWidth, t.People)
	}
	return nil
}

// epsilonStep is an ε of three digits.
type epsilonStep struct {
	value   float64
	epsilon dp.Epsilon
}

// epsilonSteps returns every ε of three digits that may be written, in order.
func epsilonSteps() []epsilonStep {
	var steps []epsilonStep
	for exponent := -8; exponent <= -1; exponent++ {
		for digits := 100; digits < 1000; digits++ {
			e, err := dp.ParseEpsilon(fmt.Sprintf("%de%d", digits, exponent))
			if err != nil {
				continue
			}
			steps = append(steps, epsilonStep{e.Float(), e})
		}
	}
	return steps
}

// widthAt is half the width of the target's interval where the release spends ε.
func widthAt(p *Policy, r *Release, target Target, at epsilonStep) (width float64, ok bool, err error) {
	c, err := compile(p, r.spending(at.epsilon))
	if err != nil {
		var fault *FieldError
		if errors.As(err, &fault) {
			return 0, false, nil // too little to calibrate with: the same release is in order with more
		}
		return 0, false, err
	}
	t := c.tables[slices.IndexFunc(c.tables, func(o *compiledTable) bool { return o.Name == target.Table })]
	i := slices.IndexFunc(t.stats, func(s *statistic) bool { return s.Name() == target.Statistic })
	width, ok = c.halfWidth(t, i, target.People)
	return width, ok, nil
}

// spending returns a release that is the same but for its ε.
func (r *Release) spending(e dp.Epsilon) *Release {
	other := *r
	other.Spend.Epsilon = e
	return &other
}
