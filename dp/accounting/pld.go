// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
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
	// The widest first: they leave the fewest frequencies for the others.
	slices.SortStableFunc(l.parts, func(a, b part) int { return cmp.Compare(b.variance(), a.variance()) })
	return l
}

// variance is of the order of that of a part's loss.
func (p part) variance() float64 { return float64(p.times) * p.event.loss * p.event.loss }

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
	odd := max(2*theta+1, 1e-9)
	if e.kind == discreteLaplace && e.steps <= maxSteps {
		// A geometric series between two ends, at α = θ + 1.
		step := e.loss / float64(e.steps)
		inner := math.Exp(-step*odd) * math.Expm1(-step*odd*float64(e.steps-1)) / math.Expm1(-step*odd) * -math.Expm1(-step)
		return theta*e.loss + math.Log1p((math.Exp(-e.loss*odd)+inner-math.Exp(-step))/(1+math.Exp(-step)))
	}
	// Mironov 2017, Proposition 6, at α = θ + 1.
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
	curve, err := l.compose(theta, tolerance*bound)
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
		curve, err := l.compose(theta, tolerance/theta) // ln δ falls by θ for each ε
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

// added estimates what a lattice of step h adds to ε at tilt θ: (1+θ)/2 times the variance that splitting a
// loss between two points gives it, h²/6 on average, and at most h times the loss (pld.md).
func (l *losses) added(theta, h float64) float64 {
	var variance float64
	if l.mu > 0 {
		variance = min(h*h/6, h*l.mu)
	}
	for _, p := range l.parts {
		variance += float64(p.times) * min(h*h/6, h*p.event.loss)
	}
	return (1 + theta) / 2 * variance
}

// compose convolves the losses on a lattice, tilted by θ, in a window around the tilted mean. Its step is such
// that it adds about the given amount to ε.
func (l *losses) compose(theta, add float64) (*curve, error) {
	further, high := l.reach(theta, above, 1)
	_, low := l.reach(theta, below, -1)
	// Coarser steps would put the tilted law on a few points, and more of it above the window than reach says.
	h := min(1/further, l.spread/8)
	if l.added(theta, h) > add {
		h = math.Exp(bisectDown(math.Log(h)-60, math.Log(h), func(x float64) bool { return l.added(theta, math.Exp(x)) <= add }))
	}
	limit := min(maxGrid, maxWork/(len(l.parts)+1))
	n := 1 << 10
	for float64(n-16) < 1.02*(high-low)/h && 2*n <= limit {
		n *= 2
	}
	g := lattice{h: 1.02 * (high - low) / float64(n-16), theta: theta}
	if g.h > 10*h && l.added(theta, g.h) > add*coarsest/tolerance {
		return nil, l.errGrid(limit)
	}
	// Where the largest loss falls on a point, it is exact.
	if m := math.Floor(l.top / g.h); m >= 8 {
		g.h = l.top / m
	}
	return l.onLattice(g, int(math.Floor(low/g.h))-4, n, limit, further)
}

func (l *losses) errGrid(points int) error {
	return fmt.Errorf("composition: got %d draws with losses too small, beside the largest or the sum, for a grid of %d points, want fewer; use zcdp or basic, or charge the small ones together as one Approx", l.draws, points)
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

// weighed is a law with the number of its draws.
type weighed struct {
	law   law
	times int64
}

// laws puts all losses on a lattice, and returns the log of their total mass too.
func (l *losses) laws(g lattice, s span) (all []weighed, logMass float64) {
	logMass = l.logFinite
	take := func(at law, times int64) {
		all = append(all, weighed{at, times})
		logMass += float64(times) * at.logMass
	}
	if l.mu > 0 {
		take(g.gaussian(l.mu, s), 1)
	}
	for _, p := range l.parts {
		take(g.law(p.event), p.times)
	}
	return all, logMass
}

// onLattice convolves the losses in a window of n points, or of as many more as the rounding to the lattice
// needs.
func (l *losses) onLattice(g lattice, first, n, limit int, further float64) (*curve, error) {
	// The span's tails are below exp(-50), and below what the window cuts off.
	reach := 10 + math.Sqrt(2*max(0, -l.cumulant(g.theta)+g.theta*float64(first+n)*g.h))
	s := g.gaussianSpan(l.mu, reach)
	if s.last-s.first > 4*maxGrid {
		return nil, errors.New("composition: got a Gaussian far wider than the other losses allow the grid to be, want them nearer in size; use zcdp or basic")
	}
	all, logMass := l.laws(g, s)
	_, logFurther := l.laws(lattice{h: g.h, theta: further}, s)
	for top := (logFurther - logMass + above) / (further - g.theta); float64(first+n)*g.h < top; n *= 2 {
		if n > 2*limit {
			return nil, l.errGrid(limit)
		}
	}
	spectrum := newSpectrum(n)
	for _, w := range all {
		spectrum.multiply(w.law, w.times)
	}
	c := &curve{lattice: g, first: first, logMass: logMass, weights: spectrum.weights(), roundOff: spectrum.roundOff(l.draws)}
	// Weights err by 1e-14 a draw, and exponents by a few units of their size, which θ·loss bounds.
	size := further * (l.sum + (1+further)*l.mu*l.mu)
	c.slack = math.Expm1(1e-11 + 2e-14*float64(l.draws) + 2e-15*size)
	c.beyond = math.Exp(logFurther-further*float64(first+n)*g.h) * (1 + c.slack)
	if l.mu > 0 {
		c.beyond += gaussianAbove(l.mu, s)
	}
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
