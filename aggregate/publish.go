// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp/mechanism"
)

// publish turns exact partials into released tables. Every number that it hands on has passed the
// mechanism; exact ones stay in here.
func publish(ctx context.Context, c *compiled, s *scanner, p *engine.Partials, m mechanism.Mechanism) ([]ResultTable, error) {
	var tables []ResultTable
	for i, t := range c.tables {
		pub := &publisher{c: c, t: t, s: s, st: s.tables[i], groups: p.Tables[i], parents: p.Parents[i], everyone: p.Visitors, m: m}
		rt, err := pub.table(ctx)
		if err != nil {
			return nil, err
		}
		tables = append(tables, rt)
	}
	return tables, nil
}

// publisher publishes one table.
type publisher struct {
	c        *compiled
	t        *compiledTable
	s        *scanner
	st       *scanTable
	groups   *engine.Groups
	parents  *engine.Groups
	everyone int64
	m        mechanism.Mechanism

	cells  []*cell
	byKey  map[string]*cell
	wholes map[wholeKey]*whole
	// events are the true totals that shares of events are divided by; a table has one such share.
	events map[string]int64
}

// cell is one group: its labels, its place among the partials (-1 where nobody is in it) and what has
// been drawn for it.
type cell struct {
	labels []string
	key    string
	at     int
	shown  bool
	noisy  map[int]int64   // by draw
	shares map[int]shareOf // by statistic
}

// whole is what the shares of one parent are divided by.
type whole struct {
	labels []string
	// cells are all parts of the whole where the total is their sum, and the shown ones where the total
	// is drawn.
	cells []*cell
	total int64
	drawn bool
}

type wholeKey struct {
	stat int
	key  string
}

// keySeparator cannot stand in a label: labels have no control characters.
const keySeparator = "\x1f"

func (p *publisher) table(ctx context.Context) (ResultTable, error) {
	p.byKey, p.wholes = map[string]*cell{}, map[wholeKey]*whole{}
	if p.t.declared {
		p.declaredCells()
	} else {
		p.privateCells()
	}
	slices.SortFunc(p.cells, func(a, b *cell) int { return slices.Compare(a.labels, b.labels) })
	for _, c := range p.cells {
		if err := ctx.Err(); err != nil {
			return ResultTable{}, err
		}
		if err := p.choose(c); err != nil {
			return ResultTable{}, err
		}
	}
	for _, c := range p.cells {
		if !c.shown {
			continue
		}
		for d := range p.t.draws {
			if p.isTotal(d) {
				continue
			}
			if _, err := p.number(c, d); err != nil {
				return ResultTable{}, err
			}
		}
	}
	if err := p.divide(ctx); err != nil {
		return ResultTable{}, err
	}
	rows, err := p.rows()
	return ResultTable{Name: p.t.Name, Dimensions: p.t.GroupBy, Rows: rows}, err
}

// isTotal reports whether a draw belongs to a whole and not to a cell.
func (p *publisher) isTotal(draw int) bool {
	name := p.t.draws[draw].Statistic
	return name == totalVisitors || name == totalEvents
}

// add returns the cell with these labels, which it makes where there is none.
func (p *publisher) add(labels []string, at int) *cell {
	key := strings.Join(labels, keySeparator)
	c := &cell{labels: labels, key: key, at: at, noisy: map[int]int64{}, shares: map[int]shareOf{}}
	p.byKey[key] = c
	return c
}

// declaredCells makes a cell for every combination of declared groups.
func (p *publisher) declaredCells() {
	p.product(nil, func(labels []string) { p.cells = append(p.cells, p.add(labels, p.find(labels))) })
}

// product calls f with every combination of declared labels that agrees with fixed, where a position
// of fixed is not empty.
func (p *publisher) product(fixed []string, f func(labels []string)) {
	labels := make([]string, len(p.t.dims))
	var walk func(i int)
	walk = func(i int) {
		if i == len(labels) {
			f(slices.Clone(labels))
			return
		}
		if fixed != nil && fixed[i] != "" {
			labels[i] = fixed[i]
			walk(i + 1)
			return
		}
		for _, label := range p.t.dims[i].declared {
			labels[i] = label
			walk(i + 1)
		}
	}
	walk(0)
}

// find returns the position of a group among the partials, -1 where nobody is in it.
func (p *publisher) find(labels []string) int {
	return p.groups.Find(p.group(p.st.events, p.st.persons, labels))
}

// group folds the labels of some dimensions of events and of persons.
func (p *publisher) group(events, persons []int, labels []string) engine.Group {
	codes := make([]uint32, 0, len(p.t.dims))
	for _, d := range events {
		codes = append(codes, p.code(d, labels))
	}
	k := engine.Group{Event: p.s.pairs.Fold(codes...)}
	codes = codes[:0]
	for _, d := range persons {
		codes = append(codes, p.code(d, labels))
	}
	k.Person = p.s.engine.PersonPairs().Fold(codes...)
	return k
}

func (p *publisher) code(dim int, labels []string) uint32 {
	return p.s.dictionaries[p.t.dims[dim]].Code([]byte(labels[dim]))
}

// privateCells makes a cell for every group that has enough people to be shown at all. The others are
// never shown, whatever is drawn, so nothing is drawn for them.
func (p *publisher) privateCells() {
	k := p.c.policy.MinPeople.K
	for i, g := range p.groups.Keys {
		if p.groups.Visitors[i] >= k {
			p.cells = append(p.cells, p.add(p.labels(g), i))
		}
	}
}

// labels returns the labels of a group.
func (p *publisher) labels(g engine.Group) []string {
	labels := make([]string, len(p.t.dims))
	p.unfold(labels, p.st.events, p.s.pairs.Unfold(g.Event, len(p.st.events)))
	p.unfold(labels, p.st.persons, p.s.engine.PersonPairs().Unfold(g.Person, len(p.st.persons)))
	return labels
}

func (p *publisher) unfold(labels []string, dims []int, codes []uint32) {
	for i, d := range dims {
		labels[d] = p.s.dictionaries[p.t.dims[d]].Label(codes[i])
	}
}

func (p *publisher) site(statistic, key string) mechanism.Site {
	return mechanism.Site{Table: p.t.Name, Statistic: statistic, Group: key}
}

// choose decides whether a cell is shown. A declared cell's visitors are drawn in any case; a private
// one's too, since the threshold is on them.
func (p *publisher) choose(c *cell) error {
	n := p.visitors(c)
	if !p.t.counts {
		shown, err := p.m.Select(p.site("selection", c.key), p.t.calibrated.Selection, n)
		c.shown = shown
		return err
	}
	noisy, err := p.number(c, visitorsDraw)
	if err != nil {
		return err
	}
	if p.noisyMinimum() {
		c.shown = noisy >= p.c.policy.MinPeople.K
		return nil
	}
	c.shown, err = p.m.Show(p.site("selection", c.key), p.t.calibrated.Threshold, n, noisy)
	return err
}

// visitorsDraw is where visitors stand among the draws of a table that counts them.
const visitorsDraw = 0

// noisyMinimum reports whether k applies to the noisy number of people of declared groups.
func (p *publisher) noisyMinimum() bool {
	return p.t.declared && p.c.policy.MinPeople.Declared == Noisy
}

func (p *publisher) visitors(c *cell) int64 {
	if c.at < 0 {
		return 0
	}
	return p.groups.Visitors[c.at]
}

// number returns the noisy number of one draw for a cell, drawing it at most once.
func (p *publisher) number(c *cell, draw int) (int64, error) {
	if v, ok := c.noisy[draw]; ok {
		return v, nil
	}
	var exact int64
	name := p.t.draws[draw].Statistic
	switch {
	case c.at < 0:
	case name == string(CountVisitors):
		exact = p.groups.Visitors[c.at]
	case name == string(CountEvents):
		exact = p.groups.Events[c.at]
	default:
		exact = p.groups.Sum(c.at, slices.Index(p.t.sums, strings.TrimPrefix(name, "sum_")))
	}
	v, err := p.m.AddNoise(p.site(name, c.key), p.t.calibrated.Noise[draw], exact)
	if err != nil {
		return 0, err
	}
	c.noisy[draw] = v
	return v, nil
}

// divide finds the wholes of all shares that are shown and draws their totals.
func (p *publisher) divide(ctx context.Context) error {
	for i, stat := range p.t.stats {
		if stat.Kind != ShareOf {
			continue
		}
		for _, c := range p.cells {
			if !c.shown {
				continue
			}
			w := p.whole(i, c)
			if !stat.parts {
				w.cells = append(w.cells, c)
			}
			if w.drawn {
				continue
			}
			w.drawn = true
			if err := p.drawWhole(w, i); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// whole returns the whole that a cell's share is of.
func (p *publisher) whole(stat int, c *cell) *whole {
	labels := make([]string, len(p.t.dims))
	for _, i := range p.t.stats[stat].within {
		labels[i] = c.labels[i]
	}
	k := wholeKey{stat, strings.Join(labels, keySeparator)}
	w := p.wholes[k]
	if w == nil {
		w = &whole{labels: labels}
		p.wholes[k] = w
	}
	return w
}

// drawWhole draws the parts of a whole that were not drawn yet, or its total. A whole is drawn only
// where one of its shares is shown, which is known from noisy numbers.
func (p *publisher) drawWhole(w *whole, i int) error {
	stat := p.t.stats[i]
	if !stat.parts {
		v, err := p.m.AddNoise(
			p.site(p.t.draws[stat.denominator].Statistic, strings.Join(w.labels, keySeparator)),
			p.t.calibrated.Noise[stat.denominator], p.exactTotal(w, i))
		w.total = v
		return err
	}
	p.product(w.labels, func(labels []string) {
		c := p.byKey[strings.Join(labels, keySeparator)]
		if c == nil {
			c = p.add(labels, p.find(labels))
		}
		w.cells = append(w.cells, c)
	})
	for _, c := range w.cells {
		if _, err := p.number(c, stat.draw); err != nil {
			return err
		}
	}
	return nil
}

// exactTotal returns the true total of a whole.
func (p *publisher) exactTotal(w *whole, i int) int64 {
	stat := p.t.stats[i]
	if stat.Of == string(CountVisitors) {
		if len(stat.within) == 0 {
			return p.everyone
		}
		return p.parentVisitors(w, stat)
	}
	if p.events == nil {
		p.events = p.eventsOfWholes(stat)
	}
	return min(p.events[strings.Join(w.labels, keySeparator)], engine.MaxSum)
}

// eventsOfWholes adds the events of all groups up, by the whole that they are in.
func (p *publisher) eventsOfWholes(stat *statistic) map[string]int64 {
	totals := map[string]int64{}
	whole := make([]string, len(p.t.dims))
	for i, g := range p.groups.Keys {
		labels := p.labels(g)
		for _, d := range stat.within {
			whole[d] = labels[d]
		}
		totals[strings.Join(whole, keySeparator)] += p.groups.Events[i]
	}
	return totals
}

func (p *publisher) parentVisitors(w *whole, stat *statistic) int64 {
	var events, persons []int
	for _, d := range stat.within {
		if p.t.dims[d].person() {
			persons = append(persons, d)
		} else {
			events = append(events, d)
		}
	}
	if at := p.parents.Find(p.group(events, persons, w.labels)); at >= 0 {
		return p.parents.Visitors[at]
	}
	return 0
}
