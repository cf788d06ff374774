// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/throngdp/throng/aggregate/table"
)

// noRank is worse than the rank of any target: the record does not have the column.
const noRank = math.MaxUint8

// cell is where a record has one column. A null is a cell without bytes: even an empty string has
// its quotes.
type cell struct {
	rank       uint8
	start, end int
}

// recordParser takes one line apart. A line is judged as a whole before any of it reaches a batch,
// so cells are positions in the line until then.
type recordParser struct {
	root  *node
	line  []byte
	cells []cell
	dec   *jsontext.Decoder
	in    bytes.Buffer
	name  []byte
}

func newRecordParser(root *node, columns int) *recordParser {
	p := &recordParser{root: root, cells: make([]cell, columns)}
	p.dec = jsontext.NewDecoder(&p.in)
	return p
}

// parse finds the columns in the line and reports whether the line is a record. The decoder's
// defaults are what the package promises: no name twice, only UTF-8, no half surrogates.
func (p *recordParser) parse(line []byte) bool {
	// The capacity is cut because the decoder must not touch the lines after this one.
	p.line = line[:len(line):len(line)]
	p.in = *bytes.NewBuffer(p.line)
	p.dec.Reset(&p.in)
	for i := range p.cells {
		p.cells[i] = cell{rank: noRank}
	}
	if p.dec.PeekKind() != '{' || !p.object(p.root) {
		return false
	}
	_, err := p.dec.ReadToken()
	return err == io.EOF
}

// object reads an object of which some members lead to columns. It is called once for each name of
// a path at most; what lies deeper is the decoder's to skip.
func (p *recordParser) object(n *node) bool {
	if _, err := p.dec.ReadToken(); err != nil {
		return false
	}
	for p.dec.PeekKind() != '}' {
		raw, err := p.dec.ReadValue()
		if err != nil {
			return false
		}
		if !p.value(n.members[string(p.unquote(raw))]) {
			return false
		}
	}
	_, err := p.dec.ReadToken()
	return err == nil
}

// unquote returns the name without quotes and escapes, valid until the next call.
func (p *recordParser) unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	// Cannot fail: the decoder has accepted the string.
	p.name, _ = jsontext.AppendUnquote(p.name[:0], raw)
	return p.name
}

// value reads what stands at n, which is nil where no column lies this way.
func (p *recordParser) value(n *node) bool {
	kind := p.dec.PeekKind()
	if n != nil && n.members != nil && kind == '{' {
		p.found(n, cell{})
		return p.object(n)
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return false
	}
	if n == nil {
		return true
	}
	switch kind {
	case '{', '[', 'n':
		p.found(n, cell{})
	default:
		end := int(p.dec.InputOffset())
		p.found(n, cell{start: end - len(raw), end: end})
	}
	return true
}

// found gives c to the columns that end at n and have nothing of better rank.
func (p *recordParser) found(n *node, c cell) {
	for _, t := range n.targets {
		if t.rank < p.cells[t.column].rank {
			c.rank = t.rank
			p.cells[t.column] = c
		}
	}
}

// appendTo adds the record as the next row of b.
func (p *recordParser) appendTo(b *table.Batch) {
	for i, c := range p.cells {
		appendCell(&b.Columns[i], b.Len, p.line[c.start:c.end])
	}
	b.Len++
}

// appendCell adds raw, a JSON scalar or nothing for null, as row of col. Valid stays empty until the
// first null.
func appendCell(col *table.Column, row int, raw []byte) {
	null := len(raw) == 0
	if null {
		for len(col.Valid) < row {
			col.Valid = append(col.Valid, true)
		}
	}
	if null || len(col.Valid) != 0 {
		col.Valid = append(col.Valid, !null)
	}
	switch {
	case null:
	case raw[0] != '"':
		col.Data = append(col.Data, raw...)
	case bytes.IndexByte(raw, '\\') < 0:
		col.Data = append(col.Data, raw[1:len(raw)-1]...)
	default:
		// Cannot fail: the decoder has accepted the string.
		col.Data, _ = jsontext.AppendUnquote(col.Data, raw)
	}
	col.Offsets = append(col.Offsets, uint32(len(col.Data)))
}
