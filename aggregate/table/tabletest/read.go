// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// maxEmptyBatches is how many batches without a row may follow each other before a reader is taken
// to make no progress.
const maxEmptyBatches = 10_000

// readAll reads every row of src as text, one line a row, each batch held against the rules of
// table.Column. visit, where not nil, sees every batch.
func (s *suite) readAll(ctx context.Context, src table.Source, columns []string, visit func(*table.Batch)) ([]string, error) {
	readers, err := src.Open(ctx, columns)
	if err != nil {
		return nil, fmt.Errorf("source Open: %w", err)
	}
	if len(readers) == 0 {
		return nil, errors.New("source Open gave no reader, want at least one")
	}
	var lines []string
	for _, r := range readers {
		got, err := s.readOne(ctx, r, len(columns), new(table.Batch), visit)
		lines = append(lines, got...)
		if err = errors.Join(err, r.Close()); err != nil {
			for _, r := range readers {
				_ = r.Close()
			}
			return nil, err
		}
	}
	return lines, nil
}

// readOne reads r to its end into b.
func (s *suite) readOne(ctx context.Context, r table.Reader, columns int, b *table.Batch, visit func(*table.Batch)) ([]string, error) {
	var lines []string
	for empty := 0; empty < maxEmptyBatches; empty++ {
		err := r.Next(ctx, b)
		if errors.Is(err, io.EOF) {
			return lines, checkEOF(ctx, r, b)
		}
		if err != nil {
			return nil, fmt.Errorf("source Next: %w", err)
		}
		if err := checkBatch(b, columns); err != nil {
			return nil, err
		}
		if b.Len > 0 {
			empty = 0
		}
		for i := range b.Len {
			lines = append(lines, s.line(b, i))
		}
		if visit != nil {
			visit(b)
		}
	}
	return nil, errors.New("reader yields empty batches without end")
}

// checkEOF holds the last Next against the contract, and asks once more.
func checkEOF(ctx context.Context, r table.Reader, b *table.Batch) error {
	if b.Len != 0 {
		return fmt.Errorf("source Next returned io.EOF with Len %d, want 0", b.Len)
	}
	if err := r.Next(ctx, b); !errors.Is(err, io.EOF) {
		return fmt.Errorf("source Next after io.EOF = %v, want io.EOF again", err)
	}
	return nil
}

// line is row i of b as text.
func (s *suite) line(b *table.Batch, i int) string {
	cells := make([]string, len(b.Columns))
	for c := range b.Columns {
		col := &b.Columns[c]
		if col.Items == nil {
			cells[c] = s.cell(col.Value(i))
			continue
		}
		var items []string
		for at := col.Starts[i]; at < col.Starts[i+1]; at++ {
			items = append(items, s.cell(col.Items.Value(int(at))))
		}
		cells[c] = listText(items)
	}
	return strings.Join(cells, "|")
}

// cell is a value as text, with its kind, so that a null is no empty text and an integer no float.
func (s *suite) cell(v anonymize.Value) string {
	if !v.Valid || s.emptyIsNull && v.Kind == anonymize.Bytes && len(v.Bytes) == 0 {
		return "null"
	}
	return v.Kind.String() + " " + strconv.Quote(Text(v))
}

// want is rows as the format should deliver them.
func (s *suite) want(rows Rows) []string {
	lines := make([]string, len(rows.Cells))
	for i, row := range rows.Cells {
		cells := make([]string, len(row))
		for c, v := range row {
			if s.text && v.Valid {
				v = String(Text(v))
			}
			cells[c] = s.cell(v)
		}
		lines[i] = strings.Join(cells, "|")
	}
	return lines
}

// same compares rows without their order, which readers that run side by side do not keep.
func same(got, want []string) error {
	got, want = slices.Clone(got), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Errorf("rows differ (%d read, %d written), in sorted order first at\n got %s\nwant %s",
				len(got), len(want), short(got[i]), short(want[i]))
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("read %d rows, want %d", len(got), len(want))
	}
	return nil
}

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

// checkBatch holds a batch against the rules of table.Batch and table.Column.
func checkBatch(b *table.Batch, columns int) error {
	if b.Len < 0 || b.Bytes < 0 {
		return fmt.Errorf("batch has Len %d and Bytes %d, want none below 0", b.Len, b.Bytes)
	}
	if len(b.Columns) != columns {
		return fmt.Errorf("batch has %d columns, want the %d asked for", len(b.Columns), columns)
	}
	for i := range b.Columns {
		if err := checkColumn(&b.Columns[i], b.Len); err != nil {
			return fmt.Errorf("column %d of the batch: %w", i, err)
		}
	}
	return nil
}

func checkColumn(c *table.Column, n int) error {
	if c.Items != nil {
		return checkItems(c, n)
	}
	if len(c.Valid) != 0 && len(c.Valid) != n {
		return fmt.Errorf("%d entries in Valid, want none or %d", len(c.Valid), n)
	}
	if c.Dict == nil {
		return checkPlain(c, n)
	}
	if len(c.Codes) != n {
		return fmt.Errorf("%d entries in Codes, want %d", len(c.Codes), n)
	}
	if len(c.Data)+len(c.Ints)+len(c.Floats) != 0 {
		return errors.New("values beside a Dict, want exactly one representation")
	}
	for i, code := range c.Codes {
		if (len(c.Valid) == 0 || c.Valid[i]) && int(code) >= c.Dict.Len {
			return fmt.Errorf("code of a row that is not null is past the %d values of Dict", c.Dict.Len)
		}
	}
	if c.Dict.Values.Dict != nil {
		return errors.New("Dict.Values has a Dict of its own")
	}
	if v := &c.Dict.Values; len(v.Valid) != 0 && len(v.Valid) != c.Dict.Len {
		return fmt.Errorf("column Dict has %d entries in Valid, want none or %d", len(v.Valid), c.Dict.Len)
	}
	return checkPlain(&c.Dict.Values, c.Dict.Len)
}

// checkItems checks a column of lists.
func checkItems(c *table.Column, n int) error {
	switch {
	case len(c.Starts) != n+1:
		return fmt.Errorf("%d entries in Starts, want %d", len(c.Starts), n+1)
	case !slices.IsSorted(c.Starts):
		return errors.New("column Starts do not rise")
	case c.Kind != c.Items.Kind || c.Dict != nil || len(c.Valid)+len(c.Codes)+len(c.Ints)+len(c.Floats)+len(c.Data)+len(c.Offsets) != 0:
		return errors.New("values beside Items, want exactly one representation")
	case c.Items.Items != nil:
		return errors.New("column Items has Items of its own")
	}
	for i := range n {
		if c.Starts[i+1]-c.Starts[i] > table.MaxItems {
			return errors.New("a row has more than table.MaxItems items")
		}
	}
	return checkColumn(c.Items, int(c.Starts[n]))
}

// checkPlain checks a column without a Dict.
func checkPlain(c *table.Column, n int) error {
	ints, floats, offsets := 0, 0, 0
	switch c.Kind {
	case anonymize.Bytes:
		offsets = n + 1
	case anonymize.Float:
		floats = n
	case anonymize.Int, anonymize.Bool, anonymize.Time:
		ints = n
	default:
		return fmt.Errorf("kind %d is none of package anonymize", c.Kind)
	}
	if n == 0 && len(c.Offsets) == 0 {
		offsets = 0
	}
	if len(c.Ints) != ints || len(c.Floats) != floats || len(c.Offsets) != offsets || len(c.Codes) != 0 {
		return fmt.Errorf("%s column has %d Ints, %d Floats, %d Offsets and %d Codes, want %d, %d, %d and 0",
			c.Kind, len(c.Ints), len(c.Floats), len(c.Offsets), len(c.Codes), ints, floats, offsets)
	}
	if c.Kind != anonymize.Bytes && len(c.Data) != 0 {
		return fmt.Errorf("%s column has Data", c.Kind)
	}
	if !slices.IsSorted(c.Offsets) {
		return errors.New("column Offsets do not rise")
	}
	if len(c.Offsets) != 0 && int(c.Offsets[len(c.Offsets)-1]) > len(c.Data) {
		return errors.New("column Offsets go past Data")
	}
	return nil
}
