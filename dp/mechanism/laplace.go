// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"math"
)

// maxLaplaceScale bounds b: up to it at least three steps of the library's lattice, which has 2^40 steps
// to a scale, fit into an integer. Noise that is 2^38 quanta wide says that the resolution is finer than
// any reader can use.
const maxLaplaceScale = 1 << 38

// laplaceSteps is how many steps the library's lattice has to a scale, at most.
const laplaceSteps = 1 << 40

// libraryEpsilon is the ε that the library is given for Laplace noise: its scale is then the sensitivity.
const libraryEpsilon = 1

// NewLaplace returns Laplace noise of a scale b, in quanta, for one statistic: each privacy unit counts in
// at most l0 groups and changes each by at most lInf. With b = l0·lInf/ε it is ε-differentially private. It
// returns an error for bounds below 1 or with l0·lInf above 2^51, for a scale that is not positive or above
// 2^38, and below lInf/1000. The scale is rounded up, by less than 1e-11 of it.
func NewLaplace(scale float64, l0, lInf int64) (Noise, error) {
	if err := checkSensitivity(Laplace.String(), l0, lInf); err != nil {
		return Noise{}, err
	}
	return newLaplace(scale, l0, lInf, l0*lInf, false)
}

// NewLaplaceOver returns noise for a privacy unit that changes all values by at most l1 together, and is charged as one
// draw on a number that changes by that. With b = l1/ε it is ε-differentially private. The errors are those of
// [NewLaplace], with l1 in the place of l0·lInf, and one for an l1 that is not from lInf to l0·lInf.
func NewLaplaceOver(scale float64, l0, lInf, l1 int64) (Noise, error) {
	return newLaplace(scale, l0, lInf, l1, true)
}

func newLaplace(scale float64, l0, lInf, l1 int64, once bool) (Noise, error) {
	n, err := newNoise(Laplace, scale, maxLaplaceScale, l0, lInf, l1)
	if err != nil {
		return Noise{}, err
	}
	if n.once = once; once && float64(l1)/scale > maxLoss {
		return Noise{}, fmt.Errorf("laplace.scale: got %g for l1 = %d, want at least a thousandth of it; use a smaller ε", scale, l1)
	}
	// With 0.99, the sensitivity is never above 2^40, where the library's lattice turns coarse; and it is
	// above 2^39, below which the lattice would be finer than 1 and rounded (laplace.md).
	n.refinement = oddBelow(0.99 * laplaceSteps / scale)
	// The library draws for one step more than the sensitivity.
	n.sensitivity = int64(math.Ceil(scale*float64(n.refinement)*(1+1e-15))) - 1
	n.scale = float64(n.sensitivity+1) / float64(n.refinement)
	if _, _, err := n.Event(); err != nil {
		return Noise{}, err
	}
	return n, nil
}

// The law drawn (laplace.md): N is Z/M rounded to the nearest integer, where M is the odd refinement and
// Z a two-sided geometric integer, P(Z ≥ m) = q^m/(1+q) for m ≥ 1, with q = exp(-1/(b·M)). So for k ≥ 1
// P(N ≥ k) = P(Z ≥ M·k - (M-1)/2), which falls by a = exp(-1/b) with each k.

// laplaceLogQ is ln q, the step of Z.
func (n Noise) laplaceLogQ() float64 { return -1 / (n.scale * float64(n.refinement)) }

func (n Noise) laplaceTail(k int64) float64 {
	// (M·k - (M-1)/2)/M, in units of N.
	reach := float64(k) - 0.5 + 0.5/float64(n.refinement)
	return math.Exp(-reach/n.scale) / (1 + math.Exp(n.laplaceLogQ()))
}

// laplaceZero is P(N = 0) = 1 - 2·P(N ≥ 1), written without cancellation.
func (n Noise) laplaceZero() float64 {
	reach := float64(n.refinement/2 + 1)
	return (math.Expm1(n.laplaceLogQ()) - 2*math.Expm1(reach*n.laplaceLogQ())) / (1 + math.Exp(n.laplaceLogQ()))
}

func (n Noise) laplaceStdDev() float64 {
	// Σ k²·2c(1-a)a^k = 2·c·a·(1+a)/(1-a)².
	a, oneLessA := math.Exp(-1/n.scale), -math.Expm1(-1/n.scale)
	return math.Sqrt(2*n.laplaceTail(1)*(1+a)) / oneLessA
}

func (n Noise) laplaceCharacteristic(t float64) float64 {
	// P(0) + Σ 2c(1-a)·a^k·cos kt, a geometric series; 1 - cos t = 2 sin²(t/2) keeps small t exact.
	a, oneLessA := math.Exp(-1/n.scale), -math.Expm1(-1/n.scale)
	versine := 2 * math.Sin(t/2) * math.Sin(t/2)
	series := (oneLessA - versine) / (oneLessA*oneLessA + 2*a*versine)
	return n.laplaceZero() + 2*n.laplaceTail(1)*oneLessA*series
}
