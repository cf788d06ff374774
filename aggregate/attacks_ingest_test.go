// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// sums is a release that uses every value column.
const sums = `
  - name: everyone
    group_by: []
    bounds: {max_per_partition: 10}
    statistics: [visitors, events, {sum: seconds}]
  - name: scores
    group_by: [course]
    bounds: {max_partitions: 2, max_per_partition: 10}
    statistics: [{mean: score}, {sum: score}, {sum: points}]
`

// requireBounded holds the exact number of every draw, to which a single person contributed, against
// what one person may change.
func requireBounded(t *testing.T, calls []mechanismtest.Call) {
	t.Helper()
	require.NotEmpty(t, calls)
	for _, c := range calls {
		require.LessOrEqual(t, max(c.Input, -c.Input), c.LInf, "%s.%s", c.Site.Table, c.Site.Statistic)
		if c.Site.Statistic == "sum_seconds" {
			require.GreaterOrEqual(t, c.Input, int64(0))
		}
	}
}

// TestAttackI08HostileNumbersStayInBounds gives one person every number that is none, is not finite, or
// is too large, in each connector that can carry it.
func TestAttackI08HostileNumbersStayInBounds(t *testing.T) {
	j := newJob(t, sums, "K", "1")
	for name, inputs := range connectors {
		t.Run(name, func(t *testing.T) {
			for i, text := range badTexts {
				f, n := badFloats[i%len(badFloats)], badInts[i%len(badInts)]
				if name == "ndjson" && (math.IsNaN(f) || math.IsInf(f, 0)) {
					f = 1e308 // JSON has no word for them
				}
				u := use{ID: []byte("one"), Course: []byte("c"), Score: &f, Seconds: []byte("1"), Points: &n}
				v := u
				v.Seconds = []byte(text)
				rec := mechanismtest.New(mechanismtest.Zero)
				p, err := aggregate.Prepare(under(t, rec), j.policy, j.release, inputs(t, world{uses: []use{u, u, v}}, 1), 1)
				require.NoError(t, err)
				publish(t, p, rec)
				requireBounded(t, rec.Calls())
			}
		})
	}
}

// TestAttackI08ANumberThatCannotBeReadFollowsItsRule checks what each rule makes of such cells.
func TestAttackI08ANumberThatCannotBeReadFollowsItsRule(t *testing.T) {
	j := newJob(t, sums, "K", "1")
	one := func(score float64, seconds string) map[string]int64 {
		u := use{ID: []byte("one"), Course: []byte("c"), Score: &score, Seconds: []byte(seconds), Points: ptr(int64(1))}
		got := map[string]int64{}
		for _, c := range j.drawn(t, world{uses: []use{u}}) {
			if c.Operation == mechanismtest.AddNoise && (c.Site.Table == "everyone" || c.Site.Statistic == "sum_score") {
				got[c.Site.Statistic] = c.Input
			}
		}
		return got
	}
	for score, want := range map[float64]int64{math.Inf(1): 1000, math.Inf(-1): -1000, math.Copysign(0, -1): 0, math.MaxFloat64: 1000, 0.0005: 1} {
		assert.Equal(t, want, one(score, "1")["sum_score"], score)
	}
	assert.EqualValues(t, -1000, one(math.NaN(), "1")["sum_score"], "invalid: clamp counts at the lower bound")
	for seconds, want := range map[string]int64{
		"9223372036854775808": 3600, "-9223372036854775809": 0, "18446744073709551616": 3600, "1e999": 3600, "-1e999": 0,
		"Infinity": 3600, "1e3": 1000, "-0": 0,
	} {
		got, ok := one(0, seconds)["sum_seconds"]
		assert.True(t, ok, seconds)
		assert.Equal(t, want, got, seconds)
	}
	for _, seconds := range []string{"nan", "NaN", "１２", "1_000", "0x10", "", "twelve", "1,5"} {
		got := one(0, seconds)
		assert.Zero(t, got["sum_seconds"]+got["visitors"]+got["events"], "invalid: drop leaves the record out of the table: %q", seconds)
	}
}

// TestAttackI09TypedNumbersNeverWrap reads the ends of every integer type.
func TestAttackI09TypedNumbersNeverWrap(t *testing.T) {
	type wide struct {
		ID      string `throng:"id"`
		Course  string `throng:"course"`
		Seconds uint64 `throng:"seconds"`
		Score   int64  `throng:"score"`
		Points  uint64 `throng:"points"`
		At      int64  `throng:"at"`
	}
	j := newJob(t, sums, "K", "1")
	for _, u := range []uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		for _, i := range []int64{math.MinInt64, math.MinInt64 + 1, -1, math.MaxInt64} {
			src, err := structio.Slice("wide", []wide{{"one", "c", u, i, u, i}})
			require.NoError(t, err)
			rec := mechanismtest.New(mechanismtest.Zero)
			in := world{}.inputs(t)
			in.Usage = []table.Source{src}
			_, err = aggregate.Run(under(t, rec), j.policy, j.release, in)
			require.NoError(t, err)
			for _, c := range rec.Calls() {
				require.LessOrEqual(t, max(c.Input, -c.Input), c.LInf)
				if c.Site.Statistic != "sum_score" {
					require.GreaterOrEqual(t, c.Input, int64(0), c.Site)
				}
			}
		}
	}
}

// TestAttackI11APoisonedRecordChangesNothingThatLeaves adds a person whose records cannot be read, are
// huge or overflow, under the same noise.
func TestAttackI11APoisonedRecordChangesNothingThatLeaves(t *testing.T) {
	j := newJob(t, sums)
	w := crowd(11, 200)
	want, calls := j.recordedFiles(t, w)
	long := strings.Repeat("x", 1<<20)
	u := func(edit func(*use)) world {
		u := use{ID: []byte("poison"), Course: []byte("algebra"), Seconds: []byte("1"), Score: ptr(0.5), Points: ptr(int64(1))}
		edit(&u)
		return world{uses: []use{u, u}}
	}
	for name, poison := range map[string]world{
		"number":    u(func(u *use) { u.Seconds = []byte("not a number") }),
		"overflow":  u(func(u *use) { u.Points, u.Seconds = ptr(int64(math.MinInt64)), []byte("1e400") }),
		"nan":       u(func(u *use) { u.Score = ptr(math.NaN()) }),
		"huge":      u(func(u *use) { u.Course, u.Seconds = []byte(long), []byte(long) }),
		"huge id":   u(func(u *use) { u.ID = []byte(long) }),
		"encoding":  u(func(u *use) { u.Course, u.ID = []byte("\xff\x00"), []byte("\xff\x00") }),
		"time":      u(func(u *use) { u.At = []byte("the day before") }),
		"null":      u(func(u *use) { *u = use{ID: u.ID} }),
		"birthday":  {uses: []use{{ID: []byte("poison")}}, visits: []visit{{ID: []byte("poison"), Born: []byte("-1")}}},
		"no id":     u(func(u *use) { u.ID = nil }),
		"no person": {visits: []visit{{Born: []byte("2000")}, {ID: []byte("nobody")}}},
	} {
		got, replayed := j.replayedFiles(t, calls, w.with(poison))
		assert.Equal(t, want, got, name)
		requireSameCalls(t, calls, replayed)
	}
}

// TestAttackI11AMalformedRecordChangesNothingThatLeaves does the same with what a file can do wrong.
func TestAttackI11AMalformedRecordChangesNothingThatLeaves(t *testing.T) {
	j := newJob(t, sums)
	w := tidy(crowd(11, 200))
	plain := func(extra string) aggregate.Inputs {
		in := written(t, w, 100, csvSource)
		g := gridOf(w.uses)
		in.Usage = []table.Source{csvBytes(t, append(csvText(t, g), extra...))}
		return in
	}
	rec := mechanismtest.New(mechanismtest.Live)
	res, err := aggregate.Run(under(t, rec), j.policy, j.release, plain(""))
	require.NoError(t, err)
	want := files(t, res)
	for name, extra := range map[string]string{
		"short": "poison,algebra\n", "long": "poison" + strings.Repeat(",algebra", 40) + "\n", "nul": "poi\x00son,algebra,,,,,,,,\n",
		"quote": "poison,\"algebra,,,,,,,,\n", "huge": "poison," + strings.Repeat("x", 3<<20) + ",,,,,,,,\n", "encoding": "p\xff,\xfe,,,,,,,,\n",
		"blank": "\n\n\r\n",
	} {
		replay := mechanismtest.NewReplay(rec.Calls())
		got, err := aggregate.Run(under(t, replay), j.policy, j.release, plain(extra))
		require.NoError(t, err, name)
		assert.Equal(t, want, files(t, got), name)
	}
}

// TestAttackI14WhoIsLeftOutLeavesNoTrace compares a world with people whom a rule leaves out, one after
// another, with the world without them.
func TestAttackI14WhoIsLeftOutLeavesNoTrace(t *testing.T) {
	for _, c := range []struct{ name, as, born string }{
		{"twelve", "birth_date", "2013-01-02"}, {"leap day", "birth_date", "2013-02-29"}, {"year only", "birth_year", "2013"},
		{"missing", "birth_date", ""}, {"zero", "birth_year", "0"},
		{"two hundred", "birth_year", "1825"}, {"negative", "birth_year", "-1"}, {"words", "birth_date", "long ago"}, {"age", "age", "12"},
		{"unborn", "birth_date", "2027-01-01"}, {"thirteen in the east", "birth_date", "2013-01-01"}, {"no age", "age", "NaN"}, {"negative age", "age", "-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := strings.ReplaceAll(attackRules, "as: birth_year", "as: "+c.as)
			j := newJob(t, attackTables["people"]+attackTables["courses"], "K", "1", "EXCLUDE", rules)
			adult := map[string]string{"birth_year": "1990", "birth_date": "1990-01-01", "age": "36"}[c.as]
			w := crowd(14, 30)
			for i := range w.visits {
				w.visits[i].Born = []byte(adult)
			}
			child := world{uses: []use{{ID: []byte("child"), Course: []byte("algebra"), Device: []byte("toy"), Seconds: []byte("9"), Score: ptr(1.0)}}}
			child.visits = []visit{{ID: []byte("child"), Gender: []byte("F"), Region: []byte("north"), Share: []byte("yes"), Born: []byte(c.born)}}
			before := j.drawn(t, w)
			assert.Equal(t, before, j.drawn(t, w.with(child)))
			permitted := child.with(world{})
			permitted.visits[0].Parent = []byte("yes")
			assert.NotEqual(t, before, j.drawn(t, w.with(permitted)), "a parent's permission lifts the rule")
			adultToo := child.with(world{visits: []visit{{ID: []byte("child"), Share: []byte("yes"), Born: []byte(adult)}}})
			assert.Equal(t, before, j.drawn(t, w.with(adultToo)), "one record that breaks the rule is enough")
		})
	}
	t.Run("thirteen everywhere on earth", func(t *testing.T) {
		rules := strings.ReplaceAll(attackRules, "as: birth_year", "as: birth_date")
		for rule, born := range map[string]string{rules: "2012-12-31", attackRules: "2012"} {
			j := newJob(t, attackTables["people"], "K", "1", "EXCLUDE", rule)
			w := world{uses: []use{{ID: []byte("a")}}, visits: []visit{{ID: []byte("a"), Share: []byte("yes"), Born: []byte(born)}}}
			assert.NotEmpty(t, nonZero(j.drawn(t, w)), born)
		}
	})
}

// TestConsentThatIsNotKnownIsNoConsent leaves out everyone who did not say yes.
func TestConsentThatIsNotKnownIsNoConsent(t *testing.T) {
	j := newJob(t, attackTables["courses"], "K", "1", "EXCLUDE", attackRules)
	w := crowd(15, 30)
	before := j.drawn(t, w)
	usage := world{uses: []use{{ID: []byte("quiet"), Course: []byte("algebra"), Seconds: []byte("1")}}}
	says := func(share ...string) world {
		o := usage
		for _, s := range share {
			o.visits = append(o.visits, visit{ID: []byte("quiet"), Born: []byte("1990"), Share: []byte(s)})
		}
		return o
	}
	for name, o := range map[string]world{
		"no": says("no"), "empty": says(""), "NULL": {usage.uses, []visit{{ID: []byte("quiet"), Born: []byte("1990")}}},
		"yes and no": says("yes", "no"), "no and yes": says("no", "yes"), "yes and unknown": says("yes", ""), "other": says("yes please"),
		"no visitor record": usage,
	} {
		assert.Equal(t, before, j.drawn(t, w.with(o)), name)
	}
	assert.NotEqual(t, before, j.drawn(t, w.with(says("yes"))))
}

// nonZero returns the draws whose exact number is not 0, by table, statistic and group.
func nonZero(calls []mechanismtest.Call) map[string]int64 {
	m := map[string]int64{}
	for _, c := range calls {
		if c.Operation == mechanismtest.AddNoise && c.Input != 0 {
			m[fmt.Sprintf("%s.%s[%s]", c.Site.Table, c.Site.Statistic, strings.ReplaceAll(c.Site.Group, "\x1f", "/"))] = c.Input
		}
	}
	return m
}

const byGender = `
  - name: gender
    group_by: [gender]
    statistics: [visitors]
`

// TestWhoHasNoVisitorRecordIsUnknown counts usage without a visitor record, and a visitor record
// without usage.
func TestWhoHasNoVisitorRecordIsUnknown(t *testing.T) {
	j := newJob(t, byGender, "K", "1")
	w := world{
		uses:   []use{{ID: []byte("a")}, {ID: []byte("b")}, {ID: []byte("b")}},
		visits: []visit{{ID: []byte("a"), Gender: []byte("F")}, {ID: []byte("idle"), Gender: []byte("M")}},
	}
	assert.Equal(t, map[string]int64{"gender.visitors[female]": 1, "gender.visitors[unknown]": 1}, nonZero(j.drawn(t, w)))
	said := world{uses: []use{{ID: []byte("a")}}, visits: []visit{{ID: []byte("a")}, {ID: []byte("a"), Gender: []byte("F")}, {ID: []byte("a")}}}
	assert.Equal(t, map[string]int64{"gender.visitors[female]": 1}, nonZero(j.drawn(t, said)), "a record that says nothing has no vote")
	ruled := newJob(t, byGender, "K", "1", "EXCLUDE", `exclude: {consent: {from: visitors, column: share, allow: ["yes"]}}`)
	w.visits[0].Share = []byte("yes")
	assert.Equal(t, map[string]int64{"gender.visitors[female]": 1}, nonZero(ruled.drawn(t, w)), "a rule of the visitors is not met without one")
}

// TestRegistrationsAreCountedWhereNothingIsUsed runs a policy that reads visitor records alone.
func TestRegistrationsAreCountedWhereNothingIsUsed(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", []byte(`
version: 1
population: learners
privacy_unit: {ids: [{column: id, from: visitors, kind: opaque}]}
columns:
  gender: {from: visitors, of: person, role: dimension, values: {F: female, M: male}, groups: [female, male, unknown]}
min_people: {k: 1, declared: hard}
budget: {epsilon: "8", delta: "1e-4"}
recipients: {team: {purposes: [statistics]}}
`))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", replace(attackRelease+byGender, "$PERIOD$", "all", "$SPEND$", `{epsilon: "4", delta: "1e-6"}`))
	require.NoError(t, err)
	j := job{p, r}
	w := world{visits: []visit{
		{ID: []byte("a"), Gender: []byte("F")}, {ID: []byte("b"), Gender: []byte("F")}, {ID: []byte("b"), Gender: []byte("F")}, {ID: []byte("c")},
	}}
	in := w.inputs(t)
	in.Usage = nil
	rec := mechanismtest.New(mechanismtest.Zero)
	_, err = aggregate.Run(under(t, rec), j.policy, j.release, in)
	require.NoError(t, err)
	assert.Equal(t, map[string]int64{"gender.visitors[female]": 2, "gender.visitors[unknown]": 1}, nonZero(rec.Calls()))
	_, err = aggregate.Run(under(t, rec), j.policy, j.release, w.inputs(t))
	assert.ErrorIs(t, err, aggregate.ErrInputs, "a usage input that nothing reads is a mistake")
}

// TestAttackD04SpellingsOfOneIDAreOnePerson counts people whose id is spelled in many ways.
func TestAttackD04SpellingsOfOneIDAreOnePerson(t *testing.T) {
	for kind, ids := range map[string][]string{
		"email": {"ana@example.com", " Ana@Example.COM ", "ANA@EXAMPLE.COM"},
		"uuid":  {"9f2c6c1e-3f0a-4c3e-9b52-0d6a6ff0c111", "9F2C6C1E-3F0A-4C3E-9B52-0D6A6FF0C111", "{9f2c6c1e-3f0a-4c3e-9b52-0d6a6ff0c111}"},
		"ip":    {"192.0.2.7", "::ffff:192.0.2.7"},
		"int":   {"7", "007", "+7", " 7 "},
		"phone": {"+49 30 1234567", "+49301234567", "+49-30-1234567"},
	} {
		t.Run(kind, func(t *testing.T) {
			j := newJob(t, byGender, "K", "1", "KIND", kind)
			var w world
			for i, id := range ids {
				w.uses = append(w.uses, use{ID: []byte(id)})
				w.visits = append(w.visits, visit{ID: []byte(ids[len(ids)-1-i]), Gender: []byte("F")})
			}
			assert.Equal(t, map[string]int64{"gender.visitors[female]": 1}, nonZero(j.drawn(t, w)))
		})
	}
}

// TestAttackD05IDsThatNameNobodyAreNobody gives ten thousand records each of the usual fillers.
func TestAttackD05IDsThatNameNobodyAreNobody(t *testing.T) {
	for kind, ids := range map[string][]string{
		"opaque": {"", " ", "null", "NULL", "0", "00000000-0000-0000-0000-000000000000", "undefined", "(not set)", "N/A"},
		"int":    {"", "0", "000", "-0", "x", "1.5"},
		"uuid":   {"00000000-0000-0000-0000-000000000000", "not-a-uuid"},
		"email":  {"", "nobody", "@"},
	} {
		j := newJob(t, sums+attackTables["people"], "K", "1", "KIND", kind)
		w := world{uses: []use{{}}, visits: []visit{{Gender: []byte("F")}}}
		for _, id := range ids {
			for range 10_000 / len(ids) {
				w.uses = append(w.uses, use{ID: []byte(id), Course: []byte("c"), Seconds: []byte("1"), Score: ptr(1.0), Points: ptr(int64(1))})
			}
		}
		assert.Empty(t, nonZero(j.drawn(t, w)), kind)
	}
}

// TestAttackD10KCountsPeople gives one person a thousand records from fifty devices in one group.
func TestAttackD10KCountsPeople(t *testing.T) {
	var w world
	for i := range 1000 {
		w.uses = append(w.uses, use{ID: []byte("one"), Course: []byte("c"), Activity: []byte("quiz"), Device: fmt.Appendf(nil, "device-%d", i%50), Seconds: []byte("1")})
	}
	j := newJob(t, `
  - name: private
    group_by: [course]
    bounds: {max_partitions: 1, max_per_partition: 1000}
    statistics: [events]
  - name: declared
    group_by: [activity]
    bounds: {max_partitions: 1, max_per_partition: 1000}
    statistics: [events, visitors]
`, "K", "10")
	res, calls := j.exact(t, w)
	for _, c := range calls {
		assert.LessOrEqual(t, c.Input, int64(1), "%s.%s", c.Site.Table, c.Site.Statistic)
		assert.False(t, c.Kept)
	}
	assert.Empty(t, res.Tables[0].Rows)
	for _, row := range res.Tables[1].Rows {
		assert.Equal(t, aggregate.Withheld, row.Status)
	}
}

// ouladBands returns the age bands of every student in the raw visitor records, with how often each
// stands there, and the students of the raw usage records.
func ouladBands(t *testing.T) (bands map[string]map[string]int, active map[string]bool) {
	t.Helper()
	bands, active = map[string]map[string]int{}, map[string]bool{}
	in := oulad(t)
	scanText(t, in.Visitors[0], []string{"id_student", "age_band"}, func(cells []string) {
		if bands[cells[0]] == nil {
			bands[cells[0]] = map[string]int{}
		}
		bands[cells[0]][cells[1]]++
	})
	scanText(t, in.Usage[0], []string{"id_student"}, func(cells []string) { active[cells[0]] = true })
	return bands, active
}

// scanText hands every record of a source on as text.
func scanText(t *testing.T, src table.Source, columns []string, f func(cells []string)) {
	t.Helper()
	readers, err := src.Open(t.Context(), columns)
	require.NoError(t, err)
	cells := make([]string, len(columns))
	for _, r := range readers {
		var b table.Batch
		for {
			err := r.Next(t.Context(), &b)
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			for i := range b.Len {
				for c := range columns {
					text, _ := b.Columns[c].Value(i).AppendText(nil)
					cells[c] = string(text)
				}
				f(cells)
			}
		}
		require.NoError(t, r.Close())
	}
}

// TestOULADStudentsOfTwoAgesAreOnePerson finds the active students whose visitor records disagree about
// their age, and checks that both ways to resolve them give what the raw records say.
func TestOULADStudentsOfTwoAgesAreOnePerson(t *testing.T) {
	bands, active := ouladBands(t)
	frequent, conflict := map[string]int64{}, map[string]int64{}
	disagreeing := 0
	for id := range active {
		best, times := "unknown", 0
		for _, band := range slices.Sorted(keys(bands[id])) { // ties go to the first by bytes
			if n := bands[id][band]; n > times {
				best, times = band, n
			}
		}
		frequent[best]++
		if len(bands[id]) > 1 {
			disagreeing++
			best = "unknown"
		}
		conflict[best]++
	}
	require.Equal(t, 5, disagreeing)
	for resolve, want := range map[string]map[string]int64{"most_frequent": frequent, "conflict": conflict} {
		p, err := aggregate.ParsePolicy("policy", replace(`
version: 1
population: oulad
privacy_unit: {ids: [{column: id_student, kind: int}]}
columns:
  age: {from: visitors, of: person, role: dimension, column: age_band, groups: ["0-35", "35-55", "55<=", unknown], resolve: RESOLVE}
  day: {from: usage, role: time, column: date, as: day_offset}
min_people: {k: 1, declared: hard}
budget: {epsilon: "1", delta: "1e-9"}
recipients: {team: {purposes: [statistics]}}
`, "RESOLVE", resolve))
		require.NoError(t, err)
		r, err := aggregate.ParseRelease("release", replace(attackRelease+`
  - name: age
    group_by: [age]
    statistics: [visitors]
`, "$PERIOD$", "all", "$SPEND$", `{epsilon: "1", delta: "1e-9"}`))
		require.NoError(t, err)
		rec := mechanismtest.New(mechanismtest.Zero)
		prepared, err := aggregate.Prepare(under(t, rec), p, r, oulad(t), 2)
		require.NoError(t, err)
		publish(t, prepared, rec)
		got := map[string]int64{}
		for _, c := range rec.Calls() {
			if c.Operation == mechanismtest.AddNoise && c.Input != 0 {
				got[c.Site.Group] = c.Input
			}
		}
		assert.Equal(t, want, got, resolve)
	}
}
