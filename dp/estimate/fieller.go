// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"math"
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
	tables map[float64][]float64 // quantile per cell, by level
}

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
	f := &fieller{pair: p, weights: w, tables: map[float64][]float64{}}
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

func (f *fieller) table(level float64) []float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.tables[level]; ok {
		return t
	}
	t := make([]float64, len(f.nodes)-1)
	guess := 0.0
	for k := range t {
		guess = f.pair.quantile(level, f.weights(f.nodes[k]), f.weights(f.nodes[k+1]), guess)
		t[k] = guess
	}
	f.tables[level] = t
	return t
}

// interval returns the hull of {θ : |x - θd| <= q(θ)}, and false if no θ is kept. Every θ is kept
// where the level is too small to be tabulated.
func (f *fieller) interval(x, d, level float64) (Interval, bool) {
	if !(level >= leastLevel) {
		return f.whole(), true
	}
	q := f.table(level)
	for first := range q {
		low, ok := f.within(first, q[first], x, d)
		if !ok {
			continue
		}
		for last := len(q) - 1; ; last-- {
			if high, ok := f.within(last, q[last], x, d); ok {
				return Interval{low.Low, high.High}, true
			}
		}
	}
	return Interval{}, false
}

func (f *fieller) whole() Interval { return Interval{f.nodes[0], f.nodes[len(f.nodes)-1]} }

// within returns the θ of cell k that are kept.
func (f *fieller) within(k int, q, x, d float64) (Interval, bool) {
	cell := Interval{f.nodes[k], f.nodes[k+1]}
	// Outward: more than the rounding of x - θd and of the quantile's own atoms.
	q += q*1e-9 + (math.Abs(x)+math.Abs(d)*max(math.Abs(cell.Low), math.Abs(cell.High)))*0x1p-50
	if d == 0 {
		return cell, math.Abs(x) <= q
	}
	low, high := (x-q)/d, (x+q)/d
	if d < 0 {
		low, high = high, low
	}
	cell.Low, cell.High = max(cell.Low, low), min(cell.High, high)
	return cell, cell.Low <= cell.High
}

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
