// SPDX-License-Identifier: Apache-2.0

package scalar

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// MaxQuanta is the largest magnitude of a quantum count. Larger values saturate: it leaves room to
// negate and to add two of them, and any declared bound lies below it.
const MaxQuanta = int64(1) << 62

// maxDecimalText bounds the bytes of a number, so that a hostile one costs nothing. The longest
// honest one is a float64 written out in full, 309 digits and a fraction.
const maxDecimalText = 512

// maxExponent is where exponents stop growing while they are read; it is far beyond every magnitude
// that does not saturate or round to zero.
const maxExponent = 1 << 20

// Decimal is a decimal number read exactly: ±mantissa·10^exponent. The zero value is 0. It may alias
// the text it was read from.
type Decimal struct {
	negative bool
	infinite bool
	mantissa uint64
	exponent int
	digits   int    // significant digits, 0 for the number 0
	long     []byte // the digits (and a point), where there are more than mantissa holds
}

// Resolution is the size of one quantum: mantissa·10^exponent.
type Resolution struct {
	mantissa uint64
	exponent int
}

// One is the resolution of whole numbers.
var One = Power(0)

// Power returns the resolution 10^exponent, for an exponent of −18 to 18.
func Power(exponent int) Resolution { return Resolution{1, exponent} }

// Rounding says which integer stands for a value between two.
type Rounding uint8

// The roundings.
const (
	// HalfAway rounds to the nearest integer, and a half away from zero.
	HalfAway Rounding = iota
	// Floor rounds toward minus infinity.
	Floor
)

// TrimSpace cuts ASCII white space from both ends.
func TrimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// ParseDecimal reads a plain decimal number with an optional sign, point and decimal exponent, or an
// infinity ("inf", "infinity", any case). White space around it is cut. Anything else is refused:
// "nan", hexadecimal, digit separators, digits of other scripts.
func ParseDecimal(text []byte) (Decimal, bool) {
	b := TrimSpace(text)
	if len(b) == 0 || len(b) > maxDecimalText {
		return Decimal{}, false
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	if isInfinity(b) {
		return Decimal{negative: negative, infinite: true}, true
	}
	d, n, ok := readDigits(b)
	if !ok {
		return Decimal{}, false
	}
	exponent, ok := readExponent(b[n:])
	d.negative = negative
	d.exponent += exponent
	return d, ok
}

// readDigits reads digits with at most one point and returns how many bytes they took.
func readDigits(b []byte) (d Decimal, n int, ok bool) {
	first, point := -1, false
	for ; n < len(b); n++ {
		c := b[n]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		ok = true
		if point {
			d.exponent--
		}
		if c == '0' && first < 0 {
			continue // a leading zero
		}
		if first < 0 {
			first = n
		}
		d.digits++
		if d.digits <= 19 { // 19 nines fit 64 bits
			d.mantissa = d.mantissa*10 + uint64(c-'0')
		}
	}
	if d.digits > 19 {
		d.long = b[first:n]
	}
	return d, n, ok
}

func readExponent(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != 'e' && b[0] != 'E' {
		return 0, false
	}
	b = b[1:]
	sign := 1
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	e := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		e = min(e*10+int(c-'0'), maxExponent)
	}
	return sign * e, true
}

func isInfinity(b []byte) bool {
	return equalFold(b, "inf") || equalFold(b, "infinity")
}

func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// FromInt returns i.
func FromInt(i int64) Decimal {
	d := Decimal{negative: i < 0, mantissa: uint64(i)}
	if i < 0 {
		d.mantissa = -uint64(i)
	}
	d.digits = decimalLen(d.mantissa)
	return d
}

// FromFloat returns the shortest decimal that reads back as f, and false for NaN. It is the decimal
// that a text format would have held, so that a number is the same whichever format brought it.
func FromFloat(f float64) (Decimal, bool) {
	if math.IsNaN(f) {
		return Decimal{}, false
	}
	if math.IsInf(f, 0) {
		return Decimal{negative: f < 0, infinite: true}, true
	}
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return FromInt(int64(f)), true
	}
	var buf [32]byte
	d, ok := ParseDecimal(strconv.AppendFloat(buf[:0], f, 'e', -1, 64))
	// 17 digits fit the mantissa; leaving long behind keeps buf on the stack.
	return Decimal{negative: d.negative, mantissa: d.mantissa, exponent: d.exponent, digits: d.digits}, ok
}

// ParseResolution reads a positive decimal with at most nine significant digits, between 1e-18 and
// 1e18.
func ParseResolution(text string) (Resolution, bool) {
	d, ok := ParseDecimal([]byte(text))
	if !ok || d.negative || d.infinite || d.digits == 0 || d.long != nil {
		return Resolution{}, false
	}
	r := Resolution{d.mantissa, d.exponent}
	for r.mantissa%10 == 0 {
		r.mantissa /= 10
		r.exponent++
	}
	ok = decimalLen(r.mantissa) <= 9 && r.exponent >= -18 && r.exponent+decimalLen(r.mantissa) <= 19
	return r, ok
}

// IsSet reports whether the resolution has been given a value.
func (r Resolution) IsSet() bool { return r.mantissa != 0 }

// Quanta returns how many quanta of r the number is, rounded, and whether that is exact. What lies
// beyond ±MaxQuanta, infinities included, saturates there and is not exact. There is no negative
// zero.
func (d Decimal) Quanta(r Resolution, rounding Rounding) (quanta int64, exact bool) {
	if d.infinite {
		return d.signed(uint64(MaxQuanta)), false
	}
	if d.digits == 0 {
		return 0, true
	}
	// The quotient lies in [10^(low), 10^(low+2)).
	low := d.digits - 1 + d.exponent - r.exponent - decimalLen(r.mantissa)
	if low >= 19 {
		return d.signed(uint64(MaxQuanta)), false
	}
	if low < -3 { // below 0.1: rounds to zero, or down to −1
		return d.round(0, false, rounding), false
	}
	quotient, atLeastHalf, exact := d.divide(r)
	if quotient >= uint64(MaxQuanta) {
		return d.signed(uint64(MaxQuanta)), exact && quotient == uint64(MaxQuanta)
	}
	return d.signed(d.magnitude(quotient, atLeastHalf, exact, rounding)), exact
}

func (d Decimal) magnitude(quotient uint64, atLeastHalf, exact bool, rounding Rounding) uint64 {
	if exact {
		return quotient
	}
	if rounding == Floor && d.negative || rounding == HalfAway && atLeastHalf {
		return quotient + 1
	}
	return quotient
}

func (d Decimal) round(quotient uint64, atLeastHalf bool, rounding Rounding) int64 {
	return d.signed(d.magnitude(quotient, atLeastHalf, false, rounding))
}

func (d Decimal) signed(magnitude uint64) int64 {
	if d.negative {
		return -int64(magnitude)
	}
	return int64(magnitude)
}

// divide returns ⌊|d|/r⌋ (saturated at MaxUint64), whether the rest is at least half a quantum, and
// whether there is no rest. The caller has bounded the quotient's magnitude.
func (d Decimal) divide(r Resolution) (quotient uint64, atLeastHalf, exact bool) {
	shift := d.exponent - r.exponent
	if d.long == nil && shift >= -19 && shift <= 19 {
		if q, half, whole, ok := divideSmall(d.mantissa, shift, r.mantissa); ok {
			return q, half, whole
		}
	}
	return d.divideBig(shift, r)
}

// divideSmall divides mantissa·10^shift by divisor in 128 bits; it gives up where they are too few.
func divideSmall(mantissa uint64, shift int, divisor uint64) (quotient uint64, atLeastHalf, exact, ok bool) {
	hi, lo := uint64(0), mantissa
	if shift >= 0 {
		hi, lo = bits.Mul64(mantissa, pow10[shift])
	} else {
		over, d := bits.Mul64(divisor, pow10[-shift])
		if over != 0 {
			return 0, false, false, false
		}
		divisor = d
	}
	if hi >= divisor {
		return 0, false, false, false
	}
	quotient, rest := bits.Div64(hi, lo, divisor)
	return quotient, rest >= divisor-rest, rest == 0, true
}

func (d Decimal) divideBig(shift int, r Resolution) (quotient uint64, atLeastHalf, exact bool) {
	numerator := new(big.Int).SetUint64(d.mantissa)
	if d.long != nil {
		numerator.SetString(withoutPoint(d.long), 10)
	}
	denominator := new(big.Int).SetUint64(r.mantissa)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		numerator.Mul(numerator, scale)
	} else {
		denominator.Mul(denominator, scale)
	}
	q, rest := new(big.Int).QuoRem(numerator, denominator, new(big.Int))
	exact = rest.Sign() == 0
	atLeastHalf = rest.Lsh(rest, 1).Cmp(denominator) >= 0
	if !q.IsUint64() {
		return math.MaxUint64, atLeastHalf, exact
	}
	return q.Uint64(), atLeastHalf, exact
}

func withoutPoint(digits []byte) string {
	out := make([]byte, 0, len(digits))
	for _, c := range digits {
		if c != '.' {
			out = append(out, c)
		}
	}
	return string(out)
}

// pow10 holds the powers of ten that fit 64 bits.
var pow10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// decimalLen returns the number of decimal digits of u, 0 for 0.
func decimalLen(u uint64) int {
	n := bits.Len64(u) * 1233 >> 12 // 1233/4096 is just above log10(2)
	if n < len(pow10) && u >= pow10[n] {
		n++
	}
	return n
}
