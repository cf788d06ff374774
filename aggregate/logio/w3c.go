// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

const (
	// fieldsMark begins the line that names the fields.
	fieldsMark = "#Fields:"
	// maxFields bounds what such a line may make us allocate, and maxSections what many of them may.
	maxFields, maxSections = 1 << 12, 1 << 12
	// dateTime is the column that is made of the two others.
	dateTime, date, clock = "date_time", "date", "time"
)

func isFields(p []byte) bool { return bytes.HasPrefix(p, []byte(fieldsMark)) }

// header is the names of a #Fields line, in order.
type header []string

// parseHeader reads a #Fields line. It returns nil where that has no names or too many.
func parseHeader(line []byte) header {
	names := strings.Fields(string(bytes.TrimPrefix(line, []byte(fieldsMark))))
	if len(names) == 0 || len(names) > maxFields {
		return nil
	}
	return names
}

// readHeader goes to the first line after the first #Fields line.
func readHeader(ctx context.Context, src *blocks.Source, file string) (header, error) {
	refuse := func(problem string, err error) (header, error) {
		return nil, &table.Error{File: file, Problem: problem, Err: err}
	}
	for {
		p := src.Rest()
		line := bytes.IndexByte(p, '\n') + 1
		switch {
		case line == 0 && len(p) > maxLine:
			return refuse("has a line of more than 1 MiB before its #Fields line; is it a W3C log?", table.ErrLimit)
		case line == 0 && !src.AtEnd():
			if err := src.More(ctx); err != nil {
				return nil, err
			}
			continue
		case len(p) == 0:
			return refuse("has no #Fields line; a W3C log needs one before its records", table.ErrSchema)
		case line == 0:
			line = len(p)
		}
		text := bytes.TrimSpace(p[:line])
		switch {
		case isFields(text):
			head := parseHeader(text)
			if head == nil {
				return refuse("has a #Fields line without names or with more than 4,096; put it right", table.ErrSchema)
			}
			src.Skip(line)
			return head, nil
		case len(text) > 0 && text[0] != '#':
			return refuse("has no #Fields line before its first record; put it there, or name another format", table.ErrSchema)
		}
		src.Skip(line)
	}
}

// columns returns what can be asked for, each once.
func (h header) columns() []string {
	var names []string
	seen := map[string]bool{}
	for _, name := range h {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if seen[date] && seen[clock] && !seen[dateTime] {
		names = append(names, dateTime)
	}
	return names
}

// column is where a wanted column stands, and more where the second part of it does, or -1; header says
// that it is a field of the request's or answer's header, agent that it is the User-Agent.
type column struct {
	field, more   int
	header, agent bool
}

// section is how the lines between two #Fields lines are read. It does not change once it is made.
type section struct {
	fields int
	// needed is how many fields there are up to the last wanted one.
	needed  int
	columns []column
}

// project finds the asked columns. line is how errors call the line.
func (h header) project(file, line string, asked []string) (*section, error) {
	s := &section{fields: len(h)}
	var faults []error
	for _, name := range asked {
		c, problem := h.find(name, line)
		if problem != "" {
			faults = append(faults, &table.Error{File: file, Column: name, Problem: problem, Err: table.ErrSchema})
		}
		s.needed = max(s.needed, c.field+1, c.more+1)
		s.columns = append(s.columns, c)
	}
	return s, errors.Join(faults...)
}

// find returns the column of that name, or why it cannot be had.
func (h header) find(name, line string) (c column, problem string) {
	c.more = -1
	if c.field = slices.Index(h, name); c.field < 0 && name == dateTime {
		if c, problem = h.find(date, line); problem != "" {
			return c, "is not there; " + line + " names no date"
		}
		t, problem := h.find(clock, line)
		if problem != "" {
			return c, "is not there; " + line + " names no time"
		}
		c.more = t.field
		return c, ""
	}
	if c.field < 0 {
		return c, "is not there; " + hint(h, name, line)
	}
	if slices.Contains(h[c.field+1:], name) {
		return c, "is there more than once; rename all but one in " + line
	}
	inner, ok := strings.CutSuffix(name, ")")
	_, inner, cut := strings.Cut(inner, "(")
	c.agent = strings.EqualFold(inner, "User-Agent")
	c.header = ok && cut && !strings.EqualFold(inner, "Referer") && !strings.EqualFold(inner, "Referrer")
	return c, ""
}

// hint proposes the name that differs only in case.
func hint(names []string, asked, line string) string {
	for _, name := range names {
		if strings.EqualFold(name, asked) {
			return `did you mean "` + name + `"?`
		}
	}
	return "check " + line
}

// sections are those that the cutter has come to. It adds while readers look.
type sections struct {
	file    string
	columns []string
	mu      sync.Mutex
	list    []*section
	// last is the line that was added last, which the cutter alone looks at.
	last []byte
	// err is what is wrong with a #Fields line, the first that there was. It is every reader's, whether
	// records follow or not: a record must not decide whether a run fails.
	err error
}

// isLast reports whether a line is the one that was added last.
func (s *sections) isLast(line []byte) bool { return bytes.Equal(line, s.last) }

// add returns the number of the section that a #Fields line begins; nil is a line too long to read.
func (s *sections) add(line []byte) int {
	s.last = append(s.last[:0], line...)
	made, err := s.make(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, old := range s.list {
		if err == nil && old.fields == made.fields && slices.Equal(old.columns, made.columns) {
			return i
		}
	}
	if err == nil && len(s.list) == maxSections {
		err = &table.Error{File: s.file, Problem: "has more than 4,096 different #Fields lines; split it into several files", Err: table.ErrLimit}
	}
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return 0
	}
	s.list = append(s.list, made)
	return len(s.list) - 1
}

func (s *sections) make(line []byte) (*section, error) {
	head := parseHeader(line)
	if head == nil {
		return nil, &table.Error{File: s.file, Problem: "has a later #Fields line without names or with more than 4,096; put it right", Err: table.ErrSchema}
	}
	return head.project(s.file, "a later #Fields line", s.columns)
}

// get returns a section by its number, or what is wrong with the log.
func (s *sections) get(number int) (*section, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[number], s.err
}
