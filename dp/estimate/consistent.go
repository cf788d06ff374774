// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
	"slices"
)

// Equation says that one number equals the sum of others before noise. Numbers are named by index.
type Equation struct {
	Total int
	Parts []int
	// Open says that there may be other parts, none below 0 and none among the numbers: the total then is at
	// least the sum of Parts, and no number of the equation may have a Floor below 0.
	Open bool
}

// Fitted is one number after all equations were brought to hold.
type Fitted struct {
	// Value is the weighted least-squares estimate, unbiased and possibly negative. All equations hold
	// for Values, up to float error, but for open ones, which would make them biased.
	Value float64
	// StdDev is the standard deviation of Value around the true number.
	StdDev float64
	// Display is the whole number to quote. All equations hold for Displays, exactly; no parts of an open
	// one are more than its total. None is negative where the Floor of its Count is not.
	Display int64
	// Low and High are the ends of the interval. It holds Display, and is never below the Floor.
	Low, High int64
}

// Consistent fits noisy integers to equations that hold before noise, so that totals equal their
// parts. It is immutable and safe for concurrent use. The proof is in consistent.md.
type Consistent struct {
	counts     []Count
	kinds      []kind
	kind       []int // of each number
	components []*component
	alone      []int // numbers in no equation that is closed
	open       *remainders
}

// kind is what numbers with one law, threshold and floor have in common.
type kind struct {
	count Count
	own   *CountEstimator
}

// Limits of what is fitted at once: numbers and equations that hang together, and the size of a number.
const (
	maxFitted    = 1 << 13
	maxEquations = 1 << 10
	maxMagnitude = int64(1) << 49
)

// NewConsistent returns an estimator whose intervals each miss the true number with probability at
// most alpha. The noises must be independent. An equation must hold for every data set, not for this
// one: parts that are exclusive and complete, with the same bounds as the total.
//
// Where a number that hangs together with a total has a threshold, the interval of each is that of
// [CountEstimator], extended to the Display.
//
// It returns an error where no whole numbers can be promised to add up: numbers that hang together must
// form trees, in which each is a part of one total at most, or their totals must all be sums of the
// same smallest parts, as the margins of one table are. An open equation binds displays only, and moves
// numbers that are in no other kind of equation.
func NewConsistent(counts []Count, equations []Equation, alpha float64) (*Consistent, error) {
	c, members, closed, err := newConsistent(counts, equations, alpha)
	if err != nil {
		return nil, err
	}
	for _, of := range members {
		if len(of.equations) == 0 {
			c.alone = append(c.alone, of.numbers...)
			continue
		}
		m, err := c.newComponent(of, closed, alpha)
		if err != nil {
			return nil, err
		}
		m.law(alpha)
		c.components = append(c.components, m)
	}
	return c, nil
}

// newConsistent checks everything that is asked for, and says which numbers hang together by closed equations.
func newConsistent(counts []Count, equations []Equation, alpha float64) (c *Consistent, all []members, closed []Equation, err error) {
	if err := checkAlpha(alpha); err != nil {
		return nil, nil, nil, err
	}
	c = &Consistent{counts: counts}
	for i, count := range counts {
		if err := c.add(count, alpha); err != nil {
			return nil, nil, nil, fmt.Errorf("counts[%d]%w", i, err)
		}
	}
	var open []Equation
	for j, e := range equations {
		if err := e.check(counts); err != nil {
			return nil, nil, nil, fmt.Errorf("equations[%d]: %w", j, err)
		}
		if e.Open {
			open = append(open, e)
		} else {
			closed = append(closed, e)
		}
	}
	if c.open, err = newRemainders(counts, closed, open); err != nil {
		return nil, nil, nil, fmt.Errorf("equations: %w", err)
	}
	return c, together(len(counts), closed), closed, nil
}

func (c *Consistent) add(count Count, alpha float64) error {
	k := slices.IndexFunc(c.kinds, func(k kind) bool {
		return k.count.ShownAt == count.ShownAt && k.count.Floor == count.Floor && sameLaw(k.count.Law, count.Law)
	})
	if k < 0 {
		if err := checkCount("", count); err != nil {
			return err
		}
		k = len(c.kinds)
		c.kinds = append(c.kinds, kind{count, newCountEstimator(count, alpha)})
	}
	c.kind = append(c.kind, k)
	return nil
}

func (e Equation) check(counts []Count) error {
	numbers := len(counts)
	if len(e.Parts) == 0 {
		return fmt.Errorf("got no parts, want at least one")
	}
	all := slices.Sorted(slices.Values(append([]int{e.Total}, e.Parts...)))
	if all[0] < 0 || all[len(all)-1] >= numbers {
		return fmt.Errorf("got an index outside 0 to %d; name numbers by their place among counts", numbers-1)
	}
	if len(slices.Compact(all)) <= len(e.Parts) {
		return fmt.Errorf("got a number twice, want each once")
	}
	if e.Open && slices.ContainsFunc(all, func(i int) bool { return counts[i].Floor < 0 }) {
		return fmt.Errorf("got an open one with a number that may be below 0, want floors of 0 or more; leave it out")
	}
	return nil
}

// Estimate fits noisy numbers, in the order of the counts. It returns false, and nothing was fitted, if
// their number is not that of the counts, one is below its threshold, one is beyond ±2^49, or the parts of
// an open equation are more than its total and none of them can move enough.
//
// A number that is withheld has no place here: what is displayed would tell it.
func (c *Consistent) Estimate(noisy []int64) ([]Fitted, bool) {
	if len(noisy) != len(c.counts) {
		return nil, false
	}
	for i, x := range noisy {
		if x < -maxMagnitude || x > maxMagnitude || c.counts[i].selected() && x < c.counts[i].ShownAt {
			return nil, false
		}
	}
	fitted := make([]Fitted, len(noisy))
	for _, i := range c.alone {
		fitted[i] = c.raw(i, noisy[i])
		fitted[i].Display = noisy[i]
		if c.counts[i].Floor >= 0 {
			fitted[i].Display = max(0, noisy[i])
		}
		fitted[i].include()
	}
	for _, m := range c.components {
		if !m.estimate(c, noisy, fitted) {
			return nil, false
		}
	}
	if !c.open.display(noisy, fitted) {
		return nil, false
	}
	return fitted, true
}

// raw returns a number as it was drawn.
func (c *Consistent) raw(i int, noisy int64) Fitted {
	f := Fitted{Value: float64(noisy), StdDev: c.counts[i].Law.StdDev()}
	f.Low, f.High, _ = c.kinds[c.kind[i]].own.Interval(noisy)
	return f
}

func (f *Fitted) include() { f.Low, f.High = min(f.Low, f.Display), max(f.High, f.Display) }

// component is numbers that hang together, by their index among themselves.
type component struct {
	numbers []int // their index among all
	system  *system
	factor  *factor
	adder   *adder
	counts  []Count
	laws    []int     // alike where laws are
	sd      []float64 // of each estimate
	keeps   bool      // one of the numbers was selected: intervals are those of each by itself
	reach   []float64 // otherwise the half-width of each interval
}

func (c *Consistent) newComponent(of members, equations []Equation, alpha float64) (*component, error) {
	if len(of.numbers) > maxFitted || len(of.equations) > maxEquations {
		return nil, fmt.Errorf("equations: got %d with %d numbers that hang together, want at most %d with %d; leave some out",
			len(of.equations), len(of.numbers), maxEquations, maxFitted)
	}
	m := &component{numbers: of.numbers}
	local := make(map[int]int, len(of.numbers))
	variances := make([]float64, len(of.numbers))
	selected := false
	for i, n := range of.numbers {
		local[n] = i
		sd := c.counts[n].Law.StdDev()
		variances[i] = sd * sd
		m.counts = append(m.counts, c.counts[n])
		m.laws = append(m.laws, slices.IndexFunc(c.kinds, func(k kind) bool { return sameLaw(k.count.Law, c.counts[n].Law) }))
		selected = selected || c.counts[n].selected()
	}
	var mine []Equation
	for _, j := range of.equations {
		e := Equation{Total: local[equations[j].Total]}
		for _, part := range equations[j].Parts {
			e.Parts = append(e.Parts, local[part])
		}
		mine = append(mine, e)
	}
	var err error
	if m.adder, err = newAdder(len(of.numbers), mine); err != nil {
		return nil, fmt.Errorf("equations: %w", err)
	}
	m.system = newSystem(len(of.numbers), mine)
	m.factor = m.system.factor(variances)
	m.keeps = selected || alpha < leastLevel
	return m, nil
}

// law finds the law of each estimate.
func (m *component) law(alpha float64) {
	known := map[string]float64{} // half-widths; alike numbers have alike laws
	for i, count := range m.counts {
		w := m.factor.weights(i)
		m.sd = append(m.sd, math.Sqrt(max(0, w[i]))*count.Law.StdDev())
		if m.keeps {
			continue
		}
		combined := newCombination(m.counts, m.laws, w)
		key := combined.key()
		q, ok := known[key]
		if !ok {
			q = combined.quantile(alpha)
			known[key] = q
		}
		m.reach = append(m.reach, q)
	}
}

// ExpectFit returns the interval of one number as a function of its fit, which follows from laws and
// equations alone, or nil where it is that of [CountEstimator]: for a number that is in no closed equation, or hangs
// together with one that has a threshold. Its errors are those of [NewConsistent].
func ExpectFit(counts []Count, equations []Equation, number int, alpha float64) (func(fit int64) (low, high int64), error) {
	c, members, closed, err := newConsistent(counts, equations, alpha)
	if err != nil {
		return nil, err
	}
	for _, of := range members {
		local := slices.Index(of.numbers, number)
		if local < 0 || len(of.equations) == 0 {
			continue
		}
		m, err := c.newComponent(of, closed, alpha)
		if err != nil || m.keeps {
			return nil, err
		}
		reach := newCombination(m.counts, m.laws, m.factor.weights(local)).quantile(alpha)
		return func(fit int64) (low, high int64) { return within(float64(fit), reach, counts[number].Floor) }, nil
	}
	return nil, nil
}

func (m *component) estimate(c *Consistent, noisy []int64, fitted []Fitted) bool {
	x := make([]int64, len(m.numbers))
	for i, n := range m.numbers {
		x[i] = noisy[n]
	}
	values, ok := m.factor.fit(x)
	if !ok {
		return false
	}
	display, ok := m.display(x, values)
	if !ok {
		return false
	}
	for i, n := range m.numbers {
		f := c.raw(n, noisy[n])
		if !m.keeps {
			f.Low, f.High = within(values[i], m.reach[i], m.counts[i].Floor)
		}
		f.Value, f.StdDev, f.Display = values[i], m.sd[i], display[i]
		f.include()
		fitted[n] = f
	}
	return true
}

// within returns the whole numbers within reach of value, or of the floor where value is below it, that
// are not below the floor.
func within(value, reach float64, floor int64) (low, high int64) {
	if floor != NoFloor {
		value = max(value, float64(floor))
	}
	reach += 1e-6 + math.Abs(value)*0x1p-45
	return max(floor, int64(math.Ceil(value-reach))), int64(math.Floor(value + reach))
}

// display returns whole numbers for which all equations hold. Where a fit is negative that must not
// be, the number is held at 0 and the others are fitted again; 0 for all always is a fit, so this ends.
func (m *component) display(noisy []int64, values []float64) ([]int64, bool) {
	x, values := slices.Clone(noisy), slices.Clone(values)
	variances := slices.Clone(m.factor.variances)
	for {
		held := false
		for i, v := range values {
			if v < -exact && m.counts[i].Floor >= 0 {
				x[i], variances[i], held = 0, 0, true
			}
		}
		if !held {
			break
		}
		var ok bool
		if values, ok = m.system.factor(variances).fit(x); !ok {
			return nil, false
		}
	}
	return m.adder.round(values, func(i int) bool { return m.counts[i].Floor >= 0 })
}
