// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
)

// boundsTable has some bounds on a table by course.
func boundsTable(bounds, statistics string) string {
	return "\n  - {name: x, group_by: [course], bounds: {" + bounds + "}, statistics: [" + statistics + "]}\n"
}

func plannedJob(t *testing.T, j job) *aggregate.Plan {
	t.Helper()
	plan, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	return plan
}

// TestABoundOnAllRecordsIsWorthItsNoise bounds all records of a person by a quarter of what the other two let count: that
// is a quarter of Laplace noise, and half of Gaussian noise. Noise on people stays as it was.
func TestABoundOnAllRecordsIsWorthItsNoise(t *testing.T) {
	for _, c := range []struct {
		statistics, mechanism string
		partitions            int
		gain                  float64
	}{
		{"events", "laplace", 4, 4}, {"{sum: seconds}", "laplace", 4, 4}, {"{quantile: seconds, rank: 0.5}", "gaussian", 8, 2},
		{"events, {sum: seconds}, {mean: score}, {variance: score}, {rate: seconds, per: events}", "gaussian", 40, 2},
	} {
		two := fmt.Sprintf("max_partitions: %d, max_per_partition: 50", c.partitions)
		without := plannedJob(t, newJob(t, boundsTable(two, c.statistics))).Tables[0].Draws
		with := plannedJob(t, newJob(t, boundsTable(fmt.Sprintf("%s, max_contributions: %d", two, 50*c.partitions/4), c.statistics))).Tables[0].Draws
		require.Len(t, with, len(without))
		for i, d := range with {
			if d.Statistic == "bounding" {
				continue
			}
			assert.Equal(t, c.mechanism, d.Mechanism, d.Statistic)
			assert.InEpsilon(t, c.gain, without[i].StdDev/d.StdDev, 0.02, "%s beside %s", d.Statistic, c.statistics)
		}
	}
}

// TestABoundOnAllRecordsIsPlanned says it wherever the other bounds are said.
func TestABoundOnAllRecordsIsPlanned(t *testing.T) {
	j := newJob(t, boundsTable("max_partitions: 4, max_per_partition: 50, max_contributions: 60", "events, {sum: seconds}, {quantile: seconds, rank: 0.5}"))
	plan := plannedJob(t, j)
	table := plan.Tables[0]
	assert.Equal(t, []int64{4, 50, 60}, []int64{table.MaxPartitions, table.MaxPerPartition, table.MaxContributions})
	draws := map[string]aggregate.PlanDraw{}
	for _, d := range table.Draws {
		draws[d.Statistic] = d
	}
	assert.Equal(t, []int64{4, 50, 60}, []int64{draws["events"].L0, draws["events"].LInf, draws["events"].L1})
	assert.Equal(t, []int64{4, 50 * 3600, 60 * 3600}, []int64{draws["sum_seconds"].L0, draws["sum_seconds"].LInf, draws["sum_seconds"].L1})
	tree := draws["tree_seconds"]
	assert.Equal(t, []int64{4 * tree.Levels, 50, 60 * tree.Levels}, []int64{tree.L0, tree.LInf, tree.L1})
	for _, line := range []string{
		"one person counts in at most 4 groups, with at most 50 records in each and 60 records in all",
		"one person changes it in at most 4 groups, by at most 50 each and 60 in all",
		"one person changes the counts of a level by 50 together, in at most 4 groups of 4 levels, and by 60 in all groups",
	} {
		assert.Contains(t, plan.String(), line)
	}
	res := j.run(t, live, bookworms("p", 30, 3, 2))
	assert.Contains(t, files(t, res)["README.md"],
		"with at most 50 records in each and 60 records in all: who has more keeps one in each group and, of the others, each group's share.")
}

// TestABoundOnAllRecordsStandsForTheOthers: as many groups, but no more than are declared, and as many records in one.
func TestABoundOnAllRecordsStandsForTheOthers(t *testing.T) {
	for bounds, want := range map[string][]int64{
		"group_by: [course], bounds: {max_contributions: 7}":                         {7, 7, 7},
		"group_by: [activity], bounds: {max_contributions: 7}":                       {4, 7, 7},
		"group_by: [course], bounds: {max_partitions: 3, max_contributions: 7}":      {3, 7, 7},
		"group_by: [course], bounds: {max_per_partition: 2, max_contributions: 7}":   {7, 2, 7},
		"group_by: [activity], bounds: {max_per_partition: 2, max_contributions: 7}": {4, 2, 7},
	} {
		table := plannedJob(t, newJob(t, "\n  - {name: x, "+bounds+", statistics: [visitors, events]}\n")).Tables[0]
		assert.Equal(t, want, []int64{table.MaxPartitions, table.MaxPerPartition, table.MaxContributions}, bounds)
		assert.Equal(t, []int64{want[0], 1, 0}, []int64{table.Draws[0].L0, table.Draws[0].LInf, table.Draws[0].L1}, bounds)
	}
}

// TestEachGroupKeepsItsShareOfAPersonsRecords: nobody leaves a group for a bound on all of their records.
func TestEachGroupKeepsItsShareOfAPersonsRecords(t *testing.T) {
	j := newJob(t, boundsTable("max_contributions: 33", "visitors, events, {sum: points}, {mean: seconds}"), "K", "1")
	w := bookworms("p", 1, 1, 40).with(bookworms("p", 1, 2, 20)).with(bookworms("p", 1, 3, 1)) // 61, 21 and 1
	got := map[string]int64{}
	for _, c := range j.drawn(t, w) {
		got[c.Site.Statistic+" "+c.Site.Group] += c.Input
	}
	// Of 33 + 21 + 1 there are 52 further records, of which 30 count: of 32 in the first group 18.5, of 20 in the second 11.5.
	assert.Equal(t, int64(33), got["events course-0"]+got["events course-1"]+got["events course-2"])
	assert.InDelta(t, 19.5, got["events course-0"], 0.6)
	assert.InDelta(t, 12.5, got["events course-1"], 0.6)
	for c := range 3 {
		assert.Equal(t, int64(1), got[fmt.Sprint("visitors course-", c)])
	}
}

// TestBoundingTellsWhoHasMoreRecordsInAll puts each person into one cell for the bounds that are written; what follows
// from max_contributions is told as that.
func TestBoundingTellsWhoHasMoreRecordsInAll(t *testing.T) {
	w := bookworms("few", 5, 1, 1).with(bookworms("edge", 4, 2, 3)).with(bookworms("groups", 3, 3, 1)).
		with(bookworms("records", 2, 1, 9)).with(bookworms("all", 6, 2, 4)).with(bookworms("more", 1, 7, 9))
	for bounds, want := range map[string]map[string]int64{
		"max_partitions: 2, max_per_partition: 5, max_contributions: 7": {
			"": 9, "max_partitions": 3, "max_per_partition": 2, "both": 0, "max_contributions": 6,
			"max_partitions and max_contributions": 0, "max_per_partition and max_contributions": 0, "all": 1,
		},
		"max_partitions: 2, max_contributions: 7":    {"": 9, "max_partitions": 3, "max_contributions": 8, "max_partitions and max_contributions": 1},
		"max_per_partition: 5, max_contributions: 6": {"": 12, "max_per_partition": 2, "max_contributions": 6, "max_per_partition and max_contributions": 1},
		"max_contributions: 2":                       {"": 5, "max_contributions": 16},
		"max_contributions: 6":                       {"": 12, "max_contributions": 9},
	} {
		got := map[string]int64{}
		for _, c := range newJob(t, boundsTable(bounds, "visitors, events"), "K", "1").called(t, w) {
			if c.Site.Statistic == "bounding" {
				got[c.Site.Group] = c.Input
				assert.Equal(t, []int64{1, 1}, []int64{c.L0, c.LInf})
			}
		}
		assert.Equal(t, want, got, bounds)
	}
}

// TestABoundOnAllRecordsIsWarnedOf has half of the people over it.
func TestABoundOnAllRecordsIsWarnedOf(t *testing.T) {
	j := newJob(t, boundsTable("max_partitions: 4, max_per_partition: 9, max_contributions: 12", "visitors, events, {mean: seconds}"), "SPEND", generous)
	table := publish(t, j.prepare(t, bookworms("few", 2000, 2, 3).with(bookworms("many", 2000, 4, 9))), live)[0]
	require.Len(t, table.Bounding, 3)
	for i, name := range []string{"max_partitions", "max_per_partition", "max_contributions"} {
		b := table.Bounding[i]
		assert.Equal(t, name, b.Bound)
		assert.InDelta(t, 50*float64(i/2), b.People.Float64(), 6, name)
		assert.Equal(t, i == 2, b.Warning, name)
	}
	assert.Regexp(t, `^\d+\.\d % of the people \(.*\) have more than the 12 records that count in all groups, of those that the other bounds leave: events and sums are below`,
		table.Bounding[2].Text)
	status := map[string]aggregate.Status{}
	for _, r := range table.Rows {
		if r.Group[0] == "course-0" {
			status[r.Statistic] = r.Status
		}
	}
	assert.Equal(t, map[string]aggregate.Status{"visitors": "A", "events": "U", "mean_seconds": "A"}, status)
}

// TestLevelsTakeABoundOnAllRecords where it bounds something beside their own.
func TestLevelsTakeABoundOnAllRecords(t *testing.T) {
	for bounds, want := range map[string][]int64{
		"":                        {6, 9, 20},
		"{max_contributions: 12}": {6, 9, 12},
		"{max_contributions: 5}":  {5, 5, 5},
		"{max_partitions: 2}":     {2, 9, 0},
		"{max_per_partition: 3}":  {6, 3, 0},
		"{max_per_partition: 15}": {6, 15, 20},
	} {
		up := "region"
		if bounds != "" {
			up = "{to: region, bounds: " + bounds + "}"
		}
		r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
spend: {epsilon: "1", delta: "0.001"}
tables:
  - {name: a, group_by: [town], bounds: {max_partitions: 6, max_per_partition: 9, max_contributions: 20}, statistics: [events], roll_up: {town: [`+up+`, country]}}
`))
		require.NoError(t, err)
		plan, err := aggregate.NewPlan(rollUpPolicy(t, rollUpColumns), r)
		require.NoError(t, err, bounds)
		region, country := plan.Tables[1], plan.Tables[2]
		assert.Equal(t, want, []int64{region.MaxPartitions, region.MaxPerPartition, region.MaxContributions}, bounds)
		assert.Equal(t, []int64{3, 9, 20}, []int64{country.MaxPartitions, country.MaxPerPartition, country.MaxContributions}, "three are declared")
	}
}

// TestOULADABoundOnAllRecordsIsWorthIt: of students' records by type of page, bounds that let nearly all count need noise
// for 6,000 of one student's, and hardly any have more than 1,000. The error of ten releases against what the records say has
// a standard error of a tenth of itself at most, and is 0.55 times that without: the bar leaves four of them.
func TestOULADABoundOnAllRecordsIsWorthIt(t *testing.T) {
	oulad(t)
	clicks := ouladClicks(t)
	truth := map[string]float64{}
	for _, c := range clicks {
		truth[string(c.Activity)]++
	}
	source, err := structio.Slice("clicks", clicks)
	require.NoError(t, err)
	p, err := aggregate.ParsePolicy("policy", []byte(ouladActivityPolicy))
	require.NoError(t, err)
	const runs = 10
	errorOf := func(bounds string) (mean float64) {
		r, err := aggregate.ParseRelease("release", []byte(strings.Replace(ouladActivityRelease, "max_partitions: 6, max_per_partition: 50", bounds, 1)))
		require.NoError(t, err)
		prepared, err := aggregate.Prepare(t.Context(), p, r, aggregate.Inputs{Usage: []table.Source{source}}, 2)
		require.NoError(t, err)
		for range runs {
			shown := map[string]float64{}
			for _, row := range publish(t, prepared, live)[0].Rows {
				if row.Statistic == "events" {
					shown[row.Group[0]] = row.Value.Float64()
				}
			}
			for activity, n := range truth {
				mean += math.Abs(shown[activity]-n) / runs
			}
		}
		return mean
	}
	const two = "max_partitions: 12, max_per_partition: 500"
	without, with := errorOf(two), errorOf(two+", max_contributions: 1000")
	t.Logf("error %.0f, %.2f times the %.0f without max_contributions", with, with/without, without)
	assert.LessOrEqual(t, with, 0.8*without)
}
