// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// maxBatchText bounds the text that one batch copies: views may name the same bytes again and again.
const maxBatchText = 1 << 28

// bitmap is a validity bitmap whose first row is at bit start; one without bits has no nulls.
type bitmap struct {
	bits  []byte
	start int
}

func bitmapOf(a arrow.Array) bitmap {
	return bitmap{bits: a.NullBitmapBytes(), start: a.Data().Offset()}
}

func (b bitmap) valid(i int) bool {
	i += b.start
	return b.bits[i>>3]>>(i&7)&1 == 1
}

// part is a column of a record batch: values or codes, and the structs above.
type part struct {
	leaf  *leaf
	array arrow.Array
	above []bitmap
	dict  *table.Dict
	// lists says which items a row has, of which there are as many as array is long, and rowsAbove where there is a
	// list; nil for a column that is in none.
	lists     ranges
	rowsAbove []bitmap
}

// appendTo appends values from..to to c, which has so many rows.
func (p *part) appendTo(c *table.Column, rows, from, to int) error {
	p.appendValid(c, rows, from, to)
	if p.dict != nil {
		c.Kind, c.Dict = p.dict.Values.Kind, p.dict
		return p.appendCodes(c, rows, from, to)
	}
	c.Kind = p.leaf.kind
	switch c.Kind {
	case anonymize.Bytes:
		return p.appendText(c, rows, from, to)
	case anonymize.Float:
		return p.appendFloats(c, from, to)
	case anonymize.Time:
		return p.appendTimes(c, rows, from, to)
	}
	return p.appendInts(c, rows, from, to)
}

// appendValid keeps c.Valid empty as long as no row is null.
func (p *part) appendValid(c *table.Column, rows, from, to int) {
	maps := make([]bitmap, 0, 4)
	for _, b := range append(p.above[:len(p.above):len(p.above)], bitmapOf(p.array)) {
		if len(b.bits) > 0 {
			maps = append(maps, b)
		}
	}
	if len(maps) == 0 && len(c.Valid) == 0 && p.array.DataType().ID() != arrow.NULL {
		return
	}
	allValid(c, rows)
	for i := from; i < to; i++ {
		valid := p.array.DataType().ID() != arrow.NULL
		for _, b := range maps {
			valid = valid && b.valid(i)
		}
		c.Valid = append(c.Valid, valid)
	}
}

// allValid writes out that the first rows are valid, before a null follows.
func allValid(c *table.Column, rows int) {
	if len(c.Valid) > 0 {
		return
	}
	for range rows {
		c.Valid = append(c.Valid, true)
	}
}

// setNull makes a row null after the fact; rows counts all rows of c.
func setNull(c *table.Column, row, rows int) {
	allValid(c, rows)
	c.Valid[row] = false
}

func isNull(c *table.Column, row int) bool { return len(c.Valid) > 0 && !c.Valid[row] }

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func widen[T integer](dst []int64, src []T) []int64 {
	for _, v := range src {
		dst = append(dst, int64(v))
	}
	return dst
}

// integers appends the values of an integer array; unsigned 64-bit values wrap.
func integers(dst []int64, a arrow.Array, from, to int) ([]int64, error) {
	switch a := a.(type) {
	case *array.Int8:
		return widen(dst, a.Int8Values()[from:to]), nil
	case *array.Int16:
		return widen(dst, a.Int16Values()[from:to]), nil
	case *array.Int32:
		return widen(dst, a.Int32Values()[from:to]), nil
	case *array.Int64:
		return append(dst, a.Int64Values()[from:to]...), nil
	case *array.Uint8:
		return widen(dst, a.Uint8Values()[from:to]), nil
	case *array.Uint16:
		return widen(dst, a.Uint16Values()[from:to]), nil
	case *array.Uint32:
		return widen(dst, a.Uint32Values()[from:to]), nil
	case *array.Uint64:
		return widen(dst, a.Uint64Values()[from:to]), nil
	}
	return nil, malformed("a column is not of its type")
}

func (p *part) appendInts(c *table.Column, rows, from, to int) error {
	if a, ok := p.array.(*array.Boolean); ok {
		for i := from; i < to; i++ {
			bit := int64(0)
			if a.Value(i) {
				bit = 1
			}
			c.Ints = append(c.Ints, bit)
		}
		return nil
	}
	var err error
	if c.Ints, err = integers(c.Ints, p.array, from, to); err != nil {
		return err
	}
	if _, unsigned := p.array.(*array.Uint64); unsigned {
		for i := rows; i < len(c.Ints); i++ {
			if c.Ints[i] < 0 {
				setNull(c, i, rows+to-from)
			}
		}
	}
	return nil
}

func (p *part) appendFloats(c *table.Column, from, to int) error {
	switch a := p.array.(type) {
	case *array.Float16:
		for i := from; i < to; i++ {
			c.Floats = append(c.Floats, widenFloat16(a.Value(i)))
		}
	case *array.Float32:
		for _, v := range a.Float32Values()[from:to] {
			c.Floats = append(c.Floats, float64(v))
		}
	case *array.Float64:
		c.Floats = append(c.Floats, a.Float64Values()[from:to]...)
	default:
		return malformed("a column is not of its type")
	}
	return nil
}

// widenFloat16 is exact; the Arrow library gets subnormal numbers wrong.
func widenFloat16(n float16.Num) float64 {
	bits := n.Uint16()
	sign, exponent, fraction := 1.0, int(bits>>10&31), float64(bits&1023)
	if bits>>15 == 1 {
		sign = -1
	}
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(fraction+1024, exponent-25)
}

func (p *part) appendTimes(c *table.Column, rows, from, to int) error {
	var scale func(int64) (int64, bool)
	switch a := p.array.(type) {
	case *array.Date32:
		c.Ints, scale = widen(c.Ints, a.Date32Values()[from:to]), times(86_400_000_000)
	case *array.Date64:
		c.Ints, scale = widen(c.Ints, a.Date64Values()[from:to]), times(1000)
	case *array.Timestamp:
		c.Ints = widen(c.Ints, a.TimestampValues()[from:to])
		scale = toMicros(a.DataType().(*arrow.TimestampType).Unit)
	default:
		return malformed("a column is not of its type")
	}
	for i := rows; i < len(c.Ints); i++ {
		micros, fits := scale(c.Ints[i])
		c.Ints[i] = micros
		if !fits {
			setNull(c, i, rows+to-from)
		}
	}
	return nil
}

func toMicros(unit arrow.TimeUnit) func(int64) (int64, bool) {
	switch unit {
	case arrow.Second:
		return times(1_000_000)
	case arrow.Millisecond:
		return times(1000)
	case arrow.Microsecond:
		return times(1)
	}
	return floorMicros
}

// times multiplies, and says false where the product does not fit: an instant never wraps.
func times(factor int64) func(int64) (int64, bool) {
	limit := math.MaxInt64 / factor
	return func(v int64) (int64, bool) { return v * factor, -limit <= v && v <= limit }
}

// floorMicros rounds nanoseconds down, before 1970 too.
func floorMicros(v int64) (int64, bool) {
	micros := v / 1000
	if v%1000 < 0 {
		micros--
	}
	return micros, true
}

// appendCodes checks every code that a valid row has against the dictionary.
func (p *part) appendCodes(c *table.Column, rows, from, to int) error {
	codes, err := integers(c.Ints[:0], p.array, from, to)
	if err != nil {
		return err
	}
	for i, code := range codes {
		if code >= 0 && code < int64(p.dict.Len) {
			c.Codes = append(c.Codes, uint32(code))
			continue
		}
		if !isNull(c, rows+i) {
			return malformed("a dictionary code is out of range")
		}
		c.Codes = append(c.Codes, 0)
	}
	c.Ints = codes[:0]
	return nil
}
