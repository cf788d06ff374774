// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/mechanism"
)

type config struct {
	epsilon, delta string
	l0, lInf       int64
}

// configs are the twelve of N-05 and N-06; δ is used by Gaussian noise alone.
var configs = []config{
	{"0.1", "1e-6", 1, 1}, {"0.5", "1e-6", 1, 1}, {"1", "1e-5", 1, 1}, {"2", "1e-9", 1, 1},
	{"1", "1e-9", 10, 1}, {"3", "1e-5", 1, 1}, {"0.01", "1e-7", 3, 1}, {"1", "1e-6", 4, 50},
	{"0.25", "1e-8", 6, 3600}, {"5", "1e-10", 2, 7}, {"1e-6", "1e-5", 1, 1}, {"1", "1e-6", 1, 1 << 30},
}

func (c config) String() string {
	return fmt.Sprintf("ε=%s δ=%s l0=%d l∞=%d", c.epsilon, c.delta, c.l0, c.lInf)
}

// scalePValue scores the mean absolute value of Laplace noise, whose sd is its mean over √n. The
// expectation is that of the rounded law, P(N ≥ 1)/(1-a) for each sign.
func scalePValue(law mechanism.Noise, sample []int64) float64 {
	sum := 0.0
	for _, v := range sample {
		sum += math.Abs(float64(v))
	}
	n := float64(len(sample))
	mean := 2 * law.Tail(1) / -math.Expm1(-1/law.Scale())
	sd := math.Sqrt(law.StdDev()*law.StdDev() - mean*mean)
	return twoSided((sum/n - mean) / (sd / math.Sqrt(n)))
}

// variancePValue scores the mean square of Gaussian noise. A normal law's has sd √(2/n); rounding to
// integers changes that by less than a tenth at σ ≥ 1, for which the gates have room.
func variancePValue(law mechanism.Noise, sample []int64) float64 {
	sum := 0.0
	for _, v := range sample {
		sum += float64(v) * float64(v)
	}
	n := float64(len(sample))
	return twoSided((sum/n/(law.StdDev()*law.StdDev()) - 1) / math.Sqrt(2/n))
}

func TestAttackN05WrongLaplaceScale(t *testing.T) {
	for _, c := range configs {
		law := laplace(t, c.epsilon, c.l0, c.lInf)
		// b exceeds l1/ε by two steps of the lattice at most.
		least := float64(c.l0*c.lInf) / epsilon(t, c.epsilon).Float()
		assert.GreaterOrEqual(t, law.Scale(), least, "%v", c)
		assert.InEpsilon(t, least, law.Scale(), 1e-11, "%v", c)
		assert.InEpsilon(t, epsilon(t, c.epsilon).Float(), cost(t, law, 0), 1e-9, "%v", c)
		assert.False(t, rejects(6000, func(n int) float64 {
			sample := draws(t, law, 0, n)
			return 2 * min(scalePValue(law, sample), latticePValue(law, sample))
		}), "%v: draws are not of the law stated", c)
	}
}

func TestAttackN06WrongGaussianSigma(t *testing.T) {
	for _, c := range configs {
		law := gaussian(t, c.epsilon, c.delta, c.l0, c.lInf)
		wanted := sigmaFor(t, c.epsilon, c.delta, c.l0, c.lInf)
		assert.GreaterOrEqual(t, law.Scale(), wanted, "%v", c)
		assert.InEpsilon(t, wanted, law.Scale(), 1e-12, "%v", c)
		// ε is charged for a σ that is smaller by the sampler's error, and for its missing tail.
		spent := cost(t, law, delta(t, c.delta).Float())
		assert.InEpsilon(t, epsilon(t, c.epsilon).Float(), spent, 2e-4, "%v", c)
		assert.False(t, rejects(6000, func(n int) float64 {
			sample := draws(t, law, 0, n)
			return 2 * min(variancePValue(law, sample), latticePValue(law, sample))
		}), "%v: draws are not of the law stated", c)
	}
}

// The gates above must reject noise that is too narrow: by a tenth for the moments (8 and 14 standard
// errors), by three tenths for χ², which spreads its power over all shapes.
func TestGatesRejectWrongNoise(t *testing.T) {
	scale := func(stated, drawn mechanism.Noise) bool {
		return rejects(12_000, func(n int) float64 { return scalePValue(stated, draws(t, drawn, 0, n)) })
	}
	variance := func(stated, drawn mechanism.Noise) bool {
		return rejects(12_000, func(n int) float64 { return variancePValue(stated, draws(t, drawn, 0, n)) })
	}
	lattice := func(stated, drawn mechanism.Noise) bool {
		return rejects(4000, func(n int) float64 { return latticePValue(stated, draws(t, drawn, 0, n)) })
	}
	assert.True(t, scale(laplace(t, "0.09", 1, 1), laplace(t, "0.1", 1, 1)))
	assert.True(t, lattice(laplace(t, "0.07", 1, 1), laplace(t, "0.1", 1, 1)))

	wide := gaussian(t, "0.1", "1e-6", 10, 1)
	assert.True(t, variance(wide, gaussian(t, "0.1", "1e-6", 8, 1)))
	assert.True(t, lattice(wide, gaussian(t, "0.1", "1e-6", 5, 1)))

	// The other law, of one standard deviation.
	other := laplace(t, "0.175", 1, 1)
	assert.True(t, lattice(gaussian(t, "0.5", "1e-6", 1, 1), other))
	// Noise rounded down in place of to nearest, at a scale where it shows.
	assert.True(t, rejects(4000, func(n int) float64 {
		sample := draws(t, laplace(t, "1", 1, 1), 0, n)
		for i := range sample {
			sample[i] -= int64(i % 2)
		}
		return latticePValue(laplace(t, "1", 1, 1), sample)
	}))
}

// summedLaws are narrow enough that the law can be summed over its integers.
func summedLaws(t *testing.T) []mechanism.Noise {
	return []mechanism.Noise{
		laplace(t, "20", 1, 1), laplace(t, "1", 1, 1), laplace(t, "0.3", 2, 3), laplace(t, "0.1", 1, 5),
		gaussian(t, "20", "1e-3", 1, 1), gaussian(t, "20", "1e-7", 1, 1), gaussian(t, "5", "1e-3", 1, 1), gaussian(t, "1", "1e-5", 1, 1),
		gaussian(t, "0.9", "1e-5", 1, 1), gaussian(t, "0.5", "1e-9", 3, 2),
	}
}

func TestMomentsAndTransformAreThoseOfTheIntegerLaw(t *testing.T) {
	for _, law := range summedLaws(t) {
		name := fmt.Sprintf("%v scale %g", law.Kind(), law.Scale())
		var total, square float64
		transform := map[float64]float64{0: 0, 1e-6: 0, 0.3: 0, 1: 0, 3: 0, math.Pi: 0, 7: 0, -1: 0}
		for k := int64(-5000); k <= 5000; k++ {
			p := law.Tail(k) - law.Tail(k+1)
			total += p
			square += p * float64(k) * float64(k)
			for t := range transform {
				transform[t] += p * math.Cos(t*float64(k))
			}
		}
		// Differences of tails near 1 carry the tails' slack of 1e-12.
		assert.InDelta(t, 1, total, 1e-10, name)
		assert.InEpsilon(t, math.Sqrt(square), law.StdDev(), 1e-5, name)
		for x, want := range transform {
			assert.InDelta(t, want, law.CharacteristicFunction(x), 1e-9, "%s at %g", name, x)
		}
	}
}

func TestTailIsAnUpperBoundThatFalls(t *testing.T) {
	for _, law := range summedLaws(t) {
		assert.Equal(t, 1.0, law.Tail(math.MinInt64))
		assert.Positive(t, law.Tail(math.MaxInt64))
		previous := 1.0
		for k := int64(-300); k <= 300; k++ {
			tail := law.Tail(k)
			assert.LessOrEqual(t, tail, previous*(1+1e-11))
			// Symmetric, and never below the truth: P(N ≥ k) + P(N ≥ 1-k) = 1.
			assert.GreaterOrEqual(t, tail+law.Tail(1-k), 1.0)
			assert.InDelta(t, 1, tail+law.Tail(1-k), 1e-11)
			previous = tail
		}
	}
}

func TestQuantileIsTheSmallestThatHolds(t *testing.T) {
	for _, law := range summedLaws(t) {
		for _, p := range []float64{1, 0.5, 0.05, 1e-3, 1e-9, 1e-100} {
			q := law.Quantile(p)
			assert.LessOrEqual(t, 2*law.Tail(q+1), p)
			assert.True(t, q == 0 || 2*law.Tail(q) > p, "%v: %d is not the smallest for %g", law.Kind(), q, p)
		}
		assert.EqualValues(t, math.MaxInt64, law.Quantile(0))
		assert.EqualValues(t, math.MaxInt64, law.Quantile(math.NaN()))
	}
	assert.EqualValues(t, 3, laplace(t, "1", 1, 1).Quantile(0.05), "2·exp(-2.5)/2 = 0.08, 2·exp(-3.5)/2 = 0.03")
	assert.EqualValues(t, math.MaxInt64, mechanism.Noise{}.Quantile(0.5))
}

// The library draws whole numbers without rounding them exactly when its granularity is 1: for Laplace
// if its l1/ε is in (2^39, 2^40], for Gaussian if its σ is in (2^55, 2^56]. An odd divisor has no ties.
func TestLibraryDrawsOnTheWholeNumbers(t *testing.T) {
	laws := append(wideLaws(t), laplace(t, "1", 1, 1<<37+1), laplace(t, "20", 1, 1), gaussian(t, "20", "1e-3", 1, 1))
	for _, c := range configs {
		laws = append(laws, laplace(t, c.epsilon, c.l0, c.lInf), gaussian(t, c.epsilon, c.delta, c.l0, c.lInf))
	}
	for _, law := range laws {
		m := law.Refinement()
		assert.EqualValues(t, 1, m%2)
		assert.GreaterOrEqual(t, m, int64(3))
		enlarged := law.Scale() * float64(m)
		if law.Kind() == mechanism.Laplace {
			assert.True(t, enlarged > 1<<39 && enlarged <= 1<<40, "%v %g", law.Kind(), law.Scale())
			continue
		}
		assert.True(t, enlarged > 1<<55 && enlarged <= 1<<56, "%v %g", law.Kind(), law.Scale())
	}
}

func TestRoundingCommutesWithAddition(t *testing.T) {
	for _, m := range []int64{1, 3, 5, 127} {
		for z := int64(-400); z <= 400; z++ {
			assert.Equal(t, int64(math.Round(float64(z)/float64(m))), mechanism.Rounded(z, m))
			for x := int64(-3); x <= 3; x++ {
				assert.Equal(t, mechanism.Rounded(m*x+z, m), x+mechanism.Rounded(z, m), "%d/%d", z, m)
			}
		}
	}
	assert.EqualValues(t, math.MaxInt64/3, mechanism.Rounded(math.MaxInt64-1, 3), "no overflow on the way")
	assert.EqualValues(t, math.MinInt64/3-1, mechanism.Rounded(math.MinInt64, 3))
}

// zeroToOne returns P(N = 0) and P(N = 1), unnormalised, for Z with P(Z = z) ∝ q^|z| and N = round(Z).
func zeroToOne(q float64, m int64, round func(z int64) int64) (zero, one float64) {
	for z := -2 * m; z <= 2*m; z++ {
		p := math.Pow(q, math.Abs(float64(z)))
		switch round(z) {
		case 0:
			zero += p
		case 1:
			one += p
		}
	}
	return zero, one
}

// ε is kept exactly if P(N = k) and P(N = k+1) are within a factor q^-m. Where that fails first is 0.
func TestRoundedLaplaceKeepsEpsilonAtZero(t *testing.T) {
	for _, q := range []float64{0.5, 0.99, 1 - 1e-6} {
		for _, m := range []int64{1, 3, 5, 127} {
			zero, one := zeroToOne(q, m, func(z int64) int64 { return mechanism.Rounded(z, m) })
			factor := math.Pow(q, -float64(m)) * (1 + 1e-12)
			assert.LessOrEqual(t, zero, one*factor, "q = %g, m = %d", q, m)
			assert.LessOrEqual(t, one, zero*factor, "q = %g, m = %d", q, m)
		}
	}
	// Known bad: halves away from zero, as the library rounds.
	zero, one := zeroToOne(1-1e-6, 4, func(z int64) int64 { return int64(math.Round(float64(z) / 4)) })
	assert.Greater(t, one, zero*1.3)
}

func TestNoiseSaysWhatItWasCalibratedFor(t *testing.T) {
	l, g := laplace(t, "0.5", 3, 7), gaussian(t, "0.5", "1e-6", 3, 7)
	assert.Equal(t, "laplace 3 7", fmt.Sprint(l.Kind(), l.L0(), l.LInf()))
	assert.Equal(t, "gaussian 3 7", fmt.Sprint(g.Kind(), g.L0(), g.LInf()))
	assert.Equal(t, "21 21", fmt.Sprint(l.L1(), g.L1()))
	var unset mechanism.Noise
	assert.Equal(t, "unset", unset.Kind().String())
	assert.Equal(t, 1.0, unset.Tail(100), "a tail of 1 passes no threshold")
	assert.True(t, math.IsNaN(unset.StdDev()))
	_, _, err := unset.Event()
	assert.Error(t, err)
}

// TestATotalIsChargedInPlaceOfTheProduct: noise for groups that change by l1 together costs what one draw on a number
// costs that changes by l1, and Gaussian noise what the longest such change costs.
func TestATotalIsChargedInPlaceOfTheProduct(t *testing.T) {
	const l0, lInf, l1 = 8, 10, 25
	over, err := mechanism.NewLaplaceOver(50, l0, lInf, l1)
	require.NoError(t, err)
	once, err := mechanism.NewLaplace(50, 1, l1)
	require.NoError(t, err)
	assert.Equal(t, cost(t, once, 0), cost(t, over, 0))
	assert.InEpsilon(t, 0.5, cost(t, over, 0), 1e-9)
	assert.Equal(t, "8 10 25 8", fmt.Sprint(over.L0(), over.LInf(), over.L1(), over.Cells()))

	wide, err := mechanism.NewGaussianOver(50, l0, lInf, l1, 40)
	require.NoError(t, err)
	// Two groups change by ten and a third by five: the norm is 15, as that of one number that changes by 15.
	alone, err := mechanism.NewGaussianOver(50, 1, 15, 15, 40)
	require.NoError(t, err)
	assert.InEpsilon(t, cost(t, alone, 1e-9), cost(t, wide, 1e-9), 1e-9)
	assert.Equal(t, "8 10 25 40", fmt.Sprint(wide.L0(), wide.LInf(), wide.L1(), wide.Cells()))
	// What the sampler never draws is booked for every number that may change.
	few, err := mechanism.NewGaussianOver(50, l0, lInf, l1, l0)
	require.NoError(t, err)
	assert.Greater(t, cost(t, wide, 1e-15), cost(t, few, 1e-15))
}
