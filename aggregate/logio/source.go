// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Format is how the lines of a log are written.
type Format uint8

const (
	// Combined is the Common or Combined Log Format.
	Combined Format = iota
	// W3C is the W3C extended log format.
	W3C
)

// Options describe a log. The zero value is right for a Common or Combined log.
type Options struct {
	// Format is Combined, the zero value, or W3C.
	Format Format
	// Size is the number of input bytes, compressed where the input is, for progress; zero if unknown.
	Size int64
}

// Source is a log. It implements [table.Source] and is safe for concurrent use.
type Source struct {
	name string
	open func(context.Context) (io.ReadCloser, error)
	opts Options
	// block and readers are what tests change; 0 leaves them to package blocks.
	block, readers int
}

var _ table.Source = (*Source)(nil)

// New returns a source that calls open for each scan (and of a W3C log to look at the #Fields line), and
// closes what it returns. Errors call the input name. Where what open returns has a method Consumed()
// int64, that is how a batch's Bytes are counted; otherwise it is the bytes read. The error is a
// *[table.Error] with [table.ErrSchema] where an option cannot be used.
func New(name string, open func(context.Context) (io.ReadCloser, error), opts Options) (*Source, error) {
	refuse := func(problem string) error {
		return &table.Error{File: name, Problem: problem, Err: table.ErrSchema}
	}
	switch {
	case open == nil:
		return nil, refuse("open: got nil, want a function that opens the input")
	case opts.Format > W3C:
		return nil, refuse("Options.Format: want Combined or W3C; use one of them")
	case opts.Size < 0:
		return nil, refuse("Options.Size: got a negative size; leave it zero where it is not known")
	}
	return &Source{name: name, open: open, opts: opts}, nil
}

// Name returns the name given to New.
func (s *Source) Name() string { return s.name }

// Size returns Options.Size.
func (s *Source) Size() int64 { return s.opts.Size }

// Schema reports the columns, all of them text: those of every Combined log, or those of the first
// #Fields line, each once.
func (s *Source) Schema(ctx context.Context) (table.Schema, error) {
	names := combinedNames()
	if s.opts.Format == W3C {
		src, head, err := s.start(ctx)
		if err != nil {
			return table.Schema{}, err
		}
		if err := src.Release(); err != nil {
			return table.Schema{}, readFault(s.name, err)
		}
		names = head.columns()
	}
	var schema table.Schema
	for _, name := range names {
		schema.Fields = append(schema.Fields, table.Field{Name: name, Kind: anonymize.Bytes})
	}
	return schema, nil
}

// Open starts a scan of the named columns, with one reader for each processor where the input is more
// than 256 KiB. A column that is missing, or that a #Fields line names twice, is an error with
// [table.ErrSchema]; all of them are joined.
func (s *Source) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	if s.opts.Format == W3C {
		return s.openW3C(ctx, columns)
	}
	wanted, err := projectCombined(s.name, columns)
	if err != nil {
		return nil, err
	}
	src, _, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	cut := &cutter{}
	return s.share(src, cut, len(columns), func() parser { return &combined{wanted: wanted} }), nil
}

func (s *Source) openW3C(ctx context.Context, columns []string) ([]table.Reader, error) {
	src, head, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	first, err := head.project(s.name, "the #Fields line", columns)
	if err != nil {
		_ = src.Release() // the first fault is the one to tell
		return nil, err
	}
	known := &sections{file: s.name, columns: columns, list: []*section{first}}
	cut := &cutter{sections: known}
	return s.share(src, cut, len(columns), func() parser { return &w3c{known: known} }), nil
}

// share returns the readers of a scan.
func (s *Source) share(src *blocks.Source, cut *cutter, columns int, newParser func() parser) []table.Reader {
	scan := &scan{src: src, cutter: cut}
	readers := make([]table.Reader, src.Share(s.readers))
	for i := range readers {
		readers[i] = &Reader{name: s.name, scan: scan, parser: newParser(), cells: make([]cell, columns)}
	}
	return readers
}

// start opens the input and reads up to the first record, which of a W3C log is the first line after
// #Fields.
func (s *Source) start(ctx context.Context) (*blocks.Source, header, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	rc, err := s.open(ctx)
	if err != nil {
		return nil, nil, readFault(s.name, err)
	}
	src := blocks.New(rc, cmp.Or(s.block, blocks.Size))
	head, err := s.begin(ctx, src)
	if err != nil {
		_ = src.Release() // the first fault is the one to tell
		return nil, nil, readFault(s.name, err)
	}
	return src, head, nil
}

func (s *Source) begin(ctx context.Context, src *blocks.Source) (header, error) {
	if err := src.More(ctx); err != nil {
		return nil, err
	}
	if err := skipMark(src, s.name); err != nil {
		return nil, err
	}
	if s.opts.Format == W3C {
		return readHeader(ctx, src, s.name)
	}
	return nil, nil
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
