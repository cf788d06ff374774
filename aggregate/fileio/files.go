// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// maxOpen is how many files of one scan are open at a time: each holds buffers of up to some
// megabytes, a zstd decoder up to 128 MiB.
const maxOpen = 16

// files is one or several files of one format as one source.
type files struct {
	name    string
	sources []table.Source
	// contents are what the sources read.
	contents []content

	// mu guards what Version has seen, and how often that has changed.
	mu      sync.Mutex
	seen    []fs.FileInfo
	version int
}

// Name is that of the only file, or the first pattern and the number of files.
func (f *files) Name() string { return f.name }

// Size is the size of all files, 0 where that of one is unknown.
func (f *files) Size() int64 {
	sum := int64(0)
	for _, s := range f.sources {
		size := s.Size()
		if size == 0 {
			return 0
		}
		sum += size
	}
	return sum
}

// Schema reports the columns that every file has with the same kind, in the order of the first file.
func (f *files) Schema(ctx context.Context) (table.Schema, error) {
	if len(f.sources) == 1 {
		return f.sources[0].Schema(ctx)
	}
	schemas, err := f.schemas(ctx)
	if err != nil {
		return table.Schema{}, err
	}
	common := schemas[0]
	common.Fields = slices.DeleteFunc(slices.Clone(common.Fields), func(field table.Field) bool {
		return slices.ContainsFunc(schemas[1:], func(s table.Schema) bool { return !slices.Contains(s.Fields, field) })
	})
	return common, nil
}

func (f *files) schemas(ctx context.Context) ([]table.Schema, error) {
	schemas := make([]table.Schema, len(f.sources))
	errs := make([]error, len(f.sources))
	for i, s := range f.sources {
		schemas[i], errs[i] = s.Schema(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return schemas, errors.Join(errs...)
}

// Open starts a scan. Up to maxOpen files are opened at once, with all readers that they offer.
// More are spread over maxOpen readers, each of which goes through its files one after the other.
func (f *files) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	if len(f.sources) == 1 {
		return f.sources[0].Open(ctx, columns)
	}
	schemas, err := f.schemas(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.check(ctx, schemas, columns); err != nil {
		return nil, err
	}
	if len(f.sources) <= maxOpen {
		return openAll(ctx, f.sources, columns)
	}
	// What is wrong with the columns themselves shows here, not in the middle of the scan.
	if err := try(ctx, f.sources[0], columns); err != nil {
		return nil, err
	}
	readers := make([]table.Reader, maxOpen)
	for i := range readers {
		from, to := i*len(f.sources)/maxOpen, (i+1)*len(f.sources)/maxOpen
		readers[i] = newChain(f.name, f.sources[from:to], columns)
	}
	return readers, nil
}

// openAll opens every source and returns all of their readers, or closes what it has opened.
func openAll(ctx context.Context, sources []table.Source, columns []string) ([]table.Reader, error) {
	var all []table.Reader
	for _, s := range sources {
		readers, err := s.Open(ctx, columns)
		all = append(all, readers...)
		if err != nil {
			_ = closeAll(all) // the first fault is the one to tell
			return nil, err
		}
	}
	return all, nil
}

// try opens a source only to see whether that works.
func try(ctx context.Context, s table.Source, columns []string) error {
	readers, err := s.Open(ctx, columns)
	if err != nil {
		return err
	}
	return closeAll(readers)
}

func closeAll(readers []table.Reader) error {
	var errs []error
	for _, r := range readers {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// check returns an error for each column that not every file has with the same kind.
func (f *files) check(ctx context.Context, schemas []table.Schema, columns []string) error {
	if schemas[0].Open {
		return nil // and so are the others, which have the same format
	}
	errs := make([]error, len(columns))
	for i, column := range columns {
		errs[i] = f.checkColumn(ctx, schemas, column)
	}
	return errors.Join(errs...)
}

func (f *files) checkColumn(ctx context.Context, schemas []table.Schema, column string) error {
	first := -1 // the first file that has the column
	kinds := make([]anonymize.Kind, len(schemas))
	var without []int
	for i, s := range schemas {
		at := slices.IndexFunc(s.Fields, func(field table.Field) bool { return field.Name == column })
		if at < 0 {
			without = append(without, i)
			continue
		}
		if first < 0 {
			first = i
		}
		if kinds[i] = s.Fields[at].Kind; kinds[i] != kinds[first] {
			return &table.Error{File: f.sources[i].Name(), Column: column, Err: table.ErrSchema, Problem: fmt.Sprintf(
				"is %s, but %s in %s; convert one of the files", kinds[i], kinds[first], f.sources[first].Name())}
		}
	}
	switch {
	case first < 0:
		return f.nowhere(ctx, column)
	case len(without) > 0:
		return &table.Error{File: f.sources[without[0]].Name(), Column: column, Err: table.ErrSchema, Problem: fmt.Sprintf(
			"is missing from %d of the %d files, this being the first; %s has it", len(without), len(schemas), f.sources[first].Name())}
	}
	return nil
}

// nowhere is the error for a column that no file offers. What the first file's connector says of it
// helps more: that it is a list, or how it may be spelled.
func (f *files) nowhere(ctx context.Context, column string) error {
	e := &table.Error{Column: column, Problem: "is in none of the files; check the name", Err: table.ErrSchema}
	if known := (*table.Error)(nil); errors.As(try(ctx, f.sources[0], []string{column}), &known) {
		*e = *known
	}
	e.File = f.name
	return e
}
