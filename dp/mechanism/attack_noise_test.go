// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"io"
	"math"
	"sync"
	"testing"

	"github.com/google/differential-privacy/go/v3/noise"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
)

// wideLaws are near the widest allowed, where a sampler's lattice is coarsest.
func wideLaws(t *testing.T) []mechanism.Noise {
	return []mechanism.Noise{laplace(t, "1", 1, 1<<38), gaussian(t, "1", "1e-5", 1, 1<<46)}
}

func TestAttackN01PorousSupport(t *testing.T) {
	const n = 8000
	for _, law := range wideLaws(t) {
		for _, x := range []int64{0, 1} {
			assert.False(t, rejects(n, func(n int) float64 {
				return trailingZerosPValue(draws(t, law, x, n))
			}), "%v at %d", law.Kind(), x)
		}
	}
	// Known bad: one power of two wider than allowed, and every noisy value is even.
	assert.True(t, rejects(1000, func(n int) float64 {
		sample := make([]int64, n)
		for i := range sample {
			var err error
			sample[i], err = noise.Laplace().AddNoiseInt64(0, 1, 1<<41, 1, 0)
			require.NoError(t, err)
		}
		return trailingZerosPValue(sample)
	}))
	_, err := mechanism.NewLaplace(1<<38+1, 1, 1<<38+1)
	assert.ErrorContains(t, err, "at most 2^38")
}

func TestAttackN02Precision(t *testing.T) {
	const n = 8000
	for _, law := range wideLaws(t) {
		for _, x := range []int64{law.LInf(), -law.LInf()} {
			assert.False(t, rejects(n, func(n int) float64 {
				return lowBitsPValue(draws(t, law, 0, n), draws(t, law, x, n))
			}), "%v at %d", law.Kind(), x)
		}
	}
	// Known bad: the library's float Gaussian, whose grid depends on the magnitude drawn.
	quantum := math.Exp2(-53) // 2σ/2^57 at σ = 3.73, rounded up to a power of two
	floats := func(x float64, n int) []int64 {
		out := make([]int64, n)
		for i := range out {
			v, err := noise.Gaussian().AddNoiseFloat64(x, 1, 1, 1, 1e-5)
			require.NoError(t, err)
			out[i] = int64(v / quantum)
		}
		return out
	}
	assert.True(t, rejects(4000, func(n int) float64 { return lowBitsPValue(floats(0, n), floats(-1, n)) }))
}

func TestAttackN11HostileParameters(t *testing.T) {
	for _, text := range []string{"0", "-1", "NaN", "Inf", "1e-300", "1e-7", "20.1", "710", "1e9", ""} {
		_, err := dp.ParseEpsilon(text)
		require.Error(t, err, text)
	}
	for _, c := range []struct {
		name     string
		scale    float64
		l0, lInf int64
		want     string
	}{
		{"no scale", 0, 1, 1, "scale: got 0, want a positive finite number"},
		{"negative scale", -1, 1, 1, "scale: got -1"},
		{"NaN", math.NaN(), 1, 1, "scale: got NaN"},
		{"infinite scale", math.Inf(1), 1, 1, "scale: got +Inf"},
		{"noise that hides nothing", 1, 1, 1001, "want at least a thousandth of it"},
		{"the least float", math.SmallestNonzeroFloat64, 1, 1, "want at least a thousandth of it"},
		{"l0 of zero", 1, 0, 1, "got l0 = 0 and l∞ = 1, want both at least 1"},
		{"negative l0", 1, -1, 1, "got l0 = -1"},
		{"negative l∞", 1, 1, math.MinInt64, "want both at least 1"},
		{"product that wraps", 1, math.MaxInt64, math.MaxInt64, "want at most 2^51"},
		{"product that wraps to a small number", 1, 1 << 32, 1 << 32, "want at most 2^51"},
		{"noise too wide", 1<<48 + 1, 1 << 10, 1 << 41, "use a coarser resolution"},
		{"the largest float", math.MaxFloat64, 1, 1, "use a coarser resolution"},
	} {
		_, err := mechanism.NewLaplace(c.scale, c.l0, c.lInf)
		assert.ErrorContains(t, err, c.want, c.name)
		_, err = mechanism.NewGaussian(c.scale, c.l0, c.lInf)
		assert.ErrorContains(t, err, c.want, c.name)
	}
	for _, c := range []struct {
		name         string
		l0, lInf, l1 int64
		want         string
	}{
		{"less than one group changes by", 3, 10, 9, "want l0 and l∞ at least 1 and l1 from l∞ to l0·l∞"},
		{"more than all groups change by", 3, 10, 31, "l1 from l∞ to l0·l∞"},
		{"no groups", 0, 10, 10, "l0 and l∞ at least 1"},
		{"negative", 3, -10, -10, "l0 and l∞ at least 1"},
		{"a total that is too large", 1 << 40, 1 << 40, 1<<51 + 1, "got l1 = 2251799813685249, want at most 2^51"},
	} {
		_, err := mechanism.NewLaplaceOver(100, c.l0, c.lInf, c.l1)
		assert.ErrorContains(t, err, c.want, c.name)
		_, err = mechanism.NewGaussianOver(100, c.l0, c.lInf, c.l1, max(c.l0, 1))
		assert.ErrorContains(t, err, c.want, c.name)
	}
	_, err := mechanism.NewLaplaceOver(1, 1<<40, 1000, 1001)
	assert.ErrorContains(t, err, "got 1 for l1 = 1001, want at least a thousandth of it")
	// The sampler never draws beyond 8.8σ: at ε = 20 that alone distinguishes with more than 1e-10.
	event, times, err := gaussian(t, "20", "1e-10", 1, 1).Event()
	require.NoError(t, err)
	c, err := accounting.Composition{}.Add(event, times)
	require.NoError(t, err)
	_, err = c.Epsilon(accounting.PLD, 1e-10)
	assert.Error(t, err, "no ε belongs to so small a δ")
	assert.InEpsilon(t, 20, cost(t, gaussian(t, "20", "1e-8", 1, 1), 1.1e-8), 1e-2)
	_, err = mechanism.Live().AddNoise(mechanism.Site{}, mechanism.Noise{}, 1)
	assert.ErrorContains(t, err, "uncalibrated")
}

func TestAttackN12HugeInputIsRefusedAndNotShown(t *testing.T) {
	law := laplace(t, "1", 1, 1)
	for _, x := range []int64{math.MinInt64, -1<<61 - 1, 1<<61 + 1, math.MaxInt64} {
		got, err := mechanism.Live().AddNoise(mechanism.Site{}, law, x)
		require.Error(t, err)
		assert.Zero(t, got)
		assert.NotRegexp(t, `\d{5}`, err.Error(), "an error holds no input")
	}
}

func TestAttackN14NoisyValueNeverWraps(t *testing.T) {
	for _, law := range wideLaws(t) {
		for _, v := range draws(t, law, 1<<61, 2000) {
			require.Positive(t, v)
		}
		for _, v := range draws(t, law, -1<<61, 2000) {
			require.Negative(t, v)
		}
		for _, x := range []int64{1 << 62, -1 << 62} {
			_, err := mechanism.Live().AddNoise(mechanism.Site{}, law, x)
			require.Error(t, err)
		}
	}
	for _, c := range []struct{ a, b, want int64 }{
		{math.MaxInt64, 1, math.MaxInt64}, {math.MinInt64, -1, math.MinInt64},
		{math.MinInt64, math.MinInt64, math.MinInt64}, {math.MaxInt64, math.MinInt64, -1},
		{1 << 62, 1 << 62, math.MaxInt64}, {-1 << 62, -1 << 62, math.MinInt64}, {-5, 7, 2}, {0, math.MinInt64, math.MinInt64},
	} {
		assert.Equal(t, c.want, mechanism.SaturatingAdd(c.a, c.b), "%d + %d", c.a, c.b)
	}
}

func TestAttackN09RandomFailureIsAnErrorNotAFallback(t *testing.T) {
	selection, err := mechanism.NewSelection(epsilon(t, "1"), delta(t, "1e-3"), 1, 1)
	require.NoError(t, err)
	for size := range int64(8) {
		failing := mechanism.LiveWithRandom(io.LimitReader(zeros{}, size))
		kept, err := failing.Select(mechanism.Site{}, selection, 3)
		assert.False(t, kept, "zero bytes would have kept the group")
		assert.ErrorContains(t, err, "random source failed")
	}
	failing := mechanism.LiveWithRandom(broken{})
	kept, err := failing.Select(mechanism.Site{}, selection, 1000)
	assert.True(t, kept && err == nil, "certainty needs no randomness")
	kept, err = failing.Select(mechanism.Site{}, selection, 0)
	assert.True(t, !kept && err == nil, "impossibility needs no randomness")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("secret of the device") }

func TestLiveIsSafeForConcurrentUse(t *testing.T) {
	law := laplace(t, "1", 1, 1)
	selection, err := mechanism.NewSelection(epsilon(t, "0.1"), delta(t, "1e-6"), 1, 5)
	require.NoError(t, err)
	live := mechanism.Live()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for n := range int64(300) {
				_, err := live.AddNoise(mechanism.Site{}, law, n)
				assert.NoError(t, err)
				_, err = live.Select(mechanism.Site{}, selection, n)
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
}
