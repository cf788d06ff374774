// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"strconv"
	"time"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Rows is a small table in memory, to be written in a connector's format.
type Rows struct {
	Columns []table.Field
	// Cells holds one slice per row, in the order of Columns. A null is the zero Value.
	Cells [][]anonymize.Value
}

// Null returns the null cell.
func Null() anonymize.Value { return anonymize.Value{} }

// String returns a text cell.
func String(s string) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(s)}
}

// Int returns an integer cell.
func Int(i int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Int, Valid: true, Int: i}
}

// Float returns a float cell.
func Float(f float64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Float, Valid: true, Float: f}
}

// Bool returns a boolean cell.
func Bool(b bool) anonymize.Value {
	v := anonymize.Value{Kind: anonymize.Bool, Valid: true}
	if b {
		v.Int = 1
	}
	return v
}

// Time returns a timestamp cell, in microseconds since 1970-01-01T00:00:00Z.
func Time(micros int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Time, Valid: true, Int: micros}
}

// Text returns the canonical text of a value: text as it is, integers in decimal, floats in the
// shortest form of strconv's 'g', booleans as true and false, timestamps in RFC 3339 in UTC with
// as many digits of the second as are needed, and null as the empty text.
func Text(v anonymize.Value) string {
	if !v.Valid {
		return ""
	}
	switch v.Kind {
	case anonymize.Int:
		return strconv.FormatInt(v.Int, 10)
	case anonymize.Float:
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case anonymize.Bool:
		return strconv.FormatBool(v.Int != 0)
	case anonymize.Time:
		return time.UnixMicro(v.Int).UTC().Format("2006-01-02T15:04:05.999999Z07:00")
	}
	return string(v.Bytes)
}

// names returns the names of the columns.
func (r Rows) names() []string {
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = c.Name
	}
	return names
}

// project returns the rows with the named columns only, in that order. A name that is not there is
// a column of nulls, which is what a Source with an open schema owes.
func (r Rows) project(names []string) Rows {
	var out Rows
	from := make([]int, len(names))
	for i, name := range names {
		from[i] = -1
		out.Columns = append(out.Columns, table.Field{Name: name})
		for j, c := range r.Columns {
			if c.Name == name {
				from[i], out.Columns[i] = j, c
			}
		}
	}
	for _, row := range r.Cells {
		cells := make([]anonymize.Value, len(names))
		for i, j := range from {
			if j >= 0 {
				cells[i] = row[j]
			}
		}
		out.Cells = append(out.Cells, cells)
	}
	return out
}
