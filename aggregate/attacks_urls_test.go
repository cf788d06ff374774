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
)

// TestAttackI13URLsLeaveAsDomains publishes referrers and User-Agent headers that hold a canary in every part: the
// domain that enough people come from is shown, and nothing of the rest is in any file.
func TestAttackI13URLsLeaveAsDomains(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", []byte(`
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  referrer: {from: usage, of: event, role: dimension, as: registrable_domain, groups: private}
  device: {from: usage, of: person, role: dimension, column: agent, as: device_class, groups: private}
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
spend: {epsilon: "20", delta: "0.001"}
tables:
  - {name: from, group_by: [referrer], bounds: {max_partitions: 1}, statistics: [visitors]}
  - {name: devices, group_by: [device], statistics: [visitors]}
`))
	require.NoError(t, err)
	var usage strings.Builder
	usage.WriteString("id,referrer,agent\n")
	for i := range 300 {
		host := []string{"news.example.co.uk", "canary%d.github.io"}[i%2]
		if i%2 == 1 {
			host = fmt.Sprintf(host, i)
		}
		fmt.Fprintf(&usage, "p%d,https://canary:canary%d@%s/canary?q=canary#canary,Mozilla/5.0 (iPhone; canary%d) Mobile\n", i, i, host, i)
	}
	for _, alone := range []string{"https://canary.example.com/", "canary@example.net", "http://192.0.2.99/canary", "data:canary"} {
		fmt.Fprintf(&usage, "q%d,%s,canary/1.0\n", usage.Len(), alone)
	}
	res, err := aggregate.Run(t.Context(), p, r, aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage.String()))}})
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"example.co.uk"}, {"github.io"}}, groups(res, 0))
	assert.Equal(t, [][]string{{"phone"}}, groups(res, 1))
	for name, content := range files(t, res) {
		assert.NotContains(t, content, "canary", name)
		assert.NotContains(t, content, "192.0.2.99", name)
	}
}
