// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"slices"

	"github.com/throngdp/throng/dp/estimate"
)

// top is the choice of a table's largest groups.
type top struct {
	stat   int // by which they are chosen
	chosen []bool
	e      *estimators // whose intervals of that statistic hold for all candidates
}

// choose chooses the cells that are listed, from noisy numbers alone. The candidates are all cells that are
// shown. Each of their intervals, given that the cell is shown, misses with a chance of alpha divided by
// their number: all of them hold together, and so do those of whichever are chosen.
func (s *sheet) choose() error {
	p := s.p
	if p.t.Top == nil {
		return nil
	}
	i := slices.IndexFunc(p.t.stats, func(o *statistic) bool { return o.Name() == p.t.Top.By })
	draw := p.t.stats[i].draw
	var candidates []int
	for cell := range p.listed {
		if p.shown[cell] {
			candidates = append(candidates, cell)
		}
	}
	s.top = &top{stat: i, chosen: make([]bool, p.listed)}
	if len(candidates) == 0 {
		return nil
	}
	ce, err := estimate.NewCountEstimator(p.c.published(p.t, draw), alpha/float64(len(candidates)))
	if err != nil {
		return err
	}
	wide := *s.e
	wide.counts = slices.Clone(s.e.counts)
	wide.counts[draw] = ce
	s.top.e = &wide
	noisy := p.draws[draw].noisy
	// Cells are in the order of their labels, which a stable sort keeps.
	slices.SortStableFunc(candidates, func(a, b int) int { return cmp.Compare(noisy[b], noisy[a]) })
	for _, cell := range candidates[:min(int64(len(candidates)), p.t.Top.Groups)] {
		s.top.chosen[cell] = true
	}
	return nil
}

// lists reports whether the table lists a cell: a declared one in any case, but for those that are not
// chosen.
func (s *sheet) lists(cell int) bool {
	if s.top != nil {
		return s.top.chosen[cell]
	}
	return s.p.shown[cell] || s.p.t.declared
}
