// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
)

// compileDraws lists what needs noise of its own. Visitors come first, because a threshold applies
// to them; statistics that need the same number share one draw.
func (c *compiled) compileDraws(t *compiledTable) {
	for _, s := range t.Statistics {
		if s.Kind == CountVisitors || s.Of == string(CountVisitors) || s.Per == string(CountVisitors) {
			t.counts = true
			t.draw(string(CountVisitors), t.l0, 1)
			break
		}
	}
	for _, s := range t.Statistics {
		t.stats = append(t.stats, c.compileStatistic(t, s))
	}
	if t.boundings() != 0 {
		t.draws = append(t.draws, plan.Draw{Statistic: bounding, L0: 1, LInf: 1, Coarse: true})
	}
}

// draw returns the number of the draw with this name, which it adds where there is none yet.
func (t *compiledTable) draw(name string, l0, lInf int64) int { return t.drawWithin(name, l0, lInf, 0) }

// drawWithin draws a number of which one person changes all groups together by at most l1, where that is not 0.
func (t *compiledTable) drawWithin(name string, l0, lInf, l1 int64) int {
	for i, d := range t.draws {
		if d.Statistic == name {
			return i
		}
	}
	t.draws = append(t.draws, plan.Draw{Statistic: name, L0: l0, LInf: lInf, L1: l1})
	return len(t.draws) - 1
}

// drawRecords draws a number that each record that counts changes by at most reach.
func (t *compiledTable) drawRecords(name string, reach int64) int {
	return t.drawWithin(name, t.l0, times(reach, t.Bounds.MaxPerPartition), times(reach, t.Bounds.MaxContributions))
}

// times is the product of two numbers that are not negative, and the largest number, which calibration refuses, where
// that is more.
func times(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}

func (c *compiled) compileStatistic(t *compiledTable, s Statistic) *statistic {
	st := &statistic{Statistic: s, draw: noDraw, denominator: noDraw}
	switch s.Kind {
	case CountVisitors, CountEvents:
		st.draw = c.drawNumber(t, string(s.Kind))
	case SumOf:
		st.draw = c.drawSum(t, s.Of, false, false)
	case MeanOf:
		st.draw = c.drawSum(t, s.Of, !slices.ContainsFunc(t.Statistics, func(o Statistic) bool { return o.sums(s.Of) }), false)
	case VarianceOf, StdDevOf:
		st.draw = c.drawSum(t, s.Of, true, false)
		st.squares = c.drawSum(t, s.Of, true, true)
	case QuantileOf:
		st.draw = c.drawTree(t, s.Of)
	case RateOf:
		st.draw = c.drawNumber(t, s.Of)
		st.denominator = c.drawNumber(t, s.Per)
	case ShareOf:
		st.draw = c.drawNumber(t, s.Of)
		c.compileShare(t, st)
	}
	if s.ofRecords() {
		st.denominator = c.drawNumber(t, string(CountEvents))
	}
	return st
}

// drawNumber draws visitors, events or the sum of a value.
func (c *compiled) drawNumber(t *compiledTable, name string) int {
	switch name {
	case string(CountVisitors):
		return t.draw(name, t.l0, 1)
	case string(CountEvents):
		return t.drawRecords(name, 1)
	}
	return c.drawSum(t, name, false, false)
}

// sums reports whether the statistic needs the plain sum of a value.
func (s Statistic) sums(value string) bool {
	return s.Kind == SumOf && s.Of == value || s.Kind == RateOf && (s.Of == value || s.Per == value)
}

// compileShare decides what a share is divided by. The parts add up to the whole, without noise of
// its own, where every record or person is in exactly one of them and all of them are known: for
// visitors, declared complete dimensions of the person; for events, any declared complete ones.
func (c *compiled) compileShare(t *compiledTable, st *statistic) {
	st.parts = true
	parents := int64(1) // of one person
	visitors := st.Of == string(CountVisitors)
	for i, d := range t.dims {
		if slices.Contains(st.Within, d.name) {
			st.within = append(st.within, i)
			if !d.person() {
				parents = t.l0
			}
			continue
		}
		st.parts = st.parts && d.complete && (d.person() || !visitors)
	}
	if st.parts {
		return
	}
	if visitors {
		st.denominator = t.draw(totalVisitors, parents, 1)
		return
	}
	// All of a person's groups can lie in one parent, so one parent can change by everything.
	all := t.most()
	if parents == 1 {
		st.denominator = t.draw(totalEvents, 1, all)
	} else {
		st.denominator = t.drawWithin(totalEvents, parents, all, all)
	}
}

// most is how many records of one person count in a table.
func (t *compiledTable) most() int64 {
	if n := t.Bounds.MaxContributions; n > 0 {
		return n
	}
	return t.l0 * t.Bounds.MaxPerPartition
}

// bounding is the draw that tells how many people the bounds took something from.
const bounding = "bounding"

// Statistics that are published because a share is divided by them.
const (
	totalVisitors = "visitors_total"
	totalEvents   = "events_total"
)

// sum is a value column that is summed: as it is, or as what differs from the middle of its clamp, which needs
// half the noise or less, or the square of that.
type sum struct {
	value           string
	centred, square bool
}

// draw is the name of the sum's draw.
func (s sum) draw() string {
	switch {
	case s.square:
		return "squares_" + s.value
	case s.centred:
		return "centred_" + s.value
	}
	return "sum_" + s.value
}

// sumOf returns the sum that a draw is, if it is one.
func (t *compiledTable) sumOf(draw string) (s sum, at int, ok bool) {
	at = slices.IndexFunc(t.sums, func(s sum) bool { return s.draw() == draw })
	if at < 0 {
		return s, at, false
	}
	return t.sums[at], at, true
}

// centre is the middle of a clamp, rounded down, and reach the most by which a value differs from it, at
// least 1.
func centre(c dp.Clamp) (middle, reach int64) {
	middle = c.Lower + (c.Upper-c.Lower)/2
	return middle, max(c.Upper-middle, 1)
}

func (c *compiled) drawSum(t *compiledTable, value string, centred, square bool) int {
	col := c.policy.Columns[value]
	s := sum{value, centred, square}
	if !slices.Contains(t.sums, s) {
		t.sums = append(t.sums, s)
	}
	if !slices.Contains(c.values, value) {
		c.values = append(c.values, value)
	}
	if col.SumClamp != nil {
		return t.draw(s.draw(), t.l0, c.reachOf(t, s))
	}
	return t.drawRecords(s.draw(), c.reachOf(t, s))
}

// reachOf is the most, in quanta, by which one value of a table's sum changes it, or with sum_clamp one person.
func (c *compiled) reachOf(t *compiledTable, s sum) int64 {
	return reachWithin(s, c.clampIn(t, s.value))
}

// reachWithin is that with a clamp.
func reachWithin(s sum, clamp dp.Clamp) int64 {
	reach := clamp.MaxAbs()
	if s.centred {
		_, reach = centre(clamp)
	}
	if s.square {
		reach *= reach
	}
	return reach
}

// clampQuanta returns the validated clamp or sum_clamp in quanta.
func (c Column) clampQuanta() dp.Clamp {
	r := c.Clamp
	if r == nil {
		r = c.SumClamp
	}
	lower, _ := c.quanta(r.Lower)
	upper, _ := c.quanta(r.Upper)
	return dp.Clamp{Lower: lower, Upper: upper}
}
