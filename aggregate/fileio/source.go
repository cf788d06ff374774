// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"io"

	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
)

// newSource returns the connector's source for c.
func newSource(c content, opts Options) (table.Source, error) {
	open := func(ctx context.Context) (io.ReadCloser, error) {
		s, err := c.Open(ctx)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if err := opts.check(c); err != nil {
		return nil, err
	}
	switch c.format {
	case ndjson:
		return ndjsonio.New(c.Name, open, ndjsonio.Options{Size: c.Size})
	case parquet:
		return newSectionSource(c, func(r io.ReaderAt, size int64) (table.Source, error) {
			return parquetio.New(c.Name, r, size, parquetio.Options{})
		}), nil
	case arrowFile:
		return newSectionSource(c, func(r io.ReaderAt, size int64) (table.Source, error) {
			return arrowio.NewFile(c.Name, r, size), nil
		}), nil
	case arrowStream:
		return arrowio.NewStream(c.Name, open), nil
	case combined:
		return logio.New(c.Name, open, logio.Options{Size: c.Size})
	case w3c:
		return logio.New(c.Name, open, logio.Options{Format: logio.W3C, Size: c.Size})
	}
	return csvio.New(c.Name, open, opts.csv(c))
}
