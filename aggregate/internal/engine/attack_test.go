// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

// sumSpec sums one value over everybody.
func sumSpec(clamp dp.Clamp, perPartition int64, total bool) *engine.Spec {
	return &engine.Spec{Values: 1, Tables: []engine.Table{{
		Key: -1, Bounds: dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: perPartition},
		Sums: []engine.Sum{{Clamp: clamp, Total: total}},
	}}}
}

func valueRecord(person uint64, value int64) record {
	return record{hi: scramble(person), lo: person, flags: engine.Event, values: []int64{value}}
}

func TestAttackB06ClampOrder(t *testing.T) {
	repeat := func(v int64, n int) []int64 {
		var out []int64
		for range n {
			out = append(out, v)
		}
		return out
	}
	const least = math.MinInt64 + 1 // MinInt64 is NoValue
	for _, c := range []struct {
		name        string
		values      []int64
		each, total int64 // with [−10, 100] per record and at most 4 records; with [−10, 100] in total
	}{
		{"largest and smallest", []int64{math.MaxInt64, least}, 90, 0},
		{"smallest and largest", []int64{least, math.MaxInt64}, 90, 0},
		{"largest and one", []int64{math.MaxInt64, 1}, 101, 100},
		{"smallest twice", []int64{least, least}, -20, -10},
		{"upper a thousand times", repeat(100, 1000), 400, 100},
		{"lower a thousand times", repeat(-10, 1000), -40, -10},
		{"largest a thousand times", repeat(math.MaxInt64, 1000), 400, 100},
		{"the mean of a sample, toward zero", []int64{1, 1, 1, 1, 1, 2}, 4, 7},
		{"the mean of a negative sample, toward zero", []int64{-1, -1, -1, -1, -1, -2}, -4, -7},
		{"none that can be read", []int64{engine.NoValue, engine.NoValue}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for total, want := range map[bool]int64{false: c.each, true: c.total} {
				var records []record
				for _, v := range c.values {
					records = append(records, valueRecord(1, v))
				}
				groups := aggregate(sumSpec(dp.Clamp{Lower: -10, Upper: 100}, 4, total), records, run{chunk: 3, workers: 1}).tables[0]
				if c.values[0] == engine.NoValue {
					assert.Empty(t, groups)
					continue
				}
				assert.Equal(t, fmt.Sprint(want, " "), groups[groupName(0, nil)].sums, "total %v", total)
			}
		})
	}
}

func TestAttackB08OrderAndWorkersChangeNothing(t *testing.T) {
	r := generator(nil, 8)
	var spec *engine.Spec
	for spec == nil || spec.Keys < 2 || spec.Values < 2 || len(spec.Attributes) < 4 || len(spec.Tables) < 3 || len(spec.Tables[0].Sums) == 0 {
		spec = randomSpec(r)
	}
	w := newWorld(r, spec, 90)
	records := append(w.records(900), w.adversary()...)
	want := aggregate(spec, records, run{chunk: len(records), workers: 1})
	require.NotEmpty(t, want.tables[0])
	for permutation := range 100 {
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		how := run{chunk: 1 + r.IntN(len(records)/2), workers: 1 + permutation%8}
		require.Equal(t, want, aggregate(spec, records, how), "permutation %d, %+v", permutation, how)
	}
}

func TestAttackB09SumsDoNotWrap(t *testing.T) {
	const top = engine.MaxSum
	spec := sumSpec(dp.Clamp{Lower: -top, Upper: top}, 1, false)
	for _, c := range []struct {
		name       string
		up, down   int
		want, each int64
	}{
		{"three at the top", 3, 0, top, 0},
		{"a hundred at the top", 100, 0, top, 0},
		{"three at the bottom", 0, 3, -top, 0},
		{"a hundred at the bottom", 0, 100, -top, 0},
		{"a hundred each", 100, 100, 0, 0},
		{"a hundred and one against a hundred", 101, 100, top, 0},
		{"one at the bottom", 0, 1, -top, 0},
		{"one at the top", 1, 0, top, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var records []record
			for i := range c.up {
				records = append(records, valueRecord(uint64(i), math.MaxInt64))
			}
			for i := range c.down {
				records = append(records, valueRecord(uint64(1000+i), math.MinInt64+1))
			}
			rand.New(rand.NewPCG(9, 9)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			got := aggregate(spec, records, run{chunk: 10, workers: 2})
			assert.Equal(t, fmt.Sprint(c.want, " "), got.tables[0][groupName(0, nil)].sums)
			assert.Equal(t, int64(c.up+c.down), got.visitors)
		})
	}
}

// The largest bounds that a policy can write: planning refuses a sensitivity above 2^51, and the
// engine must be exact beyond it.
func TestAttackB10LargestBoundsStayExact(t *testing.T) {
	const perPartition, upper = 1_000_000_000, 1 << 32
	spec := sumSpec(dp.Clamp{Lower: -upper, Upper: upper}, perPartition, false)
	for _, sign := range []int64{1, -1} {
		var records []record
		for range 5000 {
			records = append(records, valueRecord(1, sign*math.MaxInt64))
		}
		sum := aggregate(spec, records, run{chunk: 700, workers: 1}).tables[0][groupName(0, nil)].sums
		assert.Equal(t, fmt.Sprint(sign*5000*upper, " "), sum)
	}
	tight := sumSpec(dp.Clamp{Lower: -1 << 61, Upper: 1 << 61}, 3, false)
	var records []record
	for i := range 1000 { // person 1 has a two-word total of 1000·2^61, of which 3/1000 stay
		records = append(records, valueRecord(1, math.MaxInt64), valueRecord(uint64(i%2+2), math.MinInt64+1))
	}
	// Two more people bring −3·2^61 each, so that the group comes to −3·2^61 and saturates.
	sum := aggregate(tight, records, run{chunk: 700, workers: 1}).tables[0][groupName(0, nil)].sums
	assert.Equal(t, fmt.Sprint(-engine.MaxSum, " "), sum)
}

// Half a million pairs of people share one half of their 128 bits, and all are counted.
func TestAttackD07PeopleAreToldApartBy128Bits(t *testing.T) {
	const pairs = 500_000
	spec := &engine.Spec{Tables: []engine.Table{{Key: -1, Bounds: dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: 1}}}}
	rows := &engine.Rows{N: 2 * pairs}
	for i := range uint64(pairs) {
		hi, lo := scramble(i/2), scramble(i+1<<40)
		if i%2 == 0 {
			rows.Hi, rows.Lo = append(rows.Hi, hi, hi), append(rows.Lo, lo, lo^1<<63)
		} else {
			rows.Hi, rows.Lo = append(rows.Hi, hi, hi^1), append(rows.Lo, lo, lo)
		}
		rows.Flags = append(rows.Flags, engine.Event, engine.Event)
	}
	e := engine.New(*spec)
	w := e.Worker()
	must(w.Add(rows, false))
	must(w.Add(rows, false))
	must(w.Flush())
	p, err := e.Close(background, 2)
	require.NoError(t, err)
	assert.Equal(t, int64(2*pairs), p.Visitors)
	assert.Equal(t, []int64{2 * pairs}, p.Tables[0].Visitors)
}

func TestAttackD10PeopleAreCountedNotRows(t *testing.T) {
	spec := plainSpec(1, 10)
	var records []record
	for i := range 1000 {
		records = append(records, plainRecord(1, 2, 7, uint32(1+i%2), 5))
	}
	got := aggregate(spec, records, run{chunk: 100, workers: 2})
	require.Len(t, got.tables[0], 1)
	for _, c := range got.tables[0] {
		assert.Equal(t, cell{visitors: 1, events: 10, sums: "50 "}, c)
	}
	assert.Equal(t, int64(1), got.visitors)
}

func TestCloseReturnsNothingWhereItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	p, err := engine.New(engine.Spec{}).Close(ctx, 2)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, p)
}

func TestPairsTellTuplesApart(t *testing.T) {
	var p engine.Pairs
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 6 {
		seen := map[uint64][]uint32{}
		for range 2000 {
			codes := make([]uint32, n)
			for i := range codes {
				codes[i] = uint32(r.IntN(6))
				if r.IntN(20) == 0 {
					codes[i] = math.MaxInt32 - codes[i]
				}
			}
			folded := p.Fold(codes...)
			require.NotEqual(t, engine.NoKey, folded)
			require.Equal(t, codes, p.Unfold(folded, n))
			if old, ok := seen[folded]; ok {
				require.Equal(t, old, codes)
			}
			seen[folded] = codes
		}
	}
}
