// SPDX-License-Identifier: Apache-2.0

package mechanismtest_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

var spend = dp.MustApprox("0.25", "1e-6")

func parameters(t *testing.T) (mechanism.Noise, mechanism.Threshold, mechanism.Selection) {
	t.Helper()
	noise, err := mechanism.NewLaplace(8, 2, 1) // ε = 2·1/8
	require.NoError(t, err)
	threshold, err := mechanism.NewThreshold(noise, spend.Delta, 20)
	require.NoError(t, err)
	selection, err := mechanism.NewSelection(spend.Epsilon, spend.Delta, 2, 20)
	require.NoError(t, err)
	return noise, threshold, selection
}

// release is a small release of three groups; it returns everything that would be published.
func release(t *testing.T, m mechanism.Mechanism, people map[string]int64) map[string]int64 {
	t.Helper()
	noise, threshold, selection := parameters(t)
	published := make(map[string]int64)
	for group, n := range people {
		visitors := mechanism.Site{Table: "a", Statistic: "visitors", Group: group}
		noisy, err := m.AddNoise(visitors, noise, n)
		require.NoError(t, err)
		show, err := m.Show(visitors, threshold, n, noisy)
		require.NoError(t, err)
		if show {
			published["a/"+group] = noisy
		}
		keep, err := m.Select(mechanism.Site{Table: "b", Statistic: "events", Group: group}, selection, n)
		require.NoError(t, err)
		if keep {
			published["b/"+group] = 1
		}
	}
	return published
}

var people = map[string]int64{"small": 19, "edge": 20, "sure": 5000}

func TestModesShiftOrSilenceNoise(t *testing.T) {
	for _, c := range []struct {
		mode mechanismtest.Mode
		want map[string]int64
	}{
		{mechanismtest.Zero, map[string]int64{"a/edge": 20, "b/edge": 1, "a/sure": 5000, "b/sure": 1}},
		{mechanismtest.PlusHuge, map[string]int64{"a/edge": 20 + 1<<60, "b/edge": 1, "a/sure": 5000 + 1<<60, "b/sure": 1}},
		{mechanismtest.MinusHuge, map[string]int64{"b/sure": 1}},
	} {
		recorder := mechanismtest.New(c.mode)
		assert.Equal(t, c.want, release(t, recorder, people), "mode %d", c.mode)
		assert.Len(t, recorder.Calls(), 9)
	}
	noise, _, _ := parameters(t)
	for mode, want := range map[mechanismtest.Mode][2]int64{
		mechanismtest.PlusHuge:  {math.MaxInt64, math.MinInt64 + 1<<60},
		mechanismtest.MinusHuge: {math.MaxInt64 - 1<<60, math.MinInt64},
	} {
		for i, x := range []int64{math.MaxInt64, math.MinInt64} {
			got, err := mechanismtest.New(mode).AddNoise(mechanism.Site{}, noise, x)
			require.NoError(t, err)
			assert.Equal(t, want[i], got, "saturates")
		}
	}
}

func TestLiveModeDrawsRealNoise(t *testing.T) {
	noise, _, _ := parameters(t)
	recorder := mechanismtest.New(mechanismtest.Live)
	different := 0
	for range 100 {
		got, err := recorder.AddNoise(mechanism.Site{}, noise, 7)
		require.NoError(t, err)
		if got != 7 {
			different++
		}
	}
	// P(N = 0) is about 1/16: 60 zeros in 100 draws have probability below 1e-40.
	assert.Greater(t, different, 40)
	assert.NotContains(t, release(t, recorder, people), "a/small")
}

func TestCallsRecordWhatWasAsked(t *testing.T) {
	noise, threshold, selection := parameters(t)
	recorder := mechanismtest.New(mechanismtest.Zero)
	site := mechanism.Site{Table: "t", Statistic: "s", Group: "g"}
	_, err := recorder.AddNoise(site, noise, -3)
	require.NoError(t, err)
	_, err = recorder.Show(site, threshold, 30, 31)
	require.NoError(t, err)
	_, err = recorder.Select(site, selection, 40)
	require.NoError(t, err)
	noiseEvent, _, err := noise.Event()
	require.NoError(t, err)
	thresholdEvent, err := threshold.Event()
	require.NoError(t, err)
	selectionEvent, _, err := selection.Event()
	require.NoError(t, err)
	assert.Equal(t, []mechanismtest.Call{
		{Operation: mechanismtest.AddNoise, Site: site, Kind: mechanism.Laplace, Input: -3, Scale: noise.Scale(), L0: 2, LInf: 1, L1: 2, Cells: 2, Event: noiseEvent, Times: 2, Output: -3},
		{Sequence: 1, Operation: mechanismtest.Show, Site: site, Input: 30, Noisy: 31, L0: 2, LInf: 1, L1: 2, Event: thresholdEvent, Times: 1, K: 20, Kept: true},
		{Sequence: 2, Operation: mechanismtest.Select, Site: site, Input: 40, L0: 2, LInf: 1, L1: 2, Event: selectionEvent, Times: 2, K: 20, Kept: true},
	}, recorder.Calls())
}

func TestReplayAnswersAsRecordedWhateverTheInput(t *testing.T) {
	first := mechanismtest.New(mechanismtest.Live)
	published := release(t, first, people)

	second := mechanismtest.NewReplay(first.Calls())
	assert.Equal(t, published, release(t, second, map[string]int64{"small": 18, "edge": 19, "sure": 4999}))
	assert.Empty(t, second.Unrecorded())
	assert.Equal(t, int64(18), inputOf(second.Calls(), "small"), "a replay records its own inputs")

	third := mechanismtest.NewReplay(first.Calls())
	release(t, third, map[string]int64{"small": 19, "other": 5000})
	unrecorded := third.Unrecorded()
	require.Len(t, unrecorded, 3)
	for _, c := range unrecorded {
		assert.Equal(t, "other", c.Site.Group)
		assert.Zero(t, c.Output)
		assert.False(t, c.Kept)
	}
}

func inputOf(calls []mechanismtest.Call, group string) int64 {
	for _, c := range calls {
		if c.Site.Group == group {
			return c.Input
		}
	}
	return -1
}

func TestRepeatedDrawsAreReplayedInTurnAndChargedTwice(t *testing.T) {
	noise, _, _ := parameters(t)
	recorder := mechanismtest.New(mechanismtest.Zero)
	for x := range int64(2) {
		_, err := recorder.AddNoise(mechanism.Site{Group: "g"}, noise, x)
		require.NoError(t, err)
	}
	assertCost(t, recorder, 0.5, 0)
	again := mechanismtest.NewReplay(recorder.Calls())
	for x := range int64(3) {
		got, err := again.AddNoise(mechanism.Site{Group: "g"}, noise, 100)
		require.NoError(t, err)
		assert.Equal(t, []int64{0, 1, 0}[x], got)
	}
	assert.Len(t, again.Unrecorded(), 1)
}

func TestCompositionCountsAParameterOncePerStatistic(t *testing.T) {
	recorder := mechanismtest.New(mechanismtest.Zero)
	assertCost(t, recorder, 0, 0)
	release(t, recorder, people)
	// Noise (0.25, 0), its threshold (0, 1e-6), and the other table's selection (0.25, 1e-6).
	assertCost(t, recorder, 0.5, 2e-6)
}

// assertCost compares the sum of what was called, by basic composition.
func assertCost(t *testing.T, recorder *mechanismtest.Recorder, epsilon, delta float64) {
	t.Helper()
	c, err := recorder.Composition()
	require.NoError(t, err)
	e, d, ok := c.Sum()
	require.True(t, ok)
	gotE, _ := e.Float64()
	gotD, _ := d.Float64()
	assert.InDelta(t, epsilon, gotE, 1e-10)
	assert.InDelta(t, delta, gotD, 1e-18)
}

func TestUncalibratedParametersAreRefusedInEveryMode(t *testing.T) {
	for _, mode := range []mechanismtest.Mode{mechanismtest.Live, mechanismtest.Zero, mechanismtest.PlusHuge, mechanismtest.MinusHuge} {
		recorder := mechanismtest.New(mode)
		_, err := recorder.AddNoise(mechanism.Site{}, mechanism.Noise{}, 1)
		assert.Error(t, err)
		_, err = recorder.Show(mechanism.Site{}, mechanism.Threshold{K: 1, At: 1}, 1, 1)
		assert.Error(t, err)
		_, err = recorder.Select(mechanism.Site{}, mechanism.Selection{}, 1)
		assert.Error(t, err)
		assert.Empty(t, recorder.Calls())
	}
	noise, threshold, selection := parameters(t)
	var unset mechanismtest.Recorder
	_, err := unset.AddNoise(mechanism.Site{}, noise, 1)
	assert.ErrorContains(t, err, "unknown mode")
	_, err = unset.Show(mechanism.Site{}, threshold, 100, 100)
	assert.ErrorContains(t, err, "unknown mode")
	_, err = unset.Select(mechanism.Site{}, selection, 100)
	assert.ErrorContains(t, err, "unknown mode")
}

func TestRecorderIsSafeForConcurrentUse(t *testing.T) {
	recorder := mechanismtest.New(mechanismtest.Zero)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { release(t, recorder, people) })
	}
	wait.Wait()
	calls := recorder.Calls()
	assert.Len(t, calls, 36)
	for i, c := range calls {
		assert.Equal(t, i, c.Sequence)
	}
}
