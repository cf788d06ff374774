// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

const (
	// maxStored is how many probabilities are stored, an even number: 1 MiB, and one for each number of
	// people unless ε is tiny. Of a longer table every second, fourth and so on is stored, and those
	// between are stepped to.
	maxStored = 1 << 17
	// maxSelectionSteps bounds the table: about 0.2 s. At ε = 1e-6 per group it is nearly reached, and a
	// group would need millions of people to be seen.
	maxSelectionSteps = 1 << 26
)

// Selection is optimal (ε, δ) partition selection with the minimum number of people k fused in: a group
// of n people is shown with the largest probability that (ε/l0, δ/l0)-differential privacy of one group
// allows to n - (k - 1) people. It is immutable. The zero value is uncalibrated and refused.
type Selection struct {
	epsilon dp.Epsilon
	delta   dp.Delta
	l0, k   int64
	curve   *keepCurve
}

// NewSelection calibrates partition selection for a table: (ε, δ) are the table's and are split equally
// over the l0 groups that a privacy unit may count in. It returns an error for ε outside
// [dp.MinEpsilon, dp.MaxEpsilon], δ/l0 below 1e-13, δ not below dp.MaxDelta, l0 outside [1, 2^51], k
// outside [1, 2^61], and where certainty would need more than 2^26 people.
func NewSelection(epsilon dp.Epsilon, delta dp.Delta, l0, k int64) (Selection, error) {
	if err := checkEpsilon("selection", epsilon); err != nil {
		return Selection{}, err
	}
	if err := checkSensitivity("selection", l0, 1); err != nil {
		return Selection{}, err
	}
	if err := checkDelta("selection", delta, l0); err != nil {
		return Selection{}, err
	}
	return newSelection(epsilon, delta, l0, k)
}

func newSelection(epsilon dp.Epsilon, delta dp.Delta, l0, k int64) (Selection, error) {
	if err := checkMinPeople("selection", k); err != nil {
		return Selection{}, err
	}
	curve, ok := newKeepCurve(epsilon.Part(1, l0).Rat(), delta.Part(1, l0).Rat())
	if !ok {
		return Selection{}, fmt.Errorf("selection.epsilon: got %s over %d groups, want more; no group would be certain below 2^26 people", epsilon, l0)
	}
	return Selection{epsilon: epsilon, delta: delta, l0: l0, k: k, curve: curve}, nil
}

// Epsilon returns the ε that the table is charged for selecting groups.
func (s Selection) Epsilon() dp.Epsilon { return s.epsilon }

// Delta returns the δ that the table is charged for selecting groups.
func (s Selection) Delta() dp.Delta { return s.delta }

// Event returns what the choice of one group costs, and the number of groups of a privacy unit.
func (s Selection) Event() (e accounting.Event, times int64, err error) {
	e, err = accounting.Approx(dp.Spend{Epsilon: s.epsilon.Part(1, s.l0), Delta: s.delta.Part(1, s.l0)})
	return e, s.l0, err
}

// L0 returns the number of groups that ε and δ are split over.
func (s Selection) L0() int64 { return s.l0 }

// K returns the least number of people a shown group has, 0 when uncalibrated.
func (s Selection) K() int64 { return s.k }

// KeepProbability returns the probability that a group of n people is shown, rounded down: 0 for n
// below k, 1 from some n on.
func (s Selection) KeepProbability(n int64) float64 {
	c, certain := s.keep(n)
	if certain {
		return 1
	}
	if surplus := bits.Len64(c) - 53; surplus > 0 {
		c = c >> surplus << surplus // what float64 cannot hold is dropped, not rounded up
	}
	return math.Ldexp(float64(c), -64)
}

// keep returns the probability for n people as c/2^64, or that it is 1.
func (s Selection) keep(n int64) (c uint64, certain bool) {
	if s.curve == nil || n < s.k {
		return 0, false
	}
	return s.curve.at(n - (s.k - 1))
}

// keepCurve holds keep probabilities as integers in units of 2^-64, which is what a random 64-bit
// integer is compared with. The chain is computed on these integers, so the inequalities that make it
// private hold exactly for the probabilities that are used (selection.md).
type keepCurve struct {
	delta        uint64   // δ, rounded down
	growth       fraction // exp(ε) - 1, rounded down
	decay        fraction // 1 - exp(-ε), rounded down
	every        []uint64 // probabilities for 1, 1+stride, 1+2·stride, … people
	stride       int64
	certainFirst int64 // fewest people with probability 1
}

func newKeepCurve(epsilon, delta *big.Rat) (*keepCurve, bool) {
	scaled := new(big.Int).Lsh(delta.Num(), 64)
	growth := expMinusOne(epsilon)
	onePlus := new(big.Float).SetPrec(seriesPrecision).Add(growth, big.NewFloat(1))
	curve := &keepCurve{
		delta:  scaled.Quo(scaled, delta.Denom()).Uint64(),
		growth: fractionBelow(growth),
		decay:  fractionBelow(new(big.Float).Quo(growth, onePlus)),
		stride: 1,
	}
	c, certain := curve.delta, false
	for n := int64(1); n < maxSelectionSteps; n++ {
		if (n-1)%curve.stride == 0 {
			curve.store(c)
		}
		if c, certain = curve.next(c); certain {
			curve.certainFirst = n + 1
			return curve, true
		}
	}
	return nil, false
}

// store appends a probability, and forgets every second one before where there are too many.
func (k *keepCurve) store(c uint64) {
	if len(k.every) == maxStored {
		for i := range maxStored / 2 {
			k.every[i] = k.every[2*i]
		}
		k.every, k.stride = k.every[:maxStored/2], 2*k.stride
	}
	k.every = append(k.every, c)
}

// next returns the probability for one person more: the least of exp(ε)·p + δ,
// 1 - exp(-ε)·(1 - p - δ) and 1, each rounded down.
func (k *keepCurve) next(c uint64) (next uint64, certain bool) {
	missing := -c // 2^64 - c, as c ≥ 1
	if missing <= k.delta {
		return 0, true
	}
	grown := saturatingSum(c, saturatingSum(k.growth.times(c), k.delta))
	rest := missing - k.delta
	rest -= k.decay.times(rest)
	return min(grown, -rest), false
}

// at returns the probability for n ≥ 1 people.
func (k *keepCurve) at(n int64) (c uint64, certain bool) {
	if n >= k.certainFirst {
		return 0, true
	}
	c = k.every[(n-1)/k.stride]
	for range (n - 1) % k.stride {
		c, _ = k.next(c)
	}
	return c, false
}

func saturatingSum(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// fraction is mantissa/2^shift with 64 significant bits.
type fraction struct {
	mantissa uint64
	shift    uint
}

// times returns c·f rounded down, saturated.
func (f fraction) times(c uint64) uint64 {
	high, low := bits.Mul64(c, f.mantissa)
	if f.shift >= 64 {
		return high >> (f.shift - 64)
	}
	if high>>f.shift != 0 {
		return math.MaxUint64
	}
	return high<<(64-f.shift) | low>>f.shift
}

// seriesPrecision leaves some 100 bits below the 2^-180 by which results are lowered.
const seriesPrecision = 320

// expMinusOne returns exp(x) - 1 for 0 < x ≤ 20 to a relative error below 2^-190, by its series of
// positive terms.
func expMinusOne(x *big.Rat) *big.Float {
	value := new(big.Float).SetPrec(seriesPrecision).SetRat(x)
	term := new(big.Float).Copy(value)
	sum := new(big.Float).Copy(value)
	for i := int64(2); i < 40 || term.MantExp(nil) > sum.MantExp(nil)-200; i++ {
		term.Mul(term, value)
		term.Quo(term, new(big.Float).SetPrec(seriesPrecision).SetInt64(i))
		sum.Add(sum, term)
	}
	return sum
}

// fractionBelow returns a fraction at most f's true value, given a relative error of f below 2^-180.
func fractionBelow(f *big.Float) fraction {
	lowered := big.NewFloat(1)
	lowered.SetPrec(seriesPrecision).Sub(lowered, new(big.Float).SetMantExp(big.NewFloat(1), -180))
	lowered.Mul(lowered, f)
	exponent := lowered.MantExp(lowered)
	mantissa, _ := lowered.SetMantExp(lowered, 64).Uint64() // truncates
	return fraction{mantissa, uint(64 - exponent)}
}
