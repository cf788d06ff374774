// SPDX-License-Identifier: Apache-2.0

// Package plan calibrates every mechanism of a release so that all of them together cost what it may
// spend. It is pure: no data, no randomness, the same answer every time.
//
// # Guarantee
//
// The charges of all parts, as they are drawn, compose to at most the spend: by basic composition, by
// zCDP or by privacy loss distributions, whichever needs the least noise. A person can be in up to L0
// groups of a table; noise is calibrated to that, and a selection's (ε, δ) is split over it.
package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
)

// Draw is one statistic that needs noise of its own, with what one person can change.
type Draw struct {
	Statistic string
	// L0 is the most groups that one person changes, LInf the most by which one group changes.
	L0, LInf int64
	// L1 is the most by which one person changes all groups together, where that is less than L0·LInf; 0
	// otherwise. Laplace noise is then charged by it where that is cheaper, and Gaussian noise by the l2 norm that is
	// left.
	L1 int64
	// Cells, where it is not 0, says that the draw is of counts that share out what a person changes: Cells of
	// them, by LInf together for each of L0 groups. They get Gaussian noise, for which that is no worse than one
	// count in each group.
	Cells int64
	// Coarse draws get [CoarseFactor] times the noise of the others.
	Coarse bool
}

// CoarseFactor is how many times the noise of other draws a coarse one gets. By zCDP it costs a
// 625th of what they cost, by basic composition a 25th.
const CoarseFactor = 25

// weight is the draw's weight in a table of weight w.
func (d Draw) weight(w int64) int64 {
	if d.Coarse {
		return w
	}
	return CoarseFactor * w
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
	// Weight says how exact the table is to be: twice the weight is half the noise.
	Weight    int64
	Draws     []Draw
	Selection SelectionKind
	// L0 is the most groups that one person can be in; K the minimum of people.
	L0, K int64
}

// Calibration is a release with its mechanisms.
type Calibration struct {
	Tables []Calibrated
	// Method is the composition theorem by which all parts together cost at most Spend.
	Method accounting.Method
	// Spend is what the release costs. Its δ is 0 where nothing needs any.
	Spend dp.Spend
	// Composition is what will be drawn.
	Composition accounting.Composition
}

// Calibrated is a table with its mechanisms.
type Calibrated struct {
	// Noise is in the order of the table's Draws, and so is Shares: the parts of the budget that they take,
	// of 1 in all tables together.
	Noise     []mechanism.Noise
	Shares    []float64
	Threshold mechanism.Threshold
	Selection mechanism.Selection
	// SelectionSpend is what choosing the groups costs; unset where it is free.
	SelectionSpend dp.Spend
	// SelectionShare is the part of the budget that choosing the groups takes, as for Shares.
	SelectionShare float64
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

// Calibrate gives every draw its noise. Choosing groups comes first: a selection gets ε by its table's
// weight as if all parts of the release shared ε, and half of δ is shared evenly by all choices. The draws get
// what the composition then leaves, Laplace or Gaussian noise. Where that is Laplace noise by basic
// composition, which needs no δ, the choices get all of it.
func Calibrate(spend dp.Spend, tables []Table) (Calibration, error) {
	c := &calibrator{spend: spend, tables: tables}
	for _, t := range tables {
		if t.Selection != NoSelection {
			c.choices++
		}
	}
	out, err := c.calibrate(2)
	if err != nil || !out.pure() || c.choices == 0 || c.shared() {
		return out, err
	}
	c.kind, c.methods = accounting.LaplaceNoise, []accounting.Method{accounting.Basic}
	return c.calibrate(1)
}

// shared reports whether some draw needs Gaussian noise.
func (c *calibrator) shared() bool {
	return slices.ContainsFunc(c.tables, func(t Table) bool {
		return slices.ContainsFunc(t.Draws, func(d Draw) bool { return d.Cells > 0 })
	})
}

// pure reports whether no noise needs any δ.
func (c *Calibration) pure() bool {
	for _, t := range c.Tables {
		for _, n := range t.Noise {
			if n.Kind() != mechanism.Laplace {
				return false
			}
		}
	}
	return c.Method == accounting.Basic
}

// noDelta is the set value δ = 0.
var noDelta, _ = dp.ParseDelta("0")

type calibrator struct {
	spend   dp.Spend
	tables  []Table
	choices int64 // tables whose groups are chosen
	kind    accounting.Kind
	methods []accounting.Method // none for all
}

// calibrate gives the choice of groups one part of so many of δ.
func (c *calibrator) calibrate(parts int64) (Calibration, error) {
	fixed, out, err := c.choose(parts)
	if err != nil {
		return Calibration{}, err
	}
	plan, err := accounting.Calibrate(c.spend, c.items(), fixed, c.methods...)
	if err != nil {
		return Calibration{}, err
	}
	// What is drawn costs a little more than the ideal law: the sampler's own error, and σ and b as the
	// library can have them.
	for _, stretch := range []float64{1, 1 + 1e-6, 1 + 1e-4, 1 + 1e-3} {
		out.Composition, out.Method = fixed, plan.Method
		if err := c.draw(&out, plan.Noises, stretch); err != nil {
			return Calibration{}, err
		}
		if c.within(&out) {
			return out, c.finish(&out)
		}
	}
	if c.kind == accounting.LaplaceNoise || c.shared() {
		return Calibration{}, errors.New("what is drawn costs more than what was planned; spend more")
	}
	// The Gaussian's missing tail can cost more than δ at a large ε.
	laplace := *c
	laplace.kind, laplace.methods = accounting.LaplaceNoise, []accounting.Method{accounting.Basic}
	return laplace.calibrate(parts)
}

// choose calibrates the selections, and charges the thresholds, whose noise is not known yet.
func (c *calibrator) choose(parts int64) (accounting.Composition, Calibration, error) {
	var fixed accounting.Composition
	out := Calibration{Tables: make([]Calibrated, len(c.tables))}
	if c.choices == 0 {
		return fixed, out, nil
	}
	delta := c.spend.Delta.Part(1, parts*c.choices)
	for i, t := range c.tables {
		event, times, err := c.choice(t, delta, &out.Tables[i])
		if err != nil {
			return fixed, out, &Error{Table: i, Part: "the choice of groups", Err: err}
		}
		if t.Selection == NoSelection {
			continue
		}
		if fixed, err = fixed.Add(event, times); err != nil {
			return fixed, out, err
		}
	}
	return fixed, out, nil
}

func (c *calibrator) choice(t Table, delta dp.Delta, out *Calibrated) (e accounting.Event, times int64, err error) {
	switch t.Selection {
	case ByVisitors:
		out.SelectionSpend = dp.Spend{Delta: delta}
		// Any noise tells whether δ will do.
		probe, err := mechanism.NewLaplace(1, t.L0, 1)
		if err != nil {
			return e, 0, err
		}
		threshold, err := mechanism.NewThreshold(probe, delta, t.K)
		if err != nil {
			return e, 0, err
		}
		e, err = threshold.Event()
		return e, 1, err
	case BySelection:
		out.SelectionSpend = dp.Spend{Epsilon: c.epsilonOf(t), Delta: delta}
		if out.Selection, err = mechanism.NewSelection(out.SelectionSpend.Epsilon, delta, t.L0, t.K); err != nil {
			return e, 0, err
		}
		return out.Selection.Event()
	}
	return e, 0, nil
}

// epsilonOf returns the ε of one part of a table if all parts of the release shared it by weight.
func (c *calibrator) epsilonOf(t Table) dp.Epsilon {
	var all int64
	for _, o := range c.tables {
		for _, d := range o.Draws {
			all += d.weight(o.Weight)
		}
		if o.Selection == BySelection {
			all += CoarseFactor * o.Weight
		}
	}
	return c.spend.Epsilon.Part(CoarseFactor*t.Weight, all)
}

func (c *calibrator) items() []accounting.Item {
	var items []accounting.Item
	for _, t := range c.tables {
		for _, d := range t.Draws {
			kind := c.kind
			if d.Cells > 0 {
				kind = accounting.GaussianNoise
			}
			items = append(items, accounting.Item{Kind: kind, Sensitivity: float64(d.LInf), L0: d.L0, L1: float64(d.L1), Weight: d.weight(t.Weight)})
		}
	}
	return items
}

// draw makes the mechanisms of all draws and adds what they cost.
func (c *calibrator) draw(out *Calibration, noises []accounting.Noise, stretch float64) error {
	for i, t := range c.tables {
		table := &out.Tables[i]
		table.Noise = nil
		for _, d := range t.Draws {
			n, err := noiseOf(d, noises[0], stretch)
			if err == nil {
				out.Composition, err = add(out.Composition, n)
			}
			if err != nil {
				return &Error{Table: i, Part: d.Statistic, Err: err}
			}
			table.Noise, noises = append(table.Noise, n), noises[1:]
		}
	}
	return nil
}

func noiseOf(d Draw, n accounting.Noise, stretch float64) (mechanism.Noise, error) {
	scale := n.Scale * stretch
	switch cells := max(d.Cells, d.L0); {
	case n.Once:
		return mechanism.NewLaplaceOver(scale, d.L0, d.LInf, d.L1)
	case n.Kind == accounting.LaplaceNoise:
		return mechanism.NewLaplace(scale, d.L0, d.LInf)
	case d.L1 > 0:
		return mechanism.NewGaussianOver(scale, d.L0, d.LInf, d.L1, cells)
	case d.Cells > 0:
		return mechanism.NewGaussianOver(scale, d.L0, d.LInf, d.L0*d.LInf, cells)
	}
	return mechanism.NewGaussian(scale, d.L0, d.LInf)
}

func add(c accounting.Composition, n mechanism.Noise) (accounting.Composition, error) {
	e, times, err := n.Event()
	if err != nil {
		return c, err
	}
	return c.Add(e, times)
}

// within reports whether what is drawn costs at most the spend, exactly where basic composition has exact
// sums.
func (c *calibrator) within(out *Calibration) bool {
	if out.Method == accounting.Basic {
		if e, d, ok := out.Composition.Sum(); ok {
			return e.Cmp(c.spend.Epsilon.Rat()) <= 0 && d.Cmp(c.spend.Delta.Rat()) <= 0
		}
	}
	e, err := out.Composition.Epsilon(out.Method, c.spend.Delta.Float())
	return err == nil && e <= c.spend.Epsilon.Float()
}

// finish adds what follows from the noise.
func (c *calibrator) finish(out *Calibration) error {
	out.Spend = c.spend
	if c.choices == 0 && out.pure() {
		out.Spend.Delta = noDelta
	}
	for i, t := range c.tables {
		table := &out.Tables[i]
		if t.Selection != ByVisitors {
			continue
		}
		var err error
		table.Threshold, err = mechanism.NewThreshold(table.Noise[visitorsDraw], table.SelectionSpend.Delta, t.K)
		if err != nil {
			return &Error{Table: i, Part: "the choice of groups", Err: err}
		}
	}
	return c.share(out)
}

// share says what part of the budget each draw and selection takes: of the sum of ε by basic composition,
// otherwise of the sum of ρ, which is about the variance of the privacy loss.
func (c *calibrator) share(out *Calibration) error {
	cost := func(e accounting.Event, times int64, err error) (float64, error) {
		if err != nil {
			return 0, err
		}
		one, err := accounting.Composition{}.Add(e, times)
		if err != nil {
			return 0, err
		}
		if epsilon, _, exact := one.Sum(); exact && out.Method == accounting.Basic {
			f, _ := epsilon.Float64()
			return f, nil
		}
		if out.Method == accounting.Basic {
			return one.Epsilon(accounting.Basic, c.spend.Delta.Float())
		}
		rho, _ := one.Rho()
		return rho, nil
	}
	var all float64
	for i := range out.Tables {
		t := &out.Tables[i]
		t.Shares = nil
		for _, n := range t.Noise {
			share, err := cost(n.Event())
			if err != nil {
				return err
			}
			t.Shares, all = append(t.Shares, share), all+share
		}
		if c.tables[i].Selection == BySelection {
			var err error
			if t.SelectionShare, err = cost(t.Selection.Event()); err != nil {
				return err
			}
			all += t.SelectionShare
		}
	}
	for i := range out.Tables {
		for j := range out.Tables[i].Shares {
			out.Tables[i].Shares[j] /= all
		}
		out.Tables[i].SelectionShare /= all
	}
	return nil
}
