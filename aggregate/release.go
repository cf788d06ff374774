// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/throngdp/throng/dp"
)

// Release is what an analyst asks for. It can only ask for less than the [Policy] allows. Build it in
// Go or load it with [LoadRelease]. The zero value is refused.
type Release struct {
	// Version is the version of this format: 1.
	Version int64
	Name    string
	// Snapshot is the owner's name for this state of the data.
	Snapshot string
	// Recipient and Purpose must be among the policy's.
	Recipient, Purpose string
	Period             Period
	// AsOf is the date, YYYY-MM-DD in the time column's zone, or the RFC 3339 instant, at which ages are taken and records are old,
	// and before which consent counts; empty means the period's first day. A date is its first instant.
	AsOf string
	// Spend is the whole (ε, δ) of this release.
	Spend  dp.Spend
	Tables []Table

	where
}

// Period is the half-open interval of time whose usage counts. Either All, or From and To as dates
// (YYYY-MM-DD, in the time column's zone), RFC 3339 instants, or integers for a day_offset column.
type Period struct {
	From, To string
	All      bool
}

// Table is one group-by and its statistics.
type Table struct {
	Name string
	// GroupBy names dimensions of the policy; empty makes one group of everyone.
	GroupBy []string
	// Bounds limit what one person adds. They may be left out only where the table groups by
	// person-level dimensions alone and has no events, sum or mean. Beside MaxContributions, which then is a bound on groups and
	// on records in a group too, the other two may be left out.
	Bounds dp.ContributionBounds
	// Auto, where set, has better bounds found in the data.
	Auto       *AutoBounds
	Statistics []Statistic
	// Weight says how exact this table is to be beside the others: twice the weight is half the noise; 0
	// means 1.
	Weight int64
	// Top, where set, lists only the largest of the groups that are shown.
	Top *Top
	// RollUp are the levels of hierarchies above this table, each of which is released as a table of its own.
	RollUp []RollUp
}

// Top chooses groups by a noisy number, which costs nothing beyond it. Groups of equal numbers are chosen by
// the bytes of their labels. To be chosen a number tends to have noise in its favour: the intervals of By
// hold for all groups that could have been chosen together.
type Top struct {
	// Groups is how many groups are listed at most, 1 to 100,000. Required.
	Groups int64
	// By is visitors, events or a sum of the table, as sum_COLUMN. Required.
	By string
}

// StatisticKind is a kind of published number.
type StatisticKind string

// The kinds of statistic.
const (
	// CountVisitors: distinct people.
	CountVisitors StatisticKind = "visitors"
	// CountEvents: records, after bounding.
	CountEvents StatisticKind = "events"
	// SumOf: the sum of a value column, after clamping and bounding.
	SumOf StatisticKind = "sum"
	// MeanOf: the sum divided by the number of records, both after bounding.
	MeanOf StatisticKind = "mean"
	// VarianceOf: the variance of a value over the records, after clamping and bounding, in its unit squared.
	VarianceOf StatisticKind = "variance"
	// StdDevOf: the root of the variance, in the value's unit.
	StdDevOf StatisticKind = "stddev"
	// QuantileOf: the least value of which at least a rank's part of the records is no larger, after clamping and
	// bounding: the median has rank 0.5.
	QuantileOf StatisticKind = "quantile"
	// RateOf: one number of the group over another, such as events per visitor.
	RateOf StatisticKind = "rate"
	// ShareOf: percent of the visitors or events, of everyone or within some dimensions.
	ShareOf StatisticKind = "share"
)

// Statistic is one published number per group.
type Statistic struct {
	Kind StatisticKind
	// Of is the value column of a sum, mean, variance, stddev or quantile, visitors or events for a share, and for a rate
	// any of them: what is divided.
	Of string
	// Per is what a rate is divided by: visitors, events or a value column that has no negative values.
	Per string
	// Within names the dimensions inside which a share adds up; empty means everyone.
	Within []string
	// Rank is that of a quantile, a decimal between 0 and 1 of at most 3 places.
	Rank string
}

// Name is how the statistic appears in files: visitors, events, share, share_events, sum_COLUMN,
// mean_COLUMN, variance_COLUMN, stddev_COLUMN, rate_OF_per_PER, or for a quantile its rank in percent, as in
// p50_COLUMN and p97_5_COLUMN.
func (s Statistic) Name() string {
	switch {
	case s.ofRecords(), s.Kind == SumOf:
		return string(s.Kind) + "_" + s.Of
	case s.Kind == QuantileOf:
		return s.percentile() + "_" + s.Of
	case s.Kind == RateOf:
		return string(s.Kind) + "_" + s.Of + "_per_" + s.Per
	case s.Kind == ShareOf && s.Of == string(CountEvents):
		return "share_events"
	}
	return string(s.Kind)
}

// rankText is how a rank or a share is written.
var rankText = regexp.MustCompile(`^0?\.[0-9]{1,3}0*$`)

// rank returns the rank of a quantile in thousandths, false where it is none.
func (s Statistic) rank() (thousandths int64, ok bool) { return thousandthsOf(s.Rank) }

// thousandthsOf reads a decimal between 0 and 1 of at most 3 places.
func thousandthsOf(text string) (thousandths int64, ok bool) {
	r, ok := new(big.Rat).SetString(text)
	if !ok || !rankText.MatchString(text) {
		return 0, false
	}
	r.Mul(r, big.NewRat(1000, 1))
	if n := r.Num(); r.IsInt() && n.Sign() > 0 && n.Cmp(big.NewInt(1000)) < 0 {
		return n.Int64(), true
	}
	return 0, false
}

// percentile is how a quantile's name begins.
func (s Statistic) percentile() string {
	n, _ := s.rank()
	if n%10 == 0 {
		return fmt.Sprintf("p%d", n/10)
	}
	return fmt.Sprintf("p%d_%d", n/10, n%10)
}

// ofRecords reports whether the statistic is one of a value over the records, whose number it divides by.
func (s Statistic) ofRecords() bool {
	return s.Kind == MeanOf || s.Kind == VarianceOf || s.Kind == StdDevOf
}

// String is the statistic as a release file would say it.
func (s Statistic) String() string {
	switch s.Kind {
	case CountVisitors, CountEvents:
		return string(s.Kind)
	}
	text := string(s.Kind) + ": " + s.Of
	if s.Kind == RateOf {
		text += ", per: " + s.Per
	}
	if s.Kind == QuantileOf {
		text += ", rank: " + s.Rank
	}
	if len(s.Within) > 0 {
		text += ", within: [" + strings.Join(s.Within, ", ") + "]"
	}
	return text
}
