// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

const (
	// maxRows and maxBatchInput end a batch.
	maxRows       = 4096
	maxBatchInput = 4 << 20
)

// parser takes lines apart. Each reader has its own.
type parser interface {
	// begin is called for each block with its State, and once more at the end of the input.
	begin(state int) error
	// parse judges a line without its end, and where it is a record fills cells, one for each column that
	// was asked for.
	parse(line []byte, cells []cell) bool
}

// scan is what the readers of one scan have in common. The cutter belongs to src.
type scan struct {
	src    *blocks.Source
	cutter *cutter
}

// Reader is a share of a scan of a [Source]. It implements [table.Reader].
type Reader struct {
	mu     sync.Mutex
	closed bool
	err    error

	name string
	*scan
	parser parser
	cells  []cell
	block  blocks.Block
	// at is the position in the block of the next line.
	at      int
	scratch []byte
}

// Next implements [table.Reader]. After an error, every call returns that error.
func (r *Reader) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(len(r.cells))
	if r.closed {
		return &table.Error{File: r.name, Problem: "is closed", Err: os.ErrClosed}
	}
	if r.err != nil {
		return r.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range b.Columns {
		b.Columns[i].Offsets = append(b.Columns[i].Offsets, 0)
	}
	err := r.fill(ctx, b)
	if err != nil && err != io.EOF {
		b.Reset(len(r.cells))
		r.err = readFault(r.name, err)
		return r.err
	}
	b.Bytes = r.src.Progress()
	if b.Len == 0 {
		b.Reset(len(r.cells))
		r.err = io.EOF
		return io.EOF
	}
	return nil
}

// fill appends records to b until it is full or the input ends.
func (r *Reader) fill(ctx context.Context, b *table.Batch) error {
	input := 0
	for b.Len < maxRows && input < maxBatchInput {
		if r.at == len(r.block.Data) {
			r.at = 0
			err := r.src.Take(ctx, &r.block, r.cutter)
			if err == nil || err == io.EOF {
				err = cmp.Or(r.parser.begin(r.block.State), err)
			}
			if err != nil {
				return err
			}
			continue
		}
		line := r.block.Data[r.at:]
		r.at = len(r.block.Data)
		if k := bytes.IndexByte(line, '\n'); k >= 0 {
			r.at += k + 1 - len(line)
			line = line[:k]
		}
		line = bytes.TrimRight(line, "\r ")
		if len(line) == 0 || len(line) > maxLine || !r.parser.parse(line, r.cells) {
			continue
		}
		input += len(line)
		for i := range r.cells {
			r.put(&b.Columns[i], b.Len, &r.cells[i])
		}
		b.Len++
	}
	return nil
}

// Close gives up this reader's share of the input; the last reader closes it. It may be called more
// than once.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed, r.block, r.at = true, blocks.Block{}, 0
	if err := r.src.Release(); err != nil {
		return readFault(r.name, err)
	}
	return nil
}
