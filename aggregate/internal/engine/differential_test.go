// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

// compareWithTwin draws a spec, records and a way to run them, and wants the twin's outcome.
func compareWithTwin(t *testing.T, r *rand.Rand, maxPeople, maxRecords int) {
	spec := randomSpec(r)
	w := newWorld(r, spec, 1+r.IntN(maxPeople))
	records := w.records(r.IntN(maxRecords))
	if r.IntN(4) == 0 {
		records = append(records, w.adversary()...)
	}
	how := run{chunk: 1 + r.IntN(300), workers: 1 + r.IntN(3), room: 1 + r.IntN(20), gather: 1 + r.IntN(40)}
	if r.IntN(4) == 0 {
		how.limit = 1 + r.Int64N(1<<22)
	}
	require.Equal(t, twin(spec, records), aggregate(spec, records, how))
}

// worlds is a third of n, and n with THRONG_NIGHTLY=1.
func worlds(n uint64) uint64 {
	if os.Getenv("THRONG_NIGHTLY") == "1" {
		return n
	}
	return n / 3
}

func TestEngineEqualsItsNaiveTwin(t *testing.T) {
	for seed := range worlds(600) {
		compareWithTwin(t, generator(nil, seed), 40, 600)
	}
}

func TestEngineEqualsItsNaiveTwinWithManyPeople(t *testing.T) {
	for seed := range uint64(8) {
		compareWithTwin(t, generator(nil, 1_000_000+seed), 3000, 20_000)
	}
}

func FuzzEngineEqualsItsNaiveTwin(f *testing.F) {
	f.Add([]byte{}, uint64(1))
	f.Add([]byte("\x02\x00\x02\x00some bytes that decide on the spec and the first rows"), uint64(2))
	f.Add(make([]byte, 200), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		compareWithTwin(t, generator(data, seed), 20, 200)
	})
}

func TestTiesOfPriorityAreBrokenByTheOrderOfLabels(t *testing.T) {
	spec := &engine.Spec{
		Keys: 1, Tables: []engine.Table{{Key: 0}}, Seed: [2]uint64{3, 4},
		CompareKeys: func(_ int, a, b uint64) int { return compareCodes(a, b) },
	}
	spec.Tables[0].Bounds.MaxPartitions = 3
	var records []record
	best := map[uint64]bool{}
	for code := range uint64(12) {
		records = append(records, record{hi: 5, lo: 6, flags: engine.Event, keys: []key{{code, 77}}})
		smaller := 0
		for other := range uint64(12) {
			if scramble(other) < scramble(code) {
				smaller++
			}
		}
		best[code] = smaller < 3
	}
	for seed := range uint64(50) {
		r := generator(nil, seed)
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		groups := aggregate(spec, records, run{chunk: 1, workers: 1}).tables[0]
		require.Len(t, groups, 3)
		for code, want := range best {
			_, kept := groups[groupName(code, nil)]
			require.Equal(t, want, kept, "group %d", code)
		}
	}
}

func TestEngineEqualsItsNaiveTwinWhereEverythingIsSpilled(t *testing.T) {
	for seed := range uint64(60) {
		r := generator(nil, 2_000_000+seed)
		spec := randomSpec(r)
		w := newWorld(r, spec, 1+r.IntN(30))
		records := append(w.records(r.IntN(2000)), w.adversary()...)
		how := run{chunk: 50, workers: 2, room: 3, gather: 5, limit: 1}
		require.Equal(t, twin(spec, records), aggregate(spec, records, how))
	}
}
