// SPDX-License-Identifier: Apache-2.0

package mechanism

import "github.com/google/differential-privacy/go/v3/rand"

// libraryBuffer is how many random bytes the noise library draws in advance, at most.
const libraryBuffer = 1 << 16

// discardDrawn makes the noise library throw away the random bytes that it drew from the system and has not used.
// They are the process's, not a release's: two processes restored from one snapshot of the memory hold the same, and
// the difference of two of their releases would be free of noise. It takes about a millisecond.
func discardDrawn() { discard(libraryBuffer, rand.U64, rand.Boolean) }

// discard takes as many bytes as a buffer can hold, eight at a time, and then the bits of a byte.
func discard(buffer int, u64 func() uint64, bit func() bool) {
	for range buffer / 8 {
		u64()
	}
	for range 8 {
		bit()
	}
}
