// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"math"
	"slices"
	"sort"
	"sync"
)

// fieller inverts the tests of θ = x/d on noisy X and D: it keeps every θ for which X - θD, whose
// true value is 0 under θ, is no larger than its noise explains (Fieller 1954). Unlike a normal
// interval for a ratio it stays valid when D may be near 0. Quantiles are tabulated once per level:
// cell k of the table holds a bound of the quantile for every θ between node k and node k+1, so the
// answer is never too narrow between nodes.
//
// A fieller is safe for concurrent use.
type fieller struct {
	pair    *pair
	weights func(theta float64) weights
	nodes   []float64

	mu     sync.Mutex
	tables map[float64]*quantiles // by level
}

// quantiles holds one quantile per cell, and the largest of all cells up to each and from each on.
type quantiles struct{ at, upTo, from []float64 }

// leastLevel is the smallest level that is tabulated. Below it every θ is kept.
const leastLevel = 1e-9

const (
	// cellWidth is the change of W within a cell in its own standard deviations.
	cellWidth = 0.01
	maxCells  = 4096
)

// newShareFieller is for the share θ of one part in a total. Where the total is the sum of the parts,
// X - θD = (1-θ)·A - θ·B with A the part's noise and B that of the others. Otherwise B is the noise
// of a total drawn by itself and X - θD = A - θ·B.
func newShareFieller(a, b Law, ofParts bool) *fieller {
	if ofParts {
		return newFieller(newPair(a, b), 0, 1, 1, func(p float64) weights { return weights{1 - p, p} })
	}
	return newFieller(newPair(a, b), 0, 1, 0, func(p float64) weights { return weights{1, p} })
}

func newMeanFieller(sum, events Law, low, high float64) *fieller {
	return newFieller(newPair(sum, events), low, high, 0, func(m float64) weights { return weights{1, math.Abs(m)} })
}

// newFieller lays out the nodes. aInD is 1 where D contains A, else 0.
func newFieller(p *pair, low, high, aInD float64, w func(float64) weights) *fieller {
	f := &fieller{pair: p, weights: w, tables: map[float64]*quantiles{}}
	sdD := math.Hypot(aInD*p.sdA, p.sdB)
	least := (high - low) / maxCells
	f.nodes = []float64{low}
	for at := low; at < high; {
		next := min(high, at+max(least, cellWidth*p.stdDev(w(at))/sdD))
		if at < 0 && next > 0 {
			next = 0 // weights drop signs, which is right only within one sign
		}
		if next <= at {
			break
		}
		at = next
		f.nodes = append(f.nodes, at)
	}
	if last := len(f.nodes) - 1; f.nodes[last] != high || last == 0 {
		f.nodes = append(f.nodes, high)
	}
	return f
}

func (f *fieller) table(level float64) *quantiles {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.tables[level]; ok {
		return t
	}
	t := &quantiles{at: make([]float64, len(f.nodes)-1)}
	guess := 0.0
	for k := range t.at {
		guess = f.pair.quantile(level, f.weights(f.nodes[k]), f.weights(f.nodes[k+1]), guess)
		t.at[k] = guess
	}
	t.upTo, t.from = slices.Clone(t.at), slices.Clone(t.at)
	for k := 1; k < len(t.at); k++ {
		t.upTo[k] = max(t.upTo[k], t.upTo[k-1])
	}
	for k := len(t.at) - 2; k >= 0; k-- {
		t.from[k] = max(t.from[k], t.from[k+1])
	}
	f.tables[level] = t
	return t
}

// interval returns the hull of {θ : |x - θd| <= q(θ)} for d > 0, and false if no θ is kept. Every θ is
// kept where the level is too small to be tabulated.
func (f *fieller) interval(x, d, level float64) (Interval, bool) {
	if !(level >= leastLevel) {
		return f.whole(), true
	}
	q := f.table(level)
	cells := len(q.at)
	// With the largest quantile of all cells to one side no θ of theirs is kept, so none is with its own.
	first := sort.Search(cells, func(k int) bool { return f.nodes[k+1] >= f.lowest(q.upTo[k], x, d) })
	last := sort.Search(cells, func(k int) bool { return f.nodes[k] > f.highest(q.from[k], x, d) }) - 1
	for ; first <= last; first++ {
		low := max(f.nodes[first], f.lowest(q.at[first], x, d))
		if low > min(f.nodes[first+1], f.highest(q.at[first], x, d)) {
			continue
		}
		for ; ; last-- {
			high := min(f.nodes[last+1], f.highest(q.at[last], x, d))
			if high >= max(f.nodes[last], f.lowest(q.at[last], x, d)) {
				return Interval{low, high}, true
			}
		}
	}
	return Interval{}, false
}

// lowest and highest are the ends of {θ : |x - θd| <= q} for d > 0.
func (f *fieller) lowest(q, x, d float64) float64  { return (x - f.outward(q, x, d)) / d }
func (f *fieller) highest(q, x, d float64) float64 { return (x + f.outward(q, x, d)) / d }

// outward adds more than the rounding of x - θd and of the quantile's own atoms.
func (f *fieller) outward(q, x, d float64) float64 {
	whole := f.whole()
	return q + q*1e-9 + (math.Abs(x)+d*max(math.Abs(whole.Low), math.Abs(whole.High)))*0x1p-50
}

func (f *fieller) whole() Interval { return Interval{f.nodes[0], f.nodes[len(f.nodes)-1]} }

// intervalAround is interval, made never empty and never shorter because a number came out where no
// true number can be: x is judged as it is and as the nearest number whose ratio is possible, and
// both answers are joined. More θ are kept, so coverage only rises.
func (f *fieller) intervalAround(x, d, level float64) Interval {
	whole := f.whole()
	if d <= 0 {
		return whole
	}
	low, high := whole.Low*d, whole.High*d
	joined, ok := f.interval(x, d, level)
	clipped := min(max(x, low), high)
	if clipped != x {
		if i, also := f.interval(clipped, d, level); also {
			if !ok {
				return i
			}
			return joined.Including(i.Low).Including(i.High)
		}
	}
	if !ok {
		return whole
	}
	return joined
}
