// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/throngdp/throng/aggregate/table"
)

// chain reads sources one after the other, opening each when its turn comes.
type chain struct {
	// mu lets Close be called while Next runs.
	mu      sync.Mutex
	name    string
	sources []table.Source
	columns []string
	// readers are those of the source whose turn it is.
	readers []table.Reader
	err     error
}

func newChain(name string, sources []table.Source, columns []string) *chain {
	return &chain{name: name, sources: sources, columns: columns}
}

// Next fills b from the current source.
func (c *chain) Next(ctx context.Context, b *table.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = c.next(ctx, b)
	}
	if c.err != nil {
		b.Reset(len(c.columns))
	}
	return c.err
}

func (c *chain) next(ctx context.Context, b *table.Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(c.readers) == 0 {
			if len(c.sources) == 0 {
				return io.EOF
			}
			readers, err := c.sources[0].Open(ctx, c.columns)
			if err != nil {
				return err
			}
			c.readers, c.sources = readers, c.sources[1:]
		}
		err := c.readers[0].Next(ctx, b)
		if err != io.EOF {
			return err
		}
		done := c.readers[0]
		c.readers = c.readers[1:]
		if err := done.Close(); err != nil {
			return err
		}
	}
}

// Close closes what is open. It may be called more than once.
func (c *chain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	readers := c.readers
	c.readers, c.sources = nil, nil
	c.err = &table.Error{File: c.name, Problem: "the reader is closed; open the input again", Err: os.ErrClosed}
	return closeAll(readers)
}
