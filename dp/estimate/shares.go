// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
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

// How a level is spent. Fixed before any draw.
const (
	// spentOnShown is spent on the number of shares that are shown: that no noise of a withheld part is extreme.
	spentOnShown = 0.01
	// seldomHidden bounds the chance to be withheld of a number that is judged by Fieller's test alone.
	seldomHidden = 0.01
	// spentOnRest is spent on the rest of a denominator where a numerator is judged by itself. It gets the most:
	// near its threshold little is known of it.
	spentOnRest = 0.1
)

// clearOf returns a true number from which on a count is withheld with a chance of at most seldomHidden.
func clearOf(c Count) int64 {
	if !c.selected() {
		return c.Floor
	}
	return addSaturating(c.ShownAt, searchLast(func(k int64) bool { return c.Law.Tail(k+1) > seldomHidden })+1)
}

// PartShares estimates the shares of groups that are declared, exclusive and complete: their total
// is the sum of the parts, all of which were drawn. It is safe for concurrent use. The proof is in
// shares.md.
type PartShares struct {
	kinds []partShare
	kind  []int // of each part
	alpha float64
	some  bool // of the parts are selected

	mu     sync.Mutex
	levels map[int][]partLevel // by number of shares, and kind
}

// partLevel is the level of Fieller's test and, for a kind that is selected, what else it needs.
type partLevel struct {
	level       float64
	own, others *CountEstimator // nil unless selected
	clear       int64           // Fieller's test alone judges noisy numbers from here on
}

// partShare is what parts with one law, threshold and floor have in common: as the other parts then
// have the same laws too, they have the same tables.
type partShare struct {
	count   Count
	times   int
	fieller *fieller // nil if there is one part only
	others  *Sum     // the noise of the other parts
	least   int64    // below it a part counts as nothing in the total
	beyond  int64    // by how much any noise of this kind is above it, but for a chance of spentOnShown
	clear   int64    // from here on a part is seldom withheld
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
	s := &PartShares{alpha: alpha, levels: map[int][]partLevel{}}
	for i, part := range parts {
		if err := s.add(part); err != nil {
			return nil, fmt.Errorf("parts[%d]%w", i, err)
		}
	}
	for i := range s.kinds {
		s.tabulate(i)
	}
	return s, nil
}

// add notes one part. There may be a million of them, of one kind.
func (s *PartShares) add(part Count) error {
	k := slices.IndexFunc(s.kinds, func(p partShare) bool {
		return p.count.ShownAt == part.ShownAt && p.count.Floor == part.Floor && sameLaw(p.count.Law, part.Law)
	})
	if k < 0 {
		if err := checkShareCount("", part); err != nil {
			return err
		}
		k = len(s.kinds)
		s.kinds = append(s.kinds, partShare{count: part, least: leastCounted(part), clear: clearOf(part)})
	}
	s.kinds[k].times++
	s.kind = append(s.kind, k)
	s.some = s.some || part.selected()
	return nil
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

// tabulate makes what one kind of part needs at every level.
func (s *PartShares) tabulate(kind int) {
	p := &s.kinds[kind]
	p.beyond = searchLast(func(k int64) bool { return p.count.Law.Tail(k) > s.alpha*spentOnShown/float64(len(s.kind)) })
	if len(s.kind) == 1 {
		return
	}
	p.others = &Sum{}
	for k, other := range s.kinds {
		times := other.times
		if k == kind {
			times--
		}
		if times > 0 {
			p.others.add(other.count.Law, times)
		}
	}
	p.others.close()
	p.fieller = newShareFieller(p.count.Law, p.others, true)
}

// shares bounds how many shares are shown on average, of such numbers: what the union bound divides alpha by. It
// is the number of parts unless some are selected; a part that is then withheld counts with the largest chance of
// being shown that its number leaves it.
func (s *PartShares) shares(noisy []int64) int {
	if !s.some {
		return len(noisy)
	}
	expected := 0.0
	for i, x := range noisy {
		p := &s.kinds[s.kind[i]]
		if p.count.selected() && x < p.count.ShownAt {
			expected += p.count.Law.Tail(addSaturating(addSaturating(p.count.ShownAt, -x), -p.beyond))
		} else {
			expected++
		}
	}
	return min(len(noisy), max(1, int(math.Ceil(expected/slack))))
}

// slack is by how much more shares than a level is for may be expected: empty parts then do not count.
const slack = 1.01

// at returns what the given number of shares needs, by kind. Two shares of one total are one statement, as they add
// to 100 %, unless each is judged given its own selection.
func (s *PartShares) at(shares int) []partLevel {
	shares = min(len(s.kind), fewer(shares))
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.levels[shares]
	if l != nil {
		return l
	}
	level := s.alpha / float64(shares)
	switch {
	case !s.some && len(s.kind) == 2:
		level = s.alpha
	case s.some && shares < len(s.kind):
		level *= (1 - spentOnShown) / slack
	case s.some:
		level *= 1 - spentOnShown
	}
	l = make([]partLevel, len(s.kinds))
	for k, p := range s.kinds {
		l[k] = partLevel{level: level, clear: math.MinInt64}
		if p.count.selected() && p.fieller != nil {
			own := newCountEstimator(p.count, level*(1-spentOnRest))
			others := newCountEstimator(Count{p.others, AlwaysShown, 0}, level*spentOnRest)
			l[k] = partLevel{level * (1 - seldomHidden), own, others, own.firstAbove(p.clear)}
		}
	}
	s.levels[shares] = l
	return l
}

// Estimate returns the shares of the noisy counts of one denominator, in their order. It returns
// false, and nothing may be shown, if their number is not that of the parts or if the non-negative
// parts add to nothing.
//
// Value is X_i / D and Display is max(X_i, 0) / D, where D is the sum of the numbers that are not
// negative, without those of withheld parts that are within the noise of nothing.
func (s *PartShares) Estimate(noisy []int64) ([]Share, bool) {
	if len(noisy) != len(s.kind) {
		return nil, false
	}
	var total, positive int64
	for i, x := range noisy {
		total = addSaturating(total, x)
		if x >= s.kinds[s.kind[i]].least {
			positive = addSaturating(positive, x)
		}
	}
	if positive <= 0 {
		return nil, false
	}
	levels := s.at(s.shares(noisy))
	shares := make([]Share, len(noisy))
	for i, x := range noisy {
		shares[i] = s.share(i, x, total, positive, levels)
	}
	return shares, true
}

// Expect returns the share of one part that is expected to come out as noisy where all parts add up to
// total, both positive: how wide its interval will be where all parts are shown.
func (s *PartShares) Expect(part int, noisy, total int64) Share {
	return s.share(part, noisy, total, total, s.at(len(s.kind)))
}

func (s *PartShares) share(part int, noisy, total, positive int64, levels []partLevel) Share {
	p := &s.kinds[s.kind[part]]
	if p.count.selected() && noisy < p.count.ShownAt {
		return Share{}
	}
	value := float64(noisy) / float64(positive)
	return newShare(value, max(value, 0), p.interval(noisy, total, &levels[s.kind[part]]))
}

func (p *partShare) interval(noisy, total int64, l *partLevel) Interval {
	if p.fieller == nil {
		return Interval{1, 1} // the only part of a total
	}
	i := p.fieller.intervalAround(float64(noisy), float64(total), l.level)
	if noisy >= l.clear {
		return i
	}
	// It may be a part that is often withheld: those are judged by themselves.
	low, high, _ := l.own.Interval(noisy)
	high = min(high, p.clear-1)
	restLow, restHigh, _ := l.others.Interval(addSaturating(total, -noisy))
	return i.Including(ratio(low, addSaturating(low, restHigh), 0)).Including(ratio(high, addSaturating(high, restLow), 1))
}

// TotalShares estimates shares of a total that was drawn by itself. It is safe for concurrent use.
// The proof is in shares.md.
type TotalShares struct {
	numerator, total Count
	alpha            float64
	fieller          *fieller

	mu     sync.Mutex
	levels map[int]*totalLevel // by number of shares
}

// totalLevel is what all shares of a total with one number of shares have in common.
type totalLevel struct {
	level float64 // of Fieller's test
	boxes []box
}

// box judges true numerators and totals below a number each by themselves.
type box struct {
	numerator, total           *CountEstimator
	numeratorBelow, totalBelow int64
	numeratorClear, totalClear int64 // noisy numbers from here on agree with none of them
}

// NewTotalShares returns an estimator for numerators with one law and totals with another. The
// threshold of the total is raised to ten standard deviations of its noise, as shares of less are
// withheld ([LeastDenominator]).
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
	total.ShownAt = max(total.ShownAt, LeastDenominator(total.Law))
	if err := checkCount("total", total); err != nil {
		return nil, err
	}
	s := &TotalShares{numerator: numerator, total: total, alpha: alpha, levels: map[int]*totalLevel{}}
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
	return newShare(value, min(max(value, 0), 1), s.interval(noisy, total, s.level(shares))), true
}

// fewer rounds a number of shares up to five digits of a binary number, so that wholes of many sizes share few
// tables: that widens an interval by about 1 %.
func fewer(shares int) int {
	unit := 1 << max(0, bits.Len(uint(shares-1))-5)
	return (shares + unit - 1) / unit * unit
}

// level returns what the given number of shares needs.
func (s *TotalShares) level(shares int) *totalLevel {
	shares = fewer(shares)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.levels[shares]
	if l == nil {
		l = s.newLevel(s.alpha / float64(shares))
		s.levels[shares] = l
	}
	return l
}

// newLevel spends a level: where a numerator or a total is often withheld, it is judged by itself.
func (s *TotalShares) newLevel(level float64) *totalLevel {
	l := &totalLevel{level: level * (1 - seldomHidden)}
	add := func(spentOnTotal float64, numeratorBelow, totalBelow int64) {
		n, t := newCountEstimator(s.numerator, level*(1-spentOnTotal)), newCountEstimator(s.total, level*spentOnTotal)
		l.boxes = append(l.boxes, box{n, t, numeratorBelow, totalBelow, n.firstAbove(numeratorBelow), t.firstAbove(totalBelow)})
	}
	add(0.5, math.MaxInt64, clearOf(s.total))
	if s.numerator.selected() {
		l.level *= 1 - seldomHidden
		add(spentOnRest, clearOf(s.numerator), math.MaxInt64)
	}
	return l
}

func (s *TotalShares) interval(noisy, total int64, l *totalLevel) Interval {
	i := s.fieller.intervalAround(float64(noisy), float64(total), l.level)
	for _, b := range l.boxes {
		// No part exceeds its total. A numerator that came out larger is judged as the total: a lower low
		// end keeps more shares. If the total would not have been shown as a numerator, any count may be.
		if min(noisy, total) >= b.numeratorClear || total >= b.totalClear {
			continue
		}
		_, high, _ := b.numerator.Interval(noisy)
		low, _, shown := b.numerator.Interval(min(noisy, total))
		if !shown {
			low = s.numerator.Floor
		}
		least, most, _ := b.total.Interval(total)
		i = i.Including(ratio(low, min(most, b.totalBelow-1), 0)).Including(ratio(min(high, b.numeratorBelow-1), least, 1))
	}
	return i
}

// ratio returns a/b within [0, 1], or otherwise where b is not positive.
func ratio(a, b int64, otherwise float64) float64 {
	if b <= 0 {
		return otherwise
	}
	return min(max(float64(a)/float64(b), 0), 1)
}

func newShare(value, display float64, i Interval) Share {
	return Share{
		Value:    100 * value,
		Display:  min(100*display, 100),
		Interval: i.times(100).clip(0, 100).Including(min(100*display, 100)),
		Shown:    true,
	}
}
