// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/throngdp/throng/aggregate/table"
)

// conversion is how a physical value becomes what the batch carries.
type conversion uint8

const (
	asIs conversion = iota
	fromUint32
	fromUint64
	fromDays
	fromMillis
	fromNanos
	fromInt96
	fromFloat16
	fromUUID
	fromDecimalInt
	fromDecimalBytes
)

const (
	microsPerDay = 24 * 60 * 60 * 1_000_000
	// julianEpoch is the Julian day of 1970-01-01.
	julianEpoch = 2_440_588
	// maxDecimalBytes bounds an unscaled value; 32 bytes hold 76 digits, the most that any engine has.
	maxDecimalBytes = 32
)

// logical converts n decoded values in place. A value outside the range of its kind becomes null.
func (d *decoder) logical(n int) error {
	out := d.out
	switch d.leaf.convert {
	case fromUint32:
		for i, v := range out.Ints {
			out.Ints[i] = int64(uint32(v))
		}
	case fromUint64:
		for i, v := range out.Ints {
			if v < 0 {
				drop(out, i, n)
			}
		}
	case fromDays:
		d.multiply(microsPerDay)
	case fromMillis:
		d.multiply(1000)
	case fromNanos:
		for i, v := range out.Ints {
			out.Ints[i] = floorDiv(v, 1000)
		}
	case fromInt96:
		d.int96(n)
	case fromFloat16:
		out.Floats = grow(out.Floats, n)
		for i := range out.Floats {
			out.Floats[i] = float16(binary.LittleEndian.Uint16(out.Data[2*i:]))
		}
		out.Data, out.Offsets = out.Data[:0], out.Offsets[:0]
	case fromUUID, fromDecimalInt, fromDecimalBytes:
		return d.text(n)
	}
	return nil
}

// drop makes value i of n null.
func drop(out *table.Column, i, n int) {
	if len(out.Valid) == 0 {
		out.Valid = grow(out.Valid, n)
		for i := range out.Valid {
			out.Valid[i] = true
		}
	}
	out.Valid[i] = false
}

// multiply scales the values; one that overflows becomes null.
func (d *decoder) multiply(by int64) {
	for i, v := range d.out.Ints {
		if v > math.MaxInt64/by || v < math.MinInt64/by {
			drop(d.out, i, len(d.out.Ints))
			continue
		}
		d.out.Ints[i] = v * by
	}
}

// floorDiv divides and rounds down, also below zero; b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// int96 converts the nanoseconds of a day and a Julian day.
func (d *decoder) int96(n int) {
	out := d.out
	out.Ints = grow(out.Ints, n)
	for i := range out.Ints {
		nanos := int64(binary.LittleEndian.Uint64(out.Data[12*i:]))
		day := int64(int32(binary.LittleEndian.Uint32(out.Data[12*i+8:]))) - julianEpoch
		micros := floorDiv(nanos, 1000)
		// Within these bounds neither the product nor the sum overflows.
		const bound = math.MaxInt64 / 4
		if day > bound/microsPerDay || day < -bound/microsPerDay || micros > bound || micros < -bound {
			drop(out, i, n)
			continue
		}
		out.Ints[i] = day*microsPerDay + micros
	}
	out.Data, out.Offsets = out.Data[:0], out.Offsets[:0]
}

// float16 widens an IEEE half precision float.
func float16(h uint16) float64 {
	sign, exp, frac := uint64(h>>15)<<63, int(h>>10&0x1f), uint64(h&0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float64frombits(sign | 0x7ff<<52 | frac<<42)
	case exp != 0:
		return math.Float64frombits(sign | uint64(exp-15+1023)<<52 | frac<<42)
	}
	// Subnormal: frac · 2⁻²⁴ is exact.
	return math.Copysign(float64(frac)*0x1p-24, math.Float64frombits(sign|1))
}

// text converts to text, value by value. The old text may be the new one's memory, so that it is
// built beside and the two change places.
func (d *decoder) text(n int) error {
	s, out := d.scratch, d.out
	text := s.text[:0]
	offsets := append(s.offsets[:0], 0)
	var number decimal
	for i := range n {
		switch d.leaf.convert {
		case fromUUID:
			text = appendUUID(text, out.Data[16*i:16*i+16])
		case fromDecimalInt:
			text = number.appendInt(text, out.Ints[i], d.leaf.scale)
		case fromDecimalBytes:
			if raw := out.Text(i); len(raw) > 0 && len(raw) <= maxDecimalBytes {
				text = number.append(text, raw, d.leaf.scale)
			} else {
				drop(out, i, n)
			}
		}
		if len(text) > maxPage {
			return tooLarge("a page's values are longer than 256 MiB as text; write smaller pages")
		}
		offsets = append(offsets, uint32(len(text)))
	}
	if out.Lead > 0 {
		s.text = nil // the texts stand in memory that is lent
	} else {
		s.text = out.Data
	}
	out.Data, out.Lead = text, 0
	s.offsets, out.Offsets = out.Offsets, offsets
	out.Ints = out.Ints[:0]
	return nil
}

// appendUUID appends the canonical text of a UUID.
func appendUUID(dst, id []byte) []byte {
	for i, n := range [5]int{4, 2, 2, 2, 6} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, id[:n])
		id = id[n:]
	}
	return dst
}

// decimal writes decimals; it keeps what it has allocated.
type decimal struct {
	value, modulus big.Int
	digits         []byte
}

// appendInt appends unscaled · 10^-scale with all digits of the scale.
func (n *decimal) appendInt(dst []byte, unscaled int64, scale int) []byte {
	n.digits = strconv.AppendInt(n.digits[:0], unscaled, 10)
	return n.appendDigits(dst, scale)
}

// append appends a big-endian two's complement number · 10^-scale.
func (n *decimal) append(dst, unscaled []byte, scale int) []byte {
	if len(unscaled) <= 8 {
		var v uint64
		for _, b := range unscaled {
			v = v<<8 | uint64(b)
		}
		shift := 64 - 8*len(unscaled)
		return n.appendInt(dst, int64(v<<shift)>>shift, scale)
	}
	n.value.SetBytes(unscaled)
	if bits.LeadingZeros8(unscaled[0]) == 0 {
		n.modulus.SetInt64(1)
		n.modulus.Lsh(&n.modulus, uint(8*len(unscaled)))
		n.value.Sub(&n.value, &n.modulus)
	}
	n.digits = n.value.Append(n.digits[:0], 10)
	return n.appendDigits(dst, scale)
}

// appendDigits appends n.digits with a point before the last scale of them.
func (n *decimal) appendDigits(dst []byte, scale int) []byte {
	digits := n.digits
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale == 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(digits) {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}
