// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
)

// mostClamps is how many clamps of a value are chosen among: the narrowest then reaches a 2,048th of the policy's. Each
// takes a word per person and group.
const mostClamps = 12

// narrowings returns a clamp and the narrower ones that may be found in its place: what is left of it within a half,
// a quarter and so on of its reach from the value nearest to 0, down to one step. They depend on the policy alone.
func narrowings(widest dp.Clamp) (all []dp.Clamp) {
	anchor := engine.Anchor(widest)
	for reach := engine.Reach(widest); reach >= 1 && len(all) < mostClamps; reach /= 2 {
		all = append(all, dp.Clamp{Lower: max(widest.Lower, anchor-reach), Upper: min(widest.Upper, anchor+reach)})
	}
	return all
}

// autoClamp is a value whose clamp is found.
type autoClamp struct {
	value   string
	choices []dp.Clamp
}

// validateClamps looks at the values whose clamps are to be found.
func (t Table) validateClamps(f *faults, p *Policy, path string) {
	for i, name := range t.Auto.Clamps {
		at := fmt.Sprintf("%s[%d]", path, i)
		if slices.Index(t.Auto.Clamps, name) < i {
			f.add(at, quoted(name), "each value once", "remove it")
			continue
		}
		if !f.oneOf(at, name, p.values()...) {
			continue
		}
		summed, squared := false, false
		for _, s := range t.Statistics {
			summed = summed || s.sums(name) || s.Kind == MeanOf && s.Of == name
			squared = squared || (s.Kind == VarianceOf || s.Kind == StdDevOf) && s.Of == name
		}
		switch {
		case !summed || squared:
			f.add(at, quoted(name), "a value of which the table has a sum, a mean or a rate, and neither variance nor stddev",
				"remove it: other statistics keep the policy's clamp, and what a variance would lose is not known")
		case len(narrowings(p.Columns[name].clampQuanta())) < 2:
			f.add(at, quoted(name), "a clamp of more than one step of the resolution", "remove it: there is no narrower one")
		}
	}
}

// addClamps adds the draws by which clamps are found, in the order of the table's sums.
func (a *autoBounds) addClamps(c *compiled, t *compiledTable) {
	for _, s := range t.sums {
		if !slices.Contains(t.Auto.Clamps, s.value) {
			continue
		}
		k := autoClamp{s.value, narrowings(c.policy.Columns[s.value].clampQuanta())}
		parts := plan.Draw{Statistic: surveyClamps + s.value, L0: int64(len(k.choices)), LInf: engine.PersonParts, L1: engine.PersonParts}
		a.clamps, a.draws = append(a.clamps, k), append(a.draws, surveyDraw{parts, 3, len(a.clamps)})
	}
}

// clampOf returns which of the clamps that are found is that of a value, -1 for none.
func (a *autoBounds) clampOf(value string) int {
	return slices.IndexFunc(a.clamps, func(k autoClamp) bool { return k.value == value })
}

// clampIn is the clamp of a value in a table, in quanta: the policy's, or the one that was found.
func (c *compiled) clampIn(t *compiledTable, value string) dp.Clamp {
	widest := c.policy.Columns[value].clampQuanta()
	if n := t.narrowed[value]; n > 0 {
		return narrowings(widest)[n]
	}
	return widest
}

// keptClamps are the numbers of the clamps that are kept, in the order of the table's sums.
func (t *compiledTable) keptClamps() (all []int) {
	for _, k := range t.auto.clamps {
		all = append(all, t.narrowed[k.value])
	}
	return all
}

// text names what is chosen among.
func (k autoClamp) text(c *compiled) string {
	var all []string
	for _, clamp := range k.choices {
		all = append(all, c.clampText(k.value, clamp))
	}
	return "the clamp of " + k.value + " among " + strings.Join(all, ", ")
}

// clampsFound names the clamps that were found, after a semicolon.
func (a *autoBounds) clampsFound(c *compiled, t *compiledTable) (text string) {
	for _, k := range a.clamps {
		text += "; that of " + k.value + " is " + c.clampText(k.value, c.clampIn(t, k.value))
	}
	return text
}

// clampText writes a clamp in the value's unit.
func (c *compiled) clampText(value string, clamp dp.Clamp) string {
	ends := c.clampEnds(value, clamp)
	return "[" + ends[0] + ", " + ends[1] + "]"
}

// clampEnds writes the ends of a clamp in the value's unit, the policy's as it has them.
func (c *compiled) clampEnds(value string, clamp dp.Clamp) []string {
	col := c.policy.Columns[value]
	r := col.Clamp
	if r == nil {
		r = col.SumClamp
	}
	ends, widest := []string{c.valueText(value, clamp.Lower), c.valueText(value, clamp.Upper)}, col.clampQuanta()
	if clamp.Lower == widest.Lower {
		ends[0] = r.Lower
	}
	if clamp.Upper == widest.Upper {
		ends[1] = r.Upper
	}
	return ends
}

// valueText writes a number of quanta in the value's unit, without zeros behind.
func (c *compiled) valueText(value string, quanta int64) string {
	text := c.quantumOf(value).times(quanta).String()
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// clampSurvey is noisy numbers of people, in rows by how far from the anchor their values are in all. In a row, they are
// shared out between the clamps, the narrowest first, by what each lets count that no narrower one does.
type clampSurvey struct {
	cells [][]float64
	// sd is that of the noise of a cell, and rows is how many rows have people in them, beyond what noise makes likely.
	sd   float64
	rows int
}

// drawClamps draws all cells, which are named by the end of the row and the number of the clamp.
func drawClamps(exact [][]int64, sd float64, draw func(string, int64) (float64, error)) (s clampSurvey, err error) {
	s.sd = sd / engine.PersonParts
	for row, cells := range exact {
		noisy, people := make([]float64, len(cells)), 0.0
		for i, n := range cells {
			name := strconv.FormatInt(1<<(2*row), 10) + "/" + strconv.Itoa(len(cells)-1-i)
			if noisy[i], err = draw(name, n); err != nil {
				return s, err
			}
			noisy[i] /= engine.PersonParts
			people += noisy[i]
		}
		s.cells = append(s.cells, noisy)
		if people > someone*s.sd*math.Sqrt(float64(len(cells))) {
			s.rows = row + 1
		}
	}
	return s, nil
}

// amount is what the values of a person in a row come to: the mean between its ends, if no order of size is more likely
// than another.
func amount(row int) float64 { return 0.54 * math.Ldexp(1, 2*row) }

// beyond is what the clamps of the widest so many let count that no narrower one does.
func (s *clampSurvey) beyond(clamps int) (sum float64) {
	for row, cells := range s.cells[:s.rows] {
		for _, people := range cells[len(cells)-clamps:] {
			sum += amount(row) * people
		}
	}
	return sum
}

// all is what all values come to.
func (s *clampSurvey) all() float64 {
	if s.rows == 0 {
		return 0
	}
	return s.beyond(len(s.cells[0]))
}

// people is how many there are.
func (s *clampSurvey) people() (n float64) {
	for _, cells := range s.cells[:s.rows] {
		for _, people := range cells {
			n += people
		}
	}
	return n
}

// unseen is what a clamp takes, that lets at most so much of a person count, from people who may be there and do not
// show: in the first row without people as many as a quarter of a row's noise, and in each further one a quarter of
// that. In smaller numbers they come to as much as in the row before, so that a clamp is not chosen too narrow for what
// is in a tail.
func (s *clampSurvey) unseen(most float64) (sum float64) {
	people := s.sd * math.Sqrt(float64(len(s.cells[0])))
	for row := s.rows; row < len(s.cells); row++ {
		people /= 4
		sum += people * max(amount(row)-most, 0)
	}
	return sum
}

// clamp chooses clamp k for a sum of so many values, or people's totals, of which left count. Noise is that of the
// widest. It returns the error as for any draw, and the number of the clamp.
func (c chooser) clamp(k int, s sum, noise, whole, left float64) (least float64, chosen int) {
	survey, choices := c.s.clamps[k], c.a.clamps[k].choices
	near := whole * math.Abs(float64(engine.Anchor(choices[0])))
	all := near + survey.all()
	each := max(whole/survey.people(), 1) // values of a person
	least = math.Inf(1)
	for i, clamp := range choices {
		reach := float64(reachWithin(s, clamp)) / float64(reachWithin(s, choices[0]))
		counts := left / whole * (all - survey.beyond(i))
		if e := (noise*reach + all - counts + survey.unseen(each*float64(engine.Reach(clamp)))) / all; e < least {
			least, chosen = e, i
		}
	}
	return least, chosen
}
