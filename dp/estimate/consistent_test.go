// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

// margins are the equations of a table of rows × columns: 0 is the total, then the rows, the columns
// and the cells.
func margins(rows, columns int) (equations []estimate.Equation) {
	cell := func(i, j int) int { return 1 + rows + columns + i*columns + j }
	all := []estimate.Equation{{Total: 0}, {Total: 0}}
	for i := range rows {
		all[0].Parts = append(all[0].Parts, 1+i)
		e := estimate.Equation{Total: 1 + i}
		for j := range columns {
			e.Parts = append(e.Parts, cell(i, j))
		}
		all = append(all, e)
	}
	for j := range columns {
		all[1].Parts = append(all[1].Parts, 1+rows+j)
		e := estimate.Equation{Total: 1 + rows + j}
		for i := range rows {
			e.Parts = append(e.Parts, cell(i, j))
		}
		all = append(all, e)
	}
	return all
}

// complete fills in totals from cells.
func complete(equations []estimate.Equation, n []int64) []int64 {
	n = slices.Clone(n)
	for _, e := range slices.Backward(equations) {
		n[e.Total] = 0
		for _, p := range e.Parts {
			n[e.Total] += n[p]
		}
	}
	return n
}

func countsOf(laws []estimate.Law) []estimate.Count {
	counts := make([]estimate.Count, len(laws))
	for i, law := range laws {
		counts[i] = estimate.Count{Law: law, ShownAt: estimate.AlwaysShown}
	}
	return counts
}

func requireSums(t *testing.T, equations []estimate.Equation, fitted []estimate.Fitted) {
	t.Helper()
	for _, e := range equations {
		display, value := fitted[e.Total].Display, fitted[e.Total].Value
		for _, p := range e.Parts {
			display -= fitted[p].Display
			value -= fitted[p].Value
		}
		require.Zero(t, display, "%v", e)
		require.InDelta(t, 0, value, 1e-6, "%v", e)
	}
}

func TestConsistentVarianceIsThatOfTheClosedForm(t *testing.T) {
	// A total T of m parts. The parts' sum estimates it too, so the two are weighted by 1/variance; a part
	// is estimated by itself and by T less the others.
	a, b := roundedLaplace{2}, roundedGauss{5}
	for _, m := range []int{1, 2, 7, 300} {
		laws := []estimate.Law{b}
		e := estimate.Equation{Total: 0}
		for i := range m {
			laws, e.Parts = append(laws, a), append(e.Parts, i+1)
		}
		c, err := estimate.NewConsistent(countsOf(laws), []estimate.Equation{e}, 0.05)
		require.NoError(t, err)
		fitted, ok := c.Estimate(make([]int64, m+1))
		require.True(t, ok)
		va, vb := a.StdDev()*a.StdDev(), b.StdDev()*b.StdDev()
		parallel := func(x, y float64) float64 { return math.Sqrt(x * y / (x + y)) }
		assert.InEpsilon(t, parallel(vb, float64(m)*va), fitted[0].StdDev, 1e-9, "total of %d", m)
		assert.InEpsilon(t, parallel(va, vb+float64(m-1)*va), fitted[m].StdDev, 1e-9, "part of %d", m)
		assert.Less(t, fitted[m].StdDev, a.StdDev())
	}
}

func TestConsistentMarginsCoverAddUpAndAreUnbiased(t *testing.T) {
	const rows, columns, runs, alpha = 2, 5, 20_000, 0.05
	equations := margins(rows, columns)
	r := generator()
	laws := []estimate.Law{}
	sample := []func() int64{}
	for i := range 1 + rows + columns + rows*columns {
		b := 2.0
		if i < 1+rows {
			b = 5
		}
		law := roundedLaplace{b}
		laws, sample = append(laws, law), append(sample, func() int64 { return law.sample(r) })
	}
	c, err := estimate.NewConsistent(countsOf(laws), equations, alpha)
	require.NoError(t, err)
	n := make([]int64, len(laws))
	for i := 1 + rows + columns; i < len(n); i++ {
		n[i] = int64(i * i * 3)
	}
	n = complete(equations, n)
	missed, bias, square := make([]int, len(n)), make([]float64, len(n)), make([]float64, len(n))
	var sd []float64
	for range runs {
		x := slices.Clone(n)
		for i := range x {
			x[i] += sample[i]()
		}
		fitted, ok := c.Estimate(x)
		require.True(t, ok)
		requireSums(t, equations, fitted)
		sd = sd[:0]
		for i, f := range fitted {
			if n[i] < f.Low || n[i] > f.High {
				missed[i]++
			}
			bias[i] += (f.Value - float64(n[i])) / runs
			square[i] += (f.Value - float64(n[i])) * (f.Value - float64(n[i])) / runs
			sd = append(sd, f.StdDev)
		}
	}
	for i, law := range laws {
		// Five standard deviations of a mean, of a mean square (kurtosis 6 at most) and of a frequency:
		// false alarms below 1e-5 for all 18 together.
		assert.InDelta(t, 0, bias[i], 5*sd[i]/math.Sqrt(runs), "bias of %d", i)
		assert.InEpsilon(t, sd[i]*sd[i], square[i], 5*math.Sqrt(5.0/runs), "variance of %d", i)
		assert.Less(t, sd[i], 0.99*law.StdDev(), "number %d", i)
		rate, noise := float64(missed[i])/runs, 5*math.Sqrt(alpha*(1-alpha)/runs)
		assert.Less(t, rate, alpha+noise, "misses of %d", i)
		assert.Greater(t, rate, alpha/3, "misses of %d: the interval is too wide", i)
	}
}

func TestConsistentIntervalsAreNarrowerThanRaw(t *testing.T) {
	equations := margins(2, 5)
	laws := slices.Repeat([]estimate.Law{roundedGauss{20}}, 18)
	c, err := estimate.NewConsistent(countsOf(laws), equations, 0.05)
	require.NoError(t, err)
	x := complete(equations, slices.Repeat([]int64{5000}, 18))
	fitted, ok := c.Estimate(x)
	require.True(t, ok)
	for i, f := range fitted {
		half := float64(f.High-f.Low) / 2
		// Normal noises combine to a normal one; the smoothing adds 2 % of a standard deviation.
		assert.InDelta(t, 1.95996*f.StdDev, half, 0.03*f.StdDev+1, "number %d", i)
		assert.Less(t, half, 0.95*1.96*20, "number %d", i)
	}
}

func TestCombinedQuantileIsThatOfPairs(t *testing.T) {
	for _, laws := range [][2]estimate.Law{
		{roundedLaplace{2}, roundedLaplace{2}}, {roundedLaplace{0.3}, roundedLaplace{9}}, {roundedGauss{8}, roundedLaplace{3}},
	} {
		for _, w := range [][2]float64{{0.5, 0.5}, {1, 0.25}, {0.9, 0.1}, {0.7, 0.0013}} {
			for _, level := range []float64{0.05, 1e-4} {
				want := estimate.PairQuantile(laws[0], laws[1], w[0], w[1], level)
				got, sd := estimate.CombinedQuantile(laws[:], w[:], level)
				assert.GreaterOrEqual(t, got, want*(1-1e-6), "%v %v %g: never too narrow", laws, w, level)
				assert.LessOrEqual(t, got, want*(1+1e-6)+0.05*sd, "%v %v %g", laws, w, level)
			}
		}
	}
}

func TestConsistentDisplaysAddUpAndAreNeverNegative(t *testing.T) {
	r := generator()
	law := roundedLaplace{6}
	tree := []estimate.Equation{{Total: 0, Parts: []int{1, 2, 3}}, {Total: 1, Parts: []int{4, 5}}, {Total: 1, Parts: []int{6, 7, 8}}}
	for name, c := range map[string]struct {
		equations []estimate.Equation
		numbers   int
	}{"tree": {tree, 9}, "margins": {margins(3, 4), 20}, "apart": {[]estimate.Equation{tree[0], {Total: 5, Parts: []int{4, 6}}}, 9}} {
		e, err := estimate.NewConsistent(countsOf(slices.Repeat([]estimate.Law{law}, c.numbers)), c.equations, 0.05)
		require.NoError(t, err, name)
		for range 2_000 {
			x := make([]int64, c.numbers)
			scale := 60 * r.Float64()
			for i := range x {
				x[i] = int64(scale*r.Float64()) + law.sample(r) - 5
			}
			fitted, ok := e.Estimate(x)
			require.True(t, ok, name)
			requireSums(t, c.equations, fitted)
			negative := false
			for _, f := range fitted {
				negative = negative || f.Value < 0
				require.GreaterOrEqual(t, f.Display, int64(0), name)
				require.True(t, 0 <= f.Low && f.Low <= f.Display && f.Display <= f.High, name)
			}
			for i, f := range fitted {
				if name == "tree" && !negative {
					require.InDelta(t, f.Value, float64(f.Display), 1, "number %d of %v", i, x)
				}
			}
		}
	}
}

func TestConsistentSumsOfEitherSign(t *testing.T) {
	count := estimate.Count{Law: roundedLaplace{6}, ShownAt: estimate.AlwaysShown, Floor: estimate.NoFloor}
	equations := []estimate.Equation{{Total: 0, Parts: []int{1, 2}}}
	c, err := estimate.NewConsistent(slices.Repeat([]estimate.Count{count}, 3), equations, 0.05)
	require.NoError(t, err)
	fitted, ok := c.Estimate([]int64{-100, -90, -4})
	require.True(t, ok)
	requireSums(t, equations, fitted)
	assert.InDelta(t, -98, fitted[0].Value, 1e-9)
	assert.InDelta(t, -92, fitted[1].Value, 1e-9)
	assert.EqualValues(t, -98, fitted[0].Display)
	assert.Less(t, fitted[0].Low, int64(-98))
	// Far from 0 the numbers still add up to the last digit.
	fitted, ok = c.Estimate([]int64{1 << 49, 1<<49 - 8, 11})
	require.True(t, ok)
	assert.Equal(t, fitted[0].Display, fitted[1].Display+fitted[2].Display)
	assert.EqualValues(t, 10, fitted[2].Display)
	_, ok = c.Estimate([]int64{1<<49 + 1, 0, 0})
	assert.False(t, ok, "floats do not hold it")
}

func TestConsistentWithThresholdsKeepsTheConditionalInterval(t *testing.T) {
	law := roundedLaplace{4}
	count := estimate.Count{Law: law, ShownAt: 20}
	equations := []estimate.Equation{{Total: 0, Parts: []int{1, 2}}}
	c, err := estimate.NewConsistent([]estimate.Count{count, count, count}, equations, 0.05)
	require.NoError(t, err)
	_, ok := c.Estimate([]int64{60, 40, 19})
	assert.False(t, ok, "a withheld number must not be told by the others")
	raw, err := estimate.NewCountEstimator(count, 0.05)
	require.NoError(t, err)
	x := []int64{80, 21, 26}
	fitted, ok := c.Estimate(x)
	require.True(t, ok)
	requireSums(t, equations, fitted)
	for i, f := range fitted {
		low, high, _ := raw.Interval(x[i])
		assert.Equal(t, [2]int64{min(low, f.Display), max(high, f.Display)}, [2]int64{f.Low, f.High})
	}
	assert.Greater(t, fitted[1].Display, int64(30))
}

func TestConsistentRefusesWhatItCannotPromise(t *testing.T) {
	counts := countsOf(slices.Repeat([]estimate.Law{roundedLaplace{2}}, 9))
	for _, c := range []struct {
		equations []estimate.Equation
		alpha     float64
		want      string
	}{
		{nil, 0, "alpha: got 0"},
		{[]estimate.Equation{{Total: 1}}, 0.05, "equations[0]: got no parts"},
		{[]estimate.Equation{{Total: 1, Parts: []int{9}}}, 0.05, "outside 0 to 8"},
		{[]estimate.Equation{{Total: 1, Parts: []int{-1}}}, 0.05, "outside 0 to 8"},
		{[]estimate.Equation{{Total: 1, Parts: []int{2, 2}}}, 0.05, "a number twice"},
		{[]estimate.Equation{{Total: 1, Parts: []int{1}}}, 0.05, "a number twice"},
		{[]estimate.Equation{{Total: 1, Parts: []int{2}}, {Total: 2, Parts: []int{1}}}, 0.05, "part of itself"},
		{[]estimate.Equation{{Total: 0, Parts: []int{2, 3}}, {Total: 1, Parts: []int{2, 4}}, {Total: 0, Parts: []int{5, 6}}}, 0.05, "different smallest parts"},
	} {
		_, err := estimate.NewConsistent(counts, c.equations, c.alpha)
		assert.ErrorContains(t, err, c.want)
	}
	_, err := estimate.NewConsistent([]estimate.Count{{Law: silent{}}}, nil, 0.05)
	assert.ErrorContains(t, err, "counts[0].law: got standard deviation 0")
	c, err := estimate.NewConsistent(counts, nil, 0.05)
	require.NoError(t, err)
	_, ok := c.Estimate([]int64{1})
	assert.False(t, ok)
	fitted, ok := c.Estimate([]int64{-7, 1, 2, 3, 4, 5, 6, 7, 8})
	require.True(t, ok)
	assert.Zero(t, fitted[0].Display, "alone and never negative")
	assert.InDelta(t, -7, fitted[0].Value, 0)
}

func TestConsistentOfAFewThousandNumbersTakesSeconds(t *testing.T) {
	start := time.Now()
	equations := margins(20, 150)
	n := 1 + 20 + 150 + 3000
	c, err := estimate.NewConsistent(countsOf(slices.Repeat([]estimate.Law{roundedLaplace{3}}, n)), equations, 0.05)
	require.NoError(t, err)
	fitted, ok := c.Estimate(complete(equations, slices.Repeat([]int64{40}, n)))
	require.True(t, ok)
	requireSums(t, equations, fitted)
	assert.EqualValues(t, 40*3000, fitted[0].Display)
	t.Log(time.Since(start))
}

func TestConsistentGivesWhatIsLeftToTheLargestRemainder(t *testing.T) {
	// One is missing from the parts. The noisiest takes most of it: 3.06, 3.06, 3.82 of 9.94.
	laws := []estimate.Law{roundedLaplace{2}, roundedLaplace{2}, roundedLaplace{2}, roundedLaplace{7}}
	c, err := estimate.NewConsistent(countsOf(laws), []estimate.Equation{{Total: 0, Parts: []int{1, 2, 3}}}, 0.05)
	require.NoError(t, err)
	fitted, ok := c.Estimate([]int64{10, 3, 3, 3})
	require.True(t, ok)
	assert.Equal(t, []int64{10, 3, 3, 4}, []int64{fitted[0].Display, fitted[1].Display, fitted[2].Display, fitted[3].Display})
}

func TestExpectFitIsTheIntervalOfTheFit(t *testing.T) {
	equations := margins(2, 3)
	counts := countsOf(slices.Repeat([]estimate.Law{roundedLaplace{20}}, 13))
	counts[12].ShownAt = 50 // in no equation
	c, err := estimate.NewConsistent(counts, equations, 0.05)
	require.NoError(t, err)
	x := complete(equations, slices.Repeat([]int64{600}, 13))
	x[12] = 600
	fitted, ok := c.Estimate(x)
	require.True(t, ok)
	for i := range 12 {
		expect, err := estimate.ExpectFit(counts, equations, i, 0.05)
		require.NoError(t, err)
		low, high := expect(x[i])
		assert.Equal(t, [2]int64{fitted[i].Low, fitted[i].High}, [2]int64{low, high}, "number %d", i)
	}
	low, _ := expectFit(t, counts, equations, 0)(3)
	assert.Zero(t, low, "never below the floor")
	assert.Nil(t, expectFit(t, counts, equations, 12))
	counts[4].ShownAt = 10
	assert.Nil(t, expectFit(t, counts, equations, 0), "one that hangs together with it was selected")
	_, err = estimate.ExpectFit(counts, []estimate.Equation{{Total: 1}}, 0, 0.05)
	assert.ErrorContains(t, err, "got no parts")
}

func expectFit(t *testing.T, counts []estimate.Count, equations []estimate.Equation, number int) func(int64) (low, high int64) {
	t.Helper()
	expect, err := estimate.ExpectFit(counts, equations, number, 0.05)
	require.NoError(t, err)
	return expect
}
