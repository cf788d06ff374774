// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

// coverage returns P(interval holds n | shown), summed over the law: no sampling, so no tolerance
// beyond that of float sums.
func coverage(t *testing.T, e *estimate.CountEstimator, c estimate.Count, n int64) float64 {
	t.Helper()
	reach := int64(25*c.Law.StdDev()) + 20
	first := n - reach
	shown := 1.0
	if c.ShownAt != estimate.AlwaysShown {
		first = max(first, c.ShownAt)
		shown = c.Law.Tail(c.ShownAt - n)
	}
	covered := 0.0
	for x := first; x <= max(n, first)+reach; x++ {
		low, high, ok := e.Interval(x)
		require.True(t, ok)
		if low <= n && n <= high {
			covered += mass(c.Law, x-n)
		}
	}
	return covered / shown
}

func TestCountIntervalCoversEveryTrueCountThatCanBeShown(t *testing.T) {
	for name, c := range map[string]estimate.Count{
		"plain":                       {Law: roundedLaplace{2}, ShownAt: estimate.AlwaysShown},
		"plain, little noise":         {Law: roundedLaplace{0.3}, ShownAt: estimate.AlwaysShown},
		"plain, normal":               {Law: roundedGauss{3}, ShownAt: estimate.AlwaysShown},
		"sum of either sign":          {Law: roundedLaplace{4}, ShownAt: estimate.AlwaysShown, Floor: estimate.NoFloor},
		"threshold k, declared noisy": {Law: roundedLaplace{2}, ShownAt: 20},
		"fused k":                     {Law: roundedLaplace{2}, ShownAt: 58, Floor: 20},
		"fused k, much noise":         {Law: roundedLaplace{7}, ShownAt: 100, Floor: 20},
		"fused k, little noise":       {Law: roundedLaplace{0.4}, ShownAt: 29, Floor: 20},
		"fused k, normal":             {Law: roundedGauss{3}, ShownAt: 41, Floor: 20},
		"threshold below zero":        {Law: roundedLaplace{2}, ShownAt: -3},
	} {
		t.Run(name, func(t *testing.T) {
			for _, alpha := range []float64{0.5, 0.05, 0.002} {
				e, err := estimate.NewCountEstimator(c, alpha)
				require.NoError(t, err)
				worst := 2.0
				for n := max(c.Floor, -30); n <= 130; n++ {
					got := coverage(t, e, c, n)
					worst = min(worst, got)
					assert.GreaterOrEqual(t, got, 1-alpha-1e-9, "n = %d, alpha = %g", n, alpha)
				}
				// And not by being too long. Chances of neighbouring integers differ by a factor of
				// exp(1/b), so a lattice cannot come nearer to the level than that.
				if c.Law.StdDev() > 2 {
					assert.Less(t, worst, 1-alpha/2)
				}
			}
		})
	}
}

func TestCountIntervalHoldsTheNoisyCountAndNeverPassesTheFloor(t *testing.T) {
	for _, c := range []estimate.Count{
		{Law: roundedLaplace{2}, ShownAt: estimate.AlwaysShown},
		{Law: roundedLaplace{2}, ShownAt: 20},
		{Law: roundedLaplace{2}, ShownAt: 58, Floor: 20},
		{Law: roundedGauss{3}, ShownAt: 41, Floor: 20},
	} {
		e, err := estimate.NewCountEstimator(c, 0.05)
		require.NoError(t, err)
		previousLow, previousHigh := int64(0), int64(0)
		for x := int64(-50); x < 300; x++ {
			low, high, shown := e.Interval(x)
			if x < c.ShownAt {
				assert.False(t, shown)
				continue
			}
			assert.LessOrEqual(t, c.Floor, low)
			assert.LessOrEqual(t, low, max(x, c.Floor))
			assert.GreaterOrEqual(t, high, max(x, c.Floor))
			assert.Greater(t, high, low, "a noisy number says nothing exactly")
			assert.LessOrEqual(t, previousLow, low)
			assert.LessOrEqual(t, previousHigh, high)
			previousLow, previousHigh = low, high
		}
	}
}

func TestCountJustAboveAThresholdFarAwaySaysNothingFromBelow(t *testing.T) {
	// Given that it was shown, a count far below the threshold exceeds it by a geometric law, whatever
	// the count: the lower end is the floor until the excess passes b·ln(1/alpha) = 5.99.
	c := estimate.Count{Law: roundedLaplace{2}, ShownAt: 5_000_000, Floor: 20}
	e, err := estimate.NewCountEstimator(c, 0.05)
	require.NoError(t, err)
	for excess := int64(0); excess < 30; excess++ {
		low, _, shown := e.Interval(c.ShownAt + excess)
		require.True(t, shown)
		if excess < 6 {
			assert.Equal(t, int64(20), low)
		} else {
			assert.Greater(t, low, c.ShownAt-40)
		}
	}
}

func TestAttackP09ClampAfterThresholdDoesNotUnsuppress(t *testing.T) {
	// The threshold judges the noisy integer as drawn. A floor (or a threshold of 0 after clamping)
	// must not lift a withheld number over it.
	for _, c := range []estimate.Count{
		{Law: roundedLaplace{2}, ShownAt: 0},
		{Law: roundedLaplace{2}, ShownAt: 5, Floor: 20},
	} {
		e, err := estimate.NewCountEstimator(c, 0.05)
		require.NoError(t, err)
		shares, err := estimate.NewPartShares([]estimate.Count{c, c, c}, 0.05)
		require.NoError(t, err)
		for x := c.ShownAt - 40; x < c.ShownAt; x++ {
			low, high, shown := e.Interval(x)
			assert.False(t, shown, "noisy %d, shown at %d", x, c.ShownAt)
			assert.Zero(t, low)
			assert.Zero(t, high)
			got, ok := shares.Estimate([]int64{x, 200, 100})
			require.True(t, ok)
			assert.Equal(t, estimate.Share{}, got[0], "a withheld share carries no value")
			assert.True(t, got[1].Shown)
		}
	}
}

func TestCountIntervalSurvivesTheEndsOfInt64(t *testing.T) {
	for _, c := range []estimate.Count{
		{Law: roundedLaplace{2}, ShownAt: estimate.AlwaysShown, Floor: estimate.NoFloor},
		{Law: roundedLaplace{1 << 48}, ShownAt: estimate.AlwaysShown},
		{Law: roundedLaplace{1 << 48}, ShownAt: math.MaxInt64 - 5},
		{Law: roundedLaplace{2}, ShownAt: math.MinInt64 + 1, Floor: estimate.NoFloor},
	} {
		e, err := estimate.NewCountEstimator(c, 1e-6)
		require.NoError(t, err)
		for _, x := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64} {
			low, high, shown := e.Interval(x)
			if shown {
				assert.LessOrEqual(t, low, max(x, c.Floor))
				assert.GreaterOrEqual(t, high, max(x, c.Floor))
			}
		}
	}
}

func TestCountEstimatorRefusesWhatItCannotUse(t *testing.T) {
	law := roundedLaplace{2}
	sum, err := estimate.NewSum([]estimate.Law{law, law})
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		count   estimate.Count
		alpha   float64
		wantErr string
	}{
		"no law":         {estimate.Count{}, 0.05, "count.law: got no law, want the law of the noise; pass the mechanism that drew it"},
		"no noise":       {estimate.Count{Law: silent{}}, 0.05, "count.law: got standard deviation 0, want a positive finite number; pass the mechanism that drew the noise"},
		"alpha of 0":     {estimate.Count{Law: law}, 0, "alpha: got 0, want 0 < alpha < 1; 0.05 gives 95 % intervals"},
		"alpha of NaN":   {estimate.Count{Law: law}, math.NaN(), "alpha: got NaN, want 0 < alpha < 1; 0.05 gives 95 % intervals"},
		"sum, truncated": {estimate.Count{Law: sum, ShownAt: 9}, 0.05, "count.shownAt: got a threshold on a sum, want AlwaysShown; the tail of a sum is an upper bound, which a truncated law cannot use"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := estimate.NewCountEstimator(tc.count, tc.alpha)
			assert.EqualError(t, err, tc.wantErr)
		})
	}
}
