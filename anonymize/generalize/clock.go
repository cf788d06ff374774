// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"fmt"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Clock reads the times of one column. The zero value is unset and reads nothing. A Clock is
// immutable and safe for concurrent use.
type Clock struct {
	as   anonymize.As
	zone *zone
	// micro is a microsecond in the unit that a Unix time counts in.
	micro scalar.Resolution
}

// NewClock returns the reader of times that are written in the given way, in a zone of the IANA
// database; UTC where zone is empty. The zone serves times written without an offset, and periods.
func NewClock(as anonymize.As, zoneName string) (Clock, error) {
	var faults []error
	if !as.IsTime() {
		faults = append(faults, fmt.Errorf("want a way to read a time (rfc3339, date, yyyymmdd, clf, unix_s, unix_ms, unix_us, unix_ns, day_offset), got %q; choose one", string(as)))
	}
	z, err := loadZone(zoneName)
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return Clock{}, err
	}
	return Clock{as, z, microIn(as)}, nil
}

func microIn(as anonymize.As) scalar.Resolution {
	switch as {
	case anonymize.AsUnixS:
		return scalar.Power(-6)
	case anonymize.AsUnixMS:
		return scalar.Power(-3)
	case anonymize.AsUnixNS:
		return scalar.Power(3)
	}
	return scalar.One
}

// CountsDays reports whether the column counts days from a start of its own, so that Instant returns
// a day's number.
func (c Clock) CountsDays() bool { return c.as == anonymize.AsDayOffset }

// maxDayOffset bounds a count of days, to some 2,700 years.
const maxDayOffset = 1_000_000

// Instant returns the microseconds since 1970-01-01T00:00:00Z that a cell names, or for day_offset
// the number of a day. Anything finer is cut, toward the past. It returns false for null, for what is
// not written in the column's way, and beyond years 1 to 9999. A cell of a timestamp type is an
// instant already.
func (c Clock) Instant(v anonymize.Value) (int64, bool) {
	if !v.Valid || c.zone == nil {
		return 0, false
	}
	if c.as == anonymize.AsDayOffset {
		day, ok := v.Whole()
		return day, ok && day >= -maxDayOffset && day <= maxDayOffset
	}
	if v.Kind == anonymize.Time {
		return inRange(v.Int)
	}
	switch c.as {
	case anonymize.AsUnixS, anonymize.AsUnixMS, anonymize.AsUnixUS, anonymize.AsUnixNS:
		return c.unix(v)
	case anonymize.AsYYYYMMDD:
		return c.eightDigits(v)
	}
	if v.Kind != anonymize.Bytes {
		return 0, false
	}
	return c.text(v.Bytes)
}

func (c Clock) text(text []byte) (int64, bool) {
	var stamp scalar.Stamp
	var ok bool
	if c.as == anonymize.AsCLF {
		stamp, ok = scalar.ParseCLF(text)
	} else {
		stamp, ok = scalar.ParseRFC3339(text)
	}
	switch {
	case !ok || c.as == anonymize.AsDate && stamp.HasTime:
		return 0, false
	case stamp.HasOffset:
		return stamp.Instant()
	case stamp.HasTime:
		return inRange(c.zone.instant(stamp.Wall))
	}
	return inRange(c.zone.dayStart(stamp.Wall))
}

func (c Clock) unix(v anonymize.Value) (int64, bool) {
	d, ok := decimalOf(v)
	if !ok || v.Kind == anonymize.Bool {
		return 0, false
	}
	micros, _ := d.Quanta(c.micro, scalar.Floor)
	return inRange(micros)
}

func (c Clock) eightDigits(v anonymize.Value) (int64, bool) {
	n, ok := v.Whole()
	year, month, day := n/10_000, n/100%100, n%100
	if !ok || !scalar.IsDate(year, month, day) {
		return 0, false
	}
	return inRange(c.zone.dayStart(scalar.DaysFromCivil(year, month, day) * scalar.Day))
}

// DayStart returns the first instant of a day in the clock's zone: a period from one date to another
// is the half-open interval between their starts.
func (c Clock) DayStart(d anonymize.Date) int64 { return c.zone.dayStart(d.Days() * scalar.Day) }

// DaysBefore returns the first instant of the day that is so many days before another.
func (c Clock) DaysBefore(d anonymize.Date, days int64) int64 {
	return c.zone.dayStart((d.Days() - days) * scalar.Day)
}

func inRange(instant int64) (int64, bool) {
	return instant, instant >= scalar.MinInstant && instant <= scalar.MaxInstant
}

func decimalOf(v anonymize.Value) (scalar.Decimal, bool) {
	switch v.Kind {
	case anonymize.Bytes:
		return scalar.ParseDecimal(v.Bytes)
	case anonymize.Int, anonymize.Bool:
		return scalar.FromInt(v.Int), true
	case anonymize.Float:
		return scalar.FromFloat(v.Float)
	}
	return scalar.Decimal{}, false
}
