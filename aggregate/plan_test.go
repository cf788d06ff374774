// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// example loads the policy and the release of an example.
func example(t *testing.T, name string) (*aggregate.Policy, *aggregate.Release) {
	t.Helper()
	p, err := aggregate.LoadPolicy("../examples/" + name + "/policy.yaml")
	require.NoError(t, err)
	r, err := aggregate.LoadRelease("../examples/" + name + "/release.yaml")
	require.NoError(t, err)
	return p, r
}

var examples = []string{"partnerreport", "oulad"}

func TestPlansOfTheExamplesReadAsTheGoldenTexts(t *testing.T) {
	for _, name := range examples {
		plan, err := aggregate.NewPlan(example(t, name))
		require.NoError(t, err)
		golden(t, "testdata/plans/"+name+".golden", plan.String())
		text, err := json.MarshalIndent(plan, "", "  ")
		require.NoError(t, err)
		golden(t, "testdata/plans/"+name+".json.golden", string(text)+"\n")
	}
}

// TestPlanIsTheSameEveryTime loads and plans 50 times: maps come in another order each time.
func TestPlanIsTheSameEveryTime(t *testing.T) {
	for _, name := range examples {
		var first string
		for i := range 10 {
			plan, err := aggregate.NewPlan(example(t, name))
			require.NoError(t, err)
			text, err := json.Marshal(plan)
			require.NoError(t, err)
			if got := plan.String() + string(text); i == 0 {
				first = got
			} else {
				require.Equal(t, first, got)
			}
		}
	}
}

func TestPlanInJSONComesBackAsItWas(t *testing.T) {
	for _, name := range examples {
		plan, err := aggregate.NewPlan(example(t, name))
		require.NoError(t, err)
		text, err := json.Marshal(plan)
		require.NoError(t, err)
		var back aggregate.Plan
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, plan, &back)
		assert.Equal(t, plan.String(), back.String())
	}
}

// requireAddsUp requires that what a plan says of its parts composes to what it says of the whole, and that
// this is what the release spends: by the ideal laws, which cost a little less than those drawn.
func requireAddsUp(t *testing.T, plan *aggregate.Plan, r *aggregate.Release) {
	t.Helper()
	var all accounting.Composition
	var shares float64
	add := func(times int64, e accounting.Event, err error) {
		t.Helper()
		require.NoError(t, err)
		all, err = all.Add(e, times)
		require.NoError(t, err)
	}
	for _, table := range plan.Tables {
		sum := table.Selection.Share
		if table.Selection.Rule == "partition_selection" {
			one := spendOf(t, table.Selection.Spend)
			e, err := accounting.Approx(dp.Spend{Epsilon: one.Epsilon.Part(1, table.MaxPartitions), Delta: one.Delta.Part(1, table.MaxPartitions)})
			add(table.MaxPartitions, e, err)
		} else if table.Selection.Spend.Delta != "0" {
			e, err := accounting.Failure(spendOf(t, table.Selection.Spend).Delta)
			add(1, e, err)
		}
		for _, d := range table.Draws {
			sum += d.Share
			if d.Mechanism == "laplace" {
				change, times := d.LInf, d.L0
				if d.L1 > 0 {
					change, times = d.L1, 1
				}
				e, err := accounting.Laplace(d.Scale, float64(change))
				add(times, e, err)
				continue
			}
			e, err := accounting.Gaussian(d.Scale, accounting.L2(d.L0, float64(d.LInf), float64(d.L1)))
			add(1, e, err)
		}
		assert.InDelta(t, table.Share, sum, 1e-3, "shares of table %s", table.Name)
		shares += table.Share
	}
	assert.InDelta(t, 1, shares, 1e-3)
	method := map[string]accounting.Method{"basic": accounting.Basic, "zcdp": accounting.ZCDP, "pld": accounting.PLD}[plan.Composition]
	delta := r.Spend.Delta.Float()
	if _, spent, exact := all.Sum(); exact && method == accounting.Basic {
		delta, _ = spent.Float64()
		require.LessOrEqual(t, spent.Cmp(r.Spend.Delta.Rat()), 0)
		if spent.Sign() == 0 {
			require.Equal(t, "0", plan.Spend.Delta)
		}
		delta *= 1 + 1e-15
	}
	epsilon, err := all.Epsilon(method, delta)
	require.NoError(t, err)
	target := r.Spend.Epsilon.Float()
	require.LessOrEqual(t, epsilon, target*(1+1e-9))
	require.Greater(t, epsilon, target*0.998, "all of ε is used")
	require.Equal(t, r.Spend.Epsilon.String(), plan.Spend.Epsilon)
}

// spendOf reads a spend, whose parts may be fractions and smaller than a person may write.
func spendOf(t *testing.T, p aggregate.PlanSpend) dp.Spend {
	t.Helper()
	most := dp.MustApprox("20", "0.005")
	part := func(text string, of *big.Rat) (int64, int64) {
		r, ok := new(big.Rat).SetString(text)
		require.True(t, ok, text)
		f, _ := r.Quo(r, of).Float64()
		return int64(f * (1 << 60)), 1 << 60
	}
	return dp.Spend{Epsilon: most.Epsilon.Part(part(p.Epsilon, most.Epsilon.Rat())), Delta: most.Delta.Part(part(p.Delta, most.Delta.Rat()))}
}

const planPolicy = `version: 1
population: site
privacy_unit: {ids: [{column: visitor_id, kind: opaque}]}
columns:
  gender: {from: visitors, of: person, role: dimension, values: {M: male, F: female}}
  section: {from: usage, of: event, role: dimension, groups: private}
  seconds: {from: usage, role: value, clamp: ["-0.5", 600], resolution: "0.25", unit: s}
  spent: {from: usage, role: value, sum_clamp: [0, 100]}
min_people: {k: 20, declared: DECLARED}
budget: {epsilon: "20", delta: "0.001"}
recipients: {acme: {purposes: [advertising]}}
`

const planRelease = `version: 1
name: weekly
snapshot: s1
recipient: acme
purpose: advertising
period: all
spend: {epsilon: "EPSILON", delta: "DELTA"}
tables:
TABLES`

func planOf(t *testing.T, declared, epsilon, delta, tables string) (*aggregate.Plan, *aggregate.Release) {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy.yaml", replace(planPolicy, "DECLARED", declared))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", replace(planRelease, "EPSILON", epsilon, "DELTA", delta, "TABLES", tables))
	require.NoError(t, err)
	plan, err := aggregate.NewPlan(p, r)
	require.NoError(t, err)
	requireAddsUp(t, plan, r)
	return plan, r
}

const (
	genderTable = "  - {name: gender, group_by: [gender], statistics: [visitors, {share: visitors}]}\n"
	manyTable   = "  - name: many\n    group_by: [section]\n    bounds: {max_partitions: 200, max_per_partition: 3}\n" +
		"    statistics: [visitors, events, {mean: seconds}, {sum: spent}, {share: visitors}]\n"
	eventsTable = "  - {name: events, group_by: [section], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [events]}\n"
)

func TestChargesOfAllPartsAddUpToThePlanExactly(t *testing.T) {
	for _, epsilon := range []string{"1", "0.1", "0.3333333333333333333333333333333333333333", "20"} {
		for _, tables := range []string{genderTable, manyTable, eventsTable, genderTable + manyTable + eventsTable,
			genderTable + strings.Replace(eventsTable, "statistics", "weight: 7, statistics", 1) + manyTable} {
			planOf(t, "hard", epsilon, "1e-7", tables)
			planOf(t, "noisy", epsilon, "1e-7", tables)
		}
	}
	for _, name := range examples {
		p, r := example(t, name)
		plan, err := aggregate.NewPlan(p, r)
		require.NoError(t, err)
		requireAddsUp(t, plan, r)
	}
}

func TestTwiceTheWeightIsHalfTheNoise(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-9",
		"  - {name: a, group_by: [gender], weight: 3, statistics: [visitors]}\n  - {name: b, group_by: [gender], statistics: [visitors]}\n")
	assert.InEpsilon(t, 3*plan.Tables[0].Draws[0].Scale, plan.Tables[1].Draws[0].Scale, 1e-9)
	assert.Equal(t, 0.75, plan.Tables[0].Share)
	assert.Equal(t, "5e-10", plan.Tables[0].Selection.Spend.Delta, "weights are of noise, and divide no δ")
}

func TestNothingThatNeedsNoDeltaIsChargedOne(t *testing.T) {
	plan, _ := planOf(t, "noisy", "1", "1e-9", genderTable)
	assert.Equal(t, aggregate.PlanSpend{Epsilon: "1", Delta: "0"}, plan.Spend)
	assert.Equal(t, aggregate.PlanSpend{Epsilon: "0", Delta: "0"}, plan.Tables[0].Selection.Spend)
	assert.Contains(t, plan.String(), "costs nothing")
	plan, _ = planOf(t, "noisy", "1", "0", genderTable)
	assert.Equal(t, "0", plan.Spend.Delta)
	plan, _ = planOf(t, "hard", "1", "1e-9", genderTable)
	assert.Equal(t, "1e-9", plan.Spend.Delta, "a threshold takes all of δ where nothing else needs any")
	assert.Equal(t, "1e-9", plan.Tables[0].Selection.Spend.Delta)
	plan, _ = planOf(t, "noisy", "1", "1e-9", genderTable+strings.Replace(eventsTable, "max_partitions: 2", "max_partitions: 1", 1))
	assert.Equal(t, "0", plan.Tables[0].Selection.Spend.Delta)
	assert.Equal(t, "1e-9", plan.Tables[1].Selection.Spend.Delta, "what needs none leaves all of δ to what does")
}

// TestGaussianNoiseIsChosenWhereItIsSmaller compares with Laplace noise of an equal part of ε:
// b = parts·l0·l∞/ε has the standard deviation √2·b, which grows with l0 and not with its root.
func TestGaussianNoiseIsChosenWhereItIsSmaller(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-7", manyTable)
	parts := float64(len(plan.Tables[0].Draws))
	for _, d := range plan.Tables[0].Draws {
		if d.L0 == 1 {
			continue
		}
		assert.Equal(t, "gaussian", d.Mechanism, d.Statistic)
		assert.Less(t, d.StdDev, math.Sqrt2*float64(d.L0*d.LInf)*parts/4, d.Statistic)
	}
	assert.Equal(t, "pld", plan.Composition)
	plan, _ = planOf(t, "hard", "1", "1e-7", genderTable)
	assert.Equal(t, "laplace", plan.Tables[0].Draws[0].Mechanism)
	assert.Equal(t, "basic", plan.Composition)
}

func TestPlanSaysWhatOnePersonChangesInTheUnitOfTheValue(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-7", strings.Replace(manyTable, "200", "2", 1))
	draws := map[string]aggregate.PlanDraw{}
	for _, d := range plan.Tables[0].Draws {
		draws[d.Statistic] = d
	}
	seconds := draws["centred_seconds"]
	assert.Equal(t, int64(3*1201), seconds.LInf, "half of the clamp's 2402 quanta of 0.25 s, times the records")
	assert.Equal(t, "299.75", seconds.Centre)
	assert.Equal(t, []string{"-0.5", "600"}, seconds.Clamp)
	assert.Equal(t, "s", seconds.Unit)
	assert.Equal(t, int64(100), draws["sum_spent"].LInf, "a total is bounded once, not per record")
	assert.Equal(t, []string{"0", "100"}, draws["sum_spent"].SumClamp)
	text := plan.String()
	assert.Contains(t, text, "in at most 2 groups, by at most 900.8 each; a record counts as at least -0.5 and at most 600, less 299.75")
	assert.Contains(t, text, "by at most 100 each; a person counts as at least 0 and at most 100 in a group")
}

// TestPlanTouchesNoData plans where there is nothing to touch: no inputs, and no files.
func TestPlanTouchesNoData(t *testing.T) {
	p, r := example(t, "partnerreport")
	t.Chdir(t.TempDir())
	_, err := aggregate.NewPlan(p, r)
	require.NoError(t, err)
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Empty(t, entries)
}
