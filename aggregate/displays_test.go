// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// randomTables returns a few tables of everyone, or by dimensions of the person, each of which is there once.
func randomTables(r *rand.Rand) string {
	var text strings.Builder
	by := []string{"", "gender", "age", "region", "gender, age", "region, gender", "age, region", "region, gender, age"}
	r.Shuffle(len(by), func(i, j int) { by[i], by[j] = by[j], by[i] })
	for i, dims := range by[:2+r.IntN(4)] {
		statistics := []string{"visitors", "events", "{sum: seconds}", "{sum: points}"}
		if dims != "" {
			statistics = append(statistics, "{share: visitors}")
			if strings.Contains(dims, ",") {
				statistics = append(statistics, "{share: events, within: ["+strings.Split(dims, ", ")[0]+"]}")
			}
		}
		fmt.Fprintf(&text, "\n  - {name: t%d, group_by: [%s], bounds: {max_per_partition: 3}, weight: %d, statistics: [%s]}",
			i, dims, 1+r.IntN(3), strings.Join(statistics, ", "))
	}
	return text.String() + "\n"
}

// TestDisplaysAreInTheirRangeAndValuesAreWhatWasDrawn carries random releases out as far as the files. Many of
// their numbers are mostly noise.
func TestDisplaysAreInTheirRangeAndValuesAreWhatWasDrawn(t *testing.T) {
	negative, over := 0, 0
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 77))
		j := newJob(t, randomTables(r), "MODE", []string{"noisy", "hard"}[r.IntN(2)], "K", strconv.Itoa(1+r.IntN(9)),
			"SPEND", fmt.Sprintf(`{epsilon: "%d", delta: "1e-3"}`, 1+r.IntN(6)))
		rec := mechanismtest.New(mechanismtest.Live)
		res := j.run(t, rec, crowd(seed, 60+r.IntN(500)))
		drawn := map[string]string{}
		for _, c := range rec.Calls() {
			if c.Operation == mechanismtest.AddNoise {
				drawn[c.Site.Table+"/"+c.Site.Group+"/"+c.Site.Statistic] = strconv.FormatInt(c.Output, 10)
			}
		}
		written := files(t, res)
		for i, table := range res.Tables {
			records, err := csv.NewReader(strings.NewReader(written["data/"+table.Name+".csv"])).ReadAll()
			require.NoError(t, err)
			at := slices.Index(records[0], "value")
			for k, row := range table.Rows {
				value := drawn[table.Name+"/"+strings.Join(row.Group, "\x1f")+"/"+row.Statistic]
				if !row.Value.Known {
					value = ""
				}
				if row.Unit != "percent" {
					require.Equal(t, value, records[k+1][at], "seed %d: %s %v", seed, table.Name, row)
				}
				requireInRange(t, row)
				if row.Value.Float64() < 0 {
					negative++
				}
			}
			requireShares(t, res.Plan.Tables[i], table)
		}
		over += requireRemainders(t, res.Tables, remainderStatistics, rawOf)
		require.Zero(t, requireRemainders(t, res.Tables, remainderStatistics, displayedOf), "seed %d", seed)
	}
	assert.Greater(t, negative, 10)
	assert.Greater(t, over, 20)
}

func requireInRange(t *testing.T, row aggregate.Row) {
	t.Helper()
	if !row.Value.Known {
		require.False(t, row.Display.Known || row.Low.Known || row.High.Known, "%v", row)
		return
	}
	require.True(t, row.Low.Float64() <= row.Display.Float64() && row.Display.Float64() <= row.High.Float64(), "%v", row)
	if row.Statistic != "sum_points" {
		require.GreaterOrEqual(t, row.Low.Float64(), 0.0, "%v", row)
	}
	if row.Unit == "percent" {
		require.LessOrEqual(t, row.High.Float64(), 100.0, "%v", row)
	}
}

// requireShares adds up the shares of each whole that are divided by the sum of their parts: to exactly 100 where
// all are shown, and to no more, but for rounding, where some are.
func requireShares(t *testing.T, plan aggregate.PlanTable, table aggregate.ResultTable) {
	t.Helper()
	for _, s := range plan.Statistics {
		if s.Unit != "percent" || !strings.Contains(s.From, "the sum of") {
			continue
		}
		sums, shown, all := map[string]int64{}, map[string]int{}, map[string]int{}
		for _, row := range table.Rows {
			if row.Statistic != s.Name {
				continue
			}
			whole := ""
			if s.Name == "share_events" {
				whole = row.Group[0]
			}
			all[whole]++
			if row.Display.Known {
				shown[whole]++
				sums[whole] += row.Display.Decimal.Units
			}
		}
		for whole := range maps.Keys(sums) {
			if plan.Groups == "declared" && shown[whole] == all[whole] {
				require.EqualValues(t, 1000, sums[whole], "%s of %s, %s", s.Name, table.Name, whole)
			}
			require.LessOrEqual(t, 2*sums[whole], int64(2000+shown[whole]), "%s of %s, %s", s.Name, table.Name, whole)
		}
	}
}
