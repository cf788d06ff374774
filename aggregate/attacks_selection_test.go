// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// people returns n people with one record each in a course and an activity.
func people(prefix string, n int, course, activity string) world {
	var w world
	for i := range n {
		w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "%s-%d", prefix, i), Course: []byte(course), Activity: []byte(activity), Device: []byte("phone"), Seconds: []byte("60"), Score: ptr(0.5), Points: ptr(int64(1))})
	}
	return w
}

// TestAttackS04AGroupOfTooFewIsNeverShown looks for a group that one person fewer than k are in,
// whatever the noise.
func TestAttackS04AGroupOfTooFewIsNeverShown(t *testing.T) {
	const k = 3
	j := newJob(t, attackTables["courses"]+attackTables["activities"]+attackTables["crossed"], "K", strconv.Itoa(k))
	w := crowd(4, 200)
	for i := range k - 1 {
		w = w.with(world{
			uses:   []use{{ID: fmt.Appendf(nil, "few-%d", i), Course: []byte(canary), Device: []byte(canary), Activity: []byte("quiz"), Seconds: []byte("1"), Score: ptr(1.0), Points: ptr(int64(1))}},
			visits: []visit{{ID: fmt.Appendf(nil, "few-%d", i), Region: []byte(canary), Gender: []byte("F")}},
		})
	}
	for _, mode := range []mechanismtest.Mode{mechanismtest.Zero, mechanismtest.PlusHuge, mechanismtest.MinusHuge, mechanismtest.Live} {
		res := j.run(t, mechanismtest.New(mode), w)
		requireNoCanary(t, "result", text(t, res))
		for name, content := range files(t, res) {
			requireNoCanary(t, name, content)
		}
		if mode == mechanismtest.PlusHuge {
			assert.NotEmpty(t, res.Tables[0].Rows)
		}
	}
	// With one person more it is shown, so that the test can fail.
	w = w.with(world{uses: []use{{ID: []byte("one more"), Course: []byte(canary), Device: []byte(canary), Seconds: []byte("1"), Score: ptr(1.0), Points: ptr(int64(1))}}})
	assert.Contains(t, text(t, j.run(t, mechanismtest.New(mechanismtest.PlusHuge), w)), canary)
}

// TestAttackS05DeclaredGroupsAreExactlyTheDeclaredOnes declares fifty groups; the data has thirty of
// them and twenty others.
func TestAttackS05DeclaredGroupsAreExactlyTheDeclaredOnes(t *testing.T) {
	var declared []string
	for i := range 50 {
		declared = append(declared, fmt.Sprintf("activity-%02d", (i*37)%50))
	}
	want := slices.Sorted(slices.Values(declared))
	var w world
	for i := range 600 {
		activity := fmt.Sprintf("activity-%02d", i%30)
		if i%50 >= 30 {
			activity = fmt.Sprintf("other-%d", i%50)
		}
		w = w.with(people(fmt.Sprint("p", i), 1, "algebra", activity))
	}
	for _, mode := range []string{"hard", "noisy"} {
		j := newJob(t, `
  - name: activity
    group_by: [activity]
    bounds: {max_partitions: 1, max_per_partition: 2}
    statistics: [visitors, events, {share: visitors}]
`, "ACTIVITIES", strings.Join(declared, ", "), "MODE", mode)
		for name, w := range map[string]world{"full": w, "neighbor": w.with(adversary(rand.New(rand.NewPCG(5, 5)), 4)), "empty": {}} {
			for _, noise := range []mechanismtest.Mode{mechanismtest.Live, mechanismtest.PlusHuge, mechanismtest.MinusHuge} {
				res := j.run(t, mechanismtest.New(noise), w)
				var got []string
				for _, g := range groups(res, 0) {
					if g[0] != "" { // the total
						got = append(got, g[0])
					}
				}
				assert.Equal(t, want, got, "%s %s", mode, name)
			}
		}
	}
}

// TestAttackS05WhatIsNotDeclaredIsInNoGroup has people who are mostly elsewhere: those records must not
// take the place of declared groups, nor stand in a total.
func TestAttackS05WhatIsNotDeclaredIsInNoGroup(t *testing.T) {
	j := newJob(t, `
  - name: x
    group_by: [channel]
    bounds: {max_partitions: 1, max_per_partition: 9}
    statistics: [events, {share: events}]
`, "K", "1")
	var w world
	for i := range 20 {
		for _, channel := range []string{"fax", "app", "telex", "fax", "pigeon"} {
			w.uses = append(w.uses, use{ID: fmt.Appendf(nil, "p-%d", i), Channel: []byte(channel)})
		}
	}
	assert.Equal(t, map[string]int64{"x.events[app]": 20, "x.events_total[]": 20}, nonZero(j.drawn(t, w)))
}

// TestAttackS06OrderIsThatOfTheLabels runs a hundred orders of the same records with the same noise.
func TestAttackS06OrderIsThatOfTheLabels(t *testing.T) {
	var w world
	for i := range 40 {
		w = w.with(people(fmt.Sprint("p", i), 20+(i*7)%40, fmt.Sprintf("course-%02d", (i*17)%40), "quiz"))
	}
	j := newJob(t, `
  - name: course
    group_by: [course, activity]
    bounds: {max_partitions: 2, max_per_partition: 1}
    statistics: [visitors, events, {share: visitors}, {share: events, within: [course]}]
`, "SPEND", generous)
	rec := mechanismtest.New(mechanismtest.Live)
	tables := publish(t, j.prepare(t, w), rec)
	order := func(row aggregate.Row) string { return strings.Join(row.Group, "\x00") }
	require.Greater(t, len(tables[0].Rows), 100)
	assert.True(t, slices.IsSortedFunc(tables[0].Rows, func(a, b aggregate.Row) int { return strings.Compare(order(a), order(b)) }))
	want := published(t, j.prepare(t, w), mechanismtest.NewReplay(rec.Calls()))
	for seed := range uint64(100) {
		replay := mechanismtest.NewReplay(rec.Calls())
		require.Equal(t, want, published(t, j.prepare(t, w.shuffled(seed)), replay))
		requireSameCalls(t, rec.Calls(), replay.Calls())
	}
}

// TestAttackS07RankIsNotPublished makes the smallest group the largest, so that wherever a list by exact
// rank were cut off, another group would be on it.
func TestAttackS07RankIsNotPublished(t *testing.T) {
	w := crowd(7, 100)
	for i := range 12 {
		w = w.with(people(fmt.Sprint("rank", i), 100+i, fmt.Sprintf("course-%02d", i), "quiz"))
	}
	j := newJob(t, attackTables["courses"], "SPEND", generous)
	want, calls := j.recordedFiles(t, w)
	assert.Contains(t, want["data/course.csv"], "course-00")
	assert.Contains(t, want["data/course.csv"], "course-11")
	swapped := w.with(people("swap", 20, "course-00", "quiz"))
	got, _ := j.replayedFiles(t, calls, swapped)
	assert.Equal(t, want, got)
}

// TestAttackS08KIsNoLineInTheRawNumber publishes groups of k−1, k and k+1 people 4,000 times.
//
// A group of k−1 is never shown. A group of k is shown with probability at most δ of its selection, one
// of k+1 with at most e^ε·δ + δ; six standard deviations above that, a correct rule fails with
// probability below 1e-9 (Bernstein: the bound is near 1e-8 for the smallest expected number, 4).
func TestAttackS08KIsNoLineInTheRawNumber(t *testing.T) {
	const k, runs = 20, 4000
	for name, c := range map[string]struct{ groupBy, statistics, mode string }{
		"threshold on private groups":  {"course", "visitors, events", "hard"},
		"selection of private groups":  {"course", "events", "hard"},
		"threshold on declared groups": {"activity", "visitors, events", "hard"},
		"selection of declared groups": {"activity", "events", "hard"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, fmt.Sprintf(`
  - name: x
    group_by: [%s]
    bounds: {max_partitions: 1, max_per_partition: 1}
    statistics: [%s]
`, c.groupBy, c.statistics), "K", strconv.Itoa(k), "MODE", c.mode, "SPEND", `{epsilon: "1", delta: "0.009"}`)
			plan, err := aggregate.NewPlan(j.policy, j.release)
			require.NoError(t, err)
			delta, err := strconv.ParseFloat(plan.Tables[0].Selection.Spend.Delta, 64)
			require.NoError(t, err)
			require.Positive(t, delta)
			for n, most := range map[int]float64{k - 1: 0, k: delta, k + 1: (math.E + 1) * delta} {
				p := j.prepare(t, people("p", n, "algebra", "quiz"))
				shown := 0
				for range runs {
					// A private group is told by its row alone, a declared one by any number in it.
					if slices.ContainsFunc(publish(t, p, live)[0].Rows, func(row aggregate.Row) bool {
						return c.groupBy == "course" || row.Status != aggregate.Withheld
					}) {
						shown++
					}
				}
				allowed := most*runs + 6*math.Sqrt(most*runs)
				assert.LessOrEqual(t, float64(shown), allowed, "%d people", n)
				t.Logf("%d people: shown %d of %d times, at most %.0f", n, shown, runs, allowed)
			}
		})
	}
}

// TestAttackS12SpellingsAreOneGroup writes one label in many ways.
func TestAttackS12SpellingsAreOneGroup(t *testing.T) {
	spell := func(labels ...string) world {
		var w world
		for _, l := range labels {
			w.uses = append(w.uses, use{ID: []byte("one"), Activity: []byte(l), Course: []byte(l)})
		}
		return w
	}
	const tables = `
  - name: declared
    group_by: [activity]
    bounds: {max_partitions: 10, max_per_partition: 10}
    statistics: [visitors, events]
  - name: private
    group_by: [course]
    bounds: {max_partitions: 10}
    statistics: [visitors]
`
	j := newJob(t, tables, "K", "1", "ACTIVITIES", "café, quiz, unknown")
	closed := nonZero(j.drawn(t, spell("Quiz", "quiz", "ＱＵＩＺ", "quiz\u200b", " quiz ", "QUIZ", "caf\u00e9", "cafe\u0301", "CAFÉ")))
	delete(closed, "")
	for site := range closed {
		if strings.HasPrefix(site, "private") {
			delete(closed, site)
		}
	}
	assert.Equal(t, map[string]int64{
		"declared.visitors[quiz]": 1, "declared.events[quiz]": 6, "declared.visitors[café]": 1, "declared.events[café]": 3,
	}, closed)
	open := nonZero(j.drawn(t, spell("caf\u00e9", "cafe\u0301", "caf\u00e9\u200b", "  caf\u00e9")))
	assert.EqualValues(t, 1, open["private.visitors[café]"])
	for site := range open {
		assert.False(t, strings.HasPrefix(site, "private") && site != "private.visitors[café]", site)
	}
}
