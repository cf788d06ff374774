// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/dp/audit"
)

// exactLower are lower bounds by 60-digit sums of binomial probabilities.
var exactLower = []struct {
	hits, draws int64
	alpha, want float64
}{
	{1, 10, 0.025, 0.0025285785444617845},
	{5, 10, 0.025, 0.18708602844739853},
	{10, 10, 0.025, 0.69150289218123918},
	{50, 100, 5e-9, 0.23204437501121263},
	{3, 100_000, 5e-9, 3.1096799062415642e-8},
	{31_000, 100_000, 5e-9, 0.30165654572369540},
	{690_000, 1_000_000, 5e-9, 0.68734487296500721},
	{3_000_000, 10_000_000, 5e-10, 0.29911511749840278},
	{500_000, 500_000, 5e-9, 0.99996177307481850},
}

func TestBoundsAreThoseOfClopperAndPearsonRoundedOutward(t *testing.T) {
	for _, c := range exactLower {
		low := audit.Lower(audit.Count{Hits: c.hits, Draws: c.draws}, c.alpha)
		assert.LessOrEqual(t, low, c.want, "%d of %d", c.hits, c.draws)
		assert.InEpsilon(t, c.want, low, 2e-6, "%d of %d", c.hits, c.draws)
		high := audit.Upper(audit.Count{Hits: c.draws - c.hits, Draws: c.draws}, c.alpha)
		assert.GreaterOrEqual(t, high, 1-c.want, "the mirror of %d of %d", c.hits, c.draws)
		assert.InDelta(t, 1-c.want, high, 2e-6*c.want, "the mirror of %d of %d", c.hits, c.draws)
	}
	// All of n hits: alpha^(1/n), and 1 - alpha^(1/n) for none.
	assert.InEpsilon(t, math.Pow(0.01, 1.0/7), audit.Lower(audit.Count{Hits: 7, Draws: 7}, 0.01), 1e-6)
	assert.InEpsilon(t, 1-math.Pow(0.01, 1.0/7), audit.Upper(audit.Count{Draws: 7}, 0.01), 1e-6)
}

func TestTailProbabilitiesAreExactAndRoundedUp(t *testing.T) {
	for _, c := range []struct {
		hits, draws int64
		p, want     float64
	}{
		{31_500, 100_000, 0.31, 0.000323934540049507},
		{3_010_000, 10_000_000, 0.3, 2.63382518095479e-12},
		{9_970_000, 10_000_000, 0.9966, 3.11655760337969e-109},
		{2, 3, 0.5, 0.5},
		{3, 3, 0.1, 0.001},
	} {
		got := audit.AtLeast(audit.Count{Hits: c.hits, Draws: c.draws}, c.p)
		assert.GreaterOrEqual(t, got, c.want)
		assert.InEpsilon(t, c.want, got, 2e-6)
		mirror := audit.AtMost(audit.Count{Hits: c.draws - c.hits, Draws: c.draws}, 1-c.p)
		assert.GreaterOrEqual(t, mirror, c.want*(1-1e-9))
		assert.InEpsilon(t, c.want, mirror, 2e-6)
	}
	assert.Equal(t, 1.0, audit.AtLeast(audit.Count{Draws: 5}, 0))
	assert.Zero(t, audit.AtLeast(audit.Count{Hits: 1, Draws: 5}, 0), "what is impossible refutes at once")
	assert.Zero(t, audit.AtMost(audit.Count{Hits: 4, Draws: 5}, 1))
}

func TestWhatHasNoMeaningSaysNothing(t *testing.T) {
	for _, c := range []audit.Count{{}, {Hits: 2, Draws: 1}, {Hits: -1, Draws: 5}, {Hits: 1, Draws: 1 << 40}} {
		assert.Zero(t, audit.Lower(c, 0.1))
		assert.Equal(t, 1.0, audit.Upper(c, 0.1))
		assert.Equal(t, 1.0, audit.AtLeast(c, 0.1))
		assert.Equal(t, 1.0, audit.AtMost(c, 0.1))
		assert.Zero(t, audit.Epsilon(c, c, 0, 0.1))
		assert.Zero(t, audit.Mu(c, c, 0.1))
	}
	good := audit.Count{Hits: 90, Draws: 100}
	for _, bad := range []float64{math.NaN(), 0, 1, -1, 2, math.Inf(1)} {
		assert.Zero(t, audit.Lower(good, bad))
		assert.Equal(t, 1.0, audit.Upper(audit.Count{Hits: 9, Draws: 100}, bad))
	}
	for _, bad := range []float64{math.NaN(), -0.1, 1} {
		assert.Zero(t, audit.Epsilon(good, audit.Count{Draws: 100}, bad, 0.1))
	}
	assert.Zero(t, audit.Search[int64](nil, nil, 0, 0.1).Bound)
	assert.Zero(t, audit.Search([]int64{1}, nil, 0, 0.1).Bound)
}

func TestEpsilonSubtractsDeltaAndSplitsAlpha(t *testing.T) {
	p, q := audit.Count{Hits: 7000, Draws: 10_000}, audit.Count{Hits: 2000, Draws: 10_000}
	want := math.Log((audit.Lower(p, 0.005) - 0.1) / audit.Upper(q, 0.005))
	assert.InDelta(t, want, audit.Epsilon(p, q, 0.1, 0.01), 1e-12)
	assert.LessOrEqual(t, audit.Epsilon(p, q, 0.1, 0.01), want)
	assert.Zero(t, audit.Epsilon(q, p, 0, 0.01), "the other order shows nothing")
	assert.Zero(t, audit.Epsilon(p, q, 0.6, 0.01), "all of it may be δ")
}

func TestLatticeTailsLieBeyondBothInputs(t *testing.T) {
	below, above := audit.LatticeTails(5, 4)
	assert.Equal(t, "{out ≤ 3} {out ≥ 6}", below.String()+" "+above.String())
	assert.True(t, below.Has(3) && !below.Has(4) && above.Has(6) && !above.Has(5))
	below, above = audit.LatticeTails(math.MinInt64, math.MaxInt64)
	assert.Equal(t, int64(math.MinInt64), below.At)
	assert.Equal(t, int64(math.MaxInt64), above.At)
}

func TestGaussianConversions(t *testing.T) {
	// Φ(-1/2) - e·Φ(-3/2) and 2·Φ(1/2) - 1.
	assert.InEpsilon(t, 0.12693673750664397, audit.GaussianDelta(1, 1), 1e-13)
	assert.InEpsilon(t, 0.38292492254802624, audit.GaussianDelta(1, 0), 1e-13)
	for _, mu := range []float64{0.05, 0.3, 1, 4} {
		for _, delta := range []float64{1e-3, 1e-6, 1e-9} {
			epsilon := audit.GaussianEpsilon(mu, delta)
			if audit.GaussianDelta(mu, 0) < delta {
				assert.Zero(t, epsilon)
				continue
			}
			assert.InEpsilon(t, delta, audit.GaussianDelta(mu, epsilon), 1e-6, "μ = %v", mu)
			assert.GreaterOrEqual(t, audit.GaussianDelta(mu, epsilon), delta*(1-1e-12), "rounded down")
			back := audit.GaussianMu(epsilon, delta)
			assert.InEpsilon(t, mu, back, 1e-6)
			assert.GreaterOrEqual(t, back, mu*(1-1e-9), "rounded up")
		}
	}
	assert.Zero(t, audit.GaussianEpsilon(0, 1e-6))
	assert.Zero(t, audit.GaussianEpsilon(1, 0))
	assert.Zero(t, audit.GaussianMu(1, 0))
	assert.Zero(t, audit.GaussianMu(-1, 1e-6))
	assert.Zero(t, audit.GaussianDelta(0, 1))
}

func TestMuOfAnEventOfNormalLaws(t *testing.T) {
	// P = Φ(1/2) and Q = Φ(-1/2), as counts of a million, are μ = 1 less the width of the bounds.
	p, q := audit.Count{Hits: 691_462, Draws: 1_000_000}, audit.Count{Hits: 308_538, Draws: 1_000_000}
	mu := audit.Mu(p, q, 1e-6)
	assert.Less(t, mu, 1.0)
	assert.Greater(t, mu, 0.98)
	assert.Zero(t, audit.Mu(q, p, 1e-6))
}
