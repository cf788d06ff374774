// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
)

// Every statistical test of this package goes through rejects. A law that holds is rejected with
// probability at most stage1·stage2 = 1e-10, since the second stage draws afresh; there are about 80
// gates, so a run of the package raises a false alarm with probability below 1e-8.
const (
	stage1 = 1e-4
	stage2 = 1e-6
)

// rejects reports whether pValue rejects at n samples and again at 4n fresh ones.
func rejects(n int, pValue func(n int) float64) bool {
	return pValue(n) < stage1 && pValue(4*n) < stage2
}

// draws returns n fresh noisy values of x.
func draws(t *testing.T, law mechanism.Noise, x int64, n int) []int64 {
	t.Helper()
	live := mechanism.Live()
	out := make([]int64, n)
	for i := range out {
		v, err := live.AddNoise(mechanism.Site{}, law, x)
		require.NoError(t, err)
		out[i] = v
	}
	return out
}

// twoSided is the p-value of a standard normal score.
func twoSided(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// above is the exact probability of at least hits successes in n trials of probability p.
func above(hits, n int, p float64) float64 {
	if hits == 0 {
		return 1
	}
	return mathext.RegIncBeta(float64(hits), float64(n-hits+1), p)
}

func chiSquared(statistic float64, freedom int) float64 {
	return distuv.ChiSquared{K: float64(freedom)}.Survival(statistic)
}

// latticePValue compares integer draws with the law's exact probabilities, tail differences, in cells
// of at least 50 expected draws, so that χ² is near its limit.
func latticePValue(law mechanism.Noise, sample []int64) float64 {
	n := float64(len(sample))
	edges := []int64{1} // the right half's cells start here; the left half mirrors them
	for k := int64(2); n*law.Tail(k) >= 50; {
		if n*(law.Tail(edges[len(edges)-1])-law.Tail(k)) < 50 {
			k += 1 + int64(law.Scale()/100)
			continue
		}
		edges = append(edges, k)
	}
	observed := make(map[int]float64)
	for _, v := range sample {
		cell := 0
		for cell < len(edges) && max(v, -v) >= edges[cell] {
			cell++
		}
		if v < 0 {
			cell = -cell
		}
		observed[cell]++
	}
	expected := n * (1 - 2*law.Tail(1))
	statistic := (observed[0] - expected) * (observed[0] - expected) / expected
	for i, from := range edges {
		expected = n * law.Tail(from)
		if i+1 < len(edges) {
			expected -= n * law.Tail(edges[i+1])
		}
		for _, cell := range []int{i + 1, -i - 1} {
			statistic += (observed[cell] - expected) * (observed[cell] - expected) / expected
		}
	}
	return chiSquared(statistic, 2*len(edges))
}

// lowBitsPValue is a G-test that the three low bits of two samples are alike within each octave of
// magnitude: what a precision attack tells apart.
func lowBitsPValue(a, b []int64) float64 {
	type cell struct{ octave, class int }
	counts := [2]map[cell]float64{{}, {}}
	totals := [2]map[int]float64{{}, {}}
	for side, sample := range [][]int64{a, b} {
		for _, v := range sample {
			octave := bits.Len64(uint64(max(v, -v)))
			counts[side][cell{octave, int(v & 7)}]++
			totals[side][octave]++
		}
	}
	statistic, freedom := 0.0, 0
	for octave, m := range totals[0] {
		n := totals[1][octave]
		if m < 200 || n < 200 {
			continue // too few for the limit law
		}
		freedom += 7
		for class := range 8 {
			x, y := counts[0][cell{octave, class}], counts[1][cell{octave, class}]
			statistic += gTerm(x, (x+y)*m/(m+n)) + gTerm(y, (x+y)*n/(m+n))
		}
	}
	if freedom == 0 {
		return 0 // nothing was compared: fail loudly
	}
	return chiSquared(statistic, freedom)
}

func gTerm(observed, expected float64) float64 {
	if observed == 0 {
		return 0
	}
	return 2 * observed * math.Log(observed/expected)
}

// trailingZerosPValue compares the trailing zero bits of a sample with those of uniform low bits.
func trailingZerosPValue(sample []int64) float64 {
	const last = 6
	var observed [last + 1]float64
	for _, v := range sample {
		observed[min(last, bits.TrailingZeros64(uint64(v)))]++
	}
	statistic := 0.0
	for zeros, o := range observed {
		expected := float64(len(sample)) * math.Ldexp(1, -min(zeros+1, last))
		statistic += (o - expected) * (o - expected) / expected
	}
	return chiSquared(statistic, last)
}

func epsilon(t *testing.T, text string) dp.Epsilon {
	t.Helper()
	e, err := dp.ParseEpsilon(text)
	require.NoError(t, err)
	return e
}

func delta(t *testing.T, text string) dp.Delta {
	t.Helper()
	d, err := dp.ParseDelta(text)
	require.NoError(t, err)
	return d
}

// inflated adds δ to itself: tests of selection want a δ that can be seen, above what may be parsed.
func inflated(t *testing.T, half string) dp.Delta {
	t.Helper()
	d := dp.Spend{Delta: delta(t, half)}
	return d.Add(d).Delta
}

// laplace is noise that keeps ε for all groups together.
func laplace(t *testing.T, e string, l0, lInf int64) mechanism.Noise {
	t.Helper()
	n, err := mechanism.NewLaplace(float64(l0*lInf)/epsilon(t, e).Float(), l0, lInf)
	require.NoError(t, err)
	return n
}

// gaussian is noise that keeps (ε, δ) for all groups together.
func gaussian(t *testing.T, e, d string, l0, lInf int64) mechanism.Noise {
	t.Helper()
	n, err := mechanism.NewGaussian(sigmaFor(t, e, d, l0, lInf), l0, lInf)
	require.NoError(t, err)
	return n
}

// sigmaFor is the accountant's σ.
func sigmaFor(t *testing.T, e, d string, l0, lInf int64) float64 {
	t.Helper()
	plan, err := accounting.Calibrate(dp.Spend{Epsilon: epsilon(t, e), Delta: delta(t, d)},
		[]accounting.Item{{Kind: accounting.GaussianNoise, Sensitivity: float64(lInf), L0: l0, Weight: 1}},
		accounting.Composition{}, accounting.PLD)
	require.NoError(t, err)
	return plan.Noises[0].Scale
}

// cost is ε at δ of what a draw on each group costs.
func cost(t *testing.T, n mechanism.Noise, delta float64) float64 {
	t.Helper()
	event, times, err := n.Event()
	require.NoError(t, err)
	c, err := accounting.Composition{}.Add(event, times)
	require.NoError(t, err)
	e, err := c.Epsilon(accounting.PLD, delta)
	require.NoError(t, err)
	return e
}
