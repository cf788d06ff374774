// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

type idUsage struct {
	Device string `throng:"device"`
	User   string `throng:"user"`
}

type idVisitor struct {
	User   string `throng:"user"`
	ID     string `throng:"id"`
	Gender string `throng:"gender"`
}

// TestIDsJoinByNameOrByPlaceInTheList: a column of both inputs is one id however many entries of one
// input stand before it, and neighbouring entries of different inputs are one id.
func TestIDsJoinByNameOrByPlaceInTheList(t *testing.T) {
	for name, c := range map[string]struct {
		ids  string
		want int64 // of 40 women who registered
	}{
		"one column in both":              {`[{column: user, kind: opaque}]`, 40},
		"after a column of one input":     {`[{column: device, from: usage, kind: opaque}, {column: user, kind: opaque}]`, 40},
		"neighbours under two names":      {`[{column: user, from: usage, kind: opaque}, {column: id, from: visitors, kind: opaque}]`, 40},
		"two names that are not the same": {`[{column: user, from: usage, kind: opaque}, {column: device, from: usage, kind: opaque}, {column: id, from: visitors, kind: opaque}]`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := aggregate.ParsePolicy("policy", replace(`
version: 1
population: ids
privacy_unit: {ids: IDS}
columns:
  gender: {from: visitors, of: person, role: dimension, groups: [f, unknown]}
  user: {from: usage, role: identifier}
min_people: {k: 2}
budget: {epsilon: "1", delta: "1e-9"}
recipients: {r: {purposes: [p]}}
`, "IDS", c.ids))
			require.NoError(t, err)
			r, err := aggregate.ParseRelease("release", []byte(`
version: 1
name: r
snapshot: s
recipient: r
purpose: p
period: all
spend: {epsilon: "1", delta: "1e-9"}
tables: [{name: t, group_by: [gender], statistics: [visitors]}]
`))
			require.NoError(t, err)
			if name == "one column in both" {
				p.Columns["active"] = aggregate.Column{From: aggregate.Usage, Of: aggregate.OfEvent, Role: aggregate.Dimension, Column: "user", Groups: aggregate.Groups{Private: true}}
			}
			var usage []idUsage
			var visitors []idVisitor
			for i := range 40 {
				id := string(rune('A'+i/26)) + string(rune('a'+i%26))
				usage = append(usage, idUsage{User: id})
				visitors = append(visitors, idVisitor{User: id, ID: id, Gender: "f"})
			}
			u, err := structio.Slice("usage", usage)
			require.NoError(t, err)
			v, err := structio.Slice("visitors", visitors)
			require.NoError(t, err)
			ctx := seam.With(t.Context(), seam.Hooks{Mechanism: mechanismtest.New(mechanismtest.Zero)})
			result, err := aggregate.Run(ctx, p, r, aggregate.Inputs{Usage: []table.Source{u}, Visitors: []table.Source{v}})
			require.NoError(t, err)
			row := result.Tables[0].Rows[0]
			require.Equal(t, []string{"f"}, row.Group)
			assert.Equal(t, c.want, row.Value.Decimal.Units)
		})
	}
}
