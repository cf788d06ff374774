// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

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
	case '{', '[', 'n':
		p.found(m.node, cell{})
		return p.value(buf, i, m, depth)
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

func literal(buf []byte, i int, word string) int {
	if end := i + len(word); end <= len(buf) && string(buf[i:end]) == word {
		return end
	}
	return unsure
}

// number reads a number and returns the position after it.
func number(buf []byte, i int) int {
	if i+8 <= len(buf) {
		// The lowest of the eight bytes that has its high bit set is no digit.
		x := binary.LittleEndian.Uint64(buf[i:]) ^ ones*'0'
		n := bits.TrailingZeros64((x+ones*(0x80-10)|x)&(ones*0x80)) / 8
		if n < 8 && (n == 1 || n > 1 && buf[i] != '0') && buf[i+n] != '.' && buf[i+n]|0x20 != 'e' {
			return i + n
		}
	}
	return anyNumber(buf, i)
}

func anyNumber(buf []byte, i int) int {
	if i < len(buf) && buf[i] == '-' {
		i++
	}
	if i < len(buf) && buf[i] == '0' {
		i++
	} else if i = digits(buf, i); i == unsure {
		return unsure
	}
	if i < len(buf) && buf[i] == '.' {
		if i = digits(buf, i+1); i == unsure {
			return unsure
		}
	}
	if i < len(buf) && buf[i]|0x20 == 'e' {
		if i++; i < len(buf) && (buf[i] == '+' || buf[i] == '-') {
			i++
		}
		return digits(buf, i)
	}
	return i
}

// digits reads one digit or more.
func digits(buf []byte, i int) int {
	begin := i
	for i < len(buf) && buf[i]-'0' <= 9 {
		i++
	}
	if i == begin {
		return unsure
	}
	return i
}

// ones times a byte is that byte in each of eight.
const ones = 0x0101010101010101

// text reads a string whose opening quote stands before i and returns the position after it, and
// whether it has escapes.
func text(buf []byte, i int) (end int, escaped bool) {
	for i+8 <= len(buf) {
		// The lowest of the eight bytes that has its high bit set is a quote, a backslash, a control
		// character or not ASCII. Those above it may also be what they are not.
		x := binary.LittleEndian.Uint64(buf[i:])
		special := ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x
		if special &= ones * 0x80; special == 0 {
			i += 8
			continue
		}
		n := bits.TrailingZeros64(special) &^ 7
		if i += n / 8; byte(x>>n) == '"' {
			return i + 1, escaped
		}
		if i = character(buf, i); i == unsure {
			return unsure, false
		}
		escaped = escaped || byte(x>>n) == '\\'
	}
	for i < len(buf) {
		c := buf[i]
		if c == '"' {
			return i + 1, escaped
		}
		if i = character(buf, i); i == unsure {
			return unsure, false
		}
		escaped = escaped || c == '\\'
	}
	return unsure, false
}

// character reads one character of a string or one escape, and returns the position after it.
func character(buf []byte, i int) int {
	switch c := buf[i]; {
	case c < ' ':
		return unsure
	case c == '\\':
		return escape(buf, i+1)
	case c < utf8.RuneSelf:
		return i + 1
	}
	r, n := utf8.DecodeRune(buf[i:])
	if r == utf8.RuneError && n == 1 {
		return unsure
	}
	return i + n
}

// escape reads what follows a backslash and returns the position after it.
func escape(buf []byte, i int) int {
	if i >= len(buf) {
		return unsure
	}
	switch buf[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		high, ok := hex4(buf, i+1)
		if !ok {
			return unsure
		}
		if high < 0xd800 || high > 0xdfff {
			return i + 5
		}
		if high < 0xdc00 && i+7 <= len(buf) && buf[i+5] == '\\' && buf[i+6] == 'u' {
			if low, ok := hex4(buf, i+7); ok && 0xdc00 <= low && low <= 0xdfff {
				return i + 11
			}
		}
	}
	return unsure
}

func hex4(buf []byte, i int) (v uint32, ok bool) {
	if i+4 > len(buf) {
		return 0, false
	}
	for _, c := range buf[i : i+4] {
		v <<= 4
		switch {
		case c-'0' <= 9:
			v |= uint32(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v |= uint32(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return v, true
}
