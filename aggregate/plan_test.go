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
		for i := range 50 {
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

func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	require.True(t, ok, text)
	return r
}

// total adds up plan spends exactly.
type total struct{ epsilon, delta *big.Rat }

func newTotal() *total { return &total{new(big.Rat), new(big.Rat)} }

func (s *total) add(t *testing.T, p aggregate.PlanSpend) {
	t.Helper()
	s.epsilon.Add(s.epsilon, rat(t, p.Epsilon))
	s.delta.Add(s.delta, rat(t, p.Delta))
}

func (s *total) requireIs(t *testing.T, p aggregate.PlanSpend, what string) {
	t.Helper()
	require.Zero(t, s.epsilon.Cmp(rat(t, p.Epsilon)), "ε of %s: parts add up to %s, got %s", what, s.epsilon.RatString(), p.Epsilon)
	require.Zero(t, s.delta.Cmp(rat(t, p.Delta)), "δ of %s: parts add up to %s, got %s", what, s.delta.RatString(), p.Delta)
}

// requireAddsUp requires that the parts of a plan add up to its tables, those to the plan, and that
// the plan costs no more than the release spends.
func requireAddsUp(t *testing.T, plan *aggregate.Plan, r *aggregate.Release) {
	t.Helper()
	all := newTotal()
	for _, table := range plan.Tables {
		parts := newTotal()
		parts.add(t, table.Selection.Spend)
		for _, d := range table.Draws {
			parts.add(t, d.Spend)
		}
		parts.requireIs(t, table.Spend, "table "+table.Name)
		all.add(t, table.Spend)
	}
	all.requireIs(t, plan.Spend, "the plan")
	require.Zero(t, all.epsilon.Cmp(r.Spend.Epsilon.Rat()), "all of ε is used")
	require.LessOrEqual(t, all.delta.Cmp(r.Spend.Delta.Rat()), 0)
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

func TestWeightsDivideEpsilon(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-9",
		"  - {name: a, group_by: [gender], weight: 3, statistics: [visitors]}\n  - {name: b, group_by: [gender], statistics: [visitors]}\n")
	assert.Equal(t, "0.75", plan.Tables[0].Spend.Epsilon)
	assert.Equal(t, "0.25", plan.Tables[1].Spend.Epsilon)
	assert.Equal(t, "5e-10", plan.Tables[0].Spend.Delta, "weights divide ε, not δ")
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
	plan, _ = planOf(t, "noisy", "1", "1e-9", genderTable+eventsTable)
	assert.Equal(t, "0", plan.Tables[0].Spend.Delta)
	assert.Equal(t, "1e-9", plan.Tables[1].Spend.Delta, "what needs none leaves all of δ to what does")
}

// TestGaussianNoiseIsChosenWhereItIsSmaller compares with the Laplace law of the same ε: b = l0·l∞/ε
// has the standard deviation √2·b, which grows with l0 and not with its root.
func TestGaussianNoiseIsChosenWhereItIsSmaller(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-7", manyTable+genderTable)
	seen := map[string]bool{}
	for _, table := range plan.Tables {
		for _, d := range table.Draws {
			seen[d.Mechanism] = true
			epsilon, _ := rat(t, d.Spend.Epsilon).Float64()
			laplace := math.Sqrt2*float64(d.L0*d.LInf)/epsilon + 0.5 // and rounding to whole numbers
			assert.LessOrEqual(t, d.StdDev, laplace, "%s of %s", d.Statistic, table.Name)
			want := "laplace"
			if d.L0 == 200 {
				want = "gaussian"
				assert.Less(t, d.StdDev, laplace/2, "%s of %s", d.Statistic, table.Name)
			}
			assert.Equal(t, want, d.Mechanism, "%s of %s", d.Statistic, table.Name)
		}
	}
	assert.Len(t, seen, 2)
}

func TestPlanSaysWhatOnePersonChangesInTheUnitOfTheValue(t *testing.T) {
	plan, _ := planOf(t, "hard", "1", "1e-7", strings.Replace(manyTable, "200", "2", 1))
	draws := map[string]aggregate.PlanDraw{}
	for _, d := range plan.Tables[0].Draws {
		draws[d.Statistic] = d
	}
	seconds := draws["sum_seconds"]
	assert.Equal(t, int64(3*600*4), seconds.LInf, "in quanta of 0.25 s")
	assert.Equal(t, []string{"-0.5", "600"}, seconds.Clamp)
	assert.Equal(t, "s", seconds.Unit)
	assert.Equal(t, int64(100), draws["sum_spent"].LInf, "a total is bounded once, not per record")
	assert.Equal(t, []string{"0", "100"}, draws["sum_spent"].SumClamp)
	text := plan.String()
	assert.Contains(t, text, "in at most 2 groups, by at most 1800 each; a record counts as at least -0.5 and at most 600")
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
