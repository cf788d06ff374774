// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// PairQuantile returns the tabulated quantile of |u·A + v·B|: for tests of the numerics alone.
func PairQuantile(a, b Law, u, v, level float64) float64 {
	w := weights{u, v}
	return newPair(a, b).quantile(level, w, w, 0)
}

// Fieller is the inversion of tests for a mean in [low, high] or a share of parts in [0, 1].
type Fieller struct{ f *fieller }

// NewFieller returns one for two laws, of parts where low and high are equal.
func NewFieller(a, b Law, low, high float64) Fieller {
	if low == high {
		return Fieller{newShareFieller(a, b, true)}
	}
	return Fieller{newMeanFieller(a, b, low, high)}
}

// Interval is the hull that is used.
func (f Fieller) Interval(x, d, level float64) (Interval, bool) { return f.f.interval(x, d, level) }

// Scan is the same hull, found by looking at every cell.
func (f Fieller) Scan(x, d, level float64) (hull Interval, found bool) {
	q := f.f.table(level).at
	for k := range q {
		low := max(f.f.nodes[k], f.f.lowest(q[k], x, d))
		high := min(f.f.nodes[k+1], f.f.highest(q[k], x, d))
		if low > high {
			continue
		}
		if !found {
			hull.Low = low
		}
		hull.High, found = high, true
	}
	return hull, found
}

// Search is the interval of a count with a threshold, found without a guess and without a short cut.
func (e *CountEstimator) Search(noisy int64) (low, high int64, shown bool) {
	blind := *e
	blind.down, blind.up, blind.plain = maxDistance, maxDistance, math.MaxInt64
	return blind.Interval(noisy)
}

// CombinedQuantile is the quantile of |Σ w·N| for one draw of each law.
func CombinedQuantile(laws []Law, w []float64, level float64) (quantile, stdDev float64) {
	counts, numbers := make([]Count, len(laws)), make([]int, len(laws))
	for i, law := range laws {
		counts[i].Law = law
		for !sameLaw(laws[numbers[i]], law) {
			numbers[i]++
		}
	}
	c := newCombination(counts, numbers, w)
	return c.quantile(level), c.sd
}
