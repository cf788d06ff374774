// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestAttackN04AReleaseTakesWholeSlots: when a result comes tells nothing finer than a slot of how long its noise took
// to draw. Nothing here looks at a clock: what is left of a slot is computed, and waited for once, at the end.
func TestAttackN04AReleaseTakesWholeSlots(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ slot, taken, rest time.Duration }{
		{0, 30 * ms, 70 * ms}, {0, 100 * ms, 0}, {0, 101 * ms, 99 * ms}, {0, 1234567 * time.Microsecond, 65433 * time.Microsecond},
		{time.Second, 2500 * ms, 500 * ms}, {-1, 30 * ms, 0},
	} {
		assert.Equal(t, c.rest, aggregate.RestOfSlot(&aggregate.Runner{Slot: c.slot}, c.taken), "%v after %v", c.slot, c.taken)
	}

	j := newJob(t, attackTables["courses"])
	w := crowd(1, 50)
	rec := mechanismtest.New(mechanismtest.Zero)
	var waits []time.Duration
	drawn := 0
	ctx := seam.With(t.Context(), seam.Hooks{Mechanism: rec, Wait: func(_ context.Context, d time.Duration) error {
		waits, drawn = append(waits, d), len(rec.Calls())
		return nil
	}})
	_, err := (&aggregate.Runner{Slot: time.Hour}).Run(ctx, j.policy, j.release, w.inputs(t))
	require.NoError(t, err)
	require.Len(t, waits, 1)
	assert.Less(t, waits[0], time.Hour)
	assert.Positive(t, waits[0])
	assert.Equal(t, len(rec.Calls()), drawn, "nothing is drawn after it")

	cancelled := seam.With(t.Context(), seam.Hooks{Mechanism: rec, Wait: func(context.Context, time.Duration) error { return context.Canceled }})
	res, err := (&aggregate.Runner{}).Run(cancelled, j.policy, j.release, w.inputs(t))
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, res)
}

// TestAttackN04TimeTellsNothingOfNoise times 2000 releases: of independent numbers |r| is above 6/√2000 with probability
// 2e-9. In a sampler's own time it is about 0.4.
func TestAttackN04TimeTellsNothingOfNoise(t *testing.T) {
	if os.Getenv("THRONG_NIGHTLY") != "1" {
		t.Skip("nightly")
	}
	const releases, at = 2000, 8
	j := newJob(t, `
  - name: wide
    group_by: [gender, age, activity, channel]
    bounds: {max_partitions: 3, max_per_partition: 100}
    statistics: [visitors, events]
`, "MODE", "noisy")
	w := crowd(4, 20)
	var sizes, times [releases]float64
	var wg sync.WaitGroup
	for first := range at {
		wg.Go(func() {
			for i := first; i < releases; i += at {
				rec := mechanismtest.New(mechanismtest.Live)
				ctx := seam.With(t.Context(), seam.Hooks{Mechanism: rec, Plans: &plans})
				begin := time.Now()
				_, err := (&aggregate.Runner{Workers: 1}).Run(ctx, j.policy, j.release, w.inputs(t))
				times[i] = time.Since(begin).Seconds()
				assert.NoError(t, err)
				for _, c := range rec.Calls() {
					if c.Operation == mechanismtest.AddNoise {
						sizes[i] += math.Abs(float64(c.Output-c.Input)) / c.Scale
					}
				}
			}
		})
	}
	wg.Wait()
	r := correlation(sizes[:], times[:])
	t.Logf("r = %.3f", r)
	assert.Less(t, math.Abs(r), 6/math.Sqrt(releases))
}

// correlation is Pearson's.
func correlation(x, y []float64) float64 {
	mean := func(all []float64) (m float64) {
		for _, v := range all {
			m += v / float64(len(all))
		}
		return m
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
