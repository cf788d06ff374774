// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// memory is a Source that keeps the contract, but for the faults switched on.
type memory struct {
	rows  Rows
	fault string
	used  bool
}

func (m *memory) Name() string { return "memory" }
func (m *memory) Size() int64  { return 0 }
func (m *memory) Schema(context.Context) (table.Schema, error) {
	if m.fault == "schema" {
		return table.Schema{Fields: m.rows.Columns[1:]}, nil
	}
	return table.Schema{Fields: m.rows.Columns}, nil
}

func (m *memory) Open(_ context.Context, columns []string) ([]table.Reader, error) {
	names := m.rows.names()
	var errs []error
	for _, c := range columns {
		if !slices.Contains(names, c) {
			errs = append(errs, &table.Error{File: "memory", Column: c, Problem: "no such column", Err: table.ErrSchema})
			if m.fault == "first missing only" {
				break
			}
		}
	}
	if m.fault == "missing unnamed" && errs != nil {
		return nil, table.ErrSchema
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	rows := m.rows.project(columns)
	if m.fault == "wrong order" {
		rows = m.rows
	}
	if m.fault == "opens once" && m.used {
		rows.Cells = nil
	}
	m.used = true
	half := len(rows.Cells) / 2
	a, b := rows, rows
	a.Cells, b.Cells = rows.Cells[:half], rows.Cells[half:]
	if m.fault == "row lost" && half > 0 {
		b.Cells = b.Cells[1:]
	}
	if m.fault == "row twice" && half > 0 {
		b.Cells = rows.Cells[half-1:]
	}
	return []table.Reader{&memoryReader{m: m, rows: a}, &memoryReader{m: m, rows: b}}, nil
}

type memoryReader struct {
	m      *memory
	rows   Rows
	at     int
	closed bool
	dict   *table.Dict
}

func (r *memoryReader) Close() error {
	if r.closed && r.m.fault == "close twice" {
		return errors.New("closed")
	}
	r.closed = true
	return nil
}

func (r *memoryReader) Next(ctx context.Context, b *table.Batch) error {
	if err := ctx.Err(); err != nil && r.m.fault != "deaf" {
		return err
	}
	if r.closed && r.m.fault != "open after close" {
		return errors.New("closed")
	}
	used := *b
	b.Reset(len(r.rows.Columns))
	if r.m.fault == "dict left" && len(used.Columns) > 0 {
		b.Columns[0].Dict = &table.Dict{}
	}
	n := min(len(r.rows.Cells)-r.at, 7000)
	if n == 0 {
		return io.EOF
	}
	for c := range b.Columns {
		r.fill(&b.Columns[c], c, r.rows.Cells[r.at:r.at+n])
	}
	b.Len = n
	r.at += n
	return nil
}

func (r *memoryReader) fill(col *table.Column, c int, cells [][]anonymize.Value) {
	col.Kind = r.rows.Columns[c].Kind
	for _, row := range cells {
		v := row[c]
		col.Valid = append(col.Valid, v.Valid || r.m.fault == "nulls lost")
		switch col.Kind {
		case anonymize.Bytes:
			if len(col.Offsets) == 0 {
				col.Offsets = append(col.Offsets, 0)
			}
			if r.m.fault == "trims" {
				v.Bytes = []byte(strings.TrimSpace(string(v.Bytes)))
			}
			col.Data = append(col.Data, v.Bytes...)
			col.Offsets = append(col.Offsets, uint32(len(col.Data)))
		case anonymize.Float:
			col.Floats = append(col.Floats, v.Float)
		default:
			if r.m.fault == "through float" {
				v.Int = int64(float64(v.Int) / 2 * 2)
			}
			col.Ints = append(col.Ints, v.Int)
		}
	}
	switch r.m.fault {
	case "canary":
		data := append(slices.Clone(col.Data), canary...)
		col.Data = data[:len(col.Data)]
	case "short valid":
		col.Valid = col.Valid[:len(col.Valid)-1]
	case "dict":
		r.fillDict(col, len(cells))
	case "dict reused":
		r.fillDict(col, len(cells))
	case "bad code":
		r.fillDict(col, len(cells))
		col.Codes[0] = uint32(col.Dict.Len)
		col.Valid[0] = true
	}
}

// fillDict turns a plain column into one value per code; a faulty reader fills its one Dict anew.
func (r *memoryReader) fillDict(col *table.Column, n int) {
	d := &table.Dict{}
	if r.m.fault == "dict reused" {
		if r.dict == nil {
			r.dict = d
		}
		d = r.dict
	}
	d.Len, d.Values = n, *col
	d.Values.Valid = nil
	valid := slices.Clone(col.Valid)
	*col = table.Column{Kind: col.Kind, Valid: valid, Dict: d}
	for i := range n {
		col.Codes = append(col.Codes, uint32(i))
	}
}

// failures returns the names of the checks that refuse a faulty source; only limits them, "" is all.
func failures(t *testing.T, fault, only string, options ...Option) []string {
	s := newSuite(func(_ *testing.T, rows Rows) table.Source { return &memory{rows: rows, fault: fault} }, options)
	var failed []string
	for _, c := range checks {
		if only != "" && c.name != only {
			continue
		}
		if err := c.run(s, t); err != nil {
			failed = append(failed, c.name)
		}
	}
	return failed
}

func TestSuiteAcceptsASourceThatKeepsTheContract(t *testing.T) {
	for _, fault := range []string{"", "dict"} {
		TestSource(t, func(_ *testing.T, rows Rows) table.Source { return &memory{rows: rows, fault: fault} })
	}
}

func TestSuiteRefusesEachFault(t *testing.T) {
	for _, tt := range []struct{ fault, want string }{
		{"row lost", "yields all rows once"},
		{"row twice", "yields many rows once"},
		{"trims", "keeps text as it is"},
		{"through float", "keeps the extremes of each kind"},
		{"nulls lost", "keeps columns that are null throughout"},
		{"wrong order", "yields columns in the order asked for"},
		{"opens once", "reads every subset and opens again"},
		{"row lost", "counts rows when no column is asked for"},
		{"first missing only", "names every missing column"},
		{"missing unnamed", "names every missing column"},
		{"dict left", "fills a used batch"},
		{"dict reused", "keeps dictionaries as they are"},
		{"bad code", "yields all rows once"},
		{"short valid", "yields all rows once"},
		{"close twice", "closes early and twice"},
		{"open after close", "closes early and twice"},
		{"deaf", "stops when the context is cancelled"},
		{"row twice", "lets readers run concurrently"},
		{"schema", "reports its schema"},
		{"canary", "never decodes what was not asked for"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			assert.Contains(t, failures(t, tt.fault, tt.want), tt.want)
		})
	}
}

func TestSuiteTellsTypesFromText(t *testing.T) {
	assert.Contains(t, failures(t, "", "", DeliversText), "yields all rows once")
	require.Empty(t, failures(t, "", "", Kinds()))
}

func TestTextIsCanonical(t *testing.T) {
	for _, tt := range []struct {
		in   anonymize.Value
		want string
	}{
		{Null(), ""}, {String("x"), "x"}, {Int(-7), "-7"}, {Float(1e21), "1e+21"}, {Float(0.5), "0.5"},
		{Bool(true), "true"}, {Bool(false), "false"},
		{Time(-1), "1969-12-31T23:59:59.999999Z"}, {Time(0), "1970-01-01T00:00:00Z"},
	} {
		assert.Equal(t, tt.want, Text(tt.in))
	}
}
