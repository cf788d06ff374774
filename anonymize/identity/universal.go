// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"encoding/binary"
	"math/bits"
)

// maxUniversal is how many bytes a universal hash takes: a UUID's text is 36 and a hexadecimal
// SHA-256 64.
const maxUniversal = 64

// key128 is a key of 128 bits for each of the two halves of a hash.
type key128 struct{ Hi, Lo [2]uint64 }

// universal holds the keys of a pair of multilinear hash functions: one for every word, and one to
// begin with for every length, so that a text and the same text followed by zero bytes are two.
type universal struct {
	Starts [maxUniversal + 1]key128
	Words  [maxUniversal / 8]key128
}

// sum returns, for words s of b and keys k, the upper half of start + Σ k·s modulo 2^128, for each of
// the two sets of keys.
func (u *universal) sum(b []byte) (hi, lo uint64) {
	start := &u.Starts[len(b)]
	h0, l0, h1, l1 := start.Hi[0], start.Lo[0], start.Hi[1], start.Lo[1]
	for i := 0; len(b) > 0; i++ {
		var s uint64
		if len(b) >= 8 {
			s = binary.LittleEndian.Uint64(b)
			b = b[8:]
		} else {
			for n, c := range b {
				s |= uint64(c) << (8 * n)
			}
			b = nil
		}
		k := &u.Words[i&7]
		var carry uint64
		h, l := bits.Mul64(k.Lo[0], s)
		l0, carry = bits.Add64(l0, l, 0)
		h0, _ = bits.Add64(h0, h+k.Hi[0]*s, carry)
		h, l = bits.Mul64(k.Lo[1], s)
		l1, carry = bits.Add64(l1, l, 0)
		h1, _ = bits.Add64(h1, h+k.Hi[1]*s, carry)
	}
	return h0, h1
}

// sum16 is sum for texts of 16 bytes.
func (u *universal) sum16(hi, lo []uint64, data []byte, lead, stride int) {
	start, first, second := u.Starts[16], u.Words[0], u.Words[1]
	lo = lo[:len(hi)]
	for i := range hi {
		text := data[i*stride+lead:][:16]
		s, t := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		hi[i] = dot(start.Hi[0], start.Lo[0], first.Hi[0], first.Lo[0], s, second.Hi[0], second.Lo[0], t)
		lo[i] = dot(start.Hi[1], start.Lo[1], first.Hi[1], first.Lo[1], s, second.Hi[1], second.Lo[1], t)
	}
}

// dot returns the upper half of start + k·s + l·t modulo 2^128.
func dot(startHi, startLo, kHi, kLo, s, lHi, lLo, t uint64) uint64 {
	h, l := bits.Mul64(kLo, s)
	l, carry := bits.Add64(l, startLo, 0)
	h += startHi + kHi*s + carry
	g, m := bits.Mul64(lLo, t)
	_, carry = bits.Add64(l, m, 0)
	return h + g + lHi*t + carry
}
