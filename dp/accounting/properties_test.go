// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/accounting"
)

func epsilonOf(t testing.TB, m accounting.Method, delta float64, entries ...entry) float64 {
	t.Helper()
	epsilon, err := compose(t, entries...).Epsilon(m, delta)
	require.NoError(t, err)
	return epsilon
}

// rounding is what a lattice may add to one result and not to another.
const rounding = 2e-4

func TestMoreDrawsNeverCostLess(t *testing.T) {
	for name, m := range methods {
		for _, of := range []func(n int64) []entry{
			func(n int64) []entry { return []entry{lap(20, n)} },
			func(n int64) []entry { return []entry{gauss(20, n)} },
			func(n int64) []entry { return []entry{discrete(40, 2, n)} },
			func(n int64) []entry { return []entry{approx("0.05", "1e-9", n)} },
			func(n int64) []entry { return []entry{lap(20, n), gauss(15, 2*n), approx("0.05", "1e-9", n)} },
		} {
			last := 0.0
			for _, n := range []int64{1, 2, 3, 5, 10, 30, 100} {
				got := epsilonOf(t, m, 1e-6, of(n)...)
				assert.GreaterOrEqual(t, got, last*(1-rounding), "%s, n = %d", name, n)
				last = got
			}
		}
	}
}

func TestMoreSensitivityNeverCostsLess(t *testing.T) {
	for name, m := range methods {
		last := [4]float64{}
		for _, sensitivity := range []float64{1, 1.5, 2, 4, 8} {
			l, errL := accounting.Laplace(50, sensitivity)
			g, errG := accounting.Gaussian(50, sensitivity)
			d, errD := accounting.DiscreteLaplace(50, int64(2*sensitivity))
			for i, of := range [][]entry{
				{{l, errL, 10}}, {{g, errG, 10}}, {{d, errD, 10}}, {{l, errL, 10}, {g, errG, 10}, {d, errD, 10}},
			} {
				got := epsilonOf(t, m, 1e-7, of...)
				assert.GreaterOrEqual(t, got, last[i]*(1-rounding), "%s, sensitivity %g, composition %d", name, sensitivity, i)
				last[i] = got
			}
		}
	}
}

// n-fold worst pairs have a closed form (Kairouz, Oh and Viswanath 2015).
func worstPairsDelta(loss float64, n int, epsilon float64) (delta float64) {
	for j := range n + 1 {
		total := float64(n-2*j) * loss
		if total <= epsilon {
			break
		}
		a, _ := math.Lgamma(float64(n) + 1)
		b, _ := math.Lgamma(float64(j) + 1)
		c, _ := math.Lgamma(float64(n-j) + 1)
		logP := a - b - c - float64(n-j)*math.Log1p(math.Exp(-loss)) - float64(j)*math.Log1p(math.Exp(loss))
		delta -= math.Exp(logP) * math.Expm1(epsilon-total)
	}
	return delta
}

func TestPLDIsNeverBelowTheExactDelta(t *testing.T) {
	for _, tt := range []struct {
		text string
		loss float64
		n    int
	}{{"0.01", 0.01, 1000}, {"0.1", 0.1, 7}, {"0.1", 0.1, 300}, {"0.7", 0.7, 40}, {"3", 3, 2}} {
		c := compose(t, approx(tt.text, "0", int64(tt.n)))
		for i := range 12 {
			epsilon := float64(tt.n) * tt.loss * float64(i) / 13
			exact := worstPairsDelta(tt.loss, tt.n, epsilon)
			if exact < 1e-250 {
				continue
			}
			got, err := c.Delta(accounting.PLD, epsilon)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, got, exact*(1-1e-9), "%d × %s at ε = %g", tt.n, tt.text, epsilon)
			assert.LessOrEqual(t, got, exact*(1+1e-3), "%d × %s at ε = %g", tt.n, tt.text, epsilon)
		}
	}
}

func TestPLDIsNeverBelowOneLaplaceDraw(t *testing.T) {
	for _, b := range []float64{0.2, 1, 30, 1e6} {
		c := compose(t, lap(b, 1))
		for i := range 20 {
			epsilon := float64(i) / 20 / b
			exact := -math.Expm1((epsilon - 1/b) / 2)
			got, err := c.Delta(accounting.PLD, epsilon)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, got, exact*(1-1e-12), "b = %g at ε = %g", b, epsilon)
			assert.LessOrEqual(t, got, exact*(1+1e-3), "b = %g at ε = %g", b, epsilon)
		}
	}
}

// Both ways round, each answer is above the truth, so that together they are consistent up to rounding.
func TestEpsilonAndDeltaInvertEachOther(t *testing.T) {
	for name, m := range methods {
		for _, c := range []accounting.Composition{
			compose(t, lap(20, 30)),
			compose(t, gauss(8, 5)),
			compose(t, lap(30, 10), gauss(20, 10), approx("0.02", "1e-10", 4), discrete(50, 2, 3)),
		} {
			if m == accounting.Basic {
				continue // δ has no inverse where ε is a sum
			}
			for _, delta := range []float64{1e-4, 1e-7, 1e-9} {
				epsilon, err := c.Epsilon(m, delta)
				require.NoError(t, err)
				back, err := c.Delta(m, epsilon)
				require.NoError(t, err)
				assert.InEpsilon(t, delta, back, 0.02, "%s at δ = %g", name, delta)
			}
		}
	}
}

func TestManyGaussiansAreOne(t *testing.T) {
	one := epsilonOf(t, accounting.PLD, 1e-9, gauss(5, 1))
	many := epsilonOf(t, accounting.PLD, 1e-9, gauss(5*10, 100))
	assert.InEpsilon(t, one, many, 1e-10)
	wide, err := accounting.Gaussian(5, math.Sqrt(3))
	require.NoError(t, err)
	assert.InEpsilon(t, epsilonOf(t, accounting.PLD, 1e-9, gauss(5, 3)), epsilonOf(t, accounting.PLD, 1e-9, entry{wide, nil, 1}), 1e-10,
		"√l0 in the sensitivity, or l0 draws: the same")
}

func TestLaplaceOverGroupsIsCheaperThanOneOfTheSumOfSensitivities(t *testing.T) {
	sum, err := accounting.Laplace(50, 20)
	require.NoError(t, err)
	assert.Less(t, epsilonOf(t, accounting.PLD, 1e-6, lap(50, 20)), 0.95*epsilonOf(t, accounting.PLD, 1e-6, entry{sum, nil, 1}))
}

func TestPartsOfASelectionAreCheaperThanTheWhole(t *testing.T) {
	whole := epsilonOf(t, accounting.PLD, 1e-6, approx("1", "1e-7", 1))
	parts := epsilonOf(t, accounting.PLD, 1e-6, approx("0.01", "1e-9", 100))
	assert.Less(t, parts, 0.6*whole)
}

func TestDiscreteLaplaceCostsNoLessThanContinuous(t *testing.T) {
	for _, n := range []int64{1, 20} {
		continuous := epsilonOf(t, accounting.PLD, 1e-6, lap(5, n))
		coarse := epsilonOf(t, accounting.PLD, 1e-6, discrete(5, 1, n))
		fine := epsilonOf(t, accounting.PLD, 1e-6, discrete(5*1000, 1000, n))
		finest := epsilonOf(t, accounting.PLD, 1e-6, discrete(5*(1<<40), 1<<40, n))
		assert.GreaterOrEqual(t, coarse, continuous*(1-rounding))
		assert.InEpsilon(t, continuous, fine, rounding)
		assert.InEpsilon(t, continuous, finest, rounding)
		assert.GreaterOrEqual(t, epsilonOf(t, accounting.Basic, 0, discrete(5*(1<<40), 1<<40, n)), float64(n)*0.2)
	}
}

func TestNothingCostsNothing(t *testing.T) {
	for _, m := range methods {
		epsilon, err := accounting.Composition{}.Epsilon(m, 0)
		require.NoError(t, err)
		assert.Zero(t, epsilon)
		delta, err := accounting.Composition{}.Delta(m, 0)
		require.NoError(t, err)
		assert.Zero(t, delta)
	}
}

func TestPureMechanismsHaveAnEpsilonAtDeltaZero(t *testing.T) {
	for _, m := range []accounting.Method{accounting.Basic, accounting.PLD} {
		assert.InEpsilon(t, 1.0, epsilonOf(t, m, 0, lap(10, 5), approx("0.05", "0", 10)), 1e-12)
		delta, err := compose(t, lap(10, 5), approx("0.05", "0", 10)).Delta(m, 1.0000001)
		require.NoError(t, err)
		assert.Zero(t, delta)
	}
}

func TestASamplersDistanceFromItsLawIsCharged(t *testing.T) {
	for name, m := range methods {
		ideal, err := accounting.Gaussian(5, 1)
		require.NoError(t, err)
		near, err := ideal.Within(1e-12)
		require.NoError(t, err)
		plain, drawn := compose(t, entry{ideal, nil, 10}), compose(t, entry{near, nil, 10})
		at, err := plain.Delta(m, 3)
		require.NoError(t, err)
		got, err := drawn.Delta(m, 3)
		require.NoError(t, err)
		assert.InDelta(t, at+1e-11*(1+math.Exp(3)), got, 1e-10*at+1e-20, name)
		assert.GreaterOrEqual(t, got, at+1e-11*(1+math.Exp(3)), name)

		e, err := plain.Epsilon(m, 1e-6)
		require.NoError(t, err)
		more, err := drawn.Epsilon(m, 1e-6)
		require.NoError(t, err)
		assert.Greater(t, more, e, name)
		assert.InEpsilon(t, e, more, 0.01, name)
		_, err = drawn.Epsilon(m, 1e-11)
		require.ErrorContains(t, err, "distance from their laws", name)
	}
}

func TestCompositionsAreValues(t *testing.T) {
	base := compose(t, lap(2, 1), gauss(3, 1), lap(4, 1)) // three, so that a grown slice has room
	before := epsilonOf(t, accounting.PLD, 1e-6, lap(2, 1), gauss(3, 1), lap(4, 1))
	one, err := base.Add(lap(5, 1).event, 1)
	require.NoError(t, err)
	two, err := base.Add(gauss(7, 1).event, 1)
	require.NoError(t, err)
	again, err := base.Add(lap(2, 1).event, 5)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for _, tt := range []struct {
		c    accounting.Composition
		want float64
	}{
		{base, before},
		{one, epsilonOf(t, accounting.PLD, 1e-6, lap(2, 1), gauss(3, 1), lap(4, 1), lap(5, 1))},
		{two, epsilonOf(t, accounting.PLD, 1e-6, lap(2, 1), gauss(3, 1), lap(4, 1), gauss(7, 1))},
		{again, epsilonOf(t, accounting.PLD, 1e-6, lap(2, 6), gauss(3, 1), lap(4, 1))},
	} {
		wait.Go(func() {
			got, err := tt.c.Epsilon(accounting.PLD, 1e-6)
			assert.NoError(t, err)
			assert.InEpsilon(t, tt.want, got, 1e-12)
		})
	}
	wait.Wait()
}
