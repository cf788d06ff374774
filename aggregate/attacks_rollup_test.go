// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// places is a hierarchy: 12 towns in 3 regions of 2 countries. The last region is that of one town.
var places = func() string {
	var b strings.Builder
	for i := range 12 {
		region, country := []string{"north", "south", "isle"}[min(i/5, 2)], "land"
		if i >= 10 {
			country = "sea"
		}
		fmt.Fprintf(&b, "p%d;town%d;%s;%s\n", i, i, region, country)
	}
	return b.String()
}()

// rollUpColumns are dimensions of a hierarchy of places, of events and of people, and of times.
const rollUpColumns = `
  town: {from: usage, of: event, role: dimension, column: place, lookup: {file: f, by: value}, otherwise: unknown, groups: private}
  region: {from: usage, of: event, role: dimension, column: place, lookup: {file: f, by: value, level: 2}, groups: private}
  country: {from: usage, of: event, role: dimension, column: place, lookup: {file: f, by: value, level: 3}}
  home_town: {from: usage, of: person, role: dimension, column: home, lookup: {file: f, by: value}}
  home_region: {from: usage, of: person, role: dimension, column: home, lookup: {file: f, by: value, level: 2}}
  kind: {from: usage, of: event, role: dimension, groups: [a, b]}
  hour: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: hour, groups: private}
  day: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: day, groups: private}
  month: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: month, groups: private}
  spent: {from: usage, role: value, clamp: [0, 10]}`

func rollUpPolicy(t testing.TB, columns string) *aggregate.Policy {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", []byte(`
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:`+columns+`
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`))
	require.NoError(t, err)
	for _, c := range p.Columns {
		if c.Lookup != nil {
			c.Lookup.Table = places
		}
	}
	return p
}

// rollUpJob is a job over the hierarchy; each table is the rest of a list item.
func rollUpJob(t testing.TB, spend string, tables ...string) job {
	t.Helper()
	r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
spend: `+spend+`
tables:
  - `+strings.Join(tables, "\n  - ")+"\n"))
	require.NoError(t, err)
	j := job{rollUpPolicy(t, rollUpColumns), r}
	_, err = aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	return j
}

// trip is a record of the hierarchy.
type trip struct {
	id                    string
	place, home, kind, at string
	spent                 int
}

func (r trip) line() string {
	return fmt.Sprintf("%s,%s,%s,%s,%s,%d\n", r.id, r.place, r.home, r.kind, r.at, r.spent)
}

func trips(t testing.TB, all ...trip) aggregate.Inputs {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,place,home,kind,at,spent\n")
	for _, r := range all {
		b.WriteString(r.line())
	}
	return aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(b.String()))}}
}

// visits returns one record of each of n people; where says of which place.
func visits(prefix string, n int, where func(i int) int) []trip {
	var all []trip
	for i := range n {
		place := fmt.Sprint("p", where(i))
		all = append(all, trip{fmt.Sprint(prefix, i), place, place, "a", "2026-03-16T12:00:00Z", 3})
	}
	return all
}

func (j job) runTrips(t testing.TB, m mechanism.Mechanism, all ...trip) *aggregate.Result {
	t.Helper()
	res, err := (&aggregate.Runner{Workers: 1}).Run(under(t, m), j.policy, j.release, trips(t, all...))
	require.NoError(t, err)
	return res
}

// drawnTrips returns all that a job asks of the mechanism without noise.
func (j job) drawnTrips(t testing.TB, all ...trip) []mechanismtest.Call {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Zero)
	p, err := aggregate.Prepare(under(t, nil), j.policy, j.release, trips(t, all...), 2)
	require.NoError(t, err)
	publish(t, p, rec)
	return rec.Calls()
}

const (
	wide  = `{epsilon: "20", delta: "0.001"}`
	towns = `{name: t, group_by: [town, kind], bounds: {max_partitions: 3, max_per_partition: 4}, statistics: [visitors, events, {sum: spent}], roll_up: {town: [region, country]}}`
	homes = `{name: h, group_by: [home_town], statistics: [visitors], roll_up: {home_town: [home_region]}}`
)

// shownGroups are the groups of a table that are shown with some number.
func shownGroups(r *aggregate.Result, name string) []string {
	var all []string
	for _, tab := range r.Tables {
		for _, row := range tab.Rows {
			if tab.Name == name && row.Value.Known {
				all = append(all, strings.Join(row.Group, "/"))
			}
		}
	}
	return slices.Compact(all)
}

// everyLevel are the tables of towns and homes.
var everyLevel = []string{"t", "t_rollup_region", "t_rollup_country", "h", "h_rollup_home_region"}

// TestAttackX08TenPeopleAreShownAtNoLevel: fewer than k people in two towns of a region, whatever the noise; 19 too, and
// people of k can be shown by the same rules.
func TestAttackX08TenPeopleAreShownAtNoLevel(t *testing.T) {
	j := rollUpJob(t, wide, towns, homes)
	for _, n := range []int{10, 19} {
		p, err := aggregate.Prepare(under(t, nil), j.policy, j.release, trips(t, visits("x", n, func(i int) int { return i % 2 })...), 1)
		require.NoError(t, err)
		for seed := range 200 {
			m := live
			if seed == 0 {
				m = mechanismtest.New(mechanismtest.PlusHuge)
			}
			for _, tab := range publish(t, p, m) {
				for _, row := range tab.Rows {
					require.False(t, row.Value.Known, "%s of %v in table %s", row.Statistic, row.Group, tab.Name)
				}
			}
		}
	}
	res := j.runTrips(t, mechanismtest.New(mechanismtest.PlusHuge), visits("x", 20, func(int) int { return 1 })...)
	for _, name := range everyLevel {
		assert.NotEmpty(t, shownGroups(res, name), name)
	}
}

// TestAttackS10LongTailsBecomeTheirParent has ten towns of ten people each, and one of 40 people: the rest of a region
// is in its own number, which is counted and not made of what is hidden.
func TestAttackS10LongTailsBecomeTheirParent(t *testing.T) {
	j := rollUpJob(t, wide, towns)
	all := slices.Concat(visits("x", 100, func(i int) int { return i % 10 }), visits("y", 90, func(int) int { return 0 }))
	rec := mechanismtest.New(mechanismtest.Zero)
	res := j.runTrips(t, rec, all...)
	assert.Equal(t, []string{"town0/a"}, shownGroups(res, "t"))
	assert.Equal(t, []string{"north/a", "south/a"}, shownGroups(res, "t_rollup_region"))
	assert.Equal(t, []string{"land/a"}, shownGroups(res, "t_rollup_country"))
	assert.Equal(t, 140.0, value(t, res, "t_rollup_region", "visitors", "north", "a"), "of 50 of whom the towns are withheld")
	assert.Equal(t, 190.0, value(t, res, "t_rollup_country", "visitors", "land", "a"))
	assert.Equal(t, 570.0, value(t, res, "t_rollup_country", "sum_spent", "land", "a"))
	for name, content := range files(t, res) {
		assert.NotContains(t, content, "town3", name)
	}
	// Every group that is shown is one of the dimension's own labels, with a draw of its own.
	drawn := map[string]bool{}
	for _, c := range rec.Calls() {
		if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
			drawn[c.Site.Table+" "+strings.ReplaceAll(c.Site.Group, "\x1f", "/")] = true
		}
	}
	labels := []string{"town0", "north", "south", "isle", "land", "sea", "unknown"}
	for _, name := range []string{"t", "t_rollup_region", "t_rollup_country"} {
		for _, group := range shownGroups(res, name) {
			assert.Contains(t, drawn, name+" "+group)
			assert.Contains(t, labels, strings.Split(group, "/")[0])
		}
	}
}

// TestAttackB01APersonCountsOnceInEachLevel has people with many records in many towns.
func TestAttackB01APersonCountsOnceInEachLevel(t *testing.T) {
	j := rollUpJob(t, wide, towns)
	all := visits("x", 400, func(i int) int { return (i / 100) % 5 })
	for i := range all {
		all[i].id = fmt.Sprint("x", i%100) // each person in four towns of the north
	}
	res := j.runTrips(t, mechanismtest.New(mechanismtest.Zero), all...)
	assert.Equal(t, 100.0, value(t, res, "t_rollup_region", "visitors", "north", "a"))
	assert.Equal(t, 100.0, value(t, res, "t_rollup_country", "visitors", "land", "a"))
	assert.Equal(t, 400.0, value(t, res, "t_rollup_region", "events", "north", "a"), "of which the towns lose a quarter")
	inTowns := 0.0
	for i := range 4 {
		inTowns += value(t, res, "t", "visitors", fmt.Sprint("town", i), "a")
	}
	assert.Equal(t, 300.0, inTowns, "three towns of four count")
}

// hostileTrips are records of one person, as many and in as many places as it takes to break a bound.
func hostileTrips(r *rand.Rand) []trip {
	var all []trip
	for range 1 + r.IntN(200) {
		all = append(all, trip{
			"hostile", fmt.Sprint("p", r.IntN(14)), fmt.Sprint("p", r.IntN(14)), []string{"a", "b", "c", ""}[r.IntN(4)],
			fmt.Sprintf("2026-%02d-%02dT%02d:00:00Z", 1+r.IntN(3), 1+r.IntN(28), r.IntN(24)), r.IntN(100) - 40,
		})
	}
	return all
}

// TestAttackB01OnePersonChangesNoMoreOfALevelThanItsPlanSays holds the exact numbers of neighbours against what the noise
// of each level is made for.
func TestAttackB01OnePersonChangesNoMoreOfALevelThanItsPlanSays(t *testing.T) {
	j := rollUpJob(t, `{epsilon: "4", delta: "1e-6"}`,
		towns, homes,
		`{name: own, group_by: [kind, town], bounds: {max_partitions: 6, max_per_partition: 2}, statistics: [{share: events, within: [town]}, {share: visitors}], roll_up: {town: [{to: region, name: wide, bounds: {max_partitions: 1, max_per_partition: 9}}]}}`,
		`{name: times, group_by: [hour], bounds: {max_partitions: 5, max_per_partition: 2}, statistics: [visitors, {quantile: spent, rank: 0.5}], roll_up: {hour: [day, {to: month, bounds: {max_partitions: 2}}]}}`)
	j.policy.MinPeople.K = 1
	bounding := func(c mechanismtest.Call) bool { return c.Site.Statistic == "bounding" }
	seen := map[string]bool{}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 5))
		crowd := visits("x", r.IntN(40), func(int) int { return r.IntN(12) })
		without := slices.DeleteFunc(j.drawnTrips(t, crowd...), bounding)
		with := slices.DeleteFunc(j.drawnTrips(t, slices.Concat(crowd, hostileTrips(r))...), bounding)
		requireNeighbors(t, without, with)
		for _, c := range with {
			seen[c.Site.Table] = true
		}
	}
	assert.Len(t, seen, 10, "every level was drawn")
}

// TestAttackS09X08LevelsAreThoseOfTheRelease replays the noise of one input over neighbours: what is shown, at which
// level, and every label stay, whether or not a child of a group is withheld.
func TestAttackS09X08LevelsAreThoseOfTheRelease(t *testing.T) {
	j := rollUpJob(t, wide, towns, homes)
	base := slices.Concat(visits("x", 300, func(i int) int { return i % 3 }), visits("y", 19, func(int) int { return 3 }))
	rec := mechanismtest.New(mechanismtest.Live)
	want := files(t, j.runTrips(t, rec, base...))
	moved := slices.Clone(base)
	for i := range moved[:40] {
		moved[i].place, moved[i].home = "p1", "p1" // over the edge of no region, and of every town
	}
	for name, other := range map[string][]trip{
		"one person more":              slices.Concat(base, visits("z", 1, func(int) int { return 3 })),
		"one person less":              base[1:],
		"a person of many places more": slices.Concat(base, hostileTrips(rand.New(rand.NewPCG(1, 2)))),
		"people who moved":             moved,
		"a town less":                  base[:300],
	} {
		t.Run(name, func(t *testing.T) {
			replay := mechanismtest.NewReplay(rec.Calls())
			got := j.runTrips(t, replay, other...)
			assert.Equal(t, want, files(t, got))
			var order, before []string
			for _, c := range replay.Calls() {
				if c.Site.Table != "t" { // which has a town more or less
					order = append(order, c.Site.Table+c.Site.Statistic)
				}
			}
			for _, c := range rec.Calls() {
				if c.Site.Table != "t" {
					before = append(before, c.Site.Table+c.Site.Statistic)
				}
			}
			assert.Equal(t, slices.Compact(before), slices.Compact(order), "the same tables are drawn in the same order")
		})
	}
}

// TestAttackS11AnHourOfOnePersonIsNowhere: its day is shown, and neither the hour nor the month of another.
func TestAttackS11AnHourOfOnePersonIsNowhere(t *testing.T) {
	j := rollUpJob(t, wide, `{name: times, group_by: [hour], bounds: {max_partitions: 2, max_per_partition: 1}, statistics: [visitors], roll_up: {hour: [day, month]}}`)
	all := visits("x", 100, func(int) int { return 0 })
	all = append(all, trip{"lone", "p0", "p0", "a", "2026-03-16T03:00:00Z", 1}, trip{"loner", "p0", "p0", "a", "2026-05-09T04:00:00Z", 1})
	for _, mode := range []mechanismtest.Mode{mechanismtest.Zero, mechanismtest.PlusHuge} {
		res := j.runTrips(t, mechanismtest.New(mode), all...)
		assert.Equal(t, []string{"2026-03-16T12"}, prefixes(shownGroups(res, "times"), len("2026-03-16T12")))
		assert.Equal(t, []string{"2026-03-16"}, shownGroups(res, "times_rollup_day"))
		assert.Equal(t, []string{"2026-03"}, shownGroups(res, "times_rollup_month"))
		for name, content := range files(t, res) {
			for _, label := range []string{"T03", "T04", "2026-05"} {
				assert.NotContains(t, content, label, name)
			}
		}
	}
}

func prefixes(texts []string, n int) []string {
	for i := range texts {
		texts[i] = texts[i][:n]
	}
	return texts
}

// TestAttackX12ADeletedPersonLeavesNoTrace releases, leaves a person out by request and releases again: the second
// release is charged again and drawn afresh, and what it adds noise to is what it would be had the person never been.
func TestAttackX12ADeletedPersonLeavesNoTrace(t *testing.T) {
	j := rollUpJob(t, `{epsilon: "8", delta: "0.001"}`, towns, homes)
	j.policy.Exclude.Listed = &aggregate.ListedRule{Columns: []aggregate.ListColumn{{Column: "erased", ID: "id"}}}
	crowd := visits("x", 300, func(i int) int { return i % 3 })
	all := slices.Concat(crowd[:150], hostileTrips(rand.New(rand.NewPCG(3, 4))), crowd[150:])
	inputs := func(erased string, all ...trip) aggregate.Inputs {
		in := trips(t, all...)
		in.Listed = []table.Source{csvBytes(t, []byte("erased\n"+erased+"\n"))}
		return in
	}
	asked := func(in aggregate.Inputs) []mechanismtest.Call {
		rec := mechanismtest.New(mechanismtest.Zero)
		p, err := aggregate.Prepare(under(t, nil), j.policy, j.release, in, 2)
		require.NoError(t, err)
		publish(t, p, rec)
		return rec.Calls()
	}
	never := asked(inputs("nobody", crowd...))
	assert.NotEqual(t, never, asked(inputs("nobody", all...)))
	assert.Equal(t, never, asked(inputs("hostile", all...)))

	charger := &aggregate.MemoryCharger{}
	run := func(erased string) (*aggregate.Result, error) {
		return (&aggregate.Runner{Workers: 1, Charger: charger}).Run(under(t, live), j.policy, j.release, inputs(erased, all...))
	}
	first, err := run("nobody")
	require.NoError(t, err)
	second, err := run("hostile")
	require.NoError(t, err)
	assert.Equal(t, "16", charger.Spent("site", "person").Epsilon.String())
	assert.NotEqual(t, first.Tables[0].Rows, second.Tables[0].Rows, "noise is fresh, in nine numbers or more")
	_, err = run("hostile")
	assert.ErrorIs(t, err, dp.ErrBudgetExhausted, "a third is one too many")
	for name, content := range files(t, second) {
		assert.NotContains(t, content, "hostile", name)
	}
}
