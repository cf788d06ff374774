// SPDX-License-Identifier: Apache-2.0

// Package plan splits a release's spend over its tables and calibrates every mechanism. It is pure:
// no data, no randomness, the same answer every time.
//
// # Guarantee
//
// The charges of all parts add up, exactly and by basic composition, to at most the spend. A person
// can be in up to L0 groups of a table; noise is calibrated to that, and a selection's (ε, δ) is
// split over it.
package plan

import (
	"fmt"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// Draw is one statistic that needs noise of its own, with what one person can change.
type Draw struct {
	Statistic string
	// L0 is the most groups that one person changes, LInf the most by which one group changes.
	L0, LInf int64
}

// SelectionKind is how the groups of a table are chosen.
type SelectionKind uint8

const (
	// NoSelection: declared groups, values withheld by a rule on noisy numbers.
	NoSelection SelectionKind = iota
	// ByVisitors: a threshold on the visitors that are drawn anyway. Costs δ only.
	ByVisitors
	// BySelection: partition selection of its own. Costs ε and δ.
	BySelection
)

// Table is what one table needs.
type Table struct {
	Name string
	// Weight is the table's part of ε relative to the other tables.
	Weight    int64
	Draws     []Draw
	Selection SelectionKind
	// L0 is the most groups that one person can be in; K the minimum of people.
	L0, K int64
}

// Calibrated is a table with its mechanisms.
type Calibrated struct {
	// Noise is in the order of the table's Draws.
	Noise     []mechanism.Noise
	Threshold mechanism.Threshold
	Selection mechanism.Selection
	// SelectionSpend is what choosing the groups costs; unset where it is free.
	SelectionSpend dp.Spend
	// Spend is what the whole table costs.
	Spend dp.Spend
}

// Error is a part of a table that cannot be calibrated with what it gets of the spend.
type Error struct {
	// Table is the table's number, Part one of its statistics or the choice of its groups.
	Table int
	Part  string
	Err   error
}

// Error says which part and why.
func (e *Error) Error() string { return fmt.Sprintf("table %d, %s: %v", e.Table, e.Part, e.Err) }

// Unwrap returns the mechanism's error.
func (e *Error) Unwrap() error { return e.Err }

// visitorsDraw is the draw that a threshold applies to.
const visitorsDraw = 0

// Calibrate splits spend over tables: ε by weight and then evenly over a table's draws (and its
// selection, where that costs ε), δ evenly over everything that needs one. Each draw takes Laplace
// or Gaussian noise, whichever has the smaller standard deviation.
func Calibrate(spend dp.Spend, tables []Table) ([]Calibrated, error) {
	// Whether a Gaussian wins depends on its δ, and its δ on how many Gaussians there are. Deciding
	// with the smallest δ that a draw could get never picks a Gaussian that later loses.
	slots, most := int64(0), int64(0)
	for _, t := range tables {
		if t.Selection != NoSelection {
			slots++
		}
		most += int64(len(t.Draws))
	}
	most += slots
	gaussian := make([][]bool, len(tables))
	for i, t := range tables {
		gaussian[i] = make([]bool, len(t.Draws))
		for j, d := range t.Draws {
			better, err := gaussianBetter(d, epsilonOf(spend, tables, i), spend.Delta.Part(1, most))
			if err != nil {
				return nil, &Error{Table: i, Part: d.Statistic, Err: err}
			}
			if gaussian[i][j] = better; better {
				slots++
			}
		}
	}
	var delta dp.Delta
	if slots > 0 {
		delta = spend.Delta.Part(1, slots)
	}
	var out []Calibrated
	for i, t := range tables {
		c, err := calibrate(t, epsilonOf(spend, tables, i), delta, gaussian[i])
		if err != nil {
			err.Table = i
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// epsilonOf returns the ε of each part of table i.
func epsilonOf(spend dp.Spend, tables []Table, i int) dp.Epsilon {
	var weights int64
	for _, t := range tables {
		weights += t.Weight
	}
	parts := int64(len(tables[i].Draws))
	if tables[i].Selection == BySelection {
		parts++
	}
	return spend.Epsilon.Part(tables[i].Weight, weights).Part(1, parts)
}

func gaussianBetter(d Draw, e dp.Epsilon, delta dp.Delta) (bool, error) {
	laplace, err := mechanism.NewLaplace(e, d.L0, d.LInf)
	if err != nil {
		return false, err
	}
	if delta.IsZero() {
		return false, nil
	}
	gauss, err := mechanism.NewGaussian(e, delta, d.L0, d.LInf)
	if err != nil {
		return false, nil // out of the Gaussian's range: Laplace serves
	}
	return gauss.StdDev() < laplace.StdDev(), nil
}

func calibrate(t Table, e dp.Epsilon, delta dp.Delta, gaussian []bool) (Calibrated, *Error) {
	var c Calibrated
	for j, d := range t.Draws {
		var n mechanism.Noise
		var err error
		if gaussian[j] {
			n, err = mechanism.NewGaussian(e, delta, d.L0, d.LInf)
		} else {
			n, err = mechanism.NewLaplace(e, d.L0, d.LInf)
		}
		if err != nil {
			return c, &Error{Part: d.Statistic, Err: err}
		}
		c.Noise = append(c.Noise, n)
		c.Spend = c.Spend.Add(dp.Spend{Epsilon: n.Epsilon(), Delta: n.Delta()})
	}
	var err error
	switch t.Selection {
	case ByVisitors:
		c.SelectionSpend = dp.Spend{Delta: delta}
		c.Threshold, err = mechanism.NewThreshold(c.Noise[visitorsDraw], delta, t.K)
	case BySelection:
		c.SelectionSpend = dp.Spend{Epsilon: e, Delta: delta}
		c.Selection, err = mechanism.NewSelection(e, delta, t.L0, t.K)
	}
	if err != nil {
		return c, &Error{Part: "the choice of groups", Err: err}
	}
	c.Spend = c.Spend.Add(c.SelectionSpend)
	return c, nil
}
