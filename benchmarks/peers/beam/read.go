// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go"
)

// readFn turns row groups into records. Only the columns that are asked for are decoded, ids become 64
// bits, and a group's text is made once, so that reading is a small part of the whole.
type readFn struct {
	Path    string
	Columns []string
}

func rowGroups(path string) ([]int, error) {
	f, done, err := open(path)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(f.RowGroups()))
	for i := range out {
		out[i] = i
	}
	return out, done()
}

func open(path string) (*parquet.File, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return file, f.Close, nil
}

// ProcessElement emits the records of one row group under their person.
func (fn *readFn) ProcessElement(_ context.Context, group int, emit func(int64, record)) error {
	file, done, err := open(fn.Path)
	if err != nil {
		return err
	}
	defer done()
	var columns []*column
	for _, name := range append([]string{"user_id", "seconds"}, fn.Columns...) {
		c, err := newColumn(file, group, name)
		if err != nil {
			return err
		}
		defer c.pages.Close()
		columns = append(columns, c)
	}
	texts, text := map[string]string{}, []byte(nil)
	for range file.RowGroups()[group].NumRows() {
		text = text[:0]
		for i, c := range columns {
			if err := c.next(); err != nil {
				return err
			}
			if i > 1 {
				text = c.appendLabel(text, i > 2)
			}
		}
		label, ok := texts[string(text)]
		if !ok {
			label = string(text)
			texts[label] = label
		}
		id, seconds := xxhash.Sum64(columns[0].value.ByteArray()), columns[1].value.Int64()
		emit(int64(id), record{Group: label, Seconds: min(max(seconds, 0), maxSeconds)})
	}
	return nil
}

// column reads one column of one row group, value by value.
type column struct {
	pages  parquet.Pages
	values parquet.ValueReader
	batch  []parquet.Value
	value  parquet.Value
	at, n  int

	isDay   bool
	day     int64
	dayText string
}

func newColumn(file *parquet.File, group int, name string) (*column, error) {
	raw := name
	if name == "day" {
		raw = "ts"
	}
	at := slices.IndexFunc(file.Root().Columns(), func(c *parquet.Column) bool { return c.Name() == raw })
	if at < 0 {
		return nil, fmt.Errorf("-group: got %q, want a column of the file", name)
	}
	pages := file.RowGroups()[group].ColumnChunks()[at].Pages()
	return &column{pages: pages, batch: make([]parquet.Value, 4096), isDay: name == "day", day: -1}, nil
}

// next moves to the next value, which is valid until the one after it.
func (c *column) next() error {
	for c.at == c.n {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return err
			}
			c.values = page.Values()
		}
		n, err := c.values.ReadValues(c.batch)
		if errors.Is(err, io.EOF) {
			c.values = nil
		} else if err != nil {
			return err
		}
		c.at, c.n = 0, n
	}
	c.value = c.batch[c.at]
	c.at++
	return nil
}

const dayMillis = int64(24 * time.Hour / time.Millisecond)

func (c *column) appendLabel(out []byte, separate bool) []byte {
	if separate {
		out = append(out, '|')
	}
	if !c.isDay {
		return append(out, c.value.ByteArray()...)
	}
	if day := c.value.Int64() / dayMillis; day != c.day {
		c.day, c.dayText = day, time.UnixMilli(day*dayMillis).UTC().Format(time.DateOnly)
	}
	return append(out, c.dayText...)
}
