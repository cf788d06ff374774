// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

func alike(n int, l0 int64, kind accounting.Kind) []accounting.Item {
	items := make([]accounting.Item, n)
	for i := range items {
		items[i] = accounting.Item{Kind: kind, Sensitivity: 1, L0: l0, Weight: 1}
	}
	return items
}

// uneven are items that differ in everything.
func uneven(n int) (items []accounting.Item) {
	for i := range n {
		items = append(items, accounting.Item{Sensitivity: 1 + float64(i)/3, L0: int64(1 + i%9), Weight: int64(1 + i%3)})
	}
	return items
}

func calibrate(t testing.TB, target dp.Spend, items []accounting.Item, fixed accounting.Composition, m ...accounting.Method) accounting.Plan {
	t.Helper()
	p, err := accounting.Calibrate(target, items, fixed, m...)
	require.NoError(t, err)
	return p
}

var usual = dp.MustApprox("1", "1e-9")

func TestCalibrateFindsTheLeastNoise(t *testing.T) {
	// Standard deviations of the best of Laplace and Gaussian noise.
	for n, want := range map[int]float64{2: 2.83, 5: 7.07, 10: 14.14, 20: 24.58, 50: 38.86} {
		p := calibrate(t, usual, alike(n, 1, accounting.AnyNoise), accounting.Composition{})
		for _, noise := range p.Noises {
			assert.InEpsilon(t, want, noise.StdDev, 0.001, "%d statistics", n)
		}
	}
	for _, tt := range []struct {
		l0   int64
		most float64 // of basic composition's
	}{{1, 0.875}, {3, 0.51}, {6, 0.36}} {
		items := alike(20, tt.l0, accounting.AnyNoise)
		best := calibrate(t, usual, items, accounting.Composition{})
		basic := calibrate(t, usual, items, accounting.Composition{}, accounting.Basic)
		byRho := calibrate(t, usual, alike(20, tt.l0, accounting.GaussianNoise), accounting.Composition{}, accounting.ZCDP)
		assert.LessOrEqual(t, best.Cost, tt.most*basic.Cost, "l0 = %d", tt.l0)
		assert.LessOrEqual(t, best.Cost, 0.955*byRho.Cost, "l0 = %d", tt.l0)
		assert.Equal(t, accounting.PLD, best.Method)
	}
	few := calibrate(t, usual, alike(2, 1, accounting.AnyNoise), accounting.Composition{})
	assert.Equal(t, accounting.Basic, few.Method, "the simpler method where it is as good")
	assert.Equal(t, accounting.LaplaceNoise, few.Noises[0].Kind)
}

func TestCalibratedTotalsAreWithinTheTargetAndNotFarBelow(t *testing.T) {
	selection := compose(t, approx("0.02", "1e-10", 5), failure(t, "1e-10", 1))
	for _, target := range []dp.Spend{usual, dp.MustApprox("0.2", "1e-6"), dp.MustApprox("8", "1e-5")} {
		for name, items := range map[string][]accounting.Item{
			"one": alike(1, 1, accounting.AnyNoise), "twenty": alike(20, 3, accounting.AnyNoise), "uneven": uneven(12),
			"laplace": alike(7, 2, accounting.LaplaceNoise), "gaussian": alike(7, 2, accounting.GaussianNoise),
		} {
			for _, fixed := range []accounting.Composition{{}, selection} {
				for _, m := range methods {
					p := calibrate(t, target, items, fixed, m)
					at := fmt.Sprintf("%s of %s by %s", name, target, m)
					got, err := p.Composition.Epsilon(m, target.Delta.Float())
					require.NoError(t, err, at)
					assert.LessOrEqual(t, got, target.Epsilon.Float()*(1+1e-15), at)
					assert.GreaterOrEqual(t, got, target.Epsilon.Float()*(1-1e-3), at)
					assert.InEpsilon(t, got, p.Epsilon, 1e-12, at)
					assert.Equal(t, m, p.Method)
				}
			}
		}
	}
}

func TestExactSharesOfBasicComposition(t *testing.T) {
	target := dp.MustApprox("1", "0")
	items := []accounting.Item{{Sensitivity: 1, L0: 1, Weight: 1}, {Sensitivity: 3, L0: 2, Weight: 3}}
	p := calibrate(t, target, items, compose(t, approx("0.2", "0", 1)))
	assert.InEpsilon(t, 5.0, p.Noises[0].Scale, 1e-15)
	assert.InEpsilon(t, 10.0, p.Noises[1].Scale, 1e-15)
	sum, _, ok := p.Composition.Sum()
	assert.True(t, ok)
	assert.LessOrEqual(t, sum.Cmp(target.Epsilon.Rat()), 0)
	// All of δ may be spent by the fixed charges where the noise needs none.
	p = calibrate(t, dp.MustApprox("1", "1e-9"), alike(2, 1, accounting.LaplaceNoise), compose(t, failure(t, "1e-9", 1)), accounting.Basic)
	assert.InEpsilon(t, 2.0, p.Noises[0].Scale, 1e-15)
}

func TestWeightsShareTheBudget(t *testing.T) {
	for _, m := range methods {
		items := []accounting.Item{{Kind: accounting.LaplaceNoise, Sensitivity: 1, L0: 1, Weight: 1}, {Kind: accounting.LaplaceNoise, Sensitivity: 1, L0: 1, Weight: 2}}
		p := calibrate(t, usual, items, accounting.Composition{}, m)
		assert.InEpsilon(t, 2.0, p.Noises[0].StdDev/p.Noises[1].StdDev, 1e-9, m)
	}
}

func TestFreeKindsMayMix(t *testing.T) {
	items := append(alike(2, 1, accounting.AnyNoise), alike(2, 400, accounting.AnyNoise)...)
	p := calibrate(t, usual, items, accounting.Composition{})
	free := p.Cost
	for _, kind := range []accounting.Kind{accounting.LaplaceNoise, accounting.GaussianNoise} {
		for i := range items {
			items[i].Kind = kind
		}
		assert.LessOrEqual(t, free, calibrate(t, usual, items, accounting.Composition{}).Cost*(1+2e-4), kind)
	}
}

// σ for one statistic against 12 digits; mechanism has the same table.
func TestOneGaussianIsCalibratedByBalleAndWang(t *testing.T) {
	for _, tt := range []struct {
		epsilon, delta string
		l0             int64
		sigma          float64
	}{
		{"1", "1e-5", 1, 3.73063163482}, {"0.5", "1e-6", 1, 8.05761848073}, {"3", "1e-5", 1, 1.39059345667},
		{"1", "1e-9", 10, 17.3775574057}, {"0.1", "1e-6", 1, 36.3046904262},
	} {
		target := dp.MustApprox(tt.epsilon, tt.delta)
		p := calibrate(t, target, alike(1, tt.l0, accounting.GaussianNoise), accounting.Composition{}, accounting.Basic)
		assert.GreaterOrEqual(t, p.Noises[0].Scale, tt.sigma*(1-1e-11))
		assert.InEpsilon(t, tt.sigma, p.Noises[0].Scale, 1e-9)
	}
}

func TestCalibrateTellsAllFaultsAtOnce(t *testing.T) {
	_, err := accounting.Calibrate(dp.Spend{}, []accounting.Item{{Kind: 9, Sensitivity: math.NaN(), L0: -1}, {Sensitivity: 1, L0: 1, Weight: 1}}, accounting.Composition{})
	for _, want := range []string{
		"target: got ε = unset, δ = unset, want both ε and δ; write δ = 0 for pure differential privacy",
		"items[0].kind: got 9, want AnyNoise, LaplaceNoise or GaussianNoise",
		"items[0].sensitivity: got NaN, want a positive finite number; bound what one privacy unit adds",
		"items[0].l0: got -1, want 1 to 1073741; bound the groups that one privacy unit counts in",
		"items[0].weight: got 0, want 1 to 1000000; 1 for each gives equal shares",
	} {
		require.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "items[1]")
	for _, l1 := range []float64{9, 31, -1, math.NaN()} {
		_, err = accounting.Calibrate(usual, together(1, 3, 10, l1, 0), accounting.Composition{})
		require.ErrorContains(t, err, "want at least the sensitivity and at most l0 times as much")
	}
	for name, tt := range map[string]struct {
		target dp.Spend
		items  []accounting.Item
		fixed  accounting.Composition
		method accounting.Method
		want   string
	}{
		"none":             {usual, nil, accounting.Composition{}, accounting.PLD, "items: got 0, want 1 to 1000"},
		"too many":         {usual, alike(1001, 1, 0), accounting.Composition{}, accounting.PLD, "items: got 1001, want 1 to 1000"},
		"fixed ε":          {usual, alike(1, 1, 0), compose(t, approx("2", "0", 1)), accounting.PLD, "fixed: got charges of ε = 2"},
		"fixed ε in basic": {usual, alike(1, 1, 0), compose(t, approx("1", "0", 1)), accounting.Basic, "fixed: got charges of ε = 1, want less than the target's 1"},
		"fixed δ":          {usual, alike(1, 1, 0), compose(t, failure(t, "2e-9", 1)), accounting.ZCDP, "want more than the 2e-09 that the events spend"},
		"fixed δ in basic": {usual, alike(1, 1, 0), compose(t, failure(t, "2e-9", 1)), accounting.Basic, "fixed: got charges of δ = 2e-09, want at most the target's 1e-9"},
		"no δ":             {dp.MustApprox("1", "0"), alike(1, 1, 0), accounting.Composition{}, accounting.PLD, "got δ = 0, want a positive one"},
		"no δ for noise":   {dp.MustApprox("1", "0"), alike(1, 1, accounting.GaussianNoise), accounting.Composition{}, accounting.Basic, "items[0]: got Gaussian noise and no δ left"},
		"fixed Gaussian":   {usual, alike(1, 1, 0), compose(t, gauss(100, 1)), accounting.Basic, "fixed: got a Gaussian"},
		"unset method":     {usual, alike(1, 1, 0), accounting.Composition{}, 0, "method: got an unset method"},
	} {
		_, err := accounting.Calibrate(tt.target, tt.items, tt.fixed, tt.method)
		require.ErrorContains(t, err, tt.want, name)
	}
}
