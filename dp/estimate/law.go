// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"errors"
	"fmt"
	"math"
)

// Law is the distribution of integer noise N that was drawn. It must be symmetric around 0, and its
// probabilities must be log-concave (their ratios P(N = k+1)/P(N = k) fall as k grows), as those of
// Laplace and Gaussian noise are after rounding to integers.
type Law interface {
	// Tail returns P(N >= k), accurate also where it is tiny.
	Tail(k int64) float64
	// StdDev returns the standard deviation of N.
	StdDev() float64
	// CharacteristicFunction returns E[cos(tN)], which is all of E[exp(itN)] as N is symmetric.
	CharacteristicFunction(t float64) float64
}

// AlwaysShown is the ShownAt of a number that is published whatever it is.
const AlwaysShown int64 = math.MinInt64

// NoFloor is the Floor of a number that may be any integer.
const NoFloor int64 = math.MinInt64

// Count says how one noisy integer X = n + N came to be published.
type Count struct {
	// Law is the law of its noise N. Required.
	Law Law
	// ShownAt is the threshold of its own selection: X is published only if X >= ShownAt.
	// AlwaysShown if there is none. Any other cause of publication must be independent of N.
	ShownAt int64
	// Floor is the least true n that is possible where X is published: k where k is fused into the
	// selection, 0 for other counts, NoFloor for sums of either sign.
	Floor int64
}

func (c Count) selected() bool { return c.ShownAt != AlwaysShown }

func checkLaw(name string, law Law) error {
	if law == nil {
		return fmt.Errorf("%s: got no law, want the law of the noise; pass the mechanism that drew it", name)
	}
	if sd := law.StdDev(); !(sd > 0) || math.IsInf(sd, 0) {
		return fmt.Errorf("%s: got standard deviation %g, want a positive finite number; pass the mechanism that drew the noise", name, sd)
	}
	return nil
}

func checkCount(name string, c Count) error {
	if err := checkLaw(name+".law", c.Law); err != nil {
		return err
	}
	if _, isSum := c.Law.(*Sum); isSum && c.selected() {
		return fmt.Errorf("%s.shownAt: got a threshold on a sum, want AlwaysShown; the tail of a sum is an upper bound, which a truncated law cannot use", name)
	}
	return nil
}

func checkAlpha(alpha float64) error {
	if !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("alpha: got %g, want 0 < alpha < 1; 0.05 gives 95 %% intervals", alpha)
	}
	return nil
}

// sameLaw reports whether two laws are known to be equal. A false "no" costs time only.
func sameLaw(a, b Law) (same bool) {
	defer func() { _ = recover() }() // laws that cannot be compared
	return a == b
}

var errNoLaws = errors.New("laws: got none, want at least one")

// stepTail is an upper bound of k -> P(N >= k) for a symmetric law, from a table at multiples of
// step: P(N >= k) <= P(N >= step*floor(k/step)). It is exact where step is 1.
type stepTail struct {
	step  float64
	tail  []float64 // at 0, step, 2*step, …
	error float64   // by which entries may be too large
}

// Tables reach tableSpan standard deviations: beyond it a Laplace tail, the heaviest we draw, is
// below exp(-24*sqrt(2)) = 2e-15.
const (
	tableSpan = 24
	maxTable  = 1 << 14
)

// tableShape returns the step and length of a table for a law with the given standard deviation.
func tableShape(stdDev float64) (step float64, length int) {
	step = max(1, math.Ceil(tableSpan*stdDev/(maxTable-2)))
	return step, int(math.Ceil(tableSpan*stdDev/step)) + 2
}

func newStepTail(law Law) stepTail {
	if s, ok := law.(*Sum); ok {
		return s.table()
	}
	step, length := tableShape(law.StdDev())
	t := stepTail{step: step, tail: make([]float64, length)}
	for j := range t.tail {
		t.tail[j] = law.Tail(int64(float64(j) * step))
	}
	return t
}

// at returns the bound at k, a whole number. Past the end it stays at the last entry, which is an
// upper bound too.
func (t *stepTail) at(k float64) float64 {
	j := k
	if t.step != 1 {
		j = math.Floor(k / t.step)
	}
	last := float64(len(t.tail) - 1)
	if j >= 0 {
		return t.tail[int(min(j, last))]
	}
	// By symmetry P(N >= js) = 1 - P(N >= 1-js) <= 1 - P(N >= (1-j)s).
	if 1-j > last {
		return 1
	}
	return min(1, 1-t.tail[int(1-j)]+t.error)
}
