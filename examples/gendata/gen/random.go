// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"math/rand/v2"
)

// mix spreads a number over 64 bits (the finalizer of SplitMix64), so that neighbours have nothing in
// common.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// source is a generator that can be set back for each person without allocating.
type source struct {
	pcg rand.PCG
	*rand.Rand
}

func newSource(seed, stream uint64) *source {
	s := &source{}
	s.Rand = rand.New(&s.pcg)
	s.reset(seed, stream)
	return s
}

func (s *source) reset(seed, stream uint64) { s.pcg.Seed(mix(seed), mix(stream^seed<<1)) }

// chance is true n times in a thousand.
func (s *source) chance(n int) bool { return s.IntN(1000) < n }

// alias draws an index by weight in constant time (Vose's method).
type alias struct {
	keep  []float32
	other []uint32
}

func newAlias(weights []float64) alias {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	n := len(weights)
	a := alias{keep: make([]float32, n), other: make([]uint32, n)}
	var small, large []uint32
	for i, w := range weights {
		weights[i] = w / sum * float64(n)
		if weights[i] < 1 {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.keep[s], a.other[s] = float32(weights[s]), l
		if weights[l] -= 1 - weights[s]; weights[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		a.keep[i], a.other[i] = 1, i
	}
	return a
}

func (a *alias) draw(r *source) int {
	i := r.IntN(len(a.keep))
	if r.Float32() < a.keep[i] {
		return i
	}
	return int(a.other[i])
}

// logNormal draws from exp(N(ln median, sigma²)).
func (s *source) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*s.NormFloat64())
}
