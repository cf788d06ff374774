// SPDX-License-Identifier: Apache-2.0

package table

import (
	"context"
	"io"

	"github.com/throngdp/throng/anonymize"
)

// Field is one column that an input has.
type Field struct {
	Name string
	Kind anonymize.Kind
}

// Schema says which columns an input has, by name.
type Schema struct {
	Fields []Field
	// Open is true where any name may be asked for and what a record lacks is null (NDJSON).
	Open bool
}

// Source is an input of records: a file, several files, or rows in memory. A Source can be opened
// more than once; each Open reads from the start.
type Source interface {
	// Name is how errors call this input: a file's path, never anything read from it.
	Name() string
	// Schema reports the columns. It reads no more than a header or footer.
	Schema(ctx context.Context) (Schema, error)
	// Size is the number of input bytes that a full scan consumes, 0 when unknown: progress only.
	Size() int64
	// Open starts a scan of the named columns and of nothing else: a column that is not named is
	// never decoded. It returns independent readers, each for one goroutine, which together yield
	// every record once; at least one. Missing names are an [*Error] with [ErrSchema] for each,
	// joined. Where Open fails nothing is left open.
	Open(ctx context.Context, columns []string) ([]Reader, error)
}

// Versioned is a Source whose records can change. Of others a run takes it that they do not.
type Versioned interface {
	Source
	// Version names the state of the records: as long as it says the same, they are the same. It is compared and never
	// shown: a time of the last change or the number of a transaction will do.
	Version(ctx context.Context) (string, error)
}

// Stored is a Source of files or other objects, by which a run sees that it is given one twice.
type Stored interface {
	Source
	// Objects are all of them.
	Objects() []Object
}

// Object is stored bytes that hold records; it is a Source of these.
type Object struct {
	Source
	// Bytes is how many they are.
	Bytes int64
	// Raw opens the bytes as they are stored. Its reads end with ctx.
	Raw func(ctx context.Context) (io.ReadCloser, error)
}

// Reader yields batches of records.
type Reader interface {
	// Next fills b, whose slices it may reuse or replace with memory of its own, and returns io.EOF,
	// with b.Len = 0, after the last batch. Its contents are valid until the next call. Each reader
	// wants a batch of its own.
	Next(ctx context.Context, b *Batch) error
	// Close releases the reader. It may be called at any time, and more than once.
	Close() error
}

// Batch is a number of records as columns, in the order in which Open was asked for them.
type Batch struct {
	Len     int
	Columns []Column
	// Bytes is how much input this batch consumed: progress only.
	Bytes int64
}

// Column is one column of a batch. A null row keeps its place: the slice that holds the values has
// Len entries (of no meaning where null). Exactly one of these representations is in use:
//
//   - Items != nil: row i has several values, rows Starts[i] to Starts[i+1] of Items.
//   - Dict != nil: Codes[i] indexes Dict.
//   - Kind Bytes: row i is Data[Offsets[i]+Lead : Offsets[i+1]].
//   - Kind Int, Bool or Time: Ints[i].
//   - Kind Float: Floats[i].
type Column struct {
	Kind anonymize.Kind
	// Valid is false where a row is null; an empty slice means that no row is.
	Valid   []bool
	Dict    *Dict
	Codes   []uint32
	Ints    []int64
	Floats  []float64
	Data    []byte
	Offsets []uint32
	// Lead is how many bytes stand before each text that are not part of it, such as its length in a
	// file's own layout.
	Lead uint32
	// Items are the values of a column whose name says that it has several ([IsList]), and have no Items of their
	// own. Kind is theirs, and Valid is empty: a row without a list has no items. Starts has Len + 1 entries.
	Items  *Column
	Starts []uint32
}

// Dict is the distinct values that a column's codes refer to. Batches share a Dict by pointer, and
// its contents never change, so that work done once per distinct value can be kept by pointer. A
// value may stand in it that no row uses.
type Dict struct {
	// Len is the number of values.
	Len int
	// Values holds them, without a Dict of its own.
	Values Column
}

// Value returns row i. The result's Bytes alias the column. What has several values has no one value, and is null.
func (c *Column) Value(i int) anonymize.Value {
	if c.Items != nil || len(c.Valid) != 0 && !c.Valid[i] {
		return anonymize.Value{}
	}
	if c.Dict != nil {
		return c.Dict.Values.Value(int(c.Codes[i]))
	}
	v := anonymize.Value{Kind: c.Kind, Valid: true}
	switch c.Kind {
	case anonymize.Bytes:
		v.Bytes = c.Text(i)
	case anonymize.Float:
		v.Float = c.Floats[i]
	default:
		v.Int = c.Ints[i]
	}
	return v
}

// Text returns row i of a column of Kind Bytes without a Dict, where it is not null. It aliases the
// column.
func (c *Column) Text(i int) []byte { return c.Data[c.Offsets[i]+c.Lead : c.Offsets[i+1]] }

// Reset empties the batch for columns columns and keeps what its slices have allocated.
func (b *Batch) Reset(columns int) {
	b.Len, b.Bytes = 0, 0
	if cap(b.Columns) < columns {
		b.Columns = append(b.Columns[:cap(b.Columns)], make([]Column, columns-cap(b.Columns))...)
	}
	b.Columns = b.Columns[:columns]
	for i := range b.Columns {
		b.Columns[i].Reset()
	}
}

// Reset empties the column and keeps what its slices have allocated.
func (c *Column) Reset() {
	c.Kind, c.Dict = anonymize.Bytes, nil
	c.Valid, c.Codes = c.Valid[:0], c.Codes[:0]
	c.Ints, c.Floats = c.Ints[:0], c.Floats[:0]
	c.Data, c.Offsets, c.Lead = c.Data[:0], c.Offsets[:0], 0
	c.Items, c.Starts = nil, c.Starts[:0]
}
