// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// part is what a spec does to ε and δ in basic composition, in exact text.
type part struct {
	epsilon, delta string
	parts          int64 // of a selection over groups
	failure        string
}

// deltaSpecs mix pure and approximate mechanisms, selections over groups, and thresholds.
func deltaSpecs() (specs [][]part) {
	for i := range int64(20) {
		specs = append(specs, []part{
			{epsilon: "0.1", delta: "0", parts: 1},
			{epsilon: "0.25", delta: fmt.Sprintf("%de-9", i+1), parts: 1},
			{epsilon: "0.5", delta: fmt.Sprintf("%de-8", i+1), parts: 1 + i%7},
			{failure: fmt.Sprintf("%de-10", 2*i+1), parts: 1 + i%3},
		})
	}
	return specs
}

func TestAttackL13DeltaIsTheSumOfAllDeltas(t *testing.T) {
	for i, spec := range deltaSpecs() {
		var c accounting.Composition
		sumE, sumD, keep := new(big.Rat), new(big.Rat), big.NewRat(1, 1)
		for _, p := range spec {
			var e accounting.Event
			var err error
			one := new(big.Rat)
			if p.failure != "" {
				d, errD := dp.ParseDelta(p.failure)
				require.NoError(t, errD)
				one.SetString(p.failure)
				e, err = accounting.Failure(d)
			} else {
				s := dp.MustApprox(p.epsilon, p.delta)
				// Of a selection over l0 groups, each group gets an l0-th.
				e, err = accounting.Approx(dp.Spend{Epsilon: s.Epsilon.Part(1, p.parts), Delta: s.Delta.Part(1, p.parts)})
				one.SetString(p.delta)
				one.Quo(one, big.NewRat(p.parts, 1))
				whole, _ := new(big.Rat).SetString(p.epsilon)
				sumE.Add(sumE, whole)
			}
			require.NoError(t, err)
			c, err = c.Add(e, p.parts)
			require.NoError(t, err)
			for range p.parts {
				sumD.Add(sumD, one)
				keep.Mul(keep, new(big.Rat).Sub(big.NewRat(1, 1), one))
			}
		}
		epsilon, delta, ok := c.Sum()
		assert.True(t, ok)
		assert.Zero(t, epsilon.Cmp(sumE), "spec %d: ε = %s, want %s", i, epsilon, sumE)
		assert.Zero(t, delta.Cmp(sumD), "spec %d: δ = %s, want %s", i, delta, sumD)
		_, byRho := c.Rho()
		assert.GreaterOrEqual(t, byRho, exactFloat(sumD), "spec %d", i)

		// By PLD independent failures compose as 1-∏(1-δ), and at any ε nothing less is reported.
		lost := exactFloat(new(big.Rat).Sub(big.NewRat(1, 1), keep))
		for _, at := range []float64{0.5, 0.85, 1, 100} {
			got, err := c.Delta(accounting.PLD, at)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, got, lost, "spec %d at ε = %g", i, at)
		}
		got, err := c.Delta(accounting.PLD, 100)
		require.NoError(t, err)
		assert.InEpsilon(t, lost, got, 1e-9, "spec %d", i)
		// Less δ than what fails by itself has no ε, by any method.
		for _, m := range methods {
			_, err := c.Epsilon(m, lost*0.999)
			require.ErrorContains(t, err, "that the events spend themselves", "spec %d", i)
		}
	}
}

func exactFloat(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// Dependent failures are one event with the sum of their δ; they are not composed as if they were
// independent.
func TestAttackL13DependentFailuresAreOneEvent(t *testing.T) {
	c := compose(t, failure(t, "3e-3", 1))
	got, err := c.Delta(accounting.PLD, 1)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, got, 3e-3)
	independent, err := compose(t, failure(t, "1e-3", 3)).Delta(accounting.PLD, 1)
	require.NoError(t, err)
	assert.Less(t, independent, got)
	assert.InEpsilon(t, 1-math.Pow(1-1e-3, 3), independent, 1e-9)
}

// No method is trusted to be best: PLD is never above basic composition, where advanced composition is.
func TestAttackL14NeverAboveBasic(t *testing.T) {
	for _, c := range []accounting.Composition{
		compose(t, approx("0.5", "0", 20)),
		compose(t, lap(3, 1)),
		compose(t, lap(1, 2), approx("0.01", "1e-9", 3)),
		compose(t, gauss(3, 1), lap(5, 2)),
	} {
		for _, delta := range []float64{1e-5, 1e-7, 1e-8} {
			basic, err := c.Epsilon(accounting.Basic, delta)
			require.NoError(t, err)
			pld, err := c.Epsilon(accounting.PLD, delta)
			require.NoError(t, err)
			assert.LessOrEqual(t, pld, basic)
		}
	}
}

// An adversary who picks each ε from what was released before may stop, or go on, where it suits. Only sums
// of ε, δ and ρ are enforced: the filter stops at them, though a PLD of the same list would allow more.
func TestAttackL15AdaptiveSpendingIsStoppedBySums(t *testing.T) {
	limit := dp.MustApprox("1", "1e-6")
	f, err := accounting.NewFilter(limit)
	require.NoError(t, err)
	var o accounting.Odometer
	spent := dp.Spend{}
	// The "outputs" are the last digits of what went before: any choice must be safe.
	seed := uint64(1)
	menu := []dp.Spend{dp.MustApprox("0.05", "0"), dp.MustApprox("0.01", "1e-8"), dp.MustApprox("0.2", "1e-7"), dp.MustApprox("0.001", "0")}
	refused := 0
	for range 2000 {
		seed = seed*6364136223846793005 + 1442695040888963407
		s := menu[seed>>62]
		e, err := accounting.Approx(s)
		require.NoError(t, err)
		if err := f.Charge(e, 1); err != nil {
			require.ErrorIs(t, err, dp.ErrBudgetExhausted)
			refused++
			assert.False(t, spent.Add(s).Within(limit), "a spend that fits was refused")
			continue
		}
		spent = spent.Add(s)
		require.NoError(t, o.Record(e, 1))
		require.True(t, spent.Within(limit), "got %s", spent)
	}
	assert.Positive(t, refused)
	assert.True(t, spent.Within(limit))
	epsilon, delta, ok := o.Composition().Sum()
	assert.True(t, ok)
	assert.Zero(t, epsilon.Cmp(spent.Epsilon.Rat()))
	assert.Zero(t, delta.Cmp(spent.Delta.Rat()))

	// 1000 draws that PLD would let through together are stopped after the 100 that fit by sum.
	f, err = accounting.NewFilter(limit)
	require.NoError(t, err)
	e, err := accounting.Approx(dp.MustApprox("0.01", "0"))
	require.NoError(t, err)
	granted := int64(0)
	for f.Charge(e, 1) == nil {
		granted++
	}
	assert.EqualValues(t, 100, granted)
	byPLD, err := compose(t, entry{e, nil, 2 * granted}).Epsilon(accounting.PLD, 1e-6)
	require.NoError(t, err)
	assert.Less(t, byPLD, 1.0, "the schedule would have fit by PLD, had it been fixed in advance")
}

func TestAttackL15RhoFilterStopsAtTheSumOfRho(t *testing.T) {
	delta, err := dp.ParseDelta("1e-8")
	require.NoError(t, err)
	f, err := accounting.NewRhoFilter(0.1, delta)
	require.NoError(t, err)
	g, err := accounting.Gaussian(10, 1) // ρ = 0.005, rounded up
	require.NoError(t, err)
	granted := 0
	for f.Charge(g, 1) == nil {
		granted++
	}
	assert.Equal(t, 19, granted, "20 are above the limit by the rounding of ρ")
	pure, err := accounting.Approx(dp.MustApprox("0.01", "1e-8")) // ρ = 5e-5
	require.NoError(t, err)
	require.NoError(t, f.Charge(pure, 1))
	require.ErrorIs(t, f.Charge(pure, 1), dp.ErrBudgetExhausted, "δ is spent")
	l, err := accounting.Laplace(100, 1)
	require.NoError(t, err)
	require.NoError(t, f.Charge(l, 1))
	require.ErrorIs(t, f.Charge(g, 1<<30), dp.ErrBudgetExhausted)
}
