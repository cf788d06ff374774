// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// attackTables are releases that between them use every statistic, denominator and kind of group.
var attackTables = map[string]string{
	"courses": `
  - name: course
    group_by: [course]
    bounds: {max_partitions: 3, max_per_partition: 4}
    statistics: [visitors, events, {sum: seconds}, {mean: seconds}, {stddev: seconds}, {quantile: seconds, rank: 0.5}, {rate: seconds, per: visitors}, {share: visitors}]
  - name: course_gender
    group_by: [course, gender]
    bounds: {max_partitions: 2}
    statistics: [{share: visitors, within: [course]}]
`,
	"activities": `
  - name: activity_device
    group_by: [activity, device]
    bounds: {max_partitions: 2, max_per_partition: 5}
    statistics: [events, {share: events, within: [device]}, {mean: score}, {variance: score}, {quantile: score, rank: 0.25}, {quantile: score, rank: 0.9}, {rate: points, per: events}]
  - name: channel
    group_by: [channel]
    bounds: {max_partitions: 1, max_per_partition: 3}
    statistics: [{share: events}, {sum: points}]
`,
	"people": `
  - name: gender_age
    group_by: [gender, age]
    bounds: {max_per_partition: 6}
    statistics: [visitors, {share: visitors}, {sum: score}, events, {quantile: seconds, rank: 0.999}]
  - name: region
    group_by: [region]
    statistics: [visitors, {share: visitors}]
`,
	"crossed": `
  - name: crossed
    group_by: [region, course, activity]
    bounds: {max_partitions: 4, max_per_partition: 2}
    statistics: [{share: events, within: [region, course]}, {sum: points}, {sum: seconds}]
  - name: parents
    group_by: [activity, course, gender]
    bounds: {max_partitions: 3}
    statistics: [visitors, {share: visitors, within: [gender, activity]}]
  - name: wholes
    group_by: [course, channel]
    bounds: {max_partitions: 4, max_per_partition: 3}
    statistics: [{share: events, within: [channel]}, {share: visitors}]
  - name: events
    group_by: [course]
    bounds: {max_partitions: 4, max_per_partition: 3}
    statistics: [{share: events}]
`,
	"contributions": `
  - name: courses
    group_by: [course]
    bounds: {max_partitions: 4, max_per_partition: 5, max_contributions: 9}
    statistics: [visitors, events, {sum: seconds}, {mean: score}, {stddev: seconds}, {quantile: seconds, rank: 0.5}, {rate: points, per: events}, {share: visitors}]
  - name: activity_device
    group_by: [activity, device]
    bounds: {max_contributions: 6}
    statistics: [events, {share: events, within: [device]}, {sum: score}, {sum: points}]
  - name: channel
    group_by: [channel, gender]
    bounds: {max_partitions: 2, max_contributions: 3}
    statistics: [visitors, {share: events}, {share: visitors, within: [gender]}]
`,
	"everyone": `
  - name: everyone
    group_by: []
    bounds: {max_per_partition: 7}
    statistics: [visitors, events, {mean: seconds}, {sum: points}]
`,
}

// draws is the exact inputs of all calls by what they are about. A group that nobody is in is drawn as
// 0 or not at all, which is the same.
func draws(calls []mechanismtest.Call) map[mechanism.Site]mechanismtest.Call {
	m := map[mechanism.Site]mechanismtest.Call{}
	for _, c := range calls {
		m[c.Site] = c
	}
	return m
}

// requireNeighbors compares what two neighbouring worlds would add noise to with what the noise is
// made for.
func requireNeighbors(t *testing.T, d, e []mechanismtest.Call) {
	t.Helper()
	type law struct{ table, statistic string }
	cells, absolute, squares := map[law]int64{}, map[law]int64{}, map[law]int64{}
	one, two := draws(d), draws(e)
	compare := func(c mechanismtest.Call, diff int64) {
		if diff == 0 {
			return
		}
		l := law{c.Site.Table, c.Site.Statistic}
		require.LessOrEqual(t, max(diff, -diff), c.LInf, "l∞ of %s.%s in %q", l.table, l.statistic, c.Site.Group)
		cells[l]++
		absolute[l] += max(diff, -diff)
		squares[l] += diff * diff
		require.LessOrEqual(t, cells[l], max(c.L0, c.Cells), "l0 of %s.%s", l.table, l.statistic)
		require.LessOrEqual(t, absolute[l], c.L1, "l1 of %s.%s", l.table, l.statistic)
		full, rest := c.L1/c.LInf, c.L1%c.LInf
		require.LessOrEqual(t, squares[l], full*c.LInf*c.LInf+rest*rest, "l2 of %s.%s", l.table, l.statistic)
	}
	// Which nodes of a tree are drawn depends on what was drawn above them. Those that both worlds draw are
	// compared; all others are the engine's leaves, which its own tests compare.
	isNode := func(s mechanism.Site) bool { return strings.HasPrefix(s.Statistic, "tree_") }
	for site, c := range one {
		if other, ok := two[site]; ok || !isNode(site) {
			compare(c, c.Input-other.Input)
		}
	}
	for site, c := range two {
		if _, ok := one[site]; !ok && !isNode(site) {
			compare(c, c.Input)
		}
	}
}

// TestAttackB01OnePersonChangesNoMoreThanThePlanSays holds the exact numbers of 300 pairs of worlds,
// with and without one hostile person, against the sensitivities that the noise is calibrated to.
// k is 1 so that every group is drawn, also one that a single person is in.
func TestAttackB01OnePersonChangesNoMoreThanThePlanSays(t *testing.T) {
	seen := map[string]bool{}
	for name, tables := range attackTables {
		t.Run(name, func(t *testing.T) {
			modes := []job{newJob(t, tables, "K", "1"), newJob(t, tables, "K", "1", "EXCLUDE", attackRules)}
			for seed := range uint64(3) {
				w := crowd(seed, 40)
				for m, j := range modes {
					before := j.drawn(t, w)
					r := rand.New(rand.NewPCG(seed, 7))
					for kind := range adversaries {
						after := j.drawn(t, w.with(adversary(r, kind)))
						requireNeighbors(t, before, after)
						if len(draws(after)) > 0 && !assert.ObjectsAreEqual(before, after) {
							seen[fmt.Sprint(name, m, kind)] = true
						}
					}
				}
			}
		})
	}
	// Most adversaries must have changed something, or the test says nothing: all but one without a
	// usage record, and those whom a rule excludes.
	assert.Greater(t, len(seen), len(attackTables)*adversaries)
}

const attackRules = `exclude:
  consent: {from: visitors, column: share, allow: ["yes"]}
  under_age: {from: visitors, column: born, as: birth_year, below: 13, unless: {column: parent, is: ["yes"]}}`

// recordedFiles carries a job out with real noise and returns its files and what was drawn.
func (j job) recordedFiles(t *testing.T, w world) (map[string]string, []mechanismtest.Call) {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Live)
	return files(t, j.run(t, rec, w)), rec.Calls()
}

// replayedFiles carries a job out over other records with the same noise.
func (j job) replayedFiles(t *testing.T, calls []mechanismtest.Call, w world) (map[string]string, []mechanismtest.Call) {
	t.Helper()
	rec := mechanismtest.NewReplay(calls)
	return files(t, j.run(t, rec, w)), rec.Calls()
}

// unmarked is a call without what may differ between neighbours: the exact number and its place.
func unmarked(c mechanismtest.Call) mechanismtest.Call {
	c.Input, c.Sequence = 0, 0
	return c
}

// requireSameCalls requires that a replay asked everything that the recording was asked, in that order
// and with the same parameters. It may ask more, of groups that the recording never met.
func requireSameCalls(t *testing.T, recorded, replayed []mechanismtest.Call) {
	t.Helper()
	known := map[mechanism.Site]bool{}
	var want, got []mechanismtest.Call
	for _, c := range recorded {
		known[c.Site] = true
		want = append(want, unmarked(c))
	}
	for _, c := range replayed {
		if known[c.Site] {
			got = append(got, unmarked(c))
		}
	}
	require.Equal(t, want, got)
}

// TestAttackB02FrozenNoiseGivesTheSameFiles records a release on one world and replays its noise on
// neighbours: whatever leaves must be the same, byte for byte, and so must be the questions asked.
//
// Neighbours here have a person more, so that no group that was shown falls below k in them.
func TestAttackB02FrozenNoiseGivesTheSameFiles(t *testing.T) {
	shown := 0
	for name, tables := range attackTables {
		for _, mode := range []string{"hard", "noisy"} {
			if mode == "noisy" && name == "activities" {
				continue // a noisy minimum needs visitors
			}
			t.Run(name+" "+mode, func(t *testing.T) {
				j := newJob(t, tables, "MODE", mode, "SPEND", generous)
				w := crowd(4, 300)
				want, calls := j.recordedFiles(t, w)
				r := rand.New(rand.NewPCG(4, 4))
				for _, kind := range []int{0, 4, 6, 7} {
					got, replayed := j.replayedFiles(t, calls, w.with(adversary(r, kind)))
					require.Equal(t, want, got, "adversary %d", kind)
					requireSameCalls(t, calls, replayed)
				}
				for _, c := range calls {
					if c.Operation != mechanismtest.AddNoise && c.Kept {
						shown++
					}
				}
			})
		}
	}
	assert.Greater(t, shown, 40, "a release that shows nothing proves nothing")
}

// TestAttackB07TinyNumbersCannotMoveASum adds many records far below the resolution after a large sum:
// with floats their rounding moves a sum by more than one person may (Casacuberta et al., 2022).
func TestAttackB07TinyNumbersCannotMoveASum(t *testing.T) {
	j := newJob(t, `
  - name: everyone
    group_by: []
    bounds: {max_per_partition: 1000000}
    statistics: [{sum: score}]
`, "K", "1", "SCORE", "clamp: [-1, 1], resolution: 0.00001")
	const big = 0.99999 // an odd number of quanta, which a narrow float cannot add up
	one := use{ID: []byte("one"), Score: ptr(big)}
	var w world
	for i := range 1 << 12 {
		w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "big-%d", i), Score: ptr(big)})
	}
	for i := range 1 << 14 {
		w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "tiny-%d", i%100), Score: ptr(-0x1p-33)})
	}
	sum := func(w world) int64 { return sumInputs(j.drawn(t, w), "sum_score") }
	before, after := sum(w), sum(world{uses: append([]use{one}, w.uses...)})
	assert.EqualValues(t, 1<<12*99_999, before)
	assert.EqualValues(t, 99_999, after-before)
	assert.Equal(t, before, sum(w.shuffled(7)))
	assert.Equal(t, sum(world{uses: []use{{ID: one.ID, Score: ptr(0.1)}, {ID: one.ID, Score: ptr(0.2)}, {ID: one.ID, Score: ptr(-0.3)}}}), int64(0))
}

// sumInputs adds up the exact inputs of all draws of a statistic.
func sumInputs(calls []mechanismtest.Call, statistic string) (total int64) {
	for _, c := range calls {
		if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == statistic {
			total += c.Input
		}
	}
	return total
}

// shuffled returns the records in another order.
func (w world) shuffled(seed uint64) world {
	r := rand.New(rand.NewPCG(seed, seed))
	o := world{slices.Clone(w.uses), slices.Clone(w.visits)}
	r.Shuffle(len(o.uses), func(a, b int) { o.uses[a], o.uses[b] = o.uses[b], o.uses[a] })
	r.Shuffle(len(o.visits), func(a, b int) { o.visits[a], o.visits[b] = o.visits[b], o.visits[a] })
	return o
}

// TestAttackB08NothingButTheRecordsMatters runs one release over the same records in other orders, with
// other numbers of workers and sizes of batches, and from every connector.
func TestAttackB08NothingButTheRecordsMatters(t *testing.T) {
	w := tidy(crowd(8, 100).with(adversary(rand.New(rand.NewPCG(8, 8)), 0)).with(adversary(rand.New(rand.NewPCG(8, 8)), 7)))
	for i := range 40 { // people whose records disagree evenly
		id := fmt.Appendf(nil, "torn-%d", i)
		w.uses = append(w.uses, use{ID: id, Course: []byte("chess"), Device: []byte("tablet"), Score: ptr(1.0)}, use{ID: id, Course: []byte("chess"), Device: []byte("laptop"), Score: ptr(1.0)})
		w.visits = append(w.visits, visit{ID: id, Gender: []byte("M"), Region: []byte("north")}, visit{ID: id, Gender: []byte("F"), Region: []byte("south")})
	}
	for name, tables := range attackTables {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, tables, "K", "1")
			want := exactTables(t, j, w.inputs(t), 1)
			for seed := range uint64(3) {
				assert.Equal(t, want, exactTables(t, j, w.shuffled(seed).inputs(t), 1+int(seed)), "order %d", seed)
			}
			for connector, inputs := range connectors {
				assert.Equal(t, want, exactTables(t, j, inputs(t, w.shuffled(9), max(batches[connector], 1)), 8), connector)
			}
		})
	}
}

// batches are sizes of batches that are not what connectors choose by themselves.
var batches = map[string]int{"csv": 7, "parquet": 300, "arrow": 11}

// exactTables returns what a job publishes and draws without noise, as text.
func exactTables(t *testing.T, j job, in aggregate.Inputs, workers int) string {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Zero)
	ctx := under(t, rec)
	prepared, err := aggregate.Prepare(ctx, j.policy, j.release, in, workers)
	require.NoError(t, err)
	tables, err := prepared.Publish(ctx, rec)
	require.NoError(t, err)
	b, err := json.Marshal(tables)
	require.NoError(t, err)
	for _, c := range rec.Calls() {
		b = fmt.Appendf(b, "\n%d %s %q %d", c.Operation, c.Site, c.Site.Group, c.Input)
	}
	return string(b)
}

// TestAttackB13APersonIsInAsManyGroupsAsTheBoundsSay gives one person thirty interests and two genders.
func TestAttackB13APersonIsInAsManyGroupsAsTheBoundsSay(t *testing.T) {
	j := newJob(t, `
  - name: course
    group_by: [course]
    bounds: {max_partitions: 4, max_per_partition: 3}
    statistics: [visitors, events]
  - name: course_gender
    group_by: [course, gender]
    bounds: {max_partitions: 4}
    statistics: [visitors]
  - name: gender
    group_by: [gender]
    statistics: [visitors]
`, "K", "1")
	var w world
	for i := range 300 {
		w.uses = append(w.uses, use{ID: []byte("one"), Course: fmt.Appendf(nil, "course-%d", i%30)})
	}
	for _, g := range []string{"M", "F", "F", "M", "F"} {
		w.visits = append(w.visits, visit{ID: []byte("one"), Gender: []byte(g)})
	}
	got := map[string]int64{}
	for _, c := range j.drawn(t, w) {
		if c.Operation == mechanismtest.AddNoise {
			got[c.Site.Table+"."+c.Site.Statistic] += c.Input
		}
		if c.Site.Table == "gender" && c.Input == 1 {
			assert.Equal(t, "female", c.Site.Group)
		}
	}
	assert.Equal(t, map[string]int64{"course.visitors": 4, "course.events": 12, "course_gender.visitors": 4, "gender.visitors": 1}, got)
}

// TestAttackB14EveryEventIsInExactlyOnePeriod puts events on the edges of two periods that meet, also
// where the clocks change, one microsecond before and after.
func TestAttackB14EveryEventIsInExactlyOnePeriod(t *testing.T) {
	const table = `
  - name: course
    group_by: [course]
    bounds: {max_partitions: 1}
    statistics: [visitors]
`
	for _, c := range []struct{ zone, from, to, end, edge string }{
		{"UTC", "2026-03-15", "2026-03-16", "2026-03-17", "2026-03-16T00:00:00Z"},
		{"Europe/Berlin", "2026-03-28", "2026-03-29", "2026-03-30", "2026-03-28T23:00:00Z"}, // clocks go forward
		{"Europe/Berlin", "2026-03-29", "2026-03-30", "2026-03-31", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-24", "2026-10-25", "2026-10-26", "2026-10-24T22:00:00Z"}, // clocks go back
		{"Europe/Berlin", "2026-10-25", "2026-10-26", "2026-10-27", "2026-10-25T23:00:00Z"},
		{"America/Santiago", "2026-09-05", "2026-09-06", "2026-09-07", "2026-09-06T04:00:00Z"}, // midnight does not exist
	} {
		t.Run(c.zone+" "+c.to, func(t *testing.T) {
			edge, err := time.Parse(time.RFC3339, c.edge)
			require.NoError(t, err)
			var w world
			var before, after []string
			for offset := -2 * 60 * 60; offset <= 2*60*60; offset += 15 * 60 {
				for _, us := range []int{-1, 0, 1} {
					at := edge.Add(time.Duration(offset)*time.Second + time.Duration(us)*time.Microsecond)
					name := at.Format(time.RFC3339Nano)
					w.uses = append(w.uses, use{ID: []byte(name), Course: []byte(name), At: []byte(name)})
					if at.Before(edge) {
						before = append(before, name)
					} else {
						after = append(after, name)
					}
				}
			}
			in := func(from, to string) (all []string) {
				j := newJob(t, table, "K", "1", "ZONE", c.zone, "PERIOD", "{from: "+from+", to: "+to+"}")
				res, _ := j.exact(t, w)
				for _, g := range groups(res, 0) {
					all = append(all, g[0])
				}
				return all
			}
			assert.ElementsMatch(t, before, in(c.from, c.to))
			assert.ElementsMatch(t, after, in(c.to, c.end))
		})
	}
}
