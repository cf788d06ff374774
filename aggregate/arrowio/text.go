// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"encoding/hex"
	"math/big"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/throngdp/throng/aggregate/table"
)

// appendText appends rows as bytes. Null rows get none, whatever stands in their place.
func (p *part) appendText(c *table.Column, rows, from, to int) error {
	write, err := p.writer()
	if err != nil {
		return err
	}
	if len(c.Offsets) == 0 {
		c.Offsets = append(c.Offsets, 0)
	}
	start := len(c.Data)
	for i := from; i < to; i++ {
		if !isNull(c, rows+i-from) {
			c.Data = write(c.Data, i)
		}
		if len(c.Data)-start > maxBatchText || uint64(len(c.Data)) > 1<<32-1 {
			return overLimit("too much text in one batch; write shorter record batches")
		}
		c.Offsets = append(c.Offsets, uint32(len(c.Data)))
	}
	return nil
}

// writer returns what appends the bytes of row i.
func (p *part) writer() (func(dst []byte, i int) []byte, error) {
	switch a := p.array.(type) {
	case interface{ Value(int) string }:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.FixedSizeBinary:
		if p.leaf.uuid {
			return func(dst []byte, i int) []byte { return appendUUID(dst, a.Value(i)) }, nil
		}
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case interface{ Value(int) []byte }:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(dst []byte, i int) []byte {
			n := a.Value(i)
			if high, low := n.HighBits(), int64(n.LowBits()); high == low>>63 {
				return appendDecimal(dst, strconv.AppendInt(nil, low, 10), scale)
			}
			return appendDecimal(dst, n.BigInt().Append(nil, 10), scale)
		}, nil
	case *array.Decimal256:
		scale := a.DataType().(*arrow.Decimal256Type).Scale
		return func(dst []byte, i int) []byte {
			var n *big.Int = a.Value(i).BigInt()
			return appendDecimal(dst, n.Append(nil, 10), scale)
		}, nil
	case *array.Null:
		return func(dst []byte, _ int) []byte { return dst }, nil
	}
	return nil, malformed("a column is not of its type")
}

// appendDecimal places the point: digits 1299 at scale 2 are 12.99, at scale -2 they are 129900.
func appendDecimal(dst, digits []byte, scale int32) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale <= 0 {
		dst = append(dst, digits...)
		for i := scale; i < 0 && digits[0] != '0'; i++ {
			dst = append(dst, '0')
		}
		return dst
	}
	whole := len(digits) - int(scale)
	if whole <= 0 {
		dst = append(dst, '0', '.')
		for ; whole < 0; whole++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:whole]...)
	dst = append(dst, '.')
	return append(dst, digits[whole:]...)
}

func appendUUID(dst, b []byte) []byte {
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}
