// SPDX-License-Identifier: Apache-2.0

package mechanism

import "io"

// What tests outside the package need and callers must not have.
var (
	SaturatingAdd     = saturatingAdd
	Rounded           = rounded
	InflatedSelection = newSelection // without the ceiling on δ
)

// LiveWithRandom is Live with another source of selection bits.
func LiveWithRandom(random io.Reader) Mechanism { return live{random} }

// Refinement returns the factor by which the library's sensitivities are enlarged.
func (n Noise) Refinement() int64 { return n.refinement }

// KeepCount returns the keep probability in units of 2^-64.
func (s Selection) KeepCount(n int64) (uint64, bool) { return s.keep(n) }
