// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/throngdp/throng/aggregate/table"
)

// The fields of a line, in the order of the columns.
const (
	fieldHost = iota
	fieldIdent
	fieldUser
	fieldTime
	fieldMethod
	fieldPath
	fieldProtocol
	fieldStatus
	fieldBytes
	fieldReferer
	// fieldExtra is the first of those that have no name.
	fieldExtra = fieldReferer + 2
	// maxExtra is how many of them can be asked for.
	maxExtra = 16
	fieldEnd = fieldExtra + maxExtra
)

// combinedNames returns the columns of every Combined log.
func combinedNames() []string {
	names := []string{"host", "ident", "user", "time", "method", "path", "protocol", "status", "bytes", "referer", "user_agent"}
	for i := range maxExtra {
		names = append(names, "extra"+strconv.Itoa(i+1))
	}
	return names
}

// projectCombined returns the field of each asked column.
func projectCombined(file string, asked []string) ([]int, error) {
	fields := map[string]int{}
	for i, name := range combinedNames() {
		fields[name] = i
	}
	var faults []error
	wanted := make([]int, len(asked))
	for slot, name := range asked {
		field, ok := fields[name]
		if !ok {
			faults = append(faults, &table.Error{File: file, Column: name, Err: table.ErrSchema,
				Problem: "is not there; a Combined log has host, ident, user, time, method, path, protocol, status, bytes, referer, " +
					"user_agent, and extra1 to extra16"})
		}
		wanted[slot] = field
	}
	return wanted, errors.Join(faults...)
}

// combined takes lines of the Common or Combined Log Format apart.
type combined struct {
	wanted []int
	fields [fieldEnd]cell
	// request is what three of the fields are made of, and rest what follows the field that was read last.
	request []byte
	rest    []byte
}

func (c *combined) begin(int) error { return nil }

func (c *combined) parse(line []byte, cells []cell) bool {
	clear(c.fields[fieldReferer:])
	c.rest = line
	if !c.tokens() || !c.request3() || !c.numbers() || !c.quoted() {
		return false
	}
	split := false
	for slot, field := range c.wanted {
		if !split && fieldMethod <= field && field <= fieldProtocol {
			c.split()
			split = true
		}
		cells[slot] = c.fields[field]
	}
	return true
}

// tokens reads the fields before the request.
func (c *combined) tokens() bool {
	for _, field := range []int{fieldHost, fieldIdent, fieldUser} {
		k := bytes.IndexByte(c.rest, ' ')
		if k <= 0 {
			return false
		}
		c.fields[field] = cellOf(c.rest[:k], plain)
		c.rest = c.rest[k+1:]
	}
	if user := &c.fields[fieldUser]; user.form != null {
		// Apache writes two quotes for a name that is empty.
		if *user = cellOf(user.raw, escaped); string(user.raw) == `""` {
			*user = cell{}
		}
	}
	k := bytes.IndexByte(c.rest, ']')
	if k < 0 || c.rest[0] != '[' {
		return false
	}
	c.fields[fieldTime] = cellOf(c.rest[1:k], plain)
	c.rest = c.rest[k+1:]
	return true
}

// request3 finds the request, which is always in quotes.
func (c *combined) request3() bool {
	request, quoted, ok := c.next()
	c.request = request.raw
	return ok && quoted
}

// numbers reads the status and the bytes.
func (c *combined) numbers() bool {
	for _, field := range []int{fieldStatus, fieldBytes} {
		v, quoted, ok := c.next()
		if !ok || quoted || !allDigits(v.raw) {
			return false
		}
		c.fields[field] = v
	}
	return true
}

// quoted reads what follows the bytes, of which the first two are in quotes or -.
func (c *combined) quoted() bool {
	for field := fieldReferer; len(c.rest) > 0; field++ {
		v, _, ok := c.next()
		if !ok || field < fieldExtra && v.form == plain {
			return false
		}
		if field < fieldEnd {
			c.fields[field] = v
		}
	}
	return true
}

// next reads the blank before a field and the field, which is escaped where it is in quotes and plain
// otherwise.
func (c *combined) next() (v cell, quoted, ok bool) {
	if len(c.rest) < 2 || c.rest[0] != ' ' || c.rest[1] == ' ' {
		return cell{}, false, false
	}
	text := c.rest[1:]
	if text[0] != '"' {
		k := bytes.IndexByte(text, ' ')
		if k < 0 {
			k = len(text)
		}
		c.rest = text[k:]
		return cellOf(text[:k], plain), false, true
	}
	for end := 1; ; end++ {
		k := bytes.IndexByte(text[end:], '"')
		if k < 0 {
			return cell{}, false, false
		}
		end += k
		if isEscaped(text[1:end]) {
			continue
		}
		c.rest = text[end+1:]
		return cellOf(text[1:end], escaped), true, len(c.rest) == 0 || c.rest[0] == ' '
	}
}

// isEscaped reports whether what follows text is escaped: an odd number of backslashes ends it.
func isEscaped(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// split takes the request apart, where it is one.
func (c *combined) split() {
	clear(c.fields[fieldMethod : fieldProtocol+1])
	method, rest, ok := bytes.Cut(c.request, []byte(" "))
	if !ok || !isMethod(method) {
		return
	}
	if k := bytes.LastIndexByte(rest, ' '); k >= 0 {
		if !bytes.HasPrefix(rest[k+1:], []byte("HTTP/")) {
			return
		}
		c.fields[fieldProtocol] = cellOf(rest[k+1:], escaped)
		rest = rest[:k]
	}
	c.fields[fieldMethod], c.fields[fieldPath] = cellOf(method, plain), cellOf(rest, escaped)
}

// isMethod: methods are upper-case words.
func isMethod(text []byte) bool {
	for _, c := range text {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(text) > 0
}

func allDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
