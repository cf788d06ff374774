// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const consentsPolicy = `
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]$PER$}
columns:
  at: {from: usage, role: time, as: rfc3339, zone: Europe/Berlin}
  day: {from: usage, of: event, role: dimension, column: at, as: rfc3339, zone: Europe/Berlin, grain: day, groups: private}
  page: {from: usage, of: event, role: dimension, groups: private}
exclude:
  consents: {columns: [{column: who, id: id}], status: said, allow: [granted, allow_all], at: at, as: rfc3339, zone: Europe/Berlin$MORE$}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics, advertising]}}
`

const consentsRelease = `
version: 1
name: r
snapshot: s1
recipient: team
purpose: $PURPOSE$
period: {from: 2026-03-16, to: 2026-03-23}
$ASOF$
spend: {epsilon: "20", delta: "0.001"}
tables:
  - {name: days, group_by: [day, page], bounds: {max_partitions: 2}, statistics: [visitors]}
`

// consentsUsage is two days of a person for every letter, who each have a page of their own.
func consentsUsage(people string) string {
	var b strings.Builder
	b.WriteString("id,at,page\n")
	for _, who := range people {
		fmt.Fprintf(&b, "%c,2026-03-17T12:00:00Z,%[1]c\n%[1]c,2026-03-18T12:00:00Z,%[1]c\n", who)
	}
	return b.String()
}

func consentsJob(t testing.TB, pairs ...string) job {
	t.Helper()
	pairs = append(pairs, "PER", "", "MORE", "", "PURPOSE", "statistics", "ASOF", "as_of: 2026-03-20T00:00:00Z")
	p, err := aggregate.ParsePolicy("policy", replaceWords(consentsPolicy, pairs))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", replaceWords(consentsRelease, pairs))
	require.NoError(t, err)
	return job{p, r}
}

// counts returns who counts on both days.
func (j job) counts(t testing.TB, usage string, consents ...string) string {
	t.Helper()
	in := aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}}
	for _, log := range consents {
		in.Consents = append(in.Consents, csvBytes(t, []byte(log)))
	}
	rec := mechanismtest.New(mechanismtest.Zero)
	_, err := aggregate.Run(under(t, rec), j.policy, j.release, in)
	require.NoError(t, err)
	days := map[string]int{}
	for _, c := range rec.Calls() {
		if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
			_, page, _ := strings.Cut(c.Site.Group, "\x1f")
			days[page]++
		}
	}
	for page, n := range days {
		assert.Equal(t, 2, n, "days of %s", page)
	}
	return strings.Join(slices.Sorted(maps.Keys(days)), "")
}

// TestTheLastDecisionHolds has a person and their log in each line; the cut-off is 2026-03-20T00:00:00Z.
func TestTheLastDecisionHolds(t *testing.T) {
	cases := []struct {
		name, log          string
		mustJoin, mayLeave bool // whether the person counts where people must consent, and where they may leave
	}{
		{"nothing", "", false, true},
		{"a yes", "granted 2026-03-01T00:00:00Z", true, true},
		{"another yes", "ALLOW_ALL 2026-03-01T00:00:00Z", true, true},
		{"a no", "withdrawn 2026-03-01T00:00:00Z", false, false},
		{"a word that is not listed", "pending 2026-03-01T00:00:00Z", false, false},
		{"no word", " 2026-03-01T00:00:00Z", false, false},
		{"yes, then no", "granted 2026-03-01T00:00:00Z|denied 2026-03-02T00:00:00Z", false, false},
		{"no, then yes", "denied 2026-03-01T00:00:00Z|granted 2026-03-02T00:00:00Z", true, true},
		{"both at once", "granted 2026-03-01T01:00:00+01:00|denied 2026-03-01T00:00:00Z", false, false},
		{"yes, no, yes", "granted 2026-03-01T00:00:00Z|denied 2026-03-02T00:00:00Z|granted 2026-03-03T00:00:00Z", true, true},
		{"before 1970", "denied 1969-01-01T00:00:00Z|granted 1969-06-01T00:00:00Z", true, true},
		{"a moment before the cut-off", "granted 2026-03-19T23:59:59.999999Z", true, true},
		{"a yes at the cut-off", "granted 2026-03-20T00:00:00Z", false, true},
		{"local time, an hour ahead", "granted 2026-03-20T00:59:59", true, true},
		{"local time at the cut-off", "granted 2026-03-20T01:00:00", false, true},
		{"a no after the cut-off", "granted 2026-03-01T00:00:00Z|withdrawn 2026-08-01T00:00:00Z", false, false},
		{"no and yes after the cut-off", "granted 2026-03-01T00:00:00Z|withdrawn 2026-08-01T00:00:00Z|granted 2026-09-01T00:00:00Z", false, false},
		{"no and a late yes", "withdrawn 2026-03-01T00:00:00Z|granted 2026-08-01T00:00:00Z", false, false},
		{"a yes at no time", "granted soon", false, false},
		{"a no at no time before a yes", "denied |granted 2026-03-01T00:00:00Z", false, false},
	}
	log := "who,said,at\nnobody,granted,2026-01-01T00:00:00Z\n,denied,2026-01-01T00:00:00Z\n"
	people := ""
	for i, c := range cases {
		people += string(rune('a' + i))
		for _, decision := range strings.Split(c.log, "|") {
			said, at, _ := strings.Cut(decision, " ")
			if c.log != "" {
				log += fmt.Sprintf("%c,%s,%s\n", 'a'+i, said, at)
			}
		}
	}
	for keep, counts := range map[string]func(i int) bool{
		"":              func(i int) bool { return cases[i].mustJoin },
		", unset: keep": func(i int) bool { return cases[i].mayLeave },
	} {
		for _, per := range []string{"", ", per: day"} {
			got := consentsJob(t, "MORE", keep, "PER", per).counts(t, consentsUsage(people), log)
			for i, c := range cases {
				assert.Equal(t, counts(i), strings.ContainsRune(got, rune('a'+i)), c.name+keep+per)
			}
		}
	}
}

// TestConsentIsForAPurpose: words that a purpose does not list are about something else, and what cannot be read
// refuses everything.
func TestConsentIsForAPurpose(t *testing.T) {
	const purposes = ", purpose: scope, purposes: {statistics: [analytics, all], advertising: [ads, ALL]}"
	const log = "who,said,at,scope\n" +
		"a,granted,2026-03-01T00:00:00Z,analytics\n" +
		"b,granted,2026-03-01T00:00:00Z,Ads\n" +
		"c,granted,2026-03-01T00:00:00Z,all\n" +
		"d,granted,2026-03-01T00:00:00Z,\n" + // nobody knows to what
		"e,granted,2026-03-01T00:00:00Z,all\n" + "e,denied,2026-03-02T00:00:00Z,ads\n" +
		"f,granted,2026-03-01T00:00:00Z,all\n" + "f,denied,2026-03-02T00:00:00Z,\n" + // nobody knows what, so all
		"g,granted,2026-03-01T00:00:00Z,all\n" + "g,denied,2026-03-02T00:00:00Z,newsletter\n"
	usage := consentsUsage("abcdefgh")
	assert.Equal(t, "aceg", consentsJob(t, "MORE", purposes).counts(t, usage, log))
	assert.Equal(t, "bcg", consentsJob(t, "MORE", purposes, "PURPOSE", "advertising").counts(t, usage, log))
	assert.Equal(t, "abcdegh", consentsJob(t, "MORE", purposes+", unset: keep").counts(t, usage, log))
	assert.Equal(t, "abcdgh", consentsJob(t, "MORE", purposes+", unset: keep", "PURPOSE", "advertising").counts(t, usage, log))
}

// TestConsentExpires where the policy says so: 30 days before the day of the cut-off is 18 February, in Berlin.
func TestConsentExpires(t *testing.T) {
	const log = "who,said,at\n" +
		"a,granted,2026-02-17T23:00:00Z\n" +
		"b,granted,2026-02-17T22:59:59Z\n" +
		"c,denied,2026-03-01T00:00:00Z\nc,granted,2026-02-17T22:59:59Z\n" +
		"d,granted,2026-02-17T22:59:59Z\nd,granted,2026-03-01T00:00:00Z\n"
	j := consentsJob(t, "MORE", ", days: 30")
	assert.Equal(t, "ad", j.counts(t, consentsUsage("abcd"), log))
	plan, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	assert.Equal(t, "2026-03-20T00:00:00Z", plan.AsOf)
	assert.Contains(t, plan.Exclusions, "all whose last decision in the consents input (said, by at) is not one of granted, allow_all; "+
		"consent counts if it was given before 2026-03-20T00:00:00Z and at most 30 days earlier, a refusal whenever it was made; and all who made none")
	assert.Contains(t, plan.Inputs, aggregate.PlanInput{Name: "consents", Columns: []string{"who", "said", "at"}})
}

// TestACutOffIsOneInstant: a date is its first one in the zone of the time column, and without one the period's first day
// is.
func TestACutOffIsOneInstant(t *testing.T) {
	for asOf, want := range map[string]string{
		"as_of: 2026-03-20":                  "2026-03-19T23:00:00Z",
		"as_of: 2026-03-30":                  "2026-03-29T22:00:00Z", // the day after the clocks went ahead
		"as_of: 2026-03-20T00:00:00.5-05:00": "2026-03-20T05:00:00.5Z",
		"":                                   "2026-03-15T23:00:00Z",
	} {
		j := consentsJob(t, "ASOF", asOf)
		plan, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(t, err)
		assert.Equal(t, want, plan.AsOf, asOf)
		assert.Contains(t, plan.String(), "as of          "+want)
	}
}

// TestDecisionsAreInNoOrder: any order and division of the log gives the same people, by any of their linked ids.
func TestDecisionsAreInNoOrder(t *testing.T) {
	j := consentsJob(t, "MORE", "")
	j.policy.PrivacyUnit.IDs = append(j.policy.PrivacyUnit.IDs, aggregate.IDColumn{Column: "cookie", Kind: "opaque"})
	j.policy.PrivacyUnit.Links = &aggregate.Links{MaxIDs: 5, Columns: []aggregate.ListColumn{{Column: "one", ID: "id"}, {Column: "other", ID: "cookie"}}}
	j.policy.Exclude.Consents.Columns = append(j.policy.Exclude.Consents.Columns, aggregate.ListColumn{Column: "web", ID: "cookie"})
	usage, links := "id,cookie,at,page\n", "one,other\n"
	var log []string
	want := int64(0)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		usage += fmt.Sprintf("p%d,,2026-03-17T12:00:00Z,x\n,c%[1]d,2026-03-17T12:00:00Z,x\n", i)
		links += fmt.Sprintf("p%d,c%[1]d\n", i)
		decisions := r.Perm(5) // by the days of which the last one decides
		for day, n := range decisions {
			id := []string{fmt.Sprintf("p%d,", i), fmt.Sprintf(",c%d", i), fmt.Sprintf("p%d,c%[1]d", i)}[n%3]
			log = append(log, fmt.Sprintf("%s,%s,2026-03-0%dT00:00:00Z\n", id, []string{"granted", "denied"}[n%2], day+1))
		}
		if decisions[4]%2 == 0 {
			want++
		}
	}
	for range 4 {
		r.Shuffle(len(log), func(a, b int) { log[a], log[b] = log[b], log[a] })
		in := aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}, Links: []table.Source{csvBytes(t, []byte(links))}}
		for part := range slices.Chunk(log, 100) {
			in.Consents = append(in.Consents, csvBytes(t, []byte("who,web,said,at\n"+strings.Join(part, ""))))
		}
		rec := mechanismtest.New(mechanismtest.Zero)
		_, err := aggregate.Run(under(t, rec), j.policy, j.release, in)
		require.NoError(t, err)
		for _, c := range rec.Calls() {
			if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
				assert.Equal(t, want, c.Input)
			}
		}
	}
}

func TestConsentsThatCannotBeReadAreRefused(t *testing.T) {
	j := consentsJob(t)
	run := func(in aggregate.Inputs) error {
		in.Usage = []table.Source{csvBytes(t, []byte(consentsUsage("a")))}
		_, err := (&aggregate.Runner{Charger: uncharged{}}).Run(under(t, nil), j.policy, j.release, in)
		return err
	}
	err := run(aggregate.Inputs{})
	require.ErrorIs(t, err, aggregate.ErrInputs)
	assert.ErrorContains(t, err, "consents input: got none, want what people have decided; name its files")
	err = run(aggregate.Inputs{Consents: []table.Source{csvBytes(t, []byte("who,said\n"))}})
	require.ErrorIs(t, err, table.ErrSchema)
	assert.ErrorContains(t, err, `column "at"`)
	j.policy.Exclude.Consents = nil
	err = run(aggregate.Inputs{Consents: []table.Source{csvBytes(t, []byte("who,said,at\n"))}})
	require.ErrorIs(t, err, aggregate.ErrInputs)
	assert.ErrorContains(t, err, "the policy's exclude has no consents")
	j.policy.Exclude.Consents = &aggregate.ConsentsRule{}
	j.policy.PrivacyUnit = aggregate.PrivacyUnit{Per: "record"}
	_, err = aggregate.NewPlan(j.policy, j.release)
	assert.ErrorContains(t, err, "record beside exclude.consents")
}

// givenUsers are people with columns of when their consent was given and withdrawn; the cut-off is 2026-03-20T00:00:00Z.
const givenUsers = "id,ok,at,gone\n" +
	"a,yes,2026-03-19T23:59:59Z,\n" +
	"b,yes,2026-03-20T00:00:00Z,\n" + // not yet
	"c,yes,,\n" + "d,yes,soon,\n" + // nobody knows when
	"e,no,2026-03-01T00:00:00Z,\n" +
	"f,yes,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z\n" + // withdrawn since
	"g,yes,2026-03-01T00:00:00Z,2026-08-01T00:00:00Z\n" + // after the cut-off
	"h,yes,2026-03-01T00:00:00Z,2026-03-01T00:00:00Z\n" +
	"i,yes,2026-03-03T00:00:00Z,2026-03-02T00:00:00Z\n" + // and given again
	"j,yes,2026-03-01T00:00:00Z,once\n" +
	"k,yes,2026-02-17T23:00:00Z,\n" + "l,yes,2026-02-17T22:59:59Z,\n" // thirty days before in Berlin, and no more

// givenCounts returns who counts under a rule.
func givenCounts(t *testing.T, rule, visitors string) (counts string, plan *aggregate.Plan) {
	t.Helper()
	j := consentsJob(t)
	p, err := aggregate.ParsePolicy("policy", []byte(strings.Replace(string(replaceWords(consentsPolicy, []string{"PER", "", "MORE", ""})),
		"  consents: {columns: [{column: who, id: id}], status: said, allow: [granted, allow_all], at: at, as: rfc3339, zone: Europe/Berlin}", rule, 1)))
	require.NoError(t, err)
	rec := mechanismtest.New(mechanismtest.Zero)
	res, err := aggregate.Run(under(t, rec), p, j.release, aggregate.Inputs{
		Usage: []table.Source{csvBytes(t, []byte(consentsUsage("abcdefghijklm")))}, Visitors: []table.Source{csvBytes(t, []byte(visitors))},
	})
	require.NoError(t, err)
	var pages []string
	for _, c := range rec.Calls() {
		if _, page, _ := strings.Cut(c.Site.Group, "\x1f"); c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" && !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	slices.Sort(pages)
	return strings.Join(pages, ""), res.Plan
}

// TestConsentIsGivenAndWithdrawnInTime by columns of the visitor's own record.
func TestConsentIsGivenAndWithdrawnInTime(t *testing.T) {
	const rule = "  consent: {from: visitors, column: ok, allow: [yes], given: {at: at, as: rfc3339, withdrawn: gone}}"
	got, plan := givenCounts(t, rule, givenUsers)
	assert.Equal(t, "aikl", got)
	assert.Equal(t, "2026-03-20T00:00:00Z", plan.AsOf)
	assert.Contains(t, plan.Exclusions, "all records of people whose ok is not one of yes, or was not given (at) before 2026-03-20T00:00:00Z and not withdrawn (gone) since")
	assert.Contains(t, plan.Inputs, aggregate.PlanInput{Name: "visitors", Columns: []string{"id", "ok", "at", "gone"}})
	got, _ = givenCounts(t, strings.Replace(rule, "gone}", "gone, days: 30}", 1), givenUsers)
	assert.Equal(t, "aik", got)
	got, _ = givenCounts(t, strings.Replace(rule, ", withdrawn: gone", "", 1), givenUsers)
	assert.Equal(t, "afghijkl", got)
}

// TestAttackI14AParentsConsentHoldsUntilItIsWithdrawn: who is old enough needs none.
func TestAttackI14AParentsConsentHoldsUntilItIsWithdrawn(t *testing.T) {
	visitors := strings.NewReplacer("\n", ",9\n", "gone\n", "gone,age\n").Replace(givenUsers) + "m,no,,,40\n"
	got, plan := givenCounts(t, "  under_age: {from: visitors, column: age, as: age, below: 13, unless: {column: ok, is: [yes], given: {at: at, as: rfc3339, withdrawn: gone}}}", visitors)
	assert.Equal(t, "aiklm", got)
	assert.Contains(t, strings.Join(plan.Exclusions, "|"), "unless their ok says that it is permitted, given (at) before 2026-03-20T00:00:00Z and not withdrawn (gone) since")
}
