// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"
	"context"
	"io"

	"github.com/throngdp/throng/aggregate/table"
)

const (
	// maxLine is the longest line, without its end, that can be a record.
	maxLine = 1 << 20
	// firstBuffer fits into a core's cache and holds hundreds of ordinary lines.
	firstBuffer = 128 << 10
	// maxEmptyReads is how often in a row a reader may return nothing, as in bufio.
	maxEmptyReads = 100
)

// lineReader cuts an input into lines and leaves out those that are too long.
type lineReader struct {
	in io.Reader
	// buf[from:to] is read and not yet handed out; its first seen bytes hold no line end.
	buf            []byte
	from, to, seen int
	// tooLong: what is in buf continues a line that is being left out.
	tooLong bool
	// err is what the input ended with.
	err error
	// read is the number of bytes read from the input.
	read int64
}

// start strips the byte order mark, skips blanks and refuses what cannot be lines of objects. The
// errors are without the file's name.
func (l *lineReader) start(ctx context.Context) error {
	for l.to < 3 && l.fill(ctx) {
	}
	if bytes.HasPrefix(l.buf[:l.to], []byte("\xef\xbb\xbf")) {
		l.from = 3
	}
	for {
		for l.from < l.to && isBlank(l.buf[l.from]) {
			l.from++
		}
		if l.from < l.to || !l.fill(ctx) {
			break
		}
	}
	if l.err != nil && l.err != io.EOF {
		return l.err
	}
	if l.from == l.to {
		return nil
	}
	switch l.buf[l.from] {
	case '[':
		return &table.Error{Err: table.ErrMalformed, Problem: "got a JSON array, want newline-delimited JSON; write one object a line"}
	case '{':
		return l.refuseLayout(ctx)
	}
	return &table.Error{Err: table.ErrMalformed, Problem: "got something other than {, want newline-delimited JSON; write one object a line"}
}

// refuseLayout returns an error if the first line is { alone.
func (l *lineReader) refuseLayout(ctx context.Context) error {
	for i := 1; i <= maxLine; i++ {
		if l.from+i == l.to && !l.fill(ctx) {
			break
		}
		c := l.buf[l.from+i]
		if c == '\n' {
			return &table.Error{Err: table.ErrMalformed, Problem: "got a JSON object laid out over several lines; write one object a line"}
		}
		if !isBlank(c) {
			return nil
		}
	}
	if l.err == io.EOF {
		return nil
	}
	return l.err
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// next returns the next line without its end, valid until the next call, or the input's error.
func (l *lineReader) next(ctx context.Context) ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.from+l.seen:l.to], '\n'); i >= 0 {
			line := l.buf[l.from : l.from+l.seen+i]
			l.from, l.seen = l.from+len(line)+1, 0
			if l.keep(line) {
				return line, nil
			}
			continue
		}
		if l.seen = l.to - l.from; l.seen > maxLine {
			l.tooLong = true
			l.from, l.to, l.seen = 0, 0, 0
		}
		if l.fill(ctx) {
			continue
		}
		line := l.buf[l.from:l.to]
		l.from, l.seen = l.to, 0
		if l.err == io.EOF && len(line) != 0 && l.keep(line) {
			return line, nil
		}
		return nil, l.err
	}
}

// keep reports whether a line that has just ended may be a record.
func (l *lineReader) keep(line []byte) bool {
	ok := !l.tooLong && len(line) <= maxLine
	l.tooLong = false
	return ok
}

// fill reads more into buf, whose unread bytes it may move. It reports false once the input has
// ended, for the reason in err.
func (l *lineReader) fill(ctx context.Context) bool {
	if l.err != nil {
		return false
	}
	if l.err = ctx.Err(); l.err != nil {
		return false
	}
	l.makeRoom()
	for range maxEmptyReads {
		n, err := l.in.Read(l.buf[l.to:])
		l.to += n
		l.read += int64(n)
		if err != nil {
			l.err = err
		}
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	l.err = io.ErrNoProgress
	return false
}

func (l *lineReader) makeRoom() {
	if l.from > 0 {
		copy(l.buf, l.buf[l.from:l.to])
		l.from, l.to = 0, l.to-l.from
	}
	if l.to == len(l.buf) {
		grown := make([]byte, max(firstBuffer, 2*len(l.buf)))
		copy(grown, l.buf[:l.to])
		l.buf = grown
	}
}
