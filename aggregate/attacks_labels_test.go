// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// shyLabels look like somebody, in spellings that hide it.
var shyLabels = []string{
	"anna.meier@example.org", "аnnа@ехаmрlе.оrg", "+49\u200b 30 901820", "DE89 3704 0044 0532 0130 00", "/users/anna", "ａｎｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "203.0.113.7",
}

// TestAttackI12LabelsThatIdentifyAreWithheld has a group of each with enough people to be shown: shared
// mailboxes, say. The others are published, and nothing fails.
func TestAttackI12LabelsThatIdentifyAreWithheld(t *testing.T) {
	j := newJob(t, `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 1}
    statistics: [visitors, events, {share: visitors}]
`, "SPEND", generous)
	w := people("p", 400, "algebra", "quiz")
	for i, label := range shyLabels {
		w = w.with(people(fmt.Sprint("q", i), 400, label, "quiz"))
	}
	res, calls := j.exact(t, w)
	assert.Equal(t, []string{"algebra"}, groupsOf(res.Tables[0].Rows))
	for _, row := range res.Tables[0].Rows {
		assert.Contains(t, []string{"", "algebra"}, row.Group[0])
	}
	drawn := 0
	for _, c := range calls {
		if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
			drawn++
		}
	}
	assert.Equal(t, 1+len(shyLabels), drawn, "withheld after the charged choice, not before")
}

// TestAttackI12DeclaredIdentifiersAreRefused: such a label stands in the policy, and is not repeated.
func TestAttackI12DeclaredIdentifiersAreRefused(t *testing.T) {
	p, r := example(t, "partnerreport")
	gender := p.Columns["gender"]
	gender.Groups.Declared = []string{"female", "anna.meier@example.org", "unknown"}
	gender.Values = map[string]string{"F": "female", "A": "anna.meier@example.org", "P": "030 901820-0"}
	columns := map[string]aggregate.Column{}
	for name, c := range p.Columns {
		columns[name] = c
	}
	columns["gender"] = gender
	other := *p
	other.Columns = columns
	_, err := aggregate.NewPlan(&other, r)
	require.ErrorIs(t, err, aggregate.ErrSpec)
	assert.ErrorContains(t, err, "policy.columns.gender.groups[1]: got a label that looks like an identifier (email), want labels that identify nobody")
	assert.ErrorContains(t, err, "policy.columns.gender.values: got a label that looks like an identifier (phone)")
	assert.NotContains(t, err.Error(), "anna")
}
