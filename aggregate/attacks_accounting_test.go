// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// methods are the names that plans use.
var methods = map[string]accounting.Method{"basic": accounting.Basic, "zcdp": accounting.ZCDP, "pld": accounting.PLD}

// chargeOnce keeps the one charge of a run, and how many calls there were before it.
type chargeOnce struct {
	calls  func() int
	spend  dp.Spend
	before int
	times  atomic.Int64
}

func (c *chargeOnce) Charge(_ context.Context, charge aggregate.Charge) error {
	c.spend, c.before = charge.Spend, c.calls()
	c.times.Add(1)
	return nil
}

// traceJobs ask for everything that is charged: noise of every kind, thresholds, selections, totals, counts of
// who is over a bound.
func traceJobs(t *testing.T) map[string]job {
	const few = `
  - {name: a, group_by: [gender], statistics: [visitors, {share: visitors}]}
`
	const many = few + `
  - {name: b, weight: 3, group_by: [course], bounds: {max_partitions: 3, max_per_partition: 4}, statistics: [visitors, events, {mean: seconds}, {share: visitors}, {sum: points}]}
  - {name: c, group_by: [course, gender], bounds: {max_partitions: 40, max_per_partition: 2}, statistics: [events, {share: events}]}
  - {name: d, group_by: [activity], bounds: {max_partitions: 2, max_per_partition: 2}, statistics: [visitors], top: {groups: 2, by: visitors}}
`
	const total = `
  - {name: e, group_by: [course], bounds: {max_partitions: 4, max_per_partition: 9, max_contributions: 12}, statistics: [events]}
`
	const totals = many + total + `
  - {name: f, group_by: [course, gender], bounds: {max_contributions: 30}, statistics: [visitors, {sum: seconds}, {quantile: score, rank: 0.5}, {share: events, within: [course]}]}
`
	return map[string]job{
		"all records": newJob(t, total, "K", "1"), "all records composed": newJob(t, totals, "K", "1"),
		"basic": newJob(t, few, "K", "1"), "composed": newJob(t, many, "K", "1"),
		"large ε": newJob(t, many, "K", "1", "SPEND", generous), "noisy minimum": newJob(t, many, "K", "1", "MODE", "noisy"),
	}
}

// TestAttackN15L18TraceCostsTheCharge adds up what was asked of the mechanism, draw by draw, and compares it with
// what was charged: nothing is drawn that is not charged (L-18), none of it before the charge, and no more is
// charged than is drawn.
func TestAttackN15L18TraceCostsTheCharge(t *testing.T) {
	w := bookworms("p", 40, 5, 3).with(world{visits: []visit{{ID: []byte("p-1"), Gender: []byte("F")}}})
	for name, j := range traceJobs(t) {
		rec := mechanismtest.New(mechanismtest.Zero)
		charger := &chargeOnce{calls: func() int { return len(rec.Calls()) }}
		res, err := (&aggregate.Runner{Workers: 1, Charger: charger}).Run(under(t, rec), j.policy, j.release, w.inputs(t))
		require.NoError(t, err)
		require.EqualValues(t, 1, charger.times.Load(), name)
		require.Zero(t, charger.before, "%s: nothing is asked before the charge", name)
		trace, err := rec.Composition()
		require.NoError(t, err)
		assertCosts(t, name, trace, methods[res.Plan.Composition], charger.spend)
		assert.Equal(t, charger.spend.Epsilon.String(), res.Plan.Spend.Epsilon)
	}
}

// assertCosts requires that a trace costs at most a spend, and nearly all of it.
func assertCosts(t *testing.T, name string, trace accounting.Composition, m accounting.Method, spend dp.Spend) {
	t.Helper()
	if e, d, exact := trace.Sum(); exact && m == accounting.Basic {
		assert.LessOrEqual(t, e.Cmp(spend.Epsilon.Rat()), 0, "%s: ε", name)
		assert.LessOrEqual(t, d.Cmp(spend.Delta.Rat()), 0, "%s: δ", name)
		got, _ := e.Float64()
		assert.Greater(t, got, 0.999*spend.Epsilon.Float(), name)
		return
	}
	got, err := trace.Epsilon(m, spend.Delta.Float())
	require.NoError(t, err, name)
	assert.LessOrEqual(t, got, spend.Epsilon.Float(), name)
	assert.Greater(t, got, 0.998*spend.Epsilon.Float(), name)
}

// TestAttackN15AForgottenChargeIsNoticed draws once more than was planned, as a fault would.
func TestAttackN15AForgottenChargeIsNoticed(t *testing.T) {
	j := traceJobs(t)["composed"]
	rec := mechanismtest.New(mechanismtest.Zero)
	publish(t, j.prepare(t, bookworms("p", 40, 5, 3)), rec)
	plan, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	method, delta := methods[plan.Composition], j.release.Spend.Delta.Float()
	extra, err := mechanism.NewLaplace(20, 1, 1)
	require.NoError(t, err)
	_, err = rec.AddNoise(mechanism.Site{Table: "a", Statistic: "another"}, extra, 1)
	require.NoError(t, err)
	trace, err := rec.Composition()
	require.NoError(t, err)
	got, err := trace.Epsilon(method, delta)
	require.NoError(t, err)
	assert.Greater(t, got, j.release.Spend.Epsilon.Float())
}
