// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const boundedTable = `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 2, max_per_partition: 3}
    statistics: [visitors, events, {sum: seconds}, {mean: seconds}]
`

// bookworms are people with so many courses and so many records in each.
func bookworms(prefix string, n, courses, records int) (w world) {
	points := int64(1)
	for i := range n {
		for c := range courses {
			for range records {
				w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "%s-%d", prefix, i), Course: fmt.Appendf(nil, "course-%d", c), Seconds: []byte("10"), Points: &points})
			}
		}
	}
	return w
}

func TestBoundingCountsEachPersonOnce(t *testing.T) {
	j := newJob(t, boundedTable, "K", "1")
	w := bookworms("few", 5, 1, 1).with(bookworms("edge", 4, 2, 3)).with(bookworms("groups", 3, 3, 1)).
		with(bookworms("records", 2, 1, 4)).with(bookworms("both", 1, 5, 9))
	got := map[string]int64{}
	for _, c := range j.called(t, w) {
		if c.Site.Statistic == "bounding" {
			got[c.Site.Group] = c.Input
			assert.Equal(t, []int64{1, 1}, []int64{c.L0, c.LInf})
		}
	}
	assert.Equal(t, map[string]int64{"": 9, "max_partitions": 3, "max_per_partition": 2, "both": 1}, got)
}

func TestBoundingIsDrawnWhereABoundCanTakeSomething(t *testing.T) {
	for tables, want := range map[string]int{
		"\n  - {name: x, group_by: [gender], statistics: [visitors]}\n":                                                                    0,
		"\n  - {name: x, group_by: [gender], bounds: {max_per_partition: 3}, statistics: [visitors, events]}\n":                            2,
		"\n  - {name: x, group_by: [course], bounds: {max_partitions: 3}, statistics: [visitors, {sum: points}]}\n":                        2,
		"\n  - {name: x, group_by: [course], bounds: {max_partitions: 3, max_per_partition: 2}, statistics: [visitors, {sum: seconds}]}\n": 4,
	} {
		n := 0
		for _, c := range newJob(t, tables, "K", "1").called(t, bookworms("p", 3, 1, 1)) {
			if c.Site.Statistic == "bounding" {
				n++
			}
		}
		assert.Equal(t, want, n, tables)
	}
}

// TestBoundingIsSaidAndLowersTheStatus has half of the people over each bound.
func TestBoundingIsSaidAndLowersTheStatus(t *testing.T) {
	j := newJob(t, boundedTable, "SPEND", generous)
	p := j.prepare(t, bookworms("few", 2000, 2, 3).with(bookworms("many", 2000, 4, 9)))
	table := publish(t, p, live)[0]
	require.Len(t, table.Bounding, 2)
	for i, name := range []string{"max_partitions", "max_per_partition"} {
		b := table.Bounding[i]
		assert.Equal(t, name, b.Bound)
		assert.InDelta(t, 50, b.People.Float64(), 5)
		assert.True(t, b.Low.Float64() <= 50 && b.High.Float64() >= 50, "%v to %v", b.Low, b.High)
		assert.Less(t, b.High.Float64()-b.Low.Float64(), 20.0)
		assert.True(t, b.Warning)
	}
	assert.Regexp(t, `^\d+\.\d % of the people \(.*\) have more than the 2 groups in which a person counts: numbers of people, events and sums are below`, table.Bounding[0].Text)
	status := map[string]aggregate.Status{}
	for _, r := range table.Rows {
		if r.Group[0] == "course-0" {
			status[r.Statistic] = r.Status
		}
	}
	assert.Equal(t, map[string]aggregate.Status{"visitors": "U", "events": "U", "sum_seconds": "U", "mean_seconds": "A"}, status)

	table = publish(t, j.prepare(t, bookworms("few", 4000, 2, 3)), live)[0]
	for _, b := range table.Bounding {
		assert.False(t, b.Warning, b.Text)
	}
	for _, r := range table.Rows {
		assert.Equal(t, aggregate.Normal, r.Status, r.Statistic)
	}
}

func TestBoundingOfFewPeopleIsNotKnown(t *testing.T) {
	j := newJob(t, boundedTable, "SPEND", `{epsilon: "0.1", delta: "1e-6"}`)
	table := publish(t, j.prepare(t, bookworms("few", 3, 4, 9)), mechanismtest.New(mechanismtest.Zero))[0]
	for _, b := range table.Bounding {
		assert.False(t, b.People.Known || b.Warning)
		assert.Contains(t, b.Text, "too few people to tell")
	}
}

// TestBoundingIntervalsCover counts how often the interval holds the share of people over a bound.
func TestBoundingIntervalsCover(t *testing.T) {
	j := newJob(t, boundedTable, "SPEND", `{epsilon: "4", delta: "1e-6"}`)
	p := j.prepare(t, bookworms("few", 700, 2, 3).with(bookworms("many", 300, 4, 3)))
	const runs = 300
	misses := 0
	for range runs {
		if b := publish(t, p, live)[0].Bounding[0]; b.People.Known && (b.Low.Float64() > 30 || b.High.Float64() < 30) {
			misses++
		}
	}
	// 5 % are allowed: 39 of 300 would be seen with a chance of 1e-8.
	assert.Less(t, misses, 39)
}
