// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// code is what a raw value becomes: a number, and for a label its keyed hash, whether the value said
// anything, and whether the label is outside the declared groups.
type code struct {
	number  uint32
	hash    uint64
	known   bool
	dropped bool
}

// maxMemo is how many distinct values a memo remembers before it starts anew, and maxMemoBytes how
// long their texts may be together: enough for any dimension that survives partition selection, and a
// bound on memory for those that do not.
const (
	maxMemo      = 1 << 18
	maxMemoBytes = 16 << 20
)

// memo computes a function of a raw value once per distinct value. It belongs to one goroutine.
type memo struct {
	compute func(anonymize.Value) code
	null    code
	dict    *table.Dict
	byDict  []code
	byBytes map[string]code
	bytes   int // length of all texts in byBytes
	byInt   map[int64]code
	kind    anonymize.Kind // of the values in byInt
}

func newMemo(compute func(anonymize.Value) code) *memo {
	return &memo{
		compute: compute, null: compute(anonymize.Value{}),
		byBytes: map[string]code{}, byInt: map[int64]code{},
	}
}

// fill appends the code of every row of c to dst.
func (m *memo) fill(dst []code, c *table.Column, rows int) []code {
	if c.Dict != nil {
		m.learn(c.Dict)
	}
	for i := range rows {
		switch {
		case len(c.Valid) != 0 && !c.Valid[i]:
			dst = append(dst, m.null)
		case c.Dict != nil:
			dst = append(dst, m.byDict[c.Codes[i]])
		case c.Kind == anonymize.Bytes:
			dst = append(dst, m.text(c.Data[c.Offsets[i]:c.Offsets[i+1]]))
		default:
			dst = append(dst, m.typed(c.Value(i)))
		}
	}
	return dst
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

func (m *memo) text(b []byte) code {
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

func (m *memo) typed(v anonymize.Value) code {
	key := v.Int
	if v.Kind == anonymize.Float {
		key = int64(math.Float64bits(v.Float))
	}
	if m.kind != v.Kind { // the same bits mean something else
		clear(m.byInt)
		m.kind = v.Kind
	}
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
