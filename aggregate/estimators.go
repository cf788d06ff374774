// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"
	"strings"

	"github.com/throngdp/throng/dp/estimate"
)

// estimators are what a table's intervals need, built once.
type estimators struct {
	counts []*estimate.CountEstimator // by draw
	means  map[int]*estimate.MeanEstimator
	parts  map[int]*estimate.PartShares
	totals map[int]*estimate.TotalShares
	least  map[int]int64 // of which means and shares of parts are shown
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
		means: map[int]*estimate.MeanEstimator{}, parts: map[int]*estimate.PartShares{},
		totals: map[int]*estimate.TotalShares{}, least: map[int]int64{},
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
		e.least[i] = estimate.LeastDenominator(noise[stat.denominator])
		e.means[i], err = estimate.NewMeanEstimator(noise[stat.draw], noise[stat.denominator], clamp.Lower, clamp.Upper, alpha)
	case stat.Kind == ShareOf && stat.parts:
		parts := slices.Repeat([]estimate.Count{c.published(t, stat.draw)}, t.candidates(stat))
		sum, errSum := estimate.NewSum(slices.Repeat([]estimate.Law{noise[stat.draw]}, len(parts)))
		if errSum != nil {
			return errSum
		}
		e.least[i] = estimate.LeastDenominator(sum)
		e.parts[i], err = estimate.NewPartShares(parts, alpha)
	case stat.Kind == ShareOf:
		total := estimate.Count{Law: noise[stat.denominator], ShownAt: estimate.AlwaysShown}
		e.totals[i], err = estimate.NewTotalShares(c.published(t, stat.draw), total, alpha)
	}
	return err
}
