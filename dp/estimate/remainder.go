// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"cmp"
	"math"
	"slices"
)

// remainders are open equations: totals that are at least the sum of their parts. They move displays only.
type remainders struct {
	counts    []Count
	equations []Equation // a number is a part in those before the one that it is a total of
	held      []bool     // numbers of closed equations, whose displays stand
	of        [][]int    // by number: its equations
}

func newRemainders(counts []Count, closed, open []Equation) (*remainders, error) {
	r := &remainders{counts: counts, held: make([]bool, len(counts)), of: make([][]int, len(counts))}
	for _, e := range closed {
		r.held[e.Total] = true
		for _, p := range e.Parts {
			r.held[p] = true
		}
	}
	if r.equations = coarseFirst(len(counts), open); r.equations == nil {
		return nil, errCircle
	}
	for j, e := range r.equations {
		for _, p := range append([]int{e.Total}, e.Parts...) {
			r.of[p] = append(r.of[p], j)
		}
	}
	return r, nil
}

// coarseFirst orders equations so that a number is a part in those before the one that it is a total of. It
// returns nil where one is part of itself.
func coarseFirst(numbers int, equations []Equation) []Equation {
	waits := make([]int, numbers) // equations not yet in order that a number is a part in
	of := make([][]int, numbers)
	for j, e := range equations {
		of[e.Total] = append(of[e.Total], j)
		for _, p := range e.Parts {
			waits[p]++
		}
	}
	ordered := make([]Equation, 0, len(equations))
	var ready []int
	for i := range numbers {
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		for _, j := range of[i] {
			ordered = append(ordered, equations[j])
			for _, p := range equations[j].Parts {
				if waits[p]--; waits[p] == 0 {
					ready = append(ready, p)
				}
			}
		}
	}
	if len(ordered) < len(equations) {
		return nil
	}
	return ordered
}

// excess is by how much the parts of an equation are more than its total.
func (e Equation) excess(display []int64) int64 {
	left := -display[e.Total]
	for _, p := range e.Parts {
		left += display[p]
	}
	return left
}

// display moves displays so that no parts are more than their total. It returns false where it cannot.
func (r *remainders) display(noisy []int64, fitted []Fitted) bool {
	display := make([]int64, len(fitted))
	for i, f := range fitted {
		display[i] = f.Display
	}
	if !slices.ContainsFunc(r.equations, func(e Equation) bool { return e.excess(display) > 0 }) {
		return true
	}
	least, ok := r.least(display, func(i int) int64 { return r.counts[i].Floor })
	if !ok { // totals that stand are below what floors add up to
		if least, ok = r.least(display, func(int) int64 { return 0 }); !ok {
			return false
		}
	}
	moved := r.round(r.fit(noisy, display, least), display, least)
	for i, d := range moved {
		fitted[i].Display = d
		fitted[i].include()
	}
	return true
}

// least returns the least that each number can be, and false where those of parts add up to more than a
// total that stands.
func (r *remainders) least(display []int64, floor func(int) int64) ([]int64, bool) {
	least := make([]int64, len(display))
	for i := range least {
		switch {
		case r.held[i]:
			least[i] = display[i]
		case len(r.of[i]) > 0:
			least[i] = floor(i)
		}
	}
	for _, e := range slices.Backward(r.equations) {
		if over := e.excess(least); over > 0 {
			if r.held[e.Total] {
				return nil, false
			}
			least[e.Total] += over
		}
	}
	return least, true
}

// The search for the fit ends where nothing moves by more than settled, or after so many rounds. What differs
// by less than tied is taken as equal.
const (
	settled   = 1e-9
	tied      = 1e-6
	maxRounds = 1000
)

// fit returns the weighted least-squares fit to noisy numbers under all equations and lower limits: with
// a multiplier λ >= 0 for each equation, every total rises and every part falls by λ times its variance, as
// far as its limit. One multiplier after another is made right for its equation, until all are (Hildreth 1957).
func (r *remainders) fit(noisy, display, least []int64) []pulled {
	x := make([]pulled, len(noisy))
	for i := range x {
		x[i] = pulled{at: float64(noisy[i]), least: float64(least[i])}
		if r.held[i] {
			x[i].at = float64(display[i])
		} else {
			sd := r.counts[i].Law.StdDev()
			x[i].variance = sd * sd
		}
	}
	multipliers := make([]float64, len(r.equations))
	for range maxRounds {
		most := 0.0
		for j, e := range r.equations {
			was := multipliers[j]
			e.pull(x, -was)
			multipliers[j] = e.multiplier(x)
			e.pull(x, multipliers[j])
			for _, p := range append([]int{e.Total}, e.Parts...) {
				most = max(most, math.Abs(multipliers[j]-was)*x[p].variance)
			}
		}
		if most <= settled {
			break
		}
	}
	return x
}

// pulled is a number that is pulled down by its variance times pull, as far as its limit.
type pulled struct{ at, variance, pull, least float64 }

func (x pulled) value() float64 { return max(x.least, x.at-x.variance*x.pull) }

func (e Equation) pull(x []pulled, by float64) {
	if by == 0 {
		return
	}
	x[e.Total].pull -= by
	for _, p := range e.Parts {
		x[p].pull += by
	}
}

// multiplier returns the least λ >= 0 under which the parts are no more than the total. The excess falls with
// λ, in straight pieces that get flatter as parts reach their limits: no step by the slope overshoots,
// but for one past the point where the total leaves its own limit, where it stops.
func (e Equation) multiplier(x []pulled) float64 {
	lambda := 0.0
	for range 2*len(e.Parts) + 4 {
		total := x[e.Total]
		free := total.at - total.variance*(total.pull-lambda) - total.least // below 0: the total is at its limit
		excess, slope := -max(free, 0)-total.least, 0.0
		atLimit := free < -settled && total.variance > 0
		if !atLimit {
			slope = total.variance
		}
		for _, p := range e.Parts {
			part := x[p]
			part.pull += lambda
			v := part.value()
			excess += v
			if v > part.least {
				slope += part.variance
			}
		}
		step := math.Inf(1)
		if slope > 0 {
			step = excess / slope
		}
		if atLimit {
			step = min(step, -free/total.variance)
		}
		if excess <= 0 || math.IsInf(step, 1) || lambda+step == lambda {
			break
		}
		lambda += step
	}
	return lambda
}

// round rounds to the nearest, and then lowers parts of totals that they are more than: those first that
// were rounded up by most.
func (r *remainders) round(x []pulled, display, least []int64) []int64 {
	rounded := slices.Clone(display)
	for i := range x {
		if !r.held[i] && len(r.of[i]) > 0 {
			rounded[i] = max(least[i], int64(math.Floor(x[i].value()+0.5+tied)))
		}
	}
	up := func(p int) float64 { return math.Round((float64(rounded[p]) - x[p].value()) / tied) }
	for _, e := range r.equations {
		over := e.excess(rounded)
		if over <= 0 {
			continue
		}
		parts := slices.Clone(e.Parts)
		slices.SortStableFunc(parts, func(p, q int) int { return cmp.Compare(up(q), up(p)) })
		for over > 0 { // ends: the least of all parts together is no more than the total
			each := max(1, over/int64(len(parts)))
			for _, p := range parts {
				by := min(each, over, rounded[p]-least[p])
				rounded[p] -= by
				over -= by
			}
		}
	}
	return rounded
}
