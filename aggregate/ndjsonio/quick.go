// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import "encoding/binary"

// maxQuickDepth is how deep quick looks into a record.
const maxQuickDepth = 64

// unsure is the position that the methods of quick return where they leave the verdict to the exact
// parser: the line is not sound, or has something that they do not know.
const unsure = -1

// quick is one pass over the line at buf[i:], which judges it and finds the columns at once. It
// returns the position of the line's end, or unsure: what it takes for a record is one, and of what it
// does not, it knows nothing. It counts on a line end: that is a byte which can stand neither in a
// string nor between values, and so nothing looks beyond it.
func (p *parser) quick(buf []byte, i int) int {
	if i = blank(buf, i); i == len(buf) || buf[i] != '{' {
		return unsure
	}
	if i = p.object(buf, i+1, &p.root, 1); i == unsure {
		return unsure
	}
	if i = blank(buf, i); i == len(buf) || buf[i] != '\n' {
		return unsure
	}
	return i
}

// blank returns the position of the first byte from i on that is no blank.
func blank(buf []byte, i int) int {
	for i < len(buf) && (buf[i] == ' ' || buf[i] == '\t' || buf[i] == '\r') {
		i++
	}
	return i
}

// object reads an object whose { stands before i and returns the position after it.
func (p *parser) object(buf []byte, i int, s *shape, depth int) int {
	if i = blank(buf, i); i < len(buf) && buf[i] == '}' {
		return i + 1
	}
	var had seen
	for last, at := -1, s.first; ; {
		if at < len(s.members) && s.members[at].begins(buf, i) {
			i += s.members[at].length
		} else if at, i = p.name(buf, i, s, last); i == unsure {
			return unsure
		}
		if !had.add(at) {
			return unsure
		}
		switch m := &s.members[at]; {
		case m.node != nil:
			i = p.column(buf, i, m, depth)
		case i < len(buf) && buf[i] == '"':
			i, _ = text(buf, i+1)
		default:
			i = p.value(buf, i, m, depth)
		}
		if i >= len(buf) || i == unsure {
			return unsure
		}
		if buf[i] != ',' {
			if i = blank(buf, i); i >= len(buf) {
				return unsure
			}
			if buf[i] == '}' {
				return i + 1
			}
			if buf[i] != ',' {
				return unsure
			}
		}
		i++
		last, at = at, s.members[at].next
	}
}

// begins reports whether the member's name and colon stand at i.
func (m *member) begins(buf []byte, i int) bool {
	if i+16 > len(buf) {
		return false
	}
	b := buf[i : i+16]
	differs := (binary.LittleEndian.Uint64(b) ^ m.words[0]) & m.masks[0]
	differs |= (binary.LittleEndian.Uint64(b[8:]) ^ m.words[1]) & m.masks[1]
	return differs == 0 && (m.length <= 16 || m.endsAt(buf, i+16))
}

// endsAt reports whether what follows the first 16 bytes of the member's name stands at i.
func (m *member) endsAt(buf []byte, i int) bool {
	end := i + m.length - 16
	return end <= len(buf) && string(buf[i:end]) == m.name[16:]
}

// name reads a name and a colon, and returns which member that is and the position of the value. What
// follows the member last is from then on expected to.
func (p *parser) name(buf []byte, i int, s *shape, last int) (at, value int) {
	i = blank(buf, i)
	if i >= len(buf) || buf[i] != '"' {
		return unsure, unsure
	}
	end, escaped := text(buf, i+1)
	if end == unsure || escaped {
		return unsure, unsure
	}
	if at = p.find(s, buf[i+1:end-1]); at == unsure {
		return unsure, unsure
	}
	if last < 0 {
		s.first = at
	} else {
		s.members[last].next = at
	}
	if i = blank(buf, end); i >= len(buf) || buf[i] != ':' {
		return unsure, unsure
	}
	return at, i + 1
}

// column reads a member's value, which is or leads to a column, and returns the position after it.
func (p *parser) column(buf []byte, i int, m *member, depth int) int {
	if i = blank(buf, i); i >= len(buf) {
		return unsure
	}
	c := cell{form: plain, start: i}
	switch buf[i] {
	case '"':
		end, escaped := text(buf, i+1)
		c.start, c.end = i+1, end-1
		if escaped {
			c.form, c.start, c.end = quoted, i, end
		}
		i = end
	case 'n':
		c = cell{}
		i = p.value(buf, i, m, depth)
	case '{', '[':
		c.form = nested
		i = p.value(buf, i, m, depth)
		c.end = i
	default:
		i = p.value(buf, i, m, depth)
		c.end = i
	}
	if i != unsure {
		p.found(m.node, c)
	}
	return i
}

// value reads a value, a member's or in the array that is its value, and returns the position after
// it.
func (p *parser) value(buf []byte, i int, m *member, depth int) int {
	if i = blank(buf, i); i >= len(buf) {
		return unsure
	}
	switch buf[i] {
	case '"':
		i, _ = text(buf, i+1)
		return i
	case '{':
		if depth == maxQuickDepth {
			return unsure
		}
		return p.object(buf, i+1, m.objectShape(), depth+1)
	case '[':
		if depth == maxQuickDepth {
			return unsure
		}
		return p.array(buf, i+1, m, depth+1)
	case 'n':
		return literal(buf, i, "null")
	case 't':
		return literal(buf, i, "true")
	case 'f':
		return literal(buf, i, "false")
	}
	return number(buf, i)
}

// array reads an array whose [ stands before i and returns the position after it.
func (p *parser) array(buf []byte, i int, m *member, depth int) int {
	if i = blank(buf, i); i < len(buf) && buf[i] == ']' {
		return i + 1
	}
	m = m.element()
	for {
		if i = p.value(buf, i, m, depth); i == unsure {
			return unsure
		}
		if i = blank(buf, i); i >= len(buf) {
			return unsure
		}
		switch buf[i] {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return unsure
		}
	}
}
