// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"math/rand/v2"
)

// roundedLaplace is the law of round(L), L of density exp(-|x|/b)/2b: what the Laplace mechanism adds
// to integers.
type roundedLaplace struct{ b float64 }

func (l roundedLaplace) Tail(k int64) float64 {
	if k <= 0 {
		return 1 - l.Tail(1-k)
	}
	return math.Exp(-(float64(k)-0.5)/l.b) / 2
}

func (l roundedLaplace) StdDev() float64 {
	r := math.Exp(-1 / l.b)
	return math.Sqrt(2 * math.Sinh(0.5/l.b) * r * (1 + r) / math.Pow(1-r, 3))
}

// CharacteristicFunction sums the two geometric series of P(N = k) = sinh(1/2b)·exp(-|k|/b), k ≠ 0.
func (l roundedLaplace) CharacteristicFunction(t float64) float64 {
	r := math.Exp(-1 / l.b)
	s := math.Sin(t / 2)
	nearOne := -math.Expm1(-1 / l.b) // 1-r
	wings := r * (nearOne - 2*s*s) / (nearOne*nearOne + 4*r*s*s)
	return -math.Expm1(-0.5/l.b) + 2*math.Sinh(0.5/l.b)*wings
}

func (l roundedLaplace) sample(r *rand.Rand) int64 {
	x := l.b * r.ExpFloat64()
	if r.Uint64()&1 == 0 {
		x = -x
	}
	return int64(math.Round(x))
}

// roundedGauss is the law of round(G), G normal with standard deviation s.
type roundedGauss struct{ s float64 }

func (g roundedGauss) Tail(k int64) float64 {
	return math.Erfc((float64(k)-0.5)/(g.s*math.Sqrt2)) / 2
}

func (g roundedGauss) StdDev() float64 {
	variance := 0.0
	for k := int64(1); k < int64(40*g.s)+10; k++ {
		variance += 2 * float64(k*k) * (g.Tail(k) - g.Tail(k+1))
	}
	return math.Sqrt(variance)
}

func (g roundedGauss) CharacteristicFunction(t float64) float64 {
	sum := 1 - 2*g.Tail(1)
	for k := int64(1); k < int64(10*g.s)+10; k++ {
		sum += 2 * math.Cos(float64(k)*t) * (g.Tail(k) - g.Tail(k+1))
	}
	return sum
}

// silent is no noise at all.
type silent struct{ roundedLaplace }

func (silent) StdDev() float64 { return 0 }

func mass(l interface{ Tail(int64) float64 }, k int64) float64 { return l.Tail(k) - l.Tail(k+1) }

func generator() *rand.Rand { return rand.New(rand.NewPCG(20260302, 7)) }
