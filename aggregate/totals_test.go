// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const margins = `
  - name: everyone
    bounds: {max_per_partition: 4}
    statistics: [visitors, events, {sum: seconds}, {sum: points}]
  - name: gender
    group_by: [gender]
    bounds: {max_per_partition: 4}
    statistics: [visitors, {sum: points}, events, {sum: seconds}, {quantile: seconds, rank: 0.5}]
  - name: age
    group_by: [age]
    bounds: {max_per_partition: 4}
    statistics: [{sum: points}, visitors, events, {sum: seconds}]
  - name: both
    group_by: [age, gender]
    bounds: {max_per_partition: 4}
    statistics: [visitors, events, {sum: seconds}, {sum: points}, {quantile: seconds, rank: 0.5}]
`

// sumsOf returns the numbers of a statistic of a table, summed over every dimension but one; at 0 is the
// sum over all. It is false where one is withheld.
func sumsOf(t *testing.T, table aggregate.ResultTable, statistic string, by int, number func(aggregate.Row) aggregate.Number) (sums map[string]int64, all bool) {
	t.Helper()
	sums, all = map[string]int64{}, true
	for _, row := range table.Rows {
		if row.Statistic != statistic {
			continue
		}
		n := number(row)
		all = all && n.Known
		key := ""
		if by >= 0 {
			key = row.Group[by]
		}
		sums[key] += n.Decimal.Units
	}
	require.NotEmpty(t, sums)
	return sums, all
}

// everyAge is a crowd with people of every age, and of none.
func everyAge(seed uint64, n int) world {
	w := crowd(seed, n)
	for i := range w.visits {
		if w.visits[i].Born = []byte(strconv.Itoa(1950 + i*7%75)); i%6 == 0 {
			w.visits[i].Born = nil
		}
	}
	return w
}

var marginalStatistics = []string{"visitors", "events", "sum_seconds", "sum_points"}

func requireMargins(t *testing.T, tables []aggregate.ResultTable, statistic string, number func(aggregate.Row) aggregate.Number) (equal bool) {
	t.Helper()
	get := func(table, by int) map[string]int64 {
		sums, all := sumsOf(t, tables[table], statistic, by, number)
		require.True(t, all, "a group is withheld: the world is too small for this test")
		return sums
	}
	return assert.ObjectsAreEqual(get(0, -1), get(3, -1)) && assert.ObjectsAreEqual(get(1, 0), get(3, 1)) && assert.ObjectsAreEqual(get(2, 0), get(3, 0))
}

func rawOf(r aggregate.Row) aggregate.Number       { return r.Value }
func displayedOf(r aggregate.Row) aggregate.Number { return r.Display }

// TestTotalsHoldBeforeNoise is the ground of it all: with bounds that bite and values that cannot be read,
// the exact numbers of coarse groups are the sums of those of fine ones.
func TestTotalsHoldBeforeNoise(t *testing.T) {
	j := newJob(t, margins, "MODE", "noisy", "K", "1")
	w := everyAge(5, 3000)
	for i := range w.uses {
		if i%7 == 0 {
			w.uses[i].Seconds = []byte("not a number")
		}
	}
	for _, seed := range []uint64{3, 4} {
		tables := publish(t, j.prepare(t, w.with(crowd(seed, 50))), mechanismtest.New(mechanismtest.Zero))
		for _, s := range marginalStatistics {
			assert.True(t, requireMargins(t, tables, s, rawOf), s)
		}
	}
}

func TestTotalsAreDisplayedAsTheSumsOfTheirParts(t *testing.T) {
	for _, mode := range []string{"noisy", "hard"} {
		t.Run(mode, func(t *testing.T) {
			requireDisplaysAddUp(t, newJob(t, margins, "MODE", mode, "K", "5", "SPEND", generous))
		})
	}
}

func requireDisplaysAddUp(t *testing.T, j job) {
	t.Helper()
	p := j.prepare(t, everyAge(6, 4000))
	exact := publish(t, p, mechanismtest.New(mechanismtest.Zero))
	const runs = 16
	raw, missed, intervals := 0, 0, 0
	for range runs {
		tables := publish(t, p, live)
		for _, s := range marginalStatistics {
			assert.True(t, requireMargins(t, tables, s, displayedOf), s)
			if requireMargins(t, tables, s, rawOf) {
				raw++
			}
		}
		for i, table := range tables {
			for at, row := range table.Rows {
				truth := exact[i].Rows[at].Value.Float64()
				require.True(t, row.Low.Float64() <= row.Display.Float64() && row.Display.Float64() <= row.High.Float64())
				intervals++
				if truth < row.Low.Float64() || truth > row.High.Float64() {
					missed++
				}
			}
		}
	}
	assert.Less(t, raw, runs, "values stay as they were drawn")
	// Numbers of one family are dependent: 16 independent runs of 4 families with a rate of 5 % each, so that
	// a mean rate has a standard deviation below sqrt(0.05/64) = 2.8 %; five of them are 14 %.
	assert.Less(t, float64(missed)/float64(intervals), 0.05+0.14)
	assert.Greater(t, missed, 0)
}

// TestTotalsWithAWithheldGroup has no woman below 13, so that one group is withheld of the table of both. No
// other group is displayed as less than what is shown of its parts. Where tables are parts of one another in a
// line, it is their sum if all of them are shown.
func TestTotalsWithAWithheldGroup(t *testing.T) {
	w := everyAge(7, 4000)
	for i := range w.visits {
		if v := &w.visits[i]; string(v.Gender) == "F" && string(v.Born) > "2010" {
			v.Gender = []byte("M")
		}
	}
	start, end := strings.Index(margins, "  - name: age"), strings.Index(margins, "  - name: both")
	for name, tables := range map[string]string{"overlapping": margins, "a line": margins[:start] + margins[end:]} {
		p := newJob(t, tables, "MODE", "noisy", "K", "40", "SPEND", generous).prepare(t, w)
		for range 4 {
			tables := publish(t, p, live)
			both := tables[len(tables)-1]
			withheld := map[string]bool{}
			for _, row := range both.Rows {
				if !row.Value.Known {
					withheld[row.Group[1]] = true
					require.False(t, row.Display.Known)
				}
			}
			require.Equal(t, map[string]bool{"female": true}, withheld)
			require.Zero(t, requireRemainders(t, tables, []string{"visitors", "events", "sum_seconds"}, displayedOf), name)
			for _, s := range marginalStatistics {
				whole, _ := sumsOf(t, tables[1], s, 0, displayedOf)
				sums, _ := sumsOf(t, both, s, 1, displayedOf)
				for label, total := range whole {
					require.True(t, name != "a line" || withheld[label] || total == sums[label], "%s of %s", s, label)
				}
			}
		}
	}
}

func TestPlanNamesTotals(t *testing.T) {
	totals := func(tables string, pairs ...string) []string {
		j := newJob(t, tables, pairs...)
		p, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(t, err)
		for _, total := range p.Totals {
			assert.Contains(t, p.String(), total)
		}
		return p.Totals
	}
	all := totals(margins, "MODE", "noisy")
	assert.Len(t, all, 16, "four statistics: everyone by gender and by age, and both of these by both")
	assert.Contains(t, all, "visitors of table everyone = sums of those of table gender: each person is in exactly one group of either")
	assert.Contains(t, all, "events of table age = sums of those of table both: each person is in exactly one group of either, with the same records and bounds")
	assert.False(t, slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "everyone = sums of those of table both") }), "it follows")
	assert.Equal(t, all, totals(margins, "MODE", "hard"))

	j := newJob(t, margins, "MODE", "noisy")
	gender := j.policy.Columns["gender"]
	gender.Groups.Declared = []string{"female", "male"}
	j.policy.Columns["gender"] = gender
	p, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	equal := slices.DeleteFunc(slices.Clone(p.Totals), func(s string) bool { return strings.Contains(s, "≥") })
	assert.Len(t, equal, 4, "people of another gender are in no group: everyone by age only")
	assert.Len(t, p.Totals, 4+3*4, "and no sum of points, which may be below 0")
	assert.Contains(t, p.Totals, "sum_seconds of table age ≥ sums of those of table both that are shown: "+
		"each person is in at most one of these, with the same records and bounds, and no value is below 0")

	two := func(a, b string) []string {
		return totals("\n  - {name: a, group_by: [gender], "+a+"}\n  - {name: b, "+b+"}\n", "MODE", "noisy")
	}
	assert.Len(t, two("statistics: [visitors]", "group_by: [gender, age], statistics: [visitors]"), 1)
	assert.Empty(t, two("statistics: [visitors]", "group_by: [age], statistics: [visitors]"), "neither is in the other")
	assert.Equal(t, []string{"visitors of table a ≥ sums of those of table b that are shown: each person is in at most one of these"},
		two("statistics: [visitors]", "group_by: [gender, region], statistics: [visitors]"), "private")
	assert.Empty(t, two("statistics: [visitors]", "group_by: [region], statistics: [visitors]"), "private, and not in the other")
	assert.Empty(t, two("statistics: [visitors]", "group_by: [gender, activity], bounds: {max_partitions: 2}, statistics: [visitors]"), "many groups")
	assert.Empty(t, two("statistics: [visitors]", "group_by: [gender, activity], bounds: {max_partitions: 1}, statistics: [visitors]"),
		"a record's group is not a person's: records with a label that is not declared are in none")
	assert.Len(t, two("bounds: {max_per_partition: 3}, statistics: [visitors, events]", "bounds: {max_per_partition: 4}, statistics: [visitors, events]"), 1,
		"other bounds: visitors only")
	assert.Empty(t, two("statistics: [visitors]", "bounds: {max_per_partition: 3}, statistics: [visitors, {sum: seconds}]"), "records without seconds are left out")
	assert.Empty(t, two("statistics: [visitors]", "group_by: [gender, age], top: {groups: 2, by: visitors}, statistics: [visitors]"), "only some are listed")

	star := totals("\n  - {name: all, statistics: [visitors]}\n  - {name: g, group_by: [gender], statistics: [visitors]}\n  - {name: a, group_by: [age], statistics: [visitors]}\n", "MODE", "noisy")
	assert.Len(t, star, 2, "everyone by gender and by age, without both")
	assert.NotContains(t, strings.Join(star, ""), "≥")
}

// TestPlanExpectsTheWidthsOfNumbersThatAddUp compares what the plan expects with what a release has.
func TestPlanExpectsTheWidthsOfNumbersThatAddUp(t *testing.T) {
	j := newJob(t, margins, "MODE", "noisy", "K", "5", "SPEND", generous)
	plan, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	tables := publish(t, j.prepare(t, everyAge(6, 4000)), mechanismtest.New(mechanismtest.Zero))
	alone := *j.release
	alone.Tables = alone.Tables[3:]
	apart, err := aggregate.NewPlan(j.policy, &alone)
	require.NoError(t, err)
	assert.Empty(t, apart.Tables[0].Fitted)
	for i, table := range tables {
		assert.ElementsMatch(t, []string{"events", "sum_seconds", "sum_points"}, plan.Tables[i].Fitted)
		want := plan.Tables[i].Expected[len(plan.Tables[i].Expected)-1].HalfWidths
		for _, row := range table.Rows {
			if slices.Contains(plan.Tables[i].Fitted, row.Statistic) && row.Low.Float64() > 0 {
				assert.InEpsilon(t, want[row.Statistic], (row.High.Float64()-row.Low.Float64())/2, 1e-3, "%s of %s", row.Statistic, table.Name)
			}
		}
		for _, draw := range plan.Tables[i].Draws {
			if slices.Contains(plan.Tables[i].Fitted, draw.Statistic) {
				assert.Less(t, want[draw.Statistic], draw.HalfWidth, "%s of %s: narrower than its noise", draw.Statistic, table.Name)
			}
		}
	}
	assert.Contains(t, plan.String(), "± of events, sum_seconds, sum_points: after the fit to totals and parts, if no group of these is withheld")
}
