// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// Interval is a closed interval of real numbers.
type Interval struct{ Low, High float64 }

// Including returns the smallest interval that holds both i and x.
func (i Interval) Including(x float64) Interval { return Interval{min(i.Low, x), max(i.High, x)} }

// Contains reports whether x lies in i.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// HalfWidth returns half the length of i.
func (i Interval) HalfWidth() float64 { return (i.High - i.Low) / 2 }

// Decimals returns the ends of i at the given number of decimal places, rounded outward.
func (i Interval) Decimals(places uint8) (low, high Decimal) {
	return FloorDecimal(i.Low, places), CeilDecimal(i.High, places)
}

func (i Interval) clip(low, high float64) Interval {
	return Interval{min(max(i.Low, low), high), min(max(i.High, low), high)}
}

func (i Interval) times(f float64) Interval { return Interval{i.Low * f, i.High * f} }

// LeastDenominator returns the least noisy denominator of which shares and means are shown: ten standard
// deviations of its own noise. The rule reads nothing but the noisy number.
func LeastDenominator(law Law) int64 { return int64(math.Ceil(10 * law.StdDev())) }

// Quotable reports whether an interval is narrow enough to quote the figure: whether its half-width
// is at most the stated limit. A published figure that is not quotable carries the status U.
func Quotable(i Interval, limit float64) bool { return i.HalfWidth() <= limit }
