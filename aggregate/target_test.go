// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
)

func TestTargetsAreReadAsTheyAreSaid(t *testing.T) {
	for _, text := range []string{"share:gender ±1 at 5000", "share:gender +-1 at 5000", " share : gender  +/- 1.0  at 5000 "} {
		got, err := aggregate.ParseTarget(text)
		require.NoError(t, err, text)
		assert.Equal(t, aggregate.Target{Statistic: "share", Table: "gender", HalfWidth: 1, People: 5000}, got)
	}
	for _, text := range []string{"", "share:gender", "share:gender 1 at 5000", "share ±1 at 5000", "share:gender ±1 at 99999999999999999999", "share:gender ±-1 at 5"} {
		_, err := aggregate.ParseTarget(text)
		require.ErrorContains(t, err, "want ", text)
	}
}

// widthOf is what a plan promises for a statistic of its first table at 5000 people.
func widthOf(t *testing.T, p *aggregate.Plan, statistic string) float64 {
	t.Helper()
	for _, e := range p.Tables[0].Expected {
		if w, ok := e.HalfWidths[statistic]; ok && e.People == 5000 {
			return w
		}
	}
	return math.Inf(1)
}

// TestPlanForFindsTheLeastEpsilon holds the plan to its target, and the next smaller ε to missing it.
func TestPlanForFindsTheLeastEpsilon(t *testing.T) {
	p, r := example(t, "partnerreport")
	for statistic, width := range map[string]float64{"share": 1, "visitors": 20} {
		plan, err := aggregate.PlanFor(p, r, aggregate.Target{Statistic: statistic, Table: "gender", HalfWidth: width, People: 5000})
		require.NoError(t, err)
		assert.LessOrEqual(t, widthOf(t, plan, statistic), width)
		assert.Greater(t, widthOf(t, plan, statistic), width*0.9, "no ε is wasted")
		epsilon, err := dp.ParseEpsilon(plan.Spend.Epsilon)
		require.NoError(t, err)
		less := *r
		less.Spend.Epsilon = epsilon.Part(99, 100)
		smaller, err := aggregate.NewPlan(p, &less)
		require.NoError(t, err)
		assert.Greater(t, widthOf(t, smaller, statistic), width)
	}
	assert.Equal(t, "2", r.Spend.Epsilon.String(), "the release is left as it was")
}

func TestPlanForSaysWhyNot(t *testing.T) {
	p, r := example(t, "partnerreport")
	for want, target := range map[string]aggregate.Target{
		`got the table "gendr", want one of gender, age_gender, section`:              {Statistic: "share", Table: "gendr", HalfWidth: 1, People: 1},
		`got the statistic "events", want one that table gender has: visitors, share`: {Statistic: "events", Table: "gender", HalfWidth: 1, People: 1},
		`want a width above 0`:                          {Statistic: "share", Table: "gender", People: 1},
		`want what the policy's budget of ε = 4 allows`: {Statistic: "visitors", Table: "section", HalfWidth: 0.5, People: 5000},
	} {
		_, err := aggregate.PlanFor(p, r, target)
		require.ErrorContains(t, err, want)
	}
	_, err := aggregate.PlanFor(p, &aggregate.Release{}, aggregate.Target{})
	require.ErrorIs(t, err, aggregate.ErrSpec)
}

// TestExpectationsAreThoseOfRuns compares the chance that a group is shown, and the width, with what a
// hundred runs give.
func TestExpectationsAreThoseOfRuns(t *testing.T) {
	j := newJob(t, `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 1}
    statistics: [visitors]
`, "K", "50", "SPEND", `{epsilon: "0.2", delta: "0.001"}`)
	plan, err := aggregate.NewPlan(j.policy, j.release)
	require.NoError(t, err)
	expected := plan.Tables[0].Expected
	require.Equal(t, int64(50), expected[0].People)
	require.Equal(t, int64(100), expected[1].People)
	for _, e := range expected[:2] {
		p := j.prepare(t, people("p", int(e.People), "algebra", "quiz"))
		const runs = 400
		shown, widest := 0, 0.0
		for range runs {
			rows := publish(t, p, live)[0].Rows
			if len(rows) == 0 {
				continue
			}
			shown++
			widest = max(widest, (rows[0].High.Float64()-rows[0].Low.Float64())/2)
		}
		sd := math.Sqrt(e.Chance*(1-e.Chance)/runs) + 1.0/runs
		assert.InDelta(t, e.Chance, float64(shown)/runs, 6*sd, "%d people", e.People)
		if w, ok := e.HalfWidths["visitors"]; ok {
			assert.GreaterOrEqual(t, widest, w*0.8)
		}
	}
}
