// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"

	"github.com/throngdp/throng/aggregate/internal/blocks"
)

// cutter finds the ends of records without taking them apart. It implements [blocks.Cutter], and finds
// the same records in the stream as a reader does in the blocks that come of it.
type cutter struct {
	*dialect
	// until is how many bytes of the input to come are read line by line: a line's end ends a record
	// even in quotes. A block's State tells its reader.
	until int
	// skipping: what comes continues a line that is too long, and is dropped up to the next one.
	skipping bool
}

// Cut implements [blocks.Cutter].
func (c *cutter) Cut(p []byte, final bool) blocks.Piece {
	piece := blocks.Piece{State: c.until}
	if c.skipping {
		piece.Len, piece.Drop = len(p), true
		if k := bytes.IndexByte(p, c.eol); k >= 0 {
			piece.Len, c.skipping = k+1, false
		}
	} else if piece.Len = c.records(p, final); piece.Len == 0 && len(p) > maxRecord && bytes.IndexByte(p, c.eol) < 0 {
		piece.Len, piece.Drop, c.skipping = len(p), true, true
	}
	c.until = max(0, c.until-piece.Len)
	return piece
}

// records returns how many bytes of p are whole records.
func (c *cutter) records(p []byte, final bool) int {
	for pos := 0; pos < len(p); {
		if pos < c.until {
			if c.until <= len(p) {
				if k := bytes.IndexByte(p[c.until-1:], c.eol); k >= 0 {
					pos = c.until + k
					continue
				}
			}
			return pos + c.lines(p[pos:], final)
		}
		quote := bytes.IndexByte(p[pos:], '"')
		if quote < 0 {
			return pos + c.lines(p[pos:], final)
		}
		quote += pos
		pos += bytes.LastIndexByte(p[pos:quote], c.eol) + 1
		n := c.quoted(p, pos, quote, final)
		if n == 0 {
			return pos
		}
		pos += n
	}
	return len(p)
}

// lines returns how many bytes of p are whole lines.
func (c *cutter) lines(p []byte, final bool) int {
	if final {
		return len(p)
	}
	return bytes.LastIndexByte(p, c.eol) + 1
}

// quoted returns the length of the record at pos, whose first line has its first quote at quote, or of
// that line where the record is dropped; 0 where more input is needed to tell.
func (c *cutter) quoted(p []byte, pos, quote int, final bool) int {
	line := bytes.IndexByte(p[pos:], c.eol)
	switch {
	case line < 0 && !final:
		return 0
	case line < 0:
		return len(p) - pos
	case line > maxRecord:
		return line + 1
	}
	rest, final := window(p[pos:], final)
	r, verdict := c.skim(rest, quote-pos, final)
	switch settle(r, verdict, rest) {
	case whole:
		return r.next
	case short:
		return 0
	}
	c.until = pos + r.end
	return line + 1
}

// skim finds what scan finds, the number of fields aside, and needs to look only at quotes and what
// is around them. first is the position of the first quote.
func (c *cutter) skim(p []byte, first int, final bool) (record, verdict) {
	if len(c.delim) > 1 || first >= len(p) {
		return c.scan(p, final, nil)
	}
	for i := first; ; {
		if i > 0 && p[i-1] != c.delim[0] {
			i++ // a quote within a field is data
		} else {
			_, next := closing(p, i)
			if next < 0 || next == len(p) && !final {
				return record{end: len(p)}, unless(final, broken, short)
			}
			if next == len(p) || p[next] != c.delim[0] {
				n, verdict := c.afterQuote(p[next:], final)
				return record{end: next, next: next + n}, verdict
			}
			i = next + 1
		}
		if i = either(p, i, '"', c.eol); i == len(p) && !final {
			return record{end: len(p)}, short
		}
		if i == len(p) || p[i] == c.eol {
			return record{end: len(c.trimCR(p[:i])), next: min(i+1, len(p))}, whole
		}
	}
}
