// SPDX-License-Identifier: Apache-2.0

package audit

import "math"

// Mu returns a lower bound on the μ of a μ-Gaussian differentially private mechanism (Dong, Roth and Su 2022),
// from one event that p counts on one input and q on a neighbour. Whoever takes the event for the first input
// errs with probability Q on the second and 1 − P on the first, and no such test beats that of two normal laws
// μ apart: μ ≥ Φ⁻¹(P) − Φ⁻¹(Q), with P bounded from below and Q from above, each at alpha/2. Gaussian noise of
// standard deviation σ on a number that changes by Δ has μ = Δ/σ. It is 0 where the event shows nothing, and
// rounded down.
func Mu(p, q Count, alpha float64) float64 {
	low, high := Lower(p, alpha/2), Upper(q, alpha/2)
	if !(low > high) {
		return 0
	}
	return max(0, (normalQuantile(low)-normalQuantile(high))*(1-1e-12)-1e-12)
}

// normalQuantile is Φ⁻¹.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// SearchMu is [Search] for Gaussian noise: its Bound is a lower bound on μ.
func SearchMu[T Number](p, q []T, alpha float64) Finding[T] {
	return search(p, q, guessMu, func(p, q Count) float64 { return Mu(p, q, alpha) })
}

// guessMu is about what [Mu] will say.
func guessMu(p, q Count) float64 {
	low, _ := wilson(p)
	_, high := wilson(q)
	if low <= 0 || high >= 1 {
		return math.Inf(-1)
	}
	return normalQuantile(low) - normalQuantile(high)
}

// GaussianDelta returns the δ(ε) of a mechanism that is exactly μ-Gaussian differentially private (Balle and
// Wang 2018, Theorem 8). It rounds to nearest, with a relative error of about 1e-12/min(μ, 1). It is 0 for μ
// that is not positive.
func GaussianDelta(mu, epsilon float64) float64 {
	if !(mu > 0) {
		return 0
	}
	a, b := -epsilon/mu+mu/2, -epsilon/mu-mu/2
	return max(0, normal(a)-math.Exp(epsilon+math.Log(normal(b))))
}

func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// GaussianEpsilon returns an ε below which no mechanism that is exactly μ-Gaussian differentially private can
// be (ε, δ)-differentially private: with μ from [Mu], a lower bound on ε. Rounded down.
func GaussianEpsilon(mu, delta float64) float64 {
	if !(mu > 0) || !(delta > 0 && delta < 1) || GaussianDelta(mu, 0) <= delta {
		return 0
	}
	high := 1.0
	for high < 1e6 && GaussianDelta(mu, high) > delta {
		high *= 2
	}
	low, _ := bisect(0, high, func(e float64) bool { return GaussianDelta(mu, e)*(1-1e-9) > delta })
	return low
}

// GaussianMu returns the largest μ at which a μ-Gaussian differentially private mechanism keeps a claim of
// (ε, δ), rounded up: a [Mu] above it refutes the claim. It is 0 for δ that is not in (0, 1).
func GaussianMu(epsilon, delta float64) float64 {
	if !(delta > 0 && delta < 1) || !(epsilon >= 0) {
		return 0
	}
	_, high := bisect(0, 1e3, func(mu float64) bool { return GaussianDelta(mu, epsilon)*(1-1e-9) <= delta })
	return high
}
