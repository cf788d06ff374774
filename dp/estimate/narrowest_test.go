// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

func TestCountIntervalWithoutThresholdIsTheNarrowest(t *testing.T) {
	for _, law := range []estimate.Law{
		roundedLaplace{0.3}, roundedLaplace{0.7}, roundedLaplace{2}, roundedLaplace{7}, roundedGauss{1}, roundedGauss{2.5}, roundedGauss{3}, roundedGauss{4}, roundedGauss{9},
	} {
		for _, alpha := range []float64{0.5, 0.05, 0.01, 0.0005} {
			e, err := estimate.NewCountEstimator(estimate.Count{Law: law, ShownAt: estimate.AlwaysShown}, alpha)
			require.NoError(t, err)
			low, high, _ := e.Interval(1000)
			narrowest := int64(math.MaxInt64)
			for a := int64(0); a < 100; a++ {
				for b := int64(0); a+b < min(narrowest, 200); b++ {
					if law.Tail(b+1)+law.Tail(a+1) <= alpha {
						narrowest = a + b
					}
				}
			}
			assert.Equal(t, narrowest, high-low, "%v, alpha %g", law, alpha)
			assert.Contains(t, []int64{0, 1}, (1000-low)-(high-1000), "%v, alpha %g: what is odd lies below", law, alpha)
		}
	}
}

// family holds what is known of one noise, threshold and floor: the chance of each shown number for each true one.
type family struct {
	alpha       float64
	floor, from int64       // the first true number, and the first shown one
	chance      [][]float64 // by true and by shown number
	width       []float64   // of our interval, by shown number
}

func newFamily(t *testing.T, c estimate.Count, alpha float64, last int64) *family {
	t.Helper()
	e, err := estimate.NewCountEstimator(c, alpha)
	require.NoError(t, err)
	f := &family{alpha: alpha, floor: c.Floor, from: c.ShownAt}
	reach := int64(16 * c.Law.StdDev())
	for x := c.ShownAt; x < last+2*reach; x++ {
		low, high, _ := e.Interval(x)
		f.width = append(f.width, float64(high-low))
	}
	for n := c.Floor; n < last+reach; n++ {
		chances := make([]float64, len(f.width))
		for i := range chances {
			chances[i] = mass(c.Law, f.from+int64(i)-n) / c.Law.Tail(c.ShownAt-n)
		}
		f.chance = append(f.chance, chances)
	}
	return f
}

// ours is the mean width of our interval where n is the true number.
func (f *family) ours(n int64) (mean float64) {
	for i, p := range f.chance[n-f.floor] {
		mean += p * f.width[i]
	}
	return mean
}

// least returns the least mean cost of a region that keeps a true number with chance 1-alpha, where each shown
// number has a cost. The lemma of Neyman and Pearson: the numbers with the largest chance for their cost, and a part
// of the last one, which no lattice can have.
func (f *family) least(chance, cost []float64, order []int) (total float64) {
	kept := 0.0
	for _, i := range order {
		part := 1.0
		if kept+chance[i] > 1-f.alpha {
			part = max(0, (1-f.alpha-kept)/chance[i])
		}
		kept, total = kept+part*chance[i], total+part*cost[i]
		if part < 1 {
			break
		}
	}
	return total
}

// pratt is Pratt's bound: no interval that is valid for every true number is narrower on average where n is the true
// number, not even one that guesses n. The mean number of members of a random set is the sum of the chances that each
// is a member (Ghosh 1961, Pratt 1961). It is that of the sum of the sizes of all members.
func (f *family) pratt(n int64, size func(int64) float64) (total float64) {
	up := make([]int, len(f.width))
	for i := range up {
		up[i] = i
	}
	down := slices.Clone(up)
	slices.Reverse(down)
	for i, chance := range f.chance {
		m, order := f.floor+int64(i), up // what speaks most for a smaller number is smallest
		if m > n {
			order = down
		}
		total += size(m) * f.least(chance, f.chance[n-f.floor], order)
	}
	return total
}

// everywhere returns a share below which no valid interval can be of our mean width at each of the given true numbers
// at once: the least average over a prior, which is made heavier where that least interval is narrower than ours.
func (f *family) everywhere(at []int64) (bound float64) {
	prior := slices.Repeat([]float64{1 / float64(len(at))}, len(at))
	order := make([]int, len(f.width))
	for range 40 {
		cost := make([]float64, len(f.width))
		offset := 0.0
		for k, n := range at {
			ours := f.ours(n)
			offset += prior[k] / ours
			for i, p := range f.chance[n-f.floor] {
				cost[i] += prior[k] * p / ours
			}
		}
		value, ratios := -offset, make([]float64, len(at))
		for _, chance := range f.chance {
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(i, j int) int { return cmp.Compare(chance[j]*cost[i], chance[i]*cost[j]) })
			value += f.least(chance, cost, order)
			for k, n := range at {
				ratios[k] += f.least(chance, f.chance[n-f.floor], order)
			}
		}
		bound = max(bound, value)
		sum := 0.0
		for k, n := range at {
			prior[k] *= math.Exp(4 * ((ratios[k]-1)/f.ours(n) - value))
			sum += prior[k]
		}
		for k := range prior {
			prior[k] /= sum
		}
	}
	return bound
}

// TestNoValidIntervalIsMuchNarrowerNearAThreshold holds the widths of shown counts to what is possible, without
// sampling. Pratt's bound at a true number is met by an interval that guesses this very number and pays for it at
// others: even where there is no threshold ours is 1.2 to 1.4 times that wide. So that ratio must not be worse near
// a threshold; and whatever a valid interval does, somewhere from two standard deviations below the threshold to ten
// above it must be at least as wide as ours divided by 1.05.
func TestNoValidIntervalIsMuchNarrowerNearAThreshold(t *testing.T) {
	laplace := func(b float64) estimate.Law {
		law, err := mechanism.NewLaplace(b, 1, 1)
		require.NoError(t, err)
		return law
	}
	normal := func(sigma float64) estimate.Law {
		law, err := mechanism.NewGaussian(sigma, 1, 1)
		require.NoError(t, err)
		return law
	}
	for name, c := range map[string]estimate.Count{
		"laplace 2, k":    {Law: laplace(2), ShownAt: 58, Floor: 20},
		"laplace 2":       {Law: laplace(2), ShownAt: 20},
		"laplace 4, k":    {Law: laplace(4), ShownAt: 90, Floor: 20},
		"normal 3, k":     {Law: normal(3), ShownAt: 41, Floor: 20},
		"normal 6":        {Law: normal(6), ShownAt: 20},
		"normal 6, far k": {Law: normal(6), ShownAt: 62, Floor: 20},
	} {
		t.Run(name, func(t *testing.T) {
			place := func(sds float64) int64 { return max(c.Floor, c.ShownAt+int64(sds*c.Law.StdDev())) }
			f := newFamily(t, c, 0.05, place(12))
			ratioAt := func(n int64) float64 {
				return f.ours(n) / (f.pratt(n, func(int64) float64 { return 1 }) - 1) // k whole numbers are k-1 wide
			}
			away := ratioAt(place(12))
			var near []int64
			for sds := -2.0; sds <= 10; sds++ {
				n := place(sds)
				ratio := ratioAt(n)
				t.Logf("%+3.0f standard deviations: width %5.1f, %.3f times Pratt's bound", sds, f.ours(n), ratio)
				assert.GreaterOrEqual(t, ratio, 1-1e-6, "a valid interval")
				assert.LessOrEqual(t, ratio, 1.05*away, "no worse than away from the threshold")
				near = append(near, n)
			}
			bound := f.everywhere(slices.Compact(near))
			t.Logf("away from the threshold %.3f times; any valid interval is somewhere at least %.3f of ours", away, bound)
			assert.GreaterOrEqual(t, bound, 1/1.05)
		})
	}
}
