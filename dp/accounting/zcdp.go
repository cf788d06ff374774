// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"math"
	"math/big"
)

// rho returns the event's ρ, rounded up: D_α(P‖Q) ≤ ρ·α for all α > 1 and both directions (zcdp.md). An
// Approx is δ-approximately ρ-zCDP, a Failure δ-approximately 0-zCDP.
func (e Event) rho() float64 {
	const slack = 1 + 1e-12
	switch e.kind {
	case laplace:
		return laplaceRho(e.loss) * slack
	case discreteLaplace:
		return min(pureRho(e.loss), laplaceRho(e.loss*e.stretch())) * slack
	case gaussian:
		return e.loss * e.loss / 2 * slack
	case approx:
		return pureRho(e.loss) * slack
	}
	return 0
}

// laplaceRho is ε + exp(-ε) - 1 (Harrison and Manurangsi 2026, Theorem 1).
func laplaceRho(epsilon float64) float64 {
	if epsilon > 1e-3 {
		return epsilon + math.Expm1(-epsilon)
	}
	// The series alternates: cut after a positive term, it is above, by less than ε⁶/720.
	return epsilon * epsilon / 2 * (1 - epsilon/3*(1-epsilon/4))
}

// pureRho is ε·tanh(ε/2), the loss's mean in the worst pure mechanism; at most ε²/2.
func pureRho(epsilon float64) float64 { return epsilon * math.Tanh(epsilon/2) }

// Rho returns the sums of ρ and δ: the composition is δ-approximately ρ-zero-concentrated differentially
// private. Both are rounded up; a sampler's error ([Event.Within]) is in neither.
func (c Composition) Rho() (rho, delta float64) {
	_, sum, _ := c.Sum()
	for _, p := range c.parts {
		rho = up(rho + up(float64(p.times)*p.event.rho()))
	}
	return rho, floatUp(sum)
}

func (c Composition) zcdpEpsilon(delta float64) (float64, error) {
	rho, spent := c.Rho()
	if rho == 0 && delta >= spent {
		return 0, nil
	}
	rest := down(delta - spent)
	if !(rest > 0) {
		if delta == 0 {
			spent = 0
		}
		return 0, errDeltaSpent(delta, new(big.Rat).SetFloat64(spent))
	}
	return rhoEpsilon(rho, rest), nil
}

func (c Composition) zcdpDelta(epsilon float64) float64 {
	rho, spent := c.Rho()
	if rho == 0 {
		return spent
	}
	return min(1, up(spent+rhoDelta(rho, epsilon)))
}

// conversionSlack is above the rounding of either conversion; any α gives a valid bound, so that the
// search for the best needs none.
const conversionSlack = 1e-12

// rhoEpsilon converts ρ-zCDP to the least ε over α of αρ + ln(1/(αδ))/(α-1) + ln(1-1/α) (Canonne, Kamath
// and Steinke 2020, Proposition 12), rounded up.
func rhoEpsilon(rho, delta float64) float64 {
	guess := math.Log(math.Sqrt((1 - math.Log(delta)) / rho)) // of ln(α-1)
	_, epsilon := minimize(guess-8, guess+8, func(x float64) float64 {
		over := math.Exp(x)
		alpha := 1 + over
		return alpha*rho - math.Log(alpha*delta)/over + math.Log(over/alpha)
	})
	return max(0, epsilon+conversionSlack*(math.Abs(epsilon)+rho))
}

// rhoDelta converts ρ-zCDP to the least δ over α of exp((α-1)(αρ-ε))/α · (1-1/α)^(α-1) (the same), rounded
// up.
func rhoDelta(rho, epsilon float64) float64 {
	guess := math.Log(max(1e-3, (epsilon/rho-1)/2)) // of ln(α-1)
	_, exponent := minimize(guess-8, guess+8, func(x float64) float64 {
		over := math.Exp(x)
		alpha := 1 + over
		return over*(alpha*rho-epsilon) - math.Log(alpha) + over*math.Log(over/alpha)
	})
	return min(1, math.Exp(exponent+conversionSlack*(1+math.Abs(exponent)))*(1+conversionSlack))
}
