// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"errors"
	"fmt"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Date is a day of the Gregorian calendar, in years 1 to 9999. The zero value is unset. Dates are
// comparable.
type Date struct{ Year, Month, Day int }

// ParseDate reads a date in the form 2026-03-16.
func ParseDate(text string) (Date, error) {
	s, ok := scalar.ParseRFC3339([]byte(text))
	if !ok || s.HasTime || len(text) != len("2006-01-02") {
		return Date{}, errors.New("want a date such as 2026-03-16; write year, month and day")
	}
	return DateOf(s.Wall / scalar.Day), nil
}

// IsValid reports whether the date exists.
func (d Date) IsValid() bool { return scalar.IsDate(int64(d.Year), int64(d.Month), int64(d.Day)) }

// String returns the date in the form 2026-03-16.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Days returns the days from 1970-01-01 to d.
func (d Date) Days() int64 {
	return scalar.DaysFromCivil(int64(d.Year), int64(d.Month), int64(d.Day))
}

// ageOn returns the completed years from d to on. Someone born on 29 February is a year older on
// 1 March of a common year.
func (d Date) ageOn(on Date) int64 {
	years := int64(on.Year) - int64(d.Year)
	if on.Month < d.Month || on.Month == d.Month && on.Day < d.Day {
		years--
	}
	return years
}

// DateOf returns the date that is so many days after 1970-01-01; years 1 to 9999.
func DateOf(days int64) Date {
	y, m, d := scalar.CivilFromDays(days)
	return Date{int(y), int(m), int(d)}
}
