// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// checkRows writes rows and reads them back.
func (s *suite) checkRows(t *testing.T, rows Rows) error {
	src, rows := s.source(t, rows)
	got, err := s.readAll(t.Context(), src, rows.names(), nil)
	if err != nil {
		return err
	}
	return same(got, s.want(rows))
}

func (s *suite) checkAllRows(t *testing.T) error  { return s.checkRows(t, smallRows()) }
func (s *suite) checkManyRows(t *testing.T) error { return s.checkRows(t, manyRows()) }
func (s *suite) checkText(t *testing.T) error     { return s.checkRows(t, textRows()) }
func (s *suite) checkExtremes(t *testing.T) error { return s.checkRows(t, extremeRows()) }
func (s *suite) checkAllNull(t *testing.T) error  { return s.checkRows(t, nullRows()) }
func (s *suite) checkNoRows(t *testing.T) error {
	rows := smallRows()
	rows.Cells = nil
	return s.checkRows(t, rows)
}

func (s *suite) checkOrder(t *testing.T) error {
	src, rows := s.source(t, smallRows())
	names := rows.names()
	slices.Reverse(names)
	got, err := s.readAll(t.Context(), src, names, nil)
	if err != nil {
		return err
	}
	return same(got, s.want(rows.project(names)))
}

func (s *suite) checkSubsets(t *testing.T) error {
	src, rows := s.source(t, smallRows())
	names := rows.names()
	for subset := range 1 << len(names) {
		var asked []string
		for i, name := range names {
			if subset>>i&1 == 1 {
				asked = append(asked, name)
			}
		}
		got, err := s.readAll(t.Context(), src, asked, nil)
		if err != nil {
			return fmt.Errorf("columns %q: %w", asked, err)
		}
		if err := same(got, s.want(rows.project(asked))); err != nil {
			return fmt.Errorf("columns %q: %w", asked, err)
		}
	}
	return nil
}

func (s *suite) checkNoColumns(t *testing.T) error {
	src, rows := s.source(t, manyRows())
	got, err := s.readAll(t.Context(), src, nil, nil)
	if err != nil {
		return err
	}
	if len(got) != len(rows.Cells) {
		return fmt.Errorf("counted %d rows, want %d", len(got), len(rows.Cells))
	}
	return nil
}

func (s *suite) checkMissing(t *testing.T) error {
	src, rows := s.source(t, smallRows())
	schema, err := src.Schema(t.Context())
	if err != nil {
		return fmt.Errorf("source Schema: %w", err)
	}
	missing := []string{"no such column", "nor this one"}
	asked := []string{missing[0], idColumn, missing[1]}
	if schema.Open {
		got, err := s.readAll(t.Context(), src, asked, nil)
		return errors.Join(err, same(got, s.want(rows.project(asked))))
	}
	readers, err := src.Open(t.Context(), asked)
	if err == nil {
		for _, r := range readers {
			_ = r.Close()
		}
		return errors.New("source Open took a column that is not there")
	}
	if len(readers) != 0 {
		return errors.New("source Open returned readers together with an error")
	}
	return checkMissingError(err, src.Name(), missing)
}

// checkMissingError checks that err names exactly the missing columns.
func checkMissingError(err error, file string, missing []string) error {
	if !errors.Is(err, table.ErrSchema) {
		return fmt.Errorf("source Open = %q, want an error that is table.ErrSchema", err)
	}
	var named []string
	for _, e := range tableErrors(err) {
		if e.File != file || !errors.Is(e, table.ErrSchema) || !strings.HasPrefix(e.Error(), file) {
			return fmt.Errorf("error %q does not name the Source %q with table.ErrSchema", e, file)
		}
		named = append(named, e.Column)
	}
	slices.Sort(named)
	missing = slices.Sorted(slices.Values(missing))
	if !slices.Equal(named, missing) {
		return fmt.Errorf("errors name the columns %q, want a *table.Error for each of %q", named, missing)
	}
	if strings.Contains(err.Error(), canaryColumn) {
		return errors.New("error names a column that nobody asked for")
	}
	return nil
}

// tableErrors collects every *table.Error in the tree of err.
func tableErrors(err error) []*table.Error {
	switch e := err.(type) {
	case *table.Error:
		return []*table.Error{e}
	case interface{ Unwrap() []error }:
		var all []*table.Error
		for _, err := range e.Unwrap() {
			all = append(all, tableErrors(err)...)
		}
		return all
	case interface{ Unwrap() error }:
		return tableErrors(e.Unwrap())
	}
	return nil
}

// usedBatch is a batch as a reader of other columns could have left it.
func usedBatch() *table.Batch {
	b := &table.Batch{Len: 2, Bytes: 5, Columns: make([]table.Column, 9)}
	for i := range b.Columns {
		b.Columns[i] = table.Column{
			Kind: anonymize.Time, Valid: []bool{false, false},
			Dict: &table.Dict{Len: 1}, Codes: []uint32{7, 7}, Ints: []int64{7, 7}, Floats: []float64{7, 7},
			Data: []byte("used"), Offsets: []uint32{0, 2, 4}, Items: &table.Column{}, Starts: []uint32{0, 0, 0},
		}
	}
	return b
}

func (s *suite) checkBatchReuse(t *testing.T) error {
	b := usedBatch()
	for _, rows := range []Rows{smallRows(), nullRows(), extremeRows(), smallRows()} {
		src, rows := s.source(t, rows)
		readers, err := src.Open(t.Context(), rows.names())
		if err != nil {
			return fmt.Errorf("source Open: %w", err)
		}
		var got []string
		for _, r := range readers {
			lines, err := s.readOne(t.Context(), r, len(rows.Columns), b, nil)
			if err = errors.Join(err, r.Close()); err != nil {
				return err
			}
			got = append(got, lines...)
		}
		if err := same(got, s.want(rows)); err != nil {
			return err
		}
	}
	return nil
}

// checkDicts holds every Dict against what it held when its first batch arrived.
func (s *suite) checkDicts(t *testing.T) error {
	src, rows := s.source(t, manyRows())
	first := map[*table.Dict]string{}
	_, err := s.readAll(t.Context(), src, rows.names(), func(b *table.Batch) {
		for i := range b.Columns {
			if d := b.Columns[i].Dict; d != nil && first[d] == "" {
				first[d] = dictText(d)
			}
		}
	})
	if err != nil {
		return err
	}
	for d, text := range first {
		if dictText(d) != text {
			return errors.New("a Dict changed after a batch had carried it")
		}
	}
	return nil
}

func dictText(d *table.Dict) string {
	var b strings.Builder
	for i := range d.Len {
		fmt.Fprintf(&b, "%q ", Text(d.Values.Value(i)))
	}
	return b.String() + "."
}

func (s *suite) checkClose(t *testing.T) error {
	src, rows := s.source(t, manyRows())
	for _, batches := range []int{0, 1} {
		readers, err := src.Open(t.Context(), rows.names())
		if err != nil {
			return fmt.Errorf("source Open: %w", err)
		}
		for _, r := range readers {
			var b table.Batch
			for range batches {
				if err := r.Next(t.Context(), &b); err != nil && err != io.EOF {
					return fmt.Errorf("source Next: %w", err)
				}
			}
			for i := range 2 {
				if err := r.Close(); err != nil {
					return fmt.Errorf("source Close no. %d after %d batches: %w", i+1, batches, err)
				}
			}
			if err := r.Next(t.Context(), &b); err == nil {
				return errors.New("source Next after Close yielded a batch, want an error")
			}
		}
	}
	return s.checkAllRows(t)
}

func (s *suite) checkCancel(t *testing.T) error {
	src, rows := s.source(t, manyRows())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	readers, err := src.Open(ctx, rows.names())
	if err != nil {
		return fmt.Errorf("source Open: %w", err)
	}
	var b table.Batch
	if err := readers[0].Next(ctx, &b); err != nil && err != io.EOF {
		return fmt.Errorf("source Next: %w", err)
	}
	cancel()
	for i, r := range readers {
		if err := r.Next(ctx, &b); !errors.Is(err, context.Canceled) && !(i == 0 && err == io.EOF) {
			return fmt.Errorf("source Next with a cancelled context = %v, want context.Canceled", err)
		}
		if err := r.Close(); err != nil {
			return fmt.Errorf("source Close after a cancelled context: %w", err)
		}
	}
	return nil
}

func (s *suite) checkConcurrent(t *testing.T) error {
	src, rows := s.source(t, manyRows())
	// Two scans at once: a Source may not keep the state of a scan in itself.
	var scans sync.WaitGroup
	var errs [2]error
	for i := range errs {
		readers, err := src.Open(t.Context(), rows.names())
		if err != nil {
			scans.Wait()
			return fmt.Errorf("source Open: %w", err)
		}
		scans.Go(func() { errs[i] = s.readConcurrently(t.Context(), readers, rows) })
	}
	scans.Wait()
	return errors.Join(errs[:]...)
}

func (s *suite) readConcurrently(ctx context.Context, readers []table.Reader, rows Rows) error {
	lines := make([][]string, len(readers))
	errs := make([]error, len(readers))
	var wg sync.WaitGroup
	for i, r := range readers {
		wg.Go(func() {
			var err error
			lines[i], err = s.readOne(ctx, r, len(rows.Columns), new(table.Batch), nil)
			errs[i] = errors.Join(err, r.Close())
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return same(slices.Concat(lines...), s.want(rows))
}

func (s *suite) checkSchema(t *testing.T) error {
	src, rows := s.source(t, smallRows())
	if src.Name() == "" || src.Size() < 0 {
		return fmt.Errorf("source Name = %q and Size = %d, want a name and no negative size", src.Name(), src.Size())
	}
	schema, err := src.Schema(t.Context())
	if err != nil {
		return fmt.Errorf("source Schema: %w", err)
	}
	if schema.Open {
		return nil
	}
	var got, want []string
	for _, f := range schema.Fields {
		got = append(got, f.Name+" "+f.Kind.String())
	}
	for _, f := range rows.Columns {
		if s.text {
			f.Kind = anonymize.Bytes
		}
		want = append(want, f.Name+" "+f.Kind.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("source Schema = %q, want %q", got, want)
	}
	return nil
}

func (s *suite) checkCanary(t *testing.T) error {
	src, _ := s.source(t, canaryRows())
	var fault error
	_, err := s.readAll(t.Context(), src, []string{idColumn, "city"}, func(b *table.Batch) {
		for i := range b.Columns {
			if holdsCanary(&b.Columns[i]) {
				fault = errors.New("a batch can reach the cells of a column that was not asked for; " +
					"decode only what was asked for, and cut slices of shared memory to their capacity")
			}
		}
	})
	return errors.Join(err, fault)
}

// holdsCanary looks at all that a column's slices can reach, up to their capacity.
func holdsCanary(c *table.Column) bool {
	if bytes.Contains(c.Data[:cap(c.Data)], []byte(canary)) || slices.Contains(c.Ints[:cap(c.Ints)], canaryInt) {
		return true
	}
	return c.Dict != nil && holdsCanary(&c.Dict.Values) || c.Items != nil && holdsCanary(c.Items)
}
