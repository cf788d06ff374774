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

// tiltAt is exp(θℓ - shift) at a point.
func (g lattice) tiltAt(k int, shift float64) float64 {
	return math.Exp(g.theta*float64(k)*g.h - shift)
}

// shiftFor is the tilt's exponent at the highest point that a largest loss is shared with: with it, no weight
// overflows.
func (g lattice) shiftFor(loss float64) float64 {
	k, rest := g.below(loss)
	if rest > 0 {
		k++
	}
	return g.theta * float64(k) * g.h
}

// split adds mass at a loss to the points around it, through add; weights stand for exp(shift) times as
// much.
func (g lattice) split(loss, mass, shift float64, add func(k int, weight float64)) {
	k, rest := g.below(loss)
	upper := math.Expm1(-rest) / math.Expm1(-g.h)
	lower := math.Exp(-rest) * math.Expm1(rest-g.h) / math.Expm1(-g.h)
	add(k, mass*lower*g.tiltAt(k, shift))
	if upper > 0 {
		add(k+1, mass*upper*g.tiltAt(k+1, shift))
	}
}

// worstPair is the loss of the worst pure mechanism: ε with probability exp(ε)/(1+exp(ε)), else -ε (Kairouz,
// Oh and Viswanath 2015).
func (g lattice) worstPair(epsilon float64) law {
	var l law
	add := func(k int, w float64) { l.atoms = append(l.atoms, atom{k, w}) }
	shift := g.shiftFor(epsilon)
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
	shift := g.shiftFor(epsilon)
	// The mass at -k is exp(-kh) times that at k: the pair of laws is the same with its sides exchanged.
	add := func(k int, mass float64) {
		l.atoms = append(l.atoms, atom{k, mass * g.tiltAt(k, shift)})
		if k > 0 {
			l.atoms = append(l.atoms, atom{-k, mass * math.Exp(-float64(k)*g.h) * g.tiltAt(-k, shift)})
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
	shift, step := g.shiftFor(e.loss), e.loss/float64(e.steps)
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

// span is the part of a Gaussian loss that is on the lattice: what is below low is moved up to the next
// point, what is above high is counted as infinite. The points first to last enclose it.
type span struct {
	low, high   float64
	first, last int
}

// gaussianSpan covers all but exp(-reach²/2) of a tilted Gaussian loss, on each side.
func (g lattice) gaussianSpan(mu, reach float64) span {
	center := mu*mu/2 + g.theta*mu*mu
	low, high := center-reach*mu, center+reach*mu
	return span{low, high, int(math.Floor(low / g.h)), int(math.Ceil(high / g.h))}
}

var (
	nodes3, weights3 = legendre(3)
	nodes5, weights5 = legendre(5)
)

// gaussian is the loss of Gaussian noise, N(μ²/2, μ²), on a span. Tilted it is normal again, with mean
// μ²/2 + θμ². Each cell is integrated by Gauss and Legendre's five nodes in panels of at most μ/4, or three in
// cells of at most μ/32: exact to 1e-14 or better.
func (g lattice) gaussian(mu float64, s span) law {
	l := law{first: s.first, dense: make([]float64, s.last-s.first+1)}
	mean := mu*mu/2 + g.theta*mu*mu
	shift := g.theta*mu*mu/2 + g.theta*g.theta*mu*mu/2
	var whole []node // of a cell that is one panel
	if 4*g.h <= mu {
		whole = g.panel(mu, 0, g.h)
	}
	for k := range len(l.dense) - 1 {
		start := float64(s.first+k) * g.h
		from, to := max(s.low, start), min(s.high, start+g.h)
		nodes := whole
		if whole == nil || from > start || to < start+g.h {
			nodes = g.panel(mu, from-start, to-start)
		}
		for _, n := range nodes {
			z := (start + n.rest - mean) / mu
			density := math.Exp(-z * z / 2)
			l.dense[k] += n.lower * density
			l.dense[k+1] += n.upper * density
		}
	}
	next := int(math.Ceil(s.low / g.h))
	l.dense[next-s.first] += math.Erfc((mu*mu/2-s.low)/mu/math.Sqrt2) / 2 * g.tiltAt(next, shift)
	l.scale(shift)
	return l
}

// node is a place in a cell, and what a tilted density of 1 there adds to the cell's two points.
type node struct{ rest, lower, upper float64 }

// panel makes the nodes of a part of a cell.
func (g lattice) panel(mu, from, to float64) []node {
	if !(from < to) {
		return nil
	}
	panels := math.Ceil(4 * (to - from) / mu)
	width := (to - from) / panels
	scale := width / (mu * math.Sqrt(2*math.Pi)) / math.Expm1(-g.h)
	places, weights := nodes5, weights5
	if 32*width <= mu {
		places, weights = nodes3, weights3
	}
	var nodes []node
	for i := range int(panels) {
		for j, x := range places {
			rest := from + (float64(i)+x)*width
			nodes = append(nodes, node{
				rest:  rest,
				lower: scale * weights[j] * math.Expm1(rest-g.h) * math.Exp(-rest-g.theta*rest),
				upper: scale * weights[j] * math.Expm1(-rest) * math.Exp(g.theta*(g.h-rest)),
			})
		}
	}
	return nodes
}

// gaussianAbove is the mass above a span, rounded up.
func gaussianAbove(mu float64, s span) float64 {
	return math.Erfc((s.high-mu*mu/2)/mu/math.Sqrt2) / 2 * (1 + gaussianSlack)
}
