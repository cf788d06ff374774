// SPDX-License-Identifier: Apache-2.0

// Package lists is what connectors whose formats have lists share.
package lists

import (
	"errors"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Items are the items of lists as they are added.
type Items struct {
	table.Column
	// Len is how many they are.
	Len int
}

// Restart forgets all items. What comes has the kind and dictionary of a column.
func (it *Items) Restart(like *table.Column) {
	it.Reset()
	it.Kind, it.Dict, it.Len = like.Kind, like.Dict, 0
	if it.Dict == nil && it.Kind == anonymize.Bytes {
		it.Offsets = append(it.Offsets, 0)
	}
}

// Add adds a value of the items' kind, or a null.
func (it *Items) Add(v anonymize.Value) {
	if !v.Valid && len(it.Valid) == 0 {
		for range it.Len {
			it.Valid = append(it.Valid, true)
		}
	}
	if !v.Valid || len(it.Valid) > 0 {
		it.Valid = append(it.Valid, v.Valid)
	}
	switch {
	case it.Dict != nil:
		it.Codes = append(it.Codes, uint32(v.Int))
	case it.Kind == anonymize.Bytes:
		it.Data = append(it.Data, v.Bytes...)
		it.Offsets = append(it.Offsets, uint32(len(it.Data)))
	case it.Kind == anonymize.Float:
		it.Floats = append(it.Floats, v.Float)
	default:
		it.Ints = append(it.Ints, v.Int)
	}
	it.Len++
}

// AddFrom adds row i of a column that has no other dictionary than the items, if these have one.
func (it *Items) AddFrom(c *table.Column, i int) {
	v := c.Value(i)
	if v.Valid && it.Dict != nil {
		v.Int = int64(c.Codes[i])
	}
	it.Add(v)
}

// Picker finds what a list of keys and values says of one key. It belongs to one goroutine.
type Picker struct {
	key string
	out Items
	// keyed says which values of a dictionary are the key.
	keyed []bool
	dict  *table.Dict
	text  []byte
}

// maxText bounds what a key says in the rows of one batch: a dictionary can hold a long text that all rows refer to.
const maxText = 256 << 20

// The ways in which lists are refused.
var (
	ErrShape = errors.New("the fields of a list have different numbers of items")
	ErrLong  = errors.New("what a key says in one batch is longer than 256 MiB; write shorter texts")
)

// NewPicker returns a picker for a key.
func NewPicker(key string) *Picker { return &Picker{key: key} }

// Pick sets dst to rows of what the first item with the key says. The first of the columns, all of which are lists,
// holds the keys, and the others what may be the value: of several the first that is not null, as text. What dst holds
// is valid until the next call. The error is ErrShape or ErrLong.
func (p *Picker) Pick(dst *table.Column, columns []table.Column, rows int) error {
	keys, values := &columns[0], columns[1:]
	kind := values[0].Kind
	if len(values) > 1 {
		kind = anonymize.Bytes
	}
	p.out.Restart(&table.Column{Kind: kind})
	p.learn(keys.Items.Dict)
	for row := range rows {
		from, to := keys.Starts[row], keys.Starts[row+1]
		for i := range values {
			if s := values[i].Starts; s[row+1]-s[row] != to-from {
				return ErrShape
			}
		}
		var found anonymize.Value
		for i := from; i < to; i++ {
			if p.isKey(keys.Items, int(i)) {
				found = first(values, row, i-from)
				break
			}
		}
		if found.Valid && found.Kind != kind {
			p.text, _ = found.AppendText(p.text[:0])
			found.Bytes = p.text
		}
		if p.out.Add(found); len(p.out.Data) > maxText {
			return ErrLong
		}
	}
	*dst = p.out.Column
	return nil
}

// learn finds the key among the values of a dictionary.
func (p *Picker) learn(dict *table.Dict) {
	if dict == nil || dict == p.dict {
		return
	}
	p.keyed, p.dict = p.keyed[:0], dict
	for i := range dict.Len {
		v := dict.Values.Value(i)
		p.keyed = append(p.keyed, v.Valid && string(v.Bytes) == p.key)
	}
}

func (p *Picker) isKey(c *table.Column, i int) bool {
	switch {
	case len(c.Valid) > 0 && !c.Valid[i]:
		return false
	case c.Dict != nil:
		return p.keyed[c.Codes[i]]
	}
	return string(c.Text(i)) == p.key
}

// first returns the first of several columns' item of a row that is not null.
func first(columns []table.Column, row int, item uint32) anonymize.Value {
	for i := range columns {
		c := &columns[i]
		if v := c.Items.Value(int(c.Starts[row] + item)); v.Valid {
			return v
		}
	}
	return anonymize.Value{}
}
