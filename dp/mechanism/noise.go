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

// Kind is the family of a noise law. The zero value is unset.
type Kind uint8

// The laws offered.
const (
	Laplace Kind = iota + 1
	Gaussian
)

// String returns "laplace", "gaussian" or "unset".
func (k Kind) String() string {
	switch k {
	case Laplace:
		return "laplace"
	case Gaussian:
		return "gaussian"
	}
	return "unset"
}

const (
	// maxSensitivity bounds l1: below it no product wraps and every sensitivity is exact in a
	// float64.
	maxSensitivity = int64(1) << 51
	// maxInput bounds the magnitude of a value that noise is added to, so that the noise has room.
	maxInput = int64(1) << 61
	// tailSlack covers the floating-point error of exp and erfc at arguments of up to a few hundred
	// (about 1e-13 relative), and the sampler's own.
	tailSlack = 1e-12
)

// minDelta is the least δ that one group may be given. Far below it thresholds become infinite.
var minDelta = big.NewRat(1, 10_000_000_000_000)

// Noise is calibrated integer noise for one statistic of one table: one draw of it on each group. It is
// immutable. The zero value is uncalibrated and refused by [Mechanism]; as its Tail is 1, it passes no
// threshold either.
type Noise struct {
	kind     Kind
	l0, lInf int64
	// l1 is the most that one privacy unit changes all numbers by together.
	l1 int64
	// once is set where Laplace noise is charged as one draw on a number that changes by l1.
	once bool
	// cells is the most numbers that one privacy unit changes.
	cells int64
	scale float64
	// refinement is odd. The library draws whole numbers of a scale that many times as large, and the draw
	// is divided by it here: see rounded.
	refinement int64
	// sensitivity is what the library is given in place of lInf, so that it draws that scale.
	sensitivity int64
}

// newNoise checks what both laws need.
func newNoise(kind Kind, scale float64, most int64, l0, lInf, l1 int64) (Noise, error) {
	if err := checkTotal(kind.String(), l0, lInf, l1); err != nil {
		return Noise{}, err
	}
	if !(scale > 0) || math.IsInf(scale, 0) {
		return Noise{}, fmt.Errorf("%s.scale: got %g, want a positive finite number", kind, scale)
	}
	if scale > float64(most) {
		return Noise{}, fmt.Errorf("%s.scale: got %.3g, want at most 2^%d; use a coarser resolution, tighter bounds or a larger ε",
			kind, scale, bits.Len64(uint64(most))-1)
	}
	if float64(lInf)/scale > maxLoss {
		return Noise{}, fmt.Errorf("%s.scale: got %g for l∞ = %d, want at least a thousandth of it; use a smaller ε", kind, scale, lInf)
	}
	return Noise{kind: kind, l0: l0, lInf: lInf, l1: l1, cells: l0}, nil
}

// maxLoss bounds l∞/scale: above it noise hides nothing.
const maxLoss = 1000

// Event returns what one draw costs and how many draws a statistic is: by the law that is drawn, with the
// sampler's own error booked.
func (n Noise) Event() (e accounting.Event, times int64, err error) {
	switch n.kind {
	case Laplace:
		change, times := n.lInf, n.l0
		if n.once {
			change, times = n.l1, 1
		}
		e, err = accounting.DiscreteLaplace(float64(n.sensitivity+1), change*n.refinement)
		return e, times, err
	case Gaussian:
		e, err = n.gaussianEvent()
		return e, 1, err
	}
	return accounting.Event{}, 0, errUncalibrated
}

func checkEpsilon(path string, epsilon dp.Epsilon) error {
	e := epsilon.Rat()
	if e.Cmp(dp.MinEpsilon.Rat()) < 0 || e.Cmp(dp.MaxEpsilon.Rat()) > 0 {
		return fmt.Errorf("%s.epsilon: got %s, want %s to %s; give the statistic a larger share of ε, or bound contributions tighter",
			path, epsilon, dp.MinEpsilon, dp.MaxEpsilon)
	}
	return nil
}

func checkSensitivity(path string, l0, lInf int64) error {
	if l0 < 1 || lInf < 1 {
		return fmt.Errorf("%s: got l0 = %d and l∞ = %d, want both at least 1; declare contribution bounds", path, l0, lInf)
	}
	if lInf > maxSensitivity/l0 {
		return fmt.Errorf("%s: got l0·l∞ = %d·%d, want at most 2^51; use a coarser resolution or tighter bounds", path, l0, lInf)
	}
	return nil
}

// checkTotal checks an l1 sensitivity that may be below l0·l∞.
func checkTotal(path string, l0, lInf, l1 int64) error {
	if l0 < 1 || lInf < 1 || l1 < lInf || l1/lInf > l0 || l1/lInf == l0 && l1%lInf > 0 {
		return fmt.Errorf("%s: got l0 = %d, l∞ = %d and l1 = %d, want l0 and l∞ at least 1 and l1 from l∞ to l0·l∞; declare contribution bounds", path, l0, lInf, l1)
	}
	if l1 > maxSensitivity {
		return fmt.Errorf("%s: got l1 = %d, want at most 2^51; use a coarser resolution or tighter bounds", path, l1)
	}
	return nil
}

// checkDelta checks a δ of which each of l0 groups gets an equal part.
func checkDelta(path string, delta dp.Delta, l0 int64) error {
	part := new(big.Rat).Quo(delta.Rat(), new(big.Rat).SetInt64(l0))
	if part.Cmp(minDelta) < 0 {
		return fmt.Errorf("%s.delta: got %s over %d groups, want at least 1e-13 for each; spend a larger δ or lower max_partitions", path, delta, l0)
	}
	if delta.Rat().Cmp(dp.MaxDelta.Rat()) >= 0 {
		return fmt.Errorf("%s.delta: got %s, want below %s", path, delta, dp.MaxDelta)
	}
	return nil
}

// oddBelow returns the largest odd integer at or below x, which is at least 1, or 2^62 - 1 where x is above 2^62:
// what becomes of a float beyond int64 depends on the processor.
func oddBelow(x float64) int64 { return (int64(min(x, 1<<62))-1)/2*2 + 1 }

// rounded returns z/m rounded to the nearest integer. As m is odd there are no ties, so that
// x + rounded(z) = rounded(m·x + z): rounding after the addition and before it are the same, and it is
// post-processing. The library rounds halves of the noise away from zero, which is not: zero then
// lacks one step of the lattice, up to half its probability, and the ratio to its neighbour exceeds
// exp(ε) (laplace.md).
func rounded(z, m int64) int64 {
	quotient, remainder := z/m, z%m
	switch {
	case remainder > m/2:
		return quotient + 1
	case remainder < -(m / 2):
		return quotient - 1
	}
	return quotient
}

// Kind returns the law's family.
func (n Noise) Kind() Kind { return n.kind }

// L0 returns the most groups of the table that one privacy unit counts in.
func (n Noise) L0() int64 { return n.l0 }

// LInf returns the most that one privacy unit changes the value of one group.
func (n Noise) LInf() int64 { return n.lInf }

// L1 returns the most that one privacy unit changes the values of all groups by together: L0·LInf, but for noise that was
// made for less.
func (n Noise) L1() int64 { return n.l1 }

// Cells returns the most numbers that one privacy unit changes: L0, but for noise of [NewGaussianOver].
func (n Noise) Cells() int64 { return n.cells }

// Scale returns Laplace's b or Gaussian's σ of the law drawn, before it is rounded to integers: never below
// the scale asked for.
func (n Noise) Scale() float64 { return n.scale }

// Tail returns P(N ≥ k) for the integer law drawn, rounded up.
func (n Noise) Tail(k int64) float64 {
	if n.kind == 0 || k <= -math.MaxInt64 {
		return 1
	}
	if k >= 1 {
		// An underflow must not promise the impossible.
		return min(1, max(n.upperTail(k)*(1+tailSlack), math.SmallestNonzeroFloat64))
	}
	// The law is symmetric: P(N ≥ k) = 1 - P(N ≥ 1-k).
	return min(1, (1-n.upperTail(1-k)*(1-tailSlack))*(1+tailSlack))
}

// upperTail is P(N ≥ k) for k ≥ 1, to the accuracy of float64.
func (n Noise) upperTail(k int64) float64 {
	if n.kind == Laplace {
		return n.laplaceTail(k)
	}
	return n.gaussianTail(k)
}

// Quantile returns the smallest q ≥ 0 with P(|N| > q) ≤ p, by the rounded-up tail. It returns
// math.MaxInt64 where p is not above 0 or the noise is uncalibrated.
func (n Noise) Quantile(p float64) int64 {
	if n.kind == 0 || !(p > 0) {
		return math.MaxInt64
	}
	// Beyond 2^60, more than 4000 scales away, no float64 is a probability of either law.
	low, high := int64(-1), int64(1)<<60
	for high-low > 1 {
		middle := low + (high-low)/2
		if 2*n.Tail(middle+1) <= p {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// StdDev returns the standard deviation of the integer law drawn, NaN for uncalibrated noise.
func (n Noise) StdDev() float64 {
	switch n.kind {
	case Laplace:
		return n.laplaceStdDev()
	case Gaussian:
		return n.gaussianStdDev()
	}
	return math.NaN()
}

// CharacteristicFunction returns E[exp(itN)] of the integer law drawn, which is real because the law
// is symmetric, and has period 2π because it is integer. It is accurate to about 1e-14 and rounds to
// nearest. NaN for uncalibrated noise.
func (n Noise) CharacteristicFunction(t float64) float64 {
	t = math.Remainder(t, 2*math.Pi)
	switch n.kind {
	case Laplace:
		return n.laplaceCharacteristic(t)
	case Gaussian:
		return n.gaussianCharacteristic(t)
	}
	return math.NaN()
}
