// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

// numbers returns the n sums of a cell, zeros where there is none.
func (c cell) numbers(n int) []*big.Int {
	out := make([]*big.Int, n)
	fields := strings.Fields(c.sums)
	for i := range out {
		out[i] = new(big.Int)
		if len(fields) > 0 {
			out[i].SetString(fields[i], 10)
		}
	}
	return out
}

// requireBounded fails where two outcomes differ by more than one person may make them.
func requireBounded(t *testing.T, spec *engine.Spec, with, without outcome) {
	require.Contains(t, []int64{0, 1}, with.visitors-without.visitors, "visitors of the whole")
	for i := range spec.Tables {
		table := &spec.Tables[i]
		parents := int64(1)
		if table.Parent != nil && table.Parent.Event != nil {
			parents = table.Bounds.MaxPartitions
		}
		requireBoundedTable(t, table, table.Bounds.MaxPartitions, with.tables[i], without.tables[i])
		requireBoundedTable(t, table, parents, with.parents[i], without.parents[i])
		requireBoundedLeaves(t, table, with.leaves[i], without.leaves[i])
		var more int64
		for j, n := range with.bounded[i] {
			require.GreaterOrEqual(t, n, without.bounded[i][j], "people by what bounding took")
			more += n - without.bounded[i][j]
		}
		require.LessOrEqual(t, more, int64(1), "a person is in one place")
	}
}

func requireBoundedTable(t *testing.T, table *engine.Table, l0 int64, with, without map[string]cell) {
	for name := range without {
		require.Contains(t, with, name, "a group went away when a person came")
	}
	var changed, events int64
	squares, sums := new(big.Int), make([]*big.Int, len(table.Sums))
	for s := range sums {
		sums[s] = new(big.Int)
	}
	for name, c := range with {
		old := without[name]
		if c == old {
			continue
		}
		changed++
		require.Equal(t, int64(1), c.visitors-old.visitors, "visitors of one group")
		if table.Events {
			require.LessOrEqual(t, c.events-old.events, table.Bounds.MaxPerPartition)
			require.GreaterOrEqual(t, c.events, old.events)
			events += c.events - old.events
			square := big.NewInt(c.events - old.events)
			squares.Add(squares, square.Mul(square, square))
		}
		before := old.numbers(len(table.Sums))
		for s, sum := range c.numbers(len(table.Sums)) {
			bound := big.NewInt(maxAbs(table, table.Sums[s]))
			require.LessOrEqual(t, sum.Sub(sum, before[s]).CmpAbs(bound), 0, "sum %d", s)
			sums[s].Add(sums[s], sum.Abs(sum))
		}
	}
	require.LessOrEqual(t, changed, l0, "groups changed")
	requireTotals(t, table, events, squares, sums)
}

// requireTotals fails where one person changes more in all groups together than a bound on that lets them.
func requireTotals(t *testing.T, table *engine.Table, events int64, squares *big.Int, sums []*big.Int) {
	all, each := table.Bounds.MaxContributions, table.Bounds.MaxPerPartition
	if all == 0 {
		return
	}
	require.LessOrEqual(t, events, all, "l1 of events")
	full, rest := all/each, all%each
	if full >= table.Bounds.MaxPartitions {
		full, rest = table.Bounds.MaxPartitions, 0
	}
	require.LessOrEqual(t, squares.Cmp(big.NewInt(full*each*each+rest*rest)), 0, "l2 of events: %s", squares)
	for s, sum := range sums {
		if !table.Sums[s].Total {
			one := maxAbs(table, table.Sums[s]) / each
			require.LessOrEqual(t, sum.Cmp(new(big.Int).Mul(big.NewInt(one), big.NewInt(all))), 0, "l1 of sum %d", s)
		}
	}
}

// requireBoundedLeaves fails where a person takes away from a leaf, or adds more records to all of a spread's than the
// bounds have.
func requireBoundedLeaves(t *testing.T, table *engine.Table, with, without map[string]int64) {
	var more int64
	for leaf, n := range without {
		require.GreaterOrEqual(t, with[leaf], n, "records of a leaf")
		more -= n
	}
	for _, n := range with {
		more += n
	}
	each := table.Bounds.MaxPartitions * table.Bounds.MaxPerPartition
	if all := table.Bounds.MaxContributions; all > 0 {
		each = min(each, all)
	}
	require.LessOrEqual(t, more, int64(len(table.Spreads))*each)
}

func TestAttackB01Sensitivity(t *testing.T) {
	for seed := range uint64(300) {
		r := generator(nil, 2_000_000+seed)
		spec := randomSpec(r)
		w := newWorld(r, spec, 1+r.IntN(20))
		others, target := w.records(r.IntN(60)), w.adversary()
		how := run{chunk: 1 + r.IntN(200), workers: 1 + r.IntN(2)}
		all := append(append([]record{}, target...), others...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		requireBounded(t, spec, aggregate(spec, all, how), aggregate(spec, others, how))
	}
}

// plainSpec counts everything there is about one key and two values.
func plainSpec(partitions, perPartition int64) *engine.Spec {
	return &engine.Spec{
		Keys: 1, Values: 1, Seed: [2]uint64{11, 12},
		HashKeys: func(_ int, hashes, codes []uint64) {
			for i, c := range codes {
				hashes[i] = scramble(c)
			}
		},
		CompareKeys: func(_ int, a, b uint64) int { return compareCodes(a, b) },
		Attributes: []engine.Attribute{{
			Unknown: 1, Compare: func(a, b uint32) int { return compareCodes(uint64(a), uint64(b)) },
		}},
		Tables: []engine.Table{{
			Key: 0, Persons: []int{0}, Events: true,
			Bounds:  dp.ContributionBounds{MaxPartitions: partitions, MaxPerPartition: perPartition},
			Sums:    []engine.Sum{{Value: 0, Clamp: dp.Clamp{Lower: -100, Upper: 100}}},
			Spreads: []engine.Spread{{Value: 0, Clamp: dp.Clamp{Lower: -100, Upper: 100}, Leaves: 20}},
			Parent:  &engine.Parent{Event: func(code uint64) uint64 { return code % 4 }},
		}},
	}
}

func plainRecord(hi, lo, code uint64, label uint32, value int64) record {
	return record{
		hi: hi, lo: lo, flags: engine.Event, attrs: []uint32{label},
		keys: []key{{code, scramble(code)}}, values: []int64{value},
	}
}

// Everybody is in one bucket, and their number passes every size at which its tables, lists and
// groups grow. The partials of a crowd and one more are those of the crowd plus those of the one.
func TestAttackB03CapacityCouplesNobody(t *testing.T) {
	spec := plainSpec(5, 3)
	one := run{chunk: 1 << 20, workers: 1}
	var crowd, person []record
	for i := range uint64(40) {
		person = append(person, plainRecord(1<<20, 9, i%17, uint32(1+i%11), int64(i)))
	}
	alone := aggregate(spec, person, one)
	for people := range uint64(140) {
		want := plus(aggregate(spec, crowd, one), alone)
		require.Equal(t, want, aggregate(spec, append(person[:len(person):len(person)], crowd...), one), "%d others first", people)
		require.Equal(t, want, aggregate(spec, append(crowd[:len(crowd):len(crowd)], person...), one), "%d others last", people)
		for i := range 1 + people%19 {
			crowd = append(crowd, plainRecord(people, 9, people*7+i, uint32(1+i), int64(people)))
		}
	}
}

// plus adds the outcomes of people who are not in both.
func plus(a, b outcome) outcome {
	sum := outcome{visitors: a.visitors + b.visitors}
	for i := range a.tables {
		sum.tables = append(sum.tables, plusCells(a.tables[i], b.tables[i]))
		sum.parents = append(sum.parents, plusCells(a.parents[i], b.parents[i]))
		both := a.bounded[i]
		for j, n := range b.bounded[i] {
			both[j] += n
		}
		sum.bounded = append(sum.bounded, both)
		leaves := maps.Clone(a.leaves[i])
		for leaf, n := range b.leaves[i] {
			leaves[leaf] += n
		}
		sum.leaves = append(sum.leaves, leaves)
	}
	return sum
}

func plusCells(a, b map[string]cell) map[string]cell {
	sum := map[string]cell{}
	for _, from := range []map[string]cell{a, b} {
		for name, c := range from {
			old := sum[name]
			total := cell{visitors: old.visitors + c.visitors, events: old.events + c.events}
			if n := len(strings.Fields(c.sums)); n > 0 {
				for i, v := range c.numbers(n) {
					total.sums += fmt.Sprint(v.Add(v, old.numbers(n)[i]), " ")
				}
			}
			sum[name] = total
		}
	}
	return sum
}

// The leaves of a spread cut the clamp into parts whose lengths differ by one step at most.
func TestLeavesCutTheClampEvenly(t *testing.T) {
	for _, s := range []engine.Spread{
		{Clamp: dp.Clamp{Lower: 0, Upper: 9}, Leaves: 10},
		{Clamp: dp.Clamp{Lower: -7, Upper: 92}, Leaves: 8},
		{Clamp: dp.Clamp{Lower: -1 << 40, Upper: 1 << 40}, Leaves: 4096},
		{Clamp: dp.Clamp{Lower: 5, Upper: 6}, Leaves: 1},
	} {
		steps := s.Clamp.Upper - s.Clamp.Lower + 1
		for leaf := range s.Leaves {
			first, next := s.First(leaf), s.First(leaf+1)
			require.Equal(t, leaf, s.Leaf(first))
			require.Equal(t, leaf, s.Leaf(next-1))
			require.LessOrEqual(t, next-first, steps/int64(s.Leaves)+1)
			require.GreaterOrEqual(t, next-first, steps/int64(s.Leaves))
		}
		require.Equal(t, s.Clamp.Lower, s.First(0))
		require.Equal(t, s.Clamp.Upper+1, s.First(s.Leaves))
		require.Equal(t, uint32(0), s.Leaf(s.Clamp.Lower-1))
		require.Equal(t, s.Leaves-1, s.Leaf(s.Clamp.Upper+1))
	}
}
