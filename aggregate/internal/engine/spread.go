// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"slices"
)

// Leaves is how many records of each group of a table lie in each leaf of a spread.
type Leaves struct {
	groups []span // by the group's place among the table's
	leaves []uint32
	until  []int64 // how many records of the group lie in its leaves up to this one
}

// span is where a group's leaves begin and end.
type span struct{ start, end int }

// Between returns how many records of group i lie in leaves from first to before the one behind. A group of
// place −1 has none.
func (l *Leaves) Between(i int, first, behind uint32) int64 {
	if i < 0 {
		return 0
	}
	s := l.groups[i]
	before := func(leaf uint32) int64 {
		at, _ := slices.BinarySearch(l.leaves[s.start:s.end], leaf)
		if at == 0 {
			return 0
		}
		return l.until[s.start+at-1]
	}
	return before(behind) - before(first)
}

// spread adds e of a person's records in one group to its leaves. The last of their person-level codes is that of the
// leaf.
func (c *closer) spread(b *bucket, t int, event uint64, acc []uint64, e int64) {
	table := &c.e.closing[t]
	n := len(table.Spreads)
	if n == 0 {
		return
	}
	records := int64(acc[0])
	words := acc[len(acc)-n:]
	for s, word := range words {
		b.votes.middles(word, records, e, func(code uint32, count int64) {
			g, i := c.spreads[t][s].at(Group{event, c.e.pairs.Fold(append(c.person, code)...)})
			g.Visitors[i] += count
		})
	}
}

// middles calls add for those of n votes that are in the middle of e equal parts of them, in the order of their
// codes: votes number (2j+1)·n / 2e for each j below e, from 0, rounded down. Where e is n these are all.
func (a *arena) middles(word uint64, n, e int64, add func(code uint32, count int64)) {
	one := [1]uint64{word}
	list := one[:]
	if word&listFlag != 0 {
		list = a.merged(int(word &^ listFlag))
	}
	// n is below 2^32 and e at most 10^9, so that no product overflows.
	var seen, taken int64
	for _, w := range list {
		seen += int64(uint32(w))
		// As many j have their vote before seen as have (2j+1)·n < 2e·seen.
		until := min(e, (2*e*seen-n+2*n-1)/(2*n))
		if until > taken {
			add(uint32(w>>32), until-taken)
			taken = until
		}
	}
}

// leaves sorts what was collected by the groups of a table. Groups that the table does not have are left out.
func (e *Engine) leaves(table, found *Groups, persons int) *Leaves {
	type entry struct {
		group int
		leaf  uint32
		count int64
	}
	var all []entry
	for i, k := range found.Keys {
		codes := e.pairs.Unfold(k.Person, persons+1)
		if at := table.Find(Group{k.Event, e.pairs.Fold(codes[:persons]...)}); at >= 0 {
			all = append(all, entry{at, codes[persons] - 1, found.Visitors[i]})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.leaf, b.leaf)) })
	l := &Leaves{groups: make([]span, table.Len())}
	var until int64
	for i, one := range all {
		if i == 0 || all[i-1].group != one.group {
			until, l.groups[one.group].start = 0, i
		}
		until += one.count
		l.leaves, l.until = append(l.leaves, one.leaf), append(l.until, until)
		l.groups[one.group].end = i + 1
	}
	return l
}
