// SPDX-License-Identifier: Apache-2.0

package structio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/throngdp/throng/aggregate/table"
)

const (
	// maxBatchRows is how many records one batch holds at most, so that its columns stay in cache.
	maxBatchRows = 8192
	// maxBatchText ends a batch early: offsets have 32 bits.
	maxBatchText = 1 << 26
	// maxBatchItems ends a batch early for its lists.
	maxBatchItems = 1 << 20
	// maxValue is the longest text of one value.
	maxValue = 1 << 30
)

// Source is a sequence of structs. It is safe for concurrent use as far as the sequences are.
type Source[T any] struct {
	name   string
	rows   func() iter.Seq[T]
	fields []field
}

// New returns a source over the structs (or pointers to structs) that rows yields. rows is called once
// per Open and must start from the first record each time; where scans run at the same time, its
// sequences do. A reader that is closed early stops the sequence: yield then returns false.
//
// A T whose tags cannot be used is refused with an [*table.Error] for each fault, joined.
func New[T any](name string, rows func() iter.Seq[T]) (*Source[T], error) {
	if rows == nil {
		return nil, &table.Error{File: name, Problem: "rows is nil; pass a function", Err: table.ErrSchema}
	}
	fields, err := fieldsOf(name, reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return &Source[T]{name: name, rows: rows, fields: fields}, nil
}

// Slice returns a source over rows, which it keeps and does not change.
func Slice[T any](name string, rows []T) (*Source[T], error) {
	return New(name, func() iter.Seq[T] { return slices.Values(rows) })
}

// Name returns the name that the source was made with.
func (s *Source[T]) Name() string { return s.name }

// Size returns 0: there are no bytes to count.
func (s *Source[T]) Size() int64 { return 0 }

// Schema reports the tagged fields.
func (s *Source[T]) Schema(ctx context.Context) (table.Schema, error) {
	var schema table.Schema
	for _, f := range s.fields {
		schema.Fields = append(schema.Fields, table.Field{Name: f.path, Kind: f.kind})
	}
	return schema, ctx.Err()
}

// Open starts a scan of the named columns with one reader.
func (s *Source[T]) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var chosen []field
	var errs []error
	for _, c := range columns {
		i := slices.IndexFunc(s.fields, func(f field) bool { return f.path == c })
		if i < 0 {
			errs = append(errs, &table.Error{File: s.name, Column: c,
				Problem: "no field has this tag", Err: table.ErrSchema})
			continue
		}
		chosen = append(chosen, s.fields[i])
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return []table.Reader{newReader(s, chosen)}, nil
}

// reader runs the sequence as a coroutine that fills a whole batch each time it is resumed.
type reader[T any] struct {
	name    string
	current *T // the row that the getters look at
	getters []getter
	fields  []field
	items   []table.Column // of lists

	mu     sync.Mutex
	next   func() (struct{}, bool)
	stop   func()
	batch  *table.Batch
	closed bool
	done   bool
	err    error
}

func newReader[T any](s *Source[T], chosen []field) *reader[T] {
	r := &reader[T]{name: s.name, current: new(T), fields: chosen, items: make([]table.Column, len(chosen))}
	for _, f := range chosen {
		r.getters = append(r.getters, f.compile(reflect.ValueOf(r.current).Elem()))
	}
	r.next, r.stop = iter.Pull(r.batches(s.rows()))
	return r
}

// batches yields whenever the batch is full. Each row is copied to where the getters, which were
// compiled for that place, find it.
func (r *reader[T]) batches(rows iter.Seq[T]) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		for row := range rows {
			*r.current = row
			full := r.add()
			if r.err != nil || full && !yield(struct{}{}) {
				return
			}
		}
		if r.batch != nil && r.batch.Len > 0 {
			yield(struct{}{})
		}
	}
}

// add appends the current row, and says whether the batch is full.
func (r *reader[T]) add() bool {
	b := r.batch
	full := b.Len+1 == maxBatchRows
	for i, get := range r.getters {
		column := &b.Columns[i]
		c := column
		if c.Items != nil {
			c = c.Items
			full = full || column.Starts[b.Len] > maxBatchItems
		}
		before := len(c.Data)
		get(column, b.Len)
		if len(c.Data)-before > maxValue {
			r.err = &table.Error{File: r.name, Problem: "a value holds more than 1 GiB", Err: table.ErrLimit}
		}
		full = full || len(c.Data) > maxBatchText
	}
	b.Len++
	return full
}

// Next fills b.
func (r *reader[T]) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(0)
	if r.closed {
		return &table.Error{File: r.name, Problem: "the reader is closed", Err: fs.ErrClosed}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.done {
		r.fill(b)
	}
	switch {
	case r.err != nil:
		b.Reset(0)
		return r.err
	case b.Len == 0:
		b.Reset(0)
		return io.EOF
	}
	return nil
}

func (r *reader[T]) fill(b *table.Batch) {
	b.Reset(len(r.getters))
	for i := range r.fields {
		if c := &b.Columns[i]; r.fields[i].isList {
			r.items[i].Reset()
			r.items[i].Kind = r.fields[i].kind
			c.Kind, c.Items, c.Starts = r.fields[i].kind, &r.items[i], append(c.Starts, 0)
		}
	}
	r.batch = b
	if _, more := r.next(); !more {
		r.done = true
	}
	r.batch = nil
}

// Close releases the reader.
func (r *reader[T]) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.stop()
	}
	return nil
}
