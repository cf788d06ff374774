// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

// TestHullIsThatOfEveryCell compares the search for the ends of an interval with a look at every cell.
func TestHullIsThatOfEveryCell(t *testing.T) {
	r := generator()
	for name, f := range map[string]estimate.Fieller{
		"parts":       estimate.NewFieller(roundedLaplace{2}, roundedLaplace{40}, 0, 0),
		"mean":        estimate.NewFieller(roundedLaplace{300}, roundedLaplace{3}, 0, 3600),
		"signed mean": estimate.NewFieller(roundedLaplace{9}, roundedGauss{8}, -40, 90),
	} {
		found, empty := 0, 0
		for _, level := range []float64{0.05, 1e-4} {
			for range 3_000 {
				d := math.Exp(8 * r.Float64())
				x := d * 200 * (r.Float64() - 0.4) * math.Exp(-6*r.Float64())
				want, ok := f.Scan(x, d, level)
				got, gotOK := f.Interval(x, d, level)
				require.Equal(t, ok, gotOK, "%s: %g of %g", name, x, d)
				require.Equal(t, want, got, "%s: %g of %g", name, x, d)
				if ok {
					found++
				} else {
					empty++
				}
			}
		}
		assert.Greater(t, min(found, empty), 20, name)
	}
}

// TestGuessedIntervalIsTheSearchedOne compares intervals with those found without a guess.
func TestGuessedIntervalIsTheSearchedOne(t *testing.T) {
	for _, law := range []estimate.Law{roundedLaplace{0.1}, roundedLaplace{2}, roundedLaplace{300}, roundedGauss{15}} {
		for _, c := range []estimate.Count{
			{Law: law, ShownAt: 40, Floor: 20}, {Law: law, ShownAt: 20}, {Law: law, ShownAt: 9000, Floor: 20},
		} {
			e, err := estimate.NewCountEstimator(c, 0.05)
			require.NoError(t, err)
			for _, from := range []int64{math.MinInt64, -100, c.ShownAt, math.MaxInt64 - 1<<20} {
				for x := from; x < from+500 && x >= from; x++ {
					low, high, shown := e.Interval(x)
					wantLow, wantHigh, wantShown := e.Search(x)
					require.Equal(t, [3]any{wantLow, wantHigh, wantShown}, [3]any{low, high, shown}, "%v: %d", c, x)
				}
			}
		}
	}
}
