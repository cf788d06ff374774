// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/throngdp/throng/dp/estimate"
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

// sheet is the rows of a table while they are written: all statistics of one cell after another.
type sheet struct {
	p     *publisher
	e     *estimators
	rows  []Row
	place []int // of each cell among those that are listed, -1 where it is not
	top   *top  // nil where all are listed
}

// rows writes the table in long form.
func (p *publisher) rows() ([]Row, error) {
	e, err := p.c.estimators(p.t)
	if err != nil {
		return nil, err
	}
	s := &sheet{p: p, e: e}
	if err := s.choose(); err != nil {
		return nil, err
	}
	s.list()
	for i, stat := range p.t.stats {
		if stat.Kind != ShareOf {
			s.numbers(i, stat)
			continue
		}
		for _, w := range p.wholes[i] {
			if err := s.shares(i, stat, w); err != nil {
				return nil, err
			}
		}
	}
	return s.insert(p.totals(e)), nil
}

// list makes the rows of every cell that the table lists, as if they were withheld.
func (s *sheet) list() {
	p := s.p
	s.place = make([]int, p.cells.len())
	n := 0
	for i := range s.place {
		s.place[i] = -1
		if i < p.listed && s.lists(i) {
			s.place[i] = n
			n++
		}
	}
	names := make([]Row, len(p.t.stats))
	for i, stat := range p.t.stats {
		names[i] = Row{Statistic: stat.Name(), Unit: p.c.unit(stat.Statistic), Status: Withheld}
	}
	s.rows = make([]Row, 0, n*len(names))
	labels := make([]string, 0, n*len(p.all))
	for i, at := range s.place {
		if at < 0 {
			continue
		}
		labels = p.cells.appendLabels(labels, i, p.all)
		group := labels[at*len(p.all) : len(labels) : len(labels)]
		for _, r := range names {
			r.Group = group
			s.rows = append(s.rows, r)
		}
	}
}

// row returns the row of a cell that is shown.
func (s *sheet) row(cell, stat int) *Row { return &s.rows[s.place[cell]*len(s.p.t.stats)+stat] }

// numbers fills the rows of a statistic that is no share.
func (s *sheet) numbers(i int, stat *statistic) {
	p := s.p
	noisy := p.draws[stat.draw].noisy
	e := s.e
	if s.top != nil && s.top.stat == i {
		e = s.top.e
	}
	fill := func(r *Row, cell int) { e.count(r, stat.draw, noisy[cell]) }
	q := p.c.quantumOf(stat.Of)
	if stat.Kind == SumOf {
		fill = func(r *Row, cell int) { e.sum(r, stat.draw, noisy[cell], q) }
	}
	if stat.denominator != noDraw {
		per := p.draws[stat.denominator].noisy
		fill = func(r *Row, cell int) {
			if per[cell] < e.least[i] {
				return // its noise is too much for anything to be divided by it
			}
			n := ratio{number: noisy[cell], per: per[cell], q: q}
			switch stat.Kind {
			case MeanOf:
				e.mean(r, i, n)
			case RateOf:
				e.rate(r, i, n, p.c.quantumOf(stat.Per))
			default:
				e.variance(r, i, n, p.draws[stat.squares].noisy[cell], stat.Kind == StdDevOf)
			}
		}
	}
	if stat.Kind == QuantileOf {
		tr, _, _ := p.t.treeOf(p.t.draws[stat.draw].Statistic)
		fill = func(r *Row, cell int) { r.quantile(p.ranked[i][cell], tr, q) }
	}
	if p.fitted != nil && p.fitted[stat.draw] != nil && stat.denominator == noDraw {
		q := quantum{1, 0}
		if stat.Kind == SumOf {
			q = quantumOf(p.c.policy.Columns[stat.Of].resolution())
		}
		fill = func(r *Row, cell int) { r.fitted(p.fitted[stat.draw][cell], noisy[cell], q) }
	}
	for cell := range p.listed {
		if p.shown[cell] && s.place[cell] >= 0 {
			fill(s.row(cell, i), cell)
		}
	}
}

// insert puts the rows of totals before those of the cells, by the bytes of the groups: a total's empty
// labels come first.
func (s *sheet) insert(totals []Row) []Row {
	n := len(s.rows)
	rows := slices.Grow(s.rows, len(totals))[:n+len(totals)]
	for at := len(rows) - 1; len(totals) > 0; at-- {
		last := len(totals) - 1
		if n > 0 && slices.Compare(rows[n-1].Group, totals[last].Group) > 0 {
			n--
			rows[at] = rows[n]
		} else {
			rows[at], totals = totals[last], totals[:last]
		}
	}
	return rows
}

// totals returns the rows of the totals that were drawn, by the bytes of their groups and in the order of
// the statistics.
func (p *publisher) totals(e *estimators) []Row {
	var rows []Row
	for i, stat := range p.t.stats {
		if stat.denominator == noDraw || stat.Kind != ShareOf {
			continue
		}
		unit := "persons"
		if stat.Of == string(CountEvents) {
			unit = "events"
		}
		for _, w := range p.wholes[i] {
			r := Row{
				Group:     p.cells.appendLabels(nil, w.cells[0], stat.within),
				Statistic: p.t.draws[stat.denominator].Statistic, Unit: unit, Status: Withheld,
			}
			e.count(&r, stat.denominator, w.total)
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return slices.Compare(a.Group, b.Group) })
	return rows
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
	case RateOf:
		return c.nameOfUnit(s.Of) + "/" + c.nameOfUnit(s.Per)
	case VarianceOf:
		return c.nameOfUnit(s.Of) + "²"
	}
	return c.nameOfUnit(s.Of)
}

// nameOfUnit is the unit of visitors, events or a value.
func (c *compiled) nameOfUnit(name string) string {
	switch name {
	case string(CountVisitors):
		return "person"
	case string(CountEvents):
		return "event"
	}
	if u := c.policy.Columns[name].Unit; u != "" {
		return u
	}
	return name
}

// shares fills the rows of the shares of a whole.
func (s *sheet) shares(i int, stat *statistic, w whole) error {
	if stat.parts {
		return s.parts(i, stat, w)
	}
	p := s.p
	candidates := len(w.cells)
	if p.t.declared {
		candidates = p.t.candidates(stat)
	}
	for _, cell := range w.cells {
		if s.place[cell] < 0 {
			continue
		}
		share, ok := s.e.totals[i].Estimate(p.draws[stat.draw].noisy[cell], w.total, candidates)
		if ok && share.Shown {
			s.row(cell, i).share(share, estimate.RoundDecimal(share.Display, displayPlaces))
		}
	}
	return nil
}

// parts fills the rows of the shares of a whole that is the sum of its parts.
func (s *sheet) parts(i int, stat *statistic, w whole) error {
	noisy := make([]int64, len(w.cells))
	total := 0.0
	for j, cell := range w.cells {
		noisy[j] = s.p.draws[stat.draw].noisy[cell]
		total += float64(max(noisy[j], 0))
	}
	if total < float64(s.e.least[i]) {
		return nil
	}
	shares, ok := s.e.parts[i].Estimate(noisy)
	if !ok {
		return nil
	}
	rounded, err := s.round(shares, w.cells)
	if err != nil {
		return err
	}
	for j, cell := range w.cells {
		if shares[j].Shown && s.p.shown[cell] && s.place[cell] >= 0 {
			s.row(cell, i).share(shares[j], rounded[j])
		}
	}
	return nil
}

// round rounds what is displayed: to exactly 100 in all where every part is shown. Where one is
// withheld, it is the rest to 100.
func (s *sheet) round(shares []estimate.Share, cells []int) ([]estimate.Decimal, error) {
	display := make([]float64, len(shares))
	rounded := make([]estimate.Decimal, len(shares))
	all := true
	for j, share := range shares {
		all = all && share.Shown && s.p.shown[cells[j]]
		display[j] = share.Display
		rounded[j] = estimate.RoundDecimal(share.Display, displayPlaces)
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

// share fills the row of a share.
func (r *Row) share(s estimate.Share, display estimate.Decimal) {
	r.Value, r.Display = known(estimate.RoundDecimal(s.Value, valuePlaces)), known(display)
	low, high := s.Interval.Including(display.Float64()).Decimals(displayPlaces)
	r.Low, r.High, r.Status = known(low), known(high), Normal
	if !estimate.Quotable(s.Interval, pointsLimit) {
		r.Status = Unreliable
	}
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
func (e *estimators) sum(r *Row, draw int, noisy int64, q quantum) {
	low, high, shown := e.counts[draw].Interval(noisy)
	if !shown {
		return
	}
	r.Value, r.Display = known(q.times(noisy)), known(q.times(noisy))
	r.Low, r.High = known(q.times(min(low, noisy))), known(q.times(max(high, noisy)))
	if low >= 0 {
		r.Display, r.Low = known(q.times(max(noisy, 0))), known(q.times(low))
	}
	r.Status = status(float64(noisy), float64(low), float64(high))
}

// ratio is a noisy number of a cell, in quanta, and what it is divided by.
type ratio struct {
	number, per int64
	q           quantum
}

// mean fills the row of a mean.
func (e *estimators) mean(r *Row, stat int, n ratio) {
	m, ok := e.means[stat].Estimate(n.number, n.per)
	if !ok {
		return
	}
	middle := e.middles[stat]
	interval := estimate.Interval{Low: m.Interval.Low + middle, High: m.Interval.High + middle}
	r.quotient(m.Value+middle, interval, n.q.float(), n.q.places+1)
}

// variance fills the row of a variance, or of its root.
func (e *estimators) variance(r *Row, stat int, n ratio, squares int64, root bool) {
	v, ok := e.variances[stat].Estimate(n.number, squares, n.per)
	if !ok {
		return
	}
	scale := n.q.float()
	if root {
		v = v.Root()
	} else {
		scale *= scale
	}
	r.quotient(v.Value, v.Interval, scale, n.q.places+1)
}

// rate fills the row of a rate.
func (e *estimators) rate(r *Row, stat int, n ratio, per quantum) {
	v, ok := e.rates[stat].Estimate(n.number, n.per)
	if ok {
		r.quotient(v.Value, v.Interval, n.q.float()/per.float(), n.q.places+3)
	}
}

// quotient fills the row of a number that was divided, which is to be multiplied by scale. It is displayed at a
// number of places, and has one more for those who compute with it.
func (r *Row) quotient(value float64, i estimate.Interval, scale float64, places uint8) {
	display := estimate.RoundDecimal(value*scale, places)
	r.Value, r.Display = known(estimate.RoundDecimal(value*scale, places+1)), known(display)
	interval := estimate.Interval{Low: i.Low * scale, High: i.High * scale}
	low, high := interval.Including(display.Float64()).Decimals(places)
	r.Low, r.High = known(low), known(high)
	r.Status = status(value*scale, interval.Low, interval.High)
}

func status(value, low, high float64) Status {
	if !estimate.Quotable(estimate.Interval{Low: low, High: high}, relativeLimit*math.Abs(value)) {
		return Unreliable
	}
	return Normal
}

// quantum is the resolution of a value: units / 10^places.
type quantum struct {
	units  int64
	places uint8
}

func quantumOf(resolution string) quantum {
	q := quantum{1, 0}
	r, ok := new(big.Rat).SetString(resolution)
	if !ok {
		return q // cannot happen: the policy has been validated
	}
	for !r.IsInt() && q.places < estimate.MaxPlaces-2 {
		r.Mul(r, big.NewRat(10, 1))
		q.places++
	}
	q.units = r.Num().Int64()
	return q
}

// float is the resolution as a float, for what is computed of quotients.
func (q quantum) float() float64 { return float64(q.units) / math.Pow10(int(q.places)) }

// quantumOf is the quantum of a value column, and 1 for visitors and events.
func (c *compiled) quantumOf(name string) quantum {
	if col, ok := c.policy.Columns[name]; ok && col.Role == ValueRole {
		return quantumOf(col.resolution())
	}
	return quantum{1, 0}
}

// times converts quanta to the column's unit, exactly; it saturates.
func (q quantum) times(quanta int64) estimate.Decimal {
	high, low := bits.Mul64(uint64(max(quanta, -quanta)), uint64(q.units))
	d := estimate.Decimal{Units: int64(low), Places: q.places}
	switch {
	case high != 0 || low > math.MaxInt64:
		d.Units = math.MaxInt64
		if quanta < 0 {
			d.Units = math.MinInt64
		}
	case quanta < 0:
		d.Units = -d.Units
	}
	return d
}
