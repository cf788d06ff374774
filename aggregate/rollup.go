// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/dp"
)

// RollUp asks for a level above a table: the same table with a coarser dimension in the place of one of its own, such as
// regions in that of cities. It is a table of its own, with its own bounds, choice of groups, noise and part of the budget,
// and is charged whatever the data holds. A person counts once in each of its groups, over all their records, also those
// whose smaller group is withheld.
type RollUp struct {
	// Of is the dimension of the table that To replaces. Both read the same raw values in the same way, and all that is in
	// one group of Of is in one of To.
	Of, To string
	// Name is the level's name and its file's; empty means TABLE_rollup_TO.
	Name string
	// Bounds are the level's own. 0 stands for the table's: a person is in at most as many groups of a level. For
	// MaxPartitions it is fewer where the level has fewer declared groups. MaxContributions of the table is left out where it
	// bounds nothing beside the others.
	Bounds dp.ContributionBounds
	// Weight is as for a table; 0 means the table's.
	Weight int64
}

// level says where a table of a release that carries its levels comes from.
type level struct {
	// path is the table's in faults.
	path string
	// of is the place of the table that it is a level of, -1 where it is none.
	of int
	// at is its place among the levels of that.
	at int
	RollUp
}

// withLevels returns the release with each table followed by its levels, and where each comes from. What is wrong with a
// level is for validateLevel to say.
func (r *Release) withLevels(p *Policy) (*Release, []level) {
	all, levels := *r, []level{}
	all.Tables = nil
	for i, t := range r.Tables {
		path, of, seen := fmt.Sprintf("release.tables[%d]", i), len(all.Tables), map[string]int{}
		all.Tables, levels = append(all.Tables, t), append(levels, level{path: path, of: -1})
		for n, up := range t.RollUp {
			at := fmt.Sprintf("%s[%d]", strictyaml.Child(path+".roll_up", up.Of), seen[up.Of])
			seen[up.Of]++
			all.Tables, levels = append(all.Tables, t.level(p, up)), append(levels, level{at, of, n, up})
		}
	}
	return &all, levels
}

// level returns the table that a level is.
func (t Table) level(p *Policy, up RollUp) Table {
	replace := func(names []string) []string {
		names = slices.Clone(names)
		if i := slices.Index(names, up.Of); i >= 0 {
			names[i] = up.To
		}
		return names
	}
	l := Table{
		Name: cmp.Or(up.Name, t.Name+"_rollup_"+up.To), GroupBy: replace(t.GroupBy), Weight: cmp.Or(up.Weight, t.Weight),
		Statistics: slices.Clone(t.Statistics),
	}
	for i, s := range l.Statistics {
		l.Statistics[i].Within = replace(s.Within)
	}
	l.Bounds = dp.ContributionBounds{
		MaxPartitions:    cmp.Or(up.Bounds.MaxPartitions, min(t.Bounds.MaxPartitions, l.eventGroups(p))),
		MaxPerPartition:  cmp.Or(up.Bounds.MaxPerPartition, t.Bounds.MaxPerPartition),
		MaxContributions: cmp.Or(up.Bounds.MaxContributions, t.Bounds.MaxContributions),
	}
	l.dropIdle(p, up.Bounds)
	return l
}

// dropIdle leaves out what a level takes from its table and what binds nothing beside its own bounds.
func (t *Table) dropIdle(p *Policy, own dp.ContributionBounds) {
	all := t.Bounds.MaxContributions
	if all == 0 {
		return
	}
	if own.MaxPartitions == 0 {
		t.Bounds.MaxPartitions = min(t.Bounds.MaxPartitions, all)
	}
	if own.MaxPerPartition == 0 {
		t.Bounds.MaxPerPartition = min(t.Bounds.MaxPerPartition, all)
	}
	if b := t.bounds(p); own.MaxContributions == 0 && all >= b.MaxPartitions*b.MaxPerPartition {
		t.Bounds = b
		t.Bounds.MaxContributions = 0
	}
}

// eventGroups is the most groups that one person can be in for their events: a large number where some are private.
func (t Table) eventGroups(p *Policy) int64 {
	n := int64(1)
	for _, name := range t.GroupBy {
		c := p.Columns[name]
		if c.Of != OfEvent {
			continue
		}
		declared := c.declared()
		if declared == nil {
			return maxDeclaredGroups
		}
		n = min(n*int64(len(declared)), maxDeclaredGroups)
	}
	return n
}

// validateLevel reports the faults of a level, and whether its dimensions are in order. Table is the one that it is a
// level of, and sound says that that has no faults.
func (l level) validateLevel(f *faults, p *Policy, table Table, sound bool) bool {
	before := len(f.list)
	if sound {
		f.oneOf(l.path, l.Of, table.GroupBy...)
	}
	known := f.oneOf(l.path, l.To, p.dimensions()...)
	if !known || len(f.list) > before || p.Columns[l.Of].Role != Dimension {
		return false
	}
	same := func(o RollUp) bool { return o.Of == l.Of && o.To == l.To }
	if slices.IndexFunc(table.RollUp, same) < l.at {
		f.add(l.path, quoted(l.To), "each level once", "remove it")
		return false
	}
	if l.To == l.Of || slices.Contains(table.GroupBy, l.To) {
		f.add(l.path, quoted(l.To), "a dimension that the table does not group by", "name a coarser one, or remove it")
		return false
	}
	if got, fix := coarser(p.Columns[l.Of], l.Of, p.Columns[l.To], l.To); got != "" {
		f.add(l.path, quoted(l.To)+", "+got, "a dimension whose groups are made of whole groups of "+l.Of, fix)
	}
	return len(f.list) == before
}

// rollUp binds the levels of a table: for each of its dimensions a list of names, or of mappings.
func (d *decoder) rollUp(levels *[]RollUp) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) {
		d.Each(n, path, func(of string, n *strictyaml.Node, path string) {
			d.Items(n, path, func(_ int, n *strictyaml.Node, path string) {
				up := RollUp{Of: of}
				if n.Kind == strictyaml.Scalar {
					up.To = d.Text(n, path)
				} else {
					d.Mapping(n, path, fields{
						"to": d.string(&up.To), "name": d.string(&up.Name), "bounds": d.bounds(&up.Bounds, nil), "weight": d.int(&up.Weight),
					})
				}
				*levels = append(*levels, up)
			})
		})
	}
}

// planLevel says what a level is the total of.
func (l level) planLevel(c *compiled, t *PlanTable) {
	if l.of < 0 {
		return
	}
	t.RollUpOf = c.release.Tables[l.of].Name
	who := "a person counts once in each of their groups, over all their records"
	if c.policy.Columns[l.Of].Of == OfPerson {
		who = "a person counts in the one group that their own records say"
	}
	t.RollUp = fmt.Sprintf("the groups of table %s added up by %s in place of %s, those that are withheld too: %s; noise and bounds are this table's own, so that groups of %s need not add up to these",
		t.RollUpOf, l.To, l.Of, who, t.RollUpOf)
}
