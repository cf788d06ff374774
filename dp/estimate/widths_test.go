// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

// whole is a denominator: how many people are in each part, and from where on a part is shown.
type whole struct {
	people  []int64
	shownAt int64
	floor   int64
}

func (w whole) total() (total float64) {
	for _, n := range w.people {
		total += float64(n)
	}
	return total
}

// wholes are dense and sparse, with and without thresholds.
func wholes() map[string]whole {
	many := func(m int, n ...int64) []int64 { return slices.Repeat(n, m/len(n)) }
	return map[string]whole{
		"three, one empty":             {[]int64{147, 231, 0}, estimate.AlwaysShown, 0},
		"three large":                  {[]int64{1359, 1178, 900}, estimate.AlwaysShown, 0},
		"twelve":                       {many(12, 40, 90, 700), estimate.AlwaysShown, 0},
		"sixty, most of them empty":    {many(60, 0, 0, 0, 400), estimate.AlwaysShown, 0},
		"three, threshold":             {[]int64{1359, 178, 0}, 24, 0},
		"twelve, threshold":            {many(12, 60, 90, 700), 24, 0},
		"twelve, threshold and k":      {many(12, 60, 90, 700), 54, 20},
		"three, threshold near all":    {[]int64{40, 30, 26}, 24, 0},
		"four, threshold near one":     {[]int64{26, 300, 500, 200}, 24, 0},
		"sixty, threshold near many":   {many(60, 8, 24, 30, 400), 24, 0},
		"sixty, threshold and k, near": {many(60, 25, 50, 56, 400), 54, 20},
	}
}

// together returns the largest miss probability of each shown part with which all hold together with probability
// 1-alpha, where each is judged by its own noise: they then miss independently of each other.
func (w whole) together(law estimate.Law, alpha float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		level, hold := (low+high)/2, 1.0
		for _, n := range w.people {
			hold *= 1 - level*law.Tail(w.shownAt-n)
		}
		if hold < 1-alpha {
			high = level
		} else {
			low = level
		}
	}
	return low
}

// alone returns what can be known of the share of one part of n people by somebody who knows the number in all other
// parts: the median width of the interval of its own count, as a share, and Pratt's bound of the mean width.
func (w whole) alone(t *testing.T, law estimate.Law, alpha float64, n int64) (median, least float64) {
	t.Helper()
	rest := w.total() - float64(n)
	share := func(n float64) float64 { return 100 * n / (n + rest) }
	c := estimate.Count{Law: law, ShownAt: w.shownAt, Floor: w.floor}
	level := w.together(law, alpha)
	e, err := estimate.NewCountEstimator(c, level)
	require.NoError(t, err)
	f := newFamily(t, c, level, max(n, w.shownAt))
	type outcome struct{ width, chance float64 }
	var all []outcome
	for i, chance := range f.chance[n-f.floor] {
		low, high, _ := e.Interval(f.from + int64(i))
		all = append(all, outcome{share(float64(high)) - share(float64(low)), chance})
	}
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.width, b.width) })
	for half := 0.0; half < 0.5; all = all[1:] {
		median, half = all[0].width, half+all[0].chance
	}
	step := func(n int64) float64 { return share(float64(n)+0.5) - share(max(0, float64(n)-0.5)) }
	return median, f.pratt(n, step) - step(f.floor)
}

// measured is what many runs of a whole gave, by part.
type measured struct {
	together float64   // how often all shown intervals held
	covered  []float64 // how often each held, of the runs in which it was shown
	shown    []float64
	widest   float64 // the largest median width of a part that is mostly shown, over that of the narrowest set
	pratt    float64 // the largest mean width of a part near its threshold, over Pratt's bound
}

// measure draws a whole many times. The narrowest set that holds together with probability 1-alpha knows the true
// shares: around each estimate it has the quantiles at one level of the errors of the parts that are shown, and that
// level is the largest at which they hold together. Near its threshold a part must tell itself from smaller ones that
// chance has shown, which those quantiles need not: there the narrowest knows all but the part.
func measure(t *testing.T, w whole, alpha float64, runs int) measured {
	t.Helper()
	law := roundedLaplace{2}
	m := len(w.people)
	e, err := estimate.NewPartShares(slices.Repeat([]estimate.Count{{Law: law, ShownAt: w.shownAt, Floor: w.floor}}, m), alpha)
	require.NoError(t, err)
	r, total := generator(), w.total()
	out := measured{covered: make([]float64, m), shown: make([]float64, m)}
	widths := make([][]float64, m)
	for range runs {
		noisy := make([]int64, m)
		for i, n := range w.people {
			noisy[i] = n + law.sample(r)
		}
		shares, ok := e.Estimate(noisy)
		require.True(t, ok)
		held := true
		for i, s := range shares {
			p := float64(w.people[i]) / total
			if !s.Shown {
				continue
			}
			out.shown[i]++
			widths[i] = append(widths[i], s.Interval.High-s.Interval.Low)
			if s.Interval.Contains(100 * p) {
				out.covered[i]++
			} else {
				held = false
			}
		}
		if held {
			out.together += 1 / float64(runs)
		}
	}
	narrowest := w.narrowest(law, alpha)
	alike := map[int64][]float64{} // widths of parts of one size
	for i, n := range w.people {
		out.covered[i] /= out.shown[i]
		out.shown[i] /= float64(runs)
		alike[n] = append(alike[n], widths[i]...)
	}
	for i, n := range w.people {
		if out.shown[i] <= 0.5 || slices.Index(w.people, n) < i {
			continue
		}
		slices.Sort(alike[n])
		median, p := alike[n][len(alike[n])/2], float64(n)/total
		ideal := min(100, 100*p+100*narrowest[i]/total) - max(0, 100*p-100*narrowest[i]/total)
		if w.shownAt != estimate.AlwaysShown {
			alone, least := w.alone(t, law, alpha, n)
			if alone > ideal {
				ideal = alone
				out.pratt = max(out.pratt, sum(alike[n])/float64(len(alike[n]))/least)
			}
		}
		out.widest = max(out.widest, median/ideal)
	}
	return out
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// narrowest returns the quantile of each part's error at the largest common level at which all hold together.
func (w whole) narrowest(law roundedLaplace, alpha float64) []float64 {
	const runs = 60_000
	r, total := generator(), w.total()
	errors := make([][]float64, len(w.people))
	all := make([][]float64, runs) // the errors of each run, NaN where a part is not shown
	noisy := make([]int64, len(w.people))
	for run := range all {
		sum := 0.0
		for i, n := range w.people {
			noisy[i] = n + law.sample(r)
			sum += float64(noisy[i])
		}
		for i, n := range w.people {
			e := math.NaN()
			if noisy[i] >= w.shownAt {
				e = math.Abs(float64(noisy[i]) - float64(n)/total*sum)
				errors[i] = append(errors[i], e)
			}
			all[run] = append(all[run], e)
		}
	}
	quantiles := func(level float64) []float64 {
		q := make([]float64, len(errors))
		for i, e := range errors {
			if len(e) > 0 {
				q[i] = e[min(len(e)-1, int(math.Ceil(float64(len(e))*(1-level))))]
			}
		}
		return q
	}
	for i := range errors {
		slices.Sort(errors[i])
	}
	low, high := alpha/float64(len(errors))/2, alpha
	for range 40 {
		level := (low + high) / 2
		q, missed := quantiles(level), 0
		for _, run := range all {
			for i, e := range run {
				if e > q[i]+1e-9 {
					missed++
					break
				}
			}
		}
		if float64(missed) > alpha*float64(len(all)) {
			high = level
		} else {
			low = level
		}
	}
	return quantiles(low)
}

// TestSharesOfOneTotalAreAlmostAsNarrowAsCanBe holds wholes to coverage and to a width.
func TestSharesOfOneTotalAreAlmostAsNarrowAsCanBe(t *testing.T) {
	const runs, least, pratt = 5_000, 0.94, 1.25
	for name, w := range wholes() {
		got := measure(t, w, 0.05, runs)
		worst, widest := 1.0, 1.10
		if name == "three, threshold near all" {
			widest = 1.15 // the rest is as noisy as the part, and the narrowest knows it
		}
		for i, covered := range got.covered {
			if got.shown[i]*runs >= 200 {
				worst = min(worst, covered)
			}
		}
		t.Logf("%-29s covered together %.4f, the least alone %.4f, median width at most %.3f times the narrowest, mean near the threshold %.3f times Pratt's bound",
			name, got.together, worst, got.widest, got.pratt)
		assert.GreaterOrEqual(t, got.together, least, name)
		assert.GreaterOrEqual(t, worst, least, name)
		assert.LessOrEqual(t, got.widest, widest, name)
		assert.LessOrEqual(t, got.pratt, pratt, name)
	}
}

// TestAShareIsAlmostAsNarrowAsCanBe is the same for one share by itself, of a total with noise of its own.
func TestAShareIsAlmostAsNarrowAsCanBe(t *testing.T) {
	const runs, n, d = 5_000, 300, 1000
	law, r := roundedLaplace{2}, generator()
	for name, shownAt := range map[string]int64{"always shown": estimate.AlwaysShown, "threshold": 24} {
		c := estimate.Count{Law: law, ShownAt: shownAt}
		e, err := estimate.NewTotalShares(c, c, 0.05)
		require.NoError(t, err)
		covered := 0.0
		var widths, errors []float64
		for range 40 * runs {
			x, y := n+law.sample(r), d+law.sample(r)
			s, ok := e.Estimate(x, y, 1)
			require.True(t, ok && s.Shown)
			if s.Interval.Contains(100.0 * n / d) {
				covered += 1.0 / runs / 40
			}
			widths = append(widths, s.Interval.High-s.Interval.Low)
			errors = append(errors, math.Abs(float64(x)-float64(n)/d*float64(y)))
		}
		slices.Sort(widths)
		slices.Sort(errors)
		ratio := widths[len(widths)/2] / (200 * errors[len(errors)*95/100] / d)
		t.Logf("%-12s covered %.4f, median width %.3f times the narrowest", name, covered, ratio)
		assert.GreaterOrEqual(t, covered, 0.94)
		assert.LessOrEqual(t, ratio, 1.05, name)
	}
}
