// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"

	"github.com/throngdp/throng/dp/estimate"
)

// fittedInterval is the interval of a number that was fitted to totals and parts, as a function of the fit.
type fittedInterval func(fit int64) (low, high int64)

// fittedIntervals returns those of the draws of a table, where no group is withheld of the tables with which
// it adds up. Draws that keep their own are left out: visitors, which a threshold selected, and what adds up with nothing.
func (c *compiled) fittedIntervals(t *compiledTable) (map[int]fittedInterval, error) {
	fits := map[int]fittedInterval{}
	for _, f := range c.families {
		if !slices.ContainsFunc(f.tables, func(i int) bool { return c.tables[i] == t }) {
			continue
		}
		for _, e := range c.equal(f, c.whole) {
			at := slices.IndexFunc(e.tables, func(i int) bool { return c.tables[i] == t })
			if at < 0 || c.published(t, e.draws[at]).ShownAt != estimate.AlwaysShown {
				continue
			}
			counts, equations, first := c.expectedEquations(e)
			// All groups of a table are alike: any will do.
			fit, err := estimate.ExpectFit(counts, equations, first[at], alpha)
			if err != nil {
				return nil, err
			}
			if fit != nil {
				fits[e.draws[at]] = fit
			}
		}
	}
	return fits, nil
}

// expectedEquations returns the numbers of a family of whole tables and their equations, where all groups are
// shown, and the place of each table's first.
func (c *compiled) expectedEquations(f family) (counts []estimate.Count, equations []estimate.Equation, first []int) {
	for i, table := range f.tables {
		t := c.tables[table]
		first = append(first, len(counts))
		counts = append(counts, slices.Repeat([]estimate.Count{c.published(t, f.draws[i])}, t.groups())...)
	}
	for _, pair := range c.margins(f) {
		coarse, fine := c.tables[f.tables[pair[0]]], c.tables[f.tables[pair[1]]]
		sums := make([]estimate.Equation, coarse.groups())
		for i := range sums {
			sums[i].Total = first[pair[0]] + i
		}
		for i := range fine.groups() {
			at := coarse.groupOf(fine, i)
			sums[at].Parts = append(sums[at].Parts, first[pair[1]]+i)
		}
		equations = append(equations, sums...)
	}
	return counts, equations, first
}

// groupOf returns the group of a declared table that a group of a finer one is in. Groups are numbered with
// the last dimension as the first to change.
func (t *compiledTable) groupOf(fine *compiledTable, group int) int {
	at, unit := 0, 1
	for _, d := range slices.Backward(t.dims) {
		rest := group
		for _, o := range slices.Backward(fine.dims) {
			if o == d {
				break
			}
			rest /= len(o.declared)
		}
		at += unit * (rest % len(d.declared))
		unit *= len(d.declared)
	}
	return at
}
