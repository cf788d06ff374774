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

// generalised publishes, of people with at least 20 like them, one table for each list of dimensions.
func generalised(t *testing.T, columns, usage string, tables ...string) *aggregate.Result {
	t.Helper()
	return generalisedAsOf(t, columns, usage, "", tables...)
}

func generalisedAsOf(t *testing.T, columns, usage, asOf string, tables ...string) *aggregate.Result {
	t.Helper()
	p := generalising(t, columns)
	r := generalisedRelease(t, tables...)
	r.AsOf = asOf
	res, err := aggregate.Run(t.Context(), p, r, aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage))}})
	require.NoError(t, err)
	return res
}

func generalising(t *testing.T, columns string) *aggregate.Policy {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", []byte(`
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
`+columns+`
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`))
	require.NoError(t, err)
	return p
}

func generalisedRelease(t *testing.T, tables ...string) *aggregate.Release {
	t.Helper()
	var list strings.Builder
	for i, table := range tables {
		fmt.Fprintf(&list, "  - {name: t%d, %s}\n", i, table)
	}
	r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
spend: {epsilon: "20", delta: "0.001"}
tables:
`+list.String()))
	require.NoError(t, err)
	return r
}

// absent requires that no published file holds any of some texts.
func absent(t *testing.T, res *aggregate.Result, texts ...string) {
	t.Helper()
	for name, content := range files(t, res) {
		for _, text := range texts {
			assert.NotContains(t, content, text, name)
		}
	}
}

// TestAttackI12PostalCodesLeaveAsPrefixes gives each person a postal code of their own.
func TestAttackI12PostalCodesLeaveAsPrefixes(t *testing.T) {
	var usage strings.Builder
	usage.WriteString("id,postcode\n")
	for i := range 300 {
		fmt.Fprintf(&usage, "p%d,%s\n", i, fmt.Sprintf([]string{"SW1A %03d", "ec2m-%03d", "9%04d"}[i%3], i))
	}
	res := generalised(t, "  area: {from: usage, of: person, role: dimension, column: postcode, as: prefix, length: 3, groups: private}",
		usage.String(), "group_by: [area], statistics: [visitors]")
	assert.Equal(t, [][]string{{"900"}, {"901"}, {"902"}, {"EC2"}, {"SW1"}}, groups(res, 0))
	absent(t, res, "SW1A", "EC2M", "9000")
}

// TestAttackI12PhonesAndAddressesLeaveAsAreasAndNetworks gives each person a number and an address of their own.
func TestAttackI12PhonesAndAddressesLeaveAsAreasAndNetworks(t *testing.T) {
	var usage strings.Builder
	usage.WriteString("id,phone,address\n")
	for i := range 300 {
		phone := fmt.Sprintf([]string{"+1 212 55%05d", "+49 30 55%05d"}[i%2], i)
		address := fmt.Sprintf([]string{"198.51.%d.77", "::ffff:198.51.%d.77", "2001:db8:%d::77"}[i%3], i%256)
		fmt.Fprintf(&usage, "p%d,%s,%s\n", i, phone, address)
	}
	res := generalised(t, `
  country: {from: usage, of: person, role: dimension, column: phone, as: phone_country, groups: private}
  area: {from: usage, of: person, role: dimension, column: phone, as: phone_area, groups: private}
  network: {from: usage, of: event, role: dimension, column: address, as: ip_network, bits: {v4: 16}, groups: private}`,
		usage.String(), "group_by: [country], statistics: [visitors]", "group_by: [area], statistics: [visitors]",
		"group_by: [network], bounds: {max_partitions: 1}, statistics: [visitors]")
	assert.Equal(t, [][]string{{"+1"}, {"+49"}}, groups(res, 0))
	assert.Equal(t, [][]string{{"+1 212"}, {"+49"}}, groups(res, 1))
	assert.Equal(t, [][]string{{"198.51.0.0/16"}, {"2001:db8::/32"}}, groups(res, 2))
	absent(t, res, "+1 212 5", "+49 3", ".77", "::77")
}
