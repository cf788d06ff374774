// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"slices"
	"strconv"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Grain is the length of a period by which times are grouped. The zero value is unset.
type Grain string

// The grains.
const (
	Hour    Grain = "hour"     // 2026-03-16T14
	Day     Grain = "day"      // 2026-03-16; of a day_offset: "day 12"
	ISOWeek Grain = "iso_week" // 2026-W12, from Monday
	Month   Grain = "month"    // 2026-03
	Week    Grain = "week"     // only of a day_offset: "week 0" is days 0 to 6
)

var (
	calendarGrains = []Grain{Hour, Day, ISOWeek, Month}
	offsetGrains   = []Grain{Day, Week}
)

// ParseGrain returns the grain with the given name.
func ParseGrain(name string) (Grain, error) {
	if g := Grain(name); slices.Contains(calendarGrains, g) || g == Week {
		return g, nil
	}
	return "", errors.New("want one of hour, day, iso_week, month, week; choose one")
}

// Supports reports whether the clock's times can be grouped by a grain: a column that counts days
// from its own start knows days and weeks of that start, every other the grains of the calendar.
func (c Clock) Supports(g Grain) bool {
	if c.CountsDays() {
		return slices.Contains(offsetGrains, g)
	}
	return slices.Contains(calendarGrains, g)
}

// AppendPeriod appends the label of the period that holds an instant, as Instant returned it, in the
// clock's zone. Labels of a grain sort by time (those of a day_offset do not). It returns dst as it
// was and false for a grain that the clock does not support and for a local date beyond years 1 to
// 9999.
func (c Clock) AppendPeriod(dst []byte, instant int64, g Grain) ([]byte, bool) {
	if c.zone == nil || !c.Supports(g) {
		return dst, false
	}
	if c.CountsDays() {
		return appendOffsetPeriod(dst, instant, g), true
	}
	if _, ok := inRange(instant); !ok {
		return dst, false
	}
	wall := c.zone.wall(instant)
	if _, ok := inRange(wall); !ok {
		return dst, false
	}
	return appendPeriod(dst, wall, g)
}

// Number returns the number of the day or week that holds an instant, as Instant returned it, on the wall clock:
// days from 1970-01-01 on, and weeks from the Monday before it; of a day_offset, its days, and weeks of 7 from
// day 0. Numbers follow each other in time. The grain is [Day], [ISOWeek] or [Week]; for others it returns false.
func (c Clock) Number(instant int64, g Grain) (int64, bool) {
	if c.zone == nil || !c.Supports(g) {
		return 0, false
	}
	day := instant
	if !c.CountsDays() {
		day = scalar.FloorDiv(c.zone.wall(instant), scalar.Day)
	}
	switch g {
	case Day:
		return day, true
	case Week:
		return scalar.FloorDiv(day, 7), true
	case ISOWeek:
		return scalar.FloorDiv(day+3, 7), true // 1970-01-01 was a Thursday
	}
	return 0, false
}

// span returns a range of integers around that of v that lie in one hour, or for longer grains in one
// day, of the wall clock. It serves instants and counts of microseconds or coarser units.
func (c Clock) span(v anonymize.Value, g Grain) (from, to int64, ok bool) {
	unit := int64(1)
	switch {
	case v.Kind == anonymize.Time:
	case v.Kind != anonymize.Int:
		return 0, 0, false
	case c.as == anonymize.AsUnixS:
		unit = scalar.Second
	case c.as == anonymize.AsUnixMS:
		unit = scalar.Second / 1000
	case c.as != anonymize.AsUnixUS:
		return 0, 0, false
	}
	instant, ok := c.Instant(v)
	if !ok || c.CountsDays() || !c.Supports(g) {
		return 0, 0, false
	}
	length := int64(scalar.Day)
	if g == Hour {
		length = scalar.Hour
	}
	start, end, offset := c.zone.offsetAt(instant)
	wall := scalar.FloorDiv(instant+offset, length) * length
	start, end = max(start, wall-offset, scalar.MinInstant), min(end, wall-offset+length, scalar.MaxInstant)
	// Rounded to the inside.
	return -scalar.FloorDiv(-start, unit), scalar.FloorDiv(end-1, unit) + 1, true
}

func appendOffsetPeriod(dst []byte, day int64, g Grain) []byte {
	if g == Week {
		return strconv.AppendInt(append(dst, "week "...), scalar.FloorDiv(day, 7), 10)
	}
	return strconv.AppendInt(append(dst, "day "...), day, 10)
}

func appendPeriod(dst []byte, wall int64, g Grain) ([]byte, bool) {
	days := scalar.FloorDiv(wall, scalar.Day)
	if g == ISOWeek {
		year, week := scalar.ISOWeek(days)
		if year < 1 || year > 9999 {
			return dst, false
		}
		return appendPadded(append(appendPadded(dst, year, 4), "-W"...), week, 2), true
	}
	year, month, day := scalar.CivilFromDays(days)
	dst = appendPadded(append(appendPadded(dst, year, 4), '-'), month, 2)
	if g == Month {
		return dst, true
	}
	dst = appendPadded(append(dst, '-'), day, 2)
	if g == Hour {
		dst = appendPadded(append(dst, 'T'), scalar.FloorMod(wall, scalar.Day)/scalar.Hour, 2)
	}
	return dst, true
}

func appendPadded(dst []byte, n int64, width int) []byte {
	for place := width - 1; place >= 0; place-- {
		digit := n
		for range place {
			digit /= 10
		}
		dst = append(dst, '0'+byte(digit%10))
	}
	return dst
}
