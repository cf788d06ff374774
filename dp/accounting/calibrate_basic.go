// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"math/big"
)

// basic gives each item its share of what the fixed charges leave.
func (s *search) basic() (Plan, error) {
	usedE, usedD, ok := s.fixed.Sum()
	if !ok {
		return Plan{}, errors.New("fixed: got a Gaussian or a sampler error, want pairs (ε, δ); charge it as Approx, or use zcdp or pld")
	}
	restE := new(big.Rat).Sub(s.target.Epsilon.Rat(), usedE)
	restD := new(big.Rat).Sub(s.target.Delta.Rat(), usedD)
	if restE.Sign() <= 0 {
		return Plan{}, s.errFixed(floatText(usedE))
	}
	if restD.Sign() < 0 {
		return Plan{}, fmt.Errorf("fixed: got charges of δ = %s, want at most the target's %s; spend less on them, or raise the target", floatText(usedD), s.target.Delta)
	}
	weights := new(big.Rat)
	kinds := make([]Kind, len(s.items))
	for i, item := range s.items {
		weights.Add(weights, new(big.Rat).SetInt64(item.Weight))
		kinds[i] = item.Kind
	}
	// Free kinds are settled with δ shared as if all of them were Gaussian. The share then grows, as some are
	// not.
	noises, err := s.basicShares(kinds, restE, weights, restD)
	if err != nil {
		return Plan{}, err
	}
	for i, n := range noises {
		kinds[i] = n.Kind
	}
	if noises, err = s.basicShares(kinds, restE, weights, restD); err != nil {
		return Plan{}, err
	}
	return s.basicPlan(noises)
}

func (s *search) basicPlan(noises []Noise) (Plan, error) {
	c, err := s.compose(noises)
	if err != nil {
		return Plan{}, err
	}
	// Scales are rounded up by more than the sums' rounding, so neither check can fail but for shares of ε too
	// small for a float64.
	if sumE, _, exact := c.Sum(); exact {
		if sumE.Cmp(s.target.Epsilon.Rat()) > 0 {
			return Plan{}, s.errShares()
		}
		return s.finish(c, floatUp(sumE), noises), nil
	}
	epsilon, err := c.Epsilon(Basic, s.delta)
	if err != nil {
		return Plan{}, err
	}
	if epsilon > s.epsilon {
		return Plan{}, s.errShares()
	}
	return s.finish(c, epsilon, noises), nil
}

func (s *search) errShares() error {
	return fmt.Errorf("target: got ε = %s, too little for %d items; raise it", s.target.Epsilon, len(s.items))
}

func floatText(r *big.Rat) string { return fmt.Sprintf("%.6g", floatUp(r)) }

// basicShares calibrates each item to its share of ε and to an equal share of δ among those that may be
// Gaussian. A free kind becomes the smaller noise.
func (s *search) basicShares(kinds []Kind, restE, weights, restD *big.Rat) ([]Noise, error) {
	var gaussians int64
	for _, k := range kinds {
		if k != LaplaceNoise {
			gaussians++
		}
	}
	var share float64
	if gaussians > 0 {
		share = floatDown(new(big.Rat).Quo(restD, new(big.Rat).SetInt64(gaussians)))
	}
	noises := make([]Noise, len(s.items))
	memo := map[float64]float64{} // μ by ε: items are often alike
	for i, item := range s.items {
		epsilon := new(big.Rat).Mul(restE, new(big.Rat).SetInt64(item.Weight))
		epsilon.Quo(epsilon, weights)
		if kinds[i] != GaussianNoise {
			b := new(big.Rat).SetFloat64(item.L1)
			if item.L1 == 0 {
				b.SetInt64(item.L0).Mul(b, new(big.Rat).SetFloat64(item.Sensitivity))
			}
			noises[i] = item.laplace(up(floatUp(b.Quo(b, epsilon))), Basic)
		}
		if kinds[i] == LaplaceNoise || share == 0 {
			if kinds[i] == GaussianNoise {
				return nil, fmt.Errorf("items[%d]: got Gaussian noise and no δ left for it, want a larger δ; or use Laplace noise", i)
			}
			continue
		}
		e := floatDown(epsilon)
		if memo[e] == 0 {
			memo[e] = gaussianMu(e, share)
		}
		n := gaussianNoise(item.l2() / memo[e] * (1 + 1e-10)) // above the rounding of gaussianMu and gaussianEpsilon
		if kinds[i] == GaussianNoise || n.StdDev < noises[i].StdDev {
			noises[i] = n
		}
	}
	return noises, nil
}
