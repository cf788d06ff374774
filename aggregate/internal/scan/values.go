// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// valueMemo holds the quanta of a dictionary's values, while batches refer to it.
type valueMemo struct {
	dict   *table.Dict
	quanta []int64
}

// fill writes the quanta of every row of c to dst, and returns it with their number as length.
func (m *valueMemo) fill(dst []int64, v *Value, c *table.Column, rows int) []int64 {
	dst = resize(dst, rows)
	switch {
	case len(c.Valid) != 0:
	case c.Dict != nil:
		m.learn(v, c.Dict)
		for i, code := range c.Codes[:rows] {
			dst[i] = m.quanta[code]
		}
		return dst
	case c.Kind == anonymize.Int:
		if per, ok := v.Number.PerUnit(); ok {
			v.whole(dst, c, per)
			return dst
		}
	}
	for i := range dst {
		dst[i] = v.quantum(c, i)
	}
	return dst
}

func (m *valueMemo) learn(v *Value, d *table.Dict) {
	if m.dict == d {
		return
	}
	m.dict, m.quanta = d, resize(m.quanta, d.Len)
	for i := range m.quanta {
		m.quanta[i] = v.quantum(&d.Values, i)
	}
}

// whole reads integers of which each is per quanta.
func (v *Value) whole(dst []int64, c *table.Column, per int64) {
	most := generalize.MaxQuanta / per
	for i, n := range c.Ints[:len(dst)] {
		if n > most || n < -most {
			dst[i] = v.quantum(c, i)
		} else {
			dst[i] = n * per
		}
	}
}

func (v *Value) quantum(c *table.Column, i int) int64 {
	q, verdict := v.Number.Quantum(c.Value(i))
	if verdict != generalize.Finite && verdict != generalize.Saturated {
		return v.Invalid
	}
	return q
}
