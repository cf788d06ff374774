// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

// keepingSpec keeps few of a person's groups and counts visitors only.
func keepingSpec(keep int64, seed [2]uint64) *engine.Spec {
	return &engine.Spec{
		Keys: 1, Seed: seed,
		CompareKeys: func(_ int, a, b uint64) int { return compareCodes(a, b) },
		Tables:      []engine.Table{{Key: 0, Bounds: dp.ContributionBounds{MaxPartitions: keep, MaxPerPartition: 1}}},
	}
}

// visits returns one record in each group for a person.
func visits(hi, lo uint64, hashes []uint64) []record {
	var out []record
	for code, hash := range hashes {
		out = append(out, record{hi: hi, lo: lo, flags: engine.Event, keys: []key{{uint64(code), hash}}})
	}
	return out
}

func labelHashes(n int, hash func(uint64) uint64) []uint64 {
	var out []uint64
	for i := range n {
		out = append(out, hash(uint64(i)))
	}
	return out
}

// requireUniform tests that in runs draws of keep groups out of len(kept) every group is as likely.
// The counts of draws without replacement have variance runs·p·(1−p) and correlation −1/(N−1), so
// that the sum below tends to χ² with N−1 degrees of freedom. False alarm 1e-9.
func requireUniform(t *testing.T, kept []int, runs, keep int) {
	n, p := float64(len(kept)), float64(keep)/float64(len(kept))
	mean, statistic := float64(runs)*p, 0.0
	for _, k := range kept {
		statistic += (float64(k) - mean) * (float64(k) - mean)
	}
	statistic *= (n - 1) / (n * mean * (1 - p))
	limit := distuv.ChiSquared{K: n - 1}.Quantile(1 - 1e-9)
	require.Less(t, statistic, limit, "kept %v", kept)
}

func TestAttackB04SamplingGoesByKeyNotByOrder(t *testing.T) {
	const groups, keep, runs = 20, 5, 1000
	secret := rand.New(rand.NewPCG(4, 4))
	rows := visits(1, 2, labelHashes(groups, scramble))
	kept := make([]int, groups)
	for range runs {
		spec := keepingSpec(keep, [2]uint64{secret.Uint64(), secret.Uint64()})
		sorted := aggregate(spec, rows, run{chunk: 1 << 20, workers: 1}).tables[0]
		require.Len(t, sorted, keep)
		shuffled := slices.Clone(rows)
		secret.Shuffle(groups, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, sorted, aggregate(spec, shuffled, run{chunk: 3, workers: 2}).tables[0])
		for code := range kept {
			if _, ok := sorted[groupName(uint64(code), nil)]; ok {
				kept[code]++
			}
		}
	}
	requireUniform(t, kept, runs, keep)
}

// Two runs choose alike for ten people with probability 15504^-10.
func TestAttackB04TwoRunsChooseDifferently(t *testing.T) {
	choices := func(seed [2]uint64) []string {
		var all []string
		for person := range uint64(10) {
			rows := visits(person, 7, labelHashes(20, scramble))
			groups := aggregate(keepingSpec(5, seed), rows, run{chunk: 1 << 20, workers: 1}).tables[0]
			all = append(all, slices.Sorted(maps.Keys(groups))...)
		}
		return all
	}
	first := choices([2]uint64{1, 2})
	assert.Equal(t, first, choices([2]uint64{1, 2}))
	assert.NotEqual(t, first, choices([2]uint64{1, 3}))
	assert.NotEqual(t, first, choices([2]uint64{2, 2}))
	for i := 5; i < len(first); i += 5 {
		assert.NotEqual(t, first[:5], first[i:i+5], "two people are given the same groups")
	}
}

// The hashes that reach the engine are keyed, so that nobody can choose them. Small numbers in their
// place are the worst that grinding could come to, and still every group is as likely.
func TestAttackB05SmallIdsAreSampledLikeAny(t *testing.T) {
	const groups, keep, people = 20, 5, 8000
	for name, hash := range map[string]func(uint64) uint64{
		"hashed groups": scramble,
		"small groups":  func(v uint64) uint64 { return v },
		"high groups":   func(v uint64) uint64 { return v << 59 },
	} {
		t.Run(name, func(t *testing.T) {
			hashes := labelHashes(groups, hash)
			// One secret for all people: what one person keeps must tell nothing about the next.
			spec := keepingSpec(keep, [2]uint64{0x9bd60f4fbba9a3c5, 0x2b7e151628aed2a6})
			var rows []record
			for i := range uint64(people) {
				rows = append(rows, visits(i%3<<54, i, hashes)...)
			}
			visitors := aggregate(spec, rows, run{chunk: 1 << 20, workers: 1}).tables[0]
			kept := make([]int, groups)
			for code := range kept {
				kept[code] = int(visitors[groupName(uint64(code), nil)].visitors)
			}
			requireUniform(t, kept, people, keep)
		})
	}
}

// A thousand ids are ground until the target group comes first under a secret that the attacker
// guessed. Under the run's secret they are kept as often as any: Binomial(1000, 1/20), within 6
// standard deviations (two-sided 2e-9).
func TestAttackB05GroundIdsAreKeptLikeAny(t *testing.T) {
	const groups, people = 20, 1000
	hashes := labelHashes(groups, scramble)
	guessed, actual := keepingSpec(1, [2]uint64{}), keepingSpec(1, [2]uint64{77, 0x1234567890abcdef})
	first := func(spec *engine.Spec, hi, lo uint64) bool {
		target := spec.Priority(hi, lo, hashes[0])
		for _, h := range hashes[1:] {
			if spec.Priority(hi, lo, h) < target {
				return false
			}
		}
		return true
	}
	var rows []record
	for lo, found := uint64(0), 0; found < people; lo++ {
		if hi := scramble(lo); first(guessed, hi, lo) {
			rows = append(rows, visits(hi, lo, hashes)...)
			found++
		}
	}
	target := groupName(0, nil)
	require.Equal(t, int64(people), aggregate(guessed, rows, run{chunk: 1 << 20, workers: 1}).tables[0][target].visitors)
	kept := float64(aggregate(actual, rows, run{chunk: 1 << 20, workers: 1}).tables[0][target].visitors)
	assert.InDelta(t, people/20.0, kept, 6*math.Sqrt(people/20.0*19/20))
}
