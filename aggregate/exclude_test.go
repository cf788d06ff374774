// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const excludePolicy = `
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  page: {from: usage, of: event, role: dimension, groups: [home, unknown]}
exclude:
  %s
min_people: {k: 1, declared: hard}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics, advertising]}}
`

const excludeRelease = `
version: 1
name: r
snapshot: s1
recipient: team
purpose: %s
period: all
spend: {epsilon: "20", delta: "0.001"}
tables:
  - {name: all, group_by: [], statistics: [visitors]}
`

// counted returns how many people a run counts under the rules of exclusion.
func counted(t *testing.T, rules, purpose, usage, visitors string) int64 {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy, rules))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", fmt.Appendf(nil, excludeRelease, purpose))
	require.NoError(t, err)
	in := aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}}
	if visitors != "" {
		in.Visitors = []table.Source{csvBytes(t, []byte(visitors))}
	}
	rec := mechanismtest.New(mechanismtest.Zero)
	_, err = aggregate.Run(under(t, rec), p, r, in)
	require.NoError(t, err)
	n := int64(0)
	for _, c := range rec.Calls() {
		if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
			n = c.Input
		}
	}
	return n
}

// TestSignalsLeaveWholePeopleOut: one record with a signal takes its person out, what is not known to be off is
// on, and null is on unless the policy says otherwise.
func TestSignalsLeaveWholePeopleOut(t *testing.T) {
	usage := "id,page,sec_gpc,dnt\n" +
		"off,home,0,0\n" + "words,home,false,No\n" +
		"gpc,home,0,0\ngpc,home,1,0\n" + "dnt,home,0,1\n" +
		"unset,home,,\n" + "half,home,,0\n" + "odd,home,maybe,0\n"
	both := "signals: {from: usage, gpc: sec_gpc, dnt: dnt}"
	assert.EqualValues(t, 2, counted(t, both, "statistics", usage, ""))
	assert.EqualValues(t, 4, counted(t, strings.Replace(both, "}", ", unset: keep}", 1), "statistics", usage, ""))
	assert.EqualValues(t, 3, counted(t, "signals: {from: usage, gpc: sec_gpc}", "statistics", usage, ""))
	assert.EqualValues(t, 5, counted(t, "signals: {from: usage, coppa: sec_gpc, unset: keep}", "statistics", usage, ""))
}

// TestOptOutsApplyToTheirPurposes: who left advertising is still counted for statistics.
func TestOptOutsApplyToTheirPurposes(t *testing.T) {
	usage := "id,page\na,home\nb,home\nc,home\nd,home\n"
	visitors := "id,partner_ads,country\na,in,DE\nb,out,DE\nc,,FR\n" // d is not registered
	rule := `opt_outs: [{from: visitors, column: partner_ads, allow: ["in"], purposes: [advertising]}]`
	keep := strings.Replace(rule, "purposes", "unset: keep, purposes", 1)
	assert.EqualValues(t, 1, counted(t, rule, "advertising", usage, visitors))
	assert.EqualValues(t, 2, counted(t, keep, "advertising", usage, visitors))
	assert.EqualValues(t, 4, counted(t, rule, "statistics", usage, visitors))
	assert.EqualValues(t, 1, counted(t, `opt_outs: [{from: visitors, column: partner_ads, allow: ["IN "]}]`, "statistics", usage, visitors))
	assert.EqualValues(t, 2, counted(t, "country: {from: visitors, column: country, allow: [de]}", "statistics", usage, visitors))
	assert.EqualValues(t, 3, counted(t, "country: {from: visitors, column: country, allow: [de, fr]}", "statistics", usage, visitors))
}

// TestBotsAreNoPeople: one header of a robot takes its sender out, and null is not known.
func TestBotsAreNoPeople(t *testing.T) {
	usage := "id,page,agent\na,home,Mozilla/5.0 Firefox/127.0\nb,home,curl/8.5.0\nc,home,Mozilla/5.0 Safari/605\n" +
		"c,home,Mozilla/5.0 (compatible; SomeBot/1.0)\nd,home,\ne,home,-\nf,home,strange\n"
	assert.EqualValues(t, 2, counted(t, "bots: {from: usage, column: agent}", "statistics", usage, ""))
	assert.EqualValues(t, 3, counted(t, "bots: {from: usage, column: agent, unset: keep}", "statistics", usage, ""))
}

// TestPeopleOfTheHouseAreLeftOut: one record from a network of the house takes its sender out, in whatever form an
// address is written, and what is none is not known.
func TestPeopleOfTheHouseAreLeftOut(t *testing.T) {
	usage := "id,page,ip\n" + "out,home,203.0.113.9\n" + "office,home,10.1.2.3\noffice,home,203.0.113.9\n" +
		"mapped,home,::ffff:10.9.9.9\n" + "monitor,home,203.0.113.7\n" + "six,home,2001:db8::1\n" + "far,home,2001:db9::1\n" +
		"odd,home,unknown\n" + "port,home,10.1.2.3:80\n" + "unset,home,\n"
	rule := `internal: {from: usage, column: ip, networks: [10.0.0.0/8, 203.0.113.7, "2001:db8::/32"]}`
	assert.EqualValues(t, 2, counted(t, rule, "statistics", usage, ""))
	assert.EqualValues(t, 3, counted(t, strings.Replace(rule, "}", ", unset: keep}", 1), "statistics", usage, ""))
}

// TestRulesOfExclusionAreNamed: the plan says which rules apply, in words and without any number of people.
func TestRulesOfExclusionAreNamed(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy,
		"signals: {from: usage, gpc: sec_gpc, unset: keep}\n  opt_outs: [{from: visitors, column: ads, allow: [\"in\"], purposes: [advertising]}]"))
	require.NoError(t, err)
	for purpose, named := range map[string]bool{"statistics": false, "advertising": true} {
		r, err := aggregate.ParseRelease("release", fmt.Appendf(nil, excludeRelease, purpose))
		require.NoError(t, err)
		plan, err := aggregate.NewPlan(p, r)
		require.NoError(t, err)
		text := plan.String()
		assert.Contains(t, text, "records of people whose sec_gpc is not one of 0, false, no, off, where it is set (global privacy control)")
		assert.Equal(t, named, strings.Contains(text, "records of people whose ads is not one of in (opt-out)"), purpose)
	}
}

func TestFaultsOfRulesOfExclusion(t *testing.T) {
	for rules, want := range map[string][]string{
		"signals: {from: usage}":          {"policy.exclude.signals: got nothing, want the column of at least one of gpc, dnt and coppa"},
		"signals: {gpc: g, unset: maybe}": {"policy.exclude.signals.from", `policy.exclude.signals.unset: got "maybe", want one of exclude, keep`},
		"bots: {unset: perhaps}":          {"policy.exclude.bots.from", "policy.exclude.bots.column", "policy.exclude.bots.unset"},
		"internal: {unset: perhaps}":      {"policy.exclude.internal.from", "policy.exclude.internal.column", "internal.networks: got nothing", "internal.unset"},
		"internal: {from: usage, column: ip, networks: [10.0.0.0/33, office]}": {
			`policy.exclude.internal.networks: got "10.0.0.0/33", want a network such as 10.0.0.0/8, or an address`, `got "office"`,
		},
		"country: {from: visitors}":            {"policy.exclude.country.column", "policy.exclude.country.allow"},
		"opt_outs: [{from: x, purposes: [y]}]": {"opt_outs[0].from", "opt_outs[0].column", "opt_outs[0].allow", "opt_outs[0].purposes[0]"},
		"opt_outs: [" + strings.Repeat("{from: usage, column: c, allow: [a]}, ", 9) + "]": {"got 9 rules, want at most 8"},
	} {
		p, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy, rules))
		require.NoError(t, err, rules)
		r, err := aggregate.ParseRelease("release", fmt.Appendf(nil, excludeRelease, "statistics"))
		require.NoError(t, err)
		_, err = aggregate.NewPlan(p, r)
		for _, w := range want {
			assert.ErrorContains(t, err, w, rules)
		}
	}
}

// TestConsentStringsLeaveWholePeopleOut: a string has to consent to all purposes in every record of a person, where the
// law applies; what cannot be read is no consent.
func TestConsentStringsLeaveWholePeopleOut(t *testing.T) {
	usage := "id,page,tc,gdpr\n" +
		"all,home,0000000110,1\nall,home,111111111111,1\n" +
		"one,home,0000000100,1\n" +
		"withdrew,home,0000000110,1\nwithdrew,home,0000000000,1\n" +
		"cut,home,CQAAAA,1\n" + "odd,home,yes,1\n" + "unset,home,,1\n" +
		"elsewhere,home,,0\n" + "unknown,home,0000000000,\n"
	rule := "tcf: {from: usage, column: tc, purposes: [8, 9]}"
	assert.EqualValues(t, 1, counted(t, rule, "statistics", usage, ""))
	assert.EqualValues(t, 2, counted(t, "tcf: {from: usage, column: tc, purposes: [8]}", "statistics", usage, ""))
	assert.EqualValues(t, 2, counted(t, strings.Replace(rule, "}", ", applies: gdpr}", 1), "statistics", usage, ""))
	assert.EqualValues(t, 3, counted(t, strings.Replace(rule, "}", ", unset: keep}", 1), "statistics", usage, ""))

	_, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy, "tcf: {from: usage, column: tc, purposes: [8, nine]}"))
	assert.ErrorContains(t, err, "policy.exclude.tcf.purposes[1]")
	p, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy, "tcf: {from: usage, purposes: [8, 25], unset: maybe}"))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", fmt.Appendf(nil, excludeRelease, "statistics"))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	for _, want := range []string{"policy.exclude.tcf.column", "policy.exclude.tcf.purposes: got 25, want purposes of 1 to 24", "policy.exclude.tcf.unset"} {
		assert.ErrorContains(t, err, want)
	}
}
