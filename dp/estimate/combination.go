// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// combination is the law of Z = Σ w·N over independent integer noises with real weights.
type combination struct {
	terms []weighted
	sd    float64
	sumSD float64 // of Σ N: what a weight that is off by a little is off by
}

// weighted is a law with a weight, some times over.
type weighted struct {
	law    Law
	sd     float64
	number int // of the law
	weight float64
	times  float64
}

// weightUnit is what weights are told apart by.
const weightUnit = 0x1p-34

// newCombination is that of the laws of counts with weights w. Numbers tell the laws apart.
func newCombination(counts []Count, numbers []int, w []float64) *combination {
	c := &combination{}
	type name struct {
		law    int
		weight float64
	}
	place := map[name]int{}
	variance, sum := 0.0, 0.0
	for i, weight := range w {
		sd := counts[i].Law.StdDev()
		sum += sd * sd
		units := math.Round(math.Abs(weight) / weightUnit)
		if units == 0 {
			continue
		}
		variance += units * weightUnit * units * weightUnit * sd * sd
		n := name{numbers[i], units}
		at, ok := place[n]
		if !ok {
			at = len(c.terms)
			place[n] = at
			c.terms = append(c.terms, weighted{counts[i].Law, sd, numbers[i], units * weightUnit, 0})
		}
		c.terms[at].times++
	}
	c.sd, c.sumSD = math.Sqrt(variance), math.Sqrt(sum)
	// Those that matter most come first: their product is soon nothing.
	slices.SortFunc(c.terms, func(a, b weighted) int {
		return cmp.Or(cmp.Compare(b.weight*b.sd, a.weight*a.sd), cmp.Compare(a.number, b.number))
	})
	return c
}

// key is alike for combinations that have one law.
func (c *combination) key() string {
	var b strings.Builder
	for _, t := range c.terms {
		fmt.Fprintf(&b, "%d %x %g;", t.number, t.weight, t.times)
	}
	return b.String()
}

// The smoothing U is a sum of uniforms, within ±sd/smoothing. Its transform is below 1e-14 from edge on.
const (
	smoothing = 100
	uniforms  = 24
	edge      = 95 // in units of 1/(sd/smoothing): (uniforms/edge)^uniforms = 5e-15
)

// quantile returns a q with P(|Z| > q) <= level, at most 0.05 standard deviations above the least.
//
// With a bounded U, |U| <= r, that has a smooth density, P(|Z| > q) <= P(|Z+U| > q-r). The latter is 1
// minus a Fourier series with the transform of Z+U as its coefficients; the series is cut where that of
// U has vanished, and its period is 48 standard deviations, beyond which there is nothing to see.
func (c *combination) quantile(level float64) float64 {
	if c.sd == 0 {
		return 0
	}
	r := c.sd / smoothing
	step := 2 * math.Pi / (2 * tableSpan * c.sd)
	last := int(edge / r / step)
	var at, size []float64
	for k := 1; k <= last; k++ {
		t := float64(k) * step
		if phi := c.transform(t, r); math.Abs(phi) > 1e-17 {
			at, size = append(at, t), append(size, 2*phi/(math.Pi*float64(k)))
		}
	}
	const seriesError = 1e-11 // cut, wrapped and rounded, together
	missed := func(y float64) bool {
		inside := step * y / math.Pi
		for k, t := range at {
			inside += size[k] * math.Sin(t*y)
		}
		return 1-inside+seriesError > level
	}
	low, high := 0.0, 2*c.sd
	for missed(high) && high < tableSpan*c.sd {
		low, high = high, 1.25*high
	}
	for high-low > c.sd/1000 {
		if middle := low + (high-low)/2; missed(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high + r + tableSpan*weightUnit*c.sumSD
}

// transform is the characteristic function of Z+U at t > 0.
func (c *combination) transform(t, r float64) float64 {
	half := t * r / uniforms // half the width of one uniform, times t
	product := math.Pow(math.Sin(half)/half, uniforms)
	for _, term := range c.terms {
		if math.Abs(product) < 1e-18 {
			return 0
		}
		phi := term.law.CharacteristicFunction(term.weight * t)
		if term.times == 1 {
			product *= phi
		} else {
			product *= math.Pow(phi, term.times)
		}
	}
	return product
}
