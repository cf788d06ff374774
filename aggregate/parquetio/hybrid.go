// SPDX-License-Identifier: Apache-2.0

package parquetio

import "encoding/binary"

// decodeHybrid fills dst from runs of repeated and of bit-packed values of width bits (the RLE /
// bit-packing hybrid of levels, dictionary indexes and booleans).
func decodeHybrid[T uint8 | uint32](dst []T, src []byte, width int) error {
	if width == 0 {
		clear(dst)
		return nil
	}
	repeated := (width + 7) / 8
	for len(dst) > 0 {
		header, n := binary.Uvarint(src)
		if n <= 0 {
			return errTruncated
		}
		src = src[n:]
		if header&1 == 1 {
			taken, rest, err := unpackGroups(dst, src, width, header>>1)
			if err != nil {
				return err
			}
			dst, src = dst[taken:], rest
			continue
		}
		if len(src) < repeated {
			return errTruncated
		}
		var v uint32
		for i := range repeated {
			v |= uint32(src[i]) << (8 * i)
		}
		src = src[repeated:]
		run := min(header>>1, uint64(len(dst)))
		fill(dst[:run], T(v))
		dst = dst[run:]
	}
	return nil
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// unpackGroups unpacks groups of eight values. The last group may go past dst, and a writer may have
// left out the bytes that no value needs.
func unpackGroups[T uint8 | uint32](dst []T, src []byte, width int, groups uint64) (taken int, rest []byte, err error) {
	taken = len(dst)
	if groups <= uint64(len(dst))/8 {
		taken = int(groups) * 8
	}
	need := (taken*width + 7) / 8
	if need > len(src) {
		return 0, nil, errTruncated
	}
	unpack(dst[:taken], src, width)
	if groups > uint64(len(src)/width) {
		return taken, src[len(src):], nil
	}
	return taken, src[int(groups)*width:], nil
}

// unpack fills dst with values of width bits, 1 to 64, which src holds from the lowest bit on. src
// must be long enough.
func unpack[T uint8 | uint32 | int64](dst []T, src []byte, width int) {
	mask := ^uint64(0) >> (64 - width)
	bit := 0
	for i := range dst {
		at, shift := bit>>3, bit&7
		bit += width
		var v uint64
		if at+8 <= len(src) {
			v = binary.LittleEndian.Uint64(src[at:]) >> shift
		} else {
			for j, b := range src[at:] {
				v |= uint64(b) << (8 * j)
			}
			v >>= shift
		}
		if shift+width > 64 {
			v |= uint64(src[at+8]) << (64 - shift)
		}
		dst[i] = T(v & mask)
	}
}
