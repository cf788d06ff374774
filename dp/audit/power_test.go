// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/dp/audit"
)

// alpha is the chance of a false alarm of each test here.
const alpha = 1e-8

// rounded draws Laplace noise of a scale, rounded to integers, around x. It is the law of our own noise
// from a generator with a seed.
func rounded(seed uint64, n int, x int64, scale float64) []int64 {
	r := rand.New(rand.NewPCG(seed, uint64(x)))
	out := make([]int64, n)
	for i := range out {
		z := r.ExpFloat64() * scale
		if r.IntN(2) == 0 {
			z = -z
		}
		out[i] = x + int64(math.RoundToEven(z))
	}
	return out
}

func TestAttackN07LaplaceBoundIsBelowTheClaimAndAboveAViolationOfTenPercent(t *testing.T) {
	below, above := audit.LatticeTails(0, 1)
	for seed := range uint64(20) {
		p, q := rounded(2*seed, 100_000, 0, 1), rounded(2*seed+1, 100_000, 1, 1)
		assert.LessOrEqual(t, audit.Test(p, q, below, 0, alpha).Bound, 1.0)
		assert.LessOrEqual(t, audit.Test(q, p, above, 0, alpha).Bound, 1.0)
		assert.LessOrEqual(t, audit.Search(p, q, 0, alpha).Bound, 1.0)

		p, q = rounded(2*seed, 200_000, 0, 0.9), rounded(2*seed+1, 200_000, 1, 0.9)
		assert.Greater(t, audit.Test(p, q, below, 0, alpha).Bound, 1.0, "seed %d", seed)
		assert.Greater(t, audit.Test(q, p, above, 0, alpha).Bound, 1.0, "seed %d", seed)
		// Half of the draws go into the choice.
		p, q = append(p, rounded(2*seed+1000, 200_000, 0, 0.9)...), append(q, rounded(2*seed+1001, 200_000, 1, 0.9)...)
		found := audit.Search(p, q, 0, alpha)
		assert.Greater(t, found.Bound, 1.0, "seed %d: %v", seed, found)
	}
	// Between the inputs rounding hides it.
	p, q := rounded(1, 200_000, 0, 0.9), rounded(2, 200_000, 1, 0.9)
	assert.Less(t, audit.Test(p, q, audit.Tail[int64]{At: 0}, 0, alpha).Bound, 1.0)
}

func TestSearchFindsTheEventInEitherDirectionAndOrder(t *testing.T) {
	p, q := rounded(1, 40_000, 0, 1), rounded(2, 40_000, 1, 1)
	for _, c := range []struct{ a, b []int64 }{{p, q}, {q, p}} {
		f := audit.Search(c.a, c.b, 0, 1e-3)
		assert.Greater(t, f.Bound, 0.8, "%+v", f)
		assert.LessOrEqual(t, f.Bound, 1.0, "%+v", f)
		assert.Equal(t, int64(20_000), f.Likely.Draws, "the first half is not tested")
		assert.Greater(t, f.Likely.Hits, f.Unlikely.Hits)
	}
	// Outputs that tell the input: n draws show ε up to about ln n.
	same, other := make([]int64, 1000), make([]int64, 1000)
	for i := range other {
		other[i] = 1
	}
	assert.Greater(t, audit.Search(same, other, 0, 1e-3).Bound, 4.0)
	assert.Zero(t, audit.Search(same, same, 0, 1e-3).Bound)
}

// TestSearchRaisesNoFalseAlarmOftenerThanItSays judges true claims many times at a large alpha.
func TestSearchRaisesNoFalseAlarmOftenerThanItSays(t *testing.T) {
	alarms := int64(0)
	const runs, level = 2000, 0.1
	for seed := range uint64(runs) {
		p, q := rounded(2*seed, 400, 0, 1), rounded(2*seed+1, 400, 1, 1)
		if audit.Search(p, q, 0, level).Bound > 1 {
			alarms++
		}
	}
	assert.Greater(t, audit.AtLeast(audit.Count{Hits: alarms, Draws: runs}, level), 1e-6, "%d alarms", alarms)
}
