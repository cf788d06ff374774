// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"fmt"
	"math"
)

// curve is δ as a function of ε, for the finite losses of a composition near the tilt it was made for.
type curve struct {
	lattice
	// weights are the tilted weights of the points first, first+1, …, at the index modulo their number.
	weights []float64
	first   int
	// logMass is the log of the weights' total before it was scaled to 1.
	logMass float64
	// beyond is what is above the window, counted as infinite loss; slack the relative error of what is in
	// it; roundOff the l2 norm of the error of the weights.
	beyond, slack, roundOff float64
}

// tail walks down the points, with the sums that δ is made of: mass is Σ p over the points from k on, and
// gain is Σ p·(1 - exp(kh - loss)), the δ at ε = kh.
type tail struct {
	k          int
	mass, gain float64
}

// down takes in the next point below.
func (c *curve) down(t tail) tail {
	t.gain = math.Exp(-c.h)*t.gain - math.Expm1(-c.h)*t.mass
	t.k--
	t.mass += c.weights[t.k&(len(c.weights)-1)] * math.Exp(c.logMass-c.theta*float64(t.k)*c.h)
	return t
}

// top is the tail above the window.
func (c *curve) top() tail { return tail{k: c.first + len(c.weights)} }

// booked is what rounding may hide from δ at a loss of kh or more. By Cauchy and Schwarz it is at most the norm
// of the weights' error times the norm of what a weight m points above counts for, which is
// (1 - exp(-mh))·exp(-θmh) ≤ min(1, mh)·exp(-θmh), times exp(logMass - θkh).
func (c *curve) booked(k int) float64 {
	fall, lost := math.Exp(-2*c.theta*c.h), -math.Expm1(-2*c.theta*c.h)
	square := min(float64(len(c.weights)), 1/lost, c.h*c.h*fall*(1+fall)/(lost*lost*lost))
	return c.roundOff * math.Sqrt(square) * math.Exp(c.logMass-c.theta*float64(k)*c.h)
}

// delta returns δ at ε, rounded up.
func (c *curve) delta(epsilon float64) float64 {
	k := int(math.Floor(epsilon / c.h))
	if k < c.first {
		return 1
	}
	t := c.top()
	for t.k > k+1 {
		t = c.down(t)
	}
	delta := c.between(t, epsilon)
	return min(1, delta*(1+c.slack)+c.booked(k)+c.beyond)
}

// between is δ at an ε at most one step below the tail's lowest point.
func (c *curve) between(t tail, epsilon float64) float64 {
	gap := max(0, float64(t.k)*c.h-epsilon)
	return math.Exp(-gap)*t.gain - math.Expm1(-gap)*t.mass
}

// epsilon returns the least ε ≥ 0 at which δ is at most delta, rounded up.
func (c *curve) epsilon(delta float64) (float64, error) {
	const slack = 1e-12 // above the rounding of points and of the largest loss
	t := c.top()
	for t.k > max(c.first, 0) {
		next := c.down(t)
		allowed := (delta - c.beyond - c.booked(next.k)) / (1 + c.slack)
		if next.gain <= allowed {
			t = next
			continue
		}
		if t == c.top() {
			return 0, fmt.Errorf("delta: got %g, want more than the grid's rounding, about %g; ask for a larger δ, or use zcdp", delta, c.beyond+c.booked(next.k))
		}
		// exp(-x)·gain + (1-exp(-x))·mass = allowed, at x below the point t.k.
		x := -math.Log1p(-max(0, allowed-t.gain) / (t.mass - t.gain))
		return max(0, float64(t.k)*c.h-min(x, c.h)) * (1 + slack), nil
	}
	return max(0, float64(t.k)*c.h) * (1 + slack), nil
}
