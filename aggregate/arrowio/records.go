// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/throngdp/throng/aggregate/internal/lists"
	"github.com/throngdp/throng/aggregate/table"
)

// NewRecords returns a source over record batches in memory. records is called once per Open and must
// start from the first record batch each time; where scans run at the same time, its sequences do.
//
// The caller keeps ownership: a record batch is read, and its values copied, before the sequence is
// asked for the next one, so the caller may release it when yield returns. Nothing is retained. A
// reader that is closed early stops the sequence: yield then returns false.
//
// An error of the sequence ends the scan. Its text is kept out of ours, since it may quote data.
func NewRecords(name string, schema *arrow.Schema, records func() iter.Seq2[arrow.Record, error]) (*Source, error) {
	if schema == nil || records == nil {
		return nil, &table.Error{File: name, Problem: "schema or records is nil; pass both", Err: table.ErrSchema}
	}
	in := &memoryInput{name: name, schema: schema, columns: fieldsOf(schema.Fields()), records: records}
	return &Source{name: name, input: in}, nil
}

type memoryInput struct {
	name    string
	schema  *arrow.Schema
	columns []field
	records func() iter.Seq2[arrow.Record, error]
}

func (in *memoryInput) fields(context.Context) ([]field, error) { return in.columns, nil }

func (in *memoryInput) open(ctx context.Context, columns []string) ([]table.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chosen, err := choose(in.name, in.columns, columns)
	if err != nil {
		return nil, err
	}
	next, stop := iter.Pull2(in.records())
	f := &recordFeed{input: in, leaves: chosen.leaves, pull: next, stop: stop, dicts: make([]heldDict, len(chosen.leaves))}
	return []table.Reader{newReader(in.name, chosen.asked, f)}, nil
}

// feed yields record batches as parts, one for each column asked for.
type feed interface {
	// next returns io.EOF after the last record batch. What it returned before is no longer valid.
	next(ctx context.Context) (rows int, bytes int64, parts []part, err error)
	close() error
}

// reader cuts record batches into batches of the contract's size.
type reader struct {
	name string
	feed feed

	mu     sync.Mutex
	closed bool
	err    error // sticky
	rows   int   // of the current record batch
	done   int   // rows of it that were yielded
	bytes  int64
	parts  []part

	asked   []asked
	items   []table.Column // of the parts that are in lists
	lists   []table.Column // that a picker looks at
	pickers []*lists.Picker
}

func newReader(name string, all []asked, f feed) *reader {
	r := &reader{name: name, feed: f, asked: all}
	for _, a := range all {
		r.pickers = append(r.pickers, lists.NewPicker(a.key))
	}
	return r
}

// Next fills b.
func (r *reader) Next(ctx context.Context, b *table.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Reset(0)
	if r.closed {
		return &table.Error{File: r.name, Problem: "the reader is closed", Err: fs.ErrClosed}
	}
	if r.err != nil {
		return r.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.fill(ctx, b); err != nil {
		b.Reset(0)
		if r.err = err; !errors.Is(err, io.EOF) {
			r.err = named(r.name, err)
		}
	}
	return r.err
}

func (r *reader) fill(ctx context.Context, b *table.Batch) error {
	for r.done == r.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if r.rows, r.bytes, r.parts, err = r.feed.next(ctx); err != nil {
			r.rows, r.done = 0, 0
			return err
		}
		r.done = 0
	}
	n := min(r.rows-r.done, maxBatchRows)
	for i := range r.parts {
		err := guard(func() (err error) {
			n, err = r.parts[i].fewer(r.done, n)
			return err
		})
		if err != nil {
			return inColumn(r.parts[i].leaf.path, err)
		}
	}
	b.Reset(len(r.asked))
	for i, first := 0, 0; i < len(r.asked); i++ {
		err := guard(func() error { return r.column(&b.Columns[i], i, first, n) })
		if err != nil {
			return inColumn(r.asked[i].name, err)
		}
		first += r.asked[i].leaves
	}
	b.Len, b.Bytes = n, r.bytes
	r.done, r.bytes = r.done+n, 0
	return nil
}

// column sets dst to the next n rows of column i, whose parts begin with the first.
func (r *reader) column(dst *table.Column, i, first, n int) error {
	a := r.asked[i]
	if len(r.items) < len(r.parts) {
		r.items, r.lists = make([]table.Column, len(r.parts)), make([]table.Column, len(r.parts))
	}
	if a.key == "" {
		return r.parts[first].rows(dst, &r.items[first], r.done, r.done+n)
	}
	for p := first; p < first+a.leaves; p++ {
		r.lists[p].Reset()
		if err := r.parts[p].rows(&r.lists[p], &r.items[p], r.done, r.done+n); err != nil {
			return err
		}
	}
	switch err := r.pickers[i].Pick(dst, r.lists[first:first+a.leaves], n); err {
	case nil:
		return nil
	case lists.ErrLong:
		return overLimit(err.Error())
	default:
		return malformed(err.Error())
	}
}

// inColumn names the column of an error of ours.
func inColumn(column string, err error) error {
	var ours *table.Error
	if errors.As(err, &ours) {
		return &table.Error{Column: column, Problem: ours.Problem, Err: ours.Err}
	}
	return err
}

// Close releases the reader.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed, r.parts = true, nil
	return named(r.name, r.feed.close())
}

// recordFeed takes record batches from the caller's sequence.
type recordFeed struct {
	input  *memoryInput
	leaves []leaf
	pull   func() (arrow.Record, error, bool)
	stop   func()
	dicts  []heldDict
	parts  []part
}

// heldDict is a dictionary that was turned into a table.Dict, known again by its address. The pointer
// keeps the garbage collector from giving that address to another; its buffers are not looked at again.
type heldDict struct {
	data arrow.ArrayData
	dict *table.Dict
}

func (f *recordFeed) next(context.Context) (int, int64, []part, error) {
	rec, err, ok := f.pull()
	switch {
	case !ok:
		return 0, 0, nil, io.EOF
	case err != nil:
		return 0, 0, nil, err
	case rec == nil:
		return 0, 0, nil, malformed("a record batch is nil")
	}
	f.parts = f.parts[:0]
	err = guard(func() error {
		for i := range f.leaves {
			p, err := f.part(rec, i)
			if err != nil {
				return inColumn(f.leaves[i].path, err)
			}
			f.parts = append(f.parts, p)
		}
		return nil
	})
	return int(rec.NumRows()), 0, f.parts, err
}

// part finds the column of leaf i in rec.
func (f *recordFeed) part(rec arrow.Record, i int) (part, error) {
	l := &f.leaves[i]
	p := part{leaf: l}
	top := l.index[0]
	if int(rec.NumCols()) <= top || rec.ColumnName(top) != f.input.schema.Field(top).Name ||
		!arrow.TypeEqual(rec.Column(top).DataType(), f.input.schema.Field(top).Type) {
		return p, &table.Error{Problem: "a record batch does not have the schema declared", Err: table.ErrSchema}
	}
	a := storage(rec.Column(top))
	rows := rec.NumRows()
	for _, child := range l.index[1:] {
		p.above = append(p.above, bitmapOf(a))
		if list, ok := a.(array.ListLike); ok {
			if int64(a.Len()) != rows {
				break
			}
			p.lists, p.rowsAbove, p.above = list, p.above, nil
			a = storage(list.ListValues())
			rows = int64(a.Len())
			continue
		}
		a = storage(a.(*array.Struct).Field(child))
	}
	if int64(a.Len()) != rows {
		return p, malformed("a column is not as long as its record batch")
	}
	p.array = a
	if d, ok := a.(*array.Dictionary); ok {
		p.array = d.Indices()
		var err error
		p.dict, err = f.dicts[i].of(l, d)
		return p, err
	}
	return p, nil
}

func storage(a arrow.Array) arrow.Array {
	if e, ok := a.(array.ExtensionArray); ok {
		return e.Storage()
	}
	return a
}

// of returns the dictionary of d, the same as last time where it is the same.
func (h *heldDict) of(l *leaf, d *array.Dictionary) (*table.Dict, error) {
	if d.Len() == 0 { // it may come without a dictionary
		return newDictState(l).dict, nil
	}
	// Dictionary() would write to the caller's array, which another scan may be reading.
	data := d.Data().Dictionary()
	if h.data == data {
		return h.dict, nil
	}
	values := array.MakeFromData(data)
	defer values.Release()
	dict, err := newDict(l, storage(values))
	if err != nil {
		return nil, err
	}
	h.data, h.dict = data, dict
	return dict, nil
}

// newDict copies values into a dictionary.
func newDict(l *leaf, values arrow.Array) (*table.Dict, error) {
	var d dictBuilder
	err := d.add(l, values)
	return d.dict, err
}

// dictBuilder holds a dictionary that may grow. Growing appends behind what earlier Dicts share, so
// that their contents never change and a stream of small additions costs what the additions hold.
type dictBuilder struct {
	column table.Column
	rows   int
	dict   *table.Dict
}

func (d *dictBuilder) add(l *leaf, values arrow.Array) error {
	p := part{leaf: l, array: values}
	// Filling in Valid late would be the one write that an earlier Dict could see half done.
	if err := p.appendTo(&d.column, d.rows, 0, values.Len()); err != nil {
		return err
	}
	d.rows += values.Len()
	d.dict = &table.Dict{Len: d.rows, Values: d.column}
	return nil
}

func (f *recordFeed) close() error {
	f.stop()
	return nil
}
