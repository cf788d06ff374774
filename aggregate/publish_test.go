// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestCellsAreDrawnOneAfterTheOther looks at the order of the draws: by the bytes of the labels, all
// numbers of a cell together, each once, and none of a group below k.
func TestCellsAreDrawnOneAfterTheOther(t *testing.T) {
	const k = 5
	j := newJob(t, `
  - name: x
    group_by: [course, activity]
    bounds: {max_partitions: 2, max_per_partition: 3}
    statistics: [visitors, {mean: seconds}, {sum: score}, {share: visitors, within: [activity]}]
`)
	w := world{}
	for i := range 40 {
		w = w.with(people(fmt.Sprint("p", i), 1+i%10, fmt.Sprintf("course %d", (i*7)%40), activities[i%4]))
	}
	var order []string
	drawn := map[string][]string{}
	below := true
	for _, c := range j.drawn(t, w) {
		if c.Operation != mechanismtest.AddNoise {
			continue
		}
		if len(order) == 0 || order[len(order)-1] != c.Site.Group {
			order = append(order, c.Site.Group)
		}
		drawn[c.Site.Group] = append(drawn[c.Site.Group], c.Site.Statistic)
		if c.Site.Statistic == "visitors" {
			require.GreaterOrEqual(t, c.Input, int64(k))
			below = below && c.Input > k
		}
	}
	assert.False(t, below, "a group of k people is among them")
	totals := slices.IndexFunc(order, func(group string) bool { return strings.HasPrefix(group, "\x1f") })
	require.Equal(t, 24, totals, "six of ten courses")
	for _, part := range [][]string{order[:totals], order[totals:]} {
		assert.True(t, slices.IsSorted(part), "%q", part)
		assert.Len(t, slices.Compact(slices.Clone(part)), len(part))
	}
	for _, group := range order[:totals] {
		assert.Equal(t, []string{"visitors", "centred_seconds", "events", "sum_score"}, drawn[group])
	}
	for _, group := range order[totals:] {
		assert.Equal(t, []string{"visitors_total"}, drawn[group])
	}
}

// TestNoNumberIsDrawnTwice asks for everything at once: a second draw at a site would have to be charged.
func TestNoNumberIsDrawnTwice(t *testing.T) {
	j := newJob(t, `
  - name: parts
    group_by: [course, gender, age]
    bounds: {max_partitions: 2, max_per_partition: 3}
    statistics: [visitors, events, {share: visitors, within: [course, gender]}, {share: events, within: [course, age]}, {mean: seconds}, {sum: seconds}]
  - name: totals
    group_by: [activity, region]
    bounds: {max_partitions: 2, max_per_partition: 3}
    statistics: [{share: visitors, within: [region]}, {share: events, within: [activity]}]
`, "SPEND", generous)
	for _, mode := range []mechanismtest.Mode{mechanismtest.Zero, mechanismtest.PlusHuge, mechanismtest.Live} {
		rec := mechanismtest.New(mode)
		publish(t, j.prepare(t, crowd(30, 500)), rec)
		asked := map[string]bool{}
		for _, c := range rec.Calls() {
			site := fmt.Sprint(c.Operation, c.Site.Table, c.Site.Statistic, c.Site.Group)
			require.False(t, asked[site], "%q", site)
			asked[site] = true
		}
		assert.Greater(t, len(asked), 150)
	}
}

// choosy is a mechanism without noise that shows the groups it likes.
type choosy struct {
	mechanism.Mechanism
	shows string
}

func (c choosy) Select(site mechanism.Site, _ mechanism.Selection, _ int64) (bool, error) {
	return strings.Contains(site.Group, c.shows), nil
}

// TestHiddenCellsAreInTheTotalAndNotInTheTable shows one of the two channels of a course: the share of the
// other is in nobody's rows, and the interval of the first is that of a single share.
func TestHiddenCellsAreInTheTotalAndNotInTheTable(t *testing.T) {
	j := newJob(t, `
  - name: x
    group_by: [course, channel]
    bounds: {max_partitions: 1, max_per_partition: 1}
    statistics: [{share: events, within: [course]}, events]
`, "SPEND", generous)
	var w world
	for i := range 400 {
		w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "p-%d", i), Course: []byte("algebra"), Channel: []byte(channels[i%4/3])})
	}
	m := choosy{mechanismtest.New(mechanismtest.Zero), "app"}
	rows := publish(t, j.prepare(t, w), m)[0].Rows
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprint(r.Group, r.Statistic, r.Value))
	}
	require.Equal(t, []string{"[algebra ]events_total400", "[algebra app]share_events75.0000", "[algebra app]events300"}, got)
	m.shows = ""
	both := publish(t, j.prepare(t, w), m)[0].Rows
	require.Len(t, both, 5)
	assert.Less(t, rows[1].High.Float64()-rows[1].Low.Float64(), both[1].High.Float64()-both[1].Low.Float64())
}
