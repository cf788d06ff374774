// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/throngdp/throng/aggregate/table"
)

// list is a column that lies in a list. What its methods read has been judged already, as a part of its line.
type list struct {
	table.Path
	// ways are the names that lead from an item to its value, in order of precedence.
	ways [][]string
	// items are those of a batch.
	items    table.Column
	unquoted []byte
}

// newList returns nil for a column that lies in no list.
func newList(column string) *list {
	p, ok := table.ParsePath(column)
	if !ok {
		return nil
	}
	l := &list{Path: p}
	for _, m := range p.Members() {
		var way []string
		if m != "" {
			way = strings.Split(m, ".")
		}
		l.ways = append(l.ways, way)
	}
	return l
}

// add adds the values of a cell to the batch's items, and returns how many these are now.
func (l *list) add(buf []byte, c cell) uint32 {
	rows := len(l.items.Offsets) - 1
	if c.form != nested {
		if c.form != null && l.Member == "" {
			appendCell(&l.items, rows, c.form, buf[c.start:c.end])
		}
		return uint32(len(l.items.Offsets) - 1)
	}
	at, n := first(buf, c), 0
	for ; at >= 0 && n < table.MaxItems; n++ {
		end := past(buf, at)
		v := l.value(buf, at)
		appendCell(&l.items, rows+n, v.form, buf[v.start:v.end])
		at = next(buf, end, c.end)
	}
	return uint32(rows + n)
}

// find returns the value of the first item that has the key.
func (l *list) find(buf []byte, c cell) cell {
	at := first(buf, c)
	for n := 0; at >= 0 && n < table.MaxItems; n++ {
		if l.hasKey(buf, at) {
			return l.value(buf, at)
		}
		at = next(buf, past(buf, at), c.end)
	}
	return cell{}
}

func (l *list) hasKey(buf []byte, at int) bool {
	at = l.follow(buf, at, []string{table.KeyMember})
	if at < 0 {
		return false
	}
	switch v := scalar(buf, at); v.form {
	case plain:
		return string(buf[v.start:v.end]) == l.Key
	case quoted:
		// Cannot fail: the string has been accepted.
		l.unquoted, _ = jsontext.AppendUnquote(l.unquoted[:0], buf[v.start:v.end])
		return string(l.unquoted) == l.Key
	}
	return false
}

// value returns what the item at a position says.
func (l *list) value(buf []byte, at int) cell {
	for _, way := range l.ways {
		if found := l.follow(buf, at, way); found >= 0 {
			if v := scalar(buf, found); v.form != null {
				return v
			}
		}
	}
	return cell{}
}

// follow returns where the value at the end of a way of names stands, -1 where there is none.
func (l *list) follow(buf []byte, at int, way []string) int {
	for _, name := range way {
		if buf[at] != '{' {
			return -1
		}
		if at = l.member(buf, at, name); at < 0 {
			return -1
		}
	}
	return at
}

// member returns where the value of a member of the object at a position stands, -1 where there is none.
func (l *list) member(buf []byte, at int, name string) int {
	for at = begin(buf, at); at >= 0; {
		end, escaped := text(buf, at+1)
		own := buf[at+1 : end-1]
		if escaped {
			l.unquoted, _ = jsontext.AppendUnquote(l.unquoted[:0], buf[at:end])
			own = l.unquoted
		}
		at = blank(buf, blank(buf, end)+1)
		if string(own) == name {
			return at
		}
		at = next(buf, past(buf, at), len(buf))
	}
	return -1
}

// first returns where the first item of a cell stands, -1 where there is none. An object is its only item.
func first(buf []byte, c cell) int {
	if buf[c.start] == '{' {
		return c.start
	}
	return begin(buf, c.start)
}

// begin returns where the first item or member of the array or object at a position stands, -1 where it is empty.
func begin(buf []byte, at int) int {
	at = blank(buf, at+1)
	if buf[at] == ']' || buf[at] == '}' {
		return -1
	}
	return at
}

// next returns where the item or member after one that ends at a position stands, -1 where there is none.
func next(buf []byte, at, limit int) int {
	if at = blank(buf, at); at >= limit || buf[at] != ',' {
		return -1
	}
	return blank(buf, at+1)
}

// past returns the position after the value that stands at i.
func past(buf []byte, i int) int {
	for depth := 0; i < len(buf); i++ {
		switch buf[i] {
		case '"':
			end, _ := text(buf, i+1)
			if depth == 0 || end == unsure {
				return end
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(buf)
}

// scalar is the value at a position as a cell; null where it is none of one value.
func scalar(buf []byte, at int) cell {
	switch buf[at] {
	case 'n', '{', '[':
		return cell{}
	case '"':
		end, escaped := text(buf, at+1)
		if escaped {
			return cell{form: quoted, start: at, end: end}
		}
		return cell{form: plain, start: at + 1, end: end - 1}
	}
	return cell{form: plain, start: at, end: past(buf, at)}
}
