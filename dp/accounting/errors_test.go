// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

var bad = []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}

func TestEventsRefuseWhatIsNoScale(t *testing.T) {
	for _, x := range bad {
		for name, of := range map[string]func() (accounting.Event, error){
			"laplace.scale":          func() (accounting.Event, error) { return accounting.Laplace(x, 1) },
			"laplace.sensitivity":    func() (accounting.Event, error) { return accounting.Laplace(1, x) },
			"gaussian.scale":         func() (accounting.Event, error) { return accounting.Gaussian(x, 1) },
			"gaussian.sensitivity":   func() (accounting.Event, error) { return accounting.Gaussian(1, x) },
			"discrete laplace.scale": func() (accounting.Event, error) { return accounting.DiscreteLaplace(x, 1) },
		} {
			e, err := of()
			require.ErrorContains(t, err, name+": got ", "%g", x)
			require.ErrorContains(t, err, "want a positive finite number; ")
			_, err = accounting.Composition{}.Add(e, 1)
			require.ErrorContains(t, err, "event: got an unset event")
		}
	}
	for want, of := range map[string]func() (accounting.Event, error){
		"discrete laplace.sensitivity: got -3":      func() (accounting.Event, error) { return accounting.DiscreteLaplace(1, -3) },
		"discrete laplace.sensitivity: got 9223372": func() (accounting.Event, error) { return accounting.DiscreteLaplace(1, math.MaxInt64) },
		"laplace: got sensitivity/scale = 2000":     func() (accounting.Event, error) { return accounting.Laplace(1, 2000) },
		"laplace: got sensitivity/scale = +Inf":     func() (accounting.Event, error) { return accounting.Laplace(1e-300, 1e300) },
		"gaussian: got sensitivity/scale = 1e-300":  func() (accounting.Event, error) { return accounting.Gaussian(1e300, 1) },
		"approx: got ε = unset":                     func() (accounting.Event, error) { return accounting.Approx(dp.Spend{}) },
		"failure.delta: got unset, want 0 < δ < 1":  func() (accounting.Event, error) { return accounting.Failure(dp.Delta{}) },
		"failure.delta: got 0":                      func() (accounting.Event, error) { return accounting.Failure(dp.MustApprox("1", "0").Delta) },
		"within: got a total variation of NaN": func() (accounting.Event, error) {
			return lap(1, 1).event.Within(math.NaN())
		},
		"within: got a total variation of 0.1": func() (accounting.Event, error) { return lap(1, 1).event.Within(0.1) },
	} {
		_, err := of()
		require.ErrorContains(t, err, want)
	}
}

func TestCompositionsAreBounded(t *testing.T) {
	e := lap(10, 1).event
	for _, times := range []int64{0, -1, math.MinInt64, 1<<30 + 1, math.MaxInt64} {
		_, err := accounting.Composition{}.Add(e, times)
		require.ErrorContains(t, err, "times: got ")
	}
	full := compose(t, entry{e, nil, 1 << 30})
	_, err := full.Add(e, 1)
	require.ErrorContains(t, err, "times: got 1 on top of 1073741824")
	var many accounting.Composition
	for i := range 4096 {
		many, err = many.Add(lap(10+float64(i), 1).event, 1)
		require.NoError(t, err)
	}
	_, err = many.Add(lap(1e5, 1).event, 1)
	require.ErrorContains(t, err, "event: got more than 4096 different events")
	_, err = many.Add(lap(10, 1).event, 1)
	require.NoError(t, err)
}

func TestQueriesRefuseWhatIsNoProbability(t *testing.T) {
	c := compose(t, lap(2, 3), gauss(3, 1))
	for name, m := range methods {
		for _, delta := range []float64{-1e-9, 1, 2, math.NaN(), math.Inf(1)} {
			got, err := c.Epsilon(m, delta)
			require.ErrorContains(t, err, "delta: got ", name)
			assert.True(t, math.IsInf(got, 1), "an error must not look like a small ε")
		}
		for _, epsilon := range []float64{-1e-9, math.NaN(), math.Inf(1)} {
			got, err := c.Delta(m, epsilon)
			require.ErrorContains(t, err, "epsilon: got ", name)
			assert.Equal(t, 1.0, got, "an error must not look like a small δ")
		}
		_, err := c.Epsilon(m, 0)
		require.ErrorContains(t, err, "delta: got 0, want more than the 0 that the events spend", name)
	}
	_, err := c.Epsilon(0, 1e-6)
	require.ErrorContains(t, err, "method: got an unset method")
	_, err = c.Delta(9, 1)
	require.ErrorContains(t, err, "method: got an unset method")
}

// A composition that would need too fine a grid is refused, not computed for hours, and not guessed.
func TestGridsAreBounded(t *testing.T) {
	c := compose(t, lap(1e6, 1<<30))
	_, err := c.Epsilon(accounting.PLD, 1e-9)
	require.ErrorContains(t, err, "with losses too small, beside the largest or the sum, for a grid of 1048576 points")
	_, err = c.Epsilon(accounting.ZCDP, 1e-9)
	require.NoError(t, err)
}

// Losses of very different sizes together: every answer is finite, above one that is known, and below basic.
func TestExtremesTogether(t *testing.T) {
	for _, tt := range []struct {
		name  string
		of    []entry
		delta float64
		least float64
	}{
		{"tiny beside huge", []entry{lap(1e9, 1), lap(1e-3, 1)}, 1e-9, 999.99},
		{"tiny Gaussian", []entry{lap(1, 1), gauss(1e9, 1)}, 1e-9, 0.99999},
		{"huge Gaussian", []entry{lap(1, 1), gauss(1e-3, 1)}, 1e-9, 505996.8},
		{"large δ", []entry{lap(1, 1), gauss(1e9, 1)}, 0.5, 0},
		{"tiny δ", []entry{lap(10, 20), gauss(10, 1)}, 1e-100, 2},
		{"near the maximum", []entry{discrete(1e-3, 1, 3), discrete(1e6, 1e8, 1)}, 1e-9, 3099},
		{"a rest of δ", []entry{approx("0.1", "1e-7", 10), lap(3, 1)}, 1e-6 + 1e-15, 1},
	} {
		got := epsilonOf(t, accounting.PLD, tt.delta, tt.of...)
		assert.GreaterOrEqual(t, got, tt.least, tt.name)
		assert.LessOrEqual(t, got, epsilonOf(t, accounting.Basic, tt.delta, tt.of...), tt.name)
	}
}

func TestFiltersRefuseWhatTheyCannotAdd(t *testing.T) {
	limit := dp.MustApprox("1", "1e-6")
	f, err := accounting.NewFilter(limit)
	require.NoError(t, err)
	require.ErrorContains(t, f.Charge(gauss(3, 1).event, 1), "event: got a Gaussian, want a pair (ε, δ)")
	near, err := lap(3, 1).event.Within(1e-12)
	require.NoError(t, err)
	require.ErrorContains(t, f.Charge(near, 1), "event: got a sampler error")
	require.ErrorContains(t, f.Charge(accounting.Event{}, 1), "event: got an unset event")
	require.ErrorContains(t, f.Charge(lap(3, 1).event, 0), "times: got 0")
	require.ErrorContains(t, new(accounting.Filter).Charge(lap(3, 1).event, 1), "filter: got an unset filter")
	_, err = accounting.NewFilter(dp.Spend{})
	require.ErrorContains(t, err, "limit: got ε = unset")
	for _, rho := range bad {
		_, err = accounting.NewRhoFilter(rho, dp.Delta{})
		require.ErrorContains(t, err, "rho: got ")
		require.ErrorContains(t, err, "delta: got nothing")
	}
	var o accounting.Odometer
	require.ErrorContains(t, o.Record(accounting.Event{}, 1), "event: got an unset event")
	assert.Zero(t, o.Composition())
}

// Exactly the limit is granted, whoever comes first (L-03, L-08).
func TestAFilterIsExactAndSafeForConcurrentUse(t *testing.T) {
	f, err := accounting.NewFilter(dp.MustApprox("1", "1e-6"))
	require.NoError(t, err)
	var o accounting.Odometer
	tenth := approx("0.01", "1e-8", 1).event
	var wait sync.WaitGroup
	var mu sync.Mutex
	granted := 0
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if f.Charge(tenth, 1) == nil {
					mu.Lock()
					granted++
					mu.Unlock()
					assert.NoError(t, o.Record(tenth, 1))
				}
			}
		})
	}
	wait.Wait()
	assert.Equal(t, 100, granted)
	epsilon, delta, _ := o.Composition().Sum()
	assert.Equal(t, "1", epsilon.RatString())
	assert.Equal(t, "1/1000000", delta.RatString())
}
