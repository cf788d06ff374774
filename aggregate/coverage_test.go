// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestIntervalsCoverWhatIsShown publishes the same data again and again, and counts for each group and
// statistic how often the interval holds the number without noise, among the runs that show it: sparse groups
// near the threshold, and dense ones. 95 % are promised, of the shares of one whole together. With 5,000 runs
// (THRONG_NIGHTLY=1) the bar is 94 %, three standard errors below; with 300 it is 85 %, and lower for
// groups that are seldom shown.
func TestIntervalsCoverWhatIsShown(t *testing.T) {
	runs, bar := 300, 0.85
	if os.Getenv("THRONG_NIGHTLY") == "1" {
		runs, bar = 5000, 0.94
	}
	var w world
	for c, n := range []int{40, 55, 70, 400, 1000} {
		w = w.with(people(string(rune('a'+c))+"-", n, "course-"+string(rune('a'+c)), activities[c%4]))
	}
	for i := range w.uses {
		points := int64(i%7) - 2
		w.uses[i].Points, w.uses[i].Seconds = &points, []byte{byte('1' + i%9), '0'}
	}
	for name, tables := range map[string]string{
		"private":   "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [visitors, events, {sum: points}, {mean: seconds}, {share: visitors}]}\n",
		"quotients": "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [{rate: events, per: visitors}, {rate: seconds, per: visitors}, {variance: seconds}, {stddev: score}]}\n",
		"quantiles": "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [{quantile: seconds, rank: 0.5}, {quantile: seconds, rank: 0.9}, {quantile: score, rank: 0.1}]}\n",
		"declared":  "\n  - {name: x, group_by: [activity], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [visitors, events, {sum: seconds}, {share: events}]}\n",
	} {
		// With a large ε no threshold hides a number that has no noise.
		truth := exactNumbers(publish(t, newJob(t, tables, "SPEND", generous).prepare(t, w), mechanismtest.New(mechanismtest.Zero))[0])
		for _, spend := range []string{`{epsilon: "0.8", delta: "1e-5"}`, `{epsilon: "4", delta: "1e-6"}`} {
			p := newJob(t, tables, "SPEND", spend).prepare(t, w)
			shown, held := map[string]int{}, map[string]int{}
			for range runs {
				countHeld(publish(t, p, live)[0], truth, shown, held)
			}
			for key, n := range shown {
				if n < runs/10 {
					continue // too few to say anything of
				}
				covered := float64(held[key]) / float64(n)
				if runs == 5000 {
					t.Logf("%s %s %s: %.2f %% of %d", name, spend, key, 100*covered, n)
				}
				slack := 2.5 / math.Sqrt(float64(n)) * math.Sqrt(0.05*0.95) * float64(min(1, runs/n-1)) // of groups that are seldom shown
				assert.GreaterOrEqual(t, covered, bar-slack, "%s %s %s", name, spend, key)
			}
		}
	}
}

func keyOf(r aggregate.Row) string { return r.Group[0] + " " + r.Statistic }

// exactNumbers are the values of a table without noise.
func exactNumbers(table aggregate.ResultTable) map[string]float64 {
	truth := map[string]float64{}
	for _, r := range table.Rows {
		truth[keyOf(r)] = r.Value.Float64()
	}
	return truth
}

// countHeld counts the rows that are shown and those whose interval holds the truth; the shares of the
// table's whole count as one.
func countHeld(table aggregate.ResultTable, truth map[string]float64, shown, held map[string]int) {
	misses := func(r aggregate.Row) bool {
		// Shares and means are rounded outward when they are written, and so is the truth here.
		x, slack := truth[keyOf(r)], 1e-3
		return x < r.Low.Float64()-slack || x > r.High.Float64()+slack
	}
	shares := slices.DeleteFunc(slices.Clone(table.Rows), func(r aggregate.Row) bool { return !r.Value.Known || r.Unit != "percent" })
	if len(shares) > 0 {
		shown["shares"]++
		if !slices.ContainsFunc(shares, misses) {
			held["shares"]++
		}
	}
	for _, r := range table.Rows {
		if !r.Value.Known || r.Unit == "percent" {
			continue
		}
		shown[keyOf(r)]++
		if !misses(r) {
			held[keyOf(r)]++
		}
	}
}
