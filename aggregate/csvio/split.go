// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"
	"context"
	"io"
)

const (
	// maxRecord is the most bytes that a record may have.
	maxRecord = 1 << 20
	// firstBuffer fits the second-level cache of most processors.
	firstBuffer = 256 << 10
	// maxBuffer is above maxRecord, so that a full buffer without a record's end proves it too long.
	maxBuffer = 2 << 20
	// maxEmptyReads is how many times a reader may return nothing and no error.
	maxEmptyReads = 100
)

// splitter cuts the input into records. It holds the unread input in buf[pos:w].
type splitter struct {
	src    io.Reader
	buf    []byte
	pos, w int
	eof    bool
	// base is the offset in the input of buf[0].
	base int64

	delim  []byte
	eol    byte
	fields int

	// quote is the index in buf of the first quote at or after pos, w if there is none, and of no
	// meaning while it is below pos.
	quote int
	// skipping: the record at pos is too long, and all up to the next line is dropped.
	skipping bool
	// linesUntil is the offset in the input below which a line's end ends a record even in quotes.
	linesUntil int64
}

func (s *splitter) rest() []byte { return s.buf[s.pos:s.w] }

// index returns the position of the first delimiter in p, -1 if there is none.
func (s *splitter) index(p []byte) int {
	if len(s.delim) == 1 {
		return bytes.IndexByte(p, s.delim[0])
	}
	return bytes.Index(p, s.delim)
}

// fill reads until the buffer is full or the input ends, and makes the buffer larger if need be. It
// reads a lot at a time, so that a record that needs filling is looked at only a few times.
func (s *splitter) fill(ctx context.Context) error {
	s.base += int64(s.pos)
	s.w = copy(s.buf, s.buf[s.pos:s.w])
	s.pos, s.quote = 0, -1
	if s.w == len(s.buf) && len(s.buf) < maxBuffer {
		s.buf = append(make([]byte, 0, max(firstBuffer, 2*len(s.buf))), s.buf...)
		s.buf = s.buf[:cap(s.buf)]
	}
	for empty := 0; s.w < len(s.buf) && !s.eof; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		if empty++; n > 0 {
			empty = 0
		}
		switch {
		case err == io.EOF:
			s.eof = true
		case err != nil:
			return err
		case empty > maxEmptyReads:
			return io.ErrNoProgress
		}
	}
	return nil
}

// skipBlank goes to the first line that is not empty.
func (s *splitter) skipBlank(ctx context.Context) error {
	for {
		for s.pos < s.w && (s.buf[s.pos] == s.eol || s.atCRLF()) {
			s.pos++
		}
		if s.eof || s.w-s.pos > 1 {
			return nil
		}
		if err := s.fill(ctx); err != nil {
			return err
		}
	}
}

// atCRLF reports whether the CR of a CRLF, or of a CR at the very end, stands at pos.
func (s *splitter) atCRLF() bool {
	if s.eol != '\n' || s.buf[s.pos] != '\r' {
		return false
	}
	if s.pos+1 < s.w {
		return s.buf[s.pos+1] == '\n'
	}
	return s.eof
}

// next returns the next good record without its line end, and whether it has quotes. The record
// stays valid until the next call. At the end of the input it returns io.EOF.
func (s *splitter) next(ctx context.Context) (rec []byte, quoted bool, err error) {
	for {
		p := s.rest()
		k := bytes.IndexByte(p, s.eol)
		if k < 0 && !s.eof {
			if s.skipping || len(p) > maxRecord {
				s.skipping, s.pos = true, s.w
			}
			if err := s.fill(ctx); err != nil {
				return nil, false, err
			}
			continue
		}
		if len(p) == 0 {
			return nil, false, io.EOF
		}
		next := k + 1
		if k < 0 {
			k, next = len(p), len(p)
		}
		if s.skipping || k > maxRecord {
			s.skipping = false
			s.pos += next
			continue
		}
		if s.quoteBefore(s.pos + k) {
			rec, err := s.quoted(ctx, k, next)
			if err != nil || rec != nil {
				return rec, true, err
			}
			continue
		}
		s.pos += next
		line := s.trimCR(p[:k])
		if len(line) != 0 && bytes.Count(line, s.delim)+1 == s.fields {
			return line, false, nil
		}
	}
}

// trimCR drops the CR of a CRLF.
func (s *splitter) trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' && s.eol == '\n' {
		return line[:n-1]
	}
	return line
}

// quoteBefore reports whether a quote stands between pos and end. It looks at each byte once.
func (s *splitter) quoteBefore(end int) bool {
	if s.quote < s.pos {
		s.quote = s.w
		if i := bytes.IndexByte(s.rest(), '"'); i >= 0 {
			s.quote = s.pos + i
		}
	}
	return s.quote < end
}

// quoted takes the record at pos, whose first line has a quote and line bytes, next with its end. It
// returns nil and no error where the record was dropped or more input was needed to judge it.
func (s *splitter) quoted(ctx context.Context, line, next int) ([]byte, error) {
	p := s.rest()
	if s.base+int64(s.pos) < s.linesUntil {
		s.pos += next
		r, verdict := s.scan(p[:line], true)
		if verdict == whole && r.fields == s.fields {
			return p[:r.end], nil
		}
		return nil, nil
	}
	r, verdict := s.scan(p, s.eof)
	if verdict == short && len(p) <= maxRecord {
		return nil, s.fill(ctx)
	}
	if verdict != whole || r.end > maxRecord {
		// What the failed attempt has looked at is read again, but only once: see linesUntil.
		s.linesUntil = s.base + int64(s.pos+r.end)
		s.pos += next
		return nil, nil
	}
	s.pos += r.next
	if r.fields != s.fields {
		return nil, nil
	}
	return p[:r.end], nil
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
func (s *splitter) scan(p []byte, final bool) (record, verdict) {
	i, fields, eol := 0, 1, -1
	for ; ; fields++ {
		if i < len(p) && p[i] == '"' {
			n, closed := closing(p[i+1:])
			i += 1 + n
			if !closed || (i == len(p) && !final) {
				return record{end: len(p)}, unless(final, broken, short)
			}
			n, verdict := s.afterQuote(p[i:], final)
			if verdict != whole {
				return record{end: i}, verdict
			}
			if n < 0 {
				i += len(s.delim)
				continue
			}
			return record{i, i + n, fields}, whole
		}
		if eol < i {
			eol = len(p)
			if k := bytes.IndexByte(p[i:], s.eol); k >= 0 {
				eol = i + k
			}
		}
		if k := s.index(p[i:eol]); k >= 0 {
			i += k + len(s.delim)
			continue
		}
		if eol == len(p) && !final {
			return record{end: len(p)}, short
		}
		return record{len(s.trimCR(p[:eol])), min(eol+1, len(p)), fields}, whole
	}
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
// of the line end.
func (s *splitter) afterQuote(p []byte, final bool) (n int, v verdict) {
	switch {
	case len(p) == 0:
		return 0, whole
	case bytes.HasPrefix(p, s.delim):
		return -1, whole
	case p[0] == s.eol:
		return 1, whole
	case p[0] == '\r' && len(p) == 1 && final:
		return 1, whole
	case p[0] == '\r' && len(p) > 1 && p[1] == s.eol:
		return 2, whole
	case !final && len(p) < max(2, len(s.delim)):
		return 0, short
	}
	return 0, broken
}

// cursor walks over the fields of a record that scan found whole.
type cursor struct {
	*splitter
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
