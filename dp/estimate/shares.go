// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
)

// Share is one estimated share, in percent.
type Share struct {
	// Value is the noisy share. It may be negative or above 100.
	Value float64
	// Display is the share to quote, within [0, 100].
	Display float64
	// Interval holds the true share and Display, within [0, 100].
	Interval Interval
	// Shown is false where the numerator is below its own threshold: the share is then withheld and
	// the other fields are 0.
	Shown bool
}

// How a level is spent where the numerator was selected by its own noise: on an interval for the
// numerator, on one for the rest of the denominator, and on Fieller's test. Fixed before any draw.
const (
	spentOnNumerator   = 0.05
	spentOnDenominator = 0.05
	spentOnRatio       = 1 - spentOnNumerator - spentOnDenominator
)

// roundLevel returns level·selection, rounded down to one of about forty values, so that few tables
// are ever needed. The steps widen from 3 %, as at small levels the quantile hardly notices them.
func roundLevel(level, selection float64) float64 {
	const top, step = 0.999, 0.97
	if !(level*selection >= leastLevel) {
		return 0
	}
	need := math.Log(selection/top) / math.Log(step)
	k := 0.0
	for k*(k+1)/2 < need {
		k++
	}
	return level * top * math.Pow(step, k*(k+1)/2)
}

// PartShares estimates the shares of groups that are declared, exclusive and complete: their total
// is the sum of the parts, all of which were drawn. It is safe for concurrent use. The proof is in
// shares.md.
type PartShares struct {
	level float64
	parts []partShare
}

type partShare struct {
	count   Count
	fieller *fieller        // nil if there is one part only
	own     *CountEstimator // nil unless selected
	others  *CountEstimator
	least   int64 // below it a part counts as nothing in the total
}

// noiseAlone is the chance that an empty part is taken for more than noise.
const noiseAlone = 0.025

// leastCounted returns the smallest noisy number that counts in the total of the point estimate. A
// part that is withheld anyway and within the noise of nothing counts as nothing: where groups are
// declared many are empty, and counting the positive half of their noise would bias every share down.
// A part that is shown always counts. Intervals use every number as drawn.
func leastCounted(c Count) int64 {
	if !c.selected() {
		return 0
	}
	beyondNoise := searchLast(func(k int64) bool { return c.Law.Tail(k) > noiseAlone }) + 1
	return max(0, min(c.ShownAt, beyondNoise))
}

// NewPartShares returns an estimator for the given parts. All intervals of one denominator hold at
// once with probability at least 1-alpha.
//
// A part with a threshold is withheld by itself alone; its noisy count still is in the denominator.
// Where groups are hidden by thresholds that leave their counts unknown, use [NewTotalShares].
func NewPartShares(parts []Count, alpha float64) (*PartShares, error) {
	if err := checkAlpha(alpha); err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("parts: got none, want at least one; declare the groups of the denominator")
	}
	s := &PartShares{level: simultaneous(alpha, parts)}
	for i, part := range parts {
		if err := checkShareCount(fmt.Sprintf("parts[%d]", i), part); err != nil {
			return nil, err
		}
		if twin := s.twin(part); twin >= 0 {
			s.parts = append(s.parts, s.parts[twin])
			s.parts[i].count = part
			continue
		}
		p, err := s.newPart(parts, i)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, p)
	}
	return s, nil
}

// simultaneous returns the level of each interval by the union bound. Two shares of one total are
// one statement, as they add to 100 %, unless each is judged given its own selection.
func simultaneous(alpha float64, parts []Count) float64 {
	if len(parts) == 2 && !parts[0].selected() && !parts[1].selected() {
		return alpha
	}
	return alpha / float64(len(parts))
}

// twin returns an earlier part with the same law, threshold and floor: it has the same tables, as the
// other parts then have the same laws too.
func (s *PartShares) twin(part Count) int {
	for i, p := range s.parts {
		if p.count.ShownAt == part.ShownAt && p.count.Floor == part.Floor && sameLaw(p.count.Law, part.Law) {
			return i
		}
	}
	return -1
}

func checkShareCount(name string, c Count) error {
	if err := checkCount(name, c); err != nil {
		return err
	}
	if c.Floor < 0 {
		return fmt.Errorf("%s.floor: got a number below 0, want 0 or more; shares are of counts", name)
	}
	return nil
}

func (s *PartShares) newPart(parts []Count, i int) (partShare, error) {
	p := partShare{count: parts[i], least: leastCounted(parts[i])}
	if len(parts) == 1 {
		return p, nil
	}
	var rest []Law
	for j, other := range parts {
		if err := checkCount(fmt.Sprintf("parts[%d]", j), other); err != nil {
			return p, err
		}
		if j != i {
			rest = append(rest, other.Law)
		}
	}
	others, err := NewSum(rest)
	if err != nil {
		return p, err
	}
	p.fieller = newShareFieller(parts[i].Law, others, true)
	if parts[i].selected() {
		p.own = newCountEstimator(parts[i], s.level*spentOnNumerator)
		p.others = newCountEstimator(Count{others, AlwaysShown, 0}, s.level*spentOnDenominator)
	}
	return p, nil
}

// Estimate returns the shares of the noisy counts of one denominator, in their order. It returns
// false, and nothing may be shown, if their number is not that of the parts or if the non-negative
// parts add to nothing.
//
// Value is X_i / D and Display is max(X_i, 0) / D, where D is the sum of the numbers that are not
// negative, without those of withheld parts that are within the noise of nothing.
func (s *PartShares) Estimate(noisy []int64) ([]Share, bool) {
	if len(noisy) != len(s.parts) {
		return nil, false
	}
	var total, positive int64
	for i, x := range noisy {
		total = addSaturating(total, x)
		if x >= s.parts[i].least {
			positive = addSaturating(positive, x)
		}
	}
	if positive <= 0 {
		return nil, false
	}
	shares := make([]Share, len(noisy))
	for i, p := range s.parts {
		if p.count.selected() && noisy[i] < p.count.ShownAt {
			continue
		}
		value := float64(noisy[i]) / float64(positive)
		shares[i] = newShare(value, max(value, 0), p.interval(noisy[i], total, s.level))
	}
	return shares, true
}

func (p *partShare) interval(noisy, total int64, level float64) Interval {
	if p.fieller == nil {
		return Interval{1, 1} // the only part of a total
	}
	x, d := float64(noisy), float64(total)
	if !p.count.selected() {
		return p.fieller.intervalAround(x, d, level)
	}
	low, high, _ := p.own.Interval(noisy)
	restLow, restHigh, _ := p.others.Interval(addSaturating(total, -noisy))
	box := Interval{ratio(low, addSaturating(low, restHigh), 0), ratio(high, addSaturating(high, restLow), 1)}
	selection := p.count.Law.Tail(addSaturating(p.count.ShownAt, -low))
	return narrower(box, p.fieller.intervalAround(x, d, roundLevel(level*spentOnRatio, selection)))
}

// TotalShares estimates shares of a total that was drawn by itself. It is safe for concurrent use.
// The proof is in shares.md.
type TotalShares struct {
	numerator, total Count
	alpha            float64
	fieller          *fieller
}

// NewTotalShares returns an estimator for numerators with one law and totals with another. The
// threshold of the total is raised to ten standard deviations of its noise, as shares of less are
// withheld ([TooFewForShare]).
func NewTotalShares(numerator, total Count, alpha float64) (*TotalShares, error) {
	if err := checkAlpha(alpha); err != nil {
		return nil, err
	}
	if err := checkShareCount("numerator", numerator); err != nil {
		return nil, err
	}
	if err := checkShareCount("total", total); err != nil {
		return nil, err
	}
	total.ShownAt = max(total.ShownAt, int64(math.Ceil(leastDenominator*total.Law.StdDev())))
	if err := checkCount("total", total); err != nil {
		return nil, err
	}
	s := &TotalShares{numerator: numerator, total: total, alpha: alpha}
	s.fieller = newShareFieller(numerator.Law, total.Law, false)
	return s, nil
}

// Estimate returns the share of one noisy numerator in a noisy total. Of the given number of shares
// of that total that are published, all intervals hold at once with probability at least 1-alpha.
// It returns false, and nothing may be shown, if the total is below its threshold or not positive.
func (s *TotalShares) Estimate(noisy, total int64, shares int) (Share, bool) {
	if total <= 0 || total < s.total.ShownAt || shares < 1 {
		return Share{}, false
	}
	if s.numerator.selected() && noisy < s.numerator.ShownAt {
		return Share{}, true
	}
	value := float64(noisy) / float64(total)
	return newShare(value, min(max(value, 0), 1), s.interval(noisy, total, s.alpha/float64(shares))), true
}

func (s *TotalShares) interval(noisy, total int64, level float64) Interval {
	x, d := float64(noisy), float64(total)
	own := newCountEstimator(s.numerator, level*spentOnNumerator)
	_, high, _ := own.Interval(noisy)
	// No part exceeds its total. A numerator that came out larger is judged as the total: a lower low
	// end keeps more shares. If the total would not have been shown as a numerator, any count may be.
	low, _, shown := own.Interval(min(noisy, total))
	if !shown {
		low = s.numerator.Floor
	}
	totalLow, totalHigh, _ := newCountEstimator(s.total, level*spentOnDenominator).Interval(total)
	box := Interval{ratio(low, totalHigh, 0), ratio(high, totalLow, 1)}
	selection := selectionAt(s.numerator, low) * selectionAt(s.total, totalLow)
	return narrower(box, s.fieller.intervalAround(x, d, roundLevel(level*spentOnRatio, selection)))
}

// selectionAt returns P(n + N >= ShownAt), 1 where nothing is selected.
func selectionAt(c Count, n int64) float64 {
	if !c.selected() {
		return 1
	}
	return c.Law.Tail(addSaturating(c.ShownAt, -n))
}

// ratio returns a/b within [0, 1], or otherwise where b is not positive.
func ratio(a, b int64, otherwise float64) float64 {
	if b <= 0 {
		return otherwise
	}
	return min(max(float64(a)/float64(b), 0), 1)
}

// narrower returns what both intervals hold, or the first where they hold nothing in common.
func narrower(a, b Interval) Interval {
	both := Interval{max(a.Low, b.Low), min(a.High, b.High)}
	if both.Low > both.High {
		return a
	}
	return both
}

func newShare(value, display float64, i Interval) Share {
	return Share{
		Value:    100 * value,
		Display:  min(100*display, 100),
		Interval: i.times(100).clip(0, 100).Including(min(100*display, 100)),
		Shown:    true,
	}
}
