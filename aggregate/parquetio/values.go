// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/throngdp/throng/aggregate/table"
)

// errEncoding is the fault of an encoding that the column's type does not have.
var errEncoding = unsupported("the encoding of the column's pages is not supported; write PLAIN or dictionary pages")

// decoder decodes the values of one page, none of them null, to out.
type decoder struct {
	leaf    *leaf
	scratch *scratch
	out     *table.Column
}

// decode decodes n values of body and gives them the column's logical type.
func (d *decoder) decode(body []byte, n int, encoding format.Encoding) error {
	if err := d.physical(body, n, encoding); err != nil {
		return err
	}
	return d.logical(n)
}

// physical decodes to the physical type: Ints, Floats, or Data with Offsets.
func (d *decoder) physical(body []byte, n int, encoding format.Encoding) (err error) {
	switch encoding {
	case format.Plain:
		return d.plain(body, n)
	case format.RLE:
		return d.runs(body, n)
	case format.DeltaBinaryPacked:
		return d.delta(body, n)
	case format.DeltaLengthByteArray:
		if d.leaf.physical != format.ByteArray {
			return errEncoding
		}
		return d.deltaText(body, n)
	case format.DeltaByteArray:
		return d.deltaBytes(body, n)
	case format.ByteStreamSplit:
		if d.leaf.width == 0 || d.leaf.physical == format.Int96 {
			return errEncoding
		}
		return d.streams(body, n)
	}
	return errEncoding
}

// plain decodes PLAIN.
func (d *decoder) plain(body []byte, n int) error {
	switch d.leaf.physical {
	case format.Boolean:
		if len(body) < (n+7)/8 {
			return errTruncated
		}
		d.out.Ints = grow(d.out.Ints, n)
		for i := range d.out.Ints {
			d.out.Ints[i] = int64(body[i/8] >> (i % 8) & 1)
		}
		return nil
	case format.ByteArray:
		return d.plainText(body, n)
	}
	// Divided, not multiplied, so that nothing overflows.
	if len(body)/d.leaf.width < n {
		return errTruncated
	}
	d.fixedWidth(body[:n*d.leaf.width], n)
	return nil
}

// fixedWidth decodes n values of the leaf's width, one after the other.
func (d *decoder) fixedWidth(body []byte, n int) {
	switch d.leaf.physical {
	case format.Int32:
		d.out.Ints = grow(d.out.Ints, n)
		for i := range d.out.Ints {
			d.out.Ints[i] = int64(int32(binary.LittleEndian.Uint32(body[4*i:])))
		}
	case format.Int64:
		d.out.Ints = grow(d.out.Ints, n)
		for i := range d.out.Ints {
			d.out.Ints[i] = int64(binary.LittleEndian.Uint64(body[8*i:]))
		}
	case format.Float:
		d.out.Floats = grow(d.out.Floats, n)
		for i := range d.out.Floats {
			d.out.Floats[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:])))
		}
	case format.Double:
		d.out.Floats = grow(d.out.Floats, n)
		for i := range d.out.Floats {
			d.out.Floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(body[8*i:]))
		}
	default:
		d.out.Data = append(d.out.Data[:0], body...)
		d.out.Offsets = grow(d.out.Offsets, n+1)
		for i := range d.out.Offsets {
			d.out.Offsets[i] = uint32(i * d.leaf.width)
		}
	}
}

// plainText decodes BYTE_ARRAY values, each after its length.
func (d *decoder) plainText(body []byte, n int) error {
	if len(body)/4 < n {
		return errTruncated
	}
	data := grow(d.out.Data, len(body)-4*n)[:0]
	offsets := grow(d.out.Offsets, n+1)
	offsets[0] = 0
	for i := range n {
		if len(body) < 4 {
			return errTruncated
		}
		length := binary.LittleEndian.Uint32(body)
		body = body[4:]
		if uint64(length) > uint64(len(body)) {
			return errTruncated
		}
		data = append(data, body[:length]...)
		body = body[length:]
		offsets[i+1] = uint32(len(data))
	}
	d.out.Data, d.out.Offsets = data, offsets
	return nil
}

// runs decodes RLE booleans.
func (d *decoder) runs(body []byte, n int) error {
	if d.leaf.physical != format.Boolean {
		return errEncoding
	}
	runs, _, err := prefixed(body)
	if err != nil {
		return err
	}
	values := make([]uint8, n)
	if err := decodeHybrid(values, runs, 1); err != nil {
		return err
	}
	d.out.Ints = grow(d.out.Ints, n)
	for i, v := range values {
		d.out.Ints[i] = int64(v & 1)
	}
	return nil
}

// delta decodes DELTA_BINARY_PACKED.
func (d *decoder) delta(body []byte, n int) (err error) {
	if d.leaf.physical != format.Int32 && d.leaf.physical != format.Int64 {
		return errEncoding
	}
	d.out.Ints, _, err = decodeDelta(d.out.Ints, body, n)
	if d.leaf.physical == format.Int32 {
		for i, v := range d.out.Ints {
			d.out.Ints[i] = int64(int32(v))
		}
	}
	return err
}

// deltaBytes decodes DELTA_BYTE_ARRAY, of text or of values of one length.
func (d *decoder) deltaBytes(body []byte, n int) error {
	if d.leaf.physical != format.ByteArray && d.leaf.physical != format.FixedLenByteArray {
		return errEncoding
	}
	if err := d.deltaPrefixes(body, n); err != nil {
		return err
	}
	if d.leaf.physical == format.FixedLenByteArray {
		for i, end := range d.out.Offsets {
			if int(end) != i*d.leaf.width {
				return malformed("a value of fixed length has another length")
			}
		}
	}
	return nil
}

// streams decodes BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on.
func (d *decoder) streams(body []byte, n int) error {
	width := d.leaf.width
	if len(body)/width < n {
		return errTruncated
	}
	joined := grow(d.scratch.text, n*width)
	d.scratch.text = joined
	for k := range width {
		stream := body[k*n : k*n+n]
		for i, b := range stream {
			joined[i*width+k] = b
		}
	}
	d.fixedWidth(joined, n)
	return nil
}
