// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/audit"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

// A pair judges live noise twice by one test: at its claim, and with a scale divided by 1 and a violation.
const tenth, hundredth = 0.1, 0.01

// nightly says that there is time for the claims that need the most draws.
func nightly() bool { return os.Getenv("THRONG_NIGHTLY") == "1" }

// judge returns a lower bound, at alpha, on the ε or μ of a mechanism of some scale, from n draws on each side.
type judge func(t *testing.T, n int, scale float64) float64

// pair holds the mechanism at its scale to a claim, and requires that a violation is seen. Of samples of n
// that have one, one in twenty does not show it; of those three times as large, one in a million.
func (j judge) pair(t *testing.T, n int, scale, claim, violation float64) {
	t.Helper()
	honest := j(t, n, scale)
	assert.LessOrEqual(t, honest, claim, "the mechanism at its claim")
	assert.Greater(t, honest, 0.8*claim, "the test sees something")

	planted := j(t, n, scale/(1+violation))
	if planted <= claim {
		planted = j(t, 3*n, scale/(1+violation))
	}
	assert.Greater(t, planted, claim, "a violation of %g", violation)
	t.Logf("claim %.4f: at it the bound is %.5f, with a violation of %g it is %.5f (n = %d)", claim, honest, violation, planted, n)
}

func laplace(t *testing.T, scale float64) mechanism.Noise {
	t.Helper()
	n, err := mechanism.NewLaplace(scale, 1, 1)
	require.NoError(t, err)
	return n
}

// draws takes n outputs of live noise around x.
func draws(t *testing.T, n int, noise mechanism.Noise, x int64) []int64 {
	t.Helper()
	live := mechanism.Live()
	out := make([]int64, n)
	for i := range out {
		v, err := live.AddNoise(mechanism.Site{}, noise, x)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v
	}
	return out
}

// both adds up the counts of two events on samples of their own.
func both(a, b audit.Count) audit.Count {
	return audit.Count{Hits: a.Hits + b.Hits, Draws: a.Draws + b.Draws}
}

// laplaceBound looks at both lattice tails of 7 and 8 people. A claim of ε bounds the ratio of either, and so that of
// their means; as noise has one law around every number, they double the draws.
func laplaceBound(t *testing.T, n int, scale float64) float64 {
	t.Helper()
	below, above := audit.LatticeTails(7, 8)
	x, y := draws(t, n, laplace(t, scale), 7), draws(t, n, laplace(t, scale), 8)
	return audit.Epsilon(both(below.Count(x), above.Count(y)), both(below.Count(y), above.Count(x)), 0, alpha)
}

func TestAttackN07LaplacePair(t *testing.T) {
	judge(laplaceBound).pair(t, 100_000, 1, 1, tenth)
}

// TestAttackN07LaplacePairOfAHundredth sees a violation of 1 %, which takes a hundred times the draws.
func TestAttackN07LaplacePairOfAHundredth(t *testing.T) {
	if !nightly() {
		t.Skip("nightly")
	}
	judge(laplaceBound).pair(t, 8_000_000, 1, 1, hundredth)
}

// gaussianBound looks at the event that an output is nearer to 1001 than to 0.
func gaussianBound(t *testing.T, n int, sigma float64) float64 {
	t.Helper()
	const delta = 1001
	noise, err := mechanism.NewGaussian(sigma, 1, delta)
	require.NoError(t, err)
	event := audit.Tail[int64]{At: delta/2 + 1, Above: true}
	return audit.Mu(event.Count(draws(t, n, noise, delta)), event.Count(draws(t, n, noise, 0)), alpha)
}

// TestAttackN07GaussianPair claims μ = 1, that is ε = 4.4 at δ = 1e-5. Nightly it claims ε = 0.5 at that δ, where 10 % is
// a hundredth of a standard deviation.
func TestAttackN07GaussianPair(t *testing.T) {
	n, mu := 60_000, 1.0
	if nightly() {
		n, mu = 2_200_000, audit.GaussianMu(0.5, 1e-5)
	}
	judge(gaussianBound).pair(t, n, 1001/mu, mu, tenth)
}

// zeroShare counts how often the displayed share of women is 0, where there are some women and 3000 men. With one
// decimal place that is where at most one woman is counted: 0.05 % of all is 1.5 people.
func zeroShare(t *testing.T, n int, scale float64, women int64) audit.Count {
	t.Helper()
	noise := laplace(t, scale)
	part := estimate.Count{Law: noise, ShownAt: estimate.AlwaysShown}
	parts, err := estimate.NewPartShares([]estimate.Count{part, part}, 0.05)
	require.NoError(t, err)
	live, c := mechanism.Live(), audit.Count{Draws: int64(n)}
	zero := map[[2]int64]bool{} // of the numbers that were drawn before
	for range n {
		w, err := live.AddNoise(mechanism.Site{}, noise, women)
		m, failed := live.AddNoise(mechanism.Site{}, noise, 3000)
		if err != nil || failed != nil {
			t.Fatal("no noise")
		}
		is, known := zero[[2]int64{w, m}]
		if !known {
			shares, ok := parts.Estimate([]int64{w, m})
			if !ok {
				t.Fatal("no share")
			}
			is = estimate.RoundDecimal(shares[0].Display, 1).Float64() == 0
			zero[[2]int64{w, m}] = is
		}
		if is {
			c.Hits++
		}
	}
	return c
}

// not counts the complement of an event.
func not(c audit.Count) audit.Count { return audit.Count{Hits: c.Draws - c.Hits, Draws: c.Draws} }

// shareBound looks at the event {displayed share = 0} and at its complement, on no woman and on one, each at alpha/2.
// The event holds the inputs themselves, where rounding hides ε: it shows at most 0.83 of an ε of 1. The complement
// is a lattice tail beyond both.
func shareBound(t *testing.T, n int, scale float64) float64 {
	t.Helper()
	none, one := zeroShare(t, n, scale, 0), zeroShare(t, n, scale, 1)
	return max(audit.Epsilon(none, one, 0, alpha/2), audit.Epsilon(not(one), not(none), 0, alpha/2))
}

func TestAttackN07SharePair(t *testing.T) {
	if !nightly() {
		t.Skip("millions of draws; .ci/run has it in a step of its own, set THRONG_NIGHTLY=1")
	}
	judge(shareBound).pair(t, 400_000, 1, 1, tenth)
}
