// SPDX-License-Identifier: Apache-2.0

package parquetio

import "github.com/parquet-go/parquet-go"

// maxDeltaBlock bounds the values of a block; writers use 128.
const maxDeltaBlock = 1 << 16

// errDelta is the fault of a DELTA_… encoding that breaks its own rules.
var errDelta = malformed("delta encoded data is damaged")

// deltaEnd checks n numbers of DELTA_BINARY_PACKED of at most widest bits and returns where they end.
// parquet-go takes memory for as many as they claim to be, and has no bound for their widths.
func deltaEnd(src []byte, n, widest int) (end int, err error) {
	c := compact{data: src}
	block, minis, total := c.uvarint(), c.uvarint(), c.uvarint()
	c.varint()
	if c.bad || block > maxDeltaBlock || minis == 0 || total != uint64(n) {
		return 0, errDelta
	}
	size := int(block / minis)
	for left := n - 1; left > 0; {
		c.varint()
		widths := c.at
		c.advance(minis)
		for i := 0; i < int(minis) && left > 0 && !c.bad; i++ {
			width, have := int(src[widths+i]), len(src)-c.at
			if width > widest || (min(size, left)*width+7)/8 > have {
				return 0, errDelta
			}
			// The last miniblock may lack the bytes of values that are not there.
			c.advance(uint64(min(size*width/8, have)))
			left -= size
		}
		if c.bad {
			return 0, errDelta
		}
	}
	return c.at, nil
}

// deltaLengths decodes the n lengths at the start of src and returns what follows them.
func deltaLengths(dst []int32, src []byte, n int) (lengths []int32, rest []byte, err error) {
	end, err := deltaEnd(src, n, 32)
	if err != nil {
		return nil, nil, err
	}
	lengths, err = parquet.DeltaBinaryPacked.DecodeInt32(grow(dst, n)[:0], src[:end])
	if err != nil || len(lengths) != n {
		return nil, nil, errDelta
	}
	for _, length := range lengths {
		if length < 0 {
			return nil, nil, errDelta
		}
	}
	return lengths, src[end:], nil
}

// boundLengths checks n values of DELTA_LENGTH_BYTE_ARRAY. parquet-go adds their lengths in 32 bits.
func (d *decoder) boundLengths(src []byte, n int) (err error) {
	s := d.scratch
	if s.lengths, src, err = deltaLengths(s.lengths, src, n); err != nil {
		return err
	}
	total := int64(0)
	for _, length := range s.lengths {
		total += int64(length)
	}
	if total > int64(len(src)) {
		return errTruncated
	}
	return nil
}

// boundPrefixes checks n values of DELTA_BYTE_ARRAY: each is a prefix of the one before and a suffix
// of its own. The sum of all can be the square of what the page holds; parquet-go takes memory for
// it, adds it in 32 bits and then writes without looking where the memory ends.
func (d *decoder) boundPrefixes(src []byte, n int) (err error) {
	s := d.scratch
	if s.prefixes, src, err = deltaLengths(s.prefixes, src, n); err != nil {
		return err
	}
	if s.lengths, src, err = deltaLengths(s.lengths, src, n); err != nil {
		return err
	}
	var total, suffixes, previous int64
	for i, prefix := range s.prefixes {
		if int64(prefix) > previous {
			return errDelta
		}
		suffixes += int64(s.lengths[i])
		previous = int64(prefix) + int64(s.lengths[i])
		if d.leaf.width > 0 && previous != int64(d.leaf.width) {
			return malformed("a value of fixed length has another length")
		}
		if total += previous; total > maxPage {
			return tooLarge("a page inflates to more than 256 MiB; write smaller pages")
		}
	}
	if suffixes > int64(len(src)) {
		return errTruncated
	}
	return nil
}
