// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/estimate"
)

// estimators are what a table's intervals need, built once.
type estimators struct {
	counts []*estimate.CountEstimator // by draw
	means  map[int]*estimate.MeanEstimator
	// middles are what is added to a mean, in quanta: the middle of the clamp where the sum was centred.
	middles   map[int]float64
	variances map[int]*estimate.VarianceEstimator
	rates     map[int]*estimate.RatioEstimator
	quantiles map[int]*estimate.QuantileEstimator
	parts     map[int]*estimate.PartShares
	totals    map[int]*estimate.TotalShares
	least     map[int]int64 // of which means and shares of parts are shown
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
		means: map[int]*estimate.MeanEstimator{}, middles: map[int]float64{},
		variances: map[int]*estimate.VarianceEstimator{}, rates: map[int]*estimate.RatioEstimator{}, quantiles: map[int]*estimate.QuantileEstimator{}, parts: map[int]*estimate.PartShares{},
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
	if _, _, ok := t.sumOf(t.draws[draw].Statistic); ok {
		if c.belowZero(t, draw) {
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

// belowZero reports whether the true number of a draw may be below 0.
func (c *compiled) belowZero(t *compiledTable, draw int) bool {
	s, _, isSum := t.sumOf(t.draws[draw].Statistic)
	return isSum && !s.square && (s.centred || c.clampIn(t, s.value).Lower < 0)
}

func (e *estimators) addStatistic(c *compiled, t *compiledTable, i int, stat *statistic) (err error) {
	noise := t.calibrated.Noise
	switch {
	case stat.Kind == MeanOf:
		clamp := c.clampIn(t, stat.Of)
		if s, _, _ := t.sumOf(t.draws[stat.draw].Statistic); s.centred {
			middle, _ := centre(clamp)
			e.middles[i], clamp = float64(middle), dp.Clamp{Lower: clamp.Lower - middle, Upper: clamp.Upper - middle}
		}
		e.least[i] = estimate.LeastDenominator(noise[stat.denominator])
		e.means[i], err = estimate.NewMeanEstimator(noise[stat.draw], noise[stat.denominator], clamp.Lower, clamp.Upper, alpha)
	case stat.Kind == VarianceOf, stat.Kind == StdDevOf:
		_, reach := centre(c.clampIn(t, stat.Of))
		e.least[i] = estimate.LeastDenominator(noise[stat.denominator])
		e.variances[i], err = estimate.NewVarianceEstimator(noise[stat.draw], noise[stat.squares], noise[stat.denominator], reach, alpha)
	case stat.Kind == QuantileOf:
		tr, _, _ := t.treeOf(t.draws[stat.draw].Statistic)
		thousandths, _ := stat.rank()
		e.quantiles[i], err = estimate.NewQuantileEstimator(tr.shape, noise[stat.draw].Scale(), float64(thousandths)/1000, alpha)
	case stat.Kind == RateOf:
		e.least[i] = estimate.LeastDenominator(noise[stat.denominator])
		e.rates[i], err = estimate.NewRatioEstimator(c.published(t, stat.draw), c.published(t, stat.denominator), alpha)
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
