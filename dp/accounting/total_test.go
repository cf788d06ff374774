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

// longest is the largest sum of squares of l0 whole numbers, each at most lInf and all l1 together, by trying them all.
func longest(l0, lInf, l1 int) (most int) {
	if l0 == 0 {
		return 0
	}
	for e := range min(lInf, l1) + 1 {
		most = max(most, e*e+longest(l0-1, lInf, l1-e))
	}
	return most
}

func TestL2IsThatOfTheLongestChange(t *testing.T) {
	for l0 := 1; l0 <= 4; l0++ {
		for lInf := 1; lInf <= 6; lInf++ {
			for l1 := lInf; l1 <= l0*lInf; l1++ {
				want := math.Sqrt(float64(longest(l0, lInf, l1)))
				for _, unit := range []float64{1, 1 << 40, 0.1, 3600} {
					got := accounting.L2(int64(l0), float64(lInf)*unit, float64(l1)*unit)
					at := fmt.Sprintf("%d of %d, %d together, in units of %g", l0, lInf, l1, unit)
					assert.GreaterOrEqual(t, got, want*unit*(1-1e-15), at)
					assert.InEpsilon(t, want*unit, got, 1e-14, at)
				}
			}
			assert.Equal(t, accounting.L2(int64(l0), float64(lInf), 0), accounting.L2(int64(l0), float64(lInf), float64(l0*lInf)))
		}
	}
}

// together are items whose groups change by l1 together.
func together(n int, l0 int64, each, l1 float64, kind accounting.Kind) (items []accounting.Item) {
	for range n {
		items = append(items, accounting.Item{Kind: kind, Sensitivity: each, L0: l0, L1: l1, Weight: 1})
	}
	return items
}

// TestABoundOnTheTotalNeverNeedsMoreNoise, whichever method, law and number of items; and what is planned is within the
// target by the plan's own composition.
func TestABoundOnTheTotalNeverNeedsMoreNoise(t *testing.T) {
	for _, kind := range []accounting.Kind{accounting.AnyNoise, accounting.LaplaceNoise, accounting.GaussianNoise} {
		for _, m := range methods {
			for _, n := range []int{1, 12} {
				free := calibrate(t, usual, together(n, 8, 10, 0, kind), accounting.Composition{}, m)
				for _, l1 := range []float64{10, 15, 20, 40, 79} {
					p := calibrate(t, usual, together(n, 8, 10, l1, kind), accounting.Composition{}, m)
					at := fmt.Sprintf("%d items of %s noise by %s, %g together", n, kind, m, l1)
					assert.LessOrEqual(t, p.Noises[0].StdDev, free.Noises[0].StdDev*(1+2e-4), at)
					got, err := p.Composition.Epsilon(m, usual.Delta.Float())
					require.NoError(t, err, at)
					assert.LessOrEqual(t, got, usual.Epsilon.Float()*(1+1e-15), at)
				}
			}
		}
	}
}

// TestTheCheaperSensitivityIsCharged: by basic composition Laplace noise is in proportion to l1; elsewhere as many draws
// as groups may cost less than one of the total, and Gaussian noise is in proportion to the l2 norm.
func TestTheCheaperSensitivityIsCharged(t *testing.T) {
	p := calibrate(t, dp.MustApprox("1", "0"), together(1, 8, 10, 20, accounting.AnyNoise), accounting.Composition{})
	assert.InEpsilon(t, 20, p.Noises[0].Scale, 1e-12)
	assert.True(t, p.Noises[0].Once)

	for l1, once := range map[float64]bool{20: true, 28: true, 29: false, 70: false} {
		p := calibrate(t, usual, together(1, 8, 10, l1, accounting.LaplaceNoise), accounting.Composition{}, accounting.ZCDP)
		assert.Equal(t, once, p.Noises[0].Once, "√8·10 is 28.3; %g together", l1)
	}
	free := calibrate(t, usual, together(20, 8, 10, 0, accounting.GaussianNoise), accounting.Composition{}, accounting.PLD)
	half := calibrate(t, usual, together(20, 8, 10, 20, accounting.GaussianNoise), accounting.Composition{}, accounting.PLD)
	assert.InEpsilon(t, 2, free.Noises[0].StdDev/half.Noises[0].StdDev, 1e-3, "two groups of ten in place of eight")
}

// hockeyStick is δ at ε between P and Q, both as lists of the same events.
func hockeyStick(p, q []float64, epsilon float64) (delta float64) {
	for i := range p {
		delta += max(0, p[i]-math.Exp(epsilon)*q[i])
	}
	return delta
}

// geometric is two-sided geometric noise of a scale on a shift, over enough of the integers.
func geometric(scale float64, shift int) (p []float64) {
	r := math.Exp(-1 / scale)
	for z := -120; z <= 120; z++ {
		p = append(p, math.Pow(r, math.Abs(float64(z-shift)))*(1-r)/(1+r))
	}
	return p
}

func product(p, q []float64) (both []float64) {
	for _, a := range p {
		for _, b := range q {
			both = append(both, a*b)
		}
	}
	return both
}

// TestOneNumberThatChangesByTheTotalIsTheWorst adds up the laws: two numbers that change by a and by b are no easier to
// see than one that changes by a + b, at any ε and in either direction.
func TestOneNumberThatChangesByTheTotalIsTheWorst(t *testing.T) {
	for _, scale := range []float64{0.7, 3, 8} {
		still := geometric(scale, 0)
		two := product(still, still)
		for _, change := range [][2]int{{1, 1}, {2, 5}, {6, 6}, {1, 11}} {
			moved, one := product(geometric(scale, change[0]), geometric(scale, change[1])), geometric(scale, change[0]+change[1])
			for _, epsilon := range []float64{0, 0.1, 0.5, 1, 2, 4} {
				worst := hockeyStick(one, still, epsilon)
				assert.LessOrEqual(t, hockeyStick(moved, two, epsilon), worst+1e-12, "scale %g, %v at ε = %g", scale, change, epsilon)
				assert.LessOrEqual(t, hockeyStick(two, moved, epsilon), worst+1e-12, "scale %g, %v at ε = %g", scale, change, epsilon)
			}
		}
	}
}
