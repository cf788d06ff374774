// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

// hidden is a table of rows × columns of which a last column is never among the numbers: the numbers are a
// total, the rows and the cells of the other columns.
func hidden(rows, columns int) (equations []estimate.Equation) {
	all, cells := estimate.Equation{Total: 0, Open: true}, estimate.Equation{Total: 0, Open: true}
	equations = []estimate.Equation{all, cells}
	for i := range rows {
		e := estimate.Equation{Total: 1 + i, Open: true}
		for j := range columns {
			e.Parts = append(e.Parts, 1+rows+i*columns+j)
		}
		equations = append(equations, e)
		equations[0].Parts = append(equations[0].Parts, e.Total)
		equations[1].Parts = append(equations[1].Parts, e.Parts...)
	}
	return equations
}

func requireNoMoreThanTotals(t *testing.T, equations []estimate.Equation, fitted []estimate.Fitted) {
	t.Helper()
	for _, e := range equations {
		left := fitted[e.Total].Display
		for _, p := range e.Parts {
			left -= fitted[p].Display
		}
		require.GreaterOrEqual(t, left, int64(0), "%v", e)
		require.True(t, e.Open || left == 0, "%v", e)
	}
}

// TestOpenEquationsHoldForDisplays draws totals that stand, with rows that are open to either side.
func TestOpenEquationsHoldForDisplays(t *testing.T) {
	const rows, columns = 4, 3
	equations := hidden(rows, columns)
	n := 1 + rows + rows*columns
	equations = append(equations, estimate.Equation{Total: 0, Parts: []int{n, n + 1}}) // the total stands
	r := generator()
	law, wide := roundedLaplace{4}, roundedLaplace{9}
	counts := countsOf(append(slices.Repeat([]estimate.Law{law}, n-1), wide, law, law))
	c, err := estimate.NewConsistent(counts, equations, 0.05)
	require.NoError(t, err)
	alone, err := estimate.NewConsistent(counts, equations[len(equations)-1:], 0.05)
	require.NoError(t, err)
	moved := 0
	for range 1_000 {
		x := make([]int64, n+2)
		for i := 1 + rows; i < n; i++ {
			x[i] = int64(40 * r.Float64())
		}
		for _, e := range equations[2:6] {
			for _, p := range e.Parts {
				x[e.Total] += x[p]
			}
			x[e.Total] += r.Int64N(3)
			x[0] += x[e.Total]
		}
		x[n] = x[0] / 2
		x[n+1] = x[0] - x[n]
		for i := range x {
			x[i] += counts[i].Law.(roundedLaplace).sample(r)
		}
		fitted, ok := c.Estimate(x)
		require.True(t, ok)
		requireNoMoreThanTotals(t, equations, fitted)
		before, ok := alone.Estimate(x)
		require.True(t, ok)
		for i, f := range fitted {
			if f.Display == before[i].Display {
				require.Equal(t, before[i], f, "nothing but what moves is different")
				continue
			}
			moved++
			require.NotContains(t, []int{0, n, n + 1}, i, "numbers of closed equations stand")
			b := before[i]
			b.Display, b.Low, b.High = f.Display, min(b.Low, f.Display), max(b.High, f.Display)
			require.Equal(t, b, f, "the interval is the same, extended")
			require.GreaterOrEqual(t, f.Display, int64(0))
		}
	}
	assert.Greater(t, moved, 2_500)
}

// TestOpenFitIsTheNearestOne looks for nearer whole numbers by trying all.
func TestOpenFitIsTheNearestOne(t *testing.T) {
	laws := []estimate.Law{roundedLaplace{4}, roundedLaplace{2}, roundedLaplace{2}, roundedLaplace{1}}
	// 0 ≥ 1 + 2, 1 ≥ 3: totals and parts in one.
	equations := []estimate.Equation{{Total: 1, Parts: []int{3}, Open: true}, {Total: 0, Parts: []int{1, 2}, Open: true}}
	c, err := estimate.NewConsistent(countsOf(laws), equations, 0.05)
	require.NoError(t, err)
	r := generator()
	for range 60 {
		x := []int64{r.Int64N(8), r.Int64N(10) - 3, r.Int64N(10) - 3, r.Int64N(10)}
		fitted, ok := c.Estimate(x)
		require.True(t, ok)
		requireNoMoreThanTotals(t, equations, fitted)
		far := func(d [4]int64) (sum float64) {
			for i, law := range laws {
				sum += math.Pow(float64(d[i]-x[i])/law.StdDev(), 2)
			}
			return sum
		}
		var best [4]int64
		nearest := math.Inf(1)
		for a := range int64(20) {
			for b := range a + 1 {
				for d := range a - b + 1 {
					for e := range b + 1 {
						if f := far([4]int64{a, b, d, e}); f < nearest {
							best, nearest = [4]int64{a, b, d, e}, f
						}
					}
				}
			}
		}
		for i, f := range fitted {
			// The best whole numbers are within 1 of the best numbers, and what is rounded within 1 of these.
			require.InDelta(t, best[i], f.Display, 2, "number %d of %v: %v", i, x, best)
		}
	}
}

func TestOpenEquationsKeepFloorsWhereTheyCan(t *testing.T) {
	count := estimate.Count{Law: roundedLaplace{4}, ShownAt: 25, Floor: 20}
	sum := estimate.Count{Law: roundedLaplace{4}, ShownAt: estimate.AlwaysShown}
	counts := []estimate.Count{count, count, count, sum}
	open := estimate.Equation{Total: 0, Parts: []int{1, 2}, Open: true}
	c, err := estimate.NewConsistent(counts, []estimate.Equation{open}, 0.05)
	require.NoError(t, err)
	fitted, ok := c.Estimate([]int64{26, 26, 40, 0})
	require.True(t, ok)
	assert.EqualValues(t, 20, fitted[1].Display, "no fewer than k people are in a group that is shown")
	assert.EqualValues(t, 43, fitted[0].Display)
	// A total that stands at 25 cannot have 2 parts of 20.
	c, err = estimate.NewConsistent(counts, []estimate.Equation{open, {Total: 0, Parts: []int{3}}}, 0.05)
	require.NoError(t, err)
	fitted, ok = c.Estimate([]int64{25, 26, 40, 25})
	require.True(t, ok)
	assert.Equal(t, []int64{25, 5, 20}, []int64{fitted[0].Display, fitted[1].Display, fitted[2].Display})
}

func TestOpenEquationsThatCannotHoldAreRefused(t *testing.T) {
	counts := countsOf(slices.Repeat([]estimate.Law{roundedLaplace{2}}, 5))
	_, err := estimate.NewConsistent(counts, []estimate.Equation{{Total: 1, Parts: []int{2}, Open: true}, {Total: 2, Parts: []int{1}, Open: true}}, 0.05)
	assert.ErrorContains(t, err, "part of itself")
	counts[3].Floor = estimate.NoFloor
	_, err = estimate.NewConsistent(counts, []estimate.Equation{{Total: 0, Parts: []int{1, 3}, Open: true}}, 0.05)
	assert.ErrorContains(t, err, "equations[0]: got an open one with a number that may be below 0")
	// Between two totals that stand, a number can be no more than 10 and no less than 30.
	counts[3].Floor = 0
	c, err := estimate.NewConsistent(append(counts, counts[0]), []estimate.Equation{
		{Total: 0, Parts: []int{1}}, {Total: 2, Parts: []int{3}}, {Total: 0, Parts: []int{4}, Open: true}, {Total: 4, Parts: []int{2}, Open: true},
	}, 0.05)
	require.NoError(t, err)
	_, ok := c.Estimate([]int64{10, 10, 30, 30, 20, 0})
	assert.False(t, ok)
	fitted, ok := c.Estimate([]int64{30, 30, 10, 10, 8, 0})
	require.True(t, ok)
	assert.EqualValues(t, 10, fitted[4].Display)
}

func TestOpenEquationsOfManyPartsAreQuick(t *testing.T) {
	const groups = 5_000
	equations := hidden(groups, 2)
	n := 1 + 3*groups
	c, err := estimate.NewConsistent(countsOf(slices.Repeat([]estimate.Law{roundedLaplace{3}}, n)), equations, 0.05)
	require.NoError(t, err)
	x := slices.Repeat([]int64{50}, n) // every row has 100 in its parts
	x[0] = 60 * groups
	fitted, ok := c.Estimate(x)
	require.True(t, ok)
	requireNoMoreThanTotals(t, equations, fitted)
	// Alike rows move alike: with v for each, row + λv = 2(50 − λv) gives 66.7; all rows are more than the total.
	assert.InDelta(t, 60, fitted[1].Display, 1)
	assert.InDelta(t, 30, fitted[1+groups].Display, 1)
}
