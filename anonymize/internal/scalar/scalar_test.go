// SPDX-License-Identifier: Apache-2.0

package scalar_test

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

func TestCivilCalendarAgreesWithPackageTimeOnEveryDay(t *testing.T) {
	first, last := scalar.MinInstant/scalar.Day, scalar.MaxInstant/scalar.Day
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := first; n <= last; n++ {
		y, m, d := scalar.CivilFromDays(n)
		isoYear, isoWeek := scalar.ISOWeek(n)
		wantISOYear, wantISOWeek := day.ISOWeek()
		wy, wm, wd := day.Date()
		if int(y) != wy || int(m) != int(wm) || int(d) != wd || int(isoYear) != wantISOYear || int(isoWeek) != wantISOWeek ||
			scalar.DaysFromCivil(y, m, d) != n || !scalar.IsDate(y, m, d) {
			t.Fatalf("day %d = %d-%d-%d (week %d-%d), want %s", n, y, m, d, isoYear, isoWeek, day)
		}
		day = day.AddDate(0, 0, 1)
	}
	assert.Equal(t, 10000, day.Year(), "the loop ended on the last day")
	for _, d := range [][3]int64{{2026, 2, 29}, {1900, 2, 29}, {2026, 13, 1}, {2026, 0, 1}, {2026, 4, 31}, {0, 1, 1}, {10000, 1, 1}, {2026, 1, 0}} {
		assert.False(t, scalar.IsDate(d[0], d[1], d[2]), d)
	}
}

func TestParseRFC3339ReadsWhatPeopleWrite(t *testing.T) {
	at := func(text string) int64 {
		v, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		return v.UnixMicro()
	}
	for _, c := range []struct {
		in                 string
		instant            string // of the wall clock where there is no offset
		hasTime, hasOffset bool
	}{
		{"2026-03-16T10:05:03Z", "2026-03-16T10:05:03Z", true, true},
		{"2026-03-16 10:05:03 UTC", "2026-03-16T10:05:03Z", true, true},
		{" 2026-03-16t10:05:03z\r\n", "2026-03-16T10:05:03Z", true, true},
		{"2026-03-16 10:05:03+01", "2026-03-16T09:05:03Z", true, true},
		{"2026-03-16 10:05:03-0130", "2026-03-16T11:35:03Z", true, true},
		{"2026-03-16T10:05:03.9999999+01:00", "2026-03-16T09:05:03.999999Z", true, true},
		{"2026-03-16T10:05:03,5", "2026-03-16T10:05:03.5Z", true, false},
		{"2026-03-16T10:05", "2026-03-16T10:05:00Z", true, false},
		{"2026-03-16", "2026-03-16T00:00:00Z", false, false},
		{"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z", true, true},
	} {
		s, ok := scalar.ParseRFC3339([]byte(c.in))
		require.True(t, ok, c.in)
		instant, ok := s.Instant()
		assert.True(t, ok, c.in)
		assert.Equal(t, at(c.instant), instant, c.in)
		assert.Equal(t, [2]bool{c.hasTime, c.hasOffset}, [2]bool{s.HasTime, s.HasOffset}, c.in)
	}
	for _, bad := range []string{
		"", "2026", "2026-3-16", "2026-02-29", "2026-03-16T", "2026-03-16T24:00:00Z", "2026-03-16T10:60:00Z", "2026-03-16T10:00:61Z",
		"2026-03-16T1:00:00Z", "2026-03-16T10:00:00.Z", "2026-03-16T10:00:00+24:00", "2026-03-16T10:00:00+01:60", "2026-03-16T10:00:00ZZ",
		"0000-01-01", "12026-03-16", "2026-03-16T10:00:00 CET", "16/03/2026", "２０２６-03-16", "+2026-03-16", "2026-03-16x10:00:00",
	} {
		_, ok := scalar.ParseRFC3339([]byte(bad))
		assert.False(t, ok, bad)
	}
	s, ok := scalar.ParseRFC3339([]byte("0001-01-01T00:00:00+01:00"))
	require.True(t, ok)
	_, ok = s.Instant()
	assert.False(t, ok, "the instant lies in year 0")
}

func FuzzRFC3339AgainstPackageTime(f *testing.F) {
	for _, seed := range []string{
		"2026-03-16T10:05:03Z", "2026-02-29T10:05:03Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59",
		"2000-02-29T23:59:59.1+00:00", "1900-02-29T00:00:00Z", "2026-03-16T10:05:03,123Z", "2026-03-16T24:00:00Z", "2026-03-16T1:05:03Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { compareRFC3339(t, text) })
}

func TestParseRFC3339AgreesWithPackageTimeOnMutatedTexts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	const alphabet = "0123456789-+:.TZ "
	accepted := 0
	for range 200_000 {
		text := []byte(time.Unix(r.Int64N(300_000_000_000)-60_000_000_000, r.Int64N(1e9)).UTC().Format("2006-01-02T15:04:05.000000000Z"))
		if r.IntN(3) > 0 {
			text[r.IntN(len(text))] = alphabet[r.IntN(len(alphabet))]
		}
		if compareRFC3339(t, string(text)) {
			accepted++
		}
	}
	assert.Greater(t, accepted, 50_000, "the comparison met enough valid times")
}

var strictRFC3339 = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// compareRFC3339 checks both directions on texts of the strict shape: package time, which is laxer
// about the shape, reads exactly what this reader reads, and as the same instant.
func compareRFC3339(t *testing.T, text string) (accepted bool) {
	t.Helper()
	s, ok := scalar.ParseRFC3339([]byte(text))
	if !strictRFC3339.MatchString(text) || text[17:19] == "60" {
		return false
	}
	got, inRange := s.Instant()
	want, err := time.Parse(time.RFC3339, text)
	valid := err == nil && want.Year() >= 1 && want.UTC().Year() >= 1 && want.UTC().Year() <= 9999
	if valid != (ok && inRange) || valid && (got != want.UnixMicro() || !s.HasOffset || !s.HasTime) {
		t.Fatalf("ParseRFC3339(%q) = %d, %v, want %d, %v", text, got, ok && inRange, want.UnixMicro(), valid)
	}
	return valid
}

func TestParseCLFAgreesWithPackageTime(t *testing.T) {
	const layout = "02/Jan/2006:15:04:05 -0700"
	for _, in := range []string{"17/May/2015:10:05:03 +0000", "29/Feb/2016:23:59:59 -0330", "01/Dec/1999:00:00:00 +1400"} {
		want, err := time.Parse(layout, in)
		require.NoError(t, err)
		for _, text := range []string{in, "[" + in + "]"} {
			s, ok := scalar.ParseCLF([]byte(text))
			require.True(t, ok, text)
			got, _ := s.Instant()
			assert.Equal(t, want.UnixMicro(), got, text)
		}
	}
	for _, bad := range []string{"", "[17/May/2015:10:05:03 +0000", "17/may/2015:10:05:03 +0000", "30/Feb/2015:10:05:03 +0000", "17/May/2015 10:05:03 +0000", "17/May/2015:10:05:03", "17/May/2015:10:05:03 +0000x"} {
		_, ok := scalar.ParseCLF([]byte(bad))
		assert.False(t, ok, bad)
	}
}

// quantaByRat is the plain twin of Quanta: exact rationals all the way.
func quantaByRat(text, resolution string, rounding scalar.Rounding) (int64, bool) {
	v, ok := new(big.Rat).SetString(text)
	r, ok2 := new(big.Rat).SetString(resolution)
	if !ok || !ok2 {
		return 0, false
	}
	v.Quo(v, r)
	floor := new(big.Int)
	if rounding == scalar.Floor {
		floor.Div(v.Num(), v.Denom()) // Euclidean, and the denominator is positive: floor
	} else {
		abs := new(big.Rat).Abs(v)
		abs.Add(abs, big.NewRat(1, 2))
		floor.Div(abs.Num(), abs.Denom())
		if v.Sign() < 0 {
			floor.Neg(floor)
		}
	}
	limit := big.NewInt(scalar.MaxQuanta)
	if floor.Cmp(limit) > 0 {
		floor.Set(limit)
	}
	if floor.Cmp(limit.Neg(limit)) < 0 {
		floor.Set(limit)
	}
	return floor.Int64(), true
}

func TestQuantaAgreeWithRationals(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	resolutions := []string{"1", "0.01", "0.05", "60", "2.5", "1e-18", "1e18", "0.000000003", "7", "999999999"}
	for range 60_000 {
		text := randomDecimal(r)
		resolution := resolutions[r.IntN(len(resolutions))]
		res, ok := scalar.ParseResolution(resolution)
		require.True(t, ok, resolution)
		d, ok := scalar.ParseDecimal([]byte(text))
		require.True(t, ok, text)
		for _, rounding := range []scalar.Rounding{scalar.HalfAway, scalar.Floor} {
			got, exact := d.Quanta(res, rounding)
			want, _ := quantaByRat(text, resolution, rounding)
			if got != want {
				t.Fatalf("Quanta(%s / %s, rounding %d) = %d, want %d", text, resolution, rounding, got, want)
			}
			if exact {
				v, _ := new(big.Rat).SetString(text)
				unit, _ := new(big.Rat).SetString(resolution)
				require.Zero(t, unit.Mul(unit, new(big.Rat).SetInt64(got)).Cmp(v), "%s / %s is called exact", text, resolution)
			}
		}
	}
}

func randomDecimal(r *rand.Rand) string {
	var b bytes.Buffer
	b.WriteString([]string{"", "-", "+"}[r.IntN(3)])
	digits := func(n int) {
		for range n {
			b.WriteByte("0000123455559"[r.IntN(13)])
		}
	}
	digits(1 + r.IntN(25))
	if r.IntN(2) == 0 {
		b.WriteByte('.')
		digits(r.IntN(25))
	}
	if r.IntN(2) == 0 {
		b.WriteString("e" + strconv.Itoa(r.IntN(60)-30))
	}
	return b.String()
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"1", "-0.5", "1e999", "1e-999", ".5", "5.", "0x10", "1_0", "inf", "nan", "１２", "9223372036854775808", "0.49999999999999999999999"} {
		f.Add(seed)
	}
	res, _ := scalar.ParseResolution("0.01")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := scalar.ParseDecimal([]byte(text))
		if !ok {
			return
		}
		got, _ := d.Quanta(res, scalar.HalfAway)
		if got > scalar.MaxQuanta || got < -scalar.MaxQuanta {
			t.Fatalf("Quanta(%q) = %d leaves its range", text, got)
		}
		if e := strings.IndexAny(text, "eE"); e >= 0 && len(text)-e > 5 {
			return // a rational of that size takes too long
		}
		trimmed := string(scalar.TrimSpace([]byte(text)))
		if want, ok := quantaByRat(trimmed, "0.01", scalar.HalfAway); ok && got != want {
			t.Fatalf("Quanta(%q) = %d, want %d", text, got, want)
		}
	})
}

func TestDecimalReadsFloatsAndIntegersAtTheirEdges(t *testing.T) {
	one := scalar.One
	for _, i := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 62, -1 << 62, 1<<62 - 1} {
		got, _ := scalar.FromInt(i).Quanta(one, scalar.HalfAway)
		assert.Equal(t, max(min(i, scalar.MaxQuanta), -scalar.MaxQuanta), got)
	}
	for _, c := range []struct {
		f    float64
		want int64
	}{
		{math.Inf(1), scalar.MaxQuanta}, {math.Inf(-1), -scalar.MaxQuanta}, {math.MaxFloat64, scalar.MaxQuanta}, {-math.MaxFloat64, -scalar.MaxQuanta},
		{math.SmallestNonzeroFloat64, 0}, {-math.SmallestNonzeroFloat64, 0}, {math.Copysign(0, -1), 0}, {0.5, 1}, {-0.5, -1}, {1 << 53, 1 << 53}, {1 << 61, 2305843009213694000},
	} {
		d, ok := scalar.FromFloat(c.f)
		require.True(t, ok)
		got, _ := d.Quanta(one, scalar.HalfAway)
		assert.Equal(t, c.want, got, "%g", c.f)
	}
	_, ok := scalar.FromFloat(math.NaN())
	assert.False(t, ok)
	for _, bad := range []string{"", " ", ".", "-", "+-1", "1e", "e5", "1.2.3", "0x10", "1_0", "nan", "NaN", "１２", "1,5", "infinit", strings.Repeat("1", 600)} {
		_, ok := scalar.ParseDecimal([]byte(bad))
		assert.False(t, ok, bad)
	}
	for _, bad := range []string{"0", "-1", "inf", "1e19", "1e-19", "1234567891", "x", ""} {
		_, ok := scalar.ParseResolution(bad)
		assert.False(t, ok, bad)
	}
}

func TestReadersDoNotAllocate(t *testing.T) {
	stamp, number := []byte("2026-03-16T10:05:03.25+01:00"), []byte("-12345.675")
	res, _ := scalar.ParseResolution("0.01")
	var sink int64
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		s, _ := scalar.ParseRFC3339(stamp)
		d, _ := scalar.ParseDecimal(number)
		q, _ := d.Quanta(res, scalar.HalfAway)
		e, _ := scalar.FromFloat(0.1)
		p, _ := e.Quanta(res, scalar.HalfAway)
		sink += s.Wall + q + p
	}))
}
