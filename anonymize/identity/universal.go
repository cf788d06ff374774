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
	acc := u.Starts[len(b)]
	at := 0
	for ; len(b) >= 8; b = b[8:] {
		acc.add(&u.Words[at&7], binary.LittleEndian.Uint64(b))
		at++
	}
	if len(b) > 0 {
		var word uint64
		for i, c := range b {
			word |= uint64(c) << (8 * i)
		}
		acc.add(&u.Words[at&7], word)
	}
	return acc.Hi[0], acc.Hi[1]
}

// add adds k·s.
func (acc *key128) add(k *key128, s uint64) {
	for i := range 2 {
		h, l := bits.Mul64(k.Lo[i], s)
		var carry uint64
		acc.Lo[i], carry = bits.Add64(acc.Lo[i], l, 0)
		acc.Hi[i], _ = bits.Add64(acc.Hi[i], h+k.Hi[i]*s, carry)
	}
}
