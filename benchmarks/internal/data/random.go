// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"math/rand/v2"
)

// mix spreads a number over 64 bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// source is SplitMix64: a draw costs a few multiplications.
type source uint64

func (s *source) next() uint64 {
	x := mix(uint64(*s))
	*s += 0x9e3779b97f4a7c15
	return x
}

// below maps 32 random bits to 0..n-1.
func below(bits uint32, n uint64) uint64 { return uint64(bits) * n >> 32 }

// alias draws an index by weight in constant time (Vose's method). A cell is one cache line's share:
// how many of 2^32 draws keep the index, and where the others go.
type alias []struct{ keep, other uint32 }

func newAlias(weights []float64) alias {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	n := len(weights)
	a := make(alias, n)
	var small, large []uint32
	for i, w := range weights {
		if weights[i] = w / sum * float64(n); weights[i] < 1 {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a[s].keep, a[s].other = uint32(min(weights[s]*(1<<32), math.MaxUint32)), l
		if weights[l] -= 1 - weights[s]; weights[l] < 1 {
			large, small = large[:len(large)-1], append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		a[i].keep, a[i].other = math.MaxUint32, i
	}
	return a
}

func (a alias) draw(bits uint64) uint32 {
	i := below(uint32(bits>>32), uint64(len(a)))
	if uint32(bits) <= a[i].keep {
		return uint32(i)
	}
	return a[i].other
}

// activitySpread is the sigma of the logarithm of people's activity: with ten rows a person it leaves
// about 3 % of them without any.
const activitySpread = 0.85

func activities(seed uint64, people int) []float64 {
	r := rand.New(rand.NewPCG(mix(seed), 1))
	out := make([]float64, people)
	for i := range out {
		out[i] = math.Exp(activitySpread * r.NormFloat64())
	}
	return out
}

func zipf(n int, exponent float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Pow(float64(i+1), -exponent)
	}
	return out
}

const secondsQuantiles = 4096

// quantilesOfSeconds is a log-logistic distribution around 35 seconds, cut to 0..600.
func quantilesOfSeconds() (out [secondsQuantiles]uint16) {
	for i := range out {
		u := (float64(i) + 0.5) / secondsQuantiles
		out[i] = uint16(min(35*math.Pow(u/(1-u), 0.8), 600))
	}
	return out
}
