// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// zone is a time zone as two sorted tables, so that a lookup is one binary search without locks. It
// is immutable.
type zone struct {
	// starts[i] is the instant from which offsets[i] holds; starts[0] is before all instants.
	starts  []int64
	offsets []int64
	// wallEnds[i] is what the wall clock would show, in offsets[i], when that offset ends.
	wallEnds []int64
}

// lastTransition is the year up to which a zone's rules are written out. After it a zone
// keeps the offset that it then has.
const lastTransition = 2200

func loadZone(name string) (*zone, error) {
	if name == "" {
		name = "UTC"
	}
	location, err := time.LoadLocation(name)
	// "Local" would make the result depend on the machine.
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("want a time zone of the IANA database such as Europe/Paris, got %q; correct it", name)
	}
	return newZone(location), nil
}

func newZone(location *time.Location) *zone {
	z := &zone{}
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).In(location)
	start := int64(math.MinInt64)
	for {
		_, offset := at.Zone()
		z.add(start, int64(offset)*scalar.Second)
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > lastTransition {
			break
		}
		// On the last day of a leap year ZoneBounds can name an end that has passed.
		if !end.After(at) {
			end = at.Add(time.Hour)
		}
		start, at = end.UnixMicro(), end
	}
	for i, offset := range z.offsets {
		end := int64(math.MaxInt64)
		if i+1 < len(z.starts) {
			end = z.starts[i+1] + offset
		}
		z.wallEnds = append(z.wallEnds, end)
	}
	return z
}

func (z *zone) add(start, offset int64) {
	if n := len(z.offsets); n > 0 && z.offsets[n-1] == offset {
		return // only the zone's abbreviation changed
	}
	z.starts = append(z.starts, start)
	z.offsets = append(z.offsets, offset)
}

// wall returns what the wall clock shows at an instant.
func (z *zone) wall(instant int64) int64 {
	_, _, offset := z.offsetAt(instant)
	return instant + offset
}

// offsetAt returns the half-open range of instants around one that have its offset, and that.
func (z *zone) offsetAt(instant int64) (start, end, offset int64) {
	i := sort.Search(len(z.starts), func(i int) bool { return z.starts[i] > instant })
	end = math.MaxInt64
	if i < len(z.starts) {
		end = z.starts[i]
	}
	return z.starts[i-1], end, z.offsets[i-1]
}

// instant returns the instant at which the wall clock shows a time: the first of two, and for one
// that never occurs the time that would have been, had the clock not gone forward.
func (z *zone) instant(wall int64) int64 {
	i := z.period(wall)
	if i > 0 && wall-z.offsets[i] < z.starts[i] {
		return wall - z.offsets[i-1]
	}
	return wall - z.offsets[i]
}

// dayStart returns the first instant of the day that begins at a wall clock's midnight. Where clocks
// skip midnight, that is when they skip it.
func (z *zone) dayStart(midnight int64) int64 {
	i := z.period(midnight)
	return max(midnight-z.offsets[i], z.starts[i])
}

// period returns the first table entry that has not ended when the wall clock shows a time.
func (z *zone) period(wall int64) int {
	return sort.Search(len(z.wallEnds)-1, func(i int) bool { return wall < z.wallEnds[i] })
}
