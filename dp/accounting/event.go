// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"fmt"
	"math"
	"math/big"

	"github.com/throngdp/throng/dp"
)

type kind uint8

const (
	unset kind = iota
	laplace
	discreteLaplace
	gaussian
	approx
	failure
)

// Event is one draw of one mechanism, as far as its privacy cost goes. The zero value is unset, which
// [Composition.Add] refuses. An Event is immutable and safe for concurrent use.
type Event struct {
	kind kind
	// loss is the largest finite loss of the draw: Δ/b for Laplace, ε for Approx. For Gaussian it is
	// μ = Δ/σ, the standard deviation of the loss. Rounded up.
	loss float64
	// steps is the sensitivity of DiscreteLaplace, in lattice steps.
	steps int64
	// epsilon and delta are the parameters that basic composition adds, epsilon rounded up to a multiple
	// of 2^-96 where it comes from floats. Nil for Gaussian, which has no single pair.
	epsilon, delta *big.Rat
	// drift is the total variation between what is drawn and the law.
	drift float64
}

// Laplace is one draw of Laplace noise, with density exp(-|x|/scale)/(2·scale), on a number that one
// privacy unit changes by at most sensitivity. Both are in the unit of the number. Noise on each of l0
// groups is l0 draws ([Composition.Add] takes the number), not one of l0 times the sensitivity. Rounding the
// noisy number, to integers or another lattice that does not depend on the data, is post-processing and
// costs nothing; noise that is itself drawn on a lattice is [DiscreteLaplace].
//
// It returns an error for numbers that are not positive and finite, and for sensitivity/scale outside
// [1e-15, 1e3]. The loss is rounded up.
func Laplace(scale, sensitivity float64) (Event, error) {
	if err := checkScale("laplace", scale, sensitivity); err != nil {
		return Event{}, err
	}
	loss := up(sensitivity / scale)
	return Event{kind: laplace, loss: loss, epsilon: quotientUp(sensitivity, scale), delta: new(big.Rat)}, nil
}

// DiscreteLaplace is one draw of two-sided geometric noise, P(Z = z) proportional to exp(-|z|/scale) over
// the integers, on an integer that one privacy unit changes by at most sensitivity. Both count lattice
// steps, so noise that is drawn on a finer lattice and then rounded has a larger scale and sensitivity.
// At the same scale it costs a little more than [Laplace], at most as much as Laplace with a sensitivity
// larger by 2 (pld.md); above a sensitivity of 2^14 that bound is what is used.
//
// Errors as for Laplace.
func DiscreteLaplace(scale float64, sensitivity int64) (Event, error) {
	if sensitivity > 1<<53-2 {
		return Event{}, fmt.Errorf("discrete laplace.sensitivity: got %d, want at most 2^53 - 2; use a coarser lattice", sensitivity)
	}
	d := float64(sensitivity)
	if err := checkScale("discrete laplace", scale, d); err != nil {
		return Event{}, err
	}
	loss := up(d / scale)
	return Event{kind: discreteLaplace, loss: loss, steps: sensitivity, epsilon: quotientUp(d, scale), delta: new(big.Rat)}, nil
}

// Gaussian is one draw of Gaussian noise with standard deviation sigma on numbers that one privacy unit
// changes by at most sensitivity in the l2 norm: l∞·√l0 for noise on each of l0 groups. Both are in the unit
// of the numbers. Rounding the noisy numbers to a lattice that does not depend on the data is
// post-processing: the integer noise that results costs at most this, and at σ of a few lattice steps or
// more, no less to be worth a law of its own. A sampler on a lattice much finer than σ is covered by
// [Event.Within].
//
// It returns an error for numbers that are not positive and finite, and for sensitivity/sigma outside
// [1e-15, 1e3]. The ratio is rounded up.
func Gaussian(sigma, sensitivity float64) (Event, error) {
	if err := checkScale("gaussian", sigma, sensitivity); err != nil {
		return Event{}, err
	}
	return Event{kind: gaussian, loss: up(sensitivity / sigma)}, nil
}

// Approx is any mechanism that is (ε, δ)-differentially private, pure where δ is 0: partition selection, a
// quantile, a vote. It is charged as the worst such mechanism (Kairouz, Oh and Viswanath 2015). One that is
// a composition of l0 equal parts, as selection over l0 groups is, costs less as l0 events of spend's
// l0-th part.
//
// It returns an error where a parameter is unset, ε is above 1000 or below 1e-15, or δ is not below 1.
func Approx(spend dp.Spend) (Event, error) {
	if !spend.IsSet() {
		return Event{}, fmt.Errorf("approx: got %s, want both ε and δ; write δ = 0 for a pure mechanism", spend)
	}
	e, d := spend.Epsilon.Rat(), spend.Delta.Rat()
	loss := floatUp(e)
	if !(loss >= minLoss && loss <= maxLoss) {
		return Event{}, fmt.Errorf("approx.epsilon: got %g, want %g to %g; use Failure for δ alone", loss, minLoss, maxLoss)
	}
	if d.Cmp(big.NewRat(1, 1)) >= 0 {
		return Event{}, fmt.Errorf("approx.delta: got %s, want below 1", spend.Delta)
	}
	return Event{kind: approx, loss: loss, epsilon: e, delta: d}, nil
}

// Failure is an event of probability at most delta at which everything may be lost, and that is
// independent of all else: the δ of a threshold on noisy numbers. Events that may depend on each other are
// charged as one, with the sum of their δ.
//
// It returns an error unless 0 < delta < 1.
func Failure(delta dp.Delta) (Event, error) {
	d := delta.Rat()
	if d.Sign() <= 0 || d.Cmp(big.NewRat(1, 1)) >= 0 {
		return Event{}, fmt.Errorf("failure.delta: got %s, want 0 < δ < 1; leave the event out where there is none", delta)
	}
	return Event{kind: failure, epsilon: new(big.Rat), delta: d}, nil
}

// Within returns e for a sampler whose output law is within the given total variation of e's, in both of
// two neighbouring inputs. If all draws of a composition are within τ together, it costs (1 + exp(ε))·τ more
// δ at each ε. It returns an error unless 0 ≤ totalVariation ≤ 1e-6.
func (e Event) Within(totalVariation float64) (Event, error) {
	if !(totalVariation >= 0 && totalVariation <= 1e-6) {
		return Event{}, fmt.Errorf("within: got a total variation of %g, want 0 to 1e-6; a larger one is another law", totalVariation)
	}
	e.drift = totalVariation
	return e, nil
}

func checkScale(path string, scale, sensitivity float64) error {
	if err := positive(path+".scale", scale, "it is b or σ, in the unit of the number"); err != nil {
		return err
	}
	if err := positive(path+".sensitivity", sensitivity, "bound what one privacy unit adds"); err != nil {
		return err
	}
	return checkLoss(path, sensitivity/scale)
}

// same reports whether e and f cost the same in every method.
func (e Event) same(f Event) bool {
	return e.kind == f.kind && e.loss == f.loss && e.steps == f.steps && e.drift == f.drift &&
		sameRat(e.epsilon, f.epsilon) && sameRat(e.delta, f.delta)
}

func sameRat(a, b *big.Rat) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Cmp(b) == 0
}

// rationalBits is the number of binary places that a quotient of floats is rounded up to. It keeps sums of
// thousands of quotients short, and is far below what a float64 resolves.
const rationalBits = 96

// quotientUp returns a/b for positive finite floats, rounded up to a multiple of 2^-96.
func quotientUp(a, b float64) *big.Rat {
	q := new(big.Rat).Quo(new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b))
	unit := new(big.Int).Lsh(big.NewInt(1), rationalBits)
	n := new(big.Int).Mul(q.Num(), unit)
	n.Add(n, q.Denom()).Sub(n, big.NewInt(1)).Quo(n, q.Denom())
	return new(big.Rat).SetFrac(n, unit)
}

// floatUp returns the smallest float64 that is not below r.
func floatUp(r *big.Rat) float64 {
	f, exact := r.Float64()
	if exact || math.IsInf(f, 1) || new(big.Rat).SetFloat64(f).Cmp(r) >= 0 {
		return f
	}
	return up(f)
}

// floatDown returns the largest float64 that is not above r.
func floatDown(r *big.Rat) float64 { return -floatUp(new(big.Rat).Neg(r)) }
