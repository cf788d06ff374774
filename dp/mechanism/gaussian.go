// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"

	"github.com/throngdp/throng/dp"
)

const (
	// maxSigma bounds σ in quanta: up to it the library's lattice, which has 2^55 to 2^56 steps to a σ,
	// is at least 2^7 times finer than the integers.
	maxSigma = 1 << 48
	// truncatedMass bounds P(|X| > 8.8σ), which the library never draws (gaussian.md).
	truncatedMass = 1.0 / (1 << 59)
)

// NewGaussian calibrates Gaussian noise to (ε, δ)-differential privacy for one statistic: each privacy
// unit counts in at most l0 groups and changes each by at most lInf. It returns an error for ε outside
// [dp.MinEpsilon, dp.MaxEpsilon], δ outside [1e-13, dp.MaxDelta), bounds below 1 or with l0·lInf above
// 2^51, σ above 2^48 quanta, and for an ε so large beside δ that the sampler's missing tail would
// matter. ε and δ are rounded down, σ up: more noise.
//
// σ is the noise library's, which searches for it again at every draw; here it is computed once and
// checked against δ(σ) evaluated another way.
func NewGaussian(epsilon dp.Epsilon, delta dp.Delta, l0, lInf int64) (Noise, error) {
	n, err := newNoise(Gaussian, epsilon, delta, l0, lInf)
	if err != nil {
		return Noise{}, err
	}
	if err := checkDelta("gaussian", delta, 1); err != nil {
		return Noise{}, err
	}
	missing := float64(l0) * math.Exp(n.drawnEpsilon) * truncatedMass
	if missing > n.drawnDelta/2 {
		return Noise{}, fmt.Errorf("gaussian: got ε = %s with δ = %s over %d groups, want a smaller ε or a larger δ; use laplace", epsilon, delta, l0)
	}
	n.drawnDelta = math.Nextafter(n.drawnDelta-missing, 0)
	return n.searchSigma()
}

// searchSigma takes the library's σ and lowers the δ that the library is given until our own
// evaluation agrees that σ is large enough. The first σ is, but for a chance of about 1e-5.
func (n Noise) searchSigma() (Noise, error) {
	// The margins are above the error of gaussianDelta and of the sampler's arithmetic.
	const sigmaMargin, deltaMargin, attempts = 1e-9, 1e-7, 16
	l2 := float64(n.lInf) * math.Sqrt(float64(n.l0))
	target := n.drawnDelta
	for range attempts {
		if err := n.refineSigma(); err != nil {
			return Noise{}, err
		}
		if gaussianDelta(l2/n.scale*(1+sigmaMargin), n.drawnEpsilon) <= target*(1-deltaMargin) {
			return n, nil
		}
		n.drawnDelta *= 1 - 1e-3
	}
	return Noise{}, fmt.Errorf("gaussian: found no σ for ε = %s, δ = %s; use laplace", n.epsilon, n.delta)
}

// refineSigma chooses the refinement at which the library draws whole numbers, neither rounded nor
// through a float64: its σ must be above 2^55 and at most 2^56.
func (n *Noise) refineSigma() error {
	sigma := noise.SigmaForGaussian(n.l0, float64(n.lInf), n.drawnEpsilon, n.drawnDelta)
	if !(sigma <= maxSigma) {
		return fmt.Errorf("gaussian: got noise of scale %.3g, want at most 2^48; use a coarser resolution, tighter bounds or a larger ε", sigma)
	}
	n.refinement = oddBelow(0.99 * (1 << 56) / sigma)
	refined := noise.SigmaForGaussian(n.l0, float64(n.lInf*n.refinement), n.drawnEpsilon, n.drawnDelta)
	if refined <= 1<<55 || refined > 1<<56 {
		return fmt.Errorf("gaussian: got no whole-number lattice for ε = %s, δ = %s; use laplace", n.epsilon, n.delta)
	}
	n.scale = refined / float64(n.refinement)
	return nil
}

// gaussianDelta returns the smallest δ at which Gaussian noise with l2 sensitivity mu·σ is
// (ε, δ)-differentially private: E[max(0, 1 - exp(ε - L))] for the privacy loss L ~ N(mu²/2, mu²)
// (Balle and Wang 2018, Theorem 8, before it is split into two terms that cancel). The integrand is
// positive and smooth: Simpson's rule is exact to about 1e-9, relatively.
func gaussianDelta(mu, epsilon float64) float64 {
	const intervals = 8192
	start := epsilon/mu - mu/2 // (ε - E[L]) in standard deviations
	width := max(0, -start) + 12
	step := width / intervals
	integrand := func(s float64) float64 {
		return -math.Expm1(-mu*s) * math.Exp(-(start+s)*(start+s)/2)
	}
	sum := integrand(0) + integrand(width)
	for i := 1; i < intervals; i++ {
		sum += float64(2+2*(i%2)) * integrand(float64(i)*step)
	}
	return sum * step / 3 / math.Sqrt(2*math.Pi)
}

// gaussianTail is P(N ≥ k) for k ≥ 1: N is a normal draw rounded to the nearest integer. That the draw
// lies on a lattice of at least 2^55 steps to a σ is below the slack of Tail.
func (n Noise) gaussianTail(k int64) float64 {
	return math.Erfc((float64(k)-0.5)/n.scale/math.Sqrt2) / 2
}

// smallSigma is where the sum over integers gives way to its limit: above it the correction, of order
// exp(-2π²σ²), is below 1e-130.
const smallSigma = 4

// lastTerm is the last integer that matters to a sum below smallSigma.
func (n Noise) lastTerm() int64 { return int64(math.Ceil(40*n.scale)) + 1 }

func (n Noise) gaussianStdDev() float64 {
	if n.scale >= smallSigma {
		return math.Sqrt(n.scale*n.scale + 1.0/12) // Sheppard's correction for rounding
	}
	var half float64 // Σ k²·P(N=k) over k ≥ 1, summed by parts
	for k := n.lastTerm(); k >= 1; k-- {
		half += float64(2*k-1) * n.gaussianTail(k)
	}
	return math.Sqrt(2 * half)
}

// tinySigma is where Poisson's summation gives way to the few integers that are ever drawn.
const tinySigma = 0.25

func (n Noise) gaussianCharacteristic(t float64) float64 {
	if n.scale >= tinySigma {
		sum := n.aliased(t)
		// What is left out is below exp(-12.2²/2) < 1e-32.
		for m := 1.0; (2*m-1)*math.Pi*n.scale < 12.2; m++ {
			sum += n.aliased(t-2*math.Pi*m) + n.aliased(t+2*math.Pi*m)
		}
		return sum
	}
	sum := 1 - 2*n.gaussianTail(1)
	for k := int64(1); k <= n.lastTerm(); k++ {
		sum += 2 * (n.gaussianTail(k) - n.gaussianTail(k+1)) * math.Cos(float64(k)*t)
	}
	return sum
}

// aliased is one term of Poisson's summation: the transform of the normal density averaged over a unit
// interval.
func (n Noise) aliased(t float64) float64 {
	sinc := 1.0
	if t != 0 {
		sinc = math.Sin(t/2) / (t / 2)
	}
	return math.Exp(-n.scale*n.scale*t*t/2) * sinc
}
