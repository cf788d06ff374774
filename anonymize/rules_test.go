// SPDX-License-Identifier: Apache-2.0

package anonymize_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
)

func date(t *testing.T, s string) anonymize.Date {
	t.Helper()
	d, err := anonymize.ParseDate(s)
	require.NoError(t, err)
	return d
}

func instant(t *testing.T, s string) anonymize.Value {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return anonymize.Value{Kind: anonymize.Time, Valid: true, Int: at.UnixMicro()}
}

// Thirteen on the day itself is not enough: at the zone furthest west it is still the day before.
func TestAttackI14UnderAgeAndUnknownAge(t *testing.T) {
	asOf := date(t, "2026-03-16")
	for _, c := range []struct {
		name string
		as   anonymize.As
		in   anonymize.Value
		want anonymize.Verdict
	}{
		{"12 years and 364 days", anonymize.AsBirthDate, text("2013-03-17"), anonymize.Refused},
		{"13 on the day, not yet everywhere", anonymize.AsBirthDate, text("2013-03-16"), anonymize.Refused},
		{"13 everywhere", anonymize.AsBirthDate, text("2013-03-15"), anonymize.Allowed},
		{"eight digits", anonymize.AsBirthDate, integer(20130315), anonymize.Allowed},
		{"eight digits, too young", anonymize.AsBirthDate, text("20130316"), anonymize.Refused},
		{"local midnight west of UTC", anonymize.AsBirthDate, instant(t, "2013-03-15T05:00:00Z"), anonymize.Allowed},
		{"local midnight of the 16th, east of UTC", anonymize.AsBirthDate, instant(t, "2013-03-15T10:00:00Z"), anonymize.Refused},
		{"the same as text", anonymize.AsBirthDate, text("2013-03-15T10:00:00Z"), anonymize.Refused},
		{"a local time says its date", anonymize.AsBirthDate, text("2013-03-15T23:00:00"), anonymize.Allowed},
		{"midnight UTC is a date", anonymize.AsBirthDate, instant(t, "2013-03-15T00:00:00Z"), anonymize.Allowed},
		{"year: 13 only if born early", anonymize.AsBirthYear, integer(2013), anonymize.Refused},
		{"year: still 12 until the end of the year", anonymize.AsBirthYear, integer(2012), anonymize.Allowed},
		{"year as float", anonymize.AsBirthYear, text("1984.0"), anonymize.Allowed},
		{"year with a fraction", anonymize.AsBirthYear, text("1984.5"), anonymize.Refused},
		{"filler", anonymize.AsBirthYear, integer(1900), anonymize.Refused},
		{"year in the future", anonymize.AsBirthYear, integer(2030), anonymize.Refused},
		{"year 0", anonymize.AsBirthYear, integer(0), anonymize.Refused},
		{"stated 13", anonymize.AsAge, integer(13), anonymize.Allowed},
		{"stated 12", anonymize.AsAge, integer(12), anonymize.Refused},
		{"age 0", anonymize.AsAge, integer(0), anonymize.Refused},
		{"age 120", anonymize.AsAge, integer(120), anonymize.Allowed},
		{"age 121", anonymize.AsAge, integer(121), anonymize.Refused},
		{"age 200", anonymize.AsAge, text("200"), anonymize.Refused},
		{"negative", anonymize.AsAge, integer(-20), anonymize.Refused},
		{"missing", anonymize.AsAge, anonymize.Value{}, anonymize.Refused},
		{"missing date", anonymize.AsBirthDate, anonymize.Value{}, anonymize.Refused},
		{"missing year", anonymize.AsBirthYear, anonymize.Value{}, anonymize.Refused},
		{"NaN", anonymize.AsAge, float(math.NaN()), anonymize.Refused},
		{"infinite", anonymize.AsAge, float(math.Inf(1)), anonymize.Refused},
		{"wrap", anonymize.AsAge, text("18446744073709551646"), anonymize.Refused},
		{"year wraps", anonymize.AsBirthYear, integer(math.MinInt64), anonymize.Refused},
		{"a date of no order", anonymize.AsBirthDate, text("03/04/1984"), anonymize.Refused},
		{"year-only date of birth", anonymize.AsBirthDate, text("1984"), anonymize.Refused},
	} {
		rule, err := anonymize.NewUnderAge("born", 13, c.as, asOf)
		require.NoError(t, err)
		assert.Equal(t, c.want, rule.Check(c.in), c.name)
	}
}

func TestUnderAgeCountsABirthYearFromItsLastDay(t *testing.T) {
	for _, c := range []struct {
		asOf string
		want anonymize.Verdict
	}{
		{"2025-12-31", anonymize.Refused},
		{"2026-01-01", anonymize.Allowed}, // the day before is 31 December, their 13th birthday
	} {
		rule, err := anonymize.NewUnderAge("birth_year", 13, anonymize.AsBirthYear, date(t, c.asOf))
		require.NoError(t, err)
		assert.Equal(t, c.want, rule.Check(integer(2012)), c.asOf)
	}
}

func TestSomeoneBornOnALeapDayTurnsOlderOnTheFirstOfMarch(t *testing.T) {
	for day, want := range map[string]int64{"2026-02-28": 17, "2026-03-01": 18, "2028-02-28": 19, "2028-02-29": 20} {
		age, ok := anonymize.AsBirthDate.Age(text("2008-02-29"), date(t, day))
		assert.True(t, ok)
		assert.Equal(t, want, age, day)
	}
}

func TestConsentAllowsListedValuesOnly(t *testing.T) {
	rule, err := anonymize.NewConsent("share_ok", "yes", "1", "allow_all")
	require.NoError(t, err)
	for _, v := range []anonymize.Value{text("yes"), text("YES "), text("ｙｅｓ"), text("yes\u200b"), integer(1), float(1), text("1"), text("Allow_All")} {
		assert.Equal(t, anonymize.Allowed, rule.Check(v))
	}
	for _, v := range []anonymize.Value{{}, text(""), text("no"), text("yes!"), text("y"), text("0"), integer(0), boolean(1), float(math.NaN()), text("\xffyes"), text("11")} {
		assert.Equal(t, anonymize.Refused, rule.Check(v), "%v", v)
	}
	kept := rule.AllowUnset()
	assert.Equal(t, anonymize.Allowed, kept.Check(anonymize.Value{}))
	assert.Equal(t, anonymize.Refused, kept.Check(text("")), "an empty text is an answer")
	assert.Equal(t, anonymize.Refused, kept.Check(text("no")))
	assert.Equal(t, anonymize.Refused, rule.Check(anonymize.Value{}), "the rule itself stays")
	assert.Equal(t, anonymize.Refused, new(anonymize.Consent).Check(text("yes")), "the zero rule refuses")
	assert.Equal(t, anonymize.Refused, new(anonymize.UnderAge).Check(integer(40)), "the zero rule refuses")
	assert.Equal(t, anonymize.Refused, anonymize.Verdict(0), "the zero verdict refuses")
}

func TestRulesSayWhomTheyLeaveOut(t *testing.T) {
	consent, err := anonymize.NewConsent("share_ok", "yes", "Y")
	require.NoError(t, err)
	assert.Equal(t, "records of people whose share_ok is not one of yes, Y", consent.String())
	age, err := anonymize.NewUnderAge("birth_year", 13, anonymize.AsBirthYear, date(t, "2026-03-16"))
	require.NoError(t, err)
	assert.Equal(t, "records of people whose birth_year (birth_year) does not show that they are at least 13", age.String())
}

func TestRuleConstructorsNameAllFaults(t *testing.T) {
	_, err := anonymize.NewConsent("")
	assert.EqualError(t, err, "want the name of a column; add it\nwant at least one value that means consent; list them")
	_, err = anonymize.NewConsent("c", "yes", " ", "\xff")
	assert.EqualError(t, err, "want a value of 1 to 256 visible bytes, got \" \"; correct it\nwant a value of 1 to 256 visible bytes, got \"\\xff\"; correct it")
	_, err = anonymize.NewUnderAge("", 0, anonymize.AsDate, anonymize.Date{})
	assert.EqualError(t, err, "want the name of a column; add it\nwant an age of 1 to 120, got 0; correct it\n"+
		"want a way to read an age (age, birth_year, birth_date), got \"date\"; choose one\nwant the day on which ages count; add a date")
	_, err = anonymize.ParseAs("Age")
	assert.ErrorContains(t, err, "want one of age, ")
	for _, bad := range []string{"", "2026-02-29", "2026-3-1", " 2026-03-16", "2026-03-16T00:00:00Z", "16.3.2026", "-001-01-01"} {
		_, err := anonymize.ParseDate(bad)
		assert.EqualError(t, err, "want a date such as 2026-03-16; write year, month and day", bad)
	}
}

func TestDatesRoundTrip(t *testing.T) {
	for _, s := range []string{"0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"} {
		d := date(t, s)
		assert.True(t, d.IsValid())
		assert.Equal(t, s, d.String())
		want, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		assert.Equal(t, want.Unix()/86400, d.Days(), s)
	}
	assert.False(t, anonymize.Date{}.IsValid())
}
