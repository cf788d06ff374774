// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// maxRecord is the most bytes that a record may have.
const maxRecord = 1 << 20

// lookahead is how much of the input decides where the record at its beginning ends: the longest
// record, and a line end or delimiter behind it.
const lookahead = maxRecord + maxDelimiter + 2

// dialect is how records and fields are told apart. It is settled before the first record of data and
// then never changes.
type dialect struct {
	delim  []byte
	eol    byte
	fields int
}

// fieldEnd returns where the field ends that begins at i in a record without quotes.
func (d *dialect) fieldEnd(rec []byte, i int) int {
	if len(d.delim) == 1 {
		return near(rec, i, d.delim[0])
	}
	if k := bytes.Index(rec[i:], d.delim); k >= 0 {
		return i + k
	}
	return len(rec)
}

// trimCR drops the CR of a CRLF.
func (d *dialect) trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' && d.eol == '\n' {
		return line[:n-1]
	}
	return line
}

// verdict says what scan found.
type verdict uint8

const (
	whole  verdict = iota // a record
	short                 // the input ends before the record does
	broken                // the quotes do not work out
)

// record is where scan ended: the record's length without and with its line end, and its fields.
type record struct{ end, next, fields int }

// span is where in a record a field stands, without the quotes around it.
type span struct {
	start, end int
	// doubled: there are quotes in it, which are doubled.
	quoted, doubled bool
}

// scan finds the end of the record at the beginning of p and its first fields, as many as spans has
// room for; final says that no input follows p. For the verdicts other than whole, end is how far it
// looked.
func (d *dialect) scan(p []byte, final bool, spans []span) (record, verdict) {
	i, eol := 0, -1
	for fields := 1; ; fields++ {
		if i < len(p) && p[i] == '"' {
			field, next := closing(p, i)
			if next < 0 || next == len(p) && !final {
				return record{end: len(p)}, unless(final, broken, short)
			}
			if fields <= len(spans) {
				spans[fields-1] = field
			}
			if next < len(p) && len(d.delim) == 1 && p[next] == d.delim[0] {
				i = next + 1
				continue
			}
			n, verdict := d.afterQuote(p[next:], final)
			if verdict != whole {
				return record{end: next}, verdict
			}
			if n >= 0 {
				return record{next, next + n, fields}, whole
			}
			i = next + len(d.delim)
			continue
		}
		var end int
		var more bool
		if end, eol, more = d.separator(p, i, eol); end == len(p) && !final {
			return record{end: len(p)}, short
		}
		field := span{start: i, end: end}
		if !more {
			field.end = len(d.trimCR(p[:end]))
		}
		if fields <= len(spans) {
			spans[fields-1] = field
		}
		if !more {
			return record{field.end, min(end+1, len(p)), fields}, whole
		}
		i = end + len(d.delim)
	}
}

// separator finds the end of the field without quotes at i, and reports whether a delimiter stands
// there. eol is where a line end was found before, which is then not looked for again.
func (d *dialect) separator(p []byte, i, eol int) (end, lineEnd int, delim bool) {
	if len(d.delim) == 1 {
		end = either(p, i, d.delim[0], d.eol)
		return end, eol, end < len(p) && p[end] == d.delim[0]
	}
	if eol < i {
		eol = len(p)
		if k := bytes.IndexByte(p[i:], d.eol); k >= 0 {
			eol = i + k
		}
	}
	if k := bytes.Index(p[i:eol], d.delim); k >= 0 {
		return i + k, eol, true
	}
	return eol, eol, false
}

// judge finds the end of the record with quotes at the beginning of p, as scan does, and holds it to
// the limit: a record that does not end within it is broken. What it finds depends on nothing that
// lies beyond lookahead.
func (d *dialect) judge(p []byte, final bool, spans []span) (record, verdict) {
	p, final = window(p, final)
	r, v := d.scan(p, final, spans)
	return r, settle(r, v, p)
}

func window(p []byte, final bool) ([]byte, bool) {
	if len(p) > lookahead {
		return p[:lookahead], false
	}
	return p, final
}

func settle(r record, v verdict, p []byte) verdict {
	if v == short && len(p) == lookahead || v == whole && r.end > maxRecord {
		return broken
	}
	return v
}

func unless(final bool, a, b verdict) verdict {
	if final {
		return a
	}
	return b
}

// closing finds the quote that closes the field whose opening quote stands at open. next is the
// position after it, -1 where there is none.
func closing(p []byte, open int) (field span, next int) {
	field = span{start: open + 1, quoted: true}
	for i := field.start; ; i += 2 {
		if i = near(p, i, '"'); i == len(p) {
			return field, -1
		}
		if i+1 == len(p) || p[i+1] != '"' {
			field.end = i
			return field, i + 1
		}
		field.doubled = true
	}
}

// ones times a byte is that byte in each of eight.
const ones = 0x0101010101010101

// near returns the position of the first c in p from i on, len(p) if there is none. It is for what is
// near, where calling [bytes.IndexByte] takes longer than looking.
func near(p []byte, i int, c byte) int {
	for cs := ones * uint64(c); i+8 <= len(p); i += 8 {
		// The lowest of the eight bytes that has its high bit set is c.
		x := binary.LittleEndian.Uint64(p[i:]) ^ cs
		if found := (x - ones) &^ x & (ones * 0x80); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(p) && p[i] != c {
		i++
	}
	return i
}

// either returns the position of the first a or b in p from i on, as near does.
func either(p []byte, i int, a, b byte) int {
	for as, bs := ones*uint64(a), ones*uint64(b); i+8 <= len(p); i += 8 {
		x := binary.LittleEndian.Uint64(p[i:])
		if found := ((x^as-ones)&^(x^as) | (x^bs-ones)&^(x^bs)) & (ones * 0x80); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(p) && p[i] != a && p[i] != b {
		i++
	}
	return i
}

// afterQuote judges what follows a closing quote: n is -1 for a delimiter, and otherwise the length
// of the line end. It is short only where p is the beginning of a delimiter or of a line end.
func (d *dialect) afterQuote(p []byte, final bool) (n int, v verdict) {
	switch {
	case len(p) == 0:
		return 0, whole
	case bytes.HasPrefix(p, d.delim):
		return -1, whole
	case p[0] == d.eol:
		return 1, whole
	case p[0] == '\r' && len(p) == 1 && final:
		return 1, whole
	case p[0] == '\r' && len(p) > 1 && p[1] == d.eol:
		return 2, whole
	case !final && (bytes.HasPrefix(d.delim, p) || len(p) == 1 && p[0] == '\r'):
		return 0, short
	}
	return 0, broken
}
