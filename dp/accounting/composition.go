// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Method is a way to bound a composition. The zero value is unset and refused.
type Method uint8

const (
	// Basic adds ε and δ exactly (Dwork, McSherry, Nissim and Smith 2006). A Gaussian has no single pair:
	// each is given an equal part of the δ that is left and the ε that belongs to it (Balle and Wang 2018).
	Basic Method = iota + 1
	// ZCDP adds ρ and converts the sum (Bun and Steinke 2016; Canonne, Kamath and Steinke 2020).
	ZCDP
	// PLD convolves the distributions of the privacy loss, and is never above Basic.
	PLD
)

// String returns "basic", "zcdp", "pld" or "unset".
func (m Method) String() string {
	switch m {
	case Basic:
		return "basic"
	case ZCDP:
		return "zcdp"
	case PLD:
		return "pld"
	}
	return "unset"
}

// part is an event and how often it happens.
type part struct {
	event Event
	times int64
}

// Composition is a list of mechanisms that are run on the same data with independent randomness. Their
// parameters are fixed before the first output is seen; their inputs may depend on earlier outputs. The
// zero value is empty, and costs nothing. A Composition is immutable and safe for concurrent use.
type Composition struct {
	parts []part
	total int64
}

// Add returns c with an event that happens the given number of times. It returns an error for an unset
// event, for times below 1 or a total above 2^30, and above 4096 different events.
func (c Composition) Add(e Event, times int64) (Composition, error) {
	if e.kind == unset {
		return Composition{}, errors.New("event: got an unset event, want one made by Laplace, Gaussian, …; check the error of its constructor")
	}
	if err := checkTimes(times); err != nil {
		return Composition{}, err
	}
	if c.total > maxTimes-times {
		return Composition{}, fmt.Errorf("times: got %d on top of %d, want at most %d in all; charge groups of them as one Approx", times, c.total, maxTimes)
	}
	total := c.total + times
	if i := slices.IndexFunc(c.parts, func(p part) bool { return p.event.same(e) }); i >= 0 {
		parts := slices.Clone(c.parts)
		parts[i].times += times
		return Composition{parts, total}, nil
	}
	if len(c.parts) >= maxParts {
		return Composition{}, fmt.Errorf("event: got more than %d different events; round scales so that some are equal, or charge groups of them as one Approx", maxParts)
	}
	// A copy, so that two compositions that grow from one never share an array.
	return Composition{append(slices.Clip(c.parts), part{e, times}), total}, nil
}

// Epsilon returns an ε at which the composition is (ε, δ)-differentially private by the method, rounded up. δ
// stands for the shortest decimal that reads as it.
// It returns an error for δ outside [0, 1), where no finite ε exists (δ below that of the events
// themselves, or 0 with a Gaussian among them), for an unset method, and, by PLD, where the grid that the
// result needs would be too large. With an error it returns +Inf, the safe side.
func (c Composition) Epsilon(m Method, delta float64) (float64, error) {
	err := checkDelta(delta)
	f, errM := c.epsilonFunc(m)
	if err = errors.Join(err, errM); err != nil {
		return math.Inf(1), err
	}
	epsilon, err := c.withDrift(delta, f)
	if err != nil {
		return math.Inf(1), err
	}
	return epsilon, nil
}

// Delta returns a δ at which the composition is (ε, δ)-differentially private by the method, rounded up; 1
// where the method knows none below. It returns an error for ε that is not finite and at least 0, and
// otherwise as Epsilon. With an error it returns 1, the safe side.
func (c Composition) Delta(m Method, epsilon float64) (float64, error) {
	if err := checkEpsilon(epsilon); err != nil {
		return 1, err
	}
	delta, err := c.idealDelta(m, epsilon)
	if err != nil {
		return 1, err
	}
	if drift := c.drift(); drift > 0 {
		delta += drift * up(1+up(math.Exp(epsilon)))
	}
	return min(1, delta), nil
}

// idealDelta is δ where draws are from their laws.
func (c Composition) idealDelta(m Method, epsilon float64) (float64, error) {
	switch m {
	case Basic:
		return c.basicDelta(epsilon), nil
	case ZCDP:
		return c.zcdpDelta(epsilon), nil
	case PLD:
		return c.pldDelta(epsilon)
	}
	return 1, errMethod
}

var errMethod = errors.New("method: got an unset method, want Basic, ZCDP or PLD")

func (c Composition) epsilonFunc(m Method) (func(delta float64) (float64, error), error) {
	switch m {
	case Basic:
		return c.basicEpsilon, nil
	case ZCDP:
		return c.zcdpEpsilon, nil
	case PLD:
		return c.pldEpsilon, nil
	}
	return nil, errMethod
}

// drift is the total variation between all draws and their laws, rounded up.
func (c Composition) drift() float64 {
	var sum float64
	for _, p := range c.parts {
		sum += p.event.drift * float64(p.times)
	}
	return sum * (1 + 1e-10) // above the rounding of 10,000 additions
}

// withDrift finds ε where the draws are only near their laws: f(δ - (1 + exp(ε))·τ) ≤ ε (see
// [Event.Within]). τ is tiny, so a guess a little above f(δ) is nearly always confirmed.
func (c Composition) withDrift(delta float64, f func(float64) (float64, error)) (float64, error) {
	epsilon, err := f(delta)
	drift := c.drift()
	if err != nil || drift == 0 {
		return epsilon, err
	}
	for range 20 {
		guess := epsilon + 1e-9*min(epsilon, 1) + 1e-14
		rest := down(delta - drift*up(1+up(math.Exp(guess))))
		if !(rest > 0) {
			break
		}
		if epsilon, err = f(rest); err != nil {
			return 0, err
		}
		if epsilon <= guess {
			return guess, nil
		}
	}
	return 0, fmt.Errorf("delta: got %g, want more than the samplers' distance from their laws costs (%g at ε = %g); ask for a larger δ or a smaller ε", delta, drift*(1+math.Exp(epsilon)), epsilon)
}

// Sum returns the sums of ε and δ, exact for events made from exact parameters and otherwise rounded up to
// 2^-96. It returns false where a Gaussian, which has no single pair, is among the events, or where one
// has a sampler error ([Event.Within]).
func (c Composition) Sum() (epsilon, delta *big.Rat, ok bool) {
	epsilon, delta, ok = new(big.Rat), new(big.Rat), true
	for _, p := range c.parts {
		ok = ok && p.event.kind != gaussian && p.event.drift == 0
		if p.event.kind != gaussian {
			times := new(big.Rat).SetInt64(p.times)
			epsilon.Add(epsilon, new(big.Rat).Mul(times, p.event.epsilon))
			delta.Add(delta, times.Mul(times, p.event.delta))
		}
	}
	return epsilon, delta, ok
}

// gaussians returns the number of Gaussian draws.
func (c Composition) gaussians() (n int64) {
	for _, p := range c.parts {
		if p.event.kind == gaussian {
			n += p.times
		}
	}
	return n
}

// basicRest is what the exact sums leave of δ for one Gaussian, rounded down.
func (c Composition) basicRest(delta float64) (epsilon, rest float64, err error) {
	sumE, sumD, _ := c.Sum()
	left := decimal(delta)
	if left.Sub(left, sumD).Sign() < 0 {
		return 0, 0, errDeltaSpent(delta, sumD)
	}
	n := c.gaussians()
	if n == 0 {
		return floatUp(sumE), 0, nil
	}
	if left.Sign() == 0 {
		return 0, 0, errDeltaSpent(delta, sumD)
	}
	return floatUp(sumE), floatDown(left.Quo(left, new(big.Rat).SetInt64(n))), nil
}

// decimal is the shortest decimal that reads as x, which is what a person meant: 20 times 5e-8 fits into 1e-6.
func decimal(x float64) *big.Rat {
	if r, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64)); ok {
		return r
	}
	return new(big.Rat)
}

func errDeltaSpent(delta float64, spent *big.Rat) error {
	return fmt.Errorf("delta: got %g, want more than the %.6g that the events spend themselves; ask for a larger δ", delta, floatUp(spent))
}

func (c Composition) basicEpsilon(delta float64) (float64, error) {
	epsilon, rest, err := c.basicRest(delta)
	if err != nil {
		return 0, err
	}
	for _, p := range c.parts {
		if p.event.kind == gaussian {
			epsilon = up(epsilon + up(float64(p.times)*gaussianEpsilon(p.event.loss, rest)))
		}
	}
	return epsilon, nil
}

// basicDelta shares what the exact sums leave of ε equally among Gaussians.
func (c Composition) basicDelta(epsilon float64) float64 {
	sumE, sumD, _ := c.Sum()
	left := decimal(epsilon)
	if left.Sub(left, sumE).Sign() < 0 {
		return 1
	}
	delta, n := floatUp(sumD), c.gaussians()
	if n == 0 {
		return delta
	}
	rest := max(0, floatDown(left.Quo(left, new(big.Rat).SetInt64(n))))
	for _, p := range c.parts {
		if p.event.kind == gaussian {
			delta = up(delta + up(float64(p.times)*gaussianDelta(p.event.loss, rest)))
		}
	}
	return min(1, delta)
}
