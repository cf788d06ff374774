// SPDX-License-Identifier: Apache-2.0

package scalar

// Stamp is a date, or a date and time, as it was written.
type Stamp struct {
	// Wall is what the clock on the wall showed, in microseconds since 1970-01-01T00:00:00 of that
	// clock. Digits below a microsecond are cut, which is toward the past.
	Wall int64
	// Offset is what the wall clock was ahead of UTC, in microseconds, where HasOffset.
	Offset int64
	// HasOffset is false for a local time, HasTime for a date alone.
	HasOffset, HasTime bool
}

// Instant returns the microseconds since 1970-01-01T00:00:00Z of a stamp that has an offset, and
// false where they leave years 1 to 9999.
func (s Stamp) Instant() (int64, bool) {
	t := s.Wall - s.Offset
	return t, t >= MinInstant && t <= MaxInstant
}

// cursor reads a text from the left. A failed read sets bad, which stays.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) digits(n int) int64 {
	if len(c.b) < n {
		c.bad = true
		return 0
	}
	var v int64
	for _, d := range c.b[:n] {
		if d < '0' || d > '9' {
			c.bad = true
			return 0
		}
		v = v*10 + int64(d-'0')
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) byte(want byte) {
	if !c.take(want) {
		c.bad = true
	}
}

func (c *cursor) take(want byte) bool {
	if len(c.b) == 0 || c.b[0] != want {
		return false
	}
	c.b = c.b[1:]
	return true
}

// ParseRFC3339 reads "2006-01-02T15:04:05.999999Z" and what people write instead of it: a space or
// a small letter for T, no seconds, a comma before the fraction, an offset as Z, z, UTC, +01:00,
// +0100 or +01, no offset, or the date alone. A leap second is the last microsecond of its minute,
// so that it stays in its day.
func ParseRFC3339(text []byte) (Stamp, bool) {
	c := cursor{b: TrimSpace(text)}
	days, ok := c.date()
	if !ok {
		return Stamp{}, false
	}
	s := Stamp{Wall: days * Day}
	if len(c.b) == 0 {
		return s, true
	}
	if !c.take('T') && !c.take('t') {
		c.byte(' ')
	}
	s.HasTime = true
	s.Wall += c.timeOfDay()
	if len(c.b) != 0 && !c.bad {
		s.HasOffset = true
		s.Offset = c.offset()
	}
	return s, !c.bad && len(c.b) == 0
}

// ParseCLF reads the time of a Common Log Format line, "17/May/2015:10:05:03 +0000", with or
// without its brackets.
func ParseCLF(text []byte) (Stamp, bool) {
	c := cursor{b: TrimSpace(text)}
	bracket := c.take('[')
	day := c.digits(2)
	c.byte('/')
	month := c.monthName()
	c.byte('/')
	year := c.digits(4)
	c.byte(':')
	if c.bad || !IsDate(year, month, day) {
		return Stamp{}, false
	}
	s := Stamp{HasTime: true, HasOffset: true}
	s.Wall = DaysFromCivil(year, month, day)*Day + c.timeOfDay()
	c.byte(' ')
	s.Offset = c.numericOffset()
	if bracket {
		c.byte(']')
	}
	return s, !c.bad && len(c.b) == 0
}

// ParseYYYYMMDD reads a date of eight digits as days since 1970-01-01.
func ParseYYYYMMDD(text []byte) (int64, bool) {
	c := cursor{b: TrimSpace(text)}
	year, month, day := c.digits(4), c.digits(2), c.digits(2)
	if c.bad || len(c.b) != 0 || !IsDate(year, month, day) {
		return 0, false
	}
	return DaysFromCivil(year, month, day), true
}

func (c *cursor) date() (days int64, ok bool) {
	year := c.digits(4)
	c.byte('-')
	month := c.digits(2)
	c.byte('-')
	day := c.digits(2)
	if c.bad || !IsDate(year, month, day) {
		return 0, false
	}
	return DaysFromCivil(year, month, day), true
}

func (c *cursor) monthName() int64 {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if len(c.b) >= 3 {
		for m := range 12 {
			if string(c.b[:3]) == names[3*m:3*m+3] {
				c.b = c.b[3:]
				return int64(m + 1)
			}
		}
	}
	c.bad = true
	return 0
}

// timeOfDay reads hh:mm, hh:mm:ss or hh:mm:ss.fraction as microseconds.
func (c *cursor) timeOfDay() int64 {
	hour := c.digits(2)
	c.byte(':')
	minute := c.digits(2)
	var second, micros int64
	if !c.bad && c.take(':') {
		second = c.digits(2)
		if !c.bad && (c.take('.') || c.take(',')) {
			micros = c.fraction()
		}
	}
	if hour > 23 || minute > 59 || second > 60 {
		c.bad = true
	}
	if second == 60 {
		second, micros = 59, Second-1
	}
	return hour*Hour + minute*60*Second + second*Second + micros
}

// fraction reads one digit or more and keeps six.
func (c *cursor) fraction() int64 {
	var v int64
	n := 0
	for n < len(c.b) && c.b[n] >= '0' && c.b[n] <= '9' {
		if n < 6 {
			v = v*10 + int64(c.b[n]-'0')
		}
		n++
	}
	if n == 0 {
		c.bad = true
	}
	for i := n; i < 6; i++ {
		v *= 10
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) offset() int64 {
	c.take(' ')
	if c.take('Z') || c.take('z') {
		return 0
	}
	if string(c.b) == "UTC" {
		c.b = nil
		return 0
	}
	return c.numericOffset()
}

// numericOffset reads +01:00, +0100 or +01.
func (c *cursor) numericOffset() int64 {
	sign := int64(1)
	if c.take('-') {
		sign = -1
	} else {
		c.byte('+')
	}
	hours := c.digits(2)
	var minutes int64
	if len(c.b) != 0 && c.b[0] != ']' {
		c.take(':')
		minutes = c.digits(2)
	}
	if hours > 23 || minutes > 59 {
		c.bad = true
	}
	return sign * (hours*Hour + minutes*60*Second)
}
