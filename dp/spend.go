// SPDX-License-Identifier: Apache-2.0

package dp

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
)

// Limits on the privacy parameters a person may write. Below MinEpsilon and MinDelta the noise
// library loses precision; above MaxEpsilon and at MaxDelta the promise is empty.
var (
	// MinEpsilon and MaxEpsilon bound ε, both inclusive.
	MinEpsilon = Epsilon{big.NewRat(1, 1_000_000)}
	MaxEpsilon = Epsilon{big.NewRat(20, 1)}
	// MinDelta bounds a non-zero δ from below, inclusive; MaxDelta from above, exclusive.
	MinDelta = Delta{big.NewRat(1, 10_000_000_000)}
	MaxDelta = Delta{big.NewRat(1, 100)}
)

// ErrBudgetExhausted is returned when a spend does not fit into what is left of a budget.
var ErrBudgetExhausted = errors.New("privacy budget exhausted")

// decimalText is the only spelling of a parameter: plain decimal digits with an optional decimal
// exponent. No sign, no hexadecimal, no underscore, no fraction, no infinity.
var decimalText = regexp.MustCompile(`^[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?$`)

// Epsilon is an exact privacy parameter ε, in nats of privacy loss. The zero value is unset, which
// every consumer refuses. An Epsilon is immutable and safe for concurrent use.
type Epsilon struct{ r *big.Rat }

// Delta is an exact privacy parameter δ, a probability. The zero value is unset; δ = 0 is a set
// value that is asked for with "0". A Delta is immutable and safe for concurrent use.
type Delta struct{ r *big.Rat }

func parseDecimal(text string) (*big.Rat, error) {
	if !decimalText.MatchString(text) {
		return nil, errors.New("want a plain decimal number such as 0.5 or 1e-9")
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if e := strings.TrimLeft(text[i+1:], "+-0"); len(e) > 2 {
			return nil, errors.New("want an exponent of at most two digits")
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, errors.New("want a plain decimal number such as 0.5 or 1e-9")
	}
	return r, nil
}

// ParseEpsilon reads ε from its decimal text, exactly. It refuses anything but a plain decimal
// number in [MinEpsilon, MaxEpsilon].
func ParseEpsilon(text string) (Epsilon, error) {
	r, err := parseDecimal(text)
	if err != nil {
		return Epsilon{}, err
	}
	e := Epsilon{r}
	if err := e.Check(); err != nil {
		return Epsilon{}, err
	}
	return e, nil
}

// Check returns an error unless ε lies in [MinEpsilon, MaxEpsilon]. What [ParseEpsilon] returns always
// does; sums and parts may not.
func (e Epsilon) Check() error {
	if r := e.Rat(); r.Cmp(MinEpsilon.r) < 0 || r.Cmp(MaxEpsilon.r) > 0 {
		return fmt.Errorf("want %s ≤ ε ≤ %s", MinEpsilon, MaxEpsilon)
	}
	return nil
}

// ParseDelta reads δ from its decimal text, exactly. It refuses anything but "0" (in any plain
// spelling) or a plain decimal number in [MinDelta, MaxDelta).
func ParseDelta(text string) (Delta, error) {
	r, err := parseDecimal(text)
	if err != nil {
		return Delta{}, err
	}
	d := Delta{r}
	if err := d.Check(); err != nil {
		return Delta{}, err
	}
	return d, nil
}

// Check returns an error unless δ is 0 or lies in [MinDelta, MaxDelta). What [ParseDelta] returns
// always does; sums and parts may not.
func (d Delta) Check() error {
	if r := d.Rat(); r.Sign() != 0 && (r.Cmp(MinDelta.r) < 0 || r.Cmp(MaxDelta.r) >= 0) {
		return fmt.Errorf("want 0, or %s ≤ δ < %s", MinDelta, MaxDelta)
	}
	return nil
}

// IsSet reports whether ε has been given a value.
func (e Epsilon) IsSet() bool { return e.r != nil }

// IsSet reports whether δ has been given a value; δ = 0 is one.
func (d Delta) IsSet() bool { return d.r != nil }

// IsZero reports whether δ is unset or 0.
func (d Delta) IsZero() bool { return d.r == nil || d.r.Sign() == 0 }

// Rat returns a copy of ε, 0 when unset.
func (e Epsilon) Rat() *big.Rat { return copyRat(e.r) }

// Rat returns a copy of δ, 0 when unset.
func (d Delta) Rat() *big.Rat { return copyRat(d.r) }

// Float returns the largest float64 that is not above ε: rounding down is toward more noise.
func (e Epsilon) Float() float64 { return floatDown(e.r) }

// Float returns the largest float64 that is not above δ: rounding down is toward higher thresholds
// and more noise.
func (d Delta) Float() float64 { return floatDown(d.r) }

// Part returns ε·weight/total exactly. It returns an unset ε unless 0 < weight ≤ total.
func (e Epsilon) Part(weight, total int64) Epsilon { return Epsilon{part(e.r, weight, total)} }

// Part returns δ·weight/total exactly. It returns an unset δ unless 0 < weight ≤ total.
func (d Delta) Part(weight, total int64) Delta { return Delta{part(d.r, weight, total)} }

// String returns ε as a decimal where it has a finite one, else as a fraction.
func (e Epsilon) String() string { return ratText(e.r) }

// String returns δ as a decimal where it has a finite one, else as a fraction.
func (d Delta) String() string { return ratText(d.r) }

// MarshalText returns the text of String.
func (e Epsilon) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText returns the text of String.
func (d Delta) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func copyRat(r *big.Rat) *big.Rat {
	if r == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Set(r)
}

func floatDown(r *big.Rat) float64 {
	if r == nil {
		return 0
	}
	f, exact := r.Float64()
	if math.IsInf(f, 1) {
		return math.MaxFloat64
	}
	if exact || new(big.Rat).SetFloat64(f).Cmp(r) <= 0 {
		return f
	}
	return math.Nextafter(f, math.Inf(-1))
}

func part(r *big.Rat, weight, total int64) *big.Rat {
	if r == nil || weight <= 0 || weight > total {
		return nil
	}
	return new(big.Rat).Mul(r, big.NewRat(weight, total))
}

func ratText(r *big.Rat) string {
	if r == nil {
		return "unset"
	}
	if r.IsInt() {
		return r.Num().String()
	}
	// A denominator of only twos and fives has a finite decimal expansion.
	den := new(big.Int).Set(r.Denom())
	twos, fives := factorOut(den, 2), factorOut(den, 5)
	if den.Cmp(big.NewInt(1)) != 0 {
		return r.RatString()
	}
	digits := max(twos, fives)
	text := r.FloatString(digits)
	significand := strings.TrimLeft(strings.Replace(text, ".", "", 1), "0")
	if r.Cmp(big.NewRat(1, 1000)) >= 0 || significand == "" {
		return text
	}
	// Small numbers read better as 1e-9 than as 0.000000001.
	exponent := len(significand) - 1 - digits
	if len(significand) > 1 {
		significand = significand[:1] + "." + significand[1:]
	}
	return fmt.Sprintf("%se%d", significand, exponent)
}

func factorOut(n *big.Int, p int64) int {
	count, prime, rem := 0, big.NewInt(p), new(big.Int)
	for {
		quotient, r := new(big.Int).QuoRem(n, prime, rem)
		if r.Sign() != 0 {
			return count
		}
		n.Set(quotient)
		count++
	}
}

// Spend is an (ε, δ) pair: what one release costs, or what a budget allows. The zero value is
// unset.
type Spend struct {
	Epsilon Epsilon
	Delta   Delta
}

// ParseApprox reads an (ε, δ) pair from decimal text; see [ParseEpsilon] and [ParseDelta].
func ParseApprox(epsilon, delta string) (Spend, error) {
	e, errE := ParseEpsilon(epsilon)
	d, errD := ParseDelta(delta)
	if err := errors.Join(errE, errD); err != nil {
		return Spend{}, err
	}
	return Spend{e, d}, nil
}

// MustApprox is [ParseApprox] for literals in Go source; it panics where ParseApprox returns an
// error.
func MustApprox(epsilon, delta string) Spend {
	s, err := ParseApprox(epsilon, delta)
	if err != nil {
		panic("dp.MustApprox: " + err.Error())
	}
	return s
}

// IsSet reports whether both parameters have been given.
func (s Spend) IsSet() bool { return s.Epsilon.IsSet() && s.Delta.IsSet() }

// Add returns the basic composition of two spends: parameters add (Dwork, McSherry, Nissim and
// Smith 2006; Dwork et al. 2006 for δ). Exact, so it rounds neither way.
func (s Spend) Add(t Spend) Spend {
	return Spend{
		Epsilon{new(big.Rat).Add(s.Epsilon.Rat(), t.Epsilon.Rat())},
		Delta{new(big.Rat).Add(s.Delta.Rat(), t.Delta.Rat())},
	}
}

// Within reports whether both parameters of s are at most those of limit.
func (s Spend) Within(limit Spend) bool {
	return s.Epsilon.Rat().Cmp(limit.Epsilon.Rat()) <= 0 && s.Delta.Rat().Cmp(limit.Delta.Rat()) <= 0
}

// Equal reports whether two spends are exactly the same.
func (s Spend) Equal(t Spend) bool { return s.Within(t) && t.Within(s) }

// String returns "ε = 1, δ = 1e-9".
func (s Spend) String() string { return "ε = " + s.Epsilon.String() + ", δ = " + s.Delta.String() }
