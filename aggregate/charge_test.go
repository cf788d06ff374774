// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
)

func chargeOf(population string, spend, budget dp.Spend) aggregate.Charge {
	return aggregate.Charge{Population: population, Unit: "person", Spend: spend, Budget: budget}
}

// TestAttackL08FloatBudgetDrift spends a budget in parts that floats cannot add up: 10 × 0.1,
// 100,000 × 1e-5 and 3 × 1/3 are 1, and nothing more fits.
func TestAttackL08FloatBudgetDrift(t *testing.T) {
	budget := dp.MustApprox("1", "1e-9")
	third := dp.Spend{Epsilon: budget.Epsilon.Part(1, 3), Delta: budget.Delta.Part(1, 3)}
	for name, c := range map[string]struct {
		spend dp.Spend
		times int
	}{
		"tenths":               {dp.MustApprox("0.1", "1e-10"), 10},
		"hundred thousandths":  {dp.MustApprox("0.00001", "0"), 100_000},
		"thirds":               {third, 3},
		"the whole, to the ε":  {budget, 1},
		"the whole, δ unspent": {dp.MustApprox("1", "0"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := &aggregate.MemoryCharger{}
			for range c.times {
				require.NoError(t, m.Charge(t.Context(), chargeOf("site", c.spend, budget)))
			}
			spent := m.Spent("site", "person")
			assert.Zero(t, spent.Epsilon.Rat().Cmp(budget.Epsilon.Rat()), "spent %s", spent)
			for _, more := range []dp.Spend{c.spend, dp.MustApprox("1e-6", "0")} {
				err := m.Charge(t.Context(), chargeOf("site", more, budget))
				require.ErrorIs(t, err, dp.ErrBudgetExhausted)
				assert.True(t, spent.Equal(m.Spent("site", "person")), "what is refused is not spent")
			}
		})
	}
}

// TestAttackL08FloatBudgetDriftByAHair overspends by less than a float can tell.
func TestAttackL08FloatBudgetDriftByAHair(t *testing.T) {
	budget := dp.MustApprox("1", "1e-9")
	for _, last := range []dp.Spend{
		dp.MustApprox("0.1000000000000000000000000001", "1e-10"),
		dp.MustApprox("0.1", "1.0000000000000000000000000001e-10"),
	} {
		m := &aggregate.MemoryCharger{}
		for range 9 {
			require.NoError(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("0.1", "1e-10"), budget)))
		}
		assert.ErrorIs(t, m.Charge(t.Context(), chargeOf("site", last, budget)), dp.ErrBudgetExhausted, "%s", last)
		assert.NoError(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("0.1", "1e-10"), budget)))
	}
}

func TestMemoryChargerRefusesDeltaAlone(t *testing.T) {
	m := &aggregate.MemoryCharger{}
	budget := dp.MustApprox("4", "1e-9")
	require.NoError(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("1", "1e-9"), budget)))
	assert.ErrorIs(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("1", "1e-10"), budget)), dp.ErrBudgetExhausted)
	assert.NoError(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("1", "0"), budget)))
}

func TestMemoryChargerKeepsPopulationsApart(t *testing.T) {
	m := &aggregate.MemoryCharger{}
	budget := dp.MustApprox("1", "0")
	require.NoError(t, m.Charge(t.Context(), chargeOf("a", budget, budget)))
	require.NoError(t, m.Charge(t.Context(), chargeOf("b", budget, budget)))
	assert.ErrorIs(t, m.Charge(t.Context(), chargeOf("a", budget, budget)), dp.ErrBudgetExhausted)
	assert.True(t, m.Spent("nobody", "person").Equal(dp.Spend{}))
}

func TestMemoryChargerRefusesWhereNoBudgetIsSet(t *testing.T) {
	m := &aggregate.MemoryCharger{}
	assert.ErrorIs(t, m.Charge(t.Context(), chargeOf("site", dp.MustApprox("1", "0"), dp.Spend{})), dp.ErrBudgetExhausted)
}

// TestMemoryChargerNeverOverspendsUnderConcurrentUse lets 200 goroutines ask for a tenth of the budget
// each.
func TestMemoryChargerNeverOverspendsUnderConcurrentUse(t *testing.T) {
	m := &aggregate.MemoryCharger{}
	budget, part := dp.MustApprox("1", "1e-9"), dp.MustApprox("0.1", "1e-10")
	var granted, refused atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if m.Charge(t.Context(), chargeOf("site", part, budget)) == nil {
				granted.Add(1)
			} else {
				refused.Add(1)
			}
			m.Spent("site", "person")
		})
	}
	wg.Wait()
	assert.Equal(t, int64(10), granted.Load())
	assert.Equal(t, int64(190), refused.Load())
	assert.True(t, budget.Equal(m.Spent("site", "person")))
}
