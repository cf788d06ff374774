// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"slices"
	"strings"
)

// family is tables in which each person is in one group at most, and adds the same to a statistic there in
// all of them.
type family struct {
	tables []int // their place in the release
	draws  []int // the draw of the statistic in each
}

// Limits of a family: groups, and groups of tables that are sums of another.
const (
	maxFamilyGroups = 1 << 12
	maxFamilySums   = 1 << 10
)

// compileTotals finds the families. A person is in at most one group of a table by dimensions of the person,
// and in the same one of every coarser table; with the same records, bounds and clamps it adds the same number
// to both.
func (c *compiled) compileTotals() {
	alike := map[string]*family{}
	var keys []string
	for i, t := range c.tables {
		if !t.partsPeople() {
			continue
		}
		for d, draw := range t.draws {
			sum, _, isSum := t.sumOf(draw.Statistic)
			if _, _, isTree := t.treeOf(draw.Statistic); isTree || isTotal(draw.Statistic) || isSum && sum.centred {
				continue // what is displayed of them is something else
			}
			key := t.countedAlike(d)
			if alike[key] == nil {
				alike[key] = &family{}
				keys = append(keys, key)
			}
			alike[key].tables, alike[key].draws = append(alike[key].tables, i), append(alike[key].draws, d)
		}
	}
	for _, key := range keys {
		f := *alike[key]
		if equal := c.equal(f, c.whole); len(equal)+len(c.open(f, equal)) > 0 {
			c.families = append(c.families, f)
		}
	}
}

func isTotal(statistic string) bool {
	return statistic == totalVisitors || statistic == totalEvents || statistic == bounding
}

// partsPeople reports whether a person is in at most one group of a table, and all that are shown are listed.
func (t *compiledTable) partsPeople() bool {
	return t.Top == nil && !slices.ContainsFunc(t.dims, func(d *dimension) bool { return !d.person() })
}

// whole reports whether each person is in a group of a table, and all groups may be listed.
func (c *compiled) whole(table int) bool {
	t := c.tables[table]
	return t.declared && t.groups() <= maxFamilyGroups && !slices.ContainsFunc(t.dims, func(d *dimension) bool { return !d.complete })
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

// equal shares the tables of a family that are whole out: each goes to the finest table that comes first, of
// those that have all its dimensions, or to a tree in which it has one coarser table at most. Families of one
// table are left out.
func (c *compiled) equal(of family, whole func(table int) bool) []family {
	var left family
	for i, table := range of.tables {
		if whole(table) {
			left = c.with(left, table, of.draws[i])
		}
	}
	var all []family
	for len(left.tables) > 0 {
		finest := c.tables[left.tables[0]] // finer tables have more dimensions: it is within no other
		f := c.join(family{}, &left, func(g family) bool {
			return c.tables[g.tables[0]] == finest && !slices.ContainsFunc(g.tables, func(i int) bool { return !c.tables[i].within(finest) })
		})
		if f = c.join(f, &left, c.tree); len(f.tables) > 1 {
			all = append(all, f)
		}
	}
	return all
}

// join moves tables from left to a family, as long as it keeps to the limits and to a condition.
func (c *compiled) join(f family, left *family, condition func(family) bool) family {
	for i := 0; i < len(left.tables); i++ {
		g := c.with(f, left.tables[i], left.draws[i])
		if groups, sums := c.size(g); groups > maxFamilyGroups || sums > maxFamilySums || !condition(g) {
			continue
		}
		f = g
		left.tables, left.draws = slices.Delete(left.tables, i, i+1), slices.Delete(left.draws, i, i+1)
		i = -1 // one that was passed over may fit now
	}
	return f
}

// with returns a family with one table more, in its place: finer tables come first.
func (c *compiled) with(f family, table, draw int) family {
	at := slices.IndexFunc(f.tables, func(i int) bool { return len(c.tables[i].dims) < len(c.tables[table].dims) })
	if at < 0 {
		at = len(f.tables)
	}
	return family{slices.Insert(slices.Clone(f.tables), at, table), slices.Insert(slices.Clone(f.draws), at, draw)}
}

// size returns the number of groups of a family of whole tables, and of those that are sums.
func (c *compiled) size(f family) (groups, sums int) {
	for _, i := range f.tables {
		groups += c.tables[i].groups()
	}
	for _, pair := range c.margins(f) {
		sums += c.tables[f.tables[pair[0]]].groups()
	}
	return groups, sums
}

// tree reports whether each table of a family but one is a part of exactly one other.
func (c *compiled) tree(f family) bool {
	pairs := c.margins(f)
	parts := map[int]bool{}
	for _, pair := range pairs {
		parts[pair[1]] = true
	}
	return len(pairs) == len(f.tables)-1 && len(parts) == len(pairs)
}

// open returns the pairs of tables of a family, as places in it, of which the first is at least what is
// shown of the second, and which are not in the families whose numbers are equal.
func (c *compiled) open(f family, equal []family) (pairs [][2]int) {
	if c.belowZero(c.tables[f.tables[0]], f.draws[0]) {
		return nil // what is not shown may be below 0
	}
	fixed := func(table int) bool {
		return slices.ContainsFunc(equal, func(e family) bool { return slices.Contains(e.tables, table) })
	}
	for coarse, a := range f.tables {
		for fine, b := range f.tables {
			if len(c.tables[a].dims) < len(c.tables[b].dims) && c.tables[a].within(c.tables[b]) && !(fixed(a) && fixed(b)) {
				pairs = append(pairs, [2]int{coarse, fine})
			}
		}
	}
	return pairs
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

// planTotals says which numbers are brought to add up, and why.
func (c *compiled) planTotals() (totals []string) {
	for _, f := range c.families {
		equal := c.equal(f, c.whole)
		for _, e := range equal {
			for _, pair := range c.margins(e) {
				totals = append(totals, c.planTotal(e, pair, "=", "", "each person is in exactly one group of either"))
			}
		}
		for _, pair := range c.open(f, equal) {
			totals = append(totals, c.planTotal(f, pair, "≥", " that are shown", "each person is in at most one of these"))
		}
	}
	return totals
}

func (c *compiled) planTotal(f family, pair [2]int, sign, which, why string) string {
	coarse, fine := c.tables[f.tables[pair[0]]], c.tables[f.tables[pair[1]]]
	name := coarse.draws[f.draws[pair[0]]].Statistic
	if name != string(CountVisitors) {
		why += ", with the same records and bounds"
		if _, _, isSum := coarse.sumOf(name); isSum && which != "" {
			why += ", and no value is below 0"
		}
	}
	return fmt.Sprintf("%s of table %s %s sums of those of table %s%s: %s", name, coarse.Name, sign, fine.Name, which, why)
}
