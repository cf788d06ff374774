// SPDX-License-Identifier: Apache-2.0

package csvio

import "bytes"

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

// index returns the position of the first delimiter in p, -1 if there is none.
func (d *dialect) index(p []byte) int {
	if len(d.delim) == 1 {
		return bytes.IndexByte(p, d.delim[0])
	}
	return bytes.Index(p, d.delim)
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

// scan finds the end of the record at the beginning of p; final says that no input follows p. For
// the verdicts other than whole, end is how far it looked.
func (d *dialect) scan(p []byte, final bool) (record, verdict) {
	i, fields, eol := 0, 1, -1
	for ; ; fields++ {
		if i < len(p) && p[i] == '"' {
			n, closed := closing(p[i+1:])
			i += 1 + n
			if !closed || (i == len(p) && !final) {
				return record{end: len(p)}, unless(final, broken, short)
			}
			n, verdict := d.afterQuote(p[i:], final)
			if verdict != whole {
				return record{end: i}, verdict
			}
			if n < 0 {
				i += len(d.delim)
				continue
			}
			return record{i, i + n, fields}, whole
		}
		if eol < i {
			eol = len(p)
			if k := bytes.IndexByte(p[i:], d.eol); k >= 0 {
				eol = i + k
			}
		}
		if k := d.index(p[i:eol]); k >= 0 {
			i += k + len(d.delim)
			continue
		}
		if eol == len(p) && !final {
			return record{end: len(p)}, short
		}
		return record{len(d.trimCR(p[:eol])), min(eol+1, len(p)), fields}, whole
	}
}

// judge finds the end of the record with quotes at the beginning of p, as scan does, and holds it to
// the limit: a record that does not end within it is broken. What it finds depends on nothing that
// lies beyond lookahead.
func (d *dialect) judge(p []byte, final bool) (record, verdict) {
	if len(p) > lookahead {
		p, final = p[:lookahead], false
	}
	r, v := d.scan(p, final)
	if v == short && len(p) == lookahead || v == whole && r.end > maxRecord {
		v = broken
	}
	return r, v
}

func unless(final bool, a, b verdict) verdict {
	if final {
		return a
	}
	return b
}

// closing returns the number of bytes up to and with the quote that closes a field, doubled quotes
// aside.
func closing(p []byte) (n int, closed bool) {
	for {
		k := bytes.IndexByte(p[n:], '"')
		if k < 0 {
			return len(p), false
		}
		n += k + 1
		if n == len(p) || p[n] != '"' {
			return n, true
		}
		n++
	}
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

// cursor walks over the fields of a record that scan found whole.
type cursor struct {
	*dialect
	rest []byte
	done bool
}

// next returns the next field without the quotes around it, and whether there were any.
func (c *cursor) next() (field []byte, quoted bool) {
	if len(c.rest) > 0 && c.rest[0] == '"' {
		n, _ := closing(c.rest[1:])
		field = c.rest[1:n]
		c.advance(c.rest[1+n:])
		return field, true
	}
	k := c.index(c.rest)
	if k < 0 {
		field, c.done = c.rest, true
		return field, false
	}
	field = c.rest[:k]
	c.rest = c.rest[k+len(c.delim):]
	return field, false
}

// advance goes to the field after a quoted one.
func (c *cursor) advance(rest []byte) {
	if len(rest) == 0 {
		c.done = true
		return
	}
	c.rest = rest[len(c.delim):]
}
