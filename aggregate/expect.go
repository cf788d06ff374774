// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"slices"

	"github.com/throngdp/throng/dp/estimate"
)

// PlanExpected is what to expect of a group of a number of people, which follows from the noise alone.
type PlanExpected struct {
	People int64 `json:"people"`
	// Chance is the chance that such a group is shown, rounded to four digits after the point.
	Chance float64 `json:"chance_shown"`
	// HalfWidths gives half the width of the interval of each statistic, by name and in its unit, where
	// noise happens to be zero: an interval of odd width goes half of one further below than that. A statistic
	// that would be withheld is left out. For a share the group is half
	// of its whole; for a mean each person has one record, with a value in the middle of the clamp; for a
	// variance half of the records are there and a quarter at either end; for a rate both numbers are that of
	// the people; for a quantile each person has one record, and these are spread evenly over the clamp. Statistics
	// that [PlanTable] names as Fitted have the width after their fit.
	HalfWidths map[string]float64 `json:"half_width"`
}

// expectedSizes are the numbers of people that a plan tells about, those above k, and k itself.
var expectedSizes = []int64{50, 100, 200, 500, 1_000, 5_000, 10_000, 100_000}

// expected returns what to expect of a table's groups, and the statistics whose widths are those of a fit.
func (c *compiled) expected(t *compiledTable) (out []PlanExpected, fitted []string) {
	fits, err := c.fittedIntervals(t)
	if err != nil {
		fits = nil // they are not fitted then
	}
	intervals := make([]fittedInterval, len(t.stats)) // nil where it is not
	for i, s := range t.stats {
		if s.denominator == noDraw && s.Kind != QuantileOf && s.Kind != ShareOf && fits[s.draw] != nil {
			intervals[i] = fits[s.draw]
			fitted = append(fitted, s.Name())
		}
	}
	k := c.policy.MinPeople.K
	sizes := append([]int64{k}, expectedSizes[slices.IndexFunc(append(expectedSizes, math.MaxInt64), func(n int64) bool { return n > k }):]...)
	for _, n := range sizes {
		e := PlanExpected{People: n, Chance: rounded(c.chance(t, n)), HalfWidths: map[string]float64{}}
		for i, s := range t.stats {
			if w, ok := c.halfWidth(t, i, n); ok {
				if intervals[i] != nil {
					low, high := intervals[i](n)
					w = float64(high-low) / 2 * c.quantumOf(s.Of).float()
				}
				e.HalfWidths[s.Name()] = significant(w)
			}
		}
		out = append(out, e)
	}
	return out, fitted
}

// significant rounds to four digits, which any machine computes alike.
func significant(x float64) float64 {
	if x == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	if unit < 1 {
		unit = 1 / math.Round(1/unit) // a power of ten that is exact
		return math.Round(x*math.Round(1/unit)) / math.Round(1/unit)
	}
	return math.Round(x/unit) * unit
}

// chance is the probability that a group of n people is shown.
func (c *compiled) chance(t *compiledTable, n int64) float64 {
	switch {
	case t.declared && c.declaredMode() == Noisy:
		return min(1, t.calibrated.Noise[visitorsDraw].Tail(c.policy.MinPeople.K-n))
	case t.counts && n >= t.calibrated.Threshold.K:
		return min(1, t.calibrated.Noise[visitorsDraw].Tail(t.calibrated.Threshold.At-n))
	case t.counts:
		return 0
	}
	return t.calibrated.Selection.KeepProbability(n)
}

// halfWidth is half the width of the interval of statistic i in a group of n people whose noise is zero.
// It returns false where the statistic is withheld.
func (c *compiled) halfWidth(t *compiledTable, i int, n int64) (float64, bool) {
	e, err := c.estimators(t)
	if err != nil {
		return 0, false
	}
	s, scale := t.stats[i], c.quantumOf(t.stats[i].Of).float()
	switch {
	case s.denominator != noDraw && s.Kind != ShareOf && n < e.least[i]:
		return 0, false
	case s.Kind == MeanOf:
		clamp := c.clampIn(t, s.Of)
		middle, _ := centre(clamp)
		middle -= int64(e.middles[i])
		if middle != 0 && n > math.MaxInt64/max(middle, -middle) {
			return 0, false
		}
		m, ok := e.means[i].Estimate(middle*n, n)
		return m.Interval.HalfWidth() * scale, ok
	case s.Kind == VarianceOf, s.Kind == StdDevOf:
		// Half of the records at the middle, a quarter at either end.
		_, reach := centre(c.clampIn(t, s.Of))
		if n > math.MaxInt64/(reach*reach) {
			return 0, false
		}
		v, ok := e.variances[i].Estimate(0, reach*reach*n/2, n)
		if s.Kind == StdDevOf {
			return v.Root().Interval.HalfWidth() * scale, ok
		}
		return v.Interval.HalfWidth() * scale * scale, ok
	case s.Kind == RateOf:
		r, ok := e.rates[i].Estimate(n, n)
		return r.Interval.HalfWidth() * scale / c.quantumOf(s.Per).float(), ok
	case s.Kind == QuantileOf:
		tr, _, _ := t.treeOf(t.draws[s.draw].Statistic)
		v, err := e.expectedQuantile(i, tr, n)
		low, _ := tr.ends(v.Low)
		_, high := tr.ends(v.High)
		return float64(high-low) / 2 * scale, err == nil
	case s.Kind == ShareOf:
		share, ok := c.halfShare(t, i, n)
		return share.Interval.HalfWidth(), ok && share.Shown
	}
	low, high, shown := e.counts[s.draw].Interval(n)
	return float64(high-low) / 2 * scale, shown
}

// halfShare is the share of a group of n people that is half of its whole, or all of it where a whole has
// one part.
func (c *compiled) halfShare(t *compiledTable, i int, n int64) (estimate.Share, bool) {
	s, e := t.stats[i], t.estimators
	if !s.parts {
		return e.totals[i].Estimate(n, 2*n, 10)
	}
	whole := 2 * n
	if t.candidates(s) == 1 {
		whole = n
	}
	return e.parts[i].Expect(0, n, whole), whole >= e.least[i]
}
