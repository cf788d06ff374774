// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/audit"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
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

// nightly says that there is time for the smallest violations.
func nightly() bool { return os.Getenv("THRONG_NIGHTLY") == "1" }

// draws takes n outputs of live noise around x.
func draws(t *testing.T, n int, noise mechanism.Noise, x int64) []int64 {
	t.Helper()
	live := mechanism.Live()
	out := make([]int64, n)
	for i := range out {
		v, err := live.AddNoise(mechanism.Site{}, noise, x)
		require.NoError(t, err)
		out[i] = v
	}
	return out
}

func laplace(t *testing.T, scale float64) mechanism.Noise {
	t.Helper()
	n, err := mechanism.NewLaplace(scale, 1, 1)
	require.NoError(t, err)
	return n
}

func TestAttackN07LiveLaplaceNoiseKeepsItsClaim(t *testing.T) {
	below, _ := audit.LatticeTails(7, 8)
	honest := laplace(t, 1)
	f := audit.Test(draws(t, 100_000, honest, 7), draws(t, 100_000, honest, 8), below, 0, alpha)
	assert.LessOrEqual(t, f.Bound, 1.0)
	assert.Greater(t, f.Bound, 0.9, "the test sees something")

	n, scale := 40_000, 0.8
	if nightly() {
		n, scale = 200_000, 0.9
	}
	planted := laplace(t, scale)
	f = audit.Test(draws(t, n, planted, 7), draws(t, n, planted, 8), below, 0, alpha)
	assert.Greater(t, f.Bound, 1.0, "a planted violation: %+v", f)
}

// muBound tests Gaussian noise of which 0 becomes delta, by the event that the output is nearer to delta.
func muBound(t *testing.T, n int, sigma float64, delta int64) float64 {
	t.Helper()
	noise, err := mechanism.NewGaussian(sigma, 1, delta)
	require.NoError(t, err)
	event := audit.Tail[int64]{At: delta / 2, Above: true}
	return audit.Mu(event.Count(draws(t, n, noise, delta)), event.Count(draws(t, n, noise, 0)), alpha)
}

func TestAttackN07LiveGaussianNoiseKeepsItsMu(t *testing.T) {
	n, delta, sigma := 60_000, int64(1001), 1001.0 // μ = 1
	if nightly() {
		// ε = 0.5 and δ = 1e-5, where a violation of 10 % needs the most draws.
		n, sigma = 2_200_000, float64(delta)/audit.GaussianMu(0.5, 1e-5)
	}
	claim := float64(delta) / sigma
	assert.LessOrEqual(t, muBound(t, n, sigma, delta), claim)
	assert.Greater(t, muBound(t, n, 0.9*sigma, delta), claim, "a planted violation of 10 %%")
}

// zeroShare draws the event that the displayed share of women is 0, where there are some women and 1000 men.
func zeroShare(t *testing.T, n int, scale float64, women int64) audit.Count {
	t.Helper()
	noise := laplace(t, scale)
	part := estimate.Count{Law: noise, ShownAt: estimate.AlwaysShown}
	parts, err := estimate.NewPartShares([]estimate.Count{part, part}, 0.05)
	require.NoError(t, err)
	live, c := mechanism.Live(), audit.Count{Draws: int64(n)}
	for range n {
		w, err := live.AddNoise(mechanism.Site{}, noise, women)
		require.NoError(t, err)
		m, err := live.AddNoise(mechanism.Site{}, noise, 1000)
		require.NoError(t, err)
		shares, ok := parts.Estimate([]int64{w, m})
		require.True(t, ok)
		if estimate.RoundDecimal(shares[0].Display, 1).Float64() == 0 {
			c.Hits++
		}
	}
	return c
}

// TestAttackN07ShareKeepsItsClaim looks at what is displayed. The event holds the input itself, so that it
// sees less of ε than a lattice tail does, and the planted violation is a larger one.
func TestAttackN07ShareKeepsItsClaim(t *testing.T) {
	const n = 10_000
	honest := audit.Epsilon(zeroShare(t, n, 1, 0), zeroShare(t, n, 1, 1), 0, alpha)
	assert.LessOrEqual(t, honest, 1.0)
	assert.Greater(t, honest, 0.4, "the test sees something")
	assert.Greater(t, audit.Epsilon(zeroShare(t, n, 0.5, 0), zeroShare(t, n, 0.5, 1), 0, alpha), 1.0)
}
