// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// spectrum is the discrete Fourier transform of a composition's law on n lattice points, taken modulo n:
// the product of the transforms of its parts.
type spectrum struct {
	n       int
	fft     *fourier.FFT
	product []complex128
	// wave is exp(-2πij/n), and gap is 1 - wave without cancellation.
	wave, gap []complex128
}

// newSpectrum is the transform of no draws at all. n is a power of two.
func newSpectrum(n int) *spectrum {
	s := &spectrum{
		n: n, fft: fourier.NewFFT(n),
		product: make([]complex128, n/2+1),
		wave:    make([]complex128, n), gap: make([]complex128, n),
	}
	for j := range n {
		signed := j
		if j > n/2 {
			signed -= n // the sine of a small angle keeps its digits
		}
		sin, cos := math.Sincos(math.Pi * float64(signed) / float64(n))
		s.gap[j] = complex(2*sin*sin, 2*sin*cos)
		s.wave[j] = 1 - s.gap[j]
	}
	for m := range s.product {
		s.product[m] = 1
	}
	return s
}

// vanished is what a product of transforms may be taken as 0 below: far under the round-off of one of
// them. Most frequencies are there after a few laws, and cost nothing any more.
const vanished = 1e-32

// multiply takes in a law that is drawn the given number of times.
func (s *spectrum) multiply(l law, times int64) {
	factor := s.closedForm(l)
	if l.dense != nil {
		folded := make([]float64, s.n)
		for i, w := range l.dense {
			folded[s.index(l.first+i)] += w
		}
		coefficients := s.fft.Coefficients(nil, folded)
		factor = func(m int) complex128 { return coefficients[m] }
	}
	for m, p := range s.product {
		if p == 0 {
			continue
		}
		p *= power(factor(m), times)
		if real(p)*real(p)+imag(p)*imag(p) < vanished*vanished {
			p = 0
		}
		s.product[m] = p
	}
}

func (s *spectrum) index(k int) int { return k & (s.n - 1) }

// closedForm is the transform of a law's atoms and run, by frequency. The run is a geometric series,
// w·z^last·(1 - (ρ/z)^length)/(1 - ρ/z) at z = wave. Numerator and denominator are sums of terms that do not
// cancel, so the quotient is exact to a few units.
func (s *spectrum) closedForm(l law) func(m int) complex128 {
	r := l.run
	ratio, all := math.Exp(r.logRatio), math.Exp(float64(r.length)*r.logRatio)
	lessRatio, lessAll := -math.Expm1(r.logRatio), -math.Expm1(float64(r.length)*r.logRatio)
	return func(m int) complex128 {
		var sum complex128
		for _, a := range l.atoms {
			sum += complex(a.weight, 0) * s.wave[s.index(a.k*m)]
		}
		if r.length == 0 {
			return sum
		}
		// 1 - ρ/z = (1-ρ) + ρ·conj(gap): both real parts are at least 0.
		g, h := s.gap[s.index(r.length*m)], s.gap[m]
		numerator := complex(lessAll+all*real(g), -all*imag(g))
		a, b := lessRatio+ratio*real(h), -ratio*imag(h)
		norm := r.weight / (a*a + b*b)
		return sum + s.wave[s.index(r.last*m)]*numerator*complex(a*norm, -b*norm)
	}
}

// power returns z^n for n ≥ 1 by squaring: about 2n roundings' worth of relative error.
func power(z complex128, n int64) complex128 {
	result := complex(1, 0)
	for {
		if n&1 == 1 {
			result *= z
		}
		if n >>= 1; n == 0 || z == 0 {
			return result
		}
		z *= z
	}
}

// weights returns the composition's law: entry j is the sum of the weights at all points that are j modulo
// n.
func (s *spectrum) weights() []float64 {
	w := s.fft.Sequence(nil, s.product)
	for i := range w {
		w[i] /= float64(s.n)
	}
	return w
}

// roundOff bounds the l2 norm of the error of weights for a composition of the given number of draws, whose
// weights sum to 1 (pld.md). One transform of a vector of norm at most 1 errs by at most 8·u·log2(n), u = 2^-53
// (Higham 2002, Theorem 24.2, with twiddle factors to 2u, is below 7), in the norm that makes it unitary; each
// draw brings one such error and the roundings of its factor, and the way back one more.
func (s *spectrum) roundOff(draws int64) float64 {
	const unit = 1.0 / (1 << 53)
	return unit * (8*math.Log2(float64(s.n)) + 32) * (float64(draws) + 2)
}
