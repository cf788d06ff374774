// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

// whole is what the shares of one parent are divided by.
type whole struct {
	// cells are all parts of the whole where the total is their sum, and the shown ones where the total
	// is drawn. There is at least one.
	cells []int
	total int64
}

// divide finds the wholes of all shares that are shown and draws what they lack. A whole is drawn only
// where one of its shares is shown, which is known from noisy numbers.
func (p *publisher) divide(ctx context.Context) error {
	p.wholes = make([][]whole, len(p.t.stats))
	for i, stat := range p.t.stats {
		if stat.Kind != ShareOf {
			continue
		}
		p.wholes[i] = p.wholesOf(stat)
		draw := p.drawTotals
		if stat.parts {
			draw = p.drawParts
		}
		if err := draw(ctx, stat, p.wholes[i]); err != nil {
			return err
		}
	}
	return nil
}

// wholesOf returns the wholes of a share in the order of their labels.
func (p *publisher) wholesOf(stat *statistic) []whole {
	rest := slices.DeleteFunc(slices.Clone(p.all), func(d int) bool { return slices.Contains(stat.within, d) })
	order := p.cells.order(slices.Concat(stat.within, rest))
	var wholes []whole
	for len(order) > 0 {
		n := 1
		for n < len(order) && p.together(order[0], order[n], stat.within) {
			n++
		}
		run := order[:n:n]
		order = order[n:]
		if !slices.ContainsFunc(run, func(i int) bool { return p.shown[i] }) {
			continue
		}
		if stat.parts {
			run = p.complete(run, rest)
		} else {
			run = slices.DeleteFunc(run, func(i int) bool { return !p.shown[i] })
		}
		wholes = append(wholes, whole{cells: run})
	}
	return wholes
}

// together reports whether two cells have the same labels in the given dimensions.
func (p *publisher) together(i, j int, dims []int) bool {
	a, b := p.cells.of(i), p.cells.of(j)
	for _, d := range dims {
		if a[d] != b[d] {
			return false
		}
	}
	return true
}

// complete returns all parts of a whole, whose cells so far are in order: one for every combination of
// the labels of the rest of the dimensions, which are declared.
func (p *publisher) complete(run []int, rest []int) []int {
	n := 1
	for _, d := range rest {
		n *= len(p.cells.axes[d].labels)
	}
	if len(run) == n {
		return run
	}
	parts := make([]int, 0, n)
	ranks := slices.Clone(p.cells.of(run[0]))
	for _, d := range rest {
		ranks[d] = 0
	}
	for range n {
		if len(run) > 0 && slices.Equal(ranks, p.cells.of(run[0])) {
			parts, run = append(parts, run[0]), run[1:]
		} else {
			parts = append(parts, p.hide(ranks))
		}
		p.cells.advance(ranks, rest)
	}
	return parts
}

// hide adds a cell that is drawn as part of a whole and never shown.
func (p *publisher) hide(ranks []uint32) int {
	p.cells.add(ranks, p.groups.Find(p.group(p.all, ranks)))
	p.shown = append(p.shown, false)
	for d := range p.draws {
		p.draws[d].drawn, p.draws[d].noisy = append(p.draws[d].drawn, false), append(p.draws[d].noisy, 0)
	}
	return p.cells.len() - 1
}

// drawParts draws the parts of wholes that were not drawn yet.
func (p *publisher) drawParts(ctx context.Context, stat *statistic, wholes []whole) error {
	for _, w := range wholes {
		for _, i := range w.cells {
			if err := ctx.Err(); err != nil {
				return err
			}
			if p.draws[stat.draw].drawn[i] {
				continue
			}
			if _, err := p.number(i, p.keyOf(i, p.all), stat.draw); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawTotals draws the totals of wholes.
func (p *publisher) drawTotals(ctx context.Context, stat *statistic, wholes []whole) error {
	exact := p.exactTotals(stat, wholes)
	for i := range wholes {
		if err := ctx.Err(); err != nil {
			return err
		}
		site := p.site(p.t.draws[stat.denominator].Statistic, p.keyOf(wholes[i].cells[0], stat.within))
		v, err := p.m.AddNoise(site, p.t.calibrated.Noise[stat.denominator], exact[i])
		if err != nil {
			return err
		}
		wholes[i].total = v
	}
	return nil
}

// exactTotals returns the true totals of wholes.
func (p *publisher) exactTotals(stat *statistic, wholes []whole) []int64 {
	totals := make([]int64, len(wholes))
	if stat.Of == string(CountVisitors) {
		for i, w := range wholes {
			totals[i] = p.parentVisitors(w, stat)
		}
		return totals
	}
	events := p.eventsOf(stat, wholes)
	for i, w := range wholes {
		totals[i] = min(events[p.parent(w, stat)], engine.MaxSum)
	}
	return totals
}

// parent returns the group that a whole is.
func (p *publisher) parent(w whole, stat *statistic) engine.Group {
	return p.group(stat.within, p.cells.of(w.cells[0]))
}

func (p *publisher) parentVisitors(w whole, stat *statistic) int64 {
	if len(stat.within) == 0 {
		return p.everyone
	}
	if at := p.parents.Find(p.parent(w, stat)); at >= 0 {
		return p.parents.Visitors[at]
	}
	return 0
}

// eventsOf adds the events of all groups up that are in one of the wholes.
func (p *publisher) eventsOf(stat *statistic, wholes []whole) map[engine.Group]int64 {
	events := make(map[engine.Group]int64, len(wholes))
	for _, w := range wholes {
		events[p.parent(w, stat)] = 0
	}
	for i, g := range p.groups.Keys {
		parent := p.coarser(g, stat.within)
		if _, ok := events[parent]; ok {
			events[parent] += p.groups.Events[i]
		}
	}
	return events
}
