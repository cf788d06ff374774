// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"

	"github.com/throngdp/throng/aggregate/internal/blocks"
)

// records goes through the records of a block.
type records struct {
	*dialect
	block blocks.Block
	pos   int
	// quote is the index in the block of the first quote at or after pos, its length if there is none,
	// and of no meaning while it is below pos.
	quote int
	// until is where in the block reading line by line ends; see cutter.
	until int
	// spans are the first fields of the record with quotes that next has returned.
	spans []span
}

// begin goes to the first record of a block that has just been taken.
func (r *records) begin() { r.pos, r.quote, r.until = 0, -1, r.block.State }

// next returns the next good record without its line end, and whether it has quotes; nil after the
// last.
func (r *records) next() (rec []byte, quoted bool) {
	for r.pos < len(r.block.Data) {
		p := r.block.Data[r.pos:]
		k := bytes.IndexByte(p, r.eol)
		next := k + 1
		if k < 0 {
			k, next = len(p), len(p)
		}
		if k > maxRecord {
			r.pos += next
			continue
		}
		if r.quoteBefore(r.pos + k) {
			if rec := r.quoted(p, k, next); rec != nil {
				return rec, true
			}
			continue
		}
		r.pos += next
		line := r.trimCR(p[:k])
		if len(line) != 0 && bytes.Count(line, r.delim)+1 == r.fields {
			return line, false
		}
	}
	return nil, false
}

// quoteBefore reports whether a quote stands between pos and end. It looks at each byte once.
func (r *records) quoteBefore(end int) bool {
	if r.quote < r.pos {
		r.quote = len(r.block.Data)
		if i := bytes.IndexByte(r.block.Data[r.pos:], '"'); i >= 0 {
			r.quote = r.pos + i
		}
	}
	return r.quote < end
}

// quoted takes the record at pos, whose first line has a quote and line bytes, next with its end. It
// returns nil where the record is dropped.
func (r *records) quoted(p []byte, line, next int) []byte {
	if r.pos < r.until {
		r.pos += next
		found, verdict := r.scan(p[:line], true, r.spans)
		if verdict == whole && found.fields == r.fields {
			return p[:found.end]
		}
		return nil
	}
	found, verdict := r.judge(p, true, r.spans)
	if verdict != whole {
		// What the failed attempt has looked at is read again, but only once. A block has whole records:
		// one that does not end in it is known not to end at all.
		r.until = r.pos + found.end
		r.pos += next
		return nil
	}
	r.pos += found.next
	if found.fields != r.fields {
		return nil
	}
	return p[:found.end]
}
