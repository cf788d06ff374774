// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
)

func visitors(l0 int64) plan.Draw { return plan.Draw{Statistic: "visitors", L0: l0, LInf: 1} }

// composed adds up every mechanism's own cost, not what Calibrate says of it.
func composed(t *testing.T, c plan.Calibration, tables []plan.Table) accounting.Composition {
	t.Helper()
	var all accounting.Composition
	add := func(e accounting.Event, times int64, err error) {
		require.NoError(t, err)
		all, err = all.Add(e, times)
		require.NoError(t, err)
	}
	for i, table := range c.Tables {
		for _, n := range table.Noise {
			add(n.Event())
		}
		switch tables[i].Selection {
		case plan.ByVisitors:
			e, err := table.Threshold.Event()
			add(e, 1, err)
		case plan.BySelection:
			add(table.Selection.Event())
		}
	}
	return all
}

// epsilonOf is what a composition costs at a spend's δ, of which none may be missing.
func epsilonOf(t *testing.T, c accounting.Composition, m accounting.Method, spend dp.Spend) float64 {
	t.Helper()
	if e, d, exact := c.Sum(); exact && m == accounting.Basic {
		assert.LessOrEqual(t, d.Cmp(spend.Delta.Rat()), 0)
		f, _ := e.Float64()
		return f
	}
	e, err := c.Epsilon(m, spend.Delta.Float())
	require.NoError(t, err)
	return e
}

// mixed has tables of every kind.
var mixed = []plan.Table{
	{Name: "a", Weight: 3, L0: 2, K: 20, Selection: plan.ByVisitors,
		Draws: []plan.Draw{visitors(2), {Statistic: "events", L0: 2, LInf: 7}, {Statistic: "sum_x", L0: 2, LInf: 700}}},
	{Name: "b", Weight: 1, L0: 1, K: 20, Selection: plan.BySelection, Draws: []plan.Draw{{Statistic: "events", L0: 1, LInf: 9}}},
	{Name: "c", Weight: 3, L0: 60, K: 20, Draws: []plan.Draw{visitors(60)}},
}

// many is tables of one draw each.
func many(n int, l0 int64, kind plan.SelectionKind) []plan.Table {
	var tables []plan.Table
	for i := range n {
		tables = append(tables, plan.Table{Name: fmt.Sprint("t", i), Weight: 1, L0: l0, K: 20, Selection: kind, Draws: []plan.Draw{visitors(l0)}})
	}
	return tables
}

// TestAttackL13AllPartsTogetherCostTheSpend: noise δ, threshold δ, the split over L0 and the sum over tables.
func TestAttackL13AllPartsTogetherCostTheSpend(t *testing.T) {
	cases := map[string][]plan.Table{
		"mixed": mixed, "one": many(1, 1, plan.NoSelection), "many": many(30, 6, plan.ByVisitors), "few": many(3, 2, plan.BySelection),
	}
	for name, tables := range cases {
		for _, spend := range []dp.Spend{
			dp.MustApprox("1", "1e-9"), dp.MustApprox("0.01", "1e-6"), dp.MustApprox("20", "1e-10"), dp.MustApprox("4", "0.001"),
		} {
			c, err := plan.Calibrate(spend, tables)
			require.NoError(t, err, "%s at %s", name, spend)
			all := composed(t, c, tables)
			epsilon, target := epsilonOf(t, all, c.Method, spend), spend.Epsilon.Float()
			assert.LessOrEqual(t, epsilon, target, "%s at %s by %s", name, spend, c.Method)
			assert.Greater(t, epsilon, target*0.998, "%s at %s by %s: the spend is used", name, spend, c.Method)
			var shares float64
			for _, table := range c.Tables {
				for _, s := range table.Shares {
					shares += s
				}
				shares += table.SelectionShare
			}
			assert.InDelta(t, 1, shares, 1e-9)
		}
	}
}

// TestAttackL13ASlackAccountantIsNoticed plants the fault that the test above looks for.
func TestAttackL13ASlackAccountantIsNoticed(t *testing.T) {
	spend := dp.MustApprox("1", "1e-9")
	c, err := plan.Calibrate(spend, mixed)
	require.NoError(t, err)
	all := composed(t, c, mixed)
	extra, err := mechanism.NewLaplace(100, 1, 1)
	require.NoError(t, err)
	e, times, err := extra.Event()
	require.NoError(t, err)
	all, err = all.Add(e, times)
	require.NoError(t, err)
	assert.Greater(t, epsilonOf(t, all, c.Method, spend), 1.0)
}

func TestTheMethodIsTheOneWithTheLeastNoise(t *testing.T) {
	spend := dp.MustApprox("1", "1e-9")
	for _, c := range []struct {
		n      int
		l0     int64
		method accounting.Method
		kind   mechanism.Kind
	}{
		{1, 1, accounting.Basic, mechanism.Laplace}, {2, 1, accounting.Basic, mechanism.Laplace},
		{20, 1, accounting.PLD, mechanism.Gaussian}, {1, 60, accounting.Basic, mechanism.Gaussian}, {20, 3, accounting.PLD, mechanism.Gaussian},
	} {
		got, err := plan.Calibrate(spend, many(c.n, c.l0, plan.NoSelection))
		require.NoError(t, err)
		assert.Equal(t, c.method, got.Method, "%d statistics over %d groups", c.n, c.l0)
		assert.Equal(t, c.kind, got.Tables[0].Noise[0].Kind(), "%d statistics over %d groups", c.n, c.l0)
	}
}

// TestNoiseIsTheLeastThatIsKnown holds the standard deviations at (1, 1e-9) to those of the best
// composition, within 0.5 %.
func TestNoiseIsTheLeastThatIsKnown(t *testing.T) {
	for n, want := range map[int]float64{2: 2.83, 5: 7.07, 10: 14.14, 20: 24.58, 50: 38.86} {
		c, err := plan.Calibrate(dp.MustApprox("1", "1e-9"), many(n, 1, plan.NoSelection))
		require.NoError(t, err)
		assert.InEpsilon(t, want, c.Tables[0].Noise[0].StdDev(), 5e-3, "%d statistics", n)
	}
	basic := func(n int, l0 int64) float64 {
		laplace := float64(n) * float64(l0) * 1.4142136 // √2·b, at ε = 1/n
		plan, err := accounting.Calibrate(dp.MustApprox("1", "1e-9"), repeat(n, l0), accounting.Composition{}, accounting.Basic)
		require.NoError(t, err)
		return min(laplace, plan.Noises[0].StdDev)
	}
	for l0, most := range map[int64]float64{1: 0.875, 3: 0.51, 6: 0.36} {
		c, err := plan.Calibrate(dp.MustApprox("1", "1e-9"), many(20, l0, plan.NoSelection))
		require.NoError(t, err)
		assert.LessOrEqual(t, c.Tables[0].Noise[0].StdDev()/basic(20, l0), most, "20 statistics over %d groups", l0)
	}
}

func repeat(n int, l0 int64) (items []accounting.Item) {
	for range n {
		items = append(items, accounting.Item{Sensitivity: 1, L0: l0, Weight: 1})
	}
	return items
}

func TestTwiceTheWeightIsHalfTheNoise(t *testing.T) {
	tables := many(2, 1, plan.NoSelection)
	tables[0].Weight = 2
	c, err := plan.Calibrate(dp.MustApprox("1", "1e-9"), tables)
	require.NoError(t, err)
	assert.InEpsilon(t, c.Tables[1].Noise[0].Scale(), 2*c.Tables[0].Noise[0].Scale(), 1e-6)
}

// TestATotalIsWorthWhatItBounds: a quarter of all groups' records is a quarter of Laplace noise and half of Gaussian noise,
// and is within the spend.
func TestATotalIsWorthWhatItBounds(t *testing.T) {
	for name, c := range map[string]struct {
		tables int
		kind   mechanism.Kind
		gains  float64
		draw   plan.Draw
	}{
		"laplace":  {1, mechanism.Laplace, 4, plan.Draw{Statistic: "events", L0: 4, LInf: 50}},
		"gaussian": {20, mechanism.Gaussian, 2, plan.Draw{Statistic: "events", L0: 8, LInf: 50}},
		"a tree":   {1, mechanism.Gaussian, 2, plan.Draw{Statistic: "tree_x", L0: 16, LInf: 50, Cells: 200}},
	} {
		spend := dp.MustApprox("1", "1e-9")
		var tables [2][]plan.Table
		for i := range tables {
			if i == 1 {
				c.draw.L1 = c.draw.L0 * c.draw.LInf / 4
			}
			for range c.tables {
				tables[i] = append(tables[i], plan.Table{Weight: 1, L0: c.draw.L0, K: 20, Draws: []plan.Draw{c.draw}})
			}
		}
		free, err := plan.Calibrate(spend, tables[0])
		require.NoError(t, err, name)
		bounded, err := plan.Calibrate(spend, tables[1])
		require.NoError(t, err, name)
		noise := bounded.Tables[0].Noise[0]
		assert.Equal(t, c.kind, noise.Kind(), name)
		assert.Equal(t, c.draw.L1, noise.L1(), name)
		assert.Equal(t, max(c.draw.Cells, c.draw.L0), noise.Cells(), name)
		assert.InEpsilon(t, c.gains, free.Tables[0].Noise[0].StdDev()/noise.StdDev(), 1e-3, name)
		all := composed(t, bounded, tables[1])
		assert.LessOrEqual(t, epsilonOf(t, all, bounded.Method, spend), 1.0, name)
	}
}

func TestWhatNeedsNoDeltaIsChargedNone(t *testing.T) {
	c, err := plan.Calibrate(dp.MustApprox("1", "1e-6"), many(1, 1, plan.NoSelection))
	require.NoError(t, err)
	assert.Equal(t, "0", c.Spend.Delta.String())
	assert.Equal(t, "1", c.Spend.Epsilon.String())
}

// TestThresholdsGetWhatNoiseDoesNotNeed: all of δ beside Laplace noise by basic composition, else half.
func TestThresholdsGetWhatNoiseDoesNotNeed(t *testing.T) {
	for n, want := range map[int]string{1: "1e-6", 2: "5e-7", 40: "1.25e-8"} {
		c, err := plan.Calibrate(dp.MustApprox("1", "1e-6"), many(n, 1, plan.ByVisitors))
		require.NoError(t, err)
		assert.Equal(t, want, c.Tables[0].Threshold.Delta().String(), "%d tables, by %s", n, c.Method)
	}
}

func TestATailThatIsMissingNeverPassesForPrivacy(t *testing.T) {
	// At ε = 20 and δ = 1e-10 the sampler's missing tail alone is too much: Laplace serves.
	c, err := plan.Calibrate(dp.MustApprox("20", "1e-10"), many(1, 1000, plan.NoSelection))
	require.NoError(t, err)
	assert.Equal(t, mechanism.Laplace, c.Tables[0].Noise[0].Kind())
}

func TestAPartThatIsTooThinIsNamed(t *testing.T) {
	wide := []plan.Table{{Name: "a", Weight: 1, L0: 1, K: 20, Draws: []plan.Draw{visitors(1), {Statistic: "sum_x", L0: 1, LInf: 1 << 40}}}}
	_, err := plan.Calibrate(dp.MustApprox("0.000001", "0"), wide)
	var fault *plan.Error
	require.ErrorAs(t, err, &fault)
	assert.ErrorContains(t, err, "sum_x")
	_, err = plan.Calibrate(dp.MustApprox("1", "0"), many(1, 1, plan.ByVisitors))
	require.ErrorAs(t, err, &fault)
	assert.ErrorContains(t, err, "the choice of groups")
}
