// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// A code is what a raw value becomes: the number of a label or verdict, whether the value said
// anything, and whether the label is outside the declared groups.
const (
	known   = 1 << 31
	dropped = 1 << 30
	number  = dropped - 1
)

// maxMemo is how many distinct values a memo remembers before it starts anew, and maxMemoBytes how
// long their texts may be together: enough for any dimension that survives partition selection, and a
// bound on memory for those that do not.
const (
	maxMemo      = 1 << 18
	maxMemoBytes = 16 << 20
)

// maxSpans is how many ranges are kept in order before it starts anew.
const maxSpans = 1 << 12

// memo computes a function of a raw value once per distinct value. It belongs to one goroutine.
type memo struct {
	compute func(anonymize.Value) uint32
	null    uint32
	dict    *table.Dict
	byDict  []uint32
	byBytes map[string]uint32
	bytes   int // length of all texts in byBytes
	byInt   map[int64]uint32
	kind    anonymize.Kind // of the values in byInt and spans

	// span says which other integers have the code of one, if it can tell. What it said is kept in
	// order, and last is what was asked for last.
	span  func(anonymize.Value) (from, to int64, ok bool)
	spans []span
	last  span
}

// span is a half-open range of integers of one code.
type span struct {
	from, to int64
	code     uint32
}

func newMemo(compute func(anonymize.Value) uint32) *memo {
	return &memo{
		compute: compute, null: compute(anonymize.Value{}),
		byBytes: map[string]uint32{}, byInt: map[int64]uint32{},
	}
}

// fill writes the code of every row of c to dst, and returns it with their number as length. What
// stands in a null row is of no meaning and is not looked at.
func (m *memo) fill(dst []uint32, c *table.Column, rows int) []uint32 {
	dst = resize(dst, rows)
	if c.Items != nil {
		for i := range dst {
			dst[i] = m.null
		}
		return dst
	}
	switch {
	case c.Dict != nil:
		m.learn(c.Dict)
		if len(c.Valid) == 0 {
			for i, code := range c.Codes[:rows] {
				dst[i] = m.byDict[code]
			}
			return dst
		}
	case len(c.Valid) == 0 && (c.Kind == anonymize.Int || c.Kind == anonymize.Time):
		m.ints(dst, c)
		return dst
	}
	for i := range dst {
		switch {
		case len(c.Valid) != 0 && !c.Valid[i]:
			dst[i] = m.null
		case c.Dict != nil:
			dst[i] = m.byDict[c.Codes[i]]
		case c.Kind == anonymize.Bytes:
			dst[i] = m.text(c.Text(i))
		case c.Kind == anonymize.Float:
			dst[i] = m.typed(c.Value(i), int64(math.Float64bits(c.Floats[i])))
		default:
			m.setKind(c.Kind)
			dst[i] = m.integer(c.Value(i))
		}
	}
	return dst
}

func (m *memo) ints(dst []uint32, c *table.Column) {
	m.setKind(c.Kind)
	for i, n := range c.Ints[:len(dst)] {
		if n >= m.last.from && n < m.last.to {
			dst[i] = m.last.code
			continue
		}
		dst[i] = m.integer(anonymize.Value{Kind: c.Kind, Valid: true, Int: n})
	}
}

// integer returns the code of an integer outside the last span.
func (m *memo) integer(v anonymize.Value) uint32 {
	at, found := slices.BinarySearchFunc(m.spans, v.Int, func(s span, n int64) int {
		switch {
		case s.to <= n:
			return -1
		case s.from > n:
			return 1
		}
		return 0
	})
	if found {
		m.last = m.spans[at]
		return m.last.code
	}
	if m.span == nil {
		return m.typed(v, v.Int)
	}
	from, to, ok := m.span(v)
	if !ok {
		return m.typed(v, v.Int)
	}
	if len(m.spans) >= maxSpans {
		m.spans, at = m.spans[:0], 0
	}
	m.last = span{from, to, m.compute(v)}
	m.spans = slices.Insert(m.spans, at, m.last)
	return m.last.code
}

// learn computes the codes of a dictionary, once per dictionary.
func (m *memo) learn(d *table.Dict) {
	if m.dict == d {
		return
	}
	m.dict, m.byDict = d, m.byDict[:0]
	for i := range d.Len {
		m.byDict = append(m.byDict, m.compute(d.Values.Value(i)))
	}
}

func (m *memo) text(b []byte) uint32 {
	if c, ok := m.byBytes[string(b)]; ok {
		return c
	}
	if len(m.byBytes) >= maxMemo || m.bytes+len(b) > maxMemoBytes {
		clear(m.byBytes)
		m.bytes = 0
	}
	m.bytes += len(b)
	c := m.compute(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: b})
	m.byBytes[string(b)] = c
	return c
}

// setKind forgets integers where the same bits mean something else.
func (m *memo) setKind(k anonymize.Kind) {
	if m.kind == k {
		return
	}
	clear(m.byInt)
	m.kind, m.spans, m.last = k, m.spans[:0], span{}
}

// typed returns the code of a number whose bits are key.
func (m *memo) typed(v anonymize.Value, key int64) uint32 {
	m.setKind(v.Kind)
	if c, ok := m.byInt[key]; ok {
		return c
	}
	if len(m.byInt) >= maxMemo {
		clear(m.byInt)
	}
	c := m.compute(v)
	m.byInt[key] = c
	return c
}
