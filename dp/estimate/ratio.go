// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// Ratio is an estimated ratio of two numbers.
type Ratio struct {
	// Value is one noisy number over the other.
	Value float64
	// Interval holds the true ratio and Value.
	Interval Interval
}

// RatioEstimator estimates the ratio of two numbers of which the second is positive, such as purchases per
// visitor. It is safe for concurrent use.
//
// Its interval is that of the quotients of all pairs in two intervals that miss with probability alpha/2
// each, so that both hold together with 1 - alpha (the union bound). Unlike Fieller's it needs no range of the
// ratio, and the numbers may have decided by themselves whether they are shown.
type RatioEstimator struct{ numerator, denominator *CountEstimator }

// NewRatioEstimator returns an estimator whose intervals miss the true ratio with probability at most alpha,
// given that both numbers were shown.
func NewRatioEstimator(numerator, denominator Count, alpha float64) (*RatioEstimator, error) {
	n, err := NewCountEstimator(numerator, alpha/2)
	if err != nil {
		return nil, err
	}
	d, err := NewCountEstimator(denominator, alpha/2)
	if err != nil {
		return nil, err
	}
	return &RatioEstimator{n, d}, nil
}

// Estimate returns numerator over denominator, both noisy. It returns false where the denominator may be 0
// or less, or where one of them was not shown: nothing may be said then.
func (e *RatioEstimator) Estimate(numerator, denominator int64) (Ratio, bool) {
	low, high, shown := e.numerator.Interval(numerator)
	least, most, also := e.denominator.Interval(denominator)
	if !shown || !also || least <= 0 || denominator <= 0 {
		return Ratio{}, false
	}
	value := float64(numerator) / float64(denominator)
	if e.numerator.count.Floor != NoFloor {
		value = max(value, 0)
	}
	quotient := func(n, whenPositive, whenNegative int64) float64 {
		if n < 0 {
			whenPositive = whenNegative
		}
		return float64(n) / float64(whenPositive)
	}
	i := Interval{Low: down(quotient(low, most, least)), High: up(quotient(high, least, most))}
	return Ratio{value, i.Including(value)}, true
}

// down and up move a number by more than the rounding of a few operations.
func down(x float64) float64 { return x - math.Abs(x)*1e-14 }
func up(x float64) float64   { return x + math.Abs(x)*1e-14 }
