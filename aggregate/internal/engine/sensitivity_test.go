// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
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
	var changed int64
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
		}
		before := old.numbers(len(table.Sums))
		for s, sum := range c.numbers(len(table.Sums)) {
			bound := big.NewInt(maxAbs(table, table.Sums[s]))
			require.LessOrEqual(t, sum.Sub(sum, before[s]).CmpAbs(bound), 0, "sum %d", s)
		}
	}
	require.LessOrEqual(t, changed, l0, "groups changed")
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
			Bounds: dp.ContributionBounds{MaxPartitions: partitions, MaxPerPartition: perPartition},
			Sums:   []engine.Sum{{Value: 0, Clamp: dp.Clamp{Lower: -100, Upper: 100}}},
			Parent: &engine.Parent{Event: func(code uint64) uint64 { return code % 4 }},
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
