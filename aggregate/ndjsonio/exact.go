// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// exact judges a line that stands at base in its block and finds its columns, as quick does, with
// nothing left open. The decoder's defaults are what the package promises: no name twice, only UTF-8,
// no half surrogates.
func (p *parser) exact(line []byte, base int) bool {
	if text := bytes.TrimLeft(line, " \t\r"); len(text) == 0 || text[0] != '{' {
		return false
	}
	p.clear()
	p.base = base
	// The capacity is cut because the decoder must not touch the lines after this one.
	p.in = *bytes.NewBuffer(line[:len(line):len(line)])
	p.dec.Reset(&p.in)
	if p.dec.PeekKind() != '{' || !p.exactObject(p.root.node, new(int)) {
		return false
	}
	_, err := p.dec.ReadToken()
	return err == io.EOF
}

// exactObject reads an object of which some members lead to columns, and says where it starts. It is called once
// for each name of a path at most; what lies deeper is the decoder's to skip.
func (p *parser) exactObject(n *node, start *int) bool {
	if _, err := p.dec.ReadToken(); err != nil {
		return false
	}
	*start = p.base + int(p.dec.InputOffset()) - 1
	for p.dec.PeekKind() != '}' {
		raw, err := p.dec.ReadValue()
		if err != nil {
			return false
		}
		if !p.exactValue(n.members[string(p.unquote(raw))]) {
			return false
		}
	}
	_, err := p.dec.ReadToken()
	return err == nil
}

// unquote returns the name without quotes and escapes, valid until the next call.
func (p *parser) unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	// Cannot fail: the decoder has accepted the string.
	p.unquoted, _ = jsontext.AppendUnquote(p.unquoted[:0], raw)
	return p.unquoted
}

// exactMembers reads an object that is at n and of which some members lead to columns.
func (p *parser) exactMembers(n *node) bool {
	c := cell{form: nested}
	if !p.exactObject(n, &c.start) {
		return false
	}
	c.end = p.base + int(p.dec.InputOffset())
	p.found(n, c)
	return true
}

// exactValue reads what stands at n, which is nil where no column lies this way.
func (p *parser) exactValue(n *node) bool {
	kind := p.dec.PeekKind()
	if n != nil && n.members != nil && kind == '{' {
		return p.exactMembers(n)
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return false
	}
	end := p.base + int(p.dec.InputOffset())
	c := cell{start: end - len(raw), end: end}
	switch kind {
	case 'n':
		c = cell{}
	case '{', '[':
		c.form = nested
	case '"':
		c.form = quoted
	default:
		c.form = plain
	}
	p.found(n, c)
	return true
}
