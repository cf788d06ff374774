// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// record is the cells of one record in the order of an input's columns. Nil is null.
type record [][]byte

// memory is made-up records of one input, all text.
type memory struct {
	name    string
	columns []string
	records []record
}

var _ table.Source = (*memory)(nil)

// Name returns the input's name.
func (m *memory) Name() string { return m.name }

// Size returns 0: there are no bytes to count.
func (m *memory) Size() int64 { return 0 }

// Schema reports the columns.
func (m *memory) Schema(context.Context) (table.Schema, error) {
	var s table.Schema
	for _, name := range m.columns {
		s.Fields = append(s.Fields, table.Field{Name: name, Kind: anonymize.Bytes})
	}
	return s, nil
}

// readers is how many readers a scan has, so that several workers have something to do.
const readers = 2

// Open starts a scan.
func (m *memory) Open(_ context.Context, columns []string) ([]table.Reader, error) {
	var at []int
	for _, name := range columns {
		i := slices.Index(m.columns, name)
		if i < 0 {
			return nil, &table.Error{File: m.name, Column: name, Problem: "is not there", Err: table.ErrSchema}
		}
		at = append(at, i)
	}
	var all []table.Reader
	for part := range readers {
		from, to := len(m.records)*part/readers, len(m.records)*(part+1)/readers
		all = append(all, &reader{records: m.records[from:to], columns: at, names: columns})
	}
	return all, nil
}

// reader yields some of the records.
type reader struct {
	records []record
	columns []int
	names   []string
}

// itemEnd stands between the items of a list in a cell.
const itemEnd = "\x1f"

// batchRecords is how many records a batch holds.
const batchRecords = 1024

// Next fills a batch.
func (r *reader) Next(_ context.Context, b *table.Batch) error {
	b.Reset(len(r.columns))
	if len(r.records) == 0 {
		return io.EOF
	}
	b.Len = min(len(r.records), batchRecords)
	for i, column := range r.columns {
		c := &b.Columns[i]
		if table.IsList(r.names[i]) {
			r.lists(c, column, b.Len)
			continue
		}
		c.Offsets = append(c.Offsets, 0)
		for _, record := range r.records[:b.Len] {
			c.Valid = append(c.Valid, record[column] != nil)
			c.Data = append(c.Data, record[column]...)
			c.Offsets = append(c.Offsets, uint32(len(c.Data)))
		}
	}
	r.records = r.records[b.Len:]
	return nil
}

// lists fills the column with the items of rows.
func (r *reader) lists(c *table.Column, column, rows int) {
	c.Items = &table.Column{Offsets: []uint32{0}}
	c.Starts = append(c.Starts, 0)
	for _, record := range r.records[:rows] {
		if record[column] != nil {
			for item := range bytes.SplitSeq(record[column], []byte(itemEnd)) {
				c.Items.Data = append(c.Items.Data, item...)
				c.Items.Offsets = append(c.Items.Offsets, uint32(len(c.Items.Data)))
			}
		}
		c.Starts = append(c.Starts, uint32(len(c.Items.Offsets)-1))
	}
}

// Close ends the scan.
func (r *reader) Close() error {
	r.records = nil
	return nil
}
