// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
)

// TestFaultsOfLevels finds all faults of levels at once, and says which level each is of.
func TestFaultsOfLevels(t *testing.T) {
	p := rollUpPolicy(t, rollUpColumns+`
  week: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: iso_week, groups: private}`)
	r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
spend: {epsilon: "1", delta: "0.001"}
tables:
  - {name: a, group_by: [region], bounds: {max_partitions: 3}, statistics: [visitors], roll_up: {region: [town, home_region, kind, nowhere, country, country]}}
  - {name: b, group_by: [week], bounds: {max_partitions: 3}, statistics: [visitors], roll_up: {week: [month], hour: [day]}}
  - {name: c, group_by: [town], bounds: {max_partitions: 3}, statistics: [visitors], roll_up: {town: [{to: region, name: a, bounds: {max_partitions: -1}, weight: 1001}]}}
`))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	for _, want := range []string{
		`tables[0].roll_up.region[0]: got "town", which puts one group of region into several`,
		`tables[0].roll_up.region[1]: got "home_region", which is not of the same input and of the same (person or event)`,
		`tables[0].roll_up.region[2]: got "kind", which reads another raw column`,
		`tables[0].roll_up.region[3]: got "nowhere", want one of`,
		`tables[0].roll_up.region[5]: got "country", want each level once`,
		`tables[1].roll_up.week[0]: got "month", whose periods are not made of whole ones of week`,
		`tables[1].roll_up.hour[0]: got "hour", want one of week`,
		`tables[2].roll_up.town[0].name: got "a", want a name of its own`,
		`tables[2].roll_up.town[0].bounds.max_partitions: got -1`,
		`tables[2].roll_up.town[0].weight: got 1001`,
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, aggregate.Faults(err), 10)
}

// TestLevelsArePlanned: each level has a share of its own, names its table, and is tied to none.
func TestLevelsArePlanned(t *testing.T) {
	plan, err := aggregate.NewPlan(rollUpJob(t, wide, towns, homes).policy, rollUpJob(t, wide, towns, homes).release)
	require.NoError(t, err)
	require.Len(t, plan.Tables, 5)
	for i, of := range []string{"", "t", "t", "", "h"} {
		assert.Equal(t, everyLevel[i], plan.Tables[i].Name)
		assert.Equal(t, of, plan.Tables[i].RollUpOf)
		assert.Positive(t, plan.Tables[i].Share)
	}
	assert.Empty(t, plan.Totals)
	assert.Contains(t, plan.String(), "the groups of table t added up by region in place of town")
}
