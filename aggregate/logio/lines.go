// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"bytes"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// maxLine is the longest line, without its end, that can be a record.
const maxLine = 1 << 20

// cutter cuts a log into blocks of whole lines: nothing in a log has a line end in it. It drops lines
// that outgrow the limit, and of a W3C log the #Fields lines that differ from the one before, after which a new block begins:
// a block's State is the number of the section that it belongs to.
type cutter struct {
	// tooLong: what comes continues a line that is being dropped.
	tooLong bool
	// sections is nil where there are none.
	sections *sections
	// state is the current section.
	state int
}

// Cut implements [blocks.Cutter].
func (c *cutter) Cut(p []byte, final bool) blocks.Piece {
	line := bytes.IndexByte(p, '\n') + 1
	switch {
	case c.tooLong:
		c.tooLong = line == 0
		if line == 0 {
			line = len(p)
		}
		return blocks.Piece{Len: line, Drop: true}
	case line == 0 && len(p) > maxLine:
		c.tooLong = true
		if c.sections != nil && isFields(p) {
			return c.begin(nil, len(p))
		}
		return blocks.Piece{Len: len(p), Drop: true}
	case line == 0 && !final:
		return blocks.Piece{}
	case c.sections == nil:
		return blocks.Piece{Len: whole(p, final)}
	}
	n := whole(p, final)
	for at := 0; ; {
		if isFields(p[at:n]) {
			line := p[at : at+near(p[at:n])]
			switch same := c.sections.isLast(line); {
			case !same && at > 0:
				return blocks.Piece{Len: at, State: c.state}
			case !same:
				return c.begin(line, len(line))
			}
			at += len(line)
			continue
		}
		k := bytes.Index(p[at:n], []byte("\n"+fieldsMark))
		if k < 0 {
			return blocks.Piece{Len: n, State: c.state}
		}
		at += k + 1
	}
}

// near returns the length of the line at the beginning of p, with its end.
func near(p []byte) int {
	if k := bytes.IndexByte(p, '\n'); k >= 0 {
		return k + 1
	}
	return len(p)
}

// begin takes a #Fields line of n bytes, nil where it is too long.
func (c *cutter) begin(line []byte, n int) blocks.Piece {
	if len(line) > maxLine {
		line = nil
	}
	c.state = c.sections.add(line)
	return blocks.Piece{Len: n, Drop: true}
}

// whole returns how many bytes of p are whole lines.
func whole(p []byte, final bool) int {
	if final {
		return len(p)
	}
	return bytes.LastIndexByte(p, '\n') + 1
}

// skipMark drops a UTF-8 byte order mark and refuses those of UTF-16.
func skipMark(src *blocks.Source, file string) error {
	switch head := src.Rest(); {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return &table.Error{File: file, Problem: "is in UTF-16; save it as UTF-8", Err: table.ErrMalformed}
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		src.Skip(3)
	}
	return nil
}
