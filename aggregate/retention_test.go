// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const retentionPolicy = `
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  at: {from: usage, role: time, as: rfc3339, zone: Europe/Berlin}
  device: {from: usage, of: person, role: dimension, groups: [phone, desk, unknown]}
exclude:
  retention: {days: 30}
  signals: {from: usage, gpc: gpc, unset: keep}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.001"}
recipients: {team: {purposes: [statistics]}}
`

const retentionRelease = `
version: 1
name: r
snapshot: s
recipient: team
purpose: statistics
period: all
as_of: 2026-04-15
spend: {epsilon: "20", delta: "0.001"}
tables:
  - {name: devices, group_by: [device], bounds: {max_per_partition: 9}, statistics: [events]}
`

// TestOldRecordsDoNotCount: thirty days before 15 April is 16 March, which begins at 23:00 UTC of the day before and is
// an hour apart from summer time.
func TestOldRecordsDoNotCount(t *testing.T) {
	const usage = "id,at,device,gpc\n" +
		"a,2026-03-15T22:59:59Z,phone,\n" + "a,2026-03-15T22:59:59Z,phone,\n" + "a,2026-03-15T23:00:00Z,desk,\n" + // two old votes for phone
		"b,2026-03-01T00:00:00Z,phone,\n" + // nothing that counts
		"c,never,phone,\n" + "c,,phone,\n" + "c,2026-04-01T00:00:00Z,,\n" + // no device that counts
		"d,2026-01-01T00:00:00Z,phone,1\n" + "d,2026-04-01T00:00:00Z,phone,\n" // an old no is a no
	p, err := aggregate.ParsePolicy("policy.yaml", []byte(retentionPolicy))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(retentionRelease))
	require.NoError(t, err)
	res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}})
	require.NoError(t, err)
	for group, want := range map[string]float64{"desk": 1, "phone": -1, "unknown": 1} {
		assert.Equal(t, want, value(t, res, "devices", "events", group), group)
	}
	assert.Contains(t, res.Plan.Exclusions, "usage records that at 2026-04-15 are more than 30 days old, or whose time cannot be read")
}

func TestRetentionThatCannotBeIsRefused(t *testing.T) {
	for edit, want := range map[[2]string]string{
		{"days: 30", "days: 0"}:                                                     "policy.exclude.retention.days: got 0, want 1 to 36500 days",
		{"as: rfc3339, zone: Europe/Berlin", "as: day_offset"}:                      "count days from no date",
		{"  at: {from: usage, role: time, as: rfc3339, zone: Europe/Berlin}\n", ""}: "policy.exclude.retention: got nothing, want a column with role: time",
		{"as_of: 2026-04-15\n", ""}:                                                 "release.as_of: got nothing, want the date from which the age of records is counted",
	} {
		p, err := aggregate.ParsePolicy("policy.yaml", []byte(strings.Replace(retentionPolicy, edit[0], edit[1], 1)))
		require.NoError(t, err)
		r, err := aggregate.ParseRelease("release.yaml", []byte(strings.Replace(retentionRelease, edit[0], edit[1], 1)))
		require.NoError(t, err)
		_, err = aggregate.NewPlan(p, r)
		assert.ErrorContains(t, err, want)
	}
}
