// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

// counted is exact counts of all nodes of a tree, by level.
type counted struct {
	tree   estimate.Tree
	levels [][]int64
}

func countLeaves(tree estimate.Tree, leaves []int64) *counted {
	c := &counted{tree, make([][]int64, tree.Height)}
	for level := tree.Height - 1; level >= 0; level-- {
		c.levels[level] = leaves
		up := make([]int64, len(leaves)/tree.Branches)
		for i, n := range leaves {
			up[i/tree.Branches] += n
		}
		leaves = up
	}
	return c
}

// noisy adds noise to what is asked for, once.
func (c *counted) noisy(sigma float64, r *rand.Rand) estimate.Counts {
	type at struct {
		level int
		node  uint32
	}
	drawn := map[at][]int64{}
	return func(level int, node uint32) ([]int64, error) {
		if known, ok := drawn[at{level, node}]; ok {
			return known, nil
		}
		var children []int64
		for i := range c.tree.Branches {
			n := c.levels[level][int(node)*c.tree.Branches+i]
			children = append(children, n+int64(math.Round(sigma*r.NormFloat64())))
		}
		drawn[at{level, node}] = children
		return children, nil
	}
}

// quantile is the leaf that has the true one.
func (c *counted) quantile(rank float64) uint32 {
	leaves := c.levels[c.tree.Height-1]
	var all, seen int64
	for _, n := range leaves {
		all += n
	}
	for i, n := range leaves {
		if seen += n; float64(seen) >= rank*float64(all) {
			return uint32(i)
		}
	}
	return uint32(len(leaves) - 1)
}

// Records of several shapes: many leaves, heavy tails, one leaf, nothing.
func spreadOver(tree estimate.Tree, shape string) []int64 {
	leaves := make([]int64, tree.Leaves())
	n := float64(len(leaves))
	for i := range leaves {
		x := (float64(i) + 0.5) / n
		switch shape {
		case "even":
			leaves[i] = 20
		case "skewed":
			leaves[i] = int64(80_000 / n * 20 * math.Exp(-20*x))
		case "two peaks":
			leaves[i] = int64(400 * (math.Exp(-900*(x-0.2)*(x-0.2)) + math.Exp(-900*(x-0.8)*(x-0.8))))
		}
	}
	if shape == "one leaf" {
		leaves[len(leaves)/3] = 5000
	}
	return leaves
}

// TestQuantilesAreCovered counts how often the interval misses the true leaf, at ranks whose true leaf is in the middle
// and at the ends of what there is.
func TestQuantilesAreCovered(t *testing.T) {
	for _, tree := range []estimate.Tree{{Branches: 8, Height: 4}, {Branches: 4, Height: 2}, {Branches: 2, Height: 1}} {
		for _, shape := range []string{"even", "skewed", "two peaks", "one leaf", "nothing"} {
			c := countLeaves(tree, spreadOver(tree, shape))
			for _, rank := range []float64{0.01, 0.25, 0.5, 0.99} {
				for _, sigma := range []float64{0.6, 40, 900} {
					e, err := estimate.NewQuantileEstimator(tree, sigma, rank, 0.05)
					require.NoError(t, err)
					r, truth := generator(), c.quantile(rank)
					const runs = 400
					missed := 0
					for range runs {
						q, err := e.Estimate(c.noisy(sigma, r))
						require.NoError(t, err)
						require.True(t, q.Low <= q.Leaf && q.Leaf <= q.High && q.High < tree.Leaves())
						if truth < q.Low || truth > q.High {
							missed++
						}
					}
					// Binomial(400, 0.05) exceeds 46 in 6 of 10⁸ cases.
					assert.LessOrEqual(t, missed, 46, "%v %s rank %g σ %g", tree, shape, rank, sigma)
				}
			}
		}
	}
}

// TestQuantileMarginsAreNotTooWide holds the width of an interval against that of the best test of the same counts, which
// knows the slope of the distribution: 2·1.96 standard deviations of the estimate of D in leaves.
func TestQuantileMarginsAreNotTooWide(t *testing.T) {
	tree, sigma := estimate.Tree{Branches: 8, Height: 4}, 100.0
	c := countLeaves(tree, spreadOver(tree, "even"))
	e, err := estimate.NewQuantileEstimator(tree, sigma, 0.5, 0.05)
	require.NoError(t, err)
	r := generator()
	var width, errs float64
	const runs = 2_000
	for range runs {
		q, err := e.Estimate(c.noisy(sigma, r))
		require.NoError(t, err)
		width += float64(q.High-q.Low) + 1
		d := float64(q.Leaf) + q.Part - float64(tree.Leaves())/2
		errs += d * d
	}
	rms := math.Sqrt(errs / runs)
	assert.Less(t, rms, 3*sigma/20, "the median of 81,920 records that are 20 to a leaf")
	assert.Less(t, width/runs, 2.2*2*1.96*rms)
	t.Logf("root mean square error %.1f leaves, mean width %.1f, that of a normal interval %.1f", rms, width/runs, 2*1.96*rms)
}

func TestQuantilesWithoutNoiseAreExact(t *testing.T) {
	tree := estimate.Tree{Branches: 8, Height: 3}
	for _, shape := range []string{"even", "skewed", "two peaks", "one leaf"} {
		c := countLeaves(tree, spreadOver(tree, shape))
		for _, rank := range []float64{0.001, 0.1, 0.5, 0.9, 0.999} {
			e, err := estimate.NewQuantileEstimator(tree, 1e-9, rank, 0.05)
			require.NoError(t, err)
			q, err := e.Estimate(c.noisy(0, generator()))
			require.NoError(t, err)
			assert.Equal(t, c.quantile(rank), q.Leaf, "%s %g", shape, rank)
		}
	}
}

func TestQuantileEstimatorsRefuseWhatTheyCannotDo(t *testing.T) {
	tree := estimate.Tree{Branches: 8, Height: 4}
	for _, bad := range []func() error{
		func() error { _, err := estimate.NewQuantileEstimator(tree, 0, 0.5, 0.05); return err },
		func() error { _, err := estimate.NewQuantileEstimator(tree, math.NaN(), 0.5, 0.05); return err },
		func() error { _, err := estimate.NewQuantileEstimator(tree, 1, 0, 0.05); return err },
		func() error { _, err := estimate.NewQuantileEstimator(tree, 1, 1, 0.05); return err },
		func() error { _, err := estimate.NewQuantileEstimator(tree, 1, 0.5, 0); return err },
		func() error {
			_, err := estimate.NewQuantileEstimator(estimate.Tree{Branches: 1, Height: 4}, 1, 0.5, 0.05)
			return err
		},
		func() error {
			_, err := estimate.NewQuantileEstimator(estimate.Tree{Branches: 8, Height: 6}, 1, 0.5, 0.05)
			return err
		},
	} {
		assert.Error(t, bad())
	}
	e, err := estimate.NewQuantileEstimator(tree, 1, 0.5, 0.05)
	require.NoError(t, err)
	broken := errors.New("broken")
	_, err = e.Estimate(func(int, uint32) ([]int64, error) { return nil, broken })
	assert.ErrorIs(t, err, broken)
}
