// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const linkedPolicy = `
version: 1
population: site
privacy_unit:
  ids:
    - {column: account, from: usage, kind: email}
    - {column: device, from: usage, kind: uuid}
    - {column: cookie, from: usage, kind: opaque}
  links:
    max_ids: 5
    columns: [{column: user, id: account}, {column: phone, id: device}, {column: browser, id: cookie}, {column: older, id: cookie}]
columns:
  page: {from: usage, of: event, role: dimension, groups: [home, shop, unknown]}
exclude:
  signals: {from: usage, gpc: gpc, unset: keep}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.001"}
recipients: {team: {purposes: [statistics]}}
`

const linkedRelease = `
version: 1
name: r
snapshot: s
recipient: team
purpose: statistics
period: all
spend: {epsilon: "20", delta: "0.001"}
tables:
  - {name: all, statistics: [visitors]}
  - {name: pages, group_by: [page], bounds: {max_partitions: 2, max_per_partition: 5}, statistics: [visitors, events]}
`

// linkedPeople is 30 people, each with an account, a device and two cookies, one record under each; every tenth says no.
func linkedPeople() (usage, links string) {
	var u, l strings.Builder
	u.WriteString("account,device,cookie,page,gpc\n")
	l.WriteString("user,phone,browser,older\n")
	for i := range 30 {
		account, device := fmt.Sprintf("P%d@Example.org", i), fmt.Sprintf("00000000-0000-4000-8000-%012X", i)
		gpc := ""
		if i%10 == 0 {
			gpc = "1"
		}
		fmt.Fprintf(&u, "%s,,,home,\n,%s,,home,\n,,c%d,home,\n,,d%d,shop,%s\n", account, device, i, i, gpc)
		// The cookies are joined to each other, and to the account over the device.
		fmt.Fprintf(&l, "%s,%s,,\n,%s,c%d,\n,,c%d,d%d\n", strings.ToLower(account), strings.ToLower(device), device, i, i, i)
	}
	return u.String(), l.String()
}

func linkedRun(t *testing.T, policy, usage string, links ...string) (map[string]float64, error) {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy.yaml", []byte(policy))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(linkedRelease))
	require.NoError(t, err)
	in := aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}}
	for _, l := range links {
		in.Links = append(in.Links, csvBytes(t, []byte(l)))
	}
	res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, in)
	if err != nil {
		return nil, err
	}
	got := map[string]float64{}
	for _, tab := range res.Tables {
		for _, row := range tab.Rows {
			got[strings.Join(append([]string{tab.Name}, row.Group...), " ")+" "+row.Statistic] = row.Value.Float64()
		}
	}
	return got, nil
}

// TestAPersonWithCookieDeviceAndAccountCountsOnce: and one sign of theirs leaves all of them out.
func TestAPersonWithCookieDeviceAndAccountCountsOnce(t *testing.T) {
	usage, links := linkedPeople()
	got, err := linkedRun(t, linkedPolicy, usage, links)
	require.NoError(t, err)
	assert.Equal(t, 27.0, got["all visitors"])
	assert.Equal(t, 27.0, got["pages home visitors"])
	assert.Equal(t, 81.0, got["pages home events"])
	assert.Equal(t, 27.0, got["pages shop visitors"])

	// The rows in another order and two files, with each link twice, are the same.
	lines := strings.SplitAfter(links, "\n")
	var back strings.Builder
	back.WriteString(lines[0])
	for i := len(lines) - 1; i > 0; i-- {
		back.WriteString(lines[i])
	}
	again, err := linkedRun(t, linkedPolicy, usage, back.String(), links)
	require.NoError(t, err)
	assert.Equal(t, got, again)

	// Without links everybody is four, of whom one may say no.
	alone, err := linkedRun(t, linkedPolicy, usage, lines[0])
	require.NoError(t, err)
	assert.Equal(t, 117.0, alone["all visitors"])

	// A late link is as good as an early one, and a cap of 2 parts everybody into pairs at most.
	capped, err := linkedRun(t, strings.Replace(linkedPolicy, "max_ids: 5", "max_ids: 2", 1), usage, links)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, capped["all visitors"], 2*27.0)
}

// TestOneKeyCutsInTheSamePlaces: components above the cap are cut by an order that a key decides, and a run without one
// has a key of its own. Other populations share no token with it.
func TestOneKeyCutsInTheSamePlaces(t *testing.T) {
	var u, l strings.Builder
	u.WriteString("account,device,cookie,page,gpc\n")
	l.WriteString("user,phone,browser,older\n")
	for i := range 60 {
		for n := range 5 {
			fmt.Fprintf(&u, ",,c%d-%d,home,\n", i, n)
			if n > 0 {
				fmt.Fprintf(&l, ",,c%d-%d,c%d-%d\n", i, n-1, i, n)
			}
		}
	}
	r, err := aggregate.ParseRelease("release.yaml", []byte(linkedRelease))
	require.NoError(t, err)
	key, err := identity.NewSecret()
	require.NoError(t, err)
	// Two or three parts of each chain of five, by where it is cut: how many there are tells one cut from another.
	parts := func(population string, key identity.Secret) (n [4]float64) {
		text := strings.Replace(strings.Replace(linkedPolicy, "max_ids: 5", "max_ids: 3", 1), "population: site", "population: "+population, 1)
		p, err := aggregate.ParsePolicy("policy.yaml", []byte(text))
		require.NoError(t, err)
		for i := range n {
			ctx := seam.With(t.Context(), seam.Hooks{Mechanism: mechanismtest.New(mechanismtest.Zero), Wait: noWait})
			res, err := (&aggregate.Runner{Key: key}).Run(ctx, p, r, aggregate.Inputs{
				Usage: []table.Source{csvBytes(t, []byte(u.String()))}, Links: []table.Source{csvBytes(t, []byte(l.String()))},
			})
			require.NoError(t, err)
			n[i] = value(t, res, "all", "visitors")
		}
		return n
	}
	same := func(n [4]float64) bool { return n[0] == n[1] && n[1] == n[2] && n[2] == n[3] }
	site, other := parts("site", key), parts("other", key)
	assert.True(t, same(site) && same(other), "one key, one population: %v, %v", site, other)
	// Of 60 chains, each in 2 or 3 parts, four runs agree by chance in fewer than 1 of 100.
	var differ bool
	for range 4 {
		differ = differ || !same(parts("site", identity.Secret{}))
	}
	assert.True(t, differ, "a key for each run")
}

// TestListedPeopleAreLeftOutWhole by any of their ids, also by one of which there is no record, and whatever its spelling.
func TestListedPeopleAreLeftOutWhole(t *testing.T) {
	usage, links := linkedPeople()
	p, err := aggregate.ParsePolicy("policy.yaml", []byte(strings.Replace(linkedPolicy, "exclude:\n",
		"exclude:\n  listed: {columns: [{column: mail, id: account}, {column: web, id: cookie}]}\n", 1)))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(linkedRelease))
	require.NoError(t, err)
	run := func(listed ...string) (float64, error) {
		in := aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}, Links: []table.Source{csvBytes(t, []byte(links))}}
		for _, l := range listed {
			in.Listed = append(in.Listed, csvBytes(t, []byte(l)))
		}
		res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, in)
		if err != nil {
			return 0, err
		}
		return value(t, res, "all", "visitors"), nil
	}
	for listed, want := range map[string]float64{
		"mail,web\n":                                 27,
		"mail,web\np1@EXAMPLE.org,\n,d2\n":           25, // two people
		"web,mail,note\nc3,,x\nd3,p3@example.org,\n": 26, // one person, three times
		"mail,web\nnobody@example.org,c\n,\n":        27,
	} {
		got, err := run(listed)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%q", listed)
	}
	got, err := run("mail,web\np4@example.org,\n", "web,mail\nc5,\n")
	require.NoError(t, err)
	assert.Equal(t, 25.0, got)

	_, err = run()
	require.ErrorIs(t, err, aggregate.ErrInputs)
	assert.ErrorContains(t, err, "listed input: got none, want the ids of those who are left out")
	_, err = run("mail\n")
	assert.ErrorIs(t, err, table.ErrSchema)

	// Nobody who is listed counts for more than nothing, however many there are.
	var all strings.Builder
	all.WriteString("mail,web\n")
	for i := range 20_000 {
		fmt.Fprintf(&all, "p%d@example.org,\n", i)
	}
	got, err = run(all.String())
	require.NoError(t, err)
	assert.LessOrEqual(t, got, 0.0)

	plan, err := aggregate.NewPlan(p, r)
	require.NoError(t, err)
	assert.Contains(t, plan.Exclusions, "all who have an id in the listed input")
	assert.Contains(t, plan.Inputs, aggregate.PlanInput{Name: "listed", Columns: []string{"mail", "web"}})
}

func TestLinksAreInThePlan(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy.yaml", []byte(linkedPolicy))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(linkedRelease))
	require.NoError(t, err)
	plan, err := aggregate.NewPlan(p, r)
	require.NoError(t, err)
	assert.Equal(t, "person, by account, else device, else cookie, joined to at most 5 ids by the table of links, which is held fixed "+
		"(whose ids are in n parts of it has n times the privacy loss)", plan.Unit)
	assert.Contains(t, plan.Inputs, aggregate.PlanInput{Name: "links", Columns: []string{"user", "phone", "browser", "older"}})
}

func TestLinksThatCannotBeAreRefused(t *testing.T) {
	usage, links := linkedPeople()
	_, err := linkedRun(t, linkedPolicy, usage)
	require.ErrorIs(t, err, aggregate.ErrInputs)
	assert.ErrorContains(t, err, "links input: got none")
	_, err = linkedRun(t, strings.Replace(linkedPolicy, linkedPolicy[strings.Index(linkedPolicy, "  links:"):strings.Index(linkedPolicy, "columns:\n  page")], "", 1), usage, links)
	require.ErrorIs(t, err, aggregate.ErrInputs)
	assert.ErrorContains(t, err, "privacy_unit has no links")
	_, err = linkedRun(t, linkedPolicy, usage, "user,phone\n")
	assert.ErrorIs(t, err, table.ErrSchema)

	p, err := aggregate.ParsePolicy("policy.yaml", []byte(strings.NewReplacer("max_ids: 5", "max_ids: 1", "id: account", "id: acount", "{column: older, id", "{column: browser, id").Replace(linkedPolicy)))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(linkedRelease))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	for _, want := range []string{"links.max_ids: got 1, want 2 to 1000 ids", "did you mean account?", `columns[3].column: got "browser", want each column once`} {
		assert.ErrorContains(t, err, want)
	}
}
