// SPDX-License-Identifier: Apache-2.0

package accounting

import "math"

// lattice is the grid of losses k·h, with every weight tilted: a mass p at loss ℓ counts p·exp(θℓ).
type lattice struct{ h, theta float64 }

// law is one draw's privacy loss on a lattice, tilted and scaled to a total of 1. Losses between two points
// are shared between them so that both the mass under P and that under Q, which is exp(-ℓ) times as large,
// are kept: "connect the dots" (Doroshenko et al. 2022), which raises δ at every ε and is exact at the
// points. All weights are computed without cancellation.
type law struct {
	atoms []atom
	run   run
	// dense has one weight a point, from point first.
	dense []float64
	first int
	// logMass is the log of the weights' total before they were scaled.
	logMass float64
}

// atom is a weight at one point.
type atom struct {
	k      int
	weight float64
}

// run is a geometric sequence of weights on the points last, last-1, …, last-length+1.
type run struct {
	last, length int
	weight       float64 // at last
	logRatio     float64 // from one point to the next below, negative
}

func (r run) sum() float64 {
	if r.length == 0 {
		return 0
	}
	return r.weight * math.Expm1(float64(r.length)*r.logRatio) / math.Expm1(r.logRatio)
}

// scale divides all weights, which stand for exp(shift) times as much, by their total.
func (l *law) scale(shift float64) {
	total := l.run.sum()
	for _, a := range l.atoms {
		total += a.weight
	}
	for _, w := range l.dense {
		total += w
	}
	for i := range l.atoms {
		l.atoms[i].weight /= total
	}
	for i := range l.dense {
		l.dense[i] /= total
	}
	l.run.weight /= total
	l.logMass = shift + math.Log(total)
}

// below returns the point at or below a loss, and the loss's distance from it in [0, h].
func (g lattice) below(loss float64) (k int, rest float64) {
	point := math.Floor(loss / g.h)
	return int(point), min(g.h, max(0, math.FMA(-point, g.h, loss)))
}

// split adds mass at a loss to the points around it, through add; weights stand for exp(shift) times as
// much.
func (g lattice) split(loss, mass, shift float64, add func(k int, weight float64)) {
	k, rest := g.below(loss)
	tilt := math.Exp(g.theta*(loss-rest) - shift)
	upper := math.Expm1(-rest) / math.Expm1(-g.h)
	lower := math.Exp(-rest) * math.Expm1(rest-g.h) / math.Expm1(-g.h)
	add(k, mass*lower*tilt)
	if upper > 0 {
		add(k+1, mass*upper*tilt*math.Exp(g.theta*g.h))
	}
}

// worstPair is the loss of the worst pure mechanism: ε with probability exp(ε)/(1+exp(ε)), else -ε (Kairouz,
// Oh and Viswanath 2015).
func (g lattice) worstPair(epsilon float64) law {
	var l law
	add := func(k int, w float64) { l.atoms = append(l.atoms, atom{k, w}) }
	shift := g.theta * epsilon
	g.split(epsilon, 1/(1+math.Exp(-epsilon)), shift, add)
	g.split(-epsilon, 1/(1+math.Exp(epsilon)), shift, add)
	l.scale(shift)
	return l
}

// laplace is the loss of continuous Laplace noise: ±ε with probability 1/2 and exp(-ε)/2, and between them
// the density exp((ℓ-ε)/2)/4. On the lattice a point between has tanh(h/4)·exp((kh-ε)/2) (pld.md).
func (g lattice) laplace(epsilon float64) law {
	var l law
	top, rest := g.below(epsilon)
	shift := g.theta * epsilon
	// The mass at -k is exp(-kh) times that at k: the pair of laws is the same with its sides exchanged.
	add := func(k int, mass float64) {
		loss := float64(k) * g.h
		l.atoms = append(l.atoms, atom{k, mass * math.Exp(g.theta*loss-shift)})
		if k > 0 {
			l.atoms = append(l.atoms, atom{-k, mass * math.Exp(-loss-g.theta*loss-shift)})
		}
	}
	upper := math.Expm1(-rest/2) / math.Expm1(-g.h)
	lower := (math.Expm1((g.h-rest)/2)*math.Cosh(g.h/2) + 2*math.Pow(math.Sinh(g.h/4), 2)) / math.Expm1(g.h)
	inner := math.Tanh(g.h / 4)
	if upper > 0 {
		add(top+1, upper)
	}
	if top == 0 {
		add(0, 2*lower)
		l.scale(shift)
		return l
	}
	add(top, lower+inner*math.Exp(-rest/2)/2)
	last := float64(top-1) * g.h
	l.run = run{
		last: top - 1, length: 2*top - 1,
		weight:   inner * math.Exp((last-epsilon)/2+g.theta*last-shift),
		logRatio: -(g.theta + 0.5) * g.h,
	}
	l.scale(shift)
	return l
}

// maxSteps bounds the atoms that a discrete Laplace law is made of. Above it the stretched continuous law,
// which has a sensitivity larger by less than 2/maxSteps, stands in.
const maxSteps = 1 << 14

// stretch is (D+2)/D: continuous Laplace noise of the same scale and that much more sensitivity dominates
// (pld.md).
func (e Event) stretch() float64 { return up(float64(e.steps+2) / float64(e.steps)) }

// discreteLaplace is the loss of two-sided geometric noise at D steps: a(D-2j) for the outputs j = 0 … D, where
// a = 1/b; outputs below 0 and above D are at its ends.
func (g lattice) discreteLaplace(e Event) law {
	if e.steps > maxSteps {
		return g.laplace(e.loss * e.stretch())
	}
	top, _ := g.below(e.loss)
	l := law{first: -top - 1, dense: make([]float64, 2*top+4)}
	add := func(k int, w float64) { l.dense[k-l.first] += w }
	shift, step := g.theta*e.loss, e.loss/float64(e.steps)
	geometric := 1 + math.Exp(-step)
	g.split(e.loss, 1/geometric, shift, add)
	for j := int64(1); j < e.steps; j++ {
		mass := -math.Expm1(-step) * math.Exp(-step*float64(j)) / geometric
		g.split(step*float64(e.steps-2*j), mass, shift, add)
	}
	g.split(-e.loss, math.Exp(-e.loss)/geometric, shift, add)
	l.scale(shift)
	return l
}

// span is the part of a Gaussian loss that is on the lattice: what is below its first point is moved up to
// it, what is above its last is counted as infinite.
type span struct{ first, last int }

// gaussianSpan covers all but exp(-reach²/2) of a tilted Gaussian loss, on each side.
func (g lattice) gaussianSpan(mu, reach float64) span {
	center := mu*mu/2 + g.theta*mu*mu
	return span{int(math.Floor((center - reach*mu) / g.h)), int(math.Ceil((center + reach*mu) / g.h))}
}

var nodes5, weights5 = legendre(5)

// gaussian is the loss of Gaussian noise, N(μ²/2, μ²), on a span. Tilted it is normal again, with mean
// μ²/2 + θμ². Each cell is integrated by Gauss and Legendre's five nodes in panels of at most μ/4, exact to
// 1e-14 or better.
func (g lattice) gaussian(mu float64, s span) law {
	l := law{first: s.first, dense: make([]float64, s.last-s.first+1)}
	mean := mu*mu/2 + g.theta*mu*mu
	panels := int(math.Ceil(4 * g.h / mu))
	width := g.h / float64(panels)
	scale := width / (mu * math.Sqrt(2*math.Pi))
	for i := range panels {
		for j, x := range nodes5 {
			rest := (float64(i) + x) * width
			upper := scale * weights5[j] * math.Expm1(-rest) / math.Expm1(-g.h) * math.Exp(g.theta*(g.h-rest))
			lower := scale * weights5[j] * math.Exp(-rest) * math.Expm1(rest-g.h) / math.Expm1(-g.h) * math.Exp(-g.theta*rest)
			for k := range len(l.dense) - 1 {
				z := (float64(s.first+k)*g.h + rest - mean) / mu
				density := math.Exp(-z * z / 2)
				l.dense[k] += lower * density
				l.dense[k+1] += upper * density
			}
		}
	}
	shift := g.theta*mu*mu/2 + g.theta*g.theta*mu*mu/2
	lowest := float64(s.first) * g.h
	l.dense[0] += math.Erfc((mu*mu/2-lowest)/mu/math.Sqrt2) / 2 * math.Exp(g.theta*lowest-shift)
	l.scale(shift)
	return l
}

// gaussianAbove is the mass above a span, rounded up.
func (g lattice) gaussianAbove(mu float64, s span) float64 {
	return math.Erfc((float64(s.last)*g.h-mu*mu/2)/mu/math.Sqrt2) / 2 * (1 + gaussianSlack)
}
