// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Source is a CSV input. It implements [table.Source] and is safe for concurrent use.
type Source struct {
	name string
	open func(context.Context) (io.ReadCloser, error)
	opts Options
	// decoder and delim are what the options come to.
	decoder *decoder
	delim   []byte
	// block and readers are what tests change; 0 leaves them to package blocks.
	block, readers int
}

var _ table.Source = (*Source)(nil)

// New returns a source that calls open for each scan (and to look at the header), and closes what it
// returns. Errors call the input name. Where what open returns has a method Consumed() int64, that
// is how a batch's Bytes are counted; otherwise it is the bytes read. opts is copied. The error
// joins a *[table.Error] with [table.ErrSchema] for each option that cannot be used.
func New(name string, open func(context.Context) (io.ReadCloser, error), opts Options) (*Source, error) {
	if open == nil {
		return nil, &table.Error{File: name, Problem: "open: got nil, want a function that opens the input", Err: table.ErrSchema}
	}
	if err := opts.check(name); err != nil {
		return nil, err
	}
	if opts.BatchRows == 0 {
		opts.BatchRows = defaultBatchRows
	}
	opts.Columns, opts.Null = slices.Clone(opts.Columns), slices.Clone(opts.Null)
	cm, _ := charmapOf(opts.Encoding) // checked above, as is the delimiter
	delim, _ := encodeDelimiter(cm, opts.Delimiter)
	return &Source{name: name, open: open, opts: opts, decoder: newDecoder(cm), delim: delim}, nil
}

// Name returns the name given to New.
func (s *Source) Name() string { return s.name }

// Size returns Options.Size.
func (s *Source) Size() int64 { return s.opts.Size }

// Schema reads the header and reports the columns: all are text, and each name is listed once.
// Columns without a name are left out, for they cannot be asked for.
func (s *Source) Schema(ctx context.Context) (table.Schema, error) {
	names := s.opts.Columns
	if s.opts.Header == FirstRecord {
		scan, err := s.start(ctx)
		if err != nil {
			return table.Schema{}, err
		}
		names = scan.names
		if err := scan.src.Release(); err != nil {
			return table.Schema{}, readFault(s.name, err)
		}
	}
	var schema table.Schema
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if name != "" && !seen[name] {
			seen[name] = true
			schema.Fields = append(schema.Fields, table.Field{Name: name, Kind: anonymize.Bytes})
		}
	}
	return schema, nil
}

// Open starts a scan of the named columns, with one reader for each processor where the input is more
// than 256 KiB. A column that is missing, or that the header names twice, is an error with
// [table.ErrSchema]; all of them are joined.
func (s *Source) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	shared, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	if shared.wanted, err = project(s.name, shared.names, columns); err != nil {
		_ = shared.src.Release() // the first fault is the one to tell
		return nil, err
	}
	shared.columns, shared.names = len(columns), nil
	needed := 0
	for _, w := range shared.wanted {
		needed = w.field + 1 // the last is the largest
	}
	readers := make([]table.Reader, shared.src.Share(s.readers))
	for i := range readers {
		readers[i] = &Reader{
			name: s.name, scan: shared, rows: s.opts.BatchRows, decoder: s.decoder,
			records: records{dialect: &shared.dialect, spans: make([]span, needed)},
		}
	}
	return readers, nil
}

// start opens the input and reads up to the first record of data.
func (s *Source) start(ctx context.Context) (*scan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rc, err := s.open(ctx)
	if err != nil {
		return nil, readFault(s.name, err)
	}
	shared := &scan{
		src:     blocks.New(rc, cmp.Or(s.block, blocks.Size)),
		dialect: dialect{delim: s.delim},
		null:    s.opts.Null,
	}
	for _, spelling := range shared.null {
		shared.nullLens |= 1 << min(len(spelling), 63)
	}
	if err := shared.begin(ctx, s.name, s.opts, s.decoder); err != nil {
		_ = shared.src.Release() // the first fault is the one to tell
		return nil, readFault(s.name, err)
	}
	return shared, nil
}

// readFault turns an error of the input into a *table.Error. Errors of unknown origin are not passed
// on, for they may quote what was read; those of ctx are returned as they are.
func readFault(name string, err error) error {
	var known *table.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &table.Error{
		File: name, Problem: "cannot be read to its end; check the path, its permissions and its storage",
		Err: cmp.Or(table.Cause(err), table.ErrMalformed),
	}
}
