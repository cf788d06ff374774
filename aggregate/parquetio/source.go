// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

const (
	defaultBatchRows = 2048
	maxBatchRows     = 65536
	// minPartRows is how many rows a reader should have at least: each decodes the dictionaries anew.
	minPartRows = 1 << 16
)

// Options says how to read. The zero value is a good choice.
type Options struct {
	// BatchRows is the largest number of rows of a batch, from 1 to 65536; 0 means 2048.
	BatchRows int
	// Readers is how many readers to open at least, as far as there are rows for them: a file that is one
	// row group could keep one processor busy only. 0 means four for each processor.
	Readers int
}

// Source is a Parquet file. It is safe for concurrent use.
type Source struct {
	name      string
	reader    io.ReaderAt
	size      int64
	batchRows int
	readers   int
	groups    []format.RowGroup
	leaves    []leaf
	dataEnd   int64
}

var _ table.Source = (*Source)(nil)

// New returns a Source that reads size bytes of r and that errors call name. It reads the file's
// metadata at once, and keeps r, which the caller closes after the last reader. A damaged file is an
// error that is table.ErrMalformed, or table.ErrLimit where reading it would cost too much.
func New(name string, r io.ReaderAt, size int64, opts Options) (*Source, error) {
	if opts.BatchRows < 0 || opts.BatchRows > maxBatchRows {
		return nil, &table.Error{File: name, Problem: "BatchRows is out of range, want 1 to 65536, or 0 for 2048", Err: table.ErrLimit}
	}
	if opts.Readers < 0 {
		return nil, &table.Error{File: name, Problem: "Readers is out of range, want 1 or more, or 0 for four for each processor", Err: table.ErrLimit}
	}
	s := &Source{name: name, reader: r, size: size, batchRows: opts.BatchRows, readers: opts.Readers}
	if s.batchRows == 0 {
		s.batchRows = defaultBatchRows
	}
	if s.readers == 0 {
		s.readers = 4 * runtime.GOMAXPROCS(0)
	}
	if err := s.load(); err != nil {
		return nil, located(name, "", err)
	}
	return s, nil
}

func (s *Source) load() (err error) {
	defer recovered(&err)
	meta, err := readFooter(s.reader, s.size)
	if err != nil {
		return err
	}
	if s.leaves, err = walkSchema(meta.Schema); err != nil {
		return err
	}
	s.groups, s.dataEnd = meta.RowGroups, s.size-8
	return checkRowGroups(s.groups, len(s.leaves))
}

// Name returns the name that New was given.
func (s *Source) Name() string { return s.name }

// Size returns the size of the file.
func (s *Source) Size() int64 { return s.size }

// Schema returns the columns that can be read; nested fields by their dotted path, with [] for each item of a list.
func (s *Source) Schema(context.Context) (table.Schema, error) {
	var schema table.Schema
	for i := range s.leaves {
		if l := &s.leaves[i]; l.refuse == "" {
			schema.Fields = append(schema.Fields, table.Field{Name: l.name, Kind: l.kind})
		}
	}
	return schema, nil
}

// Open returns a reader for each row group, or for each part of one where there are few, and one at least.
// A reader takes memory for one page of each column while it is being read.
func (s *Source) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	asked, err := s.find(columns)
	if err != nil {
		return nil, err
	}
	if len(s.groups) == 0 {
		return []table.Reader{newReader(s, asked, 0)}, nil
	}
	var readers []table.Reader
	for i := range s.groups {
		rows := s.groups[i].NumRows
		parts := max(1, min(int64((s.readers-1)/len(s.groups)+1), rows/minPartRows))
		if hasList(asked) {
			parts = 1 // how many rows a page has is not in its header
		}
		for n := range parts {
			from, to := rows*n/parts, rows*(n+1)/parts
			r, err := s.openPart(&s.groups[i], from, to, asked)
			if err != nil {
				return nil, err
			}
			readers = append(readers, r)
		}
	}
	return readers, nil
}

// openPart returns a reader for some rows of a row group. It passes over pages of earlier rows by their
// headers alone.
func (s *Source) openPart(g *format.RowGroup, from, to int64, all []asked) (*reader, error) {
	r := newReader(s, all, to-from)
	for i := range all {
		for _, l := range all[i].leaves {
			start, end, err := chunkBounds(g, l, s.dataEnd)
			if err != nil {
				return nil, located(s.name, all[i].name, err)
			}
			meta := &g.Columns[l.index].MetaData
			c := column{
				name: all[i].name, leaf: l, source: s.reader, scratch: r.scratch,
				offset: start, end: end, left: g.NumRows, skip: from, codec: meta.Codec,
			}
			if l.itemLevel > 0 {
				c.lists = &rows{left: meta.NumValues}
			}
			r.columns = append(r.columns, c)
		}
	}
	return r, nil
}

// asked is a column that was asked for.
type asked struct {
	name string
	// leaves is the column's own; with a key, the items' keys, and then what may be their values.
	leaves []*leaf
	key    string
}

func hasList(all []asked) bool {
	return slices.ContainsFunc(all, func(a asked) bool { return a.leaves[0].itemLevel > 0 })
}

// find returns the leaves of each named column, or an error for each that cannot be read.
func (s *Source) find(columns []string) ([]asked, error) {
	all := make([]asked, len(columns))
	var errs []error
	for i, name := range columns {
		a, text := s.lookup(name)
		if text != "" {
			errs = append(errs, &table.Error{File: s.name, Column: name, Problem: text, Err: table.ErrSchema})
		}
		all[i] = a
	}
	return all, errors.Join(errs...)
}

// lookup finds a column, or says why it cannot be read.
func (s *Source) lookup(name string) (found asked, problem string) {
	switch l, twice := s.leaf(name); {
	case twice:
		return asked{}, "the file has more than one column of this name; rename one"
	case l != nil:
		return asked{name: name, leaves: []*leaf{l}}, l.refuse
	}
	if p, ok := table.ParsePath(name); ok && p.Key != "" {
		return s.lookupKey(name, p)
	}
	for i := range s.leaves {
		switch l := s.leaves[i].name; {
		case strings.HasPrefix(l, name+"[]") && s.leaves[i].refuse != "":
			return asked{}, s.leaves[i].refuse
		case strings.HasPrefix(l, name+"[]."):
			return asked{}, `is a list of groups; name a field of them as "list[].field", or what a key says as "list[key]"`
		case strings.HasPrefix(l, name+"[]"):
			return asked{}, `is a list; name its items as "list[]"`
		case strings.HasPrefix(l, name+"."):
			return asked{}, `is a group; name one of its fields as "group.field"`
		}
	}
	return asked{}, "no such column" + s.suggest(name)
}

// leaf returns the leaf of a name, nil where there is none.
func (s *Source) leaf(name string) (found *leaf, twice bool) {
	for i := range s.leaves {
		if l := &s.leaves[i]; l.name == name {
			if found != nil {
				return nil, true
			}
			found = l
		}
	}
	return found, false
}

// lookupKey finds the keys and values of a list.
func (s *Source) lookupKey(name string, p table.Path) (found asked, problem string) {
	key, _ := s.leaf(p.Item(table.KeyMember))
	if key == nil {
		return asked{}, `no such column: there is no list of this name whose items have a field "key"`
	}
	found = asked{name: name, leaves: []*leaf{key}, key: p.Key}
	for _, m := range p.Members() {
		if l, _ := s.leaf(p.Item(m)); l != nil && l.refuse == "" {
			found.leaves = append(found.leaves, l)
		}
	}
	switch {
	case key.refuse != "" || key.kind != anonymize.Bytes:
		return asked{}, `the list's field "key" is no text`
	case len(found.leaves) == 1:
		return asked{}, "no such column: the list's items have no such field that can be read"
	}
	return found, ""
}

// suggest names a column whose name is at most two edits from name. Other names of the file are
// not repeated: the user has not written them.
func (s *Source) suggest(name string) string {
	best, text := 3, ""
	for i := range s.leaves {
		if s.leaves[i].refuse != "" {
			continue
		}
		if d := editDistance(name, s.leaves[i].name, best); d < best {
			best, text = d, `; did you mean "`+s.leaves[i].name+`"?`
		}
	}
	return text
}

// editDistance is the Levenshtein distance of a and b, or limit where it is no less.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], limit)
}
