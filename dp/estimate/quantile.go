// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
)

// Quantile is an estimated quantile of values that were counted by leaves of a tree.
type Quantile struct {
	// Leaf holds the estimate, which lies Part of the way, 0 to 1, from the leaf's lower end to its upper.
	Leaf uint32
	Part float64
	// Low and High are the first and the last leaf of the interval. Leaf lies between them.
	Low, High uint32
}

// Tree is the shape of a tree of counts: at each of Height levels every node is cut into Branches children,
// so that there are Branches^Height leaves.
type Tree struct{ Branches, Height int }

// Leaves is the number of leaves.
func (t Tree) Leaves() uint32 {
	n := uint32(1)
	for range t.Height {
		n *= uint32(t.Branches)
	}
	return n
}

const maxBranches, maxHeight = 64, 5

// QuantileEstimator estimates the least value of which at least a rank's part of the records is no larger, from
// noisy counts of the nodes of a [Tree]. It asks only for nodes that it needs, level by level, which depends on
// noisy counts alone. It is immutable and safe for concurrent use. The proof is in quantile.md.
type QuantileEstimator struct {
	tree  Tree
	rank  float64
	sigma float64
	z     float64 // of one test
}

// NewQuantileEstimator returns an estimator whose intervals each miss the true quantile with probability at most
// alpha. Each count has noise of its own: normal of standard deviation sigma, rounded to the nearest integer. The
// rank is between 0 and 1: 0.5 for the median. A tree has 2 to 64 branches and 1 to 5 levels.
func NewQuantileEstimator(tree Tree, sigma, rank, alpha float64) (*QuantileEstimator, error) {
	if err := checkAlpha(alpha); err != nil {
		return nil, err
	}
	if tree.Branches < 2 || tree.Branches > maxBranches || tree.Height < 1 || tree.Height > maxHeight {
		return nil, fmt.Errorf("tree: got %d branches and %d levels, want 2 to %d and 1 to %d", tree.Branches, tree.Height, maxBranches, maxHeight)
	}
	if !(sigma > 0) || math.IsInf(sigma, 0) {
		return nil, fmt.Errorf("sigma: got %g, want a positive finite number; pass that of the noise", sigma)
	}
	if !(rank > 0 && rank < 1) {
		return nil, fmt.Errorf("rank: got %g, want 0 < rank < 1; 0.5 is the median", rank)
	}
	// One test at each level and at each end.
	z := math.Sqrt2 * math.Erfcinv(alpha/float64(tree.Height))
	return &QuantileEstimator{tree, rank, sigma, z * (1 + 1e-9)}, nil
}

// Counts returns the noisy counts of the children of a node: node number of a level, from the left; level 0 is the
// root. It returns as many as the tree has branches, and the same ones each time.
type Counts func(level int, node uint32) ([]int64, error)

// Estimate descends the tree. Where there is too much noise the interval is all leaves. An error is one of counts.
func (e *QuantileEstimator) Estimate(counts Counts) (q Quantile, err error) {
	point, err := e.descend(counts, e.enter)
	if err != nil {
		return q, err
	}
	low, err := e.descend(counts, e.lower)
	if err != nil {
		return q, err
	}
	high, err := e.descend(counts, e.upper)
	if err != nil {
		return q, err
	}
	return Quantile{
		Leaf: point.node, Part: point.part(), Low: min(low.node, point.node), High: max(high.node, point.node),
	}, nil
}

// path is a way down the tree.
type path struct {
	node uint32
	left []int // how many children lie to the left, of the root, its child on the path and so on
	// before is the estimate of D at the lower end of the node (quantile.md), and inside that of the records in it.
	before, inside float64
}

// part is where in its leaf a path crosses 0.
func (p *path) part() float64 {
	if p.inside <= 0 {
		return 0.5
	}
	return min(max(-p.before/p.inside, 0), 1)
}

// descend goes down from the root, at each node to the child that choose names.
func (e *QuantileEstimator) descend(counts Counts, choose func(p *path, children []float64) int) (*path, error) {
	p := &path{}
	for level := range e.tree.Height {
		drawn, err := counts(level, p.node)
		if err != nil {
			return nil, err
		}
		children, sum := make([]float64, len(drawn)), 0.0
		for i, n := range drawn {
			children[i] = float64(n)
			sum += children[i]
		}
		if level == 0 {
			p.before = -e.rank * sum
		} else {
			for i := range children {
				children[i] += (p.inside - sum) / float64(len(children))
			}
		}
		j := choose(p, children)
		for _, n := range children[:j] {
			p.before += n
		}
		p.inside = children[j]
		p.left = append(p.left, j)
		p.node = p.node*uint32(e.tree.Branches) + uint32(j)
	}
	return p, nil
}

// enter chooses the child in which the estimate lies.
func (e *QuantileEstimator) enter(p *path, children []float64) int {
	at := p.before
	for j, n := range children {
		if at += n; at >= 0 {
			return j
		}
	}
	return len(children) - 1
}

// lower chooses the first child whose upper end may be above the quantile or at it.
func (e *QuantileEstimator) lower(p *path, children []float64) int {
	at, last := p.before, len(children)-1
	for j, n := range children[:last] {
		if at += n; at >= -e.margin(p.left, j+1) {
			return j
		}
	}
	return last
}

// upper chooses the last child whose lower end may be below the quantile.
func (e *QuantileEstimator) upper(p *path, children []float64) int {
	at := p.before
	for _, n := range children {
		at += n
	}
	for j := len(children) - 1; j > 0; j-- {
		if at -= children[j]; at <= e.margin(p.left, j) {
			return j
		}
	}
	return 0
}

// margin is what the noise of the estimate of D exceeds with probability alpha/2 at most, over all levels together.
// The boundary has so many children to its left in the last node of a path, and the path's in those before.
func (e *QuantileEstimator) margin(path []int, last int) float64 {
	branches := float64(e.tree.Branches)
	var squares, sum float64
	inside := 0.0 // the weight of the estimate of the records in the child on the path
	for level := len(path); level >= 0; level-- {
		left := last
		if level < len(path) {
			left = path[level]
		}
		all := e.rank
		if level > 0 {
			all = (float64(left) + inside) / branches
		}
		for i := range e.tree.Branches {
			w := -all
			switch {
			case i < left:
				w++
			case i == left && level < len(path):
				w += inside
			}
			squares += w * w
			sum += math.Abs(w)
		}
		inside = (float64(left) + inside) / branches
	}
	// Rounding moves each count by half at most.
	return (e.z*e.sigma*math.Sqrt(squares) + sum/2) * (1 + 1e-9)
}
