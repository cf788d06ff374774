// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"math"
	"slices"
	"strconv"
)

// Decimal is a number with a fixed number of decimal places: Units / 10^Places. It is the only form
// in which a number leaves, so that no low digit of a float, no -0 and no NaN can. The zero value
// is 0.
type Decimal struct {
	Units  int64
	Places uint8
}

// MaxPlaces is the most decimal places that a float is rounded to; more are taken as MaxPlaces.
const MaxPlaces = 15

// RoundDecimal returns f at the given number of places, ties away from zero. It saturates, and a NaN
// gives 0.
func RoundDecimal(f float64, places uint8) Decimal {
	floor, rest := scale(f, places)
	switch {
	case rest > 0.5, rest == 0.5 && f > 0:
		floor = addSaturating(floor, 1)
	}
	return Decimal{floor, min(places, MaxPlaces)}
}

// FloorDecimal returns the largest Decimal at the given number of places that is not above f: the
// lower end of an interval. It saturates; a NaN gives the least of all.
func FloorDecimal(f float64, places uint8) Decimal {
	if math.IsNaN(f) {
		f = math.Inf(-1)
	}
	floor, _ := scale(f, places)
	return Decimal{floor, min(places, MaxPlaces)}
}

// CeilDecimal returns the least Decimal at the given number of places that is not below f: the upper
// end of an interval. It saturates; a NaN gives the largest of all.
func CeilDecimal(f float64, places uint8) Decimal {
	if math.IsNaN(f) {
		f = math.Inf(1)
	}
	floor, rest := scale(f, places)
	if rest > 0 {
		floor = addSaturating(floor, 1)
	}
	return Decimal{floor, min(places, MaxPlaces)}
}

// scale returns floor(f·10^places) and what is left over, in [0, 1]. The product is split exactly
// into a float and its rounding error, so a tie is a tie and an end is never on the wrong side.
func scale(f float64, places uint8) (floor int64, rest float64) {
	const limit = 0x1p63
	power := math.Pow10(int(min(places, MaxPlaces)))
	product := f * power
	switch {
	case math.IsNaN(f):
		return 0, 0
	case product >= limit:
		return math.MaxInt64, 0
	case product < -limit:
		return math.MinInt64, 0
	}
	whole := math.Floor(product)
	rest = product - whole
	switch left := math.FMA(f, power, -product); {
	case rest == 0: // all that is left is in the error, which may be units where the product is large
		below := math.Floor(left)
		return addSaturating(int64(whole), int64(below)), left - below
	case rest == 0.5 && left != 0: // not a tie after all
		return int64(whole), math.Nextafter(0.5, math.Copysign(1, left))
	}
	return int64(whole), rest
}

// Float64 returns the nearest float64.
func (d Decimal) Float64() float64 {
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil {
		return 0 // cannot happen: String writes a plain numeral
	}
	return f
}

// String returns the number as digits with exactly Places decimals: "-0.5", "12.30", "7". There is
// never an exponent, and zero has no sign.
func (d Decimal) String() string { return string(d.Append(make([]byte, 0, 24))) }

// Append appends the text of String.
func (d Decimal) Append(dst []byte) []byte {
	magnitude := uint64(d.Units)
	if d.Units < 0 {
		magnitude, dst = -magnitude, append(dst, '-')
	}
	from, places := len(dst), int(d.Places)
	dst = strconv.AppendUint(dst, magnitude, 10)
	if places == 0 {
		return dst
	}
	for len(dst)-from <= places {
		dst = slices.Insert(dst, from, '0')
	}
	return slices.Insert(dst, len(dst)-places, '.')
}
