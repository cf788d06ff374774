// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"cmp"
	"context"
	"errors"

	"github.com/throngdp/throng/aggregate/table"
)

// maxBatchRows is how many records one batch holds at most, so that its columns stay in cache.
const maxBatchRows = 8192

// Source is Arrow data. It is safe for concurrent use as far as what it was made from is.
type Source struct {
	name  string
	size  int64
	input input
}

// input is one of the three forms that Arrow data comes in.
type input interface {
	fields(ctx context.Context) ([]field, error)
	open(ctx context.Context, columns []string) ([]table.Reader, error)
}

// Name returns the name that the source was made with.
func (s *Source) Name() string { return s.name }

// Size returns the size of an IPC file, and 0 otherwise.
func (s *Source) Size() int64 { return s.size }

// Schema reports the columns that can be asked for; those of other types are left out.
func (s *Source) Schema(ctx context.Context) (table.Schema, error) {
	fields, err := s.input.fields(ctx)
	if err != nil {
		return table.Schema{}, err
	}
	var schema table.Schema
	for _, l := range leaves(fields) {
		if l.problem == "" {
			schema.Fields = append(schema.Fields, table.Field{Name: l.path, Kind: l.kind})
		}
	}
	return schema, nil
}

// Open starts a scan of the named columns. An IPC file is shared out among several readers by record
// batch; records and streams have one.
func (s *Source) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	return s.input.open(ctx, columns)
}

// malformed and its kin are what the inner functions return; the boundary adds the file's name.
func malformed(problem string) error { return &table.Error{Problem: problem, Err: table.ErrMalformed} }

func overLimit(problem string) error { return &table.Error{Problem: problem, Err: table.ErrLimit} }

// named completes an error at the boundary. Whatever is not ours, the text of a library or a reader,
// may quote data and is replaced.
func named(file string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var ours *table.Error
	if errors.As(err, &ours) {
		return &table.Error{File: file, Column: ours.Column, Problem: ours.Problem, Err: ours.Err}
	}
	return &table.Error{File: file, Problem: "reading Arrow data failed", Err: cmp.Or(table.Cause(err), table.ErrMalformed)}
}

// guard turns a panic of the Arrow library, which trusts its input, into an error.
func guard(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = malformed("the Arrow data contradicts itself")
		}
	}()
	return f()
}
