// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/estimate"
)

// A value of which quantiles are asked is counted in a tree, one for all ranks.
const (
	branches  = 8
	maxLevels = 4
)

// tree is a value whose records are counted in the leaves of a tree.
type tree struct {
	value  string
	spread engine.Spread
	shape  estimate.Tree
}

// draw is the name of the tree's draw.
func (t tree) draw() string { return "tree_" + t.value }

// newTree cuts a clamp into leaves: one for each step of the resolution, or as many as the tree has where that is
// less.
func newTree(value string, number int, clamp dp.Clamp) tree {
	t := tree{value, engine.Spread{Value: number, Clamp: clamp}, estimate.Tree{Branches: branches, Height: 1}}
	// A clamp within ±2^40 has fewer than 2^42 steps.
	steps := clamp.Upper - clamp.Lower + 1
	for int64(t.shape.Leaves()) < steps && t.shape.Height < maxLevels {
		t.shape.Height++
	}
	t.spread.Leaves = uint32(min(steps, int64(t.shape.Leaves())))
	return t
}

// treeOf returns the tree that a draw is, if it is one.
func (t *compiledTable) treeOf(draw string) (tr tree, at int, ok bool) {
	at = slices.IndexFunc(t.trees, func(tr tree) bool { return tr.draw() == draw })
	if at < 0 {
		return tr, at, false
	}
	return t.trees[at], at, true
}

// drawTree draws the counts of a tree. Levels are as groups: on each, a person's records in a group change at most as
// many nodes as there are, or MaxPerPartition, and in all groups MaxContributions.
func (c *compiled) drawTree(t *compiledTable, value string) int {
	if !slices.Contains(c.values, value) {
		c.values = append(c.values, value)
	}
	tr := newTree(value, slices.Index(c.values, value), c.policy.Columns[value].clampQuanta())
	if i := slices.IndexFunc(t.draws, func(d plan.Draw) bool { return d.Statistic == tr.draw() }); i >= 0 {
		return i
	}
	t.trees = append(t.trees, tr)
	most, levels, cells, nodes := t.Bounds.MaxPerPartition, int64(tr.shape.Height), int64(0), int64(1)
	for range levels {
		nodes *= branches
		cells += min(t.l0*min(most, nodes), t.most())
	}
	t.draws = append(t.draws, plan.Draw{
		Statistic: tr.draw(), L0: t.l0 * levels, LInf: most, L1: t.Bounds.MaxContributions * levels, Cells: cells,
	})
	return len(t.draws) - 1
}

// nodes draws the counts of the nodes of one cell's tree, each at most once.
type nodes struct {
	p     *publisher
	cell  int
	key   string
	draw  int
	tree  tree
	at    int // of the tree
	drawn map[[2]uint32][]int64
}

// children returns the noisy counts of the children of a node; see [estimate.Counts].
func (n *nodes) children(level int, node uint32) ([]int64, error) {
	at := [2]uint32{uint32(level), node}
	if known, ok := n.drawn[at]; ok {
		return known, nil
	}
	width := uint32(1) // in leaves, of a child
	for range n.tree.shape.Height - level - 1 {
		width *= branches
	}
	out := make([]int64, branches)
	for i := range out {
		child := node*branches + uint32(i)
		var exact int64
		if group := n.p.cells.at[n.cell]; group >= 0 {
			exact = n.p.leaves[n.at].Between(group, child*width, (child+1)*width)
		}
		site := n.p.site(n.tree.draw(), n.key+keySeparator+nodeName(level+1, child))
		noisy, err := n.p.m.AddNoise(site, n.p.t.calibrated.Noise[n.draw], exact)
		if err != nil {
			return nil, err
		}
		out[i] = noisy
	}
	n.drawn[at] = out
	return out, nil
}

// nodeName names a node for the mechanism.
func nodeName(level int, node uint32) string {
	return strconv.Itoa(level) + "/" + strconv.FormatUint(uint64(node), 10)
}

// quantiles estimates the quantiles of the cells that are shown, with what they need of the trees.
func (p *publisher) quantiles(ctx context.Context) error {
	p.ranked = make([][]estimate.Quantile, len(p.t.stats))
	e, err := p.c.estimators(p.t)
	if err != nil {
		return err
	}
	for i, stat := range p.t.stats {
		if stat.Kind == QuantileOf {
			p.ranked[i] = make([]estimate.Quantile, p.listed)
		}
	}
	for d := range p.t.draws {
		tr, at, ok := p.t.treeOf(p.t.draws[d].Statistic)
		if !ok {
			continue
		}
		for cell := range p.listed {
			if !p.shown[cell] {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			n := &nodes{p, cell, p.keyOf(cell, p.all), d, tr, at, map[[2]uint32][]int64{}}
			for i, stat := range p.t.stats {
				if stat.Kind != QuantileOf || stat.draw != d {
					continue
				}
				if p.ranked[i][cell], err = e.quantiles[i].Estimate(n.children); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ends returns the first and the last value of a leaf, in quanta. A leaf behind the last one is as the last.
func (t tree) ends(leaf uint32) (first, last int64) {
	leaf = min(leaf, t.spread.Leaves-1)
	return t.spread.First(leaf), t.spread.First(leaf+1) - 1
}

// quantile fills the row of a quantile. An interval of all there is says nothing, and cannot be quoted.
func (r *Row) quantile(v estimate.Quantile, t tree, q quantum) {
	first, last := t.ends(v.Leaf)
	at := first + int64(math.Round(v.Part*float64(last-first)))
	low, _ := t.ends(v.Low)
	_, high := t.ends(v.High)
	r.Value, r.Display = known(q.times(at)), known(q.times(at))
	r.Low, r.High = known(q.times(low)), known(q.times(high))
	r.Status = status(float64(at), float64(low), float64(high))
	if low == t.spread.Clamp.Lower && high == t.spread.Clamp.Upper {
		r.Status = Unreliable
	}
}

// expectedQuantile is the quantile of n records that are spread evenly over the clamp, where noise happens to be
// zero.
func (e *estimators) expectedQuantile(i int, t tree, n int64) (estimate.Quantile, error) {
	return e.quantiles[i].Estimate(func(level int, node uint32) ([]int64, error) {
		width := uint32(1)
		for range t.shape.Height - level - 1 {
			width *= branches
		}
		before := func(leaf uint32) int64 {
			return int64(float64(n) * float64(min(leaf, t.spread.Leaves)) / float64(t.spread.Leaves))
		}
		out := make([]int64, branches)
		for i := range out {
			child := node*branches + uint32(i)
			out[i] = before((child+1)*width) - before(child*width)
		}
		return out, nil
	})
}
