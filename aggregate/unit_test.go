// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const dayPolicy = `
version: 1
population: readers
privacy_unit:
  ids: [{column: id, kind: opaque}]
  per: $PER$
columns:
  day: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: day, zone: Europe/Paris, groups: private}
  week: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: iso_week, zone: Europe/Paris, groups: private}
  utc: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: day, groups: private}
  at: {from: usage, role: time, as: rfc3339, zone: Europe/Paris}
  page: {from: usage, of: event, role: dimension, groups: private}
  gender: {from: visitors, of: person, role: dimension, values: {F: female, M: male}, groups: [female, male, unknown]}
exclude:
  consent: {from: visitors, column: consent, allow: ["yes"]}
  listed: {columns: [{column: id, id: id}]}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

const dayRelease = `
version: 1
name: days
snapshot: s1
recipient: team
purpose: statistics
period: {from: 2026-03-16, to: 2026-03-30}
spend: {epsilon: "1", delta: "1e-6"}
tables:
`

type (
	read struct {
		ID   []byte `throng:"id"`
		At   []byte `throng:"at"`
		Page []byte `throng:"page"`
	}
	reader struct {
		ID      []byte `throng:"id"`
		Gender  []byte `throng:"gender"`
		Consent []byte `throng:"consent"`
	}
	listed struct {
		ID []byte `throng:"id"`
	}
)

// readers are some people who come each day at 23:30 in Paris, which is 22:30 in UTC.
func readersInputs(t *testing.T, days map[string][]int, refused, erased []string) aggregate.Inputs {
	t.Helper()
	var reads []read
	var who []reader
	for id, on := range days {
		for _, d := range on {
			for page := range 3 {
				reads = append(reads, read{[]byte(id), fmt.Appendf(nil, "2026-03-%dT23:30:00", d), fmt.Appendf(nil, "page-%d", page)})
			}
		}
		consent := "yes"
		if strings.Contains(strings.Join(refused, " "), id) {
			consent = "no"
		}
		who = append(who, reader{[]byte(id), []byte("F"), []byte(consent)})
	}
	var gone []listed
	for _, id := range erased {
		gone = append(gone, listed{[]byte(id)})
	}
	source := func(src table.Source, err error) []table.Source {
		require.NoError(t, err)
		return []table.Source{src}
	}
	return aggregate.Inputs{
		Usage: source(structio.Slice("reads", reads)), Visitors: source(structio.Slice("readers", who)),
		Listed: source(structio.Slice("gone", gone)),
	}
}

func dayJob(t *testing.T, per, tables string) (*aggregate.Policy, *aggregate.Release, error) {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", replace(dayPolicy, "$PER$", per))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", []byte(dayRelease+tables))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	return p, r, err
}

// exactDays runs without noise and returns what was asked of visitors and events, by statistic and group.
func exactDays(t *testing.T, p *aggregate.Policy, r *aggregate.Release, in aggregate.Inputs) map[string]int64 {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Zero)
	_, err := aggregate.Run(under(t, rec), p, r, in)
	require.NoError(t, err)
	got := map[string]int64{}
	for _, c := range rec.Calls() {
		if c.Operation == mechanismtest.AddNoise && c.Input != 0 {
			got[c.Site.Statistic+" "+strings.ReplaceAll(c.Site.Group, "\x1f", " ")] = c.Input
		}
	}
	return got
}

const byDay = `  - {name: days, group_by: [day, gender], bounds: {max_partitions: 1, max_per_partition: 2}, statistics: [visitors, events]}`

func TestAPersonsDaysAreBoundedEachByItself(t *testing.T) {
	p, r, err := dayJob(t, "day", byDay)
	require.NoError(t, err)
	in := readersInputs(t, map[string][]int{"a": {16, 17, 18}, "b": {16, 17}, "c": {16}, "no": {16, 17}, "gone": {17, 18}}, []string{"no"}, []string{"gone"})
	got := exactDays(t, p, r, in)
	for name := range got {
		if strings.HasPrefix(name, "bounding") {
			delete(got, name)
		}
	}
	want := map[string]int64{}
	for day, people := range map[string]int64{"2026-03-16": 3, "2026-03-17": 2, "2026-03-18": 1} {
		for name := range got {
			if strings.Contains(name, day) {
				n := people
				if strings.HasPrefix(name, "events") {
					n *= 2 // of three records on each day
				}
				want[name] = n
			}
		}
	}
	assert.Equal(t, want, got)
	assert.Contains(t, fmt.Sprint(got), "2026-03-18")
}

// TestAttackB01OneDayOfAPerson removes what one person did on one day: one group changes, by the bounds of a day.
func TestAttackB01OneDayOfAPerson(t *testing.T) {
	p, r, err := dayJob(t, "day", `  - {name: days, group_by: [day, page], bounds: {max_partitions: 2, max_per_partition: 1}, statistics: [visitors, events]}`)
	require.NoError(t, err)
	all := map[string][]int{"a": {16, 17, 18}, "b": {16, 17}, "c": {16, 18}}
	less := map[string][]int{"a": {16, 18}, "b": {16, 17}, "c": {16, 18}}
	before := exactDays(t, p, r, readersInputs(t, all, nil, nil))
	after := exactDays(t, p, r, readersInputs(t, less, nil, nil))
	changed := map[string]int64{}
	for name, n := range before {
		if d := n - after[name]; d != 0 {
			statistic, group, _ := strings.Cut(name, " ")
			changed[statistic] += d
			assert.LessOrEqual(t, d, int64(1))
			if statistic != "bounding" {
				assert.Contains(t, group, "2026-03-17")
			}
		}
	}
	assert.Equal(t, map[string]int64{"visitors": 2, "events": 2, "bounding": 1}, changed)
}

func TestWeeksAreWholeOnTheWallClock(t *testing.T) {
	p, r, err := dayJob(t, "week", `  - {name: weeks, group_by: [week], bounds: {max_partitions: 1, max_per_partition: 4}, statistics: [visitors, events]}`)
	require.NoError(t, err)
	// The 22nd is a Sunday, the last day of a week.
	got := exactDays(t, p, r, readersInputs(t, map[string][]int{"a": {16, 22, 23}, "b": {22}}, nil, nil))
	assert.Equal(t, int64(2), got["visitors 2026-W12"])
	assert.Equal(t, int64(4+3), got["events 2026-W12"], "a has six records, of which four count")
	assert.Equal(t, int64(1), got["visitors 2026-W13"])
}

func TestWhatWouldMixDaysIsRefused(t *testing.T) {
	for _, c := range []struct{ per, tables, want string }{
		{"day", `  - {name: x, group_by: [gender], statistics: [visitors]}`, "group_by: got groups of more than one day"},
		{"day", `  - {name: x, group_by: [page], bounds: {max_partitions: 2}, statistics: [visitors]}`, "group_by: got groups of more than one day"},
		{"day", `  - {name: x, group_by: [week], bounds: {max_partitions: 2}, statistics: [visitors]}`, "group_by: got groups of more than one day"},
		{"day", `  - {name: x, group_by: [utc], bounds: {max_partitions: 2}, statistics: [visitors]}`, "group_by: got groups of more than one day"},
		{"day", `  - {name: x, group_by: [day, page], bounds: {max_partitions: 2}, statistics: [{share: visitors, within: [page]}]}`, "statistics[0].within: got a whole of more than one day"},
		{"day", `  - {name: x, group_by: [day, page], bounds: {max_partitions: 2}, statistics: [{share: visitors, within: [day]}]}`, ""},
		{"week", `  - {name: x, group_by: [day], bounds: {max_partitions: 7}, statistics: [visitors]}`, ""},
	} {
		_, _, err := dayJob(t, c.per, c.tables)
		if c.want == "" {
			assert.NoError(t, err, c.tables)
		} else {
			assert.ErrorContains(t, err, c.want, c.tables)
		}
	}
	p, r, err := dayJob(t, "day", byDay)
	require.NoError(t, err)
	other := *r
	other.Period = aggregate.Period{All: true}
	_, err = aggregate.NewPlan(p, &other)
	assert.ErrorContains(t, err, "release.period: got all, want both ends, with privacy_unit.per")
	other.Period = aggregate.Period{From: "2020-01-01", To: "2026-01-01"}
	_, err = aggregate.NewPlan(p, &other)
	assert.ErrorContains(t, err, "at most 1000 days")

	rule := *p
	rule.Exclude.Consent = &aggregate.ConsentRule{From: aggregate.Usage, Column: "consent", Allow: []string{"yes"}}
	_, err = aggregate.NewPlan(&rule, r)
	assert.ErrorContains(t, err, "privacy_unit.per: got day, and a rule that reads consent of usage")

	_, err = aggregate.NewPlan(func() *aggregate.Policy { q := *p; q.PrivacyUnit.Per = "month"; return &q }(), r)
	assert.ErrorContains(t, err, "privacy_unit.per")
}

// TestUnitsHaveAccountsOfTheirOwn: ε for each day says nothing of ε for each person.
func TestUnitsHaveAccountsOfTheirOwn(t *testing.T) {
	var m aggregate.MemoryCharger
	one := spendOf(t, aggregate.PlanSpend{Epsilon: "1", Delta: "0"})
	day, person := chargeOf("site", one, one), chargeOf("site", one, one)
	day.Unit = "person-day"
	require.NoError(t, m.Charge(t.Context(), day))
	require.NoError(t, m.Charge(t.Context(), person))
	assert.Error(t, m.Charge(t.Context(), day))
	assert.True(t, one.Equal(m.Spent("site", "person-day")))

	p, r, err := dayJob(t, "day", byDay)
	require.NoError(t, err)
	plan, err := aggregate.NewPlan(p, r)
	require.NoError(t, err)
	assert.Equal(t, "person-day", plan.UnitName)
	assert.Equal(t, "day of a person Europe/Paris, by id (who has records in n days has n times the privacy loss)", plan.Unit)
}

const recordPolicy = `
version: 1
population: requests
privacy_unit: {per: record}
columns:
  page: {from: usage, of: event, role: dimension, groups: private}
min_people: {k: 5}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

// TestRecordsAreNotPeople: without ids, every record counts as one, and nothing is called a visitor.
func TestRecordsAreNotPeople(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", []byte(recordPolicy))
	require.NoError(t, err)
	release := strings.Replace(dayRelease, "{from: 2026-03-16, to: 2026-03-30}", "all", 1)
	r, err := aggregate.ParseRelease("release", []byte(release+"  - {name: pages, group_by: [page], statistics: [events]}"))
	require.NoError(t, err)
	var reads []read
	for i := range 3000 {
		reads = append(reads, read{ID: []byte("a"), Page: fmt.Appendf(nil, "page-%d", i%3)})
	}
	for range 4 {
		reads = append(reads, read{ID: []byte("a"), Page: []byte("rare")})
	}
	source, err := structio.Slice("reads", reads)
	require.NoError(t, err)
	rec := mechanismtest.New(mechanismtest.Zero)
	res, err := (&aggregate.Runner{Workers: 2}).Run(under(t, rec), p, r, aggregate.Inputs{Usage: []table.Source{source}})
	require.NoError(t, err)
	require.Len(t, res.Tables[0].Rows, 3, "four records are fewer than five")
	for _, row := range res.Tables[0].Rows {
		assert.Equal(t, 1000.0, row.Value.Float64())
	}
	assert.Empty(t, res.Tables[0].Bounding)
	assert.Equal(t, "record", res.Plan.UnitName)
	for _, c := range rec.Calls() {
		assert.Equal(t, []int64{1, 1}, []int64{c.L0, c.LInf})
	}
	text := res.Plan.String()
	assert.Contains(t, text, "each record (a person who has several is promised nothing)")
	assert.Contains(t, text, "5 records in a published group")
	assert.NotContains(t, text, "people")
	for name, content := range files(t, res) {
		if name == "release.json" || name == "README.md" {
			assert.NotRegexp(t, `[0-9] (distinct )?people`, content, name)
		}
	}
}

func TestRecordsRefuseWhatNeedsPeople(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", replace(dayPolicy, "$PER$", "record"))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", []byte(dayRelease+byDay))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	for _, want := range []string{
		"per: got record beside ids", "per: got record beside exclude.listed", "per: got record beside columns or rules that read visitors",
		"columns.gender.of: got person, want event",
	} {
		assert.ErrorContains(t, err, want)
	}
	p, err = aggregate.ParsePolicy("policy", []byte(recordPolicy))
	require.NoError(t, err)
	r, err = aggregate.ParseRelease("release", []byte(strings.Replace(dayRelease, "{from: 2026-03-16, to: 2026-03-30}", "all", 1)+
		"  - {name: pages, group_by: [page], bounds: {max_partitions: 2}, statistics: [visitors, {rate: events, per: visitors}, {share: visitors}]}"))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	for _, want := range []string{"statistics[0]: got visitors, want events", "statistics[1]", "statistics[2]", "bounds: got bounds, want none"} {
		assert.ErrorContains(t, err, want)
	}
}
