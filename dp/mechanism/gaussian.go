// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"

	"github.com/throngdp/throng/dp/accounting"
)

const (
	// maxSigma bounds σ in quanta: up to it the library's lattice, which has 2^55 to 2^56 steps to a σ,
	// is at least 2^7 times finer than the integers.
	maxSigma = 1 << 48
	// truncatedMass bounds P(|X| > 8.8σ), which the library never draws (gaussian.md).
	truncatedMass = 1.0 / (1 << 59)
	// maxCells keeps what all of them are not drawn with far below any δ.
	maxCells = 1 << 40
	// sigmaMargin is above the relative error of the sampler's arithmetic: σ is charged as that much smaller.
	sigmaMargin = 1e-9
	// gaussianEpsilon and gaussianDelta are what the library is given, with a sensitivity for which its σ is
	// the one wanted. It searches for σ again at every draw.
	gaussianEpsilon, gaussianDelta = 1, 1e-5
)

// NewGaussian returns Gaussian noise of standard deviation sigma, in quanta, for one statistic: each
// privacy unit counts in at most l0 groups and changes each by at most lInf. It returns an error for bounds
// below 1 or with l0·lInf above 2^51, and for a sigma that is not positive or above 2^48, and below
// lInf/1000. Sigma is rounded up, by less than 1e-12 of it.
func NewGaussian(sigma float64, l0, lInf int64) (Noise, error) {
	if err := checkSensitivity(Gaussian.String(), l0, lInf); err != nil {
		return Noise{}, err
	}
	return NewGaussianOver(sigma, l0, lInf, l0*lInf, l0)
}

// NewGaussianOver returns noise for values that share out what a privacy unit may change: it changes at most cells
// of them, those of each of l0 groups by at most lInf together, and all by at most l1 together. The l2 sensitivity is
// that of one value in each of as many groups as l1 has room for, see [accounting.L2]. The errors are those of
// [NewGaussian], with l1 in the place of l0·lInf, and one for an l1 that is not from lInf to l0·lInf, for fewer cells
// than groups or more than 2^40.
func NewGaussianOver(sigma float64, l0, lInf, l1, cells int64) (Noise, error) {
	n, err := newNoise(Gaussian, sigma, maxSigma, l0, lInf, l1)
	if err != nil {
		return Noise{}, err
	}
	if cells < l0 || cells > maxCells {
		return Noise{}, fmt.Errorf("gaussian.cells: got %d, want %d to 2^40, a number for each group at least", cells, l0)
	}
	n.cells = cells
	n.refinement = oddBelow(0.99 * (1 << 56) / sigma)
	wanted := sigma * float64(n.refinement)
	n.sensitivity = int64(math.Ceil(wanted / noise.SigmaForGaussian(1, 1, gaussianEpsilon, gaussianDelta)))
	for range 4 {
		// The library's σ is in proportion to the sensitivity but for rounding.
		drawn := noise.SigmaForGaussian(1, float64(n.sensitivity), gaussianEpsilon, gaussianDelta)
		if drawn <= 1<<55 || drawn > 1<<56 {
			break
		}
		if n.scale = drawn / float64(n.refinement); n.scale >= sigma {
			if _, _, err := n.Event(); err != nil {
				return Noise{}, err
			}
			return n, nil
		}
		n.sensitivity += 1 + int64(float64(n.sensitivity)*1e-15)
	}
	return Noise{}, fmt.Errorf("gaussian.scale: got %g, want one that the noise library can draw on whole numbers; use laplace", sigma)
}

// gaussianEvent is one draw on all of l0 groups.
func (n Noise) gaussianEvent() (accounting.Event, error) {
	e, err := accounting.Gaussian(n.scale*(1-sigmaMargin), accounting.L2(n.l0, float64(n.lInf), float64(n.l1)))
	if err != nil {
		return e, err
	}
	return e.Within(float64(n.cells) * truncatedMass)
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
