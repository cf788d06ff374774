// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// pair is the law of u·A + v·B for independent integer noises A and B and real weights. Every
// hypothesis about a share or a mean is of this form. It bounds tail probabilities from above, and
// is exact (up to 1e-9, relative) where the noises are narrow enough to be tabulated one by one.
type pair struct {
	mass     []float64 // P(A' = j) for j >= 0
	beyond   []float64 // P(|A'| > j)
	step     float64   // odd; A = step·A' + r with |r| <= (step-1)/2
	tail     stepTail  // of B
	sdA, sdB float64
}

const (
	// stepsPerStdDev is how finely a wide A is cut at the least. An interval reaches over two or
	// three standard deviations, so the cut, half a step, widens it by about 1 %.
	stepsPerStdDev = 24
	// leastMass ends the table of A.
	leastMass = 1e-17
	// negligible is the part of a level that may be given away to save time.
	negligible = 1e-6
)

func newPair(a, b Law) *pair {
	p := &pair{sdA: a.StdDev(), sdB: b.StdDev(), tail: newStepTail(b)}
	p.step = 2*math.Floor(p.sdA/(2*stepsPerStdDev)) + 1
	half := (p.step - 1) / 2
	at := func(j float64) float64 { return a.Tail(int64(j*p.step - half)) }
	here := at(0)
	for j := 0.0; here > leastMass && j < tableSpan*2*stepsPerStdDev; j++ {
		next := at(j + 1)
		p.mass = append(p.mass, max(0, here-next))
		p.beyond = append(p.beyond, 2*next)
		here = next
	}
	return p
}

// weights are those of A and B, both >= 0 (the laws are symmetric, so a sign may be dropped).
type weights struct{ u, v float64 }

func (p *pair) stdDev(w weights) float64 { return math.Hypot(w.u*p.sdA, w.v*p.sdB) }

// miss bounds P(|W| > x for one of the weights on the segment from w1 to w2). |u·a + v·b| is convex
// along the segment, so its largest value is at an end: the event is |W1| > x or |W2| > x. What A has
// beyond a chance of negligible counts as a miss.
func (p *pair) miss(x, negligible float64, w1, w2 weights) float64 {
	x -= (p.step - 1) / 2 * max(w1.u, w2.u)
	if x < 0 {
		return 1
	}
	total := 0.0
	for j, mass := range p.mass {
		a := float64(j) * p.step
		above, below := math.Inf(1), math.Inf(1) // |W| <= x on both ends: -below <= B <= above
		for _, w := range [2]weights{w1, w2} {
			if w.v == 0 {
				if w.u*a > x {
					above, below = -1, -1
				}
				continue
			}
			above = min(above, (x-w.u*a)/w.v)
			below = min(below, (x+w.u*a)/w.v)
		}
		outside := 1.0
		if above+below >= 0 {
			outside = min(1, p.tail.at(math.Floor(above)+1)+p.tail.at(math.Floor(below)+1))
		}
		if j > 0 {
			mass *= 2 // (a, b) and (-a, -b) are alike
		}
		total += mass * outside
		if p.beyond[j] <= negligible {
			return total + p.beyond[j]
		}
	}
	return total + p.beyond[len(p.beyond)-1]
}

// quantileError is the relative precision of a quantile, which is rounded up by as much.
const quantileError = 1e-7

// quantile returns the least x, rounded up, with miss(x) <= level. guess speeds the search.
func (p *pair) quantile(level float64, w1, w2 weights, guess float64) float64 {
	missed := func(x float64) bool { return p.miss(x, level*negligible, w1, w2) > level }
	if !missed(0) {
		return 0
	}
	if guess <= 0 {
		guess = 3*p.stdDev(w1) + p.step
	}
	low, high := guess*0.97, guess*1.03
	for missed(high) {
		low, high = high, high*1.3
		if math.IsInf(high, 1) {
			return high // the level is below what the tables resolve
		}
	}
	for low > 0 && !missed(low) {
		low, high = low/1.3, low
		if low < 1e-9 {
			low = 0
		}
	}
	for high-low > quantileError*high {
		if middle := low + (high-low)/2; missed(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
