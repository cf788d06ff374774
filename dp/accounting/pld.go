// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"math"
)

// losses is what a composition is for PLD: Gaussians are one Gaussian with the root of the sum of μ², which
// is exact, and infinite losses are one.
type losses struct {
	parts []part
	draws int64
	mu    float64 // of all Gaussians together
	// infinite is the probability that some loss is infinite, and logFinite the log of that none is.
	infinite, logFinite float64
	// spread is at least the standard deviation of the loss, and at most of its order.
	spread float64
	// top is the largest loss of a single draw, sum that of all but Gaussian draws.
	top, sum float64
}

func (c Composition) losses() losses {
	var l losses
	var mu2, square float64
	for _, p := range c.parts {
		n := float64(p.times)
		if p.event.delta != nil && p.event.delta.Sign() > 0 {
			l.logFinite += n * math.Log1p(-floatUp(p.event.delta))
		}
		switch p.event.kind {
		case gaussian:
			mu2 += n * p.event.loss * p.event.loss
		case failure:
		default:
			l.parts = append(l.parts, p)
			l.draws += p.times
			l.top, l.sum = max(l.top, p.event.loss), l.sum+n*p.event.loss
			square += n * p.event.loss * p.event.loss
		}
	}
	// 1e-11 covers the roundings of up to 10,000 additions; δ is raised, the finite mass is raised too.
	if l.logFinite < 0 {
		l.infinite = min(1, -math.Expm1(l.logFinite*(1+1e-11))*(1+1e-11))
		l.logFinite *= 1 - 1e-11
	}
	if mu2 > 0 {
		l.mu = math.Sqrt(mu2) * (1 + 1e-11)
		l.draws++
	}
	l.spread = math.Sqrt(square + mu2)
	return l
}

// onlyGaussian reports whether there is a closed form.
func (l *losses) onlyGaussian() bool { return len(l.parts) == 0 }

// cumulant is ln E[exp(θL)] of the finite losses' own laws, not of their lattice. It steers, and proves
// nothing.
func (l *losses) cumulant(theta float64) float64 {
	// The losses of P against Q and of Q against P have the same law, so that E[exp(θL)] = E[exp(-(1+θ)L)].
	theta = max(theta, -1-theta)
	sum := l.logFinite + theta*(1+theta)/2*l.mu*l.mu
	for _, p := range l.parts {
		sum += float64(p.times) * p.event.cumulant(theta)
	}
	return sum
}

func (e Event) cumulant(theta float64) float64 {
	if e.kind == approx {
		return theta*e.loss + math.Log1p(math.Expm1(-2*e.loss*theta)/(1+math.Exp(e.loss)))
	}
	// Mironov 2017, Proposition 6, at α = θ + 1.
	odd := max(2*theta+1, 1e-9)
	return theta*e.loss + math.Log1p(theta/odd*math.Expm1(-odd*e.loss))
}

// maxTilt bounds θ times the spread. Where the best θ is larger, ε is within a few parts of maxTilt of the
// largest loss, and a weaker tilt does as well.
const maxTilt = 1e5

// bestTilt returns the θ of the best bound by moments: of ε for a δ, or of ln δ for an ε, and the bound
// (Canonne, Kamath and Steinke 2020, Proposition 12, with α = θ + 1).
func (l *losses) bestTilt(bound func(theta, logMoment float64) float64) (theta, value float64) {
	x, value := minimize(math.Log(1e-3/l.spread), math.Log(maxTilt/l.spread), func(x float64) float64 {
		theta := math.Exp(x)
		return bound(theta, l.cumulant(theta)+theta*math.Log(theta)-(1+theta)*math.Log1p(theta))
	})
	return math.Exp(x), value
}

func (c Composition) pldEpsilon(delta float64) (float64, error) {
	basic, errBasic := c.basicEpsilon(delta)
	l := c.losses()
	rest := down(delta - l.infinite)
	// Without room beside the infinite losses basic composition is exact, or there is no ε.
	if !(rest > 0) || errBasic == nil && basic == 0 {
		return basic, errBasic
	}
	var epsilon float64
	if !l.onlyGaussian() {
		var err error
		if epsilon, err = l.epsilon(rest); err != nil {
			return 0, err
		}
	} else if l.mu > 0 {
		epsilon = gaussianEpsilon(l.mu, rest)
	}
	if errBasic == nil {
		epsilon = min(epsilon, basic)
	}
	return epsilon, nil
}

// tolerance is how much of ε the lattice may add, relatively; coarsest is when a result is refused.
const tolerance, coarsest = 5e-5, 1e-2

func (l *losses) epsilon(delta float64) (float64, error) {
	theta, bound := l.bestTilt(func(theta, logMoment float64) float64 { return (logMoment - math.Log(delta)) / theta })
	if bound <= 0 {
		bound = l.spread // where ε = 0 may already do
	}
	// A lattice adds about draws·h²(1+θ)/12 to ε (pld.md).
	added := tolerance * bound
	curve, err := l.compose(theta, math.Sqrt(12*added/(float64(l.draws)*(1+theta))))
	if err != nil {
		return 0, err
	}
	return curve.epsilon(delta)
}

func (c Composition) pldDelta(epsilon float64) (float64, error) {
	basic := c.basicDelta(epsilon)
	l := c.losses()
	var delta float64
	switch {
	case !l.onlyGaussian():
		sumE, _, _ := c.Sum()
		if l.mu == 0 && decimal(epsilon).Cmp(sumE) >= 0 {
			return min(basic, l.infinite), nil
		}
		theta, _ := l.bestTilt(func(theta, logMoment float64) float64 { return logMoment - theta*epsilon })
		curve, err := l.compose(theta, math.Sqrt(12*tolerance/(float64(l.draws)*theta*(1+theta))))
		if err != nil {
			return 0, err
		}
		delta = curve.delta(epsilon)
	case l.mu > 0:
		delta = gaussianDelta(l.mu, epsilon)
	}
	return min(1, basic, up(l.infinite+delta)), nil
}

const (
	// maxGrid bounds the points of a lattice, and maxWork the points times different events.
	maxGrid, maxWork = 1 << 20, 1 << 26
	// A window keeps all but exp(-above) and exp(-below) of the tilted law. What is above is booked into δ; what
	// is below is only moved up.
	above, below = 26, 20
)

// compose convolves the losses on a lattice of about step h, tilted by θ, in a window around the tilted
// mean.
func (l *losses) compose(theta, h float64) (*curve, error) {
	// Coarser steps would put all of the tilted law on a few points, and overflow.
	h = min(h, 1/theta, l.spread/8)
	further, high := l.reach(theta, above, 1)
	_, low := l.reach(theta, below, -1)
	n := 1 << 10
	limit := min(maxGrid, maxWork/(len(l.parts)+1))
	for float64(n-16) < (high-low)/h && 2*n <= limit {
		n *= 2
	}
	g := lattice{h: (high - low) / float64(n-16), theta: theta}
	if g.h > h*math.Sqrt(coarsest/tolerance) {
		return nil, fmt.Errorf("composition: got %d draws with losses too small, beside the largest or the sum, for a grid of %d points, want fewer; use zcdp or basic, or charge the small ones together as one Approx", l.draws, limit)
	}
	// Where the largest loss falls on a point, it is exact.
	if m := math.Floor(l.top / g.h); m >= 8 {
		g.h = l.top / m
	}
	return l.onLattice(g, int(math.Floor(low/g.h))-4, n, further)
}

// reach returns where Chernoff's bound on the tilted law is exp(-t), above (side 1) or below (side -1), and
// the tilt θ + u of that bound.
func (l *losses) reach(theta, t, side float64) (tilt, loss float64) {
	at := l.cumulant(theta)
	x, value := minimize(math.Log(1e-2/l.spread), math.Log(30*(theta+1/l.spread)), func(x float64) float64 {
		u := math.Exp(x)
		return (l.cumulant(theta+side*u) - at + t) / u
	})
	return theta + side*math.Exp(x), side * value
}

func (l *losses) onLattice(g lattice, first, n int, further float64) (*curve, error) {
	// The span's tails are below exp(-50), and below what the window cuts off.
	reach := 10 + math.Sqrt(2*max(0, -l.cumulant(g.theta)+g.theta*float64(first+n)*g.h))
	s := g.gaussianSpan(l.mu, reach)
	if s.last-s.first > 4*maxGrid {
		return nil, errors.New("composition: got a Gaussian far wider than the other losses allow the grid to be, want them nearer in size; use zcdp or basic")
	}
	spectrum := newSpectrum(n)
	c := &curve{lattice: g, first: first, logMass: l.logFinite}
	outer := lattice{h: g.h, theta: further}
	logBeyond := l.logFinite - further*float64(first+n)*g.h
	take := func(at func(lattice) law, times int64) {
		inside := at(g)
		spectrum.multiply(inside, times)
		c.logMass += float64(times) * inside.logMass
		logBeyond += float64(times) * at(outer).logMass
	}
	for _, p := range l.parts {
		take(func(g lattice) law { return g.law(p.event) }, p.times)
	}
	if l.mu > 0 {
		take(func(g lattice) law { return g.gaussian(l.mu, s) }, 1)
		c.beyond = gaussianAbove(l.mu, s)
	}
	// Weights err by 1e-14 a draw, and exponents by a few units of their size, which θ·loss bounds.
	size := further * (l.sum + (1+further)*l.mu*l.mu)
	c.slack = math.Expm1(1e-11 + 2e-14*float64(l.draws) + 2e-15*size)
	c.beyond += math.Exp(logBeyond) * (1 + c.slack)
	c.weights = spectrum.weights()
	c.roundOff = spectrum.roundOff(l.draws)
	return c, nil
}

func (g lattice) law(e Event) law {
	switch e.kind {
	case laplace:
		return g.laplace(e.loss)
	case discreteLaplace:
		return g.discreteLaplace(e)
	}
	return g.worstPair(e.loss)
}
