// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// maxBatchInput ends a batch early where records are long, so that memory does not grow with them.
const maxBatchInput = 4 << 20

// Reader is a share of a scan of a [Source]. It implements [table.Reader].
type Reader struct {
	mu     sync.Mutex
	closed bool
	err    error

	name string
	*scan
	records records
	rows    int

	decoder  *decoder
	unquoted []byte
	decoded  []byte
}

// scan is what the readers of one scan have in common. All but the cutter, which belongs to src, is
// settled before there are readers.
type scan struct {
	src     *blocks.Source
	cutter  cutter
	dialect dialect
	names   []string
	wanted  []projected
	columns int
	null    []string
	// nullLens has bit n set where a spelling of null has n bytes (bit 63: 63 or more), so that most
	// fields are not compared with any.
	nullLens uint64
}

// Next implements [table.Reader]. After an error, every call returns that error.
func (r *Reader) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(r.columns)
	if r.closed {
		return &table.Error{File: r.name, Problem: "is closed", Err: os.ErrClosed}
	}
	if r.err != nil {
		return r.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := r.fillBatch(ctx, b)
	if err != nil && err != io.EOF {
		b.Reset(r.columns)
		r.err = readFault(r.name, err)
		return r.err
	}
	b.Bytes = r.src.Progress()
	if b.Len == 0 {
		r.err = io.EOF
		return io.EOF
	}
	return nil
}

// fillBatch appends records to b until it is full or the input ends.
func (r *Reader) fillBatch(ctx context.Context, b *table.Batch) error {
	for i := range b.Columns {
		b.Columns[i].Offsets = append(b.Columns[i].Offsets, 0)
	}
	input := 0
	for b.Len < r.rows && input < maxBatchInput {
		rec, quoted := r.records.next()
		if rec == nil {
			if err := r.src.Take(ctx, &r.records.block, &r.cutter); err != nil {
				return err
			}
			r.records.begin()
			continue
		}
		input += len(rec)
		if quoted {
			r.putQuoted(b, rec)
		} else {
			r.putPlain(b, rec)
		}
		b.Len++
	}
	return nil
}

// putPlain appends the wanted fields of a record without quotes.
func (r *Reader) putPlain(b *table.Batch, rec []byte) {
	at, start, end := -1, 0, -len(r.dialect.delim)
	for _, w := range r.wanted {
		for ; at < w.field; at++ {
			start = end + len(r.dialect.delim)
			end = r.dialect.fieldEnd(rec, start)
		}
		field := rec[start:end]
		r.put(&b.Columns[w.slot], b.Len, field, isNull(field))
	}
}

// isNull reports whether an unquoted field is the spelling of a missing value that the exports of
// MySQL and PostgreSQL use, or empty. In quotes, PostgreSQL means the two characters.
func isNull(field []byte) bool {
	return len(field) == 0 || len(field) == 2 && field[0] == '\\' && field[1] == 'N'
}

// putQuoted appends the wanted fields of a record with quotes.
func (r *Reader) putQuoted(b *table.Batch, rec []byte) {
	for _, w := range r.wanted {
		f := &r.records.spans[w.field]
		field := rec[f.start:f.end]
		null := len(field) == 0 || !f.quoted && isNull(field)
		r.put(&b.Columns[w.slot], b.Len, unquote(field, f.doubled, &r.unquoted), null)
	}
}

// put appends a field as row row of c. The slice of which rows are null begins with the first null.
func (r *Reader) put(c *table.Column, row int, field []byte, null bool) {
	if r.decoder != nil {
		field = r.decoder.decode(field, &r.decoded)
	}
	if null || r.nullLens&(1<<min(len(field), 63)) != 0 && slices.Contains(r.null, string(field)) {
		for len(c.Valid) < row {
			c.Valid = append(c.Valid, true)
		}
		c.Valid = append(c.Valid, false)
	} else {
		if len(c.Valid) != 0 {
			c.Valid = append(c.Valid, true)
		}
		c.Data = append(c.Data, field...)
	}
	c.Offsets = append(c.Offsets, uint32(len(c.Data)))
}

// unquote halves the quotes of a field where they are doubled, in scratch.
func unquote(field []byte, doubled bool, scratch *[]byte) []byte {
	if !doubled {
		return field
	}
	out := (*scratch)[:0]
	for {
		k := bytes.IndexByte(field, '"')
		if k < 0 {
			break
		}
		out = append(out, field[:k+1]...)
		field = field[k+2:]
	}
	*scratch = append(out, field...)
	return *scratch
}

// Close gives up this reader's share of the input; the last reader closes it. It may be called more
// than once.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.records.block = blocks.Block{}
	if err := r.src.Release(); err != nil {
		return readFault(r.name, err)
	}
	return nil
}
