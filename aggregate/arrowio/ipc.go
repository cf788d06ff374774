// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/throngdp/throng/aggregate/table"
)

// decoder turns the messages of an IPC file or stream into parts.
type decoder struct {
	leaves []leaf
	loader loader
	dicts  map[int64]*dictState
	body   body
	parts  []part
}

// dictState is a dictionary as far as it has been read.
type dictState struct {
	leaf *leaf
	dictBuilder
}

func newDecoder(fields []field, chosen []leaf) (*decoder, error) {
	d := &decoder{leaves: chosen, loader: loader{fields: fields}, dicts: map[int64]*dictState{}}
	d.loader.body = &d.body
	for i := range chosen {
		l := &chosen[i]
		if l.dict == nil {
			continue
		}
		known := d.dicts[l.dict.id]
		if known == nil {
			d.dicts[l.dict.id] = newDictState(l)
		} else if known.leaf.uuid != l.uuid || !arrow.TypeEqual(known.leaf.typ, l.typ) {
			return nil, inColumn(l.path, malformed("its dictionary is of another type elsewhere"))
		}
	}
	return d, nil
}

// newDictState starts without values: a column that is null so far may come before its dictionary.
func newDictState(l *leaf) *dictState {
	s := &dictState{leaf: l}
	s.column.Kind = l.kind
	s.dict = &table.Dict{Values: s.column}
	return s
}

// dictionary takes in the dictionary of a message whose body d.body can read. Where the columns asked
// for do not need it, it returns before anything of the body is read.
func (d *decoder) dictionary(m message) error {
	id := m.table.int64(0)
	known := d.dicts[id]
	if known == nil {
		return m.table.m.err()
	}
	data, _ := m.table.table(1)
	delta := m.table.byte(2) != 0
	b, err := batchOf(data)
	if err != nil {
		return err
	}
	if err := d.start(&b, m); err != nil {
		return err
	}
	values := loader{body: &d.body}
	a, err := values.array(&cursor{batch: &b}, &field{typ: known.leaf.typ})
	if err != nil {
		return inColumn(known.leaf.path, err)
	}
	if !delta {
		d.dicts[id] = newDictState(known.leaf)
	}
	return inColumn(known.leaf.path, d.dicts[id].add(known.leaf, a))
}

// needs says whether a dictionary message is of use.
func (d *decoder) needs(m message) bool { return d.dicts[m.table.int64(0)] != nil }

func (d *decoder) start(b *batch, m message) error {
	if err := b.checkRows(m.body); err != nil {
		return err
	}
	return d.body.reset(m.body, b.codec)
}

// records takes in a record batch.
func (d *decoder) records(m message) (int, []part, error) {
	b, err := batchOf(m.table)
	if err != nil {
		return 0, nil, err
	}
	if err := d.start(&b, m); err != nil {
		return 0, nil, err
	}
	d.parts = d.parts[:0]
	for i := range d.leaves {
		l := &d.leaves[i]
		p, err := d.loader.load(&b, l)
		if err != nil {
			return 0, nil, inColumn(l.path, err)
		}
		if l.dict != nil {
			p.dict = d.dicts[l.dict.id].dict
		}
		d.parts = append(d.parts, p)
	}
	return int(b.rows), d.parts, nil
}
