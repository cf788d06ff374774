// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
)

// gaussianSlack is above the relative error of gaussianDelta's arithmetic: 2e-13 from exp(-z²/2) at |z| up
// to 40 and 1e-12 from the cancellation in z at μ up to 1000.
const gaussianSlack = 1e-11

// gaussianDelta returns the least δ for the privacy loss of a Gaussian with μ = Δ/σ, rounded up: with
// z = ε/μ - μ/2 it is Φ(-z) - exp(ε)·Φ(-z-μ) (Balle and Wang 2018, Theorem 8). As exp(ε)·φ(z+μ) = φ(z), it is
// φ(z)·(R(z) - R(z+μ)) with Mills' ratio R, which has no overflow.
func gaussianDelta(mu, epsilon float64) float64 {
	z := epsilon/mu - mu/2
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	var delta float64
	switch {
	case mu < 0.5:
		delta = density * millsDifference(z, mu)
	case z < 0:
		delta = math.Erfc(z/math.Sqrt2)/2 - density*mills(z+mu)
	default:
		delta = density * (mills(z) - mills(z+mu))
	}
	// An underflow must not promise the impossible.
	return min(1, max(delta*(1+gaussianSlack), math.SmallestNonzeroFloat64))
}

// mills returns (1 - Φ(z))/φ(z), to a relative 1e-13.
func mills(z float64) float64 {
	if z < 20 {
		return math.Sqrt(math.Pi/2) * math.Exp(z*z/2) * math.Erfc(z/math.Sqrt2)
	}
	// Laplace's continued fraction; at z = 20 thirty terms are more than a float64 holds.
	fraction := z
	for k := 30.0; k >= 1; k-- {
		fraction = z + k/fraction
	}
	return 1 / fraction
}

// nodes and weights are those of Gauss and Legendre on [0, 1].
var nodes64, weights64 = legendre(64)

func legendre(n int) (x, w []float64) {
	x, w = make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(x, w, 0, 1)
	return slices.Clip(x), slices.Clip(w)
}

// millsDifference returns R(z) - R(z+μ) for z ≥ -1/4 and μ < 1/2, where the difference of the two would lose
// digits: the integral of (1 - exp(-μs))·exp(-zs - s²/2), which is positive and smooth.
func millsDifference(z, mu float64) float64 {
	end := 92 / (z + math.Sqrt(z*z+92)) // where exp(-zs - s²/2) is exp(-46)
	var sum float64
	for i, x := range nodes64 {
		s := end * x
		sum -= weights64[i] * math.Expm1(-mu*s) * math.Exp(-s*(z+s/2))
	}
	return sum * end
}

// gaussianEpsilon returns the least ε ≥ 0 with gaussianDelta(mu, ε) ≤ δ, rounded up.
func gaussianEpsilon(mu, delta float64) float64 {
	if gaussianDelta(mu, 0) <= delta {
		return 0
	}
	rho := mu * mu / 2
	low, high := 0.0, rho+2*math.Sqrt(rho*math.Log(1/delta)) // Bun and Steinke 2016, Proposition 1.3
	for gaussianDelta(mu, high) > delta {
		high *= 1 + 1e-6
	}
	return bisect(low, high, func(e float64) bool { return gaussianDelta(mu, e) <= delta })
}

// gaussianMu returns the largest μ with gaussianDelta(μ, ε) ≤ δ, rounded down.
func gaussianMu(epsilon, delta float64) float64 {
	low := 1.0
	for gaussianDelta(low, epsilon) > delta {
		low /= 2
	}
	high := 2 * low
	for gaussianDelta(high, epsilon) <= delta {
		high *= 2
	}
	return bisectDown(low, high, func(mu float64) bool { return gaussianDelta(mu, epsilon) <= delta })
}

// bisectDown returns the largest x in [low, high] for which ok holds, rounded down to where it is known to. ok
// must hold at low, and everywhere below a point.
func bisectDown(low, high float64, ok func(float64) bool) float64 {
	return -bisect(-high, -low, func(x float64) bool { return ok(-x) })
}

// bisect returns the least x in [low, high] for which ok holds, rounded up to where it is known to. ok must
// hold at high, and everywhere above a point.
func bisect(low, high float64, ok func(float64) bool) float64 {
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high || high-low <= 1e-14*math.Abs(high) {
			break
		}
		if ok(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
