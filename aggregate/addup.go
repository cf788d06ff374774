// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"

	"github.com/throngdp/throng/dp/estimate"
)

// fitting is the numbers of a family that are shown. What is displayed depends on these, which are published,
// and on nothing else: a number that is withheld has no place here.
type fitting struct {
	c      *compiled
	f      family
	pubs   []*publisher // of its tables
	place  [][]int      // of each cell of a table among the numbers, -1 where it is withheld
	counts []estimate.Count
	noisy  []int64
}

// addUp fits the numbers of every family. Where it cannot, they stay as they were drawn.
func (c *compiled) addUp(pubs []*publisher) {
	for _, f := range c.families {
		n := c.fitting(f, pubs)
		// Equations between single groups ask for the most, and may ask for more than whole numbers can do.
		for _, equations := range []func() []estimate.Equation{n.ofGroups, n.ofTables, n.ofWholeTables} {
			if n.fit(equations()) {
				break
			}
		}
	}
}

func (c *compiled) fitting(f family, pubs []*publisher) *fitting {
	n := &fitting{c: c, f: f}
	for i, table := range f.tables {
		p := pubs[table]
		count := c.published(p.t, f.draws[i])
		place := make([]int, p.listed)
		for cell := range place {
			place[cell] = -1
			if p.shown[cell] {
				place[cell] = len(n.noisy)
				n.counts, n.noisy = append(n.counts, count), append(n.noisy, p.draws[f.draws[i]].noisy[cell])
			}
		}
		n.pubs, n.place = append(n.pubs, p), append(n.place, place)
	}
	return n
}

// fit fits the numbers to equations, and returns false where it cannot.
func (n *fitting) fit(equations []estimate.Equation) bool {
	if len(equations) == 0 {
		return true
	}
	fit, err := estimate.NewConsistent(n.counts, equations, alpha)
	if err != nil {
		return false
	}
	fitted, ok := fit.Estimate(n.noisy)
	if !ok {
		return false
	}
	for i, p := range n.pubs {
		if p.fitted == nil {
			p.fitted = make([][]estimate.Fitted, len(p.draws))
		}
		cells := make([]estimate.Fitted, p.listed)
		for cell, at := range n.place[i] {
			if at >= 0 {
				cells[cell] = fitted[at]
			}
		}
		p.fitted[n.f.draws[i]] = cells
	}
	return true
}

// shownWhole reports whether a table is whole and none of its groups is withheld.
func (n *fitting) shownWhole(table int) bool {
	return n.c.whole(table) && !slices.Contains(n.place[slices.Index(n.f.tables, table)], -1)
}

// ofWholeTables are the equations between tables of which no group is withheld.
func (n *fitting) ofWholeTables() (equations []estimate.Equation) {
	for _, e := range n.c.equal(n.f, n.shownWhole) {
		for _, pair := range n.c.margins(e) {
			equations = append(equations, n.sums(n.at(e, pair), false)...)
		}
	}
	return equations
}

// ofTables adds that every other total is at least what is shown of its parts.
func (n *fitting) ofTables() []estimate.Equation {
	equations := n.ofWholeTables()
	for _, pair := range n.c.open(n.f, n.c.equal(n.f, n.shownWhole)) {
		equations = append(equations, n.sums(pair, true)...)
	}
	return equations
}

// ofGroups adds that a group is the sum of its parts where all of these are shown, whatever else of their
// tables is not.
func (n *fitting) ofGroups() []estimate.Equation {
	equations := n.ofTables()
	for _, e := range n.c.equal(n.f, n.c.whole) {
		for _, pair := range n.c.margins(e) {
			pair = n.at(e, pair)
			coarse, fine := n.f.tables[pair[0]], n.f.tables[pair[1]]
			if n.shownWhole(coarse) && n.shownWhole(fine) {
				continue
			}
			all := n.c.tables[fine].groups() / n.c.tables[coarse].groups()
			for _, sum := range n.sums(pair, false) {
				if len(sum.Parts) == all {
					equations = append(equations, sum)
				}
			}
		}
	}
	return equations
}

// at turns places in a part of the family into those in the family.
func (n *fitting) at(part family, pair [2]int) [2]int {
	return [2]int{slices.Index(n.f.tables, part.tables[pair[0]]), slices.Index(n.f.tables, part.tables[pair[1]])}
}

// sums says of each group of a coarse table that is shown which groups of a fine one that are shown are in
// it. Groups of which none is are left out.
func (n *fitting) sums(pair [2]int, open bool) []estimate.Equation {
	coarse, fine := n.pubs[pair[0]], n.pubs[pair[1]]
	var equations []estimate.Equation
	at := map[string]int{}
	for cell, number := range n.place[pair[0]] {
		if number >= 0 {
			at[coarse.labels(cell, coarse.t.dims)] = len(equations)
			equations = append(equations, estimate.Equation{Total: number, Open: open})
		}
	}
	for cell, number := range n.place[pair[1]] {
		if i, ok := at[fine.labels(cell, coarse.t.dims)]; ok && number >= 0 {
			equations[i].Parts = append(equations[i].Parts, number)
		}
	}
	return slices.DeleteFunc(equations, func(e estimate.Equation) bool { return len(e.Parts) == 0 })
}

// labels returns the labels of a cell in some dimensions of its table, in one text.
func (p *publisher) labels(cell int, dims []*dimension) string {
	key := p.key[:0]
	for _, dim := range dims {
		key = append(key, p.cells.label(cell, slices.Index(p.t.dims, dim))...)
		key = append(key, keySeparator...)
	}
	p.key = key
	return string(key)
}

// fitted fills the row of a number that was brought to add up with others. Value stays what was drawn.
func (r *Row) fitted(f estimate.Fitted, noisy int64, q quantum) {
	r.Value, r.Display = known(q.times(noisy)), known(q.times(f.Display))
	r.Low, r.High = known(q.times(f.Low)), known(q.times(f.High))
	r.Status = status(float64(f.Display), float64(f.Low), float64(f.High))
}
