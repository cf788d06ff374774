// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

// The hot loop in pieces, on one goroutine: scatter packs rows by bucket and gathers them; fold bounds and
// accumulates what was gathered, in one pass per bucket; merge finishes people, adds groups up and drops
// the small ones. In a release buckets are folded many times, whenever their rows are as many as their
// people, which is what the whole shows.
const (
	benchRows   = 1 << 20
	benchPeople = benchRows / 10
	benchBatch  = 2048
)

// benchSpec has one table of L0 groups, of which there are many or few, with a sum.
func benchSpec(l0 int64) *engine.Spec {
	return &engine.Spec{
		Keys: 1, Values: 1, Seed: [2]uint64{1, 2},
		HashKeys: func(_ int, hashes, codes []uint64) {
			for i, c := range codes {
				hashes[i] = scramble(c)
			}
		},
		CompareKeys: func(_ int, a, b uint64) int { return compareCodes(a, b) },
		Tables: []engine.Table{{
			Key: 0, Events: true, Floor: 20, Bounds: dp.ContributionBounds{MaxPartitions: l0, MaxPerPartition: 5},
			Sums: []engine.Sum{{Value: 0, Clamp: dp.Clamp{Upper: 600}}},
		}},
	}
}

// benchBatches are rows of unequally active people.
func benchBatches(groups int) []engine.Rows {
	r := rand.New(rand.NewPCG(1, 1))
	var batches []engine.Rows
	for range benchRows / benchBatch {
		b := engine.Rows{
			N: benchBatch, Hi: make([]uint64, benchBatch), Lo: make([]uint64, benchBatch), Flags: make([]uint32, benchBatch),
			Keys: [][]uint64{make([]uint64, benchBatch)}, Values: [][]int64{make([]int64, benchBatch)},
		}
		for i := range benchBatch {
			person := uint64(math.Pow(r.Float64(), 1.5) * benchPeople)
			b.Hi[i], b.Lo[i], b.Flags[i] = scramble(person), scramble(person+1<<40), engine.Event
			b.Keys[0][i], b.Values[0][i] = uint64(r.IntN(groups)), int64(r.IntN(700))
		}
		batches = append(batches, b)
	}
	return batches
}

func BenchmarkPieces(b *testing.B) {
	for _, c := range []struct {
		name   string
		l0     int64
		groups int
	}{{"few", 3, 100}, {"many", 3, 50_000}, {"wide", 30, 50_000}} {
		batches := benchBatches(c.groups)
		add := func(e *engine.Engine) {
			w := e.Worker()
			for i := range batches {
				require.NoError(b, w.Add(&batches[i], false))
			}
			require.NoError(b, w.Flush())
		}
		// piece times one part, after what has to come before it.
		piece := func(name string, before, timed func(e *engine.Engine)) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					b.StopTimer()
					e := engine.New(*benchSpec(c.l0))
					if name != "whole" {
						e.Gather(math.MaxInt, math.MaxInt)
					}
					before(e)
					b.StartTimer()
					timed(e)
					b.StopTimer()
					require.NoError(b, e.Discard())
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
			})
		}
		closeIt := func(e *engine.Engine) {
			_, err := e.Close(background, 1)
			require.NoError(b, err)
		}
		nothing := func(*engine.Engine) {}
		piece("scatter", nothing, add)
		piece("fold", add, (*engine.Engine).FoldAll)
		piece("merge", func(e *engine.Engine) { add(e); e.FoldAll() }, closeIt)
		piece("whole", nothing, func(e *engine.Engine) { add(e); closeIt(e) })
	}
}
