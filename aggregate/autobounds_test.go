// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// autoTable has bounds that are far from what bookworms do.
const autoTable = `
  - name: x
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 1$AUTO$}
    statistics: [visitors, events, {sum: seconds}, {mean: seconds}]
`

func autoJob(t testing.TB, auto string) job {
	return newJob(t, autoTable, "AUTO", auto, "SPEND", generous)
}

func TestFoundBoundsAreThoseThatPeopleHave(t *testing.T) {
	w := bookworms("p", 2000, 4, 8)
	found, calls := autoJob(t, ", auto: {share: 0.1, groups: 4}").exact(t, w)
	plan := found.Plan.Tables[0]
	assert.Equal(t, []int64{4, 8}, []int64{plan.MaxPartitions, plan.MaxPerPartition})
	assert.Contains(t, plan.Auto, "up to 64 groups and 65536 records")

	inputs := map[string]map[string]int64{}
	for _, c := range calls {
		if inputs[c.Site.Statistic] == nil {
			inputs[c.Site.Statistic] = map[string]int64{}
		}
		inputs[c.Site.Statistic][c.Site.Group] = c.Input
	}
	assert.Len(t, inputs["survey_groups"], 12, "1, 2, 3, 4, 6 and so on to 64")
	assert.Len(t, inputs["survey_records"], 17, "1, 2, 4 and so on to 65,536")
	assert.Equal(t, int64(2000), inputs["survey_groups"]["4"])
	assert.Equal(t, int64(2000), inputs["survey_records"]["8"])
	for statistic, want := range map[string]int64{"visitors": 2000, "events": 16_000, "sum_seconds": 160_000} {
		for group, n := range inputs[statistic] {
			assert.Equal(t, want, n, "%s of %q", statistic, group)
		}
		assert.Len(t, inputs[statistic], 4)
	}
	for _, b := range found.Tables[0].Bounding {
		assert.Zero(t, b.People.Float64(), b.Text)
	}
}

// TestFoundBoundsGiveWhatDeclaredOnesGive declares the bounds that were found before: with noise off the same is
// released.
func TestFoundBoundsGiveWhatDeclaredOnesGive(t *testing.T) {
	w := bookworms("few", 1500, 2, 3).with(bookworms("many", 400, 9, 40)).with(bookworms("most", 5, 30, 100))
	found, calls := autoJob(t, ", auto: {share: 0.1}").exact(t, w)
	plan := found.Plan.Tables[0]
	assert.Greater(t, plan.MaxPartitions, int64(1))
	assert.Greater(t, plan.MaxPerPartition, int64(1))
	declared := autoJob(t, "")
	declared.release.Tables[0].Bounds = dp.ContributionBounds{MaxPartitions: plan.MaxPartitions, MaxPerPartition: plan.MaxPerPartition}
	_, want := declared.exact(t, w)
	type cell struct{ statistic, group string }
	exact := func(calls []mechanismtest.Call) map[cell]int64 {
		all := map[cell]int64{}
		for _, c := range calls {
			if c.Operation == mechanismtest.AddNoise && c.Site.Statistic != "survey_groups" && c.Site.Statistic != "survey_records" {
				all[cell{c.Site.Statistic, c.Site.Group}] = c.Input
			}
		}
		return all
	}
	assert.Equal(t, exact(want), exact(calls))
}

// TestTooFewPeopleGetTheDeclaredBounds: what is found depends on noisy numbers alone, and these do not tell.
func TestTooFewPeopleGetTheDeclaredBounds(t *testing.T) {
	for name, w := range map[string]world{"nobody": {}, "a few": bookworms("p", 3, 4, 8)} {
		j := newJob(t, autoTable, "AUTO", ", auto: {share: 0.01}")
		res, _ := j.exact(t, w)
		plan := res.Plan.Tables[0]
		assert.Equal(t, []int64{1, 1}, []int64{plan.MaxPartitions, plan.MaxPerPartition}, name)
		assert.Contains(t, plan.Auto, "as declared", name)
	}
}

// TestFindingBoundsIsCharged: the whole spend is charged before the first draw, and covers what is drawn.
func TestFindingBoundsIsCharged(t *testing.T) {
	j := autoJob(t, ", auto: {share: 0.125}")
	var charged aggregate.Charge
	rec := mechanismtest.New(mechanismtest.Zero)
	runner := &aggregate.Runner{Workers: 1, Charger: chargerFunc(func(c aggregate.Charge) error {
		assert.Empty(t, rec.Calls(), "drawn before it is charged")
		charged = c
		return nil
	})}
	w := bookworms("p", 2000, 4, 8)
	res, err := runner.Run(under(t, rec), j.policy, j.release, w.inputs(t))
	require.NoError(t, err)
	assert.Equal(t, j.release.Spend.String(), charged.Spend.String())
	assert.Equal(t, "20", res.Plan.Spend.Epsilon)
	assert.Contains(t, charged.Plan, "chosen by noisy counts of people")

	survey, err := rec.CompositionOf(isSurveyCall)
	require.NoError(t, err)
	epsilon, delta, exact := survey.Sum()
	require.True(t, exact)
	assert.Zero(t, delta.Sign())
	assert.LessOrEqual(t, epsilon.Cmp(big.NewRat(25, 10)), 0, "an eighth of 20")
	assert.Positive(t, epsilon.Cmp(big.NewRat(24, 10)), "and not much less")
	rest, err := rec.CompositionOf(func(c mechanismtest.Call) bool { return !isSurveyCall(c) })
	require.NoError(t, err)
	e, d, exact := rest.Sum()
	if exact {
		assert.LessOrEqual(t, e.Cmp(big.NewRat(175, 10)), 0)
		assert.LessOrEqual(t, d.Cmp(j.release.Spend.Delta.Rat()), 0)
	}
	var shares float64
	for _, d := range res.Plan.Tables[0].Draws {
		shares += d.Share
	}
	assert.InDelta(t, 1, shares+res.Plan.Tables[0].Selection.Share, 0.001)
	assert.InDelta(t, 1, res.Plan.Tables[0].Share, 0.001)

	refused := errors.New("refused")
	rec = mechanismtest.New(mechanismtest.Zero)
	runner.Charger = chargerFunc(func(aggregate.Charge) error { return refused })
	_, err = runner.Run(under(t, rec), j.policy, j.release, w.inputs(t))
	assert.ErrorIs(t, err, refused)
	assert.Empty(t, rec.Calls())
}

func isSurveyCall(c mechanismtest.Call) bool { return strings.HasPrefix(c.Site.Statistic, "survey_") }

type chargerFunc func(aggregate.Charge) error

func (f chargerFunc) Charge(_ context.Context, c aggregate.Charge) error { return f(c) }

// TestAttackB12OneHugePersonDoesNotMoveTheBounds: without bounds a release is refused; with bounds that are found,
// the questions and their parameters are the same whatever one person does, given the same answers.
func TestAttackB12OneHugePersonDoesNotMoveTheBounds(t *testing.T) {
	j := autoJob(t, ", auto: {share: 0.1}")
	w := bookworms("p", 500, 3, 5)
	res, calls := j.exact(t, w)
	replay := mechanismtest.NewReplay(calls)
	huge, err := (&aggregate.Runner{Workers: 1}).Run(under(t, replay), j.policy, j.release, w.with(bookworms("huge", 1, 60, 500)).inputs(t))
	require.NoError(t, err)
	assert.Equal(t, res.Plan, huge.Plan)
	for _, c := range replay.Calls() {
		assert.LessOrEqual(t, c.L0, res.Plan.Tables[0].MaxPartitions)
	}
	var moved int64
	inputs := map[string]int64{}
	for _, c := range calls {
		if isSurveyCall(c) {
			inputs[c.Site.Statistic+c.Site.Group] = c.Input
		}
	}
	for _, c := range replay.Calls() {
		if isSurveyCall(c) {
			moved += c.Input - inputs[c.Site.Statistic+c.Site.Group]
		}
	}
	assert.Equal(t, int64(2), moved, "one cell of each histogram")

	j.release.Tables[0].Bounds = dp.ContributionBounds{}
	j.release.Tables[0].Auto = nil
	_, err = aggregate.NewPlan(j.policy, j.release)
	assert.ErrorContains(t, err, "max_per_partition: got nothing")
}
