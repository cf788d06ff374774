// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"fmt"
	"math"
	"strings"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

var null = anonymize.Value{}

func text(s string) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(s)}
}

func integer(i int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Int, Valid: true, Int: i}
}

func float(f float64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Float, Valid: true, Float: f}
}

// unreadable is a column that whoever looks at it panics.
var unreadable = table.Column{Kind: anonymize.Bytes}

// column lays out values, which are null or of one kind.
func column(values []anonymize.Value) table.Column {
	c := table.Column{Kind: anonymize.Bytes}
	for _, v := range values {
		if v.Valid {
			c.Kind = v.Kind
		}
	}
	if c.Kind == anonymize.Bytes {
		c.Offsets = []uint32{0}
	}
	someNull := false
	for _, v := range values {
		c.Valid = append(c.Valid, v.Valid)
		someNull = someNull || !v.Valid
		switch c.Kind {
		case anonymize.Bytes:
			c.Data = append(c.Data, v.Bytes...)
			c.Offsets = append(c.Offsets, uint32(len(c.Data)))
		case anonymize.Float:
			c.Floats = append(c.Floats, v.Float)
		default:
			c.Ints = append(c.Ints, v.Int)
		}
	}
	if !someNull {
		c.Valid = nil
	}
	return c
}

// dictionary lays out values as codes of a dictionary, in which values stand that no row has.
func dictionary(values []anonymize.Value) table.Column {
	var c table.Column
	codes, distinct := map[string]uint32{}, []anonymize.Value{}
	for _, v := range values {
		name := fmt.Sprintf("%d %t %q %d %x", v.Kind, v.Valid, v.Bytes, v.Int, math.Float64bits(v.Float))
		if _, ok := codes[name]; !ok && v.Valid {
			codes[name] = uint32(len(distinct))
			distinct = append(distinct, v)
			c.Kind = v.Kind
		}
		c.Codes, c.Valid = append(c.Codes, codes[name]), append(c.Valid, v.Valid)
	}
	unused := anonymize.Value{Kind: c.Kind, Valid: true, Bytes: []byte("in no row"), Int: 987654}
	distinct = append(distinct, unused, null)
	c.Dict = &table.Dict{Len: len(distinct), Values: column(distinct)}
	return c
}

// batchOf lays out rows of values as columns.
func batchOf(rows [][]anonymize.Value, layout func(column int) func([]anonymize.Value) table.Column) *table.Batch {
	b := &table.Batch{Len: len(rows)}
	for c := range rows[0] {
		var values []anonymize.Value
		for _, row := range rows {
			values = append(values, row[c])
		}
		b.Columns = append(b.Columns, layout(c)(values))
	}
	return b
}

func plain(int) func([]anonymize.Value) table.Column { return column }

// rows reads lines of fields; "~" is null.
func rows(lines ...string) [][]anonymize.Value {
	var out [][]anonymize.Value
	for _, line := range lines {
		var row []anonymize.Value
		for _, field := range strings.Split(line, "|") {
			if field == "~" {
				row = append(row, null)
			} else {
				row = append(row, text(field))
			}
		}
		out = append(out, row)
	}
	return out
}
