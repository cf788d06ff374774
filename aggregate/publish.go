// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/anonymize/detect"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

// publish turns exact partials into released tables. Every number that it hands on has passed the
// mechanism; exact ones stay in here.
func publish(ctx context.Context, c *compiled, s *scanner, p *engine.Partials, m mechanism.Mechanism) ([]ResultTable, error) {
	tables, pubs := make([]ResultTable, len(c.tables)), make([]*publisher, len(c.tables))
	together := map[int]bool{}
	for _, f := range c.families {
		for _, i := range f.tables {
			together[i] = true
		}
	}
	var err error
	for i, t := range c.tables {
		pub := &publisher{c: c, t: t, s: s, st: s.tables[i], groups: p.Tables[i], parents: p.Parents[i], leaves: p.Leaves[i], bounded: p.Bounded[i], everyone: p.Visitors, m: m}
		if err = pub.draw(ctx); err != nil {
			return nil, err
		}
		if together[i] {
			pubs[i] = pub // others need not be kept
		} else if tables[i], err = pub.table(); err != nil {
			return nil, err
		}
	}
	c.addUp(pubs)
	for i, pub := range pubs {
		if pub == nil {
			continue
		}
		if tables[i], err = pub.table(); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// publisher publishes one table. It draws from one goroutine and in the order of the cells: the noise
// library has one lock, so that more would not be faster.
type publisher struct {
	c        *compiled
	t        *compiledTable
	s        *scanner
	st       *scanTable
	groups   *engine.Groups
	parents  *engine.Groups
	leaves   []*engine.Leaves
	bounded  [engine.Overs]int64 // people by what bounding took from them
	everyone int64
	m        mechanism.Mechanism

	all   []int // every dimension
	cells cells
	// listed is how many cells a table may list. Those behind are parts of wholes that nobody is shown.
	listed int
	shown  []bool
	draws  []draw
	wholes [][]whole // of each statistic that is a share
	took   []Bounding
	ranked [][]estimate.Quantile // of each statistic that is a quantile, by cell
	fitted [][]estimate.Fitted   // by draw and cell, where they were brought to add up
	key    []byte
}

// draw is what has been drawn of one statistic, by cell.
type draw struct {
	exact func(at int) int64
	drawn []bool
	noisy []int64
}

// draw draws everything that the table publishes.
func (p *publisher) draw(ctx context.Context) error {
	for d := range p.t.dims {
		p.all = append(p.all, d)
	}
	if p.t.declared {
		p.declaredCells()
	} else {
		p.privateCells()
	}
	p.listed = p.cells.len()
	p.shown = make([]bool, p.listed)
	for d := range p.t.draws {
		p.draws = append(p.draws, draw{p.exact(d), make([]bool, p.listed), make([]int64, p.listed)})
	}
	for i := range p.listed {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.cell(i); err != nil {
			return err
		}
	}
	p.withhold()
	if err := p.divide(ctx); err != nil {
		return err
	}
	if err := p.quantiles(ctx); err != nil {
		return err
	}
	var err error
	p.took, err = p.bounding()
	return err
}

// table writes what was drawn.
func (p *publisher) table() (ResultTable, error) {
	rows, err := p.rows()
	p.c.warn(p.t, rows, p.took)
	out := ResultTable{Name: p.t.Name, Dimensions: p.t.GroupBy, Bounding: p.took, Rows: rows}
	if p.t.auto != nil {
		out.Clamping = p.t.auto.clamping
	}
	return out, err
}

// withhold hides the cells of private groups whose labels look like an identifier. They were found in the
// data and passed the charged choice, so that what is left is a function of labels that could be shown: it
// costs nothing, and a run never fails for it.
func (p *publisher) withhold() {
	for d, dim := range p.t.dims {
		if dim.declared != nil {
			continue // its labels are the policy's, which has been checked
		}
		a := p.cells.axes[d]
		identifies := make([]bool, len(a.labels))
		for rank, label := range a.labels {
			_, identifies[rank] = detect.KindOf([]byte(label))
		}
		for i := range p.listed {
			if identifies[p.cells.of(i)[d]] {
				p.shown[i] = false
			}
		}
	}
}

// exact returns the function that looks one draw's true number up.
func (p *publisher) exact(draw int) func(at int) int64 {
	switch name := p.t.draws[draw].Statistic; name {
	case string(CountVisitors):
		return func(at int) int64 { return p.groups.Visitors[at] }
	case string(CountEvents):
		return func(at int) int64 { return p.groups.Events[at] }
	default:
		_, sum, _ := p.t.sumOf(name)
		return func(at int) int64 { return p.groups.Sum(at, sum) }
	}
}

// ofCells reports whether a draw is one number of each cell, and not of a whole or the table, or many numbers.
func (p *publisher) ofCells(draw int) bool {
	switch p.t.draws[draw].Statistic {
	case totalVisitors, totalEvents, bounding:
		return false
	}
	_, _, isTree := p.t.treeOf(p.t.draws[draw].Statistic)
	return !isTree
}

// cell decides whether a cell is shown and draws its numbers if it is.
func (p *publisher) cell(i int) error {
	key := p.keyOf(i, p.all)
	if err := p.choose(i, key); err != nil || !p.shown[i] {
		return err
	}
	for d := range p.t.draws {
		if !p.ofCells(d) {
			continue
		}
		if _, err := p.number(i, key, d); err != nil {
			return err
		}
	}
	return nil
}

// keyOf returns the canonical key of a cell's whole in the given dimensions.
func (p *publisher) keyOf(i int, dims []int) string {
	p.key = p.cells.appendKey(p.key[:0], i, dims)
	return string(p.key)
}

func (p *publisher) site(statistic, key string) mechanism.Site {
	return mechanism.Site{Table: p.t.Name, Statistic: statistic, Group: key}
}

// choose decides whether a cell is shown. A declared cell's visitors are drawn in any case; a private
// one's too, since the threshold is on them.
func (p *publisher) choose(i int, key string) error {
	var n int64
	if at := p.cells.at[i]; at >= 0 {
		n = p.groups.Visitors[at]
	}
	if !p.t.counts {
		shown, err := p.m.Select(p.site("selection", key), p.t.calibrated.Selection, n)
		p.shown[i] = shown
		return err
	}
	noisy, err := p.number(i, key, visitorsDraw)
	if err != nil {
		return err
	}
	if p.noisyMinimum() {
		p.shown[i] = noisy >= p.c.policy.MinPeople.K
		return nil
	}
	p.shown[i], err = p.m.Show(p.site("selection", key), p.t.calibrated.Threshold, n, noisy)
	return err
}

// visitorsDraw is where visitors stand among the draws of a table that counts them.
const visitorsDraw = 0

// noisyMinimum reports whether k applies to the noisy number of people of declared groups.
func (p *publisher) noisyMinimum() bool {
	return p.t.declared && p.c.policy.MinPeople.Declared == Noisy
}

// number returns the noisy number of one draw for a cell, drawing it at most once.
func (p *publisher) number(i int, key string, number int) (int64, error) {
	d := &p.draws[number]
	if d.drawn[i] {
		return d.noisy[i], nil
	}
	var exact int64
	if at := p.cells.at[i]; at >= 0 {
		exact = d.exact(at)
	}
	v, err := p.m.AddNoise(p.site(p.t.draws[number].Statistic, key), p.t.calibrated.Noise[number], exact)
	if err != nil {
		return 0, err
	}
	d.drawn[i], d.noisy[i] = true, v
	return v, nil
}
