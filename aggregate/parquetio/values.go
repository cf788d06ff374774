// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
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
func (d *decoder) decode(body []byte, n int, e format.Encoding) error {
	if err := d.physical(body, n, e); err != nil {
		return err
	}
	return d.logical(n)
}

// physical decodes to the physical type: Ints, Floats, or Data with Offsets.
func (d *decoder) physical(body []byte, n int, e format.Encoding) error {
	switch {
	case e == format.RLE && d.leaf.physical == format.Boolean:
		return d.boolRuns(body, n)
	case e == format.Plain && d.leaf.physical == format.ByteArray:
		return d.plainTexts(body, n)
	}
	body, err := d.bound(body, n, e)
	if err != nil {
		return err
	}
	got, err := d.values(body, n, parquet.LookupEncoding(e))
	switch {
	case errors.Is(err, encoding.ErrNotSupported):
		return errEncoding
	case err != nil || got != n:
		return errUndecodable
	}
	return nil
}

// bound returns the part of body that holds n values. parquet-go decodes as many as it finds, and
// its memory has to be bounded by what the page's header was allowed to say.
func (d *decoder) bound(body []byte, n int, e format.Encoding) ([]byte, error) {
	physical, width := d.leaf.physical, d.leaf.width
	switch {
	case e == format.Plain && physical == format.Boolean:
		return prefix(body, (n+7)/8)
	case e == format.Plain, e == format.ByteStreamSplit && physical != format.Int96 && width > 0:
		// Divided first, so that the product does not overflow.
		if len(body)/width < n {
			return nil, errTruncated
		}
		return body[:n*width], nil
	case e == format.DeltaBinaryPacked && (physical == format.Int32 || physical == format.Int64):
		end, err := deltaEnd(body, n, 8*width)
		return body[:end], err
	case e == format.DeltaLengthByteArray && physical == format.ByteArray:
		return body, d.boundLengths(body, n)
	case e == format.DeltaByteArray && (physical == format.ByteArray || physical == format.FixedLenByteArray):
		return body, d.boundPrefixes(body, n)
	}
	return nil, errEncoding
}

// prefix returns the first n bytes.
func prefix(body []byte, n int) ([]byte, error) {
	if len(body) < n {
		return nil, errTruncated
	}
	return body[:n], nil
}

// textLead is the length that stands before each value of BYTE_ARRAY.
const textLead = 4

// plainTexts finds n values of BYTE_ARRAY, each after its length, and leaves them where they are.
func (d *decoder) plainTexts(body []byte, n int) error {
	offsets := grow(d.out.Offsets, n+1)
	at := 0
	for i := range n {
		offsets[i] = uint32(at)
		if len(body)-at < textLead {
			return errTruncated
		}
		length := binary.LittleEndian.Uint32(body[at:])
		at += textLead
		if uint64(length) > uint64(len(body)-at) {
			return errTruncated
		}
		at += int(length)
	}
	offsets[n] = uint32(at)
	d.out.Data, d.out.Offsets, d.out.Lead = body[:at:at], offsets, textLead
	return nil
}

// values decodes with parquet-go, and returns how many values that gave.
func (d *decoder) values(body []byte, n int, e encoding.Encoding) (got int, err error) {
	out, s := d.out, d.scratch
	switch d.leaf.physical {
	case format.Boolean:
		s.bits, err = e.DecodeBoolean(s.bits, body)
		if err != nil || 8*len(s.bits) < n {
			return 0, err
		}
		out.Ints = grow(out.Ints, n)
		for i := range out.Ints {
			out.Ints[i] = int64(s.bits[i/8] >> (i % 8) & 1)
		}
		return n, nil
	case format.Int32:
		s.int32s, err = e.DecodeInt32(grow(s.int32s, n)[:0], body)
		out.Ints = widen(out.Ints, s.int32s)
		return len(out.Ints), err
	case format.Int64:
		out.Ints, err = e.DecodeInt64(grow(out.Ints, n)[:0], body)
		return len(out.Ints), err
	case format.Float:
		s.floats, err = e.DecodeFloat(grow(s.floats, n)[:0], body)
		out.Floats = widen(out.Floats, s.floats)
		return len(out.Floats), err
	case format.Double:
		out.Floats, err = e.DecodeDouble(grow(out.Floats, n)[:0], body)
		return len(out.Floats), err
	case format.ByteArray:
		data := grow(out.Data, max(len(body)-4*n, 0))[:0]
		out.Data, out.Offsets, err = e.DecodeByteArray(data, body, grow(out.Offsets, n+1)[:0])
		return len(out.Offsets) - 1, err
	}
	return d.fixedWidth(body, n, e)
}

// fixedWidth decodes FIXED_LEN_BYTE_ARRAY, and INT96 as if it were one of 12 bytes.
func (d *decoder) fixedWidth(body []byte, n int, e encoding.Encoding) (got int, err error) {
	out, width := d.out, d.leaf.width
	out.Data, err = e.DecodeFixedLenByteArray(grow(out.Data, n*width)[:0], body, width)
	out.Offsets = grow(out.Offsets, n+1)
	for i := range out.Offsets {
		out.Offsets[i] = uint32(i * width)
	}
	return len(out.Data) / width, err
}

// boolRuns decodes RLE booleans, which are levels of one bit. parquet-go's own decoder for them
// takes runs of a length that is no multiple of eight for longer ones.
func (d *decoder) boolRuns(body []byte, n int) error {
	runs, _, err := prefixed(body)
	if err != nil {
		return err
	}
	s := d.scratch
	if s.bits, err = decodeLevels(s.bits, runs, 1, n, &s.patched); err != nil {
		return err
	}
	d.out.Ints = grow(d.out.Ints, n)
	for i, v := range s.bits {
		d.out.Ints[i] = int64(v & 1)
	}
	return nil
}

// widen copies src to dst.
func widen[To int64 | float64, From int32 | float32](dst []To, src []From) []To {
	dst = grow(dst, len(src))
	for i, v := range src {
		dst[i] = To(v)
	}
	return dst
}
