// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// devicePolicy counts people by their devices. Its release shows what a person may change.
const (
	devicePolicy = `
version: 1
population: site
privacy_unit:
  ids: [{column: device, from: usage, kind: int}]
  links: {max_ids: $CAP$, columns: [{column: one, id: device}, {column: other, id: device}]}
columns:
  page: {from: usage, of: event, role: dimension, groups: [a, b, c, d, e, unknown]}
  paid: {from: usage, role: value, clamp: [0, 10]}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.001"}
recipients: {team: {purposes: [statistics]}}
`
	deviceRelease = `
version: 1
name: r
snapshot: s
recipient: team
purpose: statistics
period: all
spend: {epsilon: "1", delta: "0.00001"}
tables:
  - {name: all, statistics: [visitors]}
  - {name: pages, group_by: [page], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events, {sum: paid}]}
`
)

// devices are records of 40 people with one device each, and of whoever has the ids given.
func devices(ids ...int) string {
	var b strings.Builder
	b.WriteString("device,page,paid\n")
	for i := range 40 {
		fmt.Fprintf(&b, "%d,%c,1\n", 1_000_000+i, 'a'+i%5)
	}
	for _, id := range ids {
		for n := range 20 {
			fmt.Fprintf(&b, "%d,%c,10\n", id, 'a'+(id+n)%5)
		}
	}
	return b.String()
}

// numbered returns the ids from one up to another.
func numbered(from, to int) (ids []int) {
	for id := from; id < to; id++ {
		ids = append(ids, id)
	}
	return ids
}

// linkTable writes pairs of ids.
func linkTable(pairs ...[2]int) string {
	var b strings.Builder
	b.WriteString("one,other\n")
	for _, p := range pairs {
		fmt.Fprintf(&b, "%d,%d\n", p[0], p[1])
	}
	return b.String()
}

// chained, starred and circled link the ids from 1 to n.
func chained(n int) (pairs [][2]int) {
	for id := 1; id < n; id++ {
		pairs = append(pairs, [2]int{id, id + 1})
	}
	return pairs
}

func starred(n int) (pairs [][2]int) {
	for id := 2; id <= n; id++ {
		pairs = append(pairs, [2]int{id, 1})
	}
	return pairs
}

func circled(n int) [][2]int { return append(chained(n), [2]int{n, 1}) }

// linkedNumbers carries the release out without noise, and returns the exact numbers.
func linkedNumbers(t *testing.T, ledger aggregate.Charger, maxIDs int, usage, links string) map[mechanism.Site]int64 {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy.yaml", replace(devicePolicy, "$CAP$", strconv.Itoa(maxIDs)))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(deviceRelease))
	require.NoError(t, err)
	rec := mechanismtest.New(mechanismtest.Zero)
	_, err = (&aggregate.Runner{Charger: ledger}).Run(under(t, rec), p, r, aggregate.Inputs{
		Usage: []table.Source{csvBytes(t, []byte(usage))}, Links: []table.Source{csvBytes(t, []byte(links))},
	})
	require.NoError(t, err)
	all := map[mechanism.Site]int64{}
	for _, c := range rec.Calls() {
		if c.Operation == mechanismtest.AddNoise {
			all[c.Site] = c.Input
		}
	}
	return all
}

// everyone is the number of all people.
var everyone = mechanism.Site{Table: "all", Statistic: "visitors"}

// parts returns how many privacy units must have come or gone for numbers to change as they did: a unit changes 2
// groups, by 1 person, 3 records and 30 paid at most.
func parts(before, after map[mechanism.Site]int64) int {
	most := map[string]float64{"visitors": 1, "events": 3, "sum_paid": 30}
	groups, sums := map[string]float64{}, map[string]float64{}
	n := 0.0
	for site := range after {
		if site.Table != "pages" || most[site.Statistic] == 0 || before[site] == after[site] {
			continue
		}
		change := math.Abs(float64(after[site] - before[site]))
		groups[site.Statistic]++
		sums[site.Statistic] += change
		n = max(n, change/most[site.Statistic], groups[site.Statistic]/2, sums[site.Statistic]/most[site.Statistic]/2)
	}
	return int(math.Ceil(n))
}

// moved returns by how much numbers changed.
func moved(before, after map[mechanism.Site]int64) map[mechanism.Site]int64 {
	by := map[mechanism.Site]int64{}
	for site := range after {
		by[site] = after[site] - before[site]
	}
	return by
}

// TestAttackD06DevicesOfOnePersonAreOneUnit adds all records of somebody with several devices, each of which has more
// than a person may have.
func TestAttackD06DevicesOfOnePersonAreOneUnit(t *testing.T) {
	for _, n := range []int{2, 5, 50} {
		for shape, pairs := range map[string][][2]int{"chain": chained(n), "star": starred(n), "cycle": circled(n)} {
			before := linkedNumbers(t, nil, 50, devices(), linkTable(pairs...))
			after := linkedNumbers(t, nil, 50, devices(numbered(1, n+1)...), linkTable(pairs...))
			assert.Equal(t, int64(1), after[everyone]-before[everyone], "%s of %d", shape, n)
			assert.Equal(t, 1, parts(before, after), "%s of %d", shape, n)
			if n < 50 {
				continue
			}
			alone := linkedNumbers(t, nil, 50, devices(numbered(1, n+1)...), linkTable())
			assert.Equal(t, int64(n), alone[everyone]-before[everyone], "without links each device is somebody")
			assert.Greater(t, parts(before, alone), 1, "the numbers show it")
		}
	}
}

// TestAttackD06LinksThatComeLateAndGo releases three times: before a person's five devices were known to be theirs, then
// with all links, then with those that are left. Each release protects the parts of its own table, the person loses the
// sum over releases of as many ε as they were parts, and the population is charged each release once.
func TestAttackD06LinksThatComeLateAndGo(t *testing.T) {
	ledger := &aggregate.MemoryCharger{}
	for day, of := range []struct {
		links [][2]int
		parts int
	}{
		{[][2]int{{1, 2}, {3, 4}}, 3},
		{[][2]int{{1, 2}, {3, 4}, {2, 3}, {5, 1}}, 1},
		{[][2]int{{1, 2}, {3, 4}, {5, 1}}, 2},
	} {
		before := linkedNumbers(t, nil, 5, devices(), linkTable(of.links...))
		after := linkedNumbers(t, ledger, 5, devices(1, 2, 3, 4, 5), linkTable(of.links...))
		assert.Equal(t, int64(of.parts), after[everyone]-before[everyone], "day %d", day+1)
		assert.LessOrEqual(t, parts(before, after), of.parts, "day %d", day+1)
		assert.Equal(t, strconv.Itoa(day+1), ledger.Spent("site", "person").Epsilon.String())
	}
}

// TestAttackD06WhoLeavesWithTheirLinks takes the links of a person away with their records. That is more than a release
// promises to hide for one ε: others who were one part with them are then as many as they have ids, within the cap.
func TestAttackD06WhoLeavesWithTheirLinks(t *testing.T) {
	const maxIDs = 6
	hub := linkTable(starred(maxIDs)...)
	before := linkedNumbers(t, nil, maxIDs, devices(numbered(1, maxIDs+1)...), hub)
	after := linkedNumbers(t, nil, maxIDs, devices(numbered(2, maxIDs+1)...), linkTable())
	assert.Equal(t, int64(maxIDs-2), after[everyone]-before[everyone], "one part went and all but the hub came")
	assert.LessOrEqual(t, parts(before, after), maxIDs)
	assert.Greater(t, parts(before, after), 1)

	r := rand.New(rand.NewPCG(6, 6))
	for range 20 {
		var all, left [][2]int
		for range 5 {
			p := [2]int{1 + r.IntN(maxIDs), 1 + r.IntN(maxIDs)}
			if all = append(all, p); p[0] != 1 && p[1] != 1 {
				left = append(left, p)
			}
		}
		before := linkedNumbers(t, nil, maxIDs, devices(numbered(1, maxIDs+1)...), linkTable(all...))
		after := linkedNumbers(t, nil, maxIDs, devices(numbered(2, maxIDs+1)...), linkTable(left...))
		assert.LessOrEqual(t, parts(before, after), maxIDs, "links %v", all)
		if len(left) == len(all) {
			assert.Equal(t, int64(-1), after[everyone]-before[everyone], "who is linked to nobody")
			assert.LessOrEqual(t, parts(before, after), 1, "links %v", all)
		}
	}
}

// TestAttackD06AComponentAboveTheCap cuts 50 devices into parts of at most 20. Each part is protected, and where the cut
// is does not depend on the links of others.
func TestAttackD06AComponentAboveTheCap(t *testing.T) {
	const n, maxIDs = 50, 20
	others := [][2]int{{1_000_000, 1_000_001}, {1_000_002, 1_000_003}, {1_000_003, 1_000_004}}
	for shape, pairs := range map[string][][2]int{"chain": chained(n), "star": starred(n), "cycle": circled(n)} {
		links := linkTable(pairs...)
		before, after := linkedNumbers(t, nil, maxIDs, devices(), links), linkedNumbers(t, nil, maxIDs, devices(numbered(1, n+1)...), links)
		alone := moved(before, after)
		cut := alone[everyone]
		assert.GreaterOrEqual(t, cut, int64(3), shape)
		assert.LessOrEqual(t, parts(before, after), int(cut), shape)
		for _, id := range []int{1, 2, n} {
			one := linkedNumbers(t, nil, maxIDs, devices(id), links)
			assert.Equal(t, int64(1), one[everyone]-before[everyone], shape)
			assert.Equal(t, 1, parts(before, one), shape)
		}
		links = linkTable(append(others, pairs...)...)
		before, again := linkedNumbers(t, nil, maxIDs, devices(), links), linkedNumbers(t, nil, maxIDs, devices(numbered(1, n+1)...), links)
		assert.Equal(t, alone, moved(before, again), "%s: the links of others moved the cut", shape)
	}
}
