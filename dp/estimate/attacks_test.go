// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

func TestAttackP02HomogeneousCell(t *testing.T) {
	// 200 men and no woman, then one woman: both give the same kinds of output, within [0, 100], and
	// never a bare 0 or 100 without an interval that leaves room for several people.
	e, err := estimate.NewPartShares(plainParts(2), 0.05)
	require.NoError(t, err)
	r, law := generator(), roundedLaplace{2}
	seen := map[int64]map[float64]bool{0: {}, 1: {}}
	for women, displays := range seen {
		for range 2_000 {
			noisy := []int64{women + law.sample(r), 200 + law.sample(r)}
			shares, ok := e.Estimate(noisy)
			require.True(t, ok)
			for _, s := range shares {
				require.True(t, 0 <= s.Display && s.Display <= 100 && s.Interval.Contains(s.Display))
				require.GreaterOrEqual(t, s.Interval.High-s.Interval.Low, 100*2/200.0, "wider than two people")
			}
			displays[estimate.RoundDecimal(shares[0].Display, 1).Float64()] = true
		}
	}
	common := 0
	for d := range seen[1] {
		if seen[0][d] {
			common++
		}
	}
	assert.Greater(t, common, 10, "many displays come from both")
	assert.True(t, seen[0][0] && seen[1][0], "0.0 does not mean that there was no woman")
}

func TestAttackP02SmallNoisyDenominatorIsWithheldByItsNoisyValue(t *testing.T) {
	law := roundedLaplace{2} // standard deviation 2.858
	assert.EqualValues(t, 29, estimate.LeastDenominator(law))

	count := estimate.Count{Law: law, ShownAt: estimate.AlwaysShown}
	e, err := estimate.NewTotalShares(count, count, 0.05)
	require.NoError(t, err)
	_, ok := e.Estimate(5, 28, 1)
	assert.False(t, ok)
	_, ok = e.Estimate(5, 29, 1)
	assert.True(t, ok)
}

// candidates counts the true numerators of the noisy denominator that agree with published ends.
func candidates(i estimate.Interval, denominator int64) (count int) {
	low, high := i.Decimals(1)
	first, last := low.Float64(), high.Float64()
	for a := int64(0); a <= denominator; a++ {
		if p := 100 * float64(a) / float64(denominator); first <= p && p <= last {
			count++
		}
	}
	return count
}

func TestAttackP03RoundingRevealsTheNumberOfPeople(t *testing.T) {
	// All outputs with a noisy total up to 200: what is published of a share, whichever way it was
	// rounded, leaves true numerators at least two standard deviations wide.
	law := roundedLaplace{2}
	least := 2 * law.StdDev()
	count := estimate.Count{Law: law, ShownAt: estimate.AlwaysShown}
	own, err := estimate.NewTotalShares(count, count, 0.05)
	require.NoError(t, err)
	parts, err := estimate.NewPartShares(plainParts(2), 0.05)
	require.NoError(t, err)
	for total := int64(1); total <= 200; total++ {
		for x := int64(-20); x <= total+20; x++ {
			if s, ok := own.Estimate(x, total, 1); ok && float64(candidates(s.Interval, total)) < least {
				t.Fatalf("%d of %d: %d candidates, want %g", x, total, candidates(s.Interval, total), least)
			}
			shares, ok := parts.Estimate([]int64{x, total - x})
			if !ok || total < estimate.LeastDenominator(law) {
				continue
			}
			for _, s := range shares {
				if got := candidates(s.Interval, total); float64(got) < least {
					t.Fatalf("%d and %d: %d candidates, want %g", x, total-x, got, least)
				}
			}
		}
	}
}

func TestAttackP08NumeralsOut(t *testing.T) {
	// Digits with exactly the stated places; a sign only before a number that is not 0.
	numeral := map[uint8]*regexp.Regexp{
		0: regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`),
		1: regexp.MustCompile(`^(0\.0|-?(0|[1-9][0-9]*)\.[1-9]|-?[1-9][0-9]*\.0)$`),
		3: regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]{3}$`),
	}
	minusZero := regexp.MustCompile(`^-[0.]*$`)
	counts, err := estimate.NewCountEstimator(estimate.Count{Law: roundedLaplace{2}, ShownAt: estimate.AlwaysShown}, 0.05)
	require.NoError(t, err)
	parts, err := estimate.NewPartShares(plainParts(3), 0.05)
	require.NoError(t, err)
	means, err := estimate.NewMeanEstimator(roundedLaplace{50}, roundedLaplace{2}, -10, 10, 0.05)
	require.NoError(t, err)
	r, law := generator(), roundedLaplace{2}
	check := func(d estimate.Decimal) {
		if text := d.String(); !numeral[d.Places].MatchString(text) || minusZero.MatchString(text) {
			t.Fatalf("got numeral %q with %d places", text, d.Places)
		}
	}
	for range 10_000 {
		x := []int64{law.sample(r), law.sample(r), 1 + law.sample(r)}
		low, high, _ := counts.Interval(x[0])
		check(estimate.Decimal{Units: low})
		check(estimate.Decimal{Units: high})
		shares, _ := parts.Estimate(x)
		for _, s := range shares {
			check(estimate.RoundDecimal(s.Value, 1))
			check(estimate.RoundDecimal(s.Value/1e9, 3))
			check(estimate.RoundDecimal(s.Display, 1))
			ends := s.Interval
			a, b := ends.Decimals(1)
			check(a)
			check(b)
		}
		m, _ := means.Estimate(x[0], x[1])
		check(estimate.RoundDecimal(m.Value, 3))
		a, b := m.Interval.Decimals(3)
		check(a)
		check(b)
	}
}
