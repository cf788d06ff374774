// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

const (
	maxRows = 4096
	// maxBatchBytes is when a batch ends for its size. It keeps a column's text far below the 4 GiB
	// that its offsets can express.
	maxBatchBytes = 4 << 20
)

// reader is a share of a scan.
type reader struct {
	// mu lets Close be called while Next runs; it then waits for Next.
	mu     sync.Mutex
	name   string
	shared *shared
	block  blocks.Block
	// at is the position in the block of the next line.
	at     int
	parser *parser
	closed bool
	// err is what Next returns from now on.
	err error
}

// shared is what the readers of one scan have in common. The cutter belongs to src.
type shared struct {
	src    *blocks.Source
	cutter cutter
}

// Next fills b with the next records. After an error it returns the same error again.
func (r *reader) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(len(r.parser.cells))
	if r.err == nil {
		r.err = ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	r.parser.begin(b)
	err := r.fill(ctx, b)
	if err != nil && (err != io.EOF || b.Len == 0) {
		b.Reset(len(r.parser.cells))
		r.err = err
		return err
	}
	b.Bytes = r.shared.src.Progress()
	return nil
}

// fill adds records to b until it is full. It returns io.EOF after the last line, which may leave
// records in b.
func (r *reader) fill(ctx context.Context, b *table.Batch) error {
	size := 0
	for b.Len < maxRows && size < maxBatchBytes {
		if r.at == len(r.block.Data) {
			r.at = 0
			err := r.shared.src.Take(ctx, &r.block, &r.shared.cutter)
			if err == io.EOF {
				return err
			}
			if err != nil {
				return fault(r.name, "reading the input failed", err)
			}
		}
		next, ok := r.parser.next(r.block.Data, r.at)
		if ok {
			r.parser.appendTo(b, r.block.Data)
			size += next - r.at
		}
		r.at = next
	}
	return nil
}

// Close gives up this reader's share of the input. The last reader closes it.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed, r.block, r.at = true, blocks.Block{}, 0
	r.err = &table.Error{File: r.name, Problem: "the reader is closed; open the input again", Err: os.ErrClosed}
	if err := r.shared.src.Release(); err != nil {
		return fault(r.name, "closing the input failed", err)
	}
	return nil
}
