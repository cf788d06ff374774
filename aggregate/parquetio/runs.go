// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/rle"
)

// slack is room that must stand behind what parquet-go decodes: its kernels load whole words, also
// at the end of their input.
const slack = 32

// isRun reports whether levels are one run of n times the same level: those of a page without nulls.
func isRun(levels []byte, n uint64, level byte) bool {
	header, size := binary.Uvarint(levels)
	return size > 0 && header == n<<1 && len(levels) == size+1 && levels[size] == level
}

// decodeLevels decodes n definition levels of width bits to dst.
func decodeLevels(dst []uint8, src []byte, width, n int, patched *[]byte) ([]uint8, error) {
	src, err := boundRuns(src, width, n, patched)
	if err != nil {
		return nil, err
	}
	runs := rle.Encoding{BitWidth: width}
	// The last group of eight may go past the values.
	dst, err = runs.DecodeLevels(grow(dst, n+8)[:0], src)
	if err != nil || len(dst) < n {
		return nil, errUndecodable
	}
	return dst[:n], nil
}

// decodeIndexes decodes n dictionary indexes of width bits to dst.
func decodeIndexes(dst []int32, src []byte, width, n int, patched *[]byte) ([]int32, error) {
	if width == 0 {
		// A dictionary of one value: its indexes take no bits, and writers differ on what they write.
		dst = grow(dst, n)
		clear(dst)
		return dst, nil
	}
	src, err := boundRuns(src, width, n, patched)
	if err != nil {
		return nil, err
	}
	runs := rle.Encoding{BitWidth: width}
	dst, err = runs.DecodeInt32(grow(dst, n+8)[:0], src)
	if err != nil || len(dst) < n {
		return nil, errUndecodable
	}
	return dst[:n], nil
}

// boundRuns returns the part of src, runs of repeated and of bit-packed values of width bits, that
// holds n values. parquet-go takes memory for as many values as each run claims. A last run that
// claims more than n, or leaves out the bytes that no value needs, is put right in a copy of the
// runs, in *patched. It must pass over the runs as parquet-go does, or it would bound other ones.
func boundRuns(src []byte, width, n int, patched *[]byte) ([]byte, error) {
	at := 0
	for n > 0 {
		start := at
		header, size := binary.Uvarint(src[at:])
		if size <= 0 {
			return nil, errTruncated
		}
		at += size
		count := header >> 1
		if count == 0 {
			// Nothing follows an empty run, not even the value that it would repeat.
			continue
		}
		rest := src[at:]
		if header&1 == 0 {
			repeated := (width + 7) / 8
			if repeated > len(rest) {
				return nil, errTruncated
			}
			if count > uint64(n) {
				return patch(patched, src[:start], uint64(n)<<1, rest[:repeated], repeated), nil
			}
			at += repeated
			n -= int(count)
			continue
		}
		groups := (n + 7) / 8
		if count <= uint64(groups) && int(count)*width <= len(rest) {
			at += int(count) * width
			n -= int(count) * 8
			continue
		}
		if (n*width+7)/8 > len(rest) || count < uint64(groups) {
			return nil, errTruncated
		}
		return patch(patched, src[:start], uint64(groups)<<1|1, rest, groups*width), nil
	}
	return src[:at], nil
}

// patch returns runs and one more of the header and size bytes, which are those of data and zeros.
func patch(buf *[]byte, runs []byte, header uint64, data []byte, size int) []byte {
	out := append(grow(*buf, len(runs)+binary.MaxVarintLen64+size+slack)[:0], runs...)
	out = binary.AppendUvarint(out, header)
	out = append(out, data[:min(size, len(data))]...)
	out = append(out, make([]byte, size-min(size, len(data)))...)
	*buf = out
	return out
}
