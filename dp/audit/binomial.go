// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const (
	// betaSlack is above the relative error of the incomplete beta function: up to 2^31 draws it is below
	// 1e-7 where the tail is above 1e-100.
	betaSlack = 1e-6
	// maxDraws bounds a sample.
	maxDraws = 1 << 31
)

// Count is how often an event happened in a number of draws.
type Count struct {
	Hits  int64 `json:"hits"`
	Draws int64 `json:"draws"`
}

// valid reports whether c can be a count.
func (c Count) valid() bool {
	return c.Hits >= 0 && c.Hits <= c.Draws && c.Draws >= 1 && c.Draws <= maxDraws
}

// Lower returns the lower bound of Clopper and Pearson (1934): the true probability is below it with
// probability at most alpha. Rounded down. It is 0, which is always true, for alpha outside (0, 1) and for
// what is no count of at most 2^31 draws.
func Lower(c Count, alpha float64) float64 {
	if !c.valid() || c.Hits == 0 || !(alpha > 0 && alpha < 1) {
		return 0
	}
	// The largest p with P(X ≥ hits | p) ≤ alpha.
	low, _ := bisect(0, float64(c.Hits)/float64(c.Draws), func(p float64) bool { return upperTail(c, p)*(1+betaSlack) <= alpha })
	return low
}

// Upper returns the upper bound of Clopper and Pearson: the true probability is above it with probability
// at most alpha. Rounded up. It is 1 where [Lower] is 0 for want of a meaning.
func Upper(c Count, alpha float64) float64 {
	if !c.valid() || c.Hits == c.Draws || !(alpha > 0 && alpha < 1) {
		return 1
	}
	// The smallest p with P(X ≤ hits | p) ≤ alpha.
	_, high := bisect(float64(c.Hits)/float64(c.Draws), 1, func(p float64) bool { return lowerTail(c, p)*(1+betaSlack) > alpha })
	return high
}

// bisect narrows [low, high] down to where is stops being true: it is true at low and false at high, or the
// end stays.
func bisect(low, high float64, is func(float64) bool) (float64, float64) {
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if is(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low, high
}

// AtLeast returns P(X ≥ c.Hits) for a binomial X of c.Draws draws with probability p, rounded up: the
// p-value against the claim that an event has at most this probability. It is 1 for what is no count and
// for p outside [0, 1].
func AtLeast(c Count, p float64) float64 {
	switch {
	case !c.valid() || !(p >= 0 && p <= 1) || c.Hits == 0 || p == 1:
		return 1
	case p == 0:
		return 0
	}
	return min(1, upperTail(c, p)*(1+betaSlack)+math.SmallestNonzeroFloat64)
}

// AtMost returns P(X ≤ c.Hits), rounded up: the p-value against the claim that an event has at least the
// probability p. It is 1 where AtLeast is for want of a meaning.
func AtMost(c Count, p float64) float64 {
	switch {
	case !c.valid() || !(p >= 0 && p <= 1) || c.Hits == c.Draws || p == 0:
		return 1
	case p == 1:
		return 0
	}
	return min(1, lowerTail(c, p)*(1+betaSlack)+math.SmallestNonzeroFloat64)
}

// upperTail is P(X ≥ hits) for hits ≥ 1.
func upperTail(c Count, p float64) float64 {
	return mathext.RegIncBeta(float64(c.Hits), float64(c.Draws-c.Hits+1), p)
}

// lowerTail is P(X ≤ hits) for hits < draws.
func lowerTail(c Count, p float64) float64 {
	return mathext.RegIncBeta(float64(c.Draws-c.Hits), float64(c.Hits+1), 1-p)
}
