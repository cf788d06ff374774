// SPDX-License-Identifier: Apache-2.0

package scalar

// Microseconds in the units that the calendar knows.
const (
	Second = int64(1_000_000)
	Hour   = 3600 * Second
	Day    = 24 * Hour
)

// The first and the last instant that exist here: years 1 to 9999, which is what RFC 3339 can spell.
const (
	MinInstant = -62_135_596_800 * Second
	MaxInstant = 253_402_300_800*Second - 1
)

// DaysFromCivil returns the number of days from 1970-01-01 to a date of the proleptic Gregorian
// calendar. The algorithm is Howard Hinnant's (chrono-Compatible Low-Level Date Algorithms): years
// start in March, so that the leap day is the last of its year.
func DaysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era := FloorDiv(year, 400)
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return era*146097 + dayOfEra - 719468
}

// CivilFromDays is the inverse of [DaysFromCivil].
func CivilFromDays(days int64) (year, month, day int64) {
	days += 719468
	era := FloorDiv(days, 146097)
	dayOfEra := days - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*m+2)/5 + 1
	month = (m+2)%12 + 1
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// ISOWeek returns the ISO 8601 year and week of a day: weeks start on Monday, and a week belongs to
// the year that holds its Thursday.
func ISOWeek(days int64) (year, week int64) {
	weekday := FloorMod(days+3, 7) // 1970-01-01 was a Thursday; Monday is 0
	thursday := days - weekday + 3
	year, _, _ = CivilFromDays(thursday)
	return year, (thursday-DaysFromCivil(year, 1, 1))/7 + 1
}

// IsDate reports whether the date exists, in years 1 to 9999.
func IsDate(year, month, day int64) bool {
	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// FloorDiv returns a/b rounded toward minus infinity, for b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod returns a − b·FloorDiv(a, b), which is in [0, b).
func FloorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}
