// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
)

const (
	// maxColumns is how many columns are looked at. What comes after them is counted as not shown.
	maxColumns = 5000
	// maxCells bounds work and memory: of files with more than 50 columns fewer than the usual records are read.
	maxCells = 5_000_000
	// rareName: a name of JSON that fewer than one record in so many has may be data, such as a user's.
	rareName = 100
)

// input is one input and its columns.
type input struct {
	Name aggregate.InputName `json:"input"`
	// Records is how many records were looked at, at most; not how many there are.
	Records int       `json:"records_at_most"`
	Columns []*column `json:"columns"`
	// Hidden is set where columns were left out whose names may be data, or that nobody can ask for.
	Hidden bool `json:"columns_left_out"`
	file   string
	// valueLike is how many names look like values; names is how many there are.
	valueLike, names int
}

// sample reads the first records of a source.
func sample(ctx context.Context, src table.Source, name aggregate.InputName, rows int) (*input, error) {
	in := &input{Name: name, file: src.Name()}
	schema, err := src.Schema(ctx)
	if err != nil {
		return nil, err
	}
	names, err := in.listed(ctx, src, schema, rows)
	if err != nil {
		return nil, err
	}
	in.names = len(names)
	for _, name := range names {
		switch {
		case !shown(name):
			in.Hidden = true
			in.valueLike += btoi(valueLike(name))
		case len(in.Columns) == maxColumns:
			in.Hidden = true
		default:
			in.Columns = append(in.Columns, newColumn(in.Name, name))
		}
	}
	if in.headless() {
		return in, nil
	}
	readers, err := in.open(ctx, src)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, r := range readers {
			_ = r.Close() // all that is wanted has been read
		}
	}()
	in.Records = min(rows, max(1000, maxCells/max(len(in.Columns), 1)))
	return in, in.read(ctx, readers, in.Records)
}

// listed returns the names of all columns. JSON has no header: the names that its first records have.
func (in *input) listed(ctx context.Context, src table.Source, schema table.Schema, rows int) ([]string, error) {
	var names []string
	for _, f := range schema.Fields {
		names = append(names, f.Name)
	}
	lister, ok := src.(interface {
		Names(context.Context, int) (map[string]int, int, error)
	})
	if !schema.Open || !ok {
		return names, nil
	}
	counts, read, err := lister.Names(ctx, rows)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] <= read/rareName {
			in.Hidden = true
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

// open opens the columns, without those that cannot be read, such as names that stand twice in a header.
func (in *input) open(ctx context.Context, src table.Source) ([]table.Reader, error) {
	readers, err := src.Open(ctx, in.readable())
	if err == nil || !errors.Is(err, table.ErrSchema) {
		return readers, err
	}
	problems := map[string]string{}
	for _, e := range aggregate.Faults(err) {
		fault := (*table.Error)(nil)
		if !errors.As(e, &fault) || fault.Column == "" {
			return nil, err
		}
		problems[fault.Column] = fault.Problem
	}
	for _, c := range in.Columns {
		c.Problem = problems[c.Name]
	}
	return src.Open(ctx, in.readable())
}

func (in *input) readable() []string {
	var names []string
	for _, c := range in.Columns {
		if c.Problem == "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// read adds the first rows to the columns. The readers are gone through one after the other, so that the same
// records are read each time.
func (in *input) read(ctx context.Context, readers []table.Reader, rows int) error {
	var columns []*column
	for _, c := range in.Columns {
		if c.Problem == "" {
			columns = append(columns, c)
			c.keep = len(in.Columns) <= keepColumns
		}
	}
	var b table.Batch
	for _, r := range readers {
		for rows > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := r.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			n := min(b.Len, rows)
			for i, c := range columns {
				for row := range n {
					c.add(b.Columns[i].Value(row))
				}
			}
			rows -= n
		}
	}
	return nil
}

// headless reports whether the header looks like a record: most of its names look like values, or several of
// them are also what their columns often hold. (A header that was pasted between records is seldom.)
func (in *input) headless() bool {
	repeated := 0
	for _, c := range in.Columns {
		if c.valid > 1 && c.forms[isName]*100 >= c.valid && c.forms[isName] > 1 {
			repeated++
		}
	}
	return in.valueLike*2 >= in.names && in.valueLike > 0 || repeated > 1 || repeated == 1 && in.valueLike > 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
