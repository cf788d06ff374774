// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"context"
	"io"
	"io/fs"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// softBatchBytes ends a batch early whose texts are long. A fragment of one page may overshoot it;
// pages are bounded so that offsets stay within 32 bits.
const softBatchBytes = 16 << 20

// reader reads one row group.
type reader struct {
	file      string
	left      int64 // rows not yet yielded
	batchRows int
	columns   []column
	scratch   *scratch
	err       error // of every later Next
}

// Next fills b with the rows that all columns have, page by page, until the batch is full or one of
// them changes its dictionary.
func (r *reader) Next(ctx context.Context, b *table.Batch) error {
	columns := len(r.columns)
	if r.err == nil && r.left == 0 {
		r.stop(io.EOF)
	}
	b.Reset(columns)
	if r.err != nil {
		return r.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rows := int(min(int64(r.batchRows), r.left))
	if columns == 0 {
		b.Len = rows
	}
	for b.Len < rows {
		n, err := r.ready(ctx, b, rows-b.Len)
		if err != nil {
			b.Reset(columns)
			return err
		}
		if n == 0 {
			break
		}
		full := r.take(b, n)
		if full {
			break
		}
	}
	r.left -= int64(b.Len)
	return nil
}

// ready loads pages until every column has a row, and returns how many rows, at most most, all of
// them can add to b: 0 where one must start a new batch.
func (r *reader) ready(ctx context.Context, b *table.Batch, most int) (int, error) {
	fresh := b.Len == 0
	for i := range r.columns {
		c := &r.columns[i]
		if c.at == c.rows {
			if err := ctx.Err(); err != nil && fresh {
				return 0, err
			}
			read, err := c.load()
			b.Bytes += read
			if err != nil {
				err = located(r.file, c.name, err)
				r.stop(err)
				return 0, err
			}
		}
		most = min(most, c.rows-c.at)
		if !fresh && c.page.Dict != b.Columns[i].Dict {
			most = 0
		}
	}
	return most, nil
}

// take adds n rows to b and says whether that is enough.
func (r *reader) take(b *table.Batch, n int) (full bool) {
	for i := range r.columns {
		c := &r.columns[i]
		appendRows(&b.Columns[i], b.Len, &c.page, c.at, c.at+n)
		c.at += n
		full = full || len(b.Columns[i].Data) > softBatchBytes
	}
	b.Len += n
	return full
}

// appendRows appends rows from to to of src to dst, which has have rows of the same representation.
func appendRows(dst *table.Column, have int, src *table.Column, from, to int) {
	dst.Kind, dst.Dict = src.Kind, src.Dict
	if len(src.Valid) > 0 || len(dst.Valid) > 0 {
		dst.Valid = appendTrue(dst.Valid, have-len(dst.Valid))
		if len(src.Valid) > 0 {
			dst.Valid = append(dst.Valid, src.Valid[from:to]...)
		} else {
			dst.Valid = appendTrue(dst.Valid, to-from)
		}
	}
	switch {
	case src.Dict != nil:
		dst.Codes = append(dst.Codes, src.Codes[from:to]...)
	case src.Kind == anonymize.Bytes:
		if have == 0 {
			dst.Offsets = append(dst.Offsets, 0)
		}
		// Unsigned arithmetic wraps, so that base may stand for a negative shift.
		base := uint32(len(dst.Data)) - src.Offsets[from]
		dst.Data = append(dst.Data, src.Data[src.Offsets[from]:src.Offsets[to]]...)
		for _, end := range src.Offsets[from+1 : to+1] {
			dst.Offsets = append(dst.Offsets, base+end)
		}
	case src.Kind == anonymize.Float:
		dst.Floats = append(dst.Floats, src.Floats[from:to]...)
	default:
		dst.Ints = append(dst.Ints, src.Ints[from:to]...)
	}
}

func appendTrue(valid []bool, n int) []bool {
	for range n {
		valid = append(valid, true)
	}
	return valid
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
