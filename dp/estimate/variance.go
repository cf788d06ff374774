// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
)

// Variance is an estimated variance of the values of records, in squared quanta.
type Variance struct {
	// Value is at least 0.
	Value float64
	// Interval holds the true variance and Value.
	Interval Interval
}

// VarianceEstimator estimates Q/n - (Y/n)², where Y and Q are the sums of x - c and of (x - c)² over n records
// whose values lie within reach of a centre c. It is safe for concurrent use.
//
// Its interval is the range of that expression over a box: intervals of Y, Q and n that miss with probability
// alpha/3 each hold together with 1 - alpha (the union bound). With u = 1/n the expression is Q·u - Y²·u², which
// rises in Q, falls in |Y| and is concave in u: its least value lies at an end of u, and its greatest at an end
// or at u = Q/(2Y²). Proof: the second derivative in u is -2Y² <= 0.
type VarianceEstimator struct {
	sum, squares, events *CountEstimator
	most                 float64
}

// NewVarianceEstimator returns an estimator for numbers with the given laws of noise. They must have been drawn
// independently of what decided that they are shown. Reach is the most by which a value can differ from the
// centre, so that no variance is above reach².
func NewVarianceEstimator(sum, squares, events Law, reach int64, alpha float64) (*VarianceEstimator, error) {
	if reach < 0 {
		return nil, fmt.Errorf("reach: got %d, want 0 or more; swap the ends of the clamp", reach)
	}
	e := &VarianceEstimator{most: float64(reach) * float64(reach)}
	for _, p := range []struct {
		to    **CountEstimator
		law   Law
		floor int64
	}{{&e.sum, sum, NoFloor}, {&e.squares, squares, 0}, {&e.events, events, 0}} {
		var err error
		if *p.to, err = NewCountEstimator(Count{Law: p.law, ShownAt: AlwaysShown, Floor: p.floor}, alpha/3); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Estimate returns the variance of noisy sums over a noisy number of events. It returns false where the number of
// events may be 0: there is then no Value.
func (e *VarianceEstimator) Estimate(sum, squares, events int64) (Variance, bool) {
	yLow, yHigh, _ := e.sum.Interval(sum)
	qLow, qHigh, _ := e.squares.Interval(squares)
	nLow, nHigh, _ := e.events.Interval(events)
	if nLow <= 0 || events <= 0 {
		return Variance{}, false
	}
	n, y := float64(events), float64(sum)
	value := min(max(float64(squares)/n-y/n*(y/n), 0), e.most)
	far := max(math.Abs(float64(yLow)), math.Abs(float64(yHigh)))
	near := 0.0
	if yLow > 0 || yHigh < 0 {
		near = min(math.Abs(float64(yLow)), math.Abs(float64(yHigh)))
	}
	from, to := 1/float64(nHigh), 1/float64(nLow)
	low := min(below(float64(qLow), far, from), below(float64(qLow), far, to))
	high := max(above(float64(qHigh), near, from), above(float64(qHigh), near, to))
	if best := float64(qHigh) / (2 * near * near); near > 0 && best > from && best < to {
		high = max(high, above(float64(qHigh), near, best))
	}
	return Variance{value, Interval{low, high}.clip(0, e.most).Including(value)}, true
}

// Root returns the standard deviation with its interval: the root rises, so that the ends stay ends.
func (v Variance) Root() Variance {
	root := func(x float64) float64 { return math.Sqrt(max(x, 0)) }
	value := root(v.Value)
	return Variance{value, Interval{down(root(v.Interval.Low)), up(root(v.Interval.High))}.Including(value)}
}

// below and above are q·u - y²·u² with more than its rounding taken off or put on.
func below(q, y, u float64) float64 { return q*u - y*u*(y*u) - (q*u+y*u*(y*u))*1e-14 }
func above(q, y, u float64) float64 { return q*u - y*u*(y*u) + (q*u+y*u*(y*u))*1e-14 }
