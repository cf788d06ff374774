// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestQuotientsAreThoseOfTheRecords computes variances, means and rates by hand.
func TestQuotientsAreThoseOfTheRecords(t *testing.T) {
	j := newJob(t, `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 3}
    statistics:
      - {rate: events, per: visitors}
      - {rate: seconds, per: visitors}
      - {rate: seconds, per: events}
      - {mean: seconds}
      - {mean: score}
      - {variance: seconds}
      - {stddev: seconds}
      - {stddev: score}
`, "SPEND", generous)
	var w world
	var n, sum, squares, scores, scoreSquares float64
	for i := range 600 {
		for k := range 1 + i%3 { // at most max_per_partition: nothing is bounded
			seconds, score := float64((i*7+k*11)%500), float64(i%5)/4
			w.uses = append(w.uses, use{
				ID: fmt.Appendf(nil, "p%d", i), Course: []byte("a"), Activity: []byte("x"), Device: []byte("phone"),
				Seconds: fmt.Appendf(nil, "%v", seconds), Score: &score, Points: ptr(int64(1)),
			})
			n, sum, squares = n+1, sum+seconds, squares+seconds*seconds
			scores, scoreSquares = scores+score, scoreSquares+score*score
		}
	}
	rec := mechanismtest.New(mechanismtest.Zero)
	got := map[string]aggregate.Row{}
	for _, r := range publish(t, j.prepare(t, w), rec)[0].Rows {
		got[r.Statistic] = r
	}
	variance := func(sum, squares float64) float64 { return squares/n - sum/n*sum/n }
	for statistic, want := range map[string]float64{
		"rate_events_per_visitors": n / 600, "rate_seconds_per_visitors": sum / 600, "rate_seconds_per_events": sum / n,
		"mean_seconds": sum / n, "mean_score": scores / n,
		"variance_seconds": variance(sum, squares), "stddev_seconds": math.Sqrt(variance(sum, squares)),
		"stddev_score": math.Sqrt(variance(scores, scoreSquares)),
	} {
		r := got[statistic]
		require.True(t, r.Value.Known, statistic)
		assert.InDelta(t, want, r.Value.Float64(), 0.01, statistic)
		assert.LessOrEqual(t, r.Low.Float64(), r.Display.Float64(), statistic)
		assert.GreaterOrEqual(t, r.High.Float64(), r.Display.Float64(), statistic)
	}
	units := map[string]string{
		"rate_events_per_visitors": "event/person", "rate_seconds_per_visitors": "s/person", "rate_seconds_per_events": "s/event",
		"variance_seconds": "s²", "stddev_seconds": "s",
	}
	for statistic, unit := range units {
		assert.Equal(t, unit, got[statistic].Unit)
	}
}

// TestQuotientsShareTheirDraws: what several of them need is drawn and charged once, and the plain sum serves a
// mean where something else needs it.
func TestQuotientsShareTheirDraws(t *testing.T) {
	for statistics, want := range map[string][]string{
		"[{mean: seconds}]":                                           {"centred_seconds", "events", "bounding"},
		"[{mean: seconds}, {sum: seconds}]":                           {"sum_seconds", "events", "bounding"},
		"[{mean: seconds}, {rate: seconds, per: visitors}]":           {"visitors", "sum_seconds", "events", "bounding"},
		"[{mean: seconds}, {variance: seconds}]":                      {"centred_seconds", "events", "squares_seconds", "bounding"},
		"[{variance: seconds}, {stddev: seconds}, events]":            {"centred_seconds", "squares_seconds", "events", "bounding"},
		"[{rate: events, per: visitors}, visitors, events]":           {"visitors", "events", "bounding"},
		"[{rate: points, per: seconds}, {rate: points, per: events}]": {"sum_points", "sum_seconds", "events", "bounding"},
	} {
		j := newJob(t, "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: "+statistics+"}\n")
		plan, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(t, err)
		var names []string
		for _, d := range plan.Tables[0].Draws {
			names = append(names, d.Statistic)
		}
		assert.Equal(t, want, names, statistics)
	}
}

func TestFaultsOfQuotients(t *testing.T) {
	for statistic, want := range map[string]string{
		"{rate: events, per: events}":                     `"events", want another number than events`,
		"{rate: events}":                                  `.per: got nothing`,
		"{rate: nobody, per: events}":                     `.rate: got "nobody"`,
		"{rate: events, per: score}":                      `want a value that is never negative`,
		"{mean: seconds, per: events}":                    `want a rate`,
		"{variance: points}":                              `want a value with clamp`,
		"{rate: events, per: visitors, within: [course]}": `want a share`,
	} {
		t.Run(statistic, func(t *testing.T) {
			good := newJob(t, "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [events]}\n")
			release, err := aggregate.ParseRelease("release", replaceWords(attackRelease+
				"\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: ["+statistic+"]}\n",
				[]string{"PERIOD", "all", "SPEND", generous}))
			require.NoError(t, err)
			_, err = aggregate.NewPlan(good.policy, release)
			assert.ErrorContains(t, err, want)
		})
	}
}
