// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

// Observed coverage of 8,000 runs at 95 % has standard deviation 0.244 points; 5.7 of them, false alarm 6e-9,
// are 1.39 points.
const quotientRuns, leastCoverage = 8_000, 0.95 - 0.0139

func TestRatioIsCovered(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b   int64
		sa, sb float64
		floor  int64
	}{
		"events per visitor":      {a: 40_000, b: 3_000, sa: 50, sb: 2},
		"both are noisy":          {a: 900, b: 400, sa: 30, sb: 20},
		"either sign":             {a: -20, b: 400, sa: 30, sb: 5, floor: estimate.NoFloor},
		"nothing to be divided":   {a: 0, b: 300, sa: 10, sb: 10},
		"the divisor is in doubt": {a: 50, b: 60, sa: 5, sb: 25},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := roundedLaplace{tc.sa}, roundedLaplace{tc.sb}
			e, err := estimate.NewRatioEstimator(
				estimate.Count{Law: a, ShownAt: estimate.AlwaysShown, Floor: tc.floor},
				estimate.Count{Law: b, ShownAt: estimate.AlwaysShown}, 0.05)
			require.NoError(t, err)
			r, truth := generator(), float64(tc.a)/float64(tc.b)
			missed, width := 0.0, 0.0
			for range quotientRuns {
				v, ok := e.Estimate(tc.a+a.sample(r), tc.b+b.sample(r))
				if !ok {
					continue
				}
				require.True(t, v.Interval.Contains(v.Value))
				width += v.Interval.HalfWidth()
				if !v.Interval.Contains(truth) {
					missed++
				}
			}
			assert.LessOrEqual(t, missed/quotientRuns, 1-leastCoverage)
			assert.Positive(t, width)
		})
	}
}

// TestRatioIsWithheldWhereItsDivisorMayBeNothing checks the ends: a number that was not shown, and a divisor
// whose interval reaches 0.
func TestRatioIsWithheldWhereItsDivisorMayBeNothing(t *testing.T) {
	law := roundedLaplace{2}
	e, err := estimate.NewRatioEstimator(estimate.Count{Law: law, ShownAt: estimate.AlwaysShown},
		estimate.Count{Law: law, ShownAt: 20, Floor: 10}, 0.05)
	require.NoError(t, err)
	_, ok := e.Estimate(100, 19)
	assert.False(t, ok, "the divisor was withheld")
	v, ok := e.Estimate(100, 20)
	assert.True(t, ok)
	assert.LessOrEqual(t, v.Interval.High, 11.0, "its divisor is 10 at least")
	v, ok = e.Estimate(-3, 20)
	assert.True(t, ok)
	assert.Zero(t, v.Value, "a count is never negative")
	e, err = estimate.NewRatioEstimator(estimate.Count{Law: law, ShownAt: estimate.AlwaysShown},
		estimate.Count{Law: law, ShownAt: estimate.AlwaysShown}, 0.05)
	require.NoError(t, err)
	_, ok = e.Estimate(100, 3)
	assert.False(t, ok)
	_, err = estimate.NewRatioEstimator(estimate.Count{}, estimate.Count{Law: law}, 0.05)
	assert.Error(t, err)
	_, err = estimate.NewRatioEstimator(estimate.Count{Law: law}, estimate.Count{}, 0.05)
	assert.Error(t, err)
}

func TestVarianceIsCovered(t *testing.T) {
	for name, tc := range map[string]struct {
		sum, squares, events int64
		reach                int64
		scales               [3]float64
	}{
		"spread":               {sum: -400_000, squares: 900_000_000, events: 20_000, reach: 1800, scales: [3]float64{9000, 9e6, 5}},
		"one value":            {sum: 10_000, squares: 100_000, events: 1_000, reach: 10, scales: [3]float64{20, 200, 4}},
		"half at either end":   {sum: 0, squares: 500_000, events: 5_000, reach: 10, scales: [3]float64{20, 200, 4}},
		"the events are noisy": {sum: 3_000, squares: 40_000, events: 1_000, reach: 20, scales: [3]float64{20, 400, 60}},
		"in the middle":        {sum: 0, squares: 0, events: 400, reach: 5, scales: [3]float64{30, 100, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			var laws [3]roundedLaplace
			for i, b := range tc.scales {
				laws[i] = roundedLaplace{b}
			}
			e, err := estimate.NewVarianceEstimator(laws[0], laws[1], laws[2], tc.reach, 0.05)
			require.NoError(t, err)
			n, mean := float64(tc.events), float64(tc.sum)/float64(tc.events)
			truth := float64(tc.squares)/n - mean*mean
			most := float64(tc.reach * tc.reach)
			r := generator()
			missed := 0.0
			for range quotientRuns {
				v, ok := e.Estimate(tc.sum+laws[0].sample(r), tc.squares+laws[1].sample(r), tc.events+laws[2].sample(r))
				require.True(t, ok)
				require.True(t, v.Interval.Contains(v.Value))
				require.True(t, 0 <= v.Interval.Low && v.Interval.High <= most)
				root := v.Root()
				require.Equal(t, v.Interval.Contains(truth), root.Interval.Contains(math.Sqrt(truth)), "%v %v", v, root)
				if !v.Interval.Contains(truth) {
					missed++
				}
			}
			assert.LessOrEqual(t, missed/quotientRuns, 1-leastCoverage)
		})
	}
}

// TestVarianceIsTheRangeOverTheBox compares the interval with what a search over the box finds.
func TestVarianceIsTheRangeOverTheBox(t *testing.T) {
	law := roundedLaplace{20}
	e, err := estimate.NewVarianceEstimator(law, law, law, 50, 0.05)
	require.NoError(t, err)
	one, err := estimate.NewCountEstimator(estimate.Count{Law: law, ShownAt: estimate.AlwaysShown, Floor: estimate.NoFloor}, 0.05/3)
	require.NoError(t, err)
	first, last, _ := one.Interval(0)
	within := func(x float64, i, steps int) float64 {
		return x + float64(first) + float64(last-first)*float64(i)/float64(steps)
	}
	for _, x := range [][3]float64{{0, 3000, 300}, {5000, 90_000, 500}, {-5000, 60_000, 500}, {90, 2_000, 900}, {700, 1_000, 90}} {
		low, high := math.Inf(1), math.Inf(-1)
		for i := range 41 {
			for j := range 41 {
				for k := range 401 {
					y, q, n := within(x[0], i, 40), within(x[1], j, 40), within(x[2], k, 400)
					v := min(max(q/n-y/n*y/n, 0), 2500)
					low, high = min(low, v), max(high, v)
				}
			}
		}
		v, ok := e.Estimate(int64(x[0]), int64(x[1]), int64(x[2]))
		require.True(t, ok)
		assert.LessOrEqual(t, v.Interval.Low, low)
		assert.GreaterOrEqual(t, v.Interval.High, high)
		assert.InDelta(t, high-low, 2*v.Interval.HalfWidth(), 0.05*(high-low), "%v: %v, a search finds %v to %v", x, v, low, high)
	}
	_, ok := e.Estimate(0, 0, 40)
	assert.False(t, ok, "there may be no events")
	_, err = estimate.NewVarianceEstimator(law, law, law, -1, 0.05)
	assert.Error(t, err)
	_, err = estimate.NewVarianceEstimator(law, law, nil, 1, 0.05)
	assert.Error(t, err)
}
