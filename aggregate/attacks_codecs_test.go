// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
)

// connectors write a world in each format and read it back, in batches of about so many records.
var connectors = map[string]func(t testing.TB, w world, batch int) aggregate.Inputs{
	"structs": func(t testing.TB, w world, _ int) aggregate.Inputs { return w.inputs(t) },
	"csv":     func(t testing.TB, w world, batch int) aggregate.Inputs { return written(t, w, batch, csvSource) },
	"ndjson":  func(t testing.TB, w world, batch int) aggregate.Inputs { return written(t, w, batch, ndjsonSource) },
	"w3c":     func(t testing.TB, w world, batch int) aggregate.Inputs { return written(t, w, batch, w3cSource) },
	"parquet": func(t testing.TB, w world, batch int) aggregate.Inputs { return written(t, w, batch, parquetSource) },
	"arrow":   func(t testing.TB, w world, batch int) aggregate.Inputs { return written(t, w, batch, arrowSource) },
}

// grid is records as columns, whatever their struct; cells are nil, string, float64 or int64.
type grid struct {
	names []string
	kinds []reflect.Type
	rows  [][]any
}

var (
	textType  = reflect.TypeFor[[]byte]()
	floatType = reflect.TypeFor[*float64]()
)

func gridOf[T any](records []T) grid {
	var g grid
	typ := reflect.TypeFor[T]()
	for i := range typ.NumField() {
		g.names = append(g.names, typ.Field(i).Tag.Get("throng"))
		g.kinds = append(g.kinds, typ.Field(i).Type)
	}
	for _, rec := range records {
		v := reflect.ValueOf(rec)
		row := make([]any, len(g.names))
		for i := range row {
			switch f := v.Field(i); {
			case f.IsNil():
			case f.Type() == textType:
				row[i] = string(f.Bytes())
			default:
				row[i] = f.Elem().Interface()
			}
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func written(t testing.TB, w world, batch int, source func(t testing.TB, g grid, batch int) table.Source) aggregate.Inputs {
	t.Helper()
	return aggregate.Inputs{
		Usage:    []table.Source{source(t, gridOf(w.uses), batch)},
		Visitors: []table.Source{source(t, gridOf(w.visits), batch)},
	}
}

// tidy returns a world with null for empty text, which is what a CSV file makes of it.
func tidy(w world) world {
	null := func(cells ...*[]byte) {
		for _, c := range cells {
			if len(*c) == 0 {
				*c = nil
			}
		}
	}
	w = w.with(world{})
	for i := range w.uses {
		u := &w.uses[i]
		null(&u.ID, &u.Course, &u.Activity, &u.Channel, &u.Device, &u.At, &u.Seconds, &u.Secret)
	}
	for i := range w.visits {
		v := &w.visits[i]
		null(&v.ID, &v.Gender, &v.Born, &v.Region, &v.Share, &v.Parent)
	}
	return w
}

func cellText(cell any) string {
	switch c := cell.(type) {
	case string:
		return c
	case float64:
		return strconv.FormatFloat(c, 'g', -1, 64)
	case int64:
		return strconv.FormatInt(c, 10)
	}
	return ""
}

func reopen(content []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

func csvText(t testing.TB, g grid) []byte {
	t.Helper()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	require.NoError(t, w.Write(g.names))
	for _, row := range g.rows {
		record := make([]string, len(row))
		for i, cell := range row {
			record[i] = cellText(cell)
		}
		require.NoError(t, w.Write(record))
	}
	w.Flush()
	return out.Bytes()
}

func csvSource(t testing.TB, g grid, batch int) table.Source {
	t.Helper()
	src, err := csvio.New("rows.csv", reopen(csvText(t, g)), csvio.Options{BatchRows: batch})
	require.NoError(t, err)
	return src
}

func ndjsonSource(t testing.TB, g grid, _ int) table.Source {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	for _, row := range g.rows {
		object := map[string]any{}
		for i, cell := range row {
			if cell != nil {
				object[g.names[i]] = cell
			}
		}
		require.NoError(t, e.Encode(object))
	}
	src, err := ndjsonio.New("rows.ndjson", reopen(out.Bytes()), ndjsonio.Options{})
	require.NoError(t, err)
	return src
}

// w3cSource writes every field in quotes, between tabs.
func w3cSource(t testing.TB, g grid, _ int) table.Source {
	t.Helper()
	out := bytes.NewBufferString("#Fields: " + strings.Join(g.names, " "))
	for _, row := range g.rows {
		for i, cell := range row {
			out.WriteByte("\n\t"[min(i, 1)])
			out.WriteString(`"` + strings.ReplaceAll(cellText(cell), `"`, `""`) + `"`)
		}
	}
	src, err := logio.New("rows.log", reopen(out.Bytes()), logio.Options{Format: logio.W3C})
	require.NoError(t, err)
	return src
}

func parquetFile(t testing.TB, g grid, batch int) []byte {
	t.Helper()
	group := parquet.Group{}
	for i, name := range g.names {
		switch g.kinds[i] {
		case textType:
			group[name] = parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.ByteArrayType), &parquet.RLEDictionary))
		case floatType:
			group[name] = parquet.Optional(parquet.Leaf(parquet.DoubleType))
		default:
			group[name] = parquet.Optional(parquet.Int(64))
		}
	}
	var out bytes.Buffer
	schema := parquet.NewSchema("rows", group)
	w := parquet.NewWriter(&out, schema, parquet.MaxRowsPerRowGroup(int64(max(batch, 100))))
	for _, cells := range g.rows {
		row := make(parquet.Row, len(cells))
		for i, cell := range cells {
			leaf, ok := schema.Lookup(g.names[i])
			require.True(t, ok)
			level := 1
			var v parquet.Value
			switch c := cell.(type) {
			case nil:
				level = 0
			case string:
				v = parquet.ByteArrayValue([]byte(c))
			case float64:
				v = parquet.DoubleValue(c)
			case int64:
				v = parquet.Int64Value(c)
			}
			row[leaf.ColumnIndex] = v.Level(0, level, leaf.ColumnIndex)
		}
		_, err := w.WriteRows([]parquet.Row{row})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func parquetSource(t testing.TB, g grid, batch int) table.Source {
	t.Helper()
	file := parquetFile(t, g, batch)
	src, err := parquetio.New("rows.parquet", bytes.NewReader(file), int64(len(file)), parquetio.Options{})
	require.NoError(t, err)
	return src
}

func arrowRecords(g grid, batch int) (*arrow.Schema, []arrow.Record) {
	var fields []arrow.Field
	for i, name := range g.names {
		var kind arrow.DataType = arrow.PrimitiveTypes.Int64
		switch g.kinds[i] {
		case textType:
			kind = arrow.BinaryTypes.Binary
		case floatType:
			kind = arrow.PrimitiveTypes.Float64
		}
		fields = append(fields, arrow.Field{Name: name, Type: kind, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	var records []arrow.Record
	for from := 0; from < len(g.rows); from += batch {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, row := range g.rows[from:min(from+batch, len(g.rows))] {
			for i, cell := range row {
				switch c := cell.(type) {
				case nil:
					b.Field(i).AppendNull()
				case string:
					b.Field(i).(*array.BinaryBuilder).Append([]byte(c))
				case float64:
					b.Field(i).(*array.Float64Builder).Append(c)
				case int64:
					b.Field(i).(*array.Int64Builder).Append(c)
				}
			}
		}
		records = append(records, b.NewRecord())
	}
	return schema, records
}

func arrowSource(t testing.TB, g grid, batch int) table.Source {
	t.Helper()
	schema, records := arrowRecords(g, batch)
	src, err := arrowio.NewRecords("rows", schema, func() iter.Seq2[arrow.Record, error] {
		return func(yield func(arrow.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	})
	require.NoError(t, err)
	return src
}

func csvBytes(t testing.TB, content []byte) table.Source {
	t.Helper()
	src, err := csvio.New("rows.csv", reopen(content), csvio.Options{})
	require.NoError(t, err)
	return src
}
