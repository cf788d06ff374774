// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// adder rounds numbers that add up so that they still do.
type adder struct {
	equations []Equation
	down      [][]int // by total: the equations by which it is shared out among its parts
	shared    []bool  // numbers that are a part in one of those
	leaves    [][]int // by number: the smallest parts that it is the sum of; nil where all are trees
}

var (
	errCircle = errors.New("got a number that is part of itself, want totals above their parts")
	errNoTree = errors.New("got totals with different smallest parts that hang together by more than one total, " +
		"want trees or margins of one table; leave equations out")
)

func newAdder(numbers int, equations []Equation) (*adder, error) {
	a := &adder{equations: equations, down: make([][]int, numbers), shared: make([]bool, numbers)}
	trees := true
	of := make([][]int, numbers)
	for j, e := range equations {
		of[e.Total] = append(of[e.Total], j)
		if slices.ContainsFunc(e.Parts, func(p int) bool { return a.shared[p] }) {
			trees = false
			continue
		}
		a.down[e.Total] = append(a.down[e.Total], j)
		for _, p := range e.Parts {
			a.shared[p] = true
		}
	}
	leaves := make([][]int, numbers)
	entered := make([]bool, numbers)
	agree := true
	var expand func(i int) bool
	expand = func(i int) bool {
		if leaves[i] != nil {
			return true
		}
		if entered[i] {
			return false
		}
		entered[i] = true
		if len(of[i]) == 0 {
			leaves[i] = []int{i}
		}
		for _, j := range of[i] {
			var sum []int
			for _, p := range equations[j].Parts {
				if !expand(p) {
					return false
				}
				sum = append(sum, leaves[p]...)
			}
			slices.Sort(sum)
			agree = agree && len(slices.Compact(slices.Clone(sum))) == len(sum)
			if leaves[i] == nil {
				leaves[i] = sum
			}
			agree = agree && slices.Equal(leaves[i], sum)
		}
		return true
	}
	for i := range numbers {
		if !expand(i) {
			return nil, errCircle
		}
	}
	switch {
	case trees:
	case agree:
		a.leaves = leaves
	default:
		return nil, errNoTree
	}
	return a, nil
}

// round rounds what is part of nothing to the nearest, and shares each total out among its parts by
// largest remainder. Totals by other equations are then the sums of their smallest parts. It returns
// false where float error left no whole numbers that add up and of which none is negative that must not be.
func (a *adder) round(values []float64, positive func(int) bool) ([]int64, bool) {
	units := make([]int64, len(values))
	for i, v := range values {
		if !a.shared[i] {
			units[i] = int64(math.Round(v))
			a.share(i, values, units, positive)
		}
	}
	if a.leaves != nil {
		sums := make([]int64, len(values))
		for i, leaves := range a.leaves {
			for _, leaf := range leaves {
				sums[i] += units[leaf]
			}
		}
		units = sums
	}
	return units, a.holds(units, positive)
}

func (a *adder) holds(units []int64, positive func(int) bool) bool {
	for i, u := range units {
		if u < 0 && positive(i) {
			return false
		}
	}
	return !slices.ContainsFunc(a.equations, func(e Equation) bool {
		left := units[e.Total]
		for _, p := range e.Parts {
			left -= units[p]
		}
		return left != 0
	})
}

// share shares a rounded total out among its parts, and each of them among its own.
func (a *adder) share(total int, values []float64, units []int64, positive func(int) bool) {
	for _, j := range a.down[total] {
		parts := a.equations[j].Parts
		left := units[total]
		rest := func(p int) float64 { return values[p] - float64(units[p]) }
		for _, p := range parts {
			units[p] = int64(math.Floor(values[p] + exact))
			left -= units[p]
		}
		order := slices.Clone(parts)
		slices.SortStableFunc(order, func(p, q int) int { return cmp.Compare(rest(q), rest(p)) })
		for k := 0; k < len(order) && left > 0; k++ {
			units[order[k]]++
			left--
		}
		// Only float error puts the floors above the total.
		for k := len(order) - 1; k >= 0 && left < 0; k-- {
			if p := order[k]; units[p] > 0 || !positive(p) {
				units[p]--
				left++
			}
		}
		for _, p := range parts {
			a.share(p, values, units, positive)
		}
	}
}
