// SPDX-License-Identifier: Apache-2.0

package logio

import "bytes"

// w3c takes lines of W3C logs apart.
type w3c struct {
	known *sections
	*section
	fields []field
}

// field is one of the wanted fields of a line, or one before them: its text without the quotes around it.
type field struct {
	text            []byte
	quoted, doubled bool
}

func (w *w3c) begin(state int) error {
	var err error
	w.section, err = w.known.get(state)
	if cap(w.fields) < w.needed {
		w.fields = make([]field, w.needed)
	}
	w.fields = w.fields[:w.needed]
	return err
}

func (w *w3c) parse(line []byte, cells []cell) bool {
	if line[0] == '#' {
		return false
	}
	separator := byte(' ')
	if bytes.IndexByte(line, '\t') >= 0 {
		separator = '\t'
	} else {
		line = bytes.TrimLeft(line, " ")
	}
	if !w.split(line, separator) {
		return false
	}
	for i, c := range w.columns {
		f := &w.fields[c.field]
		if c.more < 0 {
			cells[i] = cellOf(f.text, f.form(c, separator))
			continue
		}
		first, second := cellOf(f.text, joined), cellOf(w.fields[c.more].text, joined)
		if cells[i] = first; second.form == null {
			cells[i] = second
		}
		cells[i].more = second.raw
	}
	return true
}

// form says how the text of a column is written.
func (f *field) form(c column, separator byte) form {
	switch {
	case f.doubled:
		return doubled
	case f.quoted || !c.header:
		return plain
	case separator == ' ':
		return pluses
	case c.agent:
		return twice
	}
	return percent
}

// split finds the fields of a line and reports whether there are as many as there should be.
func (w *w3c) split(line []byte, separator byte) bool {
	for n, at := 0, 0; ; n++ {
		f, next, ok := next(line, at, separator)
		if !ok {
			return false
		}
		if n < len(w.fields) {
			w.fields[n] = f
		}
		if next == len(line) {
			return n+1 == w.section.fields
		}
		at = next + 1
		for separator == ' ' && line[at] == ' ' {
			at++ // the line does not end with a blank
		}
	}
}

// next reads the field at at, and returns the position of the separator after it or the length of the
// line.
func next(line []byte, at int, separator byte) (f field, end int, ok bool) {
	if at == len(line) || line[at] != '"' {
		end = len(line)
		if k := bytes.IndexByte(line[at:], separator); k >= 0 {
			end = at + k
		}
		return field{text: line[at:end]}, end, true
	}
	f.quoted = true
	for end = at + 1; ; end += 2 {
		k := bytes.IndexByte(line[end:], '"')
		if k < 0 {
			return f, 0, false
		}
		end += k
		if end+1 == len(line) || line[end+1] != '"' {
			break
		}
		f.doubled = true
	}
	f.text = line[at+1 : end]
	end++
	return f, end, end == len(line) || line[end] == separator
}
