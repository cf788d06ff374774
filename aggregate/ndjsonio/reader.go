// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/throngdp/throng/aggregate/table"
)

const (
	maxRows = 4096
	// maxBatchBytes is when a batch ends for its size. It keeps a column's text far below the 4 GiB
	// that its offsets can express.
	maxBatchBytes = 4 << 20
)

// reader is the one reader of a scan.
type reader struct {
	// mu lets Close be called while Next runs; it then waits for Next.
	mu    sync.Mutex
	name  string
	in    io.ReadCloser
	lines lineReader
	rec   *recordParser
	// consumed counts input bytes; reported is how many of them batches have told of.
	consumed func() int64
	reported int64
	// err is what Next returns from now on.
	err error
}

func newReader(name string, in io.ReadCloser, root *node, columns int) *reader {
	r := &reader{name: name, in: in, rec: newRecordParser(root, columns)}
	r.lines.in = in
	r.consumed = func() int64 { return r.lines.read }
	if c, ok := in.(interface{ Consumed() int64 }); ok {
		r.consumed = c.Consumed
	}
	return r
}

// Next fills b with the next records. After an error it returns the same error again.
func (r *reader) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(len(r.rec.cells))
	if r.err == nil {
		r.err = ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	for i := range b.Columns {
		b.Columns[i].Offsets = append(b.Columns[i].Offsets, 0)
	}
	err := r.fill(ctx, b)
	if err != nil && (err != io.EOF || b.Len == 0) {
		b.Reset(len(r.rec.cells))
		r.err = err
		return err
	}
	total := r.consumed()
	b.Bytes, r.reported = total-r.reported, total
	return nil
}

// fill adds records to b until it is full. It returns io.EOF after the last line, which may leave
// records in b.
func (r *reader) fill(ctx context.Context, b *table.Batch) error {
	size := 0
	for b.Len < maxRows && size < maxBatchBytes {
		line, err := r.lines.next(ctx)
		if err == io.EOF {
			return err
		}
		if err != nil {
			return fault(r.name, "reading the input failed", err)
		}
		if r.rec.parse(line) {
			r.rec.appendTo(b)
			size += len(line)
		}
	}
	return nil
}

// Close closes the input.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == nil {
		return nil
	}
	in := r.in
	r.in, r.lines = nil, lineReader{err: io.EOF}
	r.err = &table.Error{File: r.name, Problem: "the reader is closed; open the input again", Err: os.ErrClosed}
	if err := in.Close(); err != nil {
		return fault(r.name, "closing the input failed", err)
	}
	return nil
}
