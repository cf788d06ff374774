// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func labeler(t testing.TB, s generalize.Spec) *generalize.Labeler {
	t.Helper()
	l, err := generalize.NewLabeler(s)
	require.NoError(t, err)
	return l
}

func gender() generalize.Spec {
	return generalize.Spec{Values: map[string]string{"M": "male", "F": "female", "0": "unknown", "1": "male", "2": "female"}, Groups: []string{"female", "male", "unknown"}}
}

func TestAttackS12VariantsOfOneValueAreOneGroup(t *testing.T) {
	mapped := labeler(t, generalize.Spec{Values: map[string]string{"Male": "m", "Jose\u0301": "j", "straße": "s"}})
	listed := labeler(t, generalize.Spec{Groups: []string{"Male", "unknown"}})
	for _, in := range []string{"Male", "male", "MALE", "Ｍale", "Male\u200b", " Male ", "\ufeffMale", "Ma\u00adle"} {
		got, known := mapped.Label(nil, text(in))
		assert.True(t, known, "%q", in)
		assert.Equal(t, "m", string(got), "%q", in)
		got, known = listed.Label(nil, text(in))
		assert.True(t, known, "%q", in)
		assert.Equal(t, "Male", string(got), "%q", in)
	}
	for in, want := range map[string]string{"José": "j", "JOSE\u0301": "j", "STRASSE": "s"} {
		got, _ := mapped.Label(nil, text(in))
		assert.Equal(t, want, string(got), in)
	}
	for _, in := range []string{"Маle", "Mal", "Male!", "M\u0430le"} { // Cyrillic letters are other letters
		got, known := listed.Label(nil, text(in))
		assert.False(t, known)
		assert.Equal(t, "unknown", string(got))
	}
	_, err := generalize.NewLabeler(generalize.Spec{Groups: []string{"Male", "male", "unknown"}})
	assert.ErrorContains(t, err, `want groups that differ by more than case and width, got "Male" and "male"; drop one`)
}

func TestValueMapsAreNeverGuessed(t *testing.T) {
	l := labeler(t, gender())
	for _, c := range []struct {
		in    anonymize.Value
		want  string
		known bool
	}{
		{text("M"), "male", true}, {text("f"), "female", true}, {integer(2), "female", true}, {float(2), "female", true}, {text("2.0"), "female", true}, {text("0"), "unknown", true},
		{text("H"), "unknown", false}, {text("male"), "unknown", false}, {text(""), "unknown", false}, {anonymize.Value{}, "unknown", false}, {text(`\N`), "unknown", false},
		{text("2.5"), "unknown", false}, {text("\xff"), "unknown", false}, {float(math.NaN()), "unknown", false}, {integer(3), "unknown", false}, {boolean(1), "unknown", false}, {timestamp(1), "unknown", false},
	} {
		got, known := l.Label([]byte("x"), c.in)
		assert.Equal(t, "x"+c.want, string(got), "%q", c.in.Bytes)
		assert.Equal(t, c.known, known, "%q", c.in.Bytes)
	}
	assert.Equal(t, []string{"female", "male", "unknown"}, l.Labels())
}

func TestAmbiguousCaseMatchesExactlyOnly(t *testing.T) {
	l := labeler(t, generalize.Spec{Values: map[string]string{"M": "male", "m": "mujer", "F": "x", "f": "x"}})
	for in, want := range map[string]string{"M": "male", "m": "mujer", " M": "male", "Ｍ": "unknown", "ｍ": "unknown", "Ｆ": "x"} {
		got, _ := l.Label(nil, text(in))
		assert.Equal(t, want, string(got), in)
	}
}

func TestBandsHaveReadableLabelsAndNoGap(t *testing.T) {
	b, err := generalize.NewBands([]int64{13, 18, 25, 26}, anonymize.AsAge, anonymize.Date{})
	require.NoError(t, err)
	assert.Equal(t, []string{"under 13", "13-17", "18-24", "25", "26+"}, b.Labels())
	for age, want := range map[int64]string{0: "under 13", 12: "under 13", 13: "13-17", 17: "13-17", 18: "18-24", 24: "18-24", 25: "25", 26: "26+", 120: "26+"} {
		got, ok := b.Label(integer(age))
		assert.True(t, ok)
		assert.Equal(t, want, got, age)
	}
	zero, err := generalize.NewBands([]int64{0, 18}, anonymize.AsAge, anonymize.Date{})
	require.NoError(t, err)
	assert.Equal(t, []string{"0-17", "18+"}, zero.Labels())
	plain, err := generalize.NewBands([]int64{-10, -5, 0, 10}, "", anonymize.Date{})
	require.NoError(t, err)
	assert.Equal(t, []string{"under -10", "-10 to -6", "-5 to -1", "0-9", "10+"}, plain.Labels())
	for in, want := range map[string]string{"-10.5": "under -10", "-0.5": "-5 to -1", "9.99": "0-9", "1e999": "10+", "-inf": "under -10"} {
		got, ok := plain.Label(text(in))
		assert.True(t, ok)
		assert.Equal(t, want, got, in)
	}
	for _, v := range []anonymize.Value{{}, text("nan"), text("x"), boolean(1), timestamp(1)} {
		_, ok := plain.Label(v)
		assert.False(t, ok)
	}
}

func TestBandsTellAgesFromBirths(t *testing.T) {
	ref := anonymize.Date{Year: 2026, Month: 3, Day: 16}
	year := labeler(t, generalize.Spec{Bands: []int64{13, 18, 25}, As: anonymize.AsBirthYear, RefDate: ref})
	birth := labeler(t, generalize.Spec{Bands: []int64{13, 18, 25}, As: anonymize.AsBirthDate, RefDate: ref})
	for _, c := range []struct {
		l    *generalize.Labeler
		in   anonymize.Value
		want string
	}{
		{year, text("1984.0"), "25+"}, {year, float(2008), "18-24"}, {year, integer(2013), "13-17"}, {year, text("1984.5"), "unknown"}, {year, integer(1900), "unknown"},
		{year, integer(2027), "unknown"}, {year, text(""), "unknown"}, {year, integer(0), "unknown"}, {year, integer(math.MinInt64), "unknown"},
		{birth, text("2008-03-16"), "18-24"}, {birth, text("2008-03-17"), "13-17"}, {birth, text("20080316"), "18-24"}, {birth, text("1900-01-01"), "unknown"}, {birth, text("16/03/2008"), "unknown"},
	} {
		got, known := c.l.Label(nil, c.in)
		assert.Equal(t, c.want, string(got), "%q %d", c.in.Bytes, c.in.Int)
		assert.Equal(t, c.want != "unknown", known)
	}
	assert.Equal(t, []string{"13-17", "18-24", "25+", "under 13", "unknown"}, year.Labels())
}

func TestOpenListsShowCanonicalText(t *testing.T) {
	l := labeler(t, generalize.Spec{Otherwise: "other"})
	assert.Nil(t, l.Labels())
	assert.Equal(t, "other", l.Otherwise())
	for in, want := range map[string]string{"Sport": "Sport", " Sport\t": "Sport", "Jose\u0301": "José", "a\u202eb\u0007": "ab", "a\nb": "a b"} {
		got, known := l.Label(nil, text(in))
		assert.True(t, known)
		assert.Equal(t, want, string(got))
	}
	for _, v := range []anonymize.Value{{}, text(""), text("\xff"), text("\u200b"), text(strings.Repeat("a", 257)), float(math.Inf(1)), timestamp(0)} {
		got, known := l.Label(nil, v)
		assert.False(t, known)
		assert.Equal(t, "other", string(got))
	}
}

func TestTimesBecomePeriods(t *testing.T) {
	l := labeler(t, generalize.Spec{As: anonymize.AsRFC3339, Grain: generalize.ISOWeek, Zone: "Europe/Paris"})
	got, known := l.Label(nil, text("2026-03-15T23:30:00Z"))
	assert.True(t, known)
	assert.Equal(t, "2026-W12", string(got), "already Monday in Paris")
	got, known = l.Label(nil, text("yesterday"))
	assert.False(t, known)
	assert.Equal(t, "unknown", string(got))

	closed := labeler(t, generalize.Spec{As: anonymize.AsDayOffset, Grain: generalize.Week, Groups: []string{"week 0", "week 1", "else"}, Otherwise: "else"})
	for day, want := range map[int64]string{0: "week 0", 13: "week 1", 14: "else", -1: "else"} {
		got, _ := closed.Label(nil, integer(day))
		assert.Equal(t, want, string(got))
	}
}

func FuzzLabelsOfAClosedListAreInIt(f *testing.F) {
	for _, seed := range []string{"M", "f", "２", "2.0", "1e0", "\u200b", "\xff", ""} {
		f.Add(seed)
	}
	l := labeler(f, gender())
	open := labeler(f, generalize.Spec{})
	f.Fuzz(func(t *testing.T, in string) {
		got, _ := l.Label(nil, text(in))
		assert.Contains(t, l.Labels(), string(got))
		first, _ := open.Label(nil, text(in))
		again, _ := open.Label(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: first})
		assert.Equal(t, first, again)
	})
}

func TestLabelerNamesAllFaultsOfItsSpec(t *testing.T) {
	for _, c := range []struct {
		name string
		spec generalize.Spec
		want string
	}{
		{"label not in groups", generalize.Spec{Values: map[string]string{"M": "man"}, Groups: []string{"male"}},
			"want \"man\" among the groups, since cells can get this label; add it\nwant \"unknown\" among the groups, since cells can get this label; add it"},
		{"band not in groups", generalize.Spec{Bands: []int64{18}, Groups: []string{"18+", "unknown"}}, "want \"under 18\" among the groups, since cells can get this label; add it"},
		{"two forms", generalize.Spec{Values: map[string]string{"a": "b"}, Bands: []int64{1}}, "want only one of values, lookup, bands and grain; remove the others"},
		{"ages without bands", generalize.Spec{As: anonymize.AsBirthYear}, "want bands for ages and births; add them"},
		{"times without grain", generalize.Spec{As: anonymize.AsUnixS}, "want a grain for times (hour, day, iso_week, month); add it"},
		{"unknown reading", generalize.Spec{As: "yob"}, "want age, birth_year or birth_date with bands, a way to read a time with a grain, or one of " + anonymize.TextReadings() + ", got \"yob\"; choose one"},
		{"empty map and list", generalize.Spec{Values: map[string]string{}}, "want at least one entry in values; add it or remove the map"},
		{"empty bands", generalize.Spec{Bands: []int64{}}, "want at least one band; add it or remove the list"},
		{"bands out of order", generalize.Spec{Bands: []int64{18, 13, 13}}, "want bands in rising order, got 13 after 18; sort them and drop doubles\nwant bands in rising order, got 13 after 13; sort them and drop doubles"},
		{"age beyond 120", generalize.Spec{Bands: []int64{-1, 130}, As: anonymize.AsBirthYear},
			"want a reference date to tell ages from births; add it\nwant ages of 0 to 120 in bands, got -1; correct it\nwant ages of 0 to 120 in bands, got 130; correct it"},
		{"bands of times", generalize.Spec{Bands: []int64{1}, As: anonymize.AsUnixS},
			"want a grain for times (hour, day, iso_week, month); add it\nwant age, birth_year, birth_date or nothing as the reading of bands, got \"unix_s\"; choose one"},
		{"grain of no fit", generalize.Spec{As: anonymize.AsDayOffset, Grain: generalize.Month}, "want a grain that fits the reading (hour, day, iso_week, month; day or week for day_offset), got \"month\"; choose one"},
		{"grain without reading", generalize.Spec{Grain: generalize.Day}, "want a way to read a time (rfc3339, date, yyyymmdd, clf, unix_s, unix_ms, unix_us, unix_ns, day_offset), got \"\"; choose one"},
		{"two labels for a value", generalize.Spec{Values: map[string]string{"M": "a", " M": "b"}}, "want one label for the value \"M\", got \"b\" and \"a\"; drop one"},
		{"empty value", generalize.Spec{Values: map[string]string{"": "a"}}, "want a value of 1 to 256 visible bytes, got \"\"; correct it"},
		{"label with a hidden character", generalize.Spec{Values: map[string]string{"M": "ma\u200ble"}}, "want a label of 1 to 256 bytes without invisible characters or spaces at its ends, got \"ma\\u200ble\"; correct it"},
		{"group twice", generalize.Spec{Groups: []string{"a", "a", "unknown"}}, "want groups that differ by more than case and width, got \"a\" and \"a\"; drop one"},
		{"empty groups", generalize.Spec{Groups: []string{}}, "want \"unknown\" among the groups, since cells can get this label; add it"},
	} {
		_, err := generalize.NewLabeler(c.spec)
		assert.EqualError(t, err, c.want, c.name)
	}
}

func TestLabelsAllocateNothing(t *testing.T) {
	ref := anonymize.Date{Year: 2026, Month: 3, Day: 16}
	dst := make([]byte, 0, anonymize.MaxText)
	for _, c := range []struct {
		spec generalize.Spec
		in   anonymize.Value
	}{
		{gender(), text("m")}, {gender(), text("2.0")}, {gender(), text("x")}, {generalize.Spec{}, text("Sport")}, {generalize.Spec{}, integer(12345)},
		{generalize.Spec{Bands: []int64{13, 18}, As: anonymize.AsBirthYear, RefDate: ref}, text("1984.0")},
		{generalize.Spec{As: anonymize.AsRFC3339, Grain: generalize.Hour, Zone: "Europe/Paris"}, text("2026-03-16T10:05:03.5")},
		{generalize.Spec{As: anonymize.AsUnixMS, Grain: generalize.ISOWeek, Zone: "Europe/Paris"}, integer(1_710_000_000_000)},
	} {
		l := labeler(t, c.spec)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = l.Label(dst, c.in) }), "%v %q", c.spec, c.in.Bytes)
	}
	n := number(t, "0.01")
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = n.Quantum(text("12.345")); _, _ = n.Quantum(float(0.1)) }))
}

func ExampleLabeler_Label() {
	l, err := generalize.NewLabeler(generalize.Spec{
		Values: map[string]string{"M": "male", "F": "female"},
		Groups: []string{"female", "male", "unknown"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cell := range []string{"F", " m", "(not set)"} {
		label, known := l.Label(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(cell)})
		fmt.Printf("%s %v\n", label, known)
	}
	// Output:
	// female true
	// male true
	// unknown false
}
