// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/throngdp/throng/dp/estimate"
)

// family is tables whose numbers of one statistic are margins of the first: before noise, each number of
// the others is the sum of numbers of the first.
type family struct {
	tables []int // their place in the release
	draws  []int // the draw of the statistic in each
}

// Limits of a family: groups, and groups of tables that are sums of another.
const (
	maxFamilyGroups = 1 << 12
	maxFamilySums   = 1 << 10
)

// compileTotals finds the families. A person is in exactly one group of a table by complete declared
// dimensions of the person, and in the same one of every coarser table; with the same records, bounds
// and clamps it adds the same number to both. Which tables are whole then is known from what was charged:
// noisy numbers, and choices of groups.
func (c *compiled) compileTotals() {
	alike := map[string][]int{}
	draws := map[string][]int{}
	var keys []string
	for i, t := range c.tables {
		if !c.addsUp(t) {
			continue
		}
		for d, draw := range t.draws {
			sum, _, isSum := t.sumOf(draw.Statistic)
			if _, _, isTree := t.treeOf(draw.Statistic); isTree || isTotal(draw.Statistic) || isSum && sum.centred {
				continue // what is displayed of them is something else
			}
			key := t.countedAlike(d)
			if _, ok := alike[key]; !ok {
				keys = append(keys, key)
			}
			alike[key], draws[key] = append(alike[key], i), append(draws[key], d)
		}
	}
	for _, key := range keys {
		c.families = append(c.families, c.familiesOf(alike[key], draws[key])...)
	}
}

func isTotal(statistic string) bool {
	return statistic == totalVisitors || statistic == totalEvents || statistic == bounding
}

// addsUp reports whether the groups of a table part all people, and all of them may be listed.
func (c *compiled) addsUp(t *compiledTable) bool {
	return t.declared && t.Top == nil && t.groups() <= maxFamilyGroups &&
		!slices.ContainsFunc(t.dims, func(d *dimension) bool { return !d.person() || !d.complete })
}

// countedAlike is the same text for draws to which a person adds the same in every table. Tables leave
// out records without a value of theirs, so that their values must be the same.
func (t *compiledTable) countedAlike(draw int) string {
	d := t.draws[draw]
	var values []string
	for _, s := range t.sums {
		values = append(values, s.value)
	}
	for _, tr := range t.trees {
		values = append(values, tr.value)
	}
	slices.Sort(values)
	key := d.Statistic + " of " + strings.Join(slices.Compact(values), ",")
	if d.Statistic != string(CountVisitors) {
		key += fmt.Sprintf(" within %d, %d", t.Bounds.MaxPerPartition, d.LInf)
		if t.auto != nil {
			key += " of " + t.Name // its bounds are its own
		}
	}
	return key
}

// groups is the number of declared groups of a table.
func (t *compiledTable) groups() int {
	n := 1
	for _, d := range t.dims {
		n *= len(d.declared)
	}
	return n
}

// within reports whether every dimension of a table is one of another.
func (t *compiledTable) within(o *compiledTable) bool {
	return !slices.ContainsFunc(t.dims, func(d *dimension) bool { return !slices.Contains(o.dims, d) })
}

// familiesOf shares tables out: each goes to the finest table that comes first, of those that have all
// its dimensions. Families of one table are left out.
func (c *compiled) familiesOf(tables, draws []int) []family {
	left := make([]int, len(tables))
	for i := range left {
		left[i] = i
	}
	// Finer tables have more dimensions, so that the first that is left is within no other.
	slices.SortStableFunc(left, func(a, b int) int { return len(c.tables[tables[b]].dims) - len(c.tables[tables[a]].dims) })
	var all []family
	for len(left) > 0 {
		finest := c.tables[tables[left[0]]]
		f := family{[]int{tables[left[0]]}, []int{draws[left[0]]}}
		groups := finest.groups()
		var rest []int
		for _, i := range left[1:] {
			t := c.tables[tables[i]]
			if !t.within(finest) || groups+t.groups() > maxFamilyGroups || c.sums(f)+t.groups()*len(finest.dims) > maxFamilySums {
				rest = append(rest, i)
				continue
			}
			groups += t.groups()
			f.tables, f.draws = append(f.tables, tables[i]), append(f.draws, draws[i])
		}
		if len(f.tables) > 1 {
			all = append(all, f)
		}
		left = rest
	}
	return all
}

// sums bounds the number of equations of a family.
func (c *compiled) sums(f family) (n int) {
	for _, i := range f.tables[1:] {
		n += c.tables[i].groups() * len(c.tables[f.tables[0]].dims)
	}
	return n
}

// margins returns the pairs of tables of a family, as places in it, of which the first is the sum of the
// second and no table stands between. A table is in order before those that are within it.
func (c *compiled) margins(f family) (pairs [][2]int) {
	inside := func(a, b int) bool { return b < a && c.tables[f.tables[a]].within(c.tables[f.tables[b]]) }
	for coarse := range f.tables {
		for fine := range coarse {
			between := false
			for m := range f.tables {
				between = between || m != coarse && m != fine && inside(coarse, m) && inside(m, fine)
			}
			if inside(coarse, fine) && !between {
				pairs = append(pairs, [2]int{coarse, fine})
			}
		}
	}
	return pairs
}

// addUp fits the numbers of every family, and leaves out the tables of which a cell is withheld: what is
// displayed then depends on numbers that are published, and on nothing else.
func (c *compiled) addUp(pubs []*publisher) {
	for _, f := range c.families {
		var tables, draws []int
		for i, table := range f.tables {
			p := pubs[table]
			if !slices.Contains(p.shown[:p.listed], false) {
				tables, draws = append(tables, table), append(draws, f.draws[i])
			}
		}
		for _, shown := range c.familiesOf(tables, draws) {
			c.fit(shown, pubs)
		}
	}
}

// fit fits the numbers of a family. Where it cannot, they stay as they were drawn.
func (c *compiled) fit(f family, pubs []*publisher) {
	var counts []estimate.Count
	var noisy []int64
	first := make([]int, len(f.tables)) // the place of each table's first number
	for i, table := range f.tables {
		p := pubs[table]
		first[i] = len(counts)
		counts = append(counts, slices.Repeat([]estimate.Count{c.published(p.t, f.draws[i])}, p.listed)...)
		noisy = append(noisy, p.draws[f.draws[i]].noisy[:p.listed]...)
	}
	var equations []estimate.Equation
	for _, pair := range c.margins(f) {
		equations = append(equations, marginal(pubs[f.tables[pair[0]]], pubs[f.tables[pair[1]]], first[pair[0]], first[pair[1]])...)
	}
	fit, err := estimate.NewConsistent(counts, equations, alpha)
	if err != nil {
		return
	}
	fitted, ok := fit.Estimate(noisy)
	if !ok {
		return
	}
	for i, table := range f.tables {
		p := pubs[table]
		if p.fitted == nil {
			p.fitted = make([][]estimate.Fitted, len(p.draws))
		}
		p.fitted[f.draws[i]] = fitted[first[i]:][:p.listed]
	}
}

// marginal says of each cell of a coarse table which cells of a fine one it is the sum of.
func marginal(coarse, fine *publisher, firstCoarse, firstFine int) []estimate.Equation {
	equations := make([]estimate.Equation, coarse.listed)
	for i := range equations {
		equations[i].Total = firstCoarse + i
	}
	for i := range fine.listed {
		at := 0 // declared cells are in the order of their ranks, the last dimension first
		for d, dim := range coarse.t.dims {
			at = at*len(coarse.cells.axes[d].labels) + int(fine.cells.of(i)[slices.Index(fine.t.dims, dim)])
		}
		equations[at].Parts = append(equations[at].Parts, firstFine+i)
	}
	return equations
}

// fitted fills the row of a number that was brought to add up with others. Value stays what was drawn.
func (r *Row) fitted(f estimate.Fitted, noisy int64, q quantum) {
	r.Value, r.Display = known(q.times(noisy)), known(q.times(f.Display))
	r.Low, r.High = known(q.times(f.Low)), known(q.times(f.High))
	r.Status = status(float64(f.Display), float64(f.Low), float64(f.High))
}

// planTotals says which numbers are brought to add up, and why.
func (c *compiled) planTotals() (totals []string) {
	for _, f := range c.families {
		for _, pair := range c.margins(f) {
			coarse, fine := c.tables[f.tables[pair[0]]], c.tables[f.tables[pair[1]]]
			name := coarse.draws[f.draws[pair[0]]].Statistic
			why := "each person is in exactly one group of either"
			if name != string(CountVisitors) {
				why += ", with the same records and bounds"
			}
			totals = append(totals, fmt.Sprintf("%s of table %s = sums of those of table %s: %s", name, coarse.Name, fine.Name, why))
		}
	}
	return totals
}
