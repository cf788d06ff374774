// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"math/bits"
	"sync"
)

// Partials are the exact, bounded accumulators of one scan. They are as sensitive as the input.
type Partials struct {
	// Visitors is the number of distinct people counted.
	Visitors int64
	Tables   []*Groups
	// Leaves holds, per table and spread, how the value is spread in each group.
	Leaves [][]*Leaves
	// Parents holds, per table, the distinct people of each parent; nil where none was asked for.
	Parents []*Groups
	// Bounded counts, per table, the people in it by what bounding took from them: at 0 nothing, otherwise
	// at the sum of what they are over.
	Bounded [][Overs]int64
}

// What bounding took from a person in a table: the bits of a place in Partials.Bounded.
const (
	// OverPartitions: the person has more groups than MaxPartitions.
	OverPartitions = 1 << iota
	// OverPerPartition: the person has more records than MaxPerPartition in a group that is kept.
	OverPerPartition
	// OverContributions: the person has more records than MaxContributions, of those that the other bounds let
	// count where these are smaller.
	OverContributions
	// Overs is how many sets of these there are.
	Overs
)

// Group identifies a group exactly: its event-level code and its person-level code.
type Group struct{ Event, Person uint64 }

// Groups is a hash table from group to accumulators. Their order is of no meaning.
type Groups struct {
	sums     int
	indexed  sync.Once
	index    []uint32 // open addressing: place + 1, 0 empty
	Keys     []Group
	Visitors []int64
	Events   []int64
	totals   []uint64 // two words per sum and group
}

func newGroups(sums int) *Groups { return &Groups{sums: sums, index: make([]uint32, 64)} }

// Len is the number of groups.
func (g *Groups) Len() int { return len(g.Keys) }

// Find returns a group's position, -1 where it is not there.
func (g *Groups) Find(k Group) int {
	g.indexed.Do(func() {
		if g.index == nil {
			g.reindex(tableSize(len(g.Keys)))
		}
	})
	mask := uint64(len(g.index) - 1)
	for at := hashGroup(k) & mask; ; at = (at + 1) & mask {
		n := g.index[at]
		if n == 0 {
			return -1
		}
		if g.Keys[n-1] == k {
			return int(n - 1)
		}
	}
}

// Sum returns sum s of group i, saturated to ±MaxSum. Saturation is a contraction: it cannot raise
// what one person changes.
func (g *Groups) Sum(i, s int) int64 {
	w := g.totals[2*(i*g.sums+s):]
	return saturate(w[0], w[1])
}

// MaxSum is where accumulated values saturate: far enough below 2^63 for noise to be added.
const MaxSum = 1 << 61

func saturate(lo, hi uint64) int64 {
	switch v := int64(lo); {
	case int64(hi) >= 0 && (hi != 0 || lo > MaxSum):
		return MaxSum
	case int64(hi) < 0 && (hi != math.MaxUint64 || v >= 0 || v < -MaxSum):
		return -MaxSum
	default:
		return v
	}
}

func hashGroup(k Group) uint64 {
	a, b := bits.Mul64(k.Event^0x9e3779b97f4a7c15, k.Person^0xd6e8feb86659fd93)
	a, b = bits.Mul64(a^k.Event, b^k.Person^0xa0761d6478bd642f)
	return a ^ b
}

// at returns the place of a group, which it makes where there is none.
func (g *Groups) at(k Group) int {
	mask := uint64(len(g.index) - 1)
	at := hashGroup(k) & mask
	for g.index[at] != 0 {
		if i := int(g.index[at] - 1); g.Keys[i] == k {
			return i
		}
		at = (at + 1) & mask
	}
	g.Keys = append(g.Keys, k)
	g.Visitors = append(g.Visitors, 0)
	g.Events = append(g.Events, 0)
	for range 2 * g.sums {
		g.totals = append(g.totals, 0)
	}
	g.index[at] = uint32(len(g.Keys))
	if len(g.Keys)*8 > len(g.index)*5 {
		g.reindex(2 * len(g.index))
	}
	return len(g.Keys) - 1
}

// tableSize is the length of an index that holds n groups: a power of two, at most 5/8 full.
func tableSize(n int) int {
	return max(64, 1<<bits.Len(uint(n*8/5)))
}

func (g *Groups) reindex(size int) {
	index := make([]uint32, size)
	mask := uint64(len(index) - 1)
	for i, k := range g.Keys {
		at := hashGroup(k) & mask
		for index[at] != 0 {
			at = (at + 1) & mask
		}
		index[at] = uint32(i + 1)
	}
	g.index = index
}

// clear empties the groups and keeps what they have allocated.
func (g *Groups) clear() {
	clear(g.index)
	g.Keys, g.Visitors, g.Events, g.totals = g.Keys[:0], g.Visitors[:0], g.Events[:0], g.totals[:0]
}

// entryWords is the length of a group with its accumulators: key, visitors, events and sums.
func (g *Groups) entryWords() int { return 4 + 2*g.sums }

// appendEntry appends group i to dst.
func (g *Groups) appendEntry(dst []uint64, i int) []uint64 {
	dst = append(dst, g.Keys[i].Event, g.Keys[i].Person, uint64(g.Visitors[i]), uint64(g.Events[i]))
	return append(dst, g.totals[2*i*g.sums:2*(i+1)*g.sums]...)
}

// addEntry adds what appendEntry wrote.
func (g *Groups) addEntry(entry []uint64) {
	i := g.at(Group{entry[0], entry[1]})
	g.Visitors[i] += int64(entry[2])
	g.Events[i] += int64(entry[3])
	for s := range g.sums {
		from, to := entry[4+2*s:], g.totals[2*(i*g.sums+s):]
		var carry uint64
		to[0], carry = bits.Add64(to[0], from[0], 0)
		to[1], _ = bits.Add64(to[1], from[1], carry)
	}
}

// boundedSum returns what a person adds to one sum: S·e/n toward zero for n records of which e
// count, the expectation of sampling e of them. S is the two-word sum of n values that are each
// inside the clamp, so the result is inside e·clamp, which must be below 2^63.
func boundedSum(lo, hi uint64, e, n int64) int64 {
	negative := int64(hi) < 0
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	// With |S| = a·n + r the result is a·e + r·e/n. No quotient overflows: |S| < n·2^63, and r < n.
	a, r := bits.Div64(hi, lo, uint64(n))
	h, l := bits.Mul64(r, uint64(e))
	q, _ := bits.Div64(h, l, uint64(n))
	q += a * uint64(e)
	if negative {
		return -int64(q)
	}
	return int64(q)
}
