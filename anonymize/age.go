// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"errors"
	"fmt"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// maxAge is the oldest age that is believed. Above it stand fillers such as a birth year of 1900.
const maxAge = 120

// Age returns a person's age in completed years on a day, and false where it is unknown, not a whole
// number, or outside 0 to 120. From a year of birth it is the difference of the years.
func (a As) Age(v Value, on Date) (int64, bool) {
	var age int64
	var ok bool
	switch a {
	case AsAge:
		age, ok = v.Whole()
	case AsBirthYear:
		age, ok = v.Whole()
		ok = ok && age >= 1 && age <= 9999
		age = int64(on.Year) - age
	case AsBirthDate:
		var b birth
		b, ok = readBirth(v)
		age = b.likely.ageOn(on)
	}
	return age, ok && age >= 0 && age <= maxAge
}

// youngest returns the smallest age that the cell leaves open on a day.
func (a As) youngest(v Value, on Date) (int64, bool) {
	var born Date
	switch a {
	case AsAge:
		return a.Age(v, on) // people only grow older after they state their age
	case AsBirthYear:
		year, ok := v.Whole()
		if !ok || year < 1 || year > 9999 {
			return 0, false
		}
		born = Date{int(year), 12, 31}
	case AsBirthDate:
		b, ok := readBirth(v)
		if !ok {
			return 0, false
		}
		born = b.latest
	default:
		return 0, false
	}
	age := born.ageOn(on)
	return age, age >= 0 && age <= maxAge
}

// birth is a date of birth: as it was written, and the latest date that it can be.
type birth struct{ likely, latest Date }

func readBirth(v Value) (birth, bool) {
	if !v.Valid {
		return birth{}, false
	}
	switch v.Kind {
	case Time:
		if v.Int < scalar.MinInstant || v.Int > scalar.MaxInstant {
			return birth{}, false
		}
		return birthAt(v.Int, true), true
	case Bytes:
		if s, ok := scalar.ParseRFC3339(v.Bytes); ok {
			return birthAt(s.Wall, s.HasOffset && s.Offset == 0), true
		}
	}
	n, ok := v.Whole()
	year, month, day := n/10_000, n/100%100, n%100
	if !ok || !scalar.IsDate(year, month, day) {
		return birth{}, false
	}
	d := Date{int(year), int(month), int(day)}
	return birth{d, d}, true
}

// birthAt reads the date from a time of day. A database turns a date into midnight of its own zone
// and then into UTC, where it can be the evening before; the latest date is the one 14 hours ahead,
// at the zone furthest east. Midnight UTC itself is a date that was never moved.
func birthAt(wall int64, utc bool) birth {
	d := DateOf(scalar.FloorDiv(wall, scalar.Day))
	if !utc || scalar.FloorMod(wall, scalar.Day) == 0 {
		return birth{d, d}
	}
	return birth{d, DateOf(scalar.FloorDiv(wall+14*scalar.Hour, scalar.Day))}
}

// UnderAge refuses people who may be below an age. It is safe for concurrent use.
type UnderAge struct {
	column string
	below  int64
	as     As
	on     Date
}

// NewUnderAge returns the rule that people must be at least below years old, read from a column in
// the given way. AsOf is the earliest day that the records may be from (the start of the release's
// period): whoever was too young then is left out of the whole release.
func NewUnderAge(column string, below int64, as As, asOf Date) (*UnderAge, error) {
	var faults []error
	if column == "" {
		faults = append(faults, errors.New("want the name of a column; add it"))
	}
	if below < 1 || below > maxAge {
		faults = append(faults, fmt.Errorf("want an age of 1 to %d, got %d; correct it", maxAge, below))
	}
	if !as.IsAge() {
		faults = append(faults, fmt.Errorf("want a way to read an age (age, birth_year, birth_date), got %q; choose one", string(as)))
	}
	if !asOf.IsValid() || asOf.Days() == (Date{1, 1, 1}).Days() {
		faults = append(faults, errors.New("want the day on which ages count; add a date"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	// When the day begins at the zone furthest east it is still the day before nearly everywhere.
	return &UnderAge{column, below, as, DateOf(asOf.Days() - 1)}, nil
}

// Check allows who is old enough however the cell is read: born on the last day of a birth year, and
// counted on the day before, which it still is somewhere. An unknown age, and one outside 0 to 120,
// is refused. The caller may let a [Consent] of the parents overrule it.
func (u *UnderAge) Check(v Value) Verdict {
	age, ok := u.as.youngest(v, u.on)
	if !ok || u.below < 1 || age < u.below {
		return Refused
	}
	return Allowed
}

// String says whom the rule leaves out.
func (u *UnderAge) String() string {
	return fmt.Sprintf("records of people whose %s (%s) does not show that they are at least %d", u.column, u.as, u.below)
}
