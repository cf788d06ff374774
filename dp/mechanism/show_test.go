// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// shown counts how often a group of people passes the threshold in n runs.
func shown(t *testing.T, law mechanism.Noise, threshold mechanism.Threshold, people int64, n int) int {
	t.Helper()
	hits := 0
	for _, noisy := range draws(t, law, people, n) {
		kept, err := mechanism.Live().Show(mechanism.Site{}, threshold, people, noisy)
		require.NoError(t, err)
		if kept {
			hits++
		}
	}
	return hits
}

// kept counts how often a group of people is selected in n runs.
func kept(t *testing.T, selection mechanism.Selection, people int64, n int) int {
	t.Helper()
	hits := 0
	for range n {
		keep, err := mechanism.Live().Select(mechanism.Site{}, selection, people)
		require.NoError(t, err)
		if keep {
			hits++
		}
	}
	return hits
}

func TestAttackS01KeepProbabilityCurve(t *testing.T) {
	half := dp.Spend{Delta: inflated(t, "0.005")}
	selection, err := mechanism.InflatedSelection(epsilon(t, "1"), half.Add(half).Delta, 2, 1)
	require.NoError(t, err)
	for people, want := range map[int64]float64{1: .0100, 2: .0265, 3: .0537, 5: .1724, 8: .6998} {
		p := selection.KeepProbability(people)
		assert.InDelta(t, want, p, 5e-5)
		assert.False(t, rejects(25_000, func(n int) float64 {
			z := (float64(kept(t, selection, people, n)) - float64(n)*p) / math.Sqrt(float64(n)*p*(1-p))
			return twoSided(z)
		}), "%d people", people)
	}
	// Known bad: the curve of twice the ε.
	p := selection.KeepProbability(5)
	wrong, err := mechanism.InflatedSelection(epsilon(t, "2"), selection.Delta(), 2, 1)
	require.NoError(t, err)
	assert.True(t, rejects(2000, func(n int) float64 { return above(kept(t, wrong, 5, n), n, p) }))
}

// S-02: a lone person is shown with probability at most δ/l0, although noise is rounded before it is
// compared. The worst case is a continuous threshold that is an integer: δ = l0·exp(-m/b)/2.
func TestAttackS02IntegerThreshold(t *testing.T) {
	for _, c := range []struct {
		law   mechanism.Noise
		delta string
	}{
		{laplace(t, "1", 1, 1), "0.00915781944436709"}, // exp(-4)/2
		{laplace(t, "2", 1, 1), "0.00915781944436709"},
		{laplace(t, "4", 1, 1), "0.00915781944436709"},
		{laplace(t, "4", 4, 1), "0.00996"},
		{gaussian(t, "1", "1e-5", 1, 1), "0.0099"},
		{gaussian(t, "4", "1e-5", 1, 1), "0.0062"}, // 1 - Φ(2.5), and more
	} {
		threshold, err := mechanism.NewThreshold(c.law, delta(t, c.delta), 1)
		require.NoError(t, err)
		allowed := threshold.Delta().Float() / float64(c.law.L0())
		assert.LessOrEqual(t, c.law.Tail(threshold.At-1), allowed, "the exact probability")
		assert.False(t, rejects(12_000, func(n int) float64 {
			return above(shown(t, c.law, threshold, 1, n), n, allowed)
		}), "%v of scale %g", c.law.Kind(), c.law.Scale())
	}
	// Known bad: ⌈T⌉ in place of ⌈T+½⌉, which keeps exp(½) times the allowed number.
	law := laplace(t, "1", 1, 1)
	allowed := delta(t, "0.00915781944436709").Float()
	assert.True(t, rejects(12_000, func(n int) float64 {
		hits := 0
		for _, noisy := range draws(t, law, 1, n) {
			if noisy >= 5 {
				hits++
			}
		}
		return above(hits, n, allowed)
	}))
}

func TestAttackS03InfiniteThresholdIsRefused(t *testing.T) {
	for _, c := range []struct {
		delta dp.Delta
		l0    int64
	}{
		{delta(t, "1e-10").Part(1, 100), 100_000}, {delta(t, "1e-10").Part(1, 100_000), 100},
		{delta(t, "1e-10").Part(1, 1_000_000), 4}, {delta(t, "1e-9"), 10_001}, {delta(t, "0"), 1}, {dp.Delta{}, 1},
	} {
		for _, law := range []mechanism.Noise{laplace(t, "1", c.l0, 1), gaussian(t, "1", "1e-6", c.l0, 1)} {
			threshold, err := mechanism.NewThreshold(law, c.delta, 1)
			require.ErrorContains(t, err, "want at least 1e-13 for each")
			_, err = mechanism.Live().Show(mechanism.Site{}, threshold, 1, math.MaxInt64)
			require.Error(t, err, "the threshold returned beside an error passes nothing")
		}
		selection, err := mechanism.NewSelection(epsilon(t, "1"), c.delta, c.l0, 1)
		require.ErrorContains(t, err, "want at least 1e-13 for each")
		_, err = mechanism.Live().Select(mechanism.Site{}, selection, 1_000_000)
		require.Error(t, err)
	}
	for _, law := range []mechanism.Noise{laplace(t, "1e-6", 10_000, 1), gaussian(t, "1e-6", "1e-10", 10_000, 1)} {
		threshold, err := mechanism.NewThreshold(law, delta(t, "1e-9"), 20)
		require.NoError(t, err, "1e-13 for each group is the smallest")
		assert.Greater(t, threshold.At, int64(20))
		assert.Less(t, threshold.At, int64(1)<<50)
		assert.LessOrEqual(t, law.Tail(threshold.At-20), 1e-13)
	}
}

// S-08: k - 1 people against k is no bit beyond δ, and k - 1 people are never shown.
func TestAttackS08HardMinimumLeaksNothingBeyondDelta(t *testing.T) {
	const k = 20
	for _, law := range []mechanism.Noise{laplace(t, "1", 1, 1), gaussian(t, "1", "1e-5", 1, 1)} {
		threshold, err := mechanism.NewThreshold(law, delta(t, "0.0099"), k)
		require.NoError(t, err)
		assert.False(t, rejects(12_000, func(n int) float64 { return above(shown(t, law, threshold, k, n), n, .0099) }))
		for _, people := range []int64{0, 1, k - 1} {
			keep, err := mechanism.Live().Show(mechanism.Site{}, threshold, people, math.MaxInt64)
			require.NoError(t, err)
			require.False(t, keep, "%d people, whatever the noise", people)
		}
		for _, noisy := range []int64{math.MinInt64, threshold.At - 1} {
			keep, err := mechanism.Live().Show(mechanism.Site{}, threshold, 1_000_000, noisy)
			require.NoError(t, err)
			require.False(t, keep, "a noisy number below the threshold, whatever the truth")
		}
		keep, err := mechanism.Live().Show(mechanism.Site{}, threshold, k, threshold.At)
		require.NoError(t, err)
		require.True(t, keep)
		// Known bad: the threshold of k = 1 beside a hard floor: at k people it shows almost surely.
		low, err := mechanism.NewThreshold(law, delta(t, "0.0099"), 1)
		require.NoError(t, err)
		assert.True(t, rejects(2000, func(n int) float64 { return above(shown(t, law, low, k, n), n, .0099) }))
	}

	selection, err := mechanism.InflatedSelection(epsilon(t, "1"), inflated(t, "0.0099"), 1, k)
	require.NoError(t, err)
	assert.False(t, rejects(50_000, func(n int) float64 { return above(kept(t, selection, k, n), n, .0198) }))
	assert.Positive(t, kept(t, selection, k, 2000), "a group of k can be shown")
	assert.Zero(t, kept(t, selection, k-1, 5000))
	assert.Zero(t, kept(t, selection, 0, 5000))
	assert.Equal(t, 5000, kept(t, selection, 10*k, 5000))
	for _, people := range []int64{-1, math.MinInt64, math.MaxInt64} {
		_, err = mechanism.Live().Select(mechanism.Site{}, selection, people)
		assert.ErrorContains(t, err, "outside its range")
	}
}

func TestThresholdRefusesWhatItCannotProve(t *testing.T) {
	d := delta(t, "1e-6")
	for want, make := range map[string]func() (mechanism.Threshold, error){
		"uncalibrated noise":      func() (mechanism.Threshold, error) { return mechanism.NewThreshold(mechanism.Noise{}, d, 1) },
		"noise of l∞ = 2, want 1": func() (mechanism.Threshold, error) { return mechanism.NewThreshold(laplace(t, "1", 1, 2), d, 1) },
		"threshold.k: got 0":      func() (mechanism.Threshold, error) { return mechanism.NewThreshold(laplace(t, "1", 1, 1), d, 0) },
		"want below 0.01": func() (mechanism.Threshold, error) {
			return mechanism.NewThreshold(laplace(t, "1", 1, 1), inflated(t, "0.005"), 1)
		},
		"threshold.k: got 9223372": func() (mechanism.Threshold, error) {
			return mechanism.NewThreshold(laplace(t, "1", 1, 1), d, math.MaxInt64)
		},
	} {
		_, err := make()
		assert.ErrorContains(t, err, want)
	}
	threshold, err := mechanism.NewThreshold(laplace(t, "1", 3, 1), d, 5)
	require.NoError(t, err)
	assert.Equal(t, "1e-6", threshold.Delta().String())
	assert.EqualValues(t, 3, threshold.L0())
	lowered := threshold
	lowered.At--
	_, err = mechanism.Live().Show(mechanism.Site{}, lowered, 100, 100)
	assert.ErrorContains(t, err, "changed parameters")
	_, err = mechanism.Live().Show(mechanism.Site{}, mechanism.Threshold{K: 1, At: 1}, 100, 100)
	assert.ErrorContains(t, err, "changed parameters")
}

// exponential is exp(x) by a way other than the package's: squaring 64 times.
func exponential(x *big.Rat) *big.Float {
	y := new(big.Float).SetPrec(700).SetRat(x)
	y.SetMantExp(y, -64)
	sum, term := big.NewFloat(1), big.NewFloat(1)
	sum.SetPrec(700)
	term.SetPrec(700)
	for i := int64(1); i < 8; i++ {
		term.Quo(term.Mul(term, y), new(big.Float).SetInt64(i))
		sum.Add(sum, term)
	}
	for range 64 {
		sum.Mul(sum, sum)
	}
	return sum
}

// The probabilities that random bits are compared with satisfy both inequalities of (ε, δ)-DP exactly,
// and are the largest that do, but for a few units of 2^-64 a step.
func TestSelectionIsExactlyPrivateAndOptimal(t *testing.T) {
	for _, c := range []struct {
		epsilon, delta string
		l0, k, from    int64
	}{
		{"1", "1e-5", 1, 1, 1}, {"1", "1e-9", 7, 20, 20}, {"20", "1e-10", 1, 3, 3}, {"0.01", "1e-3", 3, 1, 1},
		{"0.3", "1e-10", 1000, 1, 1},
		// Here not every probability is stored.
		{"1e-6", "1e-10", 1, 1, 9_000_000}, {"1e-6", "1e-10", 1, 20, 20},
	} {
		selection, err := mechanism.NewSelection(epsilon(t, c.epsilon), delta(t, c.delta), c.l0, c.k)
		require.NoError(t, err)
		growth := exponential(selection.Epsilon().Part(1, c.l0).Rat())
		d := new(big.Float).SetPrec(700).SetRat(selection.Delta().Part(1, c.l0).Rat())
		d.SetMantExp(d, 64)
		one := new(big.Float).SetMantExp(big.NewFloat(1), 64)
		fresh := func() *big.Float { return new(big.Float).SetPrec(700) }

		before, _ := selection.KeepCount(c.from - 1)
		p := fresh().SetUint64(before)
		for n := c.from; n < c.from+50_000; n++ {
			count, certain := selection.KeepCount(n)
			next := fresh().SetUint64(count)
			if certain {
				next.Set(one)
			}
			// The most that DP allows: min(1, e^ε·p + δ, 1 - (1 - p - δ)/e^ε), here times 2^64.
			grown := fresh().Add(fresh().Mul(growth, p), d)
			rest := fresh().Sub(fresh().Sub(one, p), d)
			most := fresh().Sub(one, rest.Quo(rest, growth))
			for _, bound := range []*big.Float{grown, one} {
				if bound.Cmp(most) < 0 {
					most = bound
				}
			}
			require.LessOrEqual(t, next.Cmp(most), 0, "%v: too likely at %d", c, n)
			loss, _ := fresh().Sub(most, next).Float64()
			require.LessOrEqual(t, loss, 4.0, "%v: needlessly unlikely at %d", c, n)
			if certain {
				break
			}
			p = next
		}
		_, certain := selection.KeepCount(c.from + 50_000)
		assert.True(t, certain || c.epsilon == "0.3" || c.epsilon == "1e-6", "%v", c)
	}
}

func TestSelectionIsRefusedWhereNoGroupWouldBeCertain(t *testing.T) {
	_, err := mechanism.NewSelection(epsilon(t, "1e-6"), delta(t, "1e-10"), 1000, 1)
	assert.ErrorContains(t, err, "no group would be certain below 2^26 people")
	_, err = mechanism.NewSelection(epsilon(t, "1e-6"), delta(t, "1e-10"), 1, 1)
	assert.NoError(t, err, "the least ε is enough for one group")
	_, err = mechanism.NewSelection(epsilon(t, "1"), delta(t, "1e-6"), 0, 1)
	assert.ErrorContains(t, err, "declare contribution bounds")
	_, err = mechanism.NewSelection(epsilon(t, "1"), delta(t, "1e-6"), 1, 0)
	assert.ErrorContains(t, err, "selection.k: got 0, want 1 to 2^61")
}
