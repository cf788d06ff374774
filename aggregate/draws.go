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
		if s.Kind == CountVisitors || s.Kind == ShareOf && s.Of == string(CountVisitors) {
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
func (t *compiledTable) draw(name string, l0, lInf int64) int {
	for i, d := range t.draws {
		if d.Statistic == name {
			return i
		}
	}
	t.draws = append(t.draws, plan.Draw{Statistic: name, L0: l0, LInf: lInf})
	return len(t.draws) - 1
}

func (c *compiled) compileStatistic(t *compiledTable, s Statistic) *statistic {
	st := &statistic{Statistic: s, draw: noDraw, denominator: noDraw}
	events := func() int { return t.draw(string(CountEvents), t.l0, t.Bounds.MaxPerPartition) }
	switch s.Kind {
	case CountVisitors:
		st.draw = t.draw(string(CountVisitors), t.l0, 1)
	case CountEvents:
		st.draw = events()
	case SumOf:
		st.draw = c.drawSum(t, s.Of)
	case MeanOf:
		st.draw = c.drawSum(t, s.Of)
		st.denominator = events()
	case ShareOf:
		if s.Of == string(CountVisitors) {
			st.draw = t.draw(string(CountVisitors), t.l0, 1)
		} else {
			st.draw = events()
		}
		c.compileShare(t, st)
	}
	return st
}

// compileShare decides what a share is divided by. The parts add up to the whole, without noise of
// its own, where every record or person is in exactly one of them and all of them are known: for
// visitors, declared complete dimensions of the person; for events, any declared complete ones.
func (c *compiled) compileShare(t *compiledTable, st *statistic) {
	st.parts = true
	parentL0 := int64(1)
	visitors := st.Of == string(CountVisitors)
	for i, d := range t.dims {
		if slices.Contains(st.Within, d.name) {
			st.within = append(st.within, i)
			if !d.person() {
				parentL0 = t.l0
			}
			continue
		}
		st.parts = st.parts && d.complete && (d.person() || !visitors)
	}
	if st.parts {
		return
	}
	if visitors {
		st.denominator = t.draw(totalVisitors, parentL0, 1)
		return
	}
	// All of a person's groups can lie in one parent, so one parent can change by everything.
	st.denominator = t.draw(totalEvents, 1, t.l0*t.Bounds.MaxPerPartition)
}

// bounding is the draw that tells how many people the bounds took something from.
const bounding = "bounding"

// Statistics that are published because a share is divided by them.
const (
	totalVisitors = "visitors_total"
	totalEvents   = "events_total"
)

func (c *compiled) drawSum(t *compiledTable, value string) int {
	col := c.policy.Columns[value]
	if !slices.Contains(t.sums, value) {
		t.sums = append(t.sums, value)
	}
	if !slices.Contains(c.values, value) {
		c.values = append(c.values, value)
	}
	lInf := col.clampQuanta().MaxAbs()
	if n := t.Bounds.MaxPerPartition; col.SumClamp == nil && lInf > math.MaxInt64/n {
		lInf = math.MaxInt64 // which calibration refuses
	} else if col.SumClamp == nil {
		lInf *= n
	}
	return t.draw("sum_"+value, t.l0, lInf)
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
