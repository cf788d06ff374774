// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/throngdp/throng/aggregate/table"
)

// noRank is worse than the rank of any target: the record does not have the column.
const noRank = math.MaxUint8

// form says what stands in a cell.
type form uint8

const (
	null   form = iota
	plain       // text as it is
	quoted      // a JSON string with its quotes and escapes
	nested      // an array or an object
)

// cell is where in a block a record has one column.
type cell struct {
	rank       uint8
	form       form
	start, end int
}

// begin makes b, which is empty, ready for records.
func (p *parser) begin(b *table.Batch) {
	for i := range b.Columns {
		c := &b.Columns[i]
		if l := p.lists[i]; l != nil && l.Key == "" {
			l.items.Reset()
			l.items.Offsets = append(l.items.Offsets, 0)
			c.Items, c.Starts = &l.items, append(c.Starts, 0)
			continue
		}
		c.Offsets = append(c.Offsets, 0)
	}
}

// parser takes one line after the other apart. A line is judged as a whole before any of it reaches a
// batch, so cells are positions in the block until then.
type parser struct {
	cells []cell
	// lists are the columns that lie in lists, nil for others.
	lists []*list
	root  shape
	// learned is the number of names in all shapes; forget says that there are too many.
	learned int
	forget  bool

	// What follows is the exact parser's: the position of the line in the block, and a decoder.
	base     int
	dec      *jsontext.Decoder
	in       bytes.Buffer
	unquoted []byte
}

func newParser(root *node, columns []string) *parser {
	p := &parser{cells: make([]cell, len(columns)), lists: make([]*list, len(columns)), root: shape{node: root}}
	for i, column := range columns {
		p.lists[i] = newList(column)
	}
	p.dec = jsontext.NewDecoder(&p.in)
	return p
}

// next takes the line at buf[i:] apart. It returns the position of the line after it and reports
// whether it is a record.
func (p *parser) next(buf []byte, i int) (next int, ok bool) {
	p.clear()
	end := p.quick(buf, i)
	if end != unsure {
		return end + 1, end-i <= maxLine
	}
	next = len(buf)
	line := buf[i:]
	if k := bytes.IndexByte(line, '\n'); k >= 0 {
		next, line = i+k+1, line[:k]
	}
	if p.forget {
		p.forget, p.learned = false, 0
		p.root = shape{node: p.root.node}
	}
	return next, len(line) <= maxLine && p.exact(line, i)
}

func (p *parser) clear() {
	for i := range p.cells {
		p.cells[i] = cell{rank: noRank}
	}
}

// found gives c to the columns that end at n and have nothing of better rank.
func (p *parser) found(n *node, c cell) {
	if n == nil {
		return
	}
	for _, t := range n.targets {
		if t.rank < p.cells[t.column].rank {
			own := t.takes.of(c)
			own.rank = t.rank
			p.cells[t.column] = own
		}
	}
}

// appendTo adds the record as the next row of b.
func (p *parser) appendTo(b *table.Batch, buf []byte) {
	for i := range p.cells {
		c := p.cells[i]
		switch l := p.lists[i]; {
		case l != nil && l.Key == "":
			b.Columns[i].Starts = append(b.Columns[i].Starts, l.add(buf, c))
			continue
		case c.form == nested:
			c = l.find(buf, c)
		}
		appendCell(&b.Columns[i], b.Len, c.form, buf[c.start:c.end])
	}
	b.Len++
}

// appendCell adds a cell as row of col. Valid stays empty until the first null.
func appendCell(col *table.Column, row int, f form, raw []byte) {
	if f == null {
		for len(col.Valid) < row {
			col.Valid = append(col.Valid, true)
		}
	}
	if f == null || len(col.Valid) != 0 {
		col.Valid = append(col.Valid, f != null)
	}
	switch f {
	case plain:
		col.Data = append(col.Data, raw...)
	case quoted:
		// Cannot fail: the string has been accepted.
		col.Data, _ = jsontext.AppendUnquote(col.Data, raw)
	}
	col.Offsets = append(col.Offsets, uint32(len(col.Data)))
}
