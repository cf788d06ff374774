// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"math"
	"slices"
)

// shared finds the least t with which noise of standard deviation t times the l2 sensitivity over Weight on each item
// is within the target together. Cost is in proportion to t, whatever kinds are chosen.
func (s *search) shared() (Plan, error) {
	var best candidate
	var errs []error
	for _, kinds := range s.choices() {
		if best.noises != nil {
			// A choice that is too much at the best t yet cannot have a smaller one.
			if at, err := s.at(best.t, kinds); err != nil || at.epsilon > s.epsilon*(1-slackWanted) {
				continue
			}
		}
		found, err := s.solve(kinds)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if best.noises == nil || found.t < best.t {
			best = found
		}
	}
	if best.noises == nil {
		return Plan{}, errors.Join(errs...)
	}
	return s.finish(best.composition, best.epsilon, best.noises), nil
}

// maxSplits bounds the choices that are tried between all-Gaussian and all-Laplace.
const maxSplits = 4

// choices lists kinds for all items. What is free is Gaussian from some gain on: first all of it, which has a closed
// form, then none, then some.
func (s *search) choices() [][]Kind {
	var gains []float64
	for _, item := range s.items {
		if item.Kind == AnyNoise {
			gains = append(gains, item.gain())
		}
	}
	slices.Sort(gains)
	gains = slices.Compact(gains)
	if len(gains) == 0 {
		return [][]Kind{s.kinds(0)}
	}
	from := []float64{0, math.Inf(1)}
	for i := range min(maxSplits, len(gains)-1) {
		from = append(from, gains[1+i*(len(gains)-1)/min(maxSplits, len(gains)-1)])
	}
	var all [][]Kind
	for _, f := range from {
		all = append(all, s.kinds(f))
	}
	return all
}

func (s *search) kinds(gaussianFrom float64) []Kind {
	kinds := make([]Kind, len(s.items))
	for i, item := range s.items {
		kinds[i] = item.Kind
		if item.Kind == AnyNoise {
			kinds[i] = LaplaceNoise
			if item.gain() >= gaussianFrom {
				kinds[i] = GaussianNoise
			}
		}
	}
	return kinds
}

// candidate is a choice of kinds with a t.
type candidate struct {
	t           float64
	noises      []Noise
	composition Composition
	epsilon     float64 // at the target's δ
}

func (s *search) at(t float64, kinds []Kind) (candidate, error) {
	noises := make([]Noise, len(s.items))
	for i, item := range s.items {
		sd := t * item.l2() / float64(item.Weight)
		if kinds[i] == LaplaceNoise {
			noises[i] = item.laplace(sd/math.Sqrt2, s.method)
		} else {
			noises[i] = gaussianNoise(sd)
		}
	}
	c, err := s.compose(noises)
	if err != nil {
		return candidate{}, err
	}
	epsilon, err := c.Epsilon(s.method, s.delta)
	return candidate{t, noises, c, epsilon}, err
}

// A solution's ε is at most slackAllowed below the target, relatively; slackWanted is what steps aim at.
const slackAllowed, slackWanted = 1e-4, 3e-5

// solve finds t by secants on logarithms, in which ε is nearly straight, kept inside a bracket.
func (s *search) solve(kinds []Kind) (candidate, error) {
	x, slope := math.Log(s.guess()), -1.0
	low, high := math.Inf(-1), math.Inf(1)
	var within candidate
	var last, lastY float64
	known := false
	for i := range 60 {
		c, err := s.at(math.Exp(x), kinds)
		if err != nil {
			return candidate{}, err
		}
		if c.epsilon <= s.epsilon {
			high, within = x, c
			if c.epsilon >= s.epsilon*(1-slackAllowed) {
				return c, nil
			}
		} else {
			low = x
		}
		// The difference to the wanted logarithm. Far too much noise has an ε of 0, which tells no slope.
		y := math.Log(c.epsilon / (s.epsilon * (1 - slackWanted)))
		if known {
			slope = max(-1e3, min(-0.05, (y-lastY)/(x-last)))
		}
		known, last, lastY = c.epsilon > 1e-3*s.epsilon, x, y
		next := x - y/slope
		if !known {
			next = x - 0.5
		}
		if x = next; !(x > low && x < high) || i > 20 && !math.IsInf(high-low, 1) {
			x = low + (high-low)/2
		}
		if high-low < 1e-12 {
			break // ε jumps over the interval
		}
	}
	if within.noises != nil {
		return within, nil
	}
	return candidate{}, errors.New("fixed: got charges that leave too little for any noise; spend less on them, or raise the target")
}

// guess is t for Gaussian noise alone: Σ Weight² = (tμ)².
func (s *search) guess() float64 {
	var square float64
	for _, item := range s.items {
		square += float64(item.Weight) * float64(item.Weight)
	}
	return math.Sqrt(square) / gaussianMu(s.epsilon, s.delta)
}
