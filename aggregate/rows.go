// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

const alpha = 1 - Confidence

// Decimal places of percentages: what is quoted, and what is to be computed with.
const (
	displayPlaces = 1
	valuePlaces   = 4
)

// Limits above which a number carries Unreliable: the half-width of its interval against what is
// displayed, and for shares in points.
const (
	relativeLimit = 0.5
	pointsLimit   = 10.0
)

// shareOf is a cell's estimated share.
type shareOf struct {
	estimate.Share
	display estimate.Decimal
}

// rows writes the table in long form.
func (p *publisher) rows() ([]Row, error) {
	e, err := p.c.estimators(p.t)
	if err != nil {
		return nil, err
	}
	for k, w := range p.wholes {
		if err := p.estimateShares(e, w, k.stat); err != nil {
			return nil, err
		}
	}
	var rows []Row
	written := map[*whole]bool{}
	for _, c := range p.cells {
		if !c.shown && !p.t.declared {
			continue
		}
		for i, stat := range p.t.stats {
			if stat.Kind == ShareOf && c.shown {
				if w := p.whole(i, c); stat.denominator != noDraw && !written[w] {
					written[w] = true
					rows = append(rows, p.totalRow(e, w, stat))
				}
			}
			rows = append(rows, p.row(e, c, i, stat))
		}
	}
	// A whole's row has empty labels, which sort first; the order of statistics stays.
	slices.SortStableFunc(rows, func(a, b Row) int { return slices.Compare(a.Group, b.Group) })
	return rows, nil
}

func (p *publisher) row(e *estimators, c *cell, i int, stat *statistic) Row {
	r := Row{Group: c.labels, Statistic: stat.Name(), Unit: p.c.unit(stat.Statistic), Status: Withheld}
	if !c.shown {
		return r
	}
	switch stat.Kind {
	case CountVisitors, CountEvents:
		e.count(&r, stat.draw, c.noisy[stat.draw])
	case SumOf:
		e.sum(&r, stat.draw, c.noisy[stat.draw], p.c.policy.Columns[stat.Of].resolution())
	case MeanOf:
		e.mean(&r, i, c.noisy[stat.draw], c.noisy[stat.denominator], p.c.policy.Columns[stat.Of].resolution())
	case ShareOf:
		share(&r, c, i)
	}
	return r
}

// unit is the unit of a statistic, for people.
func (c *compiled) unit(s Statistic) string {
	switch s.Kind {
	case CountVisitors:
		return "persons"
	case CountEvents:
		return "events"
	case ShareOf:
		return "percent"
	}
	if u := c.policy.Columns[s.Of].Unit; u != "" {
		return u
	}
	return s.Of
}

func (p *publisher) totalRow(e *estimators, w *whole, stat *statistic) Row {
	unit := "persons"
	if stat.Of == string(CountEvents) {
		unit = "events"
	}
	r := Row{Group: w.labels, Statistic: p.t.draws[stat.denominator].Statistic, Unit: unit, Status: Withheld}
	e.count(&r, stat.denominator, w.total)
	return r
}

// share fills the row of a cell's share.
func share(r *Row, c *cell, stat int) {
	s, ok := c.shares[stat]
	if !ok || !s.Shown {
		return
	}
	r.Value, r.Display = known(estimate.RoundDecimal(s.Value, valuePlaces)), known(s.display)
	low, high := s.Interval.Including(s.display.Float64()).Decimals(displayPlaces)
	r.Low, r.High, r.Status = known(low), known(high), Normal
	if !estimate.Quotable(s.Interval, pointsLimit) {
		r.Status = Unreliable
	}
}

func (p *publisher) estimateShares(e *estimators, w *whole, i int) error {
	stat := p.t.stats[i]
	if stat.parts {
		return p.estimateParts(e, w, i)
	}
	if estimate.TooFewForShare(w.total, p.t.calibrated.Noise[stat.denominator]) {
		return nil
	}
	candidates := len(w.cells)
	if p.t.declared {
		candidates = p.t.candidates(stat)
	}
	for _, c := range w.cells {
		s, ok := e.totals[i].Estimate(c.noisy[stat.draw], w.total, candidates)
		s.Shown = s.Shown && ok
		c.shares[i] = shareOf{s, estimate.RoundDecimal(s.Display, displayPlaces)}
	}
	return nil
}

// candidates is the number of declared groups in one whole.
func (t *compiledTable) candidates(stat *statistic) int {
	n := 1
	for i, d := range t.dims {
		if !slices.Contains(stat.within, i) {
			n *= len(d.declared)
		}
	}
	return n
}

func (p *publisher) estimateParts(e *estimators, w *whole, i int) error {
	draw := p.t.stats[i].draw
	var noisy []int64
	var total float64
	for _, c := range w.cells {
		noisy = append(noisy, c.noisy[draw])
		total += float64(max(c.noisy[draw], 0))
	}
	if estimate.TooFewForShare(int64(min(total, engine.MaxSum)), e.sums[i]) {
		return nil
	}
	shares, ok := e.parts[i].Estimate(noisy)
	if !ok {
		return nil
	}
	rounded, err := roundShares(shares, w.cells)
	if err != nil {
		return err
	}
	for j, c := range w.cells {
		s := shares[j]
		s.Shown = s.Shown && c.shown
		c.shares[i] = shareOf{s, rounded[j]}
	}
	return nil
}

// roundShares rounds what is displayed: to exactly 100 in all where every part is shown. Where one is
// withheld, it is the rest to 100.
func roundShares(shares []estimate.Share, cells []*cell) ([]estimate.Decimal, error) {
	var display []float64
	var rounded []estimate.Decimal
	all := true
	for j, s := range shares {
		all = all && s.Shown && cells[j].shown
		display = append(display, s.Display)
		rounded = append(rounded, estimate.RoundDecimal(s.Display, displayPlaces))
	}
	if !all {
		return rounded, nil
	}
	exact, err := estimate.Round100(display, displayPlaces)
	if err != nil {
		return nil, fmt.Errorf("rounding shares: %w", err)
	}
	return exact, nil
}

// estimators are what a table's intervals need, built once.
type estimators struct {
	counts []*estimate.CountEstimator // by draw
	means  map[int]*estimate.MeanEstimator
	events map[int]mechanism.Noise
	parts  map[int]*estimate.PartShares
	sums   map[int]*estimate.Sum
	totals map[int]*estimate.TotalShares
}

// estimators returns the estimators of a table, which the plan and the rows share.
func (c *compiled) estimators(t *compiledTable) (*estimators, error) {
	if t.estimators == nil {
		e, err := newEstimators(c, t)
		if err != nil {
			return nil, err
		}
		t.estimators = e
	}
	return t.estimators, nil
}

func newEstimators(c *compiled, t *compiledTable) (*estimators, error) {
	e := &estimators{
		means: map[int]*estimate.MeanEstimator{}, events: map[int]mechanism.Noise{},
		parts: map[int]*estimate.PartShares{}, sums: map[int]*estimate.Sum{}, totals: map[int]*estimate.TotalShares{},
	}
	for d := range t.draws {
		ce, err := estimate.NewCountEstimator(c.published(t, d), alpha)
		if err != nil {
			return nil, err
		}
		e.counts = append(e.counts, ce)
	}
	for i, stat := range t.stats {
		if err := e.addStatistic(c, t, i, stat); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// published says how the number of a draw came to be published: visitors by a threshold on
// themselves, everything else by something independent of its own noise.
func (c *compiled) published(t *compiledTable, draw int) estimate.Count {
	count := estimate.Count{Law: t.calibrated.Noise[draw], ShownAt: estimate.AlwaysShown}
	name := t.draws[draw].Statistic
	if col, ok := c.policy.Columns[strings.TrimPrefix(name, "sum_")]; ok && strings.HasPrefix(name, "sum_") {
		if col.clampQuanta().Lower < 0 {
			count.Floor = estimate.NoFloor
		}
		return count
	}
	if !t.counts || draw != visitorsDraw {
		return count
	}
	if t.declared && c.policy.MinPeople.Declared == Noisy {
		count.ShownAt = c.policy.MinPeople.K
		return count
	}
	count.ShownAt, count.Floor = t.calibrated.Threshold.At, t.calibrated.Threshold.K
	return count
}

func (e *estimators) addStatistic(c *compiled, t *compiledTable, i int, stat *statistic) (err error) {
	noise := t.calibrated.Noise
	switch {
	case stat.Kind == MeanOf:
		clamp := c.policy.Columns[stat.Of].clampQuanta()
		e.events[i] = noise[stat.denominator]
		e.means[i], err = estimate.NewMeanEstimator(noise[stat.draw], noise[stat.denominator], clamp.Lower, clamp.Upper, alpha)
	case stat.Kind == ShareOf && stat.parts:
		var parts []estimate.Count
		var laws []estimate.Law
		for range t.candidates(stat) {
			parts = append(parts, c.published(t, stat.draw))
			laws = append(laws, noise[stat.draw])
		}
		if e.sums[i], err = estimate.NewSum(laws); err == nil {
			e.parts[i], err = estimate.NewPartShares(parts, alpha)
		}
	case stat.Kind == ShareOf:
		total := estimate.Count{Law: noise[stat.denominator], ShownAt: estimate.AlwaysShown}
		e.totals[i], err = estimate.NewTotalShares(c.published(t, stat.draw), total, alpha)
	}
	return err
}

// count fills the row of a number of people or events.
func (e *estimators) count(r *Row, draw int, noisy int64) {
	low, high, shown := e.counts[draw].Interval(noisy)
	if !shown {
		return
	}
	display := max(noisy, 0)
	r.Value, r.Display = known(estimate.Decimal{Units: noisy}), known(estimate.Decimal{Units: display})
	r.Low, r.High = known(estimate.Decimal{Units: min(low, display)}), known(estimate.Decimal{Units: max(high, display)})
	r.Status = status(float64(display), float64(low), float64(high))
}

// sum fills the row of a sum, which is in quanta.
func (e *estimators) sum(r *Row, draw int, noisy int64, resolution string) {
	low, high, shown := e.counts[draw].Interval(noisy)
	if !shown {
		return
	}
	r.Value, r.Display = known(inUnits(noisy, resolution)), known(inUnits(noisy, resolution))
	if low >= 0 {
		r.Display = known(inUnits(max(noisy, 0), resolution))
	}
	r.Low, r.High = known(inUnits(min(low, noisy), resolution)), known(inUnits(max(high, noisy), resolution))
	if low >= 0 {
		r.Low = known(inUnits(low, resolution))
	}
	r.Status = status(float64(noisy), float64(low), float64(high))
}

// mean fills the row of a mean. It is withheld where the noisy number of events is small against its
// noise.
func (e *estimators) mean(r *Row, stat int, sum, events int64, resolution string) {
	if estimate.TooFewForShare(events, e.events[stat]) {
		return
	}
	m, ok := e.means[stat].Estimate(sum, events)
	if !ok {
		return
	}
	step, places := step(resolution)
	scale := float64(step) / math.Pow10(int(places))
	display := estimate.RoundDecimal(m.Value*scale, places+1)
	r.Value, r.Display = known(estimate.RoundDecimal(m.Value*scale, places+2)), known(display)
	interval := estimate.Interval{Low: m.Interval.Low * scale, High: m.Interval.High * scale}
	low, high := interval.Including(display.Float64()).Decimals(places + 1)
	r.Low, r.High = known(low), known(high)
	r.Status = status(m.Value*scale, interval.Low, interval.High)
}

func status(value, low, high float64) Status {
	if !estimate.Quotable(estimate.Interval{Low: low, High: high}, relativeLimit*math.Abs(value)) {
		return Unreliable
	}
	return Normal
}

// step returns a resolution as units / 10^places.
func step(resolution string) (units int64, places uint8) {
	r, ok := new(big.Rat).SetString(resolution)
	if !ok {
		return 1, 0 // cannot happen: the policy has been validated
	}
	for !r.IsInt() && places < estimate.MaxPlaces-2 {
		r.Mul(r, big.NewRat(10, 1))
		places++
	}
	return r.Num().Int64(), places
}

// inUnits converts quanta to the column's unit, exactly; it saturates.
func inUnits(quanta int64, resolution string) estimate.Decimal {
	units, places := step(resolution)
	product := new(big.Int).Mul(big.NewInt(quanta), big.NewInt(units))
	if !product.IsInt64() {
		if product.Sign() < 0 {
			return estimate.Decimal{Units: math.MinInt64, Places: places}
		}
		return estimate.Decimal{Units: math.MaxInt64, Places: places}
	}
	return estimate.Decimal{Units: product.Int64(), Places: places}
}
