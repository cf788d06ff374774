// SPDX-License-Identifier: Apache-2.0

package estimate

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

// TooFewForShare reports whether a noisy denominator is below ten standard deviations of its own
// noise. Shares and means of it are then withheld. The rule reads nothing but the noisy number.
func TooFewForShare(noisyDenominator int64, law Law) bool {
	return float64(noisyDenominator) < leastDenominator*law.StdDev()
}

// leastDenominator is in standard deviations of the denominator's own noise.
const leastDenominator = 10

// Quotable reports whether an interval is narrow enough to quote the figure: whether its half-width
// is at most the stated limit. A published figure that is not quotable carries the status U.
func Quotable(i Interval, limit float64) bool { return i.HalfWidth() <= limit }
