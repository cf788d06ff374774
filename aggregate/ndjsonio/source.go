// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// Options are what a caller may know about an input. The zero value knows nothing.
type Options struct {
	// Size is the number of input bytes that a full scan consumes, 0 when unknown: progress only.
	Size int64
}

// Source is an input of newline-delimited JSON. It is safe for concurrent use if the function that
// opens it is.
type Source struct {
	name string
	open func(context.Context) (io.ReadCloser, error)
	size int64
	// block and readers are what tests change; 0 leaves them to package blocks.
	block, readers int
}

var _ table.Source = (*Source)(nil)

// New returns the input that open reads, which errors call name. Each scan calls open once and
// closes what it returns. If that has a method Consumed() int64, a count of the bytes taken from
// what lies beneath (a compressed file), progress is measured by it.
func New(name string, open func(context.Context) (io.ReadCloser, error), opts Options) (*Source, error) {
	if open == nil {
		return nil, &table.Error{File: name, Problem: "got no function to open the input; give one"}
	}
	if opts.Size < 0 {
		return nil, &table.Error{File: name, Problem: "got a negative size; use 0 where it is not known"}
	}
	return &Source{name: name, open: open, size: opts.Size}, nil
}

// Name returns the name given to [New].
func (s *Source) Name() string { return s.name }

// Size returns the size given to [New].
func (s *Source) Size() int64 { return s.size }

// Schema reports that any column may be asked for. It reads the first bytes, so that a file of
// another format is refused here and not in the middle of a run.
func (s *Source) Schema(ctx context.Context) (table.Schema, error) {
	readers, err := s.Open(ctx, nil)
	if err != nil {
		return table.Schema{}, err
	}
	var errs []error
	for _, r := range readers {
		errs = append(errs, r.Close())
	}
	return table.Schema{Open: true}, errors.Join(errs...)
}

// Open starts a scan, with one reader for each processor where the input is more than 256 KiB. A column
// of more than eight names is an error with [table.ErrSchema].
func (s *Source) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	root, err := s.compile(columns)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, err := s.open(ctx)
	if err != nil {
		return nil, fault(s.name, "opening the input failed", err)
	}
	scan := &shared{src: blocks.New(in, cmp.Or(s.block, blocks.Size))}
	if err := start(ctx, scan.src); err != nil {
		_ = scan.src.Release() // the first fault is the one to tell
		return nil, fault(s.name, "reading the input failed", err)
	}
	readers := make([]table.Reader, scan.src.Share(s.readers))
	for i := range readers {
		readers[i] = &reader{name: s.name, shared: scan, parser: newParser(root, columns)}
	}
	return readers, nil
}

func (s *Source) compile(columns []string) (*node, error) {
	root := &node{}
	var errs []error
	for i, column := range columns {
		if !root.add(column, i) {
			errs = append(errs, &table.Error{File: s.name, Column: column, Err: table.ErrSchema,
				Problem: "got a path of more than 8 names, want at most 8"})
		}
	}
	return root, errors.Join(errs...)
}
