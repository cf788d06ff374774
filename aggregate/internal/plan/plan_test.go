// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// TestPartsAddUpToTheSpendExactly counts every mechanism's own parameters, not the sums that Calibrate
// returns.
func TestPartsAddUpToTheSpendExactly(t *testing.T) {
	spend := dp.MustApprox("1", "1e-6")
	tables := []plan.Table{
		{Name: "a", Weight: 3, L0: 2, K: 20, Selection: plan.ByVisitors,
			Draws: []plan.Draw{{Statistic: "visitors", L0: 2, LInf: 1}, {Statistic: "events", L0: 2, LInf: 7}, {Statistic: "sum_x", L0: 2, LInf: 700}}},
		{Name: "b", Weight: 1, L0: 1, K: 20, Selection: plan.BySelection, Draws: []plan.Draw{{Statistic: "events", L0: 1, LInf: 9}}},
		{Name: "c", Weight: 3, L0: 60, K: 20, Draws: []plan.Draw{{Statistic: "visitors", L0: 60, LInf: 1}}},
	}
	calibrated, err := plan.Calibrate(spend, tables)
	require.NoError(t, err)
	epsilon, delta := new(big.Rat), new(big.Rat)
	perTable := make([]*big.Rat, len(tables))
	for i, c := range calibrated {
		perTable[i] = new(big.Rat)
		for _, n := range c.Noise {
			perTable[i].Add(perTable[i], n.Epsilon().Rat())
			delta.Add(delta, n.Delta().Rat())
		}
		switch tables[i].Selection {
		case plan.ByVisitors:
			delta.Add(delta, c.Threshold.Delta().Rat())
		case plan.BySelection:
			perTable[i].Add(perTable[i], c.Selection.Epsilon().Rat())
			delta.Add(delta, c.Selection.Delta().Rat())
		}
		assert.Zero(t, perTable[i].Cmp(c.Spend.Epsilon.Rat()), "table %s charges what it draws", tables[i].Name)
		epsilon.Add(epsilon, perTable[i])
	}
	assert.Zero(t, epsilon.Cmp(spend.Epsilon.Rat()), "ε = %s", epsilon)
	assert.Zero(t, delta.Cmp(spend.Delta.Rat()), "δ = %s", delta)
	assert.Zero(t, perTable[0].Cmp(big.NewRat(3, 7)), "ε by weight")
	assert.Zero(t, perTable[1].Cmp(big.NewRat(1, 7)))
}

// TestEachDrawTakesTheSmallerNoise: over l0 groups Laplace noise grows with l0 and Gaussian noise with
// its square root, so many groups make the Gaussian the smaller one.
func TestEachDrawTakesTheSmallerNoise(t *testing.T) {
	for l0, want := range map[int64]mechanism.Kind{1: mechanism.Laplace, 3: mechanism.Laplace, 60: mechanism.Gaussian} {
		calibrated, err := plan.Calibrate(dp.MustApprox("1", "1e-6"), []plan.Table{
			{Name: "t", Weight: 1, L0: l0, K: 20, Draws: []plan.Draw{{Statistic: "visitors", L0: l0, LInf: 1}}},
		})
		require.NoError(t, err)
		assert.Equal(t, want, calibrated[0].Noise[0].Kind(), "l0 = %d", l0)
	}
}

func TestWhatNeedsNoDeltaIsChargedNone(t *testing.T) {
	calibrated, err := plan.Calibrate(dp.MustApprox("1", "1e-6"), []plan.Table{
		{Name: "t", Weight: 1, L0: 1, K: 20, Draws: []plan.Draw{{Statistic: "visitors", L0: 1, LInf: 1}}},
	})
	require.NoError(t, err)
	assert.True(t, calibrated[0].Spend.Delta.IsZero())
}

func TestAPartThatIsTooThinIsNamed(t *testing.T) {
	_, err := plan.Calibrate(dp.MustApprox("0.000001", "1e-6"), []plan.Table{
		{Name: "a", Weight: 1, L0: 1, K: 20, Draws: []plan.Draw{{Statistic: "visitors", L0: 1, LInf: 1}, {Statistic: "events", L0: 1, LInf: 1}}},
	})
	var fault *plan.Error
	require.ErrorAs(t, err, &fault)
	assert.ErrorContains(t, err, "visitors")
}
