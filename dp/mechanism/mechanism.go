// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"log/slog"
)

// Mechanism is the seam above everything random. Implementations are safe for concurrent use. Errors
// never hold an input.
type Mechanism interface {
	// AddNoise returns x plus one draw of n, saturated to the range of int64. It refuses an uncalibrated
	// n, and x outside [-2^61, 2^61].
	AddNoise(site Site, n Noise, x int64) (int64, error)
	// Show reports whether a group of n people, whose noisy number is noisy, passes t. It is not random:
	// the randomness is in noisy, which must be a draw of the noise that t was made for.
	Show(site Site, t Threshold, n, noisy int64) (bool, error)
	// Select draws whether a group of n people is shown. It must be called once per group and table.
	Select(site Site, s Selection, n int64) (bool, error)
}

// Site names one draw: a statistic of a group of a table. Group is the canonical key, which may be
// sensitive, so that printing a Site in any way leaves it out.
type Site struct{ Table, Statistic, Group string }

// String returns the table and the statistic; the group is redacted.
func (s Site) String() string { return fmt.Sprintf("%q.%q[redacted]", s.Table, s.Statistic) }

// GoString returns the text of String.
func (s Site) GoString() string { return s.String() }

// Format writes the text of String for every verb.
func (s Site) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue returns the text of String.
func (s Site) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the text of String.
func (s Site) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
