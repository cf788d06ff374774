// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// TestAttackP04NumbersThatAddUpComeFromNoisyNumbers replays the noise of one world on thirty neighbours: margins are
// fitted to each other, and what they are fitted to is noisy.
func TestAttackP04NumbersThatAddUpComeFromNoisyNumbers(t *testing.T) {
	j := newJob(t, margins, "MODE", "noisy", "K", "1", "SPEND", generous)
	w := everyAge(5, 600)
	rec := mechanismtest.New(mechanismtest.Live)
	tables := publish(t, j.prepare(t, w), rec)
	b, err := json.Marshal(tables)
	require.NoError(t, err)
	display := func(r aggregate.Row) aggregate.Number { return r.Display }
	value := func(r aggregate.Row) aggregate.Number { return r.Value }
	require.True(t, requireMargins(t, tables, "visitors", display), "they were fitted")
	require.False(t, requireMargins(t, tables, "visitors", value) && requireMargins(t, tables, "events", value), "there was something to fit")
	for seed := range uint64(30) {
		neighbor := w.with(adversary(rand.New(rand.NewPCG(seed, 3)), int(seed)))
		require.Equal(t, string(b), published(t, j.prepare(t, neighbor), mechanismtest.NewReplay(rec.Calls())), "neighbour %d", seed)
	}
}

// TestAttackB12BoundsComeFromThePolicy: values without bounds are refused, and an outlier changes neither the
// parameters of a draw nor more than the bounds say.
func TestAttackB12BoundsComeFromThePolicy(t *testing.T) {
	for _, bounds := range []string{"clamp: [-1, 1], resolution: 0.001, invalid: clamp", "resolution: 0.001, invalid: clamp", "clamp: auto, resolution: 0.001"} {
		words := []string{"SCORE", bounds, "K", "5", "MODE", "hard", "EXCLUDE", "", "KIND", "opaque", "ZONE", "UTC",
			"ACTIVITIES", "forum, quiz, unknown, video", "PERIOD", "all", "SPEND", generous}
		p, err := aggregate.ParsePolicy("policy", replaceWords(attackPolicy, words))
		if err == nil {
			r, failed := aggregate.ParseRelease("release", replaceWords(attackRelease+attackTables["people"], words))
			require.NoError(t, failed)
			_, err = aggregate.NewPlan(p, r)
		}
		if strings.HasPrefix(bounds, "clamp: [") {
			require.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, "score", bounds)
		assert.ErrorContains(t, err, "clamp", bounds)
	}
	for _, tables := range []string{"courses", "activities", "people"} {
		j := newJob(t, attackTables[tables], "K", "1")
		w := crowd(12, 60)
		outlier := w.with(people("rich", 1, "algebra", "quiz"))
		last := &outlier.uses[len(outlier.uses)-1]
		last.Seconds, last.Score, last.Points = []byte("1000000000"), ptr(1e9), ptr(int64(1e9))
		type parameters struct {
			l0, lInf int64
			scale    float64
		}
		of := func(calls []mechanismtest.Call) map[[2]string]parameters {
			all := map[[2]string]parameters{}
			for _, c := range calls {
				if c.Operation == mechanismtest.AddNoise {
					all[[2]string{c.Site.Table, c.Site.Statistic}] = parameters{c.L0, c.LInf, c.Scale}
				}
			}
			return all
		}
		before, after := j.called(t, w), j.called(t, outlier)
		require.NotEmpty(t, of(before))
		assert.Equal(t, of(before), of(after), tables)
		requireNeighbors(t, withoutBounding(before), withoutBounding(after))
	}
}

// TestAttackN13NoiseIsNeverSticky: nothing makes two runs draw the same. Not the same policy, release, data and
// secret, and so neither one word of them that differs: noise that is a function of a question can be asked away.
func TestAttackN13NoiseIsNeverSticky(t *testing.T) {
	const tables = "\n  - {name: x, group_by: [activity, gender], bounds: {max_partitions: 2, max_per_partition: 5}, statistics: [visitors, events, {sum: seconds}]}\n"
	j := newJob(t, tables, "MODE", "noisy", "SPEND", `{epsilon: "0.01", delta: "1e-6"}`)
	other := *j.release
	other.Snapshot = "s2"
	w := crowd(13, 100)
	noise := func(j job) map[mechanism.Site]int64 {
		rec := mechanismtest.New(mechanismtest.Live)
		j.run(t, rec, w)
		all := map[mechanism.Site]int64{}
		for _, c := range rec.Calls() {
			if c.Operation == mechanismtest.AddNoise && c.Site.Statistic == "visitors" {
				all[c.Site] = c.Output - c.Input
			}
		}
		require.Len(t, all, 12)
		return all
	}
	runs := []map[mechanism.Site]int64{noise(j), noise(j), noise(job{j.policy, &other})}
	for i, a := range runs {
		for _, b := range runs[:i] {
			equal := 0
			for k := range a {
				if a[k] == b[k] || a[k] == -b[k] {
					equal++
				}
			}
			// Noise is nearly a thousand wide: two draws are equal with a chance below a thousandth.
			assert.Less(t, equal, 4, "the noise of one run is that of another")
		}
	}
}

// TestAttackS10NothingIsMergedIntoOther: groups of too few are in no other group, whatever is published. A group for
// the rest is there where the policy lists one, and is drawn as any other.
func TestAttackS10NothingIsMergedIntoOther(t *testing.T) {
	j := newJob(t, `
  - {name: course, group_by: [course], bounds: {max_partitions: 1}, statistics: [visitors]}
  - {name: gender, group_by: [gender], statistics: [visitors, {share: visitors}]}
`, "K", "5")
	w := people("a", 60, "algebra", "quiz").with(people("b", 60, "biology", "quiz"))
	for _, u := range w.uses {
		w.visits = append(w.visits, visit{ID: u.ID, Gender: []byte("F")})
	}
	few := people("few", 4, "drama", "quiz")
	for _, u := range few.uses {
		few.visits = append(few.visits, visit{ID: u.ID, Gender: []byte("divers")})
	}
	courses := func(w world) string {
		b, err := json.Marshal(publish(t, j.prepare(t, w), mechanismtest.New(mechanismtest.Zero))[0].Rows)
		require.NoError(t, err)
		return string(b)
	}
	want := courses(w)
	require.Contains(t, want, "algebra")
	assert.Equal(t, want, courses(w.with(few)), "four people of a fifth course are nowhere")
	assert.NotEqual(t, want, courses(w.with(few).with(people("c", 60, "chess", "quiz"))), "the test can fail")

	// "unknown" is the policy's group for the rest: it counts four people, by a draw like that of the others.
	genders := func(call mechanismtest.Call) bool {
		return call.Site.Table == "gender" && call.Site.Statistic == "visitors" && call.Operation == mechanismtest.AddNoise
	}
	drawn := map[string]mechanismtest.Call{}
	rec := mechanismtest.New(mechanismtest.Zero)
	publish(t, newJob(t, "\n  - {name: gender, group_by: [gender], statistics: [visitors]}\n", "K", "1", "MODE", "noisy").prepare(t, w.with(few)), rec)
	for _, c := range rec.Calls() {
		if genders(c) {
			drawn[c.Site.Group] = c
		}
	}
	require.Len(t, drawn, 3)
	inputs, laws := map[int64]bool{}, map[string]bool{}
	for _, c := range drawn {
		inputs[c.Input] = true
		laws[fmt.Sprint(c.Kind, c.L0, c.LInf, c.Scale)] = true
	}
	assert.Equal(t, map[int64]bool{120: true, 4: true, 0: true}, inputs)
	assert.Len(t, laws, 1, "one law for all groups")
}

// TestAttackS11AnHourOfFewPeopleIsNotThere: a time is a group as any other. An hour in which fewer than k people came
// leaves no trace, whatever the noise.
func TestAttackS11AnHourOfFewPeopleIsNotThere(t *testing.T) {
	const hours = "  hour: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: hour, groups: private}\n"
	j := newJob(t, "\n  - {name: x, group_by: [hour], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events]}\n",
		"K", "3", "EXCLUDE", hours)
	at := func(prefix string, n int, when string) world {
		w := people(prefix, n, "algebra", "quiz")
		for i := range w.uses {
			w.uses[i].At = []byte(when)
		}
		return w
	}
	busy := at("day", 100, "2026-03-16T14:20:00Z")
	lonely := busy.with(at("night", 2, "2026-03-17T03:05:00Z"))
	for _, mode := range []mechanismtest.Mode{mechanismtest.Zero, mechanismtest.PlusHuge, mechanismtest.MinusHuge} {
		calls := func(w world) (string, []mechanism.Site) {
			rec := mechanismtest.New(mode)
			b, err := json.Marshal(publish(t, j.prepare(t, w), rec)[0].Rows)
			require.NoError(t, err)
			var drawn []mechanism.Site
			for _, c := range rec.Calls() {
				if c.Operation == mechanismtest.AddNoise && c.Site.Statistic != "bounding" {
					drawn = append(drawn, c.Site)
				}
			}
			return string(b), drawn
		}
		without, _ := calls(busy)
		with, drawn := calls(lonely)
		assert.Equal(t, without, with)
		assert.NotContains(t, with, "2026-03-17")
		assert.False(t, slices.ContainsFunc(drawn, func(s mechanism.Site) bool { return strings.Contains(s.Group, "03:") }))
	}
	res := j.run(t, mechanismtest.New(mechanismtest.PlusHuge), busy.with(at("night", 3, "2026-03-17T03:05:00Z")))
	assert.Contains(t, text(t, res), "2026-03-17", "three people are")
}

// withoutBounding leaves out the draws of what the bounds removed.
func withoutBounding(calls []mechanismtest.Call) []mechanismtest.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c mechanismtest.Call) bool { return c.Site.Statistic == "bounding" })
}
