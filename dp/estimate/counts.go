// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// CountEstimator gives intervals for the true integer behind a noisy one: a count, or a sum in
// quanta. It is immutable and safe for concurrent use. The proof is in counts.md.
type CountEstimator struct {
	count Count
	alpha float64
	reach int64 // the largest k whose tail is still a safe denominator
	// How far the interval goes to either side of noisy numbers from plain on, and of all without a threshold.
	down, up, plain int64
}

// leastTail is the smallest tail probability that is divided by. A count so far below its threshold
// is never seen; see reachable.
const leastTail = 1e-100

// NewCountEstimator returns an estimator whose intervals miss the true integer with probability at
// most alpha, given that the number was shown.
func NewCountEstimator(count Count, alpha float64) (*CountEstimator, error) {
	if err := checkCount("count", count); err != nil {
		return nil, err
	}
	if err := checkAlpha(alpha); err != nil {
		return nil, err
	}
	return newCountEstimator(count, alpha), nil
}

func newCountEstimator(count Count, alpha float64) *CountEstimator {
	e := &CountEstimator{count: count, alpha: alpha, plain: math.MinInt64}
	e.down = searchLast(func(d int64) bool { return 2*count.Law.Tail(d) > alpha })
	e.up = e.down - 1
	if count.Law.Tail(e.down)+count.Law.Tail(e.down+1) > alpha {
		e.up = e.down
	}
	if count.selected() {
		e.reach = searchLast(func(k int64) bool { return count.Law.Tail(k) >= leastTail })
		e.plain = e.firstPlain()
	}
	return e
}

// Interval returns the closed interval low..high of true integers that agree with the noisy one, or
// shown = false if the noisy number is below its threshold: it then was withheld and nothing may be
// said of it. low is never below the floor, and the noisy number itself, raised to the floor, is
// always inside.
func (e *CountEstimator) Interval(noisy int64) (low, high int64, shown bool) {
	c := e.count
	if c.selected() && noisy < c.ShownAt {
		return 0, 0, false
	}
	// A number below the floor gets the interval of the floor: that is no shorter, so it keeps its
	// coverage, and a surprising draw is not rewarded with an interval of no width.
	x := max(noisy, c.Floor)
	if x >= e.plain {
		return max(c.Floor, addSaturating(x, -e.down)), addSaturating(x, e.up), true
	}
	down := searchNear(e.down, func(d int64) bool {
		n := addSaturating(x, -d)
		return n >= c.Floor && n != math.MinInt64 && e.acceptsBelow(d, n)
	})
	up := searchNear(e.up, func(d int64) bool {
		n := addSaturating(x, d)
		return n != math.MaxInt64 && e.acceptsAbove(d, n)
	})
	return addSaturating(x, -down), addSaturating(x, up), true
}

// firstPlain returns a noisy number from which on the threshold is too far below to be noticed. One distance more is
// never kept there, and what is kept stays so, as the chance to be withheld falls.
func (e *CountEstimator) firstPlain() int64 {
	first := addSaturating(e.count.ShownAt, 2*e.down+1)
	return addSaturating(first, searchLast(func(k int64) bool {
		x := addSaturating(first, k)
		return !e.acceptsBelow(e.down, addSaturating(x, -e.down)) || !e.acceptsAbove(e.up, addSaturating(x, e.up))
	})+1)
}

// firstAbove returns a noisy number above n from which on no interval holds a number below n.
func (e *CountEstimator) firstAbove(n int64) int64 {
	return addSaturating(n, searchLast(func(d int64) bool {
		low, _, shown := e.Interval(addSaturating(n, d))
		return !shown || low < n
	})+1)
}

// What a true n explains best is n itself, then n+1, n-1, n+2, n-2 and so on. n agrees with a noisy x if the
// chance of the shown numbers that come before x in that order is below 1-alpha.

// acceptsBelow reports whether n = x-d, d >= 0, agrees with the noisy x: those before x are nearer to n.
func (e *CountEstimator) acceptsBelow(d, n int64) bool {
	law, t := e.count.Law, e.count.ShownAt
	if d == 0 {
		return true
	}
	gap := addSaturating(t, -n)
	if gap <= 1-d { // both sides of n are shown as far as d
		hidden := e.hidden(n)
		return 2*law.Tail(d)-hidden > e.alpha*(1-hidden)
	}
	// Beyond the reach judge the nearest n within it instead. That n has the larger ratio (the
	// ratio rises with n for a log-concave law), so the true n is accepted whenever it should be.
	if excess := gap - e.reach; excess > 0 {
		gap, d = gap-excess, d-excess
	}
	return law.Tail(d) > e.alpha*law.Tail(gap)
}

// acceptsAbove is acceptsBelow for n = x+d: n+d too comes before x, and all that do are shown.
func (e *CountEstimator) acceptsAbove(d, n int64) bool {
	law := e.count.Law
	if d == 0 {
		return true
	}
	hidden := e.hidden(n)
	return law.Tail(d)+law.Tail(d+1)-hidden > e.alpha*(1-hidden)
}

// hidden is the chance that n is not shown.
func (e *CountEstimator) hidden(n int64) float64 {
	return e.count.Law.Tail(addSaturating(addSaturating(n, -e.count.ShownAt), 1))
}

// maxDistance bounds searches: noise is kept far below it.
const maxDistance = int64(1) << 61

// searchLast returns the largest d in [0, maxDistance] with ok(d), for an ok that is true at 0 (else
// the answer is 0) and, once false, stays false.
func searchLast(ok func(int64) bool) int64 {
	last, first := int64(0), int64(1)
	for ok(first) {
		if first >= maxDistance {
			return maxDistance
		}
		last, first = first, 2*first
	}
	for first-last > 1 {
		if middle := last + (first-last)/2; ok(middle) {
			last = middle
		} else {
			first = middle
		}
	}
	return last
}

// searchNear is searchLast where the answer is likely to be guess, at least 0.
func searchNear(guess int64, ok func(int64) bool) int64 {
	if (guess == 0 || ok(guess)) && !ok(guess+1) {
		return guess
	}
	return searchLast(ok)
}

func addSaturating(a, b int64) int64 {
	s := a + b
	switch {
	case b > 0 && s < a:
		return math.MaxInt64
	case b < 0 && s > a:
		return math.MinInt64
	}
	return s
}
