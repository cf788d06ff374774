// SPDX-License-Identifier: Apache-2.0

package parquetio

import "encoding/binary"

// maxDeltaBlock bounds the values of a block; writers use 128.
const maxDeltaBlock = 1 << 16

// errDelta is the fault of a DELTA_… encoding that breaks its own rules.
var errDelta = malformed("delta encoded data is damaged")

// decodeDelta decodes n numbers of DELTA_BINARY_PACKED to dst and returns what follows them. Sums
// wrap around, as the format wants.
func decodeDelta(dst []int64, src []byte, n int) (out []int64, rest []byte, err error) {
	c := compact{data: src}
	block, minis, total, value := c.uvarint(), c.uvarint(), c.uvarint(), c.varint()
	if c.bad || block == 0 || block > maxDeltaBlock || minis == 0 || block%minis != 0 || block/minis%8 != 0 {
		return nil, nil, errDelta
	}
	// The count has to be known before memory is taken: deltas of no width take no bytes.
	if total != uint64(n) {
		return nil, nil, errDelta
	}
	dst = grow(dst, n)
	src = src[c.at:]
	if n > 0 {
		dst[0] = value
	}
	for i := 1; i < n; {
		var next int
		if next, src, err = deltaBlock(dst, i, src, int(minis), int(block/minis)); err != nil {
			return nil, nil, err
		}
		i = next
	}
	return dst, src, nil
}

// deltaBlock decodes a block to dst from index i on; dst[i-1] is known.
func deltaBlock(dst []int64, i int, src []byte, minis, size int) (next int, rest []byte, err error) {
	least, n := binary.Varint(src)
	if n <= 0 || len(src)-n < minis {
		return 0, nil, errTruncated
	}
	widths := src[n : n+minis]
	src = src[n+minis:]
	for _, width := range widths {
		if i == len(dst) {
			break
		}
		count := min(size, len(dst)-i)
		if width > 64 || (count*int(width)+7)/8 > len(src) {
			return 0, nil, errDelta
		}
		deltas := dst[i : i+count]
		if width == 0 {
			clear(deltas)
		} else {
			unpack(deltas, src, int(width))
		}
		for k := range deltas {
			dst[i] = dst[i-1] + least + deltas[k]
			i++
		}
		// The last miniblock may lack the bytes of values that are not there.
		src = src[min(size*int(width)/8, len(src)):]
	}
	return i, src, nil
}

// deltaLengths decodes n lengths, and checks that none is negative.
func deltaLengths(dst []int64, src []byte, n int) (out []int64, rest []byte, err error) {
	if out, rest, err = decodeDelta(dst, src, n); err != nil {
		return nil, nil, err
	}
	for _, length := range out {
		if length < 0 || length > maxPage {
			return nil, nil, errDelta
		}
	}
	return out, rest, nil
}

// deltaText decodes n values of DELTA_LENGTH_BYTE_ARRAY.
func (d *decoder) deltaText(src []byte, n int) (err error) {
	var rest []byte
	d.scratch.lengths, rest, err = deltaLengths(d.scratch.lengths, src, n)
	if err != nil {
		return err
	}
	var end int64
	d.out.Offsets = append(d.out.Offsets[:0], 0)
	for _, length := range d.scratch.lengths {
		if end += length; end > int64(len(rest)) {
			return errTruncated
		}
		d.out.Offsets = append(d.out.Offsets, uint32(end))
	}
	d.out.Data = append(d.out.Data[:0], rest[:end]...)
	return nil
}

// deltaPrefixes decodes n values of DELTA_BYTE_ARRAY: each is a prefix of the one before and a
// suffix of its own. The sum of all is held against a limit before it is built, for it can be the
// square of what the page holds.
func (d *decoder) deltaPrefixes(src []byte, n int) (err error) {
	s := d.scratch
	s.prefixes, src, err = deltaLengths(s.prefixes, src, n)
	if err != nil {
		return err
	}
	s.lengths, src, err = deltaLengths(s.lengths, src, n)
	if err != nil {
		return err
	}
	var total, previous int64
	for i, prefix := range s.prefixes {
		if prefix > previous {
			return errDelta
		}
		previous = prefix + s.lengths[i]
		if total += previous; total > maxPage {
			return tooLarge("a page inflates to more than 256 MiB; write smaller pages")
		}
	}
	data := grow(d.out.Data, int(total))[:0]
	offsets := append(d.out.Offsets[:0], 0)
	start := 0
	for i, prefix := range s.prefixes {
		length := s.lengths[i]
		if length > int64(len(src)) {
			return errTruncated
		}
		from := start
		start = len(data)
		data = append(data, data[from:from+int(prefix)]...)
		data = append(data, src[:length]...)
		src = src[length:]
		offsets = append(offsets, uint32(len(data)))
	}
	d.out.Data, d.out.Offsets = data, offsets
	return nil
}
