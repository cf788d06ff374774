// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"math"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// MaxLabels is how many different labels of one cell count: the first ones. It bounds what one record takes, and
// is a function of that record alone.
const MaxLabels = 1024

// maxLists is how many codes a splitter remembers before it starts anew.
const maxLists = 1 << 20

// splitter finds the labels of cells that hold several values. It belongs to one goroutine.
type splitter struct {
	by    []byte // empty where a cell that is no list is one value
	code  func(anonymize.Value) uint32
	memo  *memo // of the number of a list that is one text; nil where lists are those of a batch alone
	items *memo // of the code of an item
	begin []uint32
	all   []uint32 // the codes of all lists, one after the other; list n begins at begin[n]
	seen  map[uint32]bool
	// lists are the lists of a batch's records that have an id.
	lists []uint32
	codes []uint32 // of a batch's items
}

// nothing is the code of an item that says nothing: it is null or blank. No label has it.
const nothing = math.MaxUint32

func newSplitter(by string, code func(anonymize.Value) uint32) *splitter {
	s := &splitter{by: []byte(by), code: code, seen: map[uint32]bool{}}
	s.items = newMemo(func(v anonymize.Value) uint32 {
		if !v.Valid || v.Kind == anonymize.Bytes && len(bytes.TrimSpace(v.Bytes)) == 0 {
			return nothing
		}
		return code(v)
	})
	return s
}

func (s *splitter) restart() {
	s.begin, s.all = append(s.begin[:0], 0), s.all[:0]
	s.memo = newMemo(s.list)
}

// fill writes the number of each row's list to dst.
func (s *splitter) fill(dst []uint32, c *table.Column, rows int) []uint32 {
	if c.Items != nil {
		return s.fillItems(dst, c, rows)
	}
	if s.memo == nil || len(s.all) > maxLists {
		s.restart()
	}
	return s.memo.fill(dst, c, rows)
}

// fillItems is fill for a column of lists. Lists of earlier batches are forgotten.
func (s *splitter) fillItems(dst []uint32, c *table.Column, rows int) []uint32 {
	s.memo, s.begin, s.all = nil, append(s.begin[:0], 0), s.all[:0]
	dst = resize(dst, rows)
	s.codes = s.items.fill(s.codes, c.Items, int(c.Starts[rows]))
	for i := range dst {
		s.addAll(s.codes[c.Starts[i]:c.Starts[i+1]])
		dst[i] = s.end()
	}
	return dst
}

// first writes the first code of each record's list to dst.
func (s *splitter) first(dst []uint32) []uint32 {
	dst = resize(dst, len(s.lists))
	for i, n := range s.lists {
		dst[i] = s.all[s.begin[n]]
	}
	return dst
}

// nth returns code n of a record's list.
func (s *splitter) nth(record, n int) (code uint32, ok bool) {
	list := s.lists[record]
	at := s.begin[list] + uint32(n)
	if at >= s.begin[list+1] {
		return 0, false
	}
	return s.all[at], true
}

// list adds the list of a cell, in which each label stands once, and returns its number. A cell without any
// value has the label of one that says nothing.
func (s *splitter) list(v anonymize.Value) uint32 {
	if v.Valid && v.Kind == anonymize.Bytes && len(s.by) > 0 {
		s.values(v.Bytes)
	} else if code := s.items.compute(v); code != nothing {
		s.all = append(s.all, code)
	}
	return s.end()
}

// end closes the list at hand and returns its number.
func (s *splitter) end() uint32 {
	if len(s.all) == int(s.begin[len(s.begin)-1]) {
		s.all = append(s.all, s.code(anonymize.Value{}))
	}
	s.begin = append(s.begin, uint32(len(s.all)))
	return uint32(len(s.begin) - 2)
}

// values adds the labels of a text.
func (s *splitter) values(text []byte) {
	clear(s.seen)
	more := true
	for n := 0; more && n < table.MaxItems && len(s.seen) < MaxLabels; n++ {
		var value []byte
		value, text, more = bytes.Cut(text, s.by)
		if len(bytes.TrimSpace(value)) == 0 {
			continue
		}
		s.add(s.code(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: value}))
	}
}

// addAll adds the labels of a list's items.
func (s *splitter) addAll(codes []uint32) {
	clear(s.seen)
	for _, code := range codes[:min(len(codes), table.MaxItems)] {
		if code != nothing {
			s.add(code)
		}
		if len(s.seen) == MaxLabels {
			return
		}
	}
}

// add adds a label to the list at hand, unless that has it.
func (s *splitter) add(code uint32) {
	if n := code & number; !s.seen[n] {
		s.seen[n] = true
		s.all = append(s.all, code)
	}
}

// copies is how far the copies of a batch's rows are made, and the rows that were made last.
type copies struct {
	row, nth int
	rows     engine.Rows
	codes    []uint32
}

// maxCopies is how many copies are made at once.
const maxCopies = 4096

// Copies returns rows that put records of the last batch into the further groups of their multi-valued labels, or
// that describe further units of their people; nil when there are none left. They are valid until the next call.
func (b *Builder) Copies() *engine.Rows {
	if b.in.Unit != nil && !b.in.Events {
		return b.nextUnit()
	}
	if !b.isSplit {
		return nil
	}
	c, r := &b.copies, &b.copies.rows
	r.N, r.Hi, r.Lo, r.Flags = 0, r.Hi[:0], r.Lo[:0], r.Flags[:0]
	r.Attrs, r.Keys, r.Values = resize(r.Attrs, len(b.rows.Attrs)), resize(r.Keys, len(b.rows.Keys)), resize(r.Values, len(b.rows.Values))
	for k := range r.Keys {
		r.Keys[k] = r.Keys[k][:0]
	}
	for v := range r.Values {
		r.Values[v] = r.Values[v][:0]
	}
	for c.row < b.rows.N && r.N < maxCopies {
		if b.rows.Flags[c.row]&engine.Event == 0 || !b.copy(c.row, c.nth) {
			c.row, c.nth = c.row+1, 1
			continue
		}
		c.nth++
	}
	if r.N == 0 {
		return nil
	}
	for a, codes := range b.rows.Attrs {
		if r.Attrs[a] = r.Attrs[a][:0]; codes == nil {
			r.Attrs[a] = nil
			continue
		}
		r.Attrs[a] = resize(r.Attrs[a], r.N)
		for i := range r.Attrs[a] {
			r.Attrs[a][i] = engine.None // the record has voted
		}
	}
	return r
}

// copy adds the row with the label number n of each multi-valued dimension that has so many; it reports whether
// there is one.
func (b *Builder) copy(i, n int) bool {
	more := false
	for _, s := range b.splits {
		if s != nil {
			_, ok := s.nth(i, n)
			more = more || ok
		}
	}
	if !more {
		return false
	}
	r := &b.copies.rows
	r.N++
	r.Hi, r.Lo = append(r.Hi, b.rows.Hi[i]), append(r.Lo, b.rows.Lo[i])
	r.Flags = append(r.Flags, b.rows.Flags[i]|engine.Copy)
	for k, labels := range b.in.Keys {
		r.Keys[k] = append(r.Keys[k], b.copiedKey(labels, i, n))
	}
	for v := range r.Values {
		r.Values[v] = append(r.Values[v], b.rows.Values[v][i])
	}
	return true
}

// copiedKey is the key of a copy: that of the record with label n in place of the first of its multi-valued
// dimension. A key without one has counted the record already.
func (b *Builder) copiedKey(labels []int, i, n int) uint64 {
	codes, split := b.copies.codes[:0], false
	for _, l := range labels {
		c := b.codes[l][i]
		if s := b.splits[l]; s != nil {
			var ok bool
			if c, ok = s.nth(i, n); !ok {
				return engine.NoKey
			}
			split = true
		}
		if c&dropped != 0 {
			return engine.NoKey
		}
		codes = append(codes, c&number)
	}
	b.copies.codes = codes
	if !split {
		return engine.NoKey
	}
	return b.fold(codes, len(labels))
}
