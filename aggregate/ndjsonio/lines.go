// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"
	"context"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// maxLine is the longest line, without its end, that can be a record.
const maxLine = 1 << 20

// cutter cuts an input into blocks of whole lines: JSON has no line end within a value. It drops lines
// that outgrow the limit.
type cutter struct {
	// tooLong: what comes continues a line that is being dropped.
	tooLong bool
}

// Cut implements [blocks.Cutter].
func (c *cutter) Cut(p []byte, final bool) blocks.Piece {
	if c.tooLong {
		n := bytes.IndexByte(p, '\n') + 1
		c.tooLong = n == 0
		if n == 0 {
			n = len(p)
		}
		return blocks.Piece{Len: n, Drop: true}
	}
	if final {
		return blocks.Piece{Len: len(p)}
	}
	n := bytes.LastIndexByte(p, '\n') + 1
	if n == 0 && len(p) > maxLine {
		c.tooLong = true
		return blocks.Piece{Len: len(p), Drop: true}
	}
	return blocks.Piece{Len: n}
}

// start strips the byte order mark, skips blanks and refuses what cannot be lines of objects. The
// errors are without the file's name.
func start(ctx context.Context, src *blocks.Source) error {
	if err := src.More(ctx); err != nil {
		return err
	}
	if bytes.HasPrefix(src.Rest(), []byte("\xef\xbb\xbf")) {
		src.Skip(3)
	}
	for {
		p := src.Rest()
		text := bytes.TrimLeft(p, " \t\r\n")
		src.Skip(len(p) - len(text))
		if len(text) > 0 || src.AtEnd() {
			break
		}
		if err := src.More(ctx); err != nil {
			return err
		}
	}
	if len(src.Rest()) == 0 {
		return nil
	}
	switch src.Rest()[0] {
	case '[':
		return &table.Error{Err: table.ErrMalformed, Problem: "got a JSON array, want newline-delimited JSON; write one object a line"}
	case '{':
		return refuseLayout(ctx, src)
	}
	return &table.Error{Err: table.ErrMalformed, Problem: "got something other than {, want newline-delimited JSON; write one object a line"}
}

// refuseLayout returns an error if the first line is { alone.
func refuseLayout(ctx context.Context, src *blocks.Source) error {
	for {
		line := bytes.TrimLeft(src.Rest()[1:], " \t\r")
		switch blanks := len(src.Rest()) - 1 - len(line); {
		case blanks >= maxLine || len(line) > 0 && line[0] != '\n':
			return nil
		case len(line) > 0:
			return &table.Error{Err: table.ErrMalformed, Problem: "got a JSON object laid out over several lines; write one object a line"}
		case src.AtEnd():
			return nil
		}
		if err := src.More(ctx); err != nil {
			return err
		}
	}
}
