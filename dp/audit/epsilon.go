// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"math"
	"slices"
)

// Epsilon returns a lower bound on the ε of an (ε, δ)-differentially private mechanism from one event, that
// p counts on one input and q on a neighbour: ln((P − δ)/Q) with P bounded from below and Q from above, each
// at alpha/2. It is 0 where the event shows nothing, and rounded down. The event must not have been chosen by
// looking at these draws; [Search] sees to that.
func Epsilon(p, q Count, delta, alpha float64) float64 {
	if !(delta >= 0 && delta < 1) {
		return 0
	}
	low, high := Lower(p, alpha/2)-delta, Upper(q, alpha/2)
	if !(low > high) {
		return 0
	}
	return max(0, math.Log(low/high)*(1-1e-15)-1e-15)
}

// Number is what a mechanism puts out: an integer, or a score computed from several.
type Number interface{ ~int64 | ~float64 }

// Tail is an event: the output is at least At where Above is set, at most At otherwise.
type Tail[T Number] struct {
	At    T
	Above bool
}

// Has reports whether the event happens at an output.
func (t Tail[T]) Has(x T) bool {
	if t.Above {
		return x >= t.At
	}
	return x <= t.At
}

// String writes the event as a set, such as {out ≤ -1}.
func (t Tail[T]) String() string {
	if t.Above {
		return fmt.Sprintf("{out ≥ %v}", t.At)
	}
	return fmt.Sprintf("{out ≤ %v}", t.At)
}

// Count counts the event in a sample.
func (t Tail[T]) Count(sample []T) Count {
	c := Count{Draws: int64(len(sample))}
	for _, x := range sample {
		if t.Has(x) {
			c.Hits++
		}
	}
	return c
}

// LatticeTails returns the events at which integer noise around x and around y differs most: beyond both of
// them. Between them, and at them, the rounding of continuous noise to integers hides part of ε: an event
// {out ≤ x} does not see a violation of 10 %. Below is likelier around the smaller number, above around the
// larger.
func LatticeTails(x, y int64) (below, above Tail[int64]) {
	return Tail[int64]{At: max(min(x, y), math.MinInt64+1) - 1}, Tail[int64]{At: min(max(x, y), math.MaxInt64-1) + 1, Above: true}
}

// Finding is a tested event.
type Finding[T Number] struct {
	Event Tail[T]
	// Swapped says that the event was likelier in the second sample.
	Swapped bool
	// Likely and Unlikely count it in the halves that were tested.
	Likely, Unlikely Count
	// Bound is the lower bound on ε, or on μ.
	Bound float64
}

// Search returns a lower bound on ε from the outputs on two neighbouring inputs. The event is the best tail of
// the first halves, in either direction and for either order of the inputs, and is tested at alpha on the
// second halves.
func Search[T Number](p, q []T, delta, alpha float64) Finding[T] {
	return search(p, q,
		func(p, q Count) float64 { return guess(p, q, delta) },
		func(p, q Count) float64 { return Epsilon(p, q, delta, alpha) })
}

// search chooses an event by its score on the first halves and bounds the second.
func search[T Number](p, q []T, score, bound func(likely, unlikely Count) float64) Finding[T] {
	p1, p2 := halves(p)
	q1, q2 := halves(q)
	p1, q1 = slices.Sorted(slices.Values(p1)), slices.Sorted(slices.Values(q1))
	event, highest := bestTail(p1, q1, score)
	f := Finding[T]{Event: event, Likely: event.Count(p2), Unlikely: event.Count(q2)}
	if event, other := bestTail(q1, p1, score); other > highest {
		f = Finding[T]{Event: event, Swapped: true, Likely: event.Count(q2), Unlikely: event.Count(p2)}
	}
	f.Bound = bound(f.Likely, f.Unlikely)
	return f
}

// Test is [Search] for an event that is known beforehand, on whole samples. The event is tested as likelier
// in p.
func Test[T Number](p, q []T, event Tail[T], delta, alpha float64) Finding[T] {
	f := Finding[T]{Event: event, Likely: event.Count(p), Unlikely: event.Count(q)}
	f.Bound = Epsilon(f.Likely, f.Unlikely, delta, alpha)
	return f
}

func halves[T any](s []T) (first, second []T) { return s[:len(s)/2], s[len(s)/2:] }

// bestTail returns the tail with the highest score among those at an output of either sorted sample.
func bestTail[T Number](p, q []T, score func(p, q Count) float64) (best Tail[T], highest float64) {
	highest = math.Inf(-1)
	i, j := 0, 0
	n, m := int64(len(p)), int64(len(q))
	try := func(t Tail[T], a, b int64) {
		if s := score(Count{a, n}, Count{b, m}); s > highest {
			best, highest = t, s
		}
	}
	for i < len(p) || j < len(q) {
		at := smallest(p[i:], q[j:])
		try(Tail[T]{At: at, Above: true}, n-int64(i), m-int64(j))
		for i < len(p) && p[i] <= at {
			i++
		}
		for j < len(q) && q[j] <= at {
			j++
		}
		try(Tail[T]{At: at}, int64(i), int64(j))
	}
	return best, highest
}

// smallest returns the least head of two sorted slices, not both empty.
func smallest[T Number](p, q []T) T {
	switch {
	case len(p) == 0:
		return q[0]
	case len(q) == 0:
		return p[0]
	}
	return min(p[0], q[0])
}

// guess is about what [Epsilon] will say, by the score intervals of Wilson (1927), which are quick. It chooses
// an event and proves nothing.
func guess(p, q Count, delta float64) float64 {
	low, _ := wilson(p)
	_, high := wilson(q)
	if low-delta <= 0 {
		return math.Inf(-1)
	}
	return math.Log((low - delta) / high)
}

// wilson returns the score interval at six standard deviations.
func wilson(c Count) (low, high float64) {
	const z = 6.0
	if c.Draws == 0 {
		return 0, 1
	}
	n := float64(c.Draws)
	p := float64(c.Hits) / n
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return (middle - half) / (1 + z*z/n), (middle + half) / (1 + z*z/n)
}
