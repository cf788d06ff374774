// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"context"
	"io"
	"io/fs"

	"github.com/throngdp/throng/aggregate/internal/lists"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// reader reads one row group, or a part of it.
type reader struct {
	file      string
	left      int64 // rows not yet yielded
	batchRows int
	asked     []asked
	columns   []column        // the leaves of all that was asked for, one after the other
	pickers   []*lists.Picker // of what was asked for with a key
	lists     []table.Column  // that a picker looks at
	scratch   *scratch
	err       error // of every later Next
}

func newReader(s *Source, all []asked, rows int64) *reader {
	r := &reader{file: s.name, left: rows, batchRows: s.batchRows, asked: all, scratch: new(scratch)}
	for i := range all {
		r.pickers = append(r.pickers, lists.NewPicker(all[i].key))
	}
	return r
}

// Next sets b to views of rows that one page of each column holds. Nothing is copied: the next Next
// may load another page in their place.
func (r *reader) Next(ctx context.Context, b *table.Batch) error {
	if r.err == nil && r.left == 0 {
		r.stop(io.EOF)
	}
	b.Reset(len(r.asked))
	if r.err != nil {
		return r.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rows := int(min(int64(r.batchRows), r.left))
	for i := range r.columns {
		c := &r.columns[i]
		if c.at == c.rows {
			read, err := c.load(ctx)
			b.Bytes += read
			if err != nil {
				b.Reset(len(r.asked))
				if err == ctx.Err() {
					return err
				}
				err = located(r.file, c.name, err)
				r.stop(err)
				return err
			}
		}
		rows = min(rows, c.rows-c.at)
	}
	if err := r.show(b, rows); err != nil {
		b.Reset(len(r.asked))
		r.stop(err)
		return err
	}
	for i := range r.columns {
		r.columns[i].at += rows
	}
	b.Len = rows
	r.left -= int64(rows)
	return nil
}

// show sets the columns of b to the next rows.
func (r *reader) show(b *table.Batch, rows int) error {
	first := 0
	for i := range r.asked {
		a := &r.asked[i]
		c := &r.columns[first]
		switch {
		case a.key != "":
			if err := r.pick(&b.Columns[i], i, r.columns[first:first+len(a.leaves)], rows); err != nil {
				return located(r.file, a.name, err)
			}
		case c.lists != nil:
			c.lists.view(&b.Columns[i], c.at, c.at+rows)
		default:
			view(&b.Columns[i], &c.page, c.at, c.at+rows)
		}
		first += len(a.leaves)
	}
	return nil
}

// pick sets dst to what the key of column i says.
func (r *reader) pick(dst *table.Column, i int, columns []column, rows int) error {
	r.lists = grow(r.lists, len(columns))
	for n := range columns {
		c := &columns[n]
		c.lists.view(&r.lists[n], c.at, c.at+rows)
	}
	switch err := r.pickers[i].Pick(dst, r.lists, rows); err {
	case nil:
		return nil
	case lists.ErrLong:
		return tooLarge(err.Error())
	default:
		return malformed(err.Error())
	}
}

// view sets dst to rows from to to of src.
func view(dst, src *table.Column, from, to int) {
	*dst = table.Column{Kind: src.Kind, Dict: src.Dict, Lead: src.Lead}
	if len(src.Valid) > 0 {
		dst.Valid = src.Valid[from:to:to]
	}
	switch {
	case src.Dict != nil:
		dst.Codes = src.Codes[from:to:to]
	case src.Kind == anonymize.Bytes:
		dst.Data, dst.Offsets = src.Data, src.Offsets[from:to+1:to+1]
	case src.Kind == anonymize.Float:
		dst.Floats = src.Floats[from:to:to]
	default:
		dst.Ints = src.Ints[from:to:to]
	}
}

// stop ends the reader and drops its memory. err is what Next returns from now on.
func (r *reader) stop(err error) {
	r.err, r.left = err, 0
	for i := range r.columns {
		// A decoder that the watchdog has given up may still write to the column, so it is left as
		// it is and forgotten.
		if r.columns[i].lost {
			r.columns, r.scratch = make([]column, len(r.columns)), new(scratch)
			return
		}
	}
	for i := range r.columns {
		r.columns[i] = column{}
	}
	r.scratch.close()
}

// Close drops the reader's memory.
func (r *reader) Close() error {
	r.stop(&table.Error{File: r.file, Problem: "the reader is closed", Err: fs.ErrClosed})
	return nil
}
