// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestAttackN08NoiseOfCellsIsIndependent draws the noise of 6,144 empty cells and looks for a cell that knows its
// neighbours: the correlation of noise at distances 1 to 5 has standard deviation 1/√n, and six of them are
// reached with probability 2e-9. Two runs may have no more equal numbers than chance gives them.
func TestAttackN08NoiseOfCellsIsIndependent(t *testing.T) {
	labels := make([]string, 1<<10)
	for i := range labels {
		labels[i] = fmt.Sprintf("l%05d", i)
	}
	j := newJob(t, "\n  - {name: x, group_by: [activity, channel, gender], bounds: {max_partitions: 1}, statistics: [visitors]}\n",
		"ACTIVITIES", strings.Join(append(labels, "unknown"), ", "), "MODE", "noisy")
	p := j.prepare(t, people("p", 5, "algebra", "nowhere"))
	noise := func() []float64 {
		rec := mechanismtest.New(mechanismtest.Live)
		publish(t, p, rec)
		var all []float64
		for _, c := range rec.Calls() {
			if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" && strings.HasPrefix(c.Site.Group, "l") {
				all = append(all, float64(c.Output))
			}
		}
		require.Len(t, all, 6*len(labels))
		return all
	}
	first, second := noise(), noise()
	n := 6 * float64(len(labels))
	correlation := func(a, b []float64) float64 {
		var ab, aa, bb float64
		for i := range b {
			ab, aa, bb = ab+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
		}
		return ab / math.Sqrt(aa*bb)
	}
	for lag := range 6 {
		other := first[lag:]
		if lag == 0 {
			other = second
		}
		assert.Less(t, math.Abs(correlation(first, other)), 6/math.Sqrt(n-float64(lag)), "lag %d; 0 is another run", lag)
	}
	equal, chance := 0.0, 0.0
	for i := range first {
		if first[i] == second[i] {
			equal++
		}
	}
	counts := map[float64]float64{}
	for _, v := range slices.Concat(first, second) {
		counts[v] += 1 / (2 * n)
	}
	for _, p := range counts {
		chance += p * p
	}
	assert.Less(t, math.Abs(equal-n*chance), 6*math.Sqrt(n*chance)+6, "equal numbers of two runs: %v, by chance %v", equal, n*chance)
}

// TestAttackS09BandsComeFromThePolicy moves a person across the edge of a band and adds people of unheard-of ages:
// the groups, their labels and their order stay.
func TestAttackS09BandsComeFromThePolicy(t *testing.T) {
	j := newJob(t, "\n  - {name: x, group_by: [age], statistics: [visitors, {share: visitors}]}\n", "SPEND", generous)
	groupsOf := func(w world) [][]string {
		return groups(&aggregate.Result{Tables: publish(t, j.prepare(t, w), mechanismtest.New(mechanismtest.Zero))}, 0)
	}
	w := crowd(9, 200)
	want := groupsOf(w)
	for _, born := range []string{"1850", "1990", "1991", "2008", "2025", "9999", "nonsense"} {
		moved := w.with(world{})
		for i := range moved.visits[:20] {
			moved.visits[i].Born = []byte(born)
		}
		assert.Equal(t, want, groupsOf(moved), born)
	}
}

// TestAttackS13TheThresholdIsOnPeople: what a person's values are changes nothing of whether a group is shown.
func TestAttackS13TheThresholdIsOnPeople(t *testing.T) {
	const k = 10
	j := newJob(t, "\n  - {name: x, group_by: [course], bounds: {max_partitions: 1, max_per_partition: 5}, statistics: [visitors, {sum: score}, {mean: seconds}]}\n", "K", "10")
	for _, people10 := range []int{k - 1, k} {
		var want []bool
		for _, score := range []float64{0, -1, 1, -1e300, math.Inf(1)} {
			w := people("p", people10, "algebra", "quiz")
			for i := range w.uses {
				w.uses[i].Score = &score
			}
			rec := mechanismtest.New(mechanismtest.PlusHuge)
			publish(t, j.prepare(t, w), rec)
			var shown []bool
			for _, c := range rec.Calls() {
				if c.Operation == mechanismtest.Show {
					require.EqualValues(t, people10, c.Input)
					shown = append(shown, c.Kept)
				}
			}
			if want == nil {
				want = shown
			}
			assert.Equal(t, want, shown, score)
		}
		assert.Equal(t, people10 == k, len(want) == 1, "fewer than k people are not even drawn")
	}
}

// TestAttackB11ReplacingOnePersonIsTwoNeighbours: the declared relation is add or remove one person, and replacing
// one changes at most twice as much.
func TestAttackB11ReplacingOnePersonIsTwoNeighbours(t *testing.T) {
	plan := func(j job) string {
		p, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(t, err)
		return p.String()
	}
	for name, tables := range attackTables {
		j := newJob(t, tables, "K", "1")
		assert.Contains(t, plan(j), "neighbouring inputs: add or remove", name)
		w := crowd(3, 40)
		sums := map[mechanism.Site]int64{}
		for _, c := range j.drawn(t, w.with(people("gone", 1, "algebra", "quiz"))) {
			sums[c.Site] -= c.Input
		}
		per := map[[2]string]int64{}
		bound := map[[2]string]int64{}
		for _, c := range j.drawn(t, w.with(people("come", 1, "drama", "forum"))) {
			sums[c.Site] += c.Input
			bound[[2]string{c.Site.Table, c.Site.Statistic}] = 2 * c.L0 * c.LInf
		}
		for site, diff := range sums {
			per[[2]string{site.Table, site.Statistic}] += max(diff, -diff)
		}
		for statistic, change := range per {
			if most, ok := bound[statistic]; ok {
				assert.LessOrEqual(t, change, most, statistic)
			}
		}
	}
}
