// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"crypto/rand"
	"io"
)

// What tests outside the package need and callers must not have.
var (
	SaturatingAdd     = saturatingAdd
	Rounded           = rounded
	Discard           = discard
	InflatedSelection = newSelection // without the ceiling on δ
)

// LibraryBuffer is what the library reads ahead.
const LibraryBuffer = libraryBuffer

// LiveWithRandom is Live with another source of selection bits.
func LiveWithRandom(random io.Reader) Mechanism { return newLive(random, discardDrawn) }

// LiveWithRenewal is Live with something else to do before the first draw.
func LiveWithRenewal(renew func()) Mechanism { return newLive(rand.Reader, renew) }

// Refinement returns the factor by which the library's sensitivities are enlarged.
func (n Noise) Refinement() int64 { return n.refinement }

// KeepCount returns the keep probability in units of 2^-64.
func (s Selection) KeepCount(n int64) (uint64, bool) { return s.keep(n) }
