// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const quantileTables = `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 3}
    statistics:
      - {quantile: seconds, rank: 0.5}
      - {quantile: seconds, rank: 0.975}
      - {quantile: score, rank: 0.25}
`

// TestQuantilesAreThoseOfTheRecords computes quantiles by hand.
func TestQuantilesAreThoseOfTheRecords(t *testing.T) {
	var w world
	values := map[string][]float64{}
	for i := range 900 {
		course := courses[i%2]
		for k := range 1 + i%3 { // at most max_per_partition: nothing is bounded
			seconds, score := float64((i*7+k*11)%500), float64(i%5)/4-0.5
			w.uses = append(w.uses, use{
				ID: fmt.Appendf(nil, "p%d", i), Course: []byte(course), Activity: []byte("x"), Device: []byte("phone"),
				Seconds: fmt.Appendf(nil, "%v", seconds), Score: &score, Points: ptr(int64(1)),
			})
			values[course+"seconds"] = append(values[course+"seconds"], seconds)
			values[course+"score"] = append(values[course+"score"], score)
		}
	}
	quantile := func(name string, rank float64) float64 {
		sorted := slices.Sorted(slices.Values(values[name]))
		return sorted[int(math.Ceil(rank*float64(len(sorted))))-1]
	}
	rows := publish(t, newJob(t, quantileTables, "SPEND", generous).prepare(t, w), mechanismtest.New(mechanismtest.Zero))[0].Rows
	require.Len(t, rows, 6)
	for _, r := range rows {
		name, rank := r.Group[0]+"seconds", map[string]float64{"p50_seconds": 0.5, "p97_5_seconds": 0.975, "p25_score": 0.25}[r.Statistic]
		if r.Statistic == "p25_score" {
			name = r.Group[0] + "score"
		}
		require.True(t, r.Value.Known, r.Statistic)
		assert.InDelta(t, quantile(name, rank), r.Value.Float64(), 1e-9, "%s of %s", r.Statistic, r.Group[0])
		assert.LessOrEqual(t, r.Low.Float64(), r.Display.Float64())
		assert.GreaterOrEqual(t, r.High.Float64(), r.Display.Float64())
	}
}

// TestManyRanksAreOneTree: one draw of each node, whatever the number of ranks, and the same charge.
func TestManyRanksAreOneTree(t *testing.T) {
	plan := func(statistics string) *aggregate.Plan {
		j := newJob(t, "\n  - {name: x, group_by: [course], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: ["+statistics+"]}\n")
		p, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(t, err)
		return p
	}
	one, three := plan("{quantile: seconds, rank: 0.5}"), plan("{quantile: seconds, rank: 0.5}, {quantile: seconds, rank: 0.25}, {quantile: seconds, rank: 0.75}")
	assert.Equal(t, one.Tables[0].Draws, three.Tables[0].Draws)
	tree := one.Tables[0].Draws[slices.IndexFunc(one.Tables[0].Draws, func(d aggregate.PlanDraw) bool { return d.Levels > 0 })]
	assert.Equal(t, "gaussian", tree.Mechanism)
	assert.Equal(t, []int64{4, 3601, 2 * 4, 3}, []int64{tree.Levels, tree.Leaves, tree.L0, tree.LInf})

	rec := mechanismtest.New(mechanismtest.Live)
	publish(t, newJob(t, quantileTables, "SPEND", generous).prepare(t, crowd(1, 500)), rec)
	drawn := map[mechanism.Site]int{}
	for _, c := range rec.Calls() {
		if strings.HasPrefix(c.Site.Statistic, "tree_") {
			assert.Equal(t, int64(3*4), c.Cells)
			drawn[c.Site]++
		}
	}
	require.NotEmpty(t, drawn)
	for site, n := range drawn {
		assert.Equal(t, 1, n, site.String())
	}
}

// TestAQuantileOfTooFewIsNotQuoted: where noise leaves every value possible, the row says so.
func TestAQuantileOfTooFewIsNotQuoted(t *testing.T) {
	w := people("p", 60, "algebra", "quiz")
	p := newJob(t, quantileTables, "SPEND", `{epsilon: "0.1", delta: "0.005"}`).prepare(t, w)
	seen := 0
	for range 200 {
		for _, r := range publish(t, p, live)[0].Rows {
			if !r.Value.Known || r.Low.Float64() > 0 || r.High.Float64() < 3600 {
				continue
			}
			seen++
			assert.Equal(t, aggregate.Unreliable, r.Status)
		}
	}
	assert.Positive(t, seen)
}

func TestQuantilesThatCannotBeAreRefused(t *testing.T) {
	for statistic, want := range map[string]string{
		"{quantile: seconds}":                                             `statistics[0].rank: got nothing, want a decimal between 0 and 1`,
		"{quantile: seconds, rank: 1}":                                    `statistics[0].rank: got "1", want a decimal between 0 and 1`,
		"{quantile: seconds, rank: 0.0001}":                               `want a decimal between 0 and 1 with at most 3 digits`,
		"{quantile: points, rank: 0.5}":                                   `want a value with clamp`,
		"{mean: seconds, rank: 0.5}":                                      `want a quantile`,
		"{quantile: second, rank: 0.5}":                                   `did you mean seconds?`,
		"{quantile: seconds, rank: 0.5}, {quantile: seconds, rank: 0.50}": `want one statistic p50_seconds per table`,
	} {
		err := refused(t, "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 3}, statistics: ["+statistic+"]}\n", `{epsilon: "1", delta: "1e-6"}`)
		assert.ErrorContains(t, err, want, statistic)
	}
	err := refused(t, "\n  - {name: x, group_by: [activity], bounds: {max_partitions: 1, max_per_partition: 3}, statistics: [{quantile: seconds, rank: 0.5}]}\n", `{epsilon: "1", delta: "0"}`)
	assert.ErrorContains(t, err, "spend a δ such as 1e-9")
}

// refused returns what is wrong with tables.
func refused(t *testing.T, tables, spend string) error {
	t.Helper()
	good := newJob(t, quantileTables)
	r, err := aggregate.ParseRelease("release", replaceWords(attackRelease+tables, []string{"PERIOD", "all", "SPEND", spend}))
	if err != nil {
		return err
	}
	_, err = aggregate.NewPlan(good.policy, r)
	require.Error(t, err)
	return err
}
