// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

// record is one row, as nobody would store it.
type record struct {
	hi, lo uint64
	flags  uint32
	attrs  []uint32
	keys   []key
	values []int64
	join   bool
}

type key struct{ code, hash uint64 }

// cell is what one group comes to.
type cell struct {
	visitors, events int64
	sums             string
}

// outcome is partials without their order and numbers: groups by name.
type outcome struct {
	visitors int64
	tables   []map[string]cell
	parents  []map[string]cell
	bounded  [][engine.Overs]int64
	leaves   []map[string]int64
}

// twin computes what the engine should, the plain way.
func twin(spec *engine.Spec, records []record) outcome {
	people := map[[2]uint64][]record{}
	for _, r := range append(pick(records, false), pick(records, true)...) {
		if id := [2]uint64{r.hi, r.lo}; !r.join || people[id] != nil {
			people[id] = append(people[id], r)
		}
	}
	out := outcome{bounded: make([][engine.Overs]int64, len(spec.Tables))}
	sums := make([]map[string][]*big.Int, len(spec.Tables))
	for t := range spec.Tables {
		sums[t] = map[string][]*big.Int{}
		out.tables = append(out.tables, map[string]cell{})
		out.parents = append(out.parents, map[string]cell{})
		out.leaves = append(out.leaves, map[string]int64{})
	}
	for _, rows := range people {
		var flags uint32
		for _, r := range rows {
			flags |= r.flags
		}
		if need := spec.Required | engine.Event; flags&engine.Excluded != 0 || flags&need != need {
			continue
		}
		out.visitors++
		labels := twinLabels(spec, rows)
		for t := range spec.Tables {
			twinPerson(spec, &spec.Tables[t], rows, labels, out.tables[t], out.parents[t], &out.bounded[t], sums[t], out.leaves[t])
		}
	}
	for t := range spec.Tables {
		for name, totals := range sums[t] {
			c := out.tables[t][name]
			for _, total := range totals {
				c.sums += fmt.Sprint(clampBig(total, -engine.MaxSum, engine.MaxSum), " ")
			}
			out.tables[t][name] = c
		}
	}
	return out
}

func twinLabels(spec *engine.Spec, rows []record) []uint32 {
	var labels []uint32
	for a := range spec.Attributes {
		attr := &spec.Attributes[a]
		votes := map[uint32]int{}
		for _, r := range rows {
			if r.attrs[a] != engine.None {
				votes[r.attrs[a]]++
			}
		}
		ranked := slices.SortedFunc(maps.Keys(votes), func(x, y uint32) int {
			if votes[x] != votes[y] {
				return votes[y] - votes[x]
			}
			return attr.Compare(x, y)
		})
		switch {
		case len(ranked) == 0, len(ranked) > 1 && attr.ConflictUnknown:
			labels = append(labels, attr.Unknown)
		default:
			labels = append(labels, ranked[0])
		}
	}
	return labels
}

// twinGroup is one group of one person.
type twinGroup struct {
	key
	records int64
	sums    []*big.Int
	spreads [][]int64 // the values of records
}

func twinPerson(spec *engine.Spec, t *engine.Table, rows []record, labels []uint32, groups, parents map[string]cell, bounded *[engine.Overs]int64, sums map[string][]*big.Int, leaves map[string]int64) {
	kept, took := twinKept(spec, t, rows)
	twinParents(spec, t, kept, labels, parents)
	person := make([]uint32, 0, len(t.Persons))
	for _, a := range t.Persons {
		if f := spec.Attributes[a].Dropped; f != nil && f(labels[a]) {
			return
		}
		person = append(person, labels[a])
	}
	counted, over := twinCounted(t, kept, took)
	if len(kept) > 0 {
		bounded[took|over]++
	}
	for i, g := range kept {
		name := groupName(g.code, person)
		c := groups[name]
		c.visitors++
		e := counted[i]
		if t.Events {
			c.events += e
		}
		groups[name] = c
		for s, values := range g.spreads {
			slices.Sort(values)
			for j := range e {
				leaf := t.Spreads[s].Leaf(values[(2*j+1)*g.records/(2*e)])
				leaves[fmt.Sprint(name, s, " ", leaf)]++
			}
		}
		for s, total := range g.sums {
			if sums[name] == nil {
				for range t.Sums {
					sums[name] = append(sums[name], new(big.Int))
				}
			}
			if t.Sums[s].Total {
				total = clampBig(total, t.Sums[s].Clamp.Lower, t.Sums[s].Clamp.Upper)
			} else {
				total = new(big.Int).Quo(new(big.Int).Mul(total, big.NewInt(e)), big.NewInt(g.records))
			}
			sums[name][s].Add(sums[name][s], total)
		}
	}
}

// twinCounted returns how many of a person's records count in each of their groups, and which bounds they are over. A
// bound on all groups is met by going through the records one by one: the first of each group counts, and of the others
// whichever makes up for one more of those that have room.
func twinCounted(t *engine.Table, kept []*twinGroup, took int) (counted []int64, over int) {
	var all, others int64
	for _, g := range kept {
		if (t.Events || len(t.Sums) > 0 || len(t.Spreads) > 0) && g.records > t.Bounds.MaxPerPartition {
			over |= engine.OverPerPartition
		}
		n := min(g.records, t.Bounds.MaxPerPartition)
		counted, all, others = append(counted, n), all+n, others+n-1
	}
	most := t.Bounds.MaxContributions
	if most == 0 {
		return counted, over
	}
	if all > most || over != 0 && t.Bounds.MaxPerPartition == most || took != 0 && t.Bounds.MaxPartitions == most {
		over |= engine.OverContributions
	}
	if all <= most {
		return counted, over
	}
	room, passed := most-int64(len(kept)), int64(0)
	for i, n := range counted {
		counted[i] = 1
		for range n - 1 {
			owed := passed * room / others
			if passed++; passed*room/others > owed {
				counted[i]++
			}
		}
	}
	return counted, over
}

// twinParents counts a person once in each parent.
func twinParents(spec *engine.Spec, t *engine.Table, kept []*twinGroup, labels []uint32, parents map[string]cell) {
	if t.Parent == nil {
		return
	}
	var person []uint32
	for _, a := range t.Parent.Persons {
		if f := spec.Attributes[a].Dropped; f != nil && f(labels[a]) {
			return
		}
		person = append(person, labels[a])
	}
	seen := map[string]bool{}
	if t.Parent.Event == nil {
		seen[groupName(0, person)] = true
	} else {
		for _, g := range kept {
			seen[groupName(t.Parent.Event(g.code), person)] = true
		}
	}
	for name := range seen {
		c := parents[name]
		c.visitors++
		parents[name] = c
	}
}

// twinKept returns the groups in which a person counts, and OverPartitions where there are more.
func twinKept(spec *engine.Spec, t *engine.Table, rows []record) (kept []*twinGroup, took int) {
	byCode := map[uint64]*twinGroup{}
	if t.Key < 0 && !t.Events && len(t.Sums) == 0 && len(t.Spreads) == 0 {
		return []*twinGroup{{}}, 0
	}
	hi, lo := rows[0].hi, rows[0].lo
rows:
	for _, r := range rows {
		if r.flags&engine.Event == 0 || t.Key < 0 && r.flags&engine.Copy != 0 {
			continue
		}
		for _, s := range t.Sums {
			if r.values[s.Value] == engine.NoValue {
				continue rows
			}
		}
		for _, s := range t.Spreads {
			if r.values[s.Value] == engine.NoValue {
				continue rows
			}
		}
		var k key
		if t.Key >= 0 {
			k = r.keys[t.Key]
		}
		if k.code == engine.NoKey {
			continue
		}
		g := byCode[k.code]
		if g == nil {
			g = &twinGroup{key: k}
			for range t.Sums {
				g.sums = append(g.sums, new(big.Int))
			}
			g.spreads = make([][]int64, len(t.Spreads))
			byCode[k.code] = g
		}
		g.records++
		for i, s := range t.Spreads {
			g.spreads[i] = append(g.spreads[i], r.values[s.Value])
		}
		for i, s := range t.Sums {
			v := big.NewInt(r.values[s.Value])
			if !s.Total {
				v = clampBig(v, s.Clamp.Lower, s.Clamp.Upper)
				v = new(big.Int).Sub(v, big.NewInt(s.Centre))
			}
			if s.Square {
				v = new(big.Int).Mul(v, v)
			}
			g.sums[i].Add(g.sums[i], v)
		}
	}
	kept = slices.SortedFunc(maps.Values(byCode), func(x, y *twinGroup) int {
		p, q := spec.Priority(hi, lo, x.hash), spec.Priority(hi, lo, y.hash)
		switch {
		case p < q:
			return -1
		case p > q:
			return 1
		}
		return spec.CompareKeys(t.Key, x.code, y.code)
	})
	if t.Key >= 0 {
		if len(kept) > int(t.Bounds.MaxPartitions) {
			kept, took = kept[:t.Bounds.MaxPartitions], engine.OverPartitions
		}
	}
	return kept, took
}

func groupName(event uint64, person []uint32) string { return fmt.Sprint(event, person) }

func clampBig(v *big.Int, lo, hi int64) *big.Int {
	if v.Cmp(big.NewInt(lo)) < 0 {
		return big.NewInt(lo)
	}
	if v.Cmp(big.NewInt(hi)) > 0 {
		return big.NewInt(hi)
	}
	return v
}

// run is how records reach the engine.
type run struct {
	chunk, workers int
	room, gather   int // of a piece and of a bucket; 0 for the engine's own
	limit          int64
}

// aggregate has the engine compute an outcome.
func aggregate(spec *engine.Spec, records []record, how run) outcome {
	keyed := *spec
	keyed.HashKeys = hashesOf(spec, records)
	e := engine.New(keyed)
	if how.room > 0 {
		e.Gather(how.room, how.gather)
	}
	e.SpillBeyond(how.limit, "")
	for _, join := range []bool{false, true} {
		feed(e, spec, pick(records, join), join, how)
	}
	return read(e, spec, how)
}

// hashesOf looks the hashes of codes up in the records.
func hashesOf(spec *engine.Spec, records []record) func(int, []uint64, []uint64) {
	known := make([]map[uint64]uint64, spec.Keys)
	for k := range known {
		known[k] = map[uint64]uint64{}
		for _, r := range records {
			if k < len(r.keys) {
				known[k][r.keys[k].code] = r.keys[k].hash
			}
		}
	}
	return func(k int, hashes, codes []uint64) {
		for i, c := range codes {
			hashes[i] = known[k][c]
		}
	}
}

func pick(records []record, join bool) []record {
	var out []record
	for _, r := range records {
		if r.join == join {
			out = append(out, r)
		}
	}
	return out
}

// rowsOf lays records out as columns. A column of an attribute that is silent throughout is nil, as
// are those of groups and values in a join.
func rowsOf(spec *engine.Spec, records []record, join bool) *engine.Rows {
	r := &engine.Rows{N: len(records), Attrs: make([][]uint32, len(spec.Attributes))}
	if !join {
		r.Keys, r.Values = make([][]uint64, spec.Keys), make([][]int64, spec.Values)
	}
	for _, rec := range records {
		r.Hi, r.Lo, r.Flags = append(r.Hi, rec.hi), append(r.Lo, rec.lo), append(r.Flags, rec.flags)
		for k := range r.Keys {
			r.Keys[k] = append(r.Keys[k], rec.keys[k].code)
		}
		for v := range r.Values {
			r.Values[v] = append(r.Values[v], rec.values[v])
		}
	}
	for a := range r.Attrs {
		said := func(rec record) bool { return rec.attrs[a] != engine.None }
		if slices.ContainsFunc(records, said) {
			for _, rec := range records {
				r.Attrs[a] = append(r.Attrs[a], rec.attrs[a])
			}
		}
	}
	return r
}

// read names the groups of an engine's partials.
func read(e *engine.Engine, spec *engine.Spec, how run) outcome {
	p, err := e.Close(background, how.workers)
	if err != nil {
		panic(err) // nothing cancels the background
	}
	out := outcome{visitors: p.Visitors, bounded: p.Bounded}
	for t := range spec.Tables {
		table := &spec.Tables[t]
		out.tables = append(out.tables, named(e, p.Tables[t], table.Persons, len(table.Sums)))
		parents := map[string]cell{}
		if table.Parent != nil {
			parents = named(e, p.Parents[t], table.Parent.Persons, 0)
		}
		out.parents = append(out.parents, parents)
		leaves := map[string]int64{}
		for s, l := range p.Leaves[t] {
			for i, k := range p.Tables[t].Keys {
				name := groupName(k.Event, e.PersonPairs().Unfold(k.Person, len(table.Persons)))
				for leaf := range table.Spreads[s].Leaves {
					if n := l.Between(i, leaf, leaf+1); n != 0 {
						leaves[fmt.Sprint(name, s, " ", leaf)] = n
					}
				}
			}
		}
		out.leaves = append(out.leaves, leaves)
	}
	return out
}

func named(e *engine.Engine, g *engine.Groups, persons []int, sums int) map[string]cell {
	out := map[string]cell{}
	for i, k := range g.Keys {
		c := cell{visitors: g.Visitors[i], events: g.Events[i]}
		for s := range sums {
			c.sums += fmt.Sprint(g.Sum(i, s), " ")
		}
		name := groupName(k.Event, e.PersonPairs().Unfold(k.Person, len(persons)))
		if _, double := out[name]; double || g.Find(k) != i {
			c.visitors = math.MinInt64 // two groups of one name: never equal to the twin's
		}
		out[name] = c
	}
	return out
}

// maxAbs is the most that one person can add to a sum.
func maxAbs(t *engine.Table, s engine.Sum) int64 {
	if s.Total {
		return s.Clamp.MaxAbs()
	}
	reach := max(s.Clamp.Upper-s.Centre, s.Centre-s.Clamp.Lower)
	if s.Square {
		reach *= reach
	}
	return t.Bounds.MaxPerPartition * reach
}
