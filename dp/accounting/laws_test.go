// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// untilted returns a law's masses by point, at tilt 0.
func (l law) untilted() map[int]float64 {
	masses := map[int]float64{}
	total := math.Exp(l.logMass)
	for _, a := range l.atoms {
		masses[a.k] += a.weight * total
	}
	for i := range l.run.length {
		masses[l.run.last-i] += l.run.weight * math.Exp(float64(i)*l.run.logRatio) * total
	}
	for i, w := range l.dense {
		masses[l.first+i] += w * total
	}
	return masses
}

// hockey is the δ of masses at ε.
func hockey(masses map[int]float64, h, epsilon float64) (delta float64) {
	for k, p := range masses {
		if loss := float64(k) * h; loss > epsilon {
			delta -= p * math.Expm1(epsilon-loss)
		}
	}
	return delta
}

func laplaceDelta(loss, epsilon float64) float64 {
	switch {
	case epsilon >= loss:
		return 0
	case epsilon <= -loss:
		return -math.Expm1(epsilon)
	}
	return -math.Expm1((epsilon - loss) / 2)
}

func worstPairDelta(loss, epsilon float64) float64 {
	switch {
	case epsilon >= loss:
		return 0
	case epsilon <= -loss:
		return -math.Expm1(epsilon)
	}
	return (math.Exp(loss) - math.Exp(epsilon)) / (1 + math.Exp(loss))
}

// discreteDelta sums over outputs; all at or below 0, and all at or above the sensitivity, have one loss each.
func discreteDelta(e Event, epsilon float64) float64 {
	step := e.loss / float64(e.steps)
	q := math.Exp(-step)
	gain := func(p, r float64) float64 { return max(0, p-math.Exp(epsilon)*r) }
	delta := gain(1/(1+q), math.Exp(-e.loss)/(1+q)) + gain(math.Exp(-e.loss)/(1+q), 1/(1+q))
	for z := int64(1); z < e.steps; z++ {
		inner := func(z int64) float64 { return math.Exp(-step*float64(z)) * -math.Expm1(-step) / (1 + q) }
		delta += gain(inner(z), inner(e.steps-z))
	}
	return delta
}

// twoSidedGaussianDelta is gaussianDelta for ε of either sign, by the textbook formula.
func twoSidedGaussianDelta(mu, epsilon float64) float64 {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	return phi(mu/2-epsilon/mu) - math.Exp(epsilon)*phi(-mu/2-epsilon/mu)
}

// lawCase is one event on one lattice, with its exact δ.
type lawCase struct {
	name  string
	law   law
	h     float64
	loss  float64
	exact func(epsilon float64) float64
}

func lawCases(t *testing.T) (cases []lawCase) {
	t.Helper()
	for _, h := range []float64{1e-3, 0.0137, 0.11, 0.9} {
		g := lattice{h: h}
		for _, loss := range []float64{0.02, 0.11, 0.5, 2.2} {
			cases = append(cases,
				lawCase{fmt.Sprintf("laplace %g on %g", loss, h), g.laplace(loss), h, loss, func(e float64) float64 { return laplaceDelta(loss, e) }},
				lawCase{fmt.Sprintf("worst pair %g on %g", loss, h), g.worstPair(loss), h, loss, func(e float64) float64 { return worstPairDelta(loss, e) }},
				lawCase{fmt.Sprintf("gaussian %g on %g", loss, h), g.gaussian(loss, g.gaussianSpan(loss, 10)), h, loss, func(e float64) float64 { return twoSidedGaussianDelta(loss, e) }},
			)
			for _, steps := range []int64{1, 2, 7} {
				e, err := DiscreteLaplace(float64(steps)/loss, steps)
				require.NoError(t, err)
				cases = append(cases, lawCase{fmt.Sprintf("discrete %g in %d on %g", loss, steps, h), g.discreteLaplace(e), h, loss, func(x float64) float64 { return discreteDelta(e, x) }})
			}
		}
	}
	return cases
}

func TestEveryLawOnALatticeCostsAtLeastTheExactOne(t *testing.T) {
	for _, c := range lawCases(t) {
		masses := c.law.untilted()
		var total float64
		for _, p := range masses {
			total += p
		}
		assert.InDelta(t, 1, total, 1e-12, c.name)
		reach := 3*c.loss + 2*c.h
		for i := range 301 {
			epsilon := reach * (float64(i)/150 - 1)
			exact, got := c.exact(epsilon), hockey(masses, c.h, epsilon)
			// A chord is above a falling curve by at most the curve's own fall, where the slope is at most 1.
			if !(got >= exact-1e-12 && got <= exact+math.Expm1(c.h)*math.Exp(epsilon)) {
				t.Errorf("%s: δ(%g) = %g, exact %g", c.name, epsilon, got, exact)
			}
		}
		// On the points nothing is lost.
		for k := int(-reach / c.h); k <= int(reach/c.h); k += 1 + int(reach/c.h)/40 {
			epsilon := float64(k) * c.h
			assert.InDelta(t, c.exact(epsilon), hockey(masses, c.h, epsilon), 1e-12, "%s at point %d", c.name, k)
		}
	}
}

// Adding a unit exchanges the two laws of the pair: the masses of the loss are then those of Q at -ℓ.
func TestAddingAndRemovingCostTheSame(t *testing.T) {
	for _, c := range lawCases(t) {
		masses := c.law.untilted()
		for k, p := range masses {
			if added := masses[-k] * math.Exp(float64(k)*c.h); math.Abs(added-p) > 1e-12 {
				t.Errorf("%s at point %d: mass %g, with the sides exchanged %g", c.name, k, p, added)
			}
		}
		for i := range 101 {
			epsilon := 3 * c.loss * float64(i) / 100
			reversed := -math.Expm1(epsilon) + math.Exp(epsilon)*c.exact(-epsilon)
			assert.InDelta(t, c.exact(epsilon), reversed, 1e-12, "%s at ε = %g", c.name, epsilon)
		}
	}
}

func TestTiltedLawsAreTheUntiltedTilted(t *testing.T) {
	for _, h := range []float64{0.003, 0.2} {
		for _, theta := range []float64{0.01, 3, 40} {
			for _, of := range []func(lattice) law{
				func(g lattice) law { return g.laplace(0.7) },
				func(g lattice) law { return g.worstPair(0.7) },
				func(g lattice) law {
					return g.gaussian(0.3, lattice{h: h, theta: theta}.gaussianSpan(0.3, 10+0.3*theta))
				},
				func(g lattice) law { return g.discreteLaplace(Event{loss: 0.7, steps: 5}) },
			} {
				plain := of(lattice{h: h}).untilted()
				l := of(lattice{h: h, theta: theta})
				for k, w := range l.untilted() {
					if want := plain[k] * math.Exp(theta*float64(k)*h); math.Abs(w-want) > 1e-11*want {
						t.Errorf("point %d of %g, θ = %g: weight %g, want %g", k, h, theta, w, want)
					}
				}
			}
		}
	}
}

// The closed-form transform agrees with that of the plain weights.
func TestSpectrumOfARunIsThatOfItsWeights(t *testing.T) {
	const n = 1 << 10
	for _, c := range lawCases(t) {
		if c.law.dense != nil || c.law.run.length > 4000 {
			continue
		}
		closed, plain := newSpectrum(n), newSpectrum(n)
		closed.multiply(c.law, 3)
		dense := law{first: -2000, dense: make([]float64, 4001)}
		for k, p := range c.law.untilted() {
			if k >= -2000 && k <= 2000 {
				dense.dense[k+2000] += p
			}
		}
		dense.scale(0)
		plain.multiply(dense, 3)
		for m := range closed.product {
			if cmplx.Abs(closed.product[m]-plain.product[m]) > 3e-13 {
				t.Errorf("%s at frequency %d: %g, want %g", c.name, m, closed.product[m], plain.product[m])
			}
		}
	}
}

// The booked round-off is above the real one: a composition whose law is known exactly, at each point.
func TestRoundOffIsBooked(t *testing.T) {
	const n, draws = 1 << 12, 1000
	s := newSpectrum(n)
	s.multiply(law{atoms: []atom{{1, 0.5}, {-1, 0.5}}}, draws)
	var square float64
	for j, w := range s.weights() {
		k := j
		if j > n/2 {
			k -= n
		}
		exact := 0.0
		if k >= -draws && k <= draws && k%2 == 0 {
			up, _ := math.Lgamma(draws + 1)
			a, _ := math.Lgamma(float64((draws+k)/2) + 1)
			b, _ := math.Lgamma(float64((draws-k)/2) + 1)
			exact = math.Exp(up - a - b - draws*math.Ln2)
		}
		if exact < 1e-6 { // Lgamma is good to about 1e-12 relatively
			square += (w - exact) * (w - exact)
		}
	}
	assert.LessOrEqual(t, math.Sqrt(square), s.roundOff(draws))
	assert.Less(t, s.roundOff(draws), 1e-10)
}

// What is above the window counts as infinite loss: a window that ends in the middle of the law hides
// nothing, and what its points were taken modulo only adds.
func TestWhatTheWindowCutsOffIsBooked(t *testing.T) {
	const loss, n = 0.1, 60
	e := Event{kind: approx, loss: loss}
	l := losses{parts: []part{{e, n}}, draws: n, spread: loss * math.Sqrt(n), top: loss, sum: n * loss}
	g := lattice{h: loss, theta: 1}
	exact := map[int]float64{0: 1} // by convolution, in units of the loss
	for range n {
		next := map[int]float64{}
		for k, p := range exact {
			next[k+1] += p / (1 + math.Exp(-loss))
			next[k-1] += p / (1 + math.Exp(loss))
		}
		exact = next
	}
	for _, first := range []int{-48, -40, -20} {
		c, err := l.onLattice(g, first, 64, 64, 4)
		require.NoError(t, err)
		for k := first; k < first+64; k += 5 {
			epsilon := float64(k) * loss
			want := hockey(exact, loss, epsilon)
			assert.GreaterOrEqual(t, c.delta(epsilon), want*(1-1e-12), "window from %d, point %d", first, k)
		}
		assert.Greater(t, c.beyond, 0.0)
	}
}

func TestEverythingBookedRaisesTheAnswer(t *testing.T) {
	l := losses{parts: []part{{Event{kind: laplace, loss: 0.1}, 50}}, draws: 50, spread: 0.7, top: 0.1, sum: 5}
	plain, err := l.compose(3, 1e-4)
	require.NoError(t, err)
	const delta = 1e-4
	least, err := plain.epsilon(delta)
	require.NoError(t, err)
	for name, book := range map[string]func(*curve){
		"beyond":    func(c *curve) { c.beyond += delta / 10 },
		"slack":     func(c *curve) { c.slack += 0.1 },
		"round-off": func(c *curve) { c.roundOff += 1e-4 },
	} {
		c := *plain
		book(&c)
		more, err := c.epsilon(delta)
		require.NoError(t, err, name)
		assert.Greater(t, more, least*(1+1e-4), name)
		assert.Greater(t, c.delta(least), plain.delta(least)*(1+1e-4), name)
	}
	full := *plain
	full.beyond = delta
	_, err = full.epsilon(delta)
	require.ErrorContains(t, err, "want more than the grid's rounding")
}

func TestQuotientsAreRoundedUp(t *testing.T) {
	for _, b := range []float64{3, 7, 1e-3, 12345.678} {
		exact := new(big.Rat).Inv(new(big.Rat).SetFloat64(b))
		got := quotientUp(1, b)
		assert.Positive(t, got.Cmp(exact), "1/%g", b)
		assert.Negative(t, got.Sub(got, exact).Cmp(big.NewRat(1, 1<<62)), "1/%g", b)
	}
	assert.Zero(t, quotientUp(1, 8).Cmp(big.NewRat(1, 8)))
	third := big.NewRat(1, 3)
	assert.Positive(t, new(big.Rat).SetFloat64(floatUp(third)).Cmp(third))
	assert.Negative(t, new(big.Rat).SetFloat64(floatDown(third)).Cmp(third))
}

// The lattice path, which Gaussians alone do not take, agrees with Balle and Wang from above.
func TestGaussianOnTheLatticeAgainstTheClosedForm(t *testing.T) {
	for _, mu := range []float64{1e-6, 0.01, 0.3, 1, 5} {
		for _, delta := range []float64{1e-2, 1e-6, 1e-12} {
			exact := gaussianEpsilon(mu, delta)
			l := losses{mu: mu, spread: mu, draws: 1}
			got, err := l.epsilon(delta)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, got, exact*(1-1e-9), "μ = %g, δ = %g", mu, delta)
			assert.LessOrEqual(t, got, exact*(1+3e-4)+1e-12, "μ = %g, δ = %g", mu, delta)
		}
	}
}

func TestGaussianDeltaAgainstTheTextbook(t *testing.T) {
	for _, mu := range []float64{0.01, 0.2, 0.499, 0.5, 1, 3, 8} {
		for _, epsilon := range []float64{0, 0.1, 1, 3} {
			want := twoSidedGaussianDelta(mu, epsilon)
			if want > 1e-3 { // below, the textbook formula cancels
				assert.InEpsilon(t, want, gaussianDelta(mu, epsilon), 1e-10, "μ = %g, ε = %g", mu, epsilon)
			}
		}
	}
	// From the textbook formula with 50 digits.
	for _, x := range []struct{ mu, epsilon, delta float64 }{
		{1e-9, 3e-9, 3.82154317620955e-13}, {1e-3, 4e-3, 7.15956243493825e-9}, {0.3, 2, 1.51891705229894e-12}, {1, 4.37717809568, 1e-5},
	} {
		assert.InEpsilon(t, x.delta, gaussianDelta(x.mu, x.epsilon), 1e-9, "μ = %g, ε = %g", x.mu, x.epsilon)
	}
	assert.Positive(t, gaussianDelta(1e-9, 1e3), "an underflow promises the impossible")
	assert.Equal(t, 1.0, gaussianDelta(1e3, 1))
	// Both sides of the switch between formulas agree.
	assert.InEpsilon(t, gaussianDelta(0.5-1e-9, 2), gaussianDelta(0.5, 2), 1e-6)
}

// ρ bounds all Rényi divergences: D_α/α is largest as α falls to 1.
func TestRhoBoundsEveryRenyiDivergence(t *testing.T) {
	for _, loss := range []float64{1e-4, 5e-4, 0.002, 0.1, 1, 5} {
		for _, e := range []Event{{kind: laplace, loss: loss}, {kind: approx, loss: loss}} {
			for _, theta := range []float64{1e-4, 1e-2, 0.1, 1, 10, 100} {
				renyi := e.cumulant(theta) / theta // D_α at α = θ + 1
				assert.LessOrEqual(t, renyi, e.rho()*(1+theta)*(1+1e-7)+1e-16/theta, "kind %d, loss %g, α = %g", e.kind, loss, 1+theta)
			}
			near := e.cumulant(1e-4) / 1e-4 / (1 + 1e-4)
			assert.InEpsilon(t, near, e.rho(), 1e-3, "kind %d, loss %g: ρ is not tight", e.kind, loss)
		}
		discrete := Event{kind: discreteLaplace, loss: loss, steps: 4}
		g := lattice{h: loss / 4}
		var mean float64 // the Kullback-Leibler divergence
		for k, p := range g.discreteLaplace(discrete).untilted() {
			mean += p * float64(k) * g.h
		}
		assert.GreaterOrEqual(t, discrete.rho(), mean*(1-1e-9), "loss %g", loss)
	}
}

func TestStretchedLaplaceCoversTheDiscreteOne(t *testing.T) {
	for _, steps := range []int64{1, 3, 20} {
		for _, loss := range []float64{0.01, 1, 6} {
			e := Event{kind: discreteLaplace, loss: loss, steps: steps}
			for i := range 200 {
				epsilon := 1.1 * loss * (float64(i)/100 - 1)
				assert.GreaterOrEqual(t, laplaceDelta(loss*e.stretch(), epsilon), discreteDelta(e, epsilon)-1e-13, "loss %g in %d at %g", loss, steps, epsilon)
			}
		}
	}
}
