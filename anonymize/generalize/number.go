// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Verdict is what a number's reading came to. The zero value is Missing.
type Verdict uint8

// The verdicts. Only Finite and Saturated come with a number.
const (
	// Missing: null, or nothing but white space.
	Missing Verdict = iota
	// Invalid: not a number. The policy's rule for such cells applies.
	Invalid
	// Finite: the number, rounded to the resolution.
	Finite
	// Saturated: infinite, or beyond ±MaxQuanta quanta, and replaced by that bound.
	Saturated
)

// MaxQuanta is the magnitude at which counts of quanta saturate.
const MaxQuanta = scalar.MaxQuanta

// String returns the verdict's name.
func (v Verdict) String() string {
	switch v {
	case Missing:
		return "missing"
	case Finite:
		return "finite"
	case Saturated:
		return "saturated"
	}
	return "invalid"
}

// Number turns the numbers of one column into integers: how many quanta of a resolution they are.
// The zero value is unset and calls everything Invalid. A Number is safe for concurrent use.
type Number struct{ resolution scalar.Resolution }

// NewNumber returns the reader of numbers at a resolution such as "1", "0.01" or "60".
func NewNumber(resolution string) (Number, error) {
	r, ok := scalar.ParseResolution(resolution)
	if !ok {
		return Number{}, errors.New("want a positive decimal number such as 0.01, with at most 9 significant digits, from 1e-18 to 1e18; correct the resolution")
	}
	return Number{r}, nil
}

// Quantum returns the number that a cell holds as quanta, rounded to the nearest, a half away from
// zero. Texts are read exactly, as plain decimals ("12", "-0.5", "1e3", "inf"); a float counts as the
// shortest decimal that names it, so that a file's format does not decide how a half is rounded. NaN,
// timestamps, other words, digits of other scripts and separators of thousands are Invalid. A boolean
// is 0 or 1. Negative zero is 0.
func (n Number) Quantum(v anonymize.Value) (int64, Verdict) {
	if !v.Valid || v.Kind == anonymize.Bytes && len(scalar.TrimSpace(v.Bytes)) == 0 {
		return 0, Missing
	}
	d, ok := decimalOf(v)
	if !ok || !n.resolution.IsSet() {
		return 0, Invalid
	}
	quanta, _ := d.Quanta(n.resolution, scalar.HalfAway)
	if quanta == MaxQuanta || quanta == -MaxQuanta {
		return quanta, Saturated
	}
	return quanta, Finite
}

// PerUnit returns how many quanta one is, at most a million, where that is a whole number: a whole
// number within ±MaxQuanta/PerUnit then comes to itself times that many quanta.
func (n Number) PerUnit() (quanta int64, ok bool) {
	q, exact := scalar.FromInt(1).Quanta(n.resolution, scalar.HalfAway)
	return q, n.resolution.IsSet() && exact && q >= 1 && q <= 1_000_000
}
