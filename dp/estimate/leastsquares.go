// SPDX-License-Identifier: Apache-2.0

package estimate

import "math"

// system is equations as rows of a matrix A with A·n = 0: -1 at the total and 1 at each part.
type system struct {
	rows    [][]entry // by equation
	columns [][]entry // by number
}

// entry is one element that is not 0, at a number or at an equation.
type entry struct {
	at   int
	sign float64
}

func newSystem(numbers int, equations []Equation) *system {
	s := &system{rows: make([][]entry, len(equations)), columns: make([][]entry, numbers)}
	for j, e := range equations {
		put := func(i int, sign float64) {
			s.rows[j] = append(s.rows[j], entry{i, sign})
			s.columns[i] = append(s.columns[i], entry{j, sign})
		}
		put(e.Total, -1)
		for _, part := range e.Parts {
			put(part, 1)
		}
	}
	return s
}

// factor is the Cholesky factor L·Lᵀ of G = A·V·Aᵀ, V the variances. Equations that follow from those
// before them are left out.
type factor struct {
	s         *system
	variances []float64
	kept      []int // equations, in the order of the rows of lower
	lower     [][]float64
}

// dependent is the part of a diagonal element below which an equation follows from others. What follows
// exactly leaves about 1e-15, and a table of a thousand parts with like noise about 1e-3.
const dependent = 1e-10

func (s *system) factor(variances []float64) *factor {
	f := &factor{s: s, variances: variances}
	m := len(s.rows)
	g := make([]float64, m)
	for j, row := range s.rows {
		clear(g)
		for _, e := range row {
			for _, other := range s.columns[e.at] {
				g[other.at] += e.sign * other.sign * variances[e.at]
			}
		}
		l := make([]float64, 0, len(f.kept)+1)
		left := g[j]
		for k, at := range f.kept {
			v := g[at]
			for i, x := range f.lower[k][:k] {
				v -= x * l[i]
			}
			v /= f.lower[k][k]
			l = append(l, v)
			left -= v * v
		}
		if left > dependent*g[j] {
			f.kept, f.lower = append(f.kept, j), append(f.lower, append(l, math.Sqrt(left)))
		}
	}
	return f
}

// solve returns λ with G·λ = b over the kept equations, and 0 at the others.
func (f *factor) solve(b []float64) []float64 {
	n := len(f.kept)
	y := make([]float64, n)
	for k, at := range f.kept {
		v := b[at]
		for i, x := range f.lower[k][:k] {
			v -= x * y[i]
		}
		y[k] = v / f.lower[k][k]
	}
	for k := n - 1; k >= 0; k-- {
		y[k] /= f.lower[k][k]
		for i, x := range f.lower[k][:k] {
			y[i] -= x * y[k]
		}
	}
	lambda := make([]float64, len(b))
	for k, at := range f.kept {
		lambda[at] = y[k]
	}
	return lambda
}

// exact is by how much an equation may fail in a fit, relative to its largest term.
const exact = 1e-7

// fit returns x - V·Aᵀ·G⁻¹·A·x, and false if the equations do not hold for it. The residual A·x is
// exact, so the size of the numbers does not cost precision.
func (f *factor) fit(x []int64) ([]float64, bool) {
	residual := make([]float64, len(f.s.rows))
	for j, row := range f.s.rows {
		sum := int64(0)
		for _, e := range row {
			sum += int64(e.sign) * x[e.at]
		}
		residual[j] = float64(sum)
	}
	lambda := f.solve(residual)
	fitted := make([]float64, len(x))
	moved := make([]float64, len(x))
	for i, column := range f.s.columns {
		for _, e := range column {
			moved[i] -= f.variances[i] * e.sign * lambda[e.at]
		}
		fitted[i] = float64(x[i]) + moved[i]
	}
	for j, row := range f.s.rows {
		left, largest := residual[j], math.Abs(residual[j])+1
		for _, e := range row {
			left += e.sign * moved[e.at]
			largest = max(largest, math.Abs(moved[e.at]))
		}
		if !(math.Abs(left) <= exact*largest) {
			return nil, false
		}
	}
	return fitted, true
}

// weights returns the weight of each noisy number in the fit of number i. The variance of the fit is
// that of the number times its own weight, as the fit is a projection.
func (f *factor) weights(i int) []float64 {
	b := make([]float64, len(f.s.rows))
	for _, e := range f.s.columns[i] {
		b[e.at] = e.sign
	}
	lambda := f.solve(b)
	w := make([]float64, len(f.s.columns))
	w[i] = 1
	for j, row := range f.s.rows {
		if lambda[j] == 0 {
			continue
		}
		for _, e := range row {
			w[e.at] -= f.variances[i] * lambda[j] * e.sign
		}
	}
	return w
}

// members are numbers that hang together and the equations between them.
type members struct{ numbers, equations []int }

// together parts numbers into those that hang together, in the order of their first.
func together(numbers int, equations []Equation) []members {
	root := make([]int, numbers)
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, e := range equations {
		for _, part := range e.Parts {
			root[find(part)] = find(e.Total)
		}
	}
	var all []members
	place := map[int]int{}
	for i := range root {
		r := find(i)
		if _, ok := place[r]; !ok {
			place[r] = len(all)
			all = append(all, members{})
		}
		all[place[r]].numbers = append(all[place[r]].numbers, i)
	}
	for j, e := range equations {
		m := &all[place[find(e.Total)]]
		m.equations = append(m.equations, j)
	}
	return all
}
