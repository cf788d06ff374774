// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

func TestLawsOfTheseTestsAreConsistent(t *testing.T) {
	for _, law := range []estimate.Law{roundedLaplace{0.3}, roundedLaplace{2}, roundedLaplace{15}, roundedGauss{3}} {
		var variance float64
		for k := int64(-1000); k <= 1000; k++ {
			variance += float64(k*k) * mass(law, k)
		}
		assert.InEpsilon(t, math.Sqrt(variance), law.StdDev(), 1e-9)
		for _, angle := range []float64{0, 0.01, 1, math.Pi} {
			var cf float64
			for k := int64(-1000); k <= 1000; k++ {
				cf += math.Cos(angle*float64(k)) * mass(law, k)
			}
			assert.InDelta(t, cf, law.CharacteristicFunction(angle), 1e-11)
		}
	}
}

func TestSumIsTheConvolutionOfItsTerms(t *testing.T) {
	laws := []estimate.Law{roundedLaplace{2}, roundedLaplace{2}, roundedGauss{3}}
	sum, err := estimate.NewSum(laws)
	require.NoError(t, err)

	const reach = 400
	want := map[int64]float64{0: 1}
	for _, law := range laws {
		next := map[int64]float64{}
		for k, p := range want {
			for d := int64(-reach / 3); d <= reach/3; d++ {
				next[k+d] += p * mass(law, d)
			}
		}
		want = next
	}
	tail := 0.0
	for k := int64(reach); k >= -20; k-- {
		tail += want[k]
		if k < 100 {
			assert.InDelta(t, tail, sum.Tail(k), 2e-13+1e-9*tail, "P(N >= %d)", k)
			assert.GreaterOrEqual(t, sum.Tail(k), tail-1e-14)
		}
	}
	assert.InDelta(t, math.Sqrt(2*laws[0].StdDev()*laws[0].StdDev()+laws[2].StdDev()*laws[2].StdDev()), sum.StdDev(), 1e-12)
}

func TestSumOfWideNoisesBoundsTheTailFromAbove(t *testing.T) {
	// Two Laplace noises of scale b have P(L1+L2 >= x) = exp(-x/b)(2 + x/b)/4. At this scale their
	// rounding to integers is invisible.
	const b = 1e6
	sum, err := estimate.NewSum([]estimate.Law{roundedLaplace{b}, roundedLaplace{b}})
	require.NoError(t, err)
	exact := func(x float64) float64 { return math.Exp(-x/b) * (2 + x/b) / 4 }
	for x := 0.0; x < 18*b; x += 0.37 * b {
		got := sum.Tail(int64(x))
		assert.GreaterOrEqual(t, got, exact(x)*(1-1e-6)-1e-12, "x = %g b", x/b)
		assert.LessOrEqual(t, got, exact(x-sum.StdDev()/300)*(1+1e-6)+2e-12, "x = %g b", x/b)
		if x > 0 {
			assert.GreaterOrEqual(t, sum.Tail(-int64(x)), 1-exact(x)-1e-9)
		}
	}
}

func TestPairQuantileIsTheExactOneOfTheLattice(t *testing.T) {
	a, b := roundedLaplace{2}, roundedGauss{3}
	for _, p := range []float64{0, 0.001, 0.25, 1.0 / 3, 0.5, 0.9, 1} {
		for _, level := range []float64{0.05, 0.0167, 1e-4, 1e-6} {
			got := estimate.PairQuantile(a, b, 1-p, p, level)
			beyond := func(x float64) float64 {
				total := 0.0
				for i := int64(-120); i <= 120; i++ {
					for j := int64(-60); j <= 60; j++ {
						if math.Abs((1-p)*float64(i)+p*float64(j)) > x {
							total += mass(a, i) * mass(b, j)
						}
					}
				}
				return total
			}
			assert.LessOrEqual(t, beyond(got*(1+1e-9)), level*(1+1e-9), "p = %g: at the quantile the level holds", p)
			assert.Greater(t, beyond(got*(1-1e-6)), level*(1-1e-5), "p = %g: below it, not", p)
		}
	}
}

func TestPairQuantileOfWideNoiseIsRoundedUpSlightly(t *testing.T) {
	// With p = 1/2, |L1+L2|/2 of two Laplace noises exceeds x with chance exp(-2x/b)(1 + x/b).
	for _, b := range []float64{30, 100, 1e4, 1e9} {
		for _, level := range []float64{0.05, 1e-4} {
			low, high := 0.0, 40*b
			for high-low > 1e-9*b {
				if x := (low + high) / 2; math.Exp(-2*x/b)*(1+x/b) > level {
					low = x
				} else {
					high = x
				}
			}
			got := estimate.PairQuantile(roundedLaplace{b}, roundedLaplace{b}, 0.5, 0.5, level)
			assert.GreaterOrEqual(t, got, low-0.5, "b = %g: integers may stop half a step earlier", b)
			assert.LessOrEqual(t, got, low*1.025+0.5, "b = %g", b)
		}
	}
}

func TestSumRefusesNoLaws(t *testing.T) {
	_, err := estimate.NewSum(nil)
	assert.EqualError(t, err, "laws: got none, want at least one")
	_, err = estimate.NewSum([]estimate.Law{roundedLaplace{1}, nil})
	assert.EqualError(t, err, "laws[1]: got no law, want the law of the noise; pass the mechanism that drew it")
}
