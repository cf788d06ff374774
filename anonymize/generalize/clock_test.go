// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func clock(t testing.TB, as anonymize.As, zone string) generalize.Clock {
	t.Helper()
	c, err := generalize.NewClock(as, zone)
	require.NoError(t, err)
	return c
}

func micros(t testing.TB, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	require.NoError(t, err)
	return at.UnixMicro()
}

func TestClockReadsEveryFormat(t *testing.T) {
	const paris = "Europe/Paris"
	for _, c := range []struct {
		as   anonymize.As
		in   anonymize.Value
		want string
	}{
		{anonymize.AsRFC3339, text("2026-03-16T10:05:03Z"), "2026-03-16T10:05:03Z"},
		{anonymize.AsRFC3339, text("2026-03-16 10:05:03.25"), "2026-03-16T09:05:03.25Z"},
		{anonymize.AsRFC3339, text("2026-03-16"), "2026-03-15T23:00:00Z"},
		{anonymize.AsDate, text("2026-07-01"), "2026-06-30T22:00:00Z"},
		{anonymize.AsYYYYMMDD, text("20260316"), "2026-03-15T23:00:00Z"},
		{anonymize.AsYYYYMMDD, integer(20260316), "2026-03-15T23:00:00Z"},
		{anonymize.AsYYYYMMDD, float(20260316), "2026-03-15T23:00:00Z"},
		{anonymize.AsCLF, text("[17/May/2015:10:05:03 +0200]"), "2015-05-17T08:05:03Z"},
		{anonymize.AsUnixS, integer(1_710_000_000), "2024-03-09T16:00:00Z"},
		{anonymize.AsUnixS, text("1710000000.123456789"), "2024-03-09T16:00:00.123456Z"},
		{anonymize.AsUnixS, float(1_710_000_000.5), "2024-03-09T16:00:00.5Z"},
		{anonymize.AsUnixS, text("1.71e9"), "2024-03-09T16:00:00Z"},
		{anonymize.AsUnixMS, text("1710000000001"), "2024-03-09T16:00:00.001Z"},
		{anonymize.AsUnixUS, integer(1_710_000_000_000_001), "2024-03-09T16:00:00.000001Z"},
		{anonymize.AsUnixNS, integer(1_710_000_000_000_001_999), "2024-03-09T16:00:00.000001Z"},
		{anonymize.AsUnixNS, integer(-1), "1969-12-31T23:59:59.999999Z"},
		{anonymize.AsUnixNS, integer(math.MaxInt64), "2262-04-11T23:47:16.854775Z"},
		{anonymize.AsUnixNS, integer(math.MinInt64), "1677-09-21T00:12:43.145224Z"},
		{anonymize.AsDate, timestamp(5_000_000), "1970-01-01T00:00:05Z"},
	} {
		got, ok := clock(t, c.as, paris).Instant(c.in)
		assert.True(t, ok, "%s %q", c.as, c.in.Bytes)
		assert.Equal(t, c.want, time.UnixMicro(got).UTC().Format(time.RFC3339Nano), "%s %q", c.as, c.in.Bytes)
	}
	for _, day := range []int64{-25, 0, 269} {
		got, ok := clock(t, anonymize.AsDayOffset, "").Instant(integer(day))
		assert.True(t, ok)
		assert.Equal(t, day, got)
	}
}

func TestClockRefusesWhatIsNotWrittenItsWay(t *testing.T) {
	for as, values := range map[anonymize.As][]anonymize.Value{
		anonymize.AsRFC3339:   {text("16.03.2026"), text("20260316"), integer(20260316), text(""), boolean(1), timestamp(math.MaxInt64)},
		anonymize.AsDate:      {text("2026-03-16T00:00:00"), text("2026-02-30"), integer(5)},
		anonymize.AsYYYYMMDD:  {text("2026-03-16"), text("20260230"), integer(2026031), integer(-20260316), text("20260316.5"), text("100000101")},
		anonymize.AsCLF:       {text("2026-03-16T00:00:00Z"), integer(1)},
		anonymize.AsUnixS:     {text("1e20"), integer(253_402_300_800), integer(-62_135_596_801), integer(math.MaxInt64), float(math.Inf(1)), float(math.NaN()), text("2026-03-16"), boolean(1)},
		anonymize.AsUnixUS:    {integer(math.MaxInt64), integer(math.MinInt64)},
		anonymize.AsDayOffset: {text("1.5"), integer(2_000_000), integer(math.MinInt64), timestamp(5), text("day 5")},
	} {
		for _, v := range append(values, anonymize.Value{}) {
			_, ok := clock(t, as, "").Instant(v)
			assert.False(t, ok, "%s %v %q %d", as, v, v.Bytes, v.Int)
		}
	}
	_, ok := generalize.Clock{}.Instant(text("2026-03-16"))
	assert.False(t, ok, "the zero Clock reads nothing")
}

// Each instant has one period: a nanosecond before midnight belongs to the day before, a leap second
// to its own day, and the two passes of an hour that occurs twice keep their instants apart.
func TestAttackB14EdgesOfPeriods(t *testing.T) {
	for _, c := range []struct {
		zone, in, instant, hour, day string
	}{
		{"UTC", "2026-03-15T23:59:59.999999999Z", "2026-03-15T23:59:59.999999Z", "2026-03-15T23", "2026-03-15"},
		{"UTC", "2026-03-16T00:00:00.000000001Z", "2026-03-16T00:00:00Z", "2026-03-16T00", "2026-03-16"},
		{"UTC", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z", "2016-12-31T23", "2016-12-31"},
		{"Europe/Paris", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "2026-03-29T01", "2026-03-29"},
		{"Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", "2026-03-29T03", "2026-03-29"}, // never occurs
		{"Europe/Paris", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", "2026-03-29T03", "2026-03-29"},
		{"Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T02", "2026-10-25"},       // the first of two
		{"Europe/Paris", "2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z", "2026-10-25T02", "2026-10-25"}, // the second
		{"Europe/Paris", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", "2026-10-25T03", "2026-10-25"},
		{"Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z", "2011-12-31T00", "2011-12-31"}, // 30 December did not exist
		{"Asia/Kolkata", "2026-03-16T00:00:00", "2026-03-15T18:30:00Z", "2026-03-16T00", "2026-03-16"},
	} {
		k := clock(t, anonymize.AsRFC3339, c.zone)
		at, ok := k.Instant(text(c.in))
		require.True(t, ok, c.in)
		assert.Equal(t, micros(t, c.instant), at, "%s in %s", c.in, c.zone)
		for grain, want := range map[generalize.Grain]string{generalize.Hour: c.hour, generalize.Day: c.day, generalize.Month: c.day[:7]} {
			got, ok := k.AppendPeriod([]byte("x"), at, grain)
			assert.True(t, ok)
			assert.Equal(t, "x"+want, string(got), "%s in %s", c.in, c.zone)
		}
	}
}

// Days are half-open intervals that leave no gap and never overlap, in zones that skip or repeat
// midnight too.
func TestAttackB14DaysMeetWithoutGapOrOverlap(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"} {
		k := clock(t, anonymize.AsRFC3339, zone)
		location, err := time.LoadLocation(zone)
		require.NoError(t, err)
		day := time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC)
		for range 25 * 365 {
			d := anonymize.Date{Year: day.Year(), Month: int(day.Month()), Day: day.Day()}
			start := k.DayStart(d)
			day = day.AddDate(0, 0, 1)
			if zone == "Pacific/Apia" && d == (anonymize.Date{Year: 2011, Month: 12, Day: 30}) {
				continue // skipped whole
			}
			first, _ := k.AppendPeriod(nil, start, generalize.Day)
			before, _ := k.AppendPeriod(nil, start-1, generalize.Day)
			if string(first) != d.String() || string(before) == string(first) {
				t.Fatalf("%s: the day %s starts at %s, and before it is %s", zone, d, first, before)
			}
			if want := time.UnixMicro(start).In(location).Format(time.DateOnly); want != d.String() {
				t.Fatalf("%s: DayStart(%s) lies in %s", zone, d, want)
			}
		}
	}
	k := clock(t, anonymize.AsRFC3339, "Pacific/Apia")
	assert.Equal(t, k.DayStart(anonymize.Date{Year: 2011, Month: 12, Day: 31}), k.DayStart(anonymize.Date{Year: 2011, Month: 12, Day: 30}), "a day that did not exist is empty")
}

func TestPeriodsAgreeWithPackageTimeEverywhere(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 4))
	for _, zone := range []string{"UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia", "Pacific/Kiritimati"} {
		location, err := time.LoadLocation(zone)
		require.NoError(t, err)
		k := clock(t, anonymize.AsRFC3339, zone)
		for range 5_000 {
			at := time.UnixMicro(r.Int64N(9_000_000_000_000_000) - 3_000_000_000_000_000).In(location)
			if r.IntN(4) == 0 { // at a change of offset, to the microsecond
				if _, end := at.ZoneBounds(); !end.IsZero() {
					at = end.Add(time.Duration(r.IntN(3)-1) * time.Microsecond)
				}
			}
			if at.Year() > 2200 {
				continue
			}
			year, week := at.ISOWeek()
			for grain, want := range map[generalize.Grain]string{
				generalize.Hour: at.Format("2006-01-02T15"), generalize.Day: at.Format("2006-01-02"),
				generalize.Month: at.Format("2006-01"), generalize.ISOWeek: fmt.Sprintf("%04d-W%02d", year, week),
			} {
				got, ok := k.AppendPeriod(nil, at.UnixMicro(), grain)
				if !ok || string(got) != want {
					t.Fatalf("AppendPeriod(%s, %s) = %s, want %s", at, grain, got, want)
				}
			}
			// Back from the wall clock: the same instant, or the other pass of a repeated hour.
			back, ok := k.Instant(text(at.Format("2006-01-02T15:04:05.999999")))
			again := time.UnixMicro(back).In(location)
			if !ok || back > at.UnixMicro() || again.Format("2006-01-02T15:04:05.999999") != at.Format("2006-01-02T15:04:05.999999") {
				t.Fatalf("Instant of %s = %s", at, again)
			}
		}
	}
}

func TestWeeksOfAnOffsetCountFromItsStart(t *testing.T) {
	k := clock(t, anonymize.AsDayOffset, "")
	assert.True(t, k.CountsDays())
	for day, want := range map[int64][2]string{0: {"day 0", "week 0"}, 6: {"day 6", "week 0"}, 7: {"day 7", "week 1"}, -1: {"day -1", "week -1"}, -8: {"day -8", "week -2"}} {
		gotDay, _ := k.AppendPeriod(nil, day, generalize.Day)
		gotWeek, _ := k.AppendPeriod(nil, day, generalize.Week)
		assert.Equal(t, want, [2]string{string(gotDay), string(gotWeek)})
	}
	_, ok := k.AppendPeriod(nil, 0, generalize.Month)
	assert.False(t, ok)
}

func TestPeriodsBeyondTheCalendarHaveNoLabel(t *testing.T) {
	k := clock(t, anonymize.AsRFC3339, "Asia/Tokyo")
	for _, at := range []int64{math.MaxInt64, math.MinInt64, micros(t, "9999-12-31T23:00:00Z"), micros(t, "0001-01-01T00:00:00Z") - 1} {
		got, ok := k.AppendPeriod([]byte("x"), at, generalize.Day)
		assert.False(t, ok)
		assert.Equal(t, "x", string(got))
	}
	_, ok := k.AppendPeriod(nil, 0, generalize.Week)
	assert.False(t, ok)
	utc := clock(t, anonymize.AsRFC3339, "")
	got, ok := utc.AppendPeriod(nil, micros(t, "9999-12-31T23:59:59Z"), generalize.ISOWeek)
	assert.True(t, ok)
	assert.Equal(t, "9999-W52", string(got))
}

func TestClockNamesItsFaults(t *testing.T) {
	_, err := generalize.NewClock(anonymize.AsAge, "Mars/Olympus")
	assert.EqualError(t, err, "want a way to read a time (rfc3339, date, yyyymmdd, clf, unix_s, unix_ms, unix_us, unix_ns, day_offset), got \"age\"; choose one\n"+
		"want a time zone of the IANA database such as Europe/Paris, got \"Mars/Olympus\"; correct it")
	_, err = generalize.NewClock(anonymize.AsDate, "Local")
	assert.Error(t, err, "a result must not depend on the machine")
	_, err = generalize.NewClock(anonymize.AsDate, "../../etc/passwd")
	assert.Error(t, err)
	_, err = generalize.ParseGrain("year")
	assert.EqualError(t, err, "want one of hour, day, iso_week, month, week; choose one")
	g, err := generalize.ParseGrain("iso_week")
	require.NoError(t, err)
	assert.Equal(t, generalize.ISOWeek, g)
}

// TestNumbersOfDaysAndWeeksFollowTheWallClock holds numbers against the labels of the same instants: two instants
// have one number where they have one label.
func TestNumbersOfDaysAndWeeksFollowTheWallClock(t *testing.T) {
	for _, zone := range []string{"", "Asia/Kolkata", "America/New_York"} {
		c, err := generalize.NewClock(anonymize.AsRFC3339, zone)
		require.NoError(t, err)
		for grain, days := range map[generalize.Grain]int64{generalize.Day: 1, generalize.ISOWeek: 7} {
			start, _ := c.Instant(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte("1969-11-01T00:00:00Z")})
			var label string
			var number int64
			changes := int64(0)
			for hour := range int64(24 * 140) {
				at := start + hour*3_600_000_000
				text, ok := c.AppendPeriod(nil, at, grain)
				require.True(t, ok)
				n, ok := c.Number(at, grain)
				require.True(t, ok)
				if hour > 0 {
					require.Equal(t, string(text) != label, n != number, "%s %s", text, label)
					require.LessOrEqual(t, n-number, int64(1))
					changes += n - number
				}
				label, number = string(text), n
			}
			assert.InDelta(t, 140/days, changes, 1)
		}
	}
	offset, err := generalize.NewClock(anonymize.AsDayOffset, "")
	require.NoError(t, err)
	for day, week := range map[int64]int64{-8: -2, -7: -1, -1: -1, 0: 0, 6: 0, 7: 1} {
		n, ok := offset.Number(day, generalize.Week)
		assert.True(t, ok)
		assert.Equal(t, week, n)
		n, _ = offset.Number(day, generalize.Day)
		assert.Equal(t, day, n)
	}
	_, ok := offset.Number(0, generalize.ISOWeek)
	assert.False(t, ok)
	_, ok = (generalize.Clock{}).Number(0, generalize.Day)
	assert.False(t, ok)
}
