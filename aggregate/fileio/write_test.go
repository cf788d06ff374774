// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// encoder writes rows in one format.
type encoder func(t *testing.T, rows tabletest.Rows) []byte

func asCSV(t *testing.T, rows tabletest.Rows) []byte { return delimited(t, rows, ',') }
func asTSV(t *testing.T, rows tabletest.Rows) []byte { return delimited(t, rows, '\t') }

func delimited(t *testing.T, rows tabletest.Rows, delimiter rune) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma = delimiter
	record := make([]string, len(rows.Columns))
	for i, c := range rows.Columns {
		record[i] = c.Name
	}
	require.NoError(t, w.Write(record))
	for _, cells := range rows.Cells {
		for i, v := range cells {
			record[i] = tabletest.Text(v)
		}
		require.NoError(t, w.Write(record))
	}
	w.Flush()
	return bytes.ReplaceAll(out.Bytes(), []byte(`\N`), []byte(`"\N"`)) // unquoted it is null
}

func asNDJSON(t *testing.T, rows tabletest.Rows) []byte {
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	for _, cells := range rows.Cells {
		record := map[string]any{}
		for i, v := range cells {
			switch {
			case !v.Valid:
			case v.Kind == anonymize.Bytes, v.Kind == anonymize.Time:
				record[rows.Columns[i].Name] = tabletest.Text(v)
			default:
				record[rows.Columns[i].Name] = json.RawMessage(tabletest.Text(v))
			}
		}
		require.NoError(t, w.Encode(record))
	}
	return out.Bytes()
}

func asParquet(t *testing.T, rows tabletest.Rows) []byte {
	group := parquet.Group{}
	var names []string
	for _, c := range rows.Columns {
		group[c.Name] = parquet.Optional(map[anonymize.Kind]parquet.Node{
			anonymize.Bytes: parquet.String(),
			anonymize.Int:   parquet.Int(64),
			anonymize.Float: parquet.Leaf(parquet.DoubleType),
			anonymize.Bool:  parquet.Leaf(parquet.BooleanType),
			anonymize.Time:  parquet.Timestamp(parquet.Microsecond),
		}[c.Kind])
		names = append(names, c.Name)
	}
	var out bytes.Buffer
	w := parquet.NewWriter(&out, parquet.NewSchema("rows", group))
	row := make(parquet.Row, len(names))
	for i, cells := range rows.Cells {
		for j, name := range slices.Sorted(slices.Values(names)) {
			v := cells[slices.Index(names, name)]
			level := 0
			if v.Valid {
				level = 1
			}
			row[j] = parquetValue(v).Level(0, level, j)
		}
		_, err := w.WriteRows([]parquet.Row{row})
		require.NoError(t, err)
		if i%20_000 == 19_999 {
			require.NoError(t, w.Flush())
		}
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func parquetValue(v anonymize.Value) parquet.Value {
	switch {
	case !v.Valid:
		return parquet.NullValue()
	case v.Kind == anonymize.Bytes:
		return parquet.ByteArrayValue(v.Bytes)
	case v.Kind == anonymize.Float:
		return parquet.DoubleValue(v.Float)
	case v.Kind == anonymize.Bool:
		return parquet.BooleanValue(v.Int == 1)
	}
	return parquet.Int64Value(v.Int)
}

func asArrowStream(t *testing.T, rows tabletest.Rows) []byte {
	record := arrowRecord(rows)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(record.Schema()))
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	return out.Bytes()
}

func asArrowFile(t *testing.T, rows tabletest.Rows) []byte {
	record := arrowRecord(rows)
	f, err := os.Create(filepath.Join(t.TempDir(), "rows"))
	require.NoError(t, err)
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(record.Schema()))
	require.NoError(t, err)
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	data, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	return data
}

func arrowRecord(rows tabletest.Rows) arrow.Record {
	var fields []arrow.Field
	for _, c := range rows.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Nullable: true, Type: map[anonymize.Kind]arrow.DataType{
			anonymize.Bytes: arrow.BinaryTypes.String,
			anonymize.Int:   arrow.PrimitiveTypes.Int64,
			anonymize.Float: arrow.PrimitiveTypes.Float64,
			anonymize.Bool:  arrow.FixedWidthTypes.Boolean,
			anonymize.Time:  arrow.FixedWidthTypes.Timestamp_us,
		}[c.Kind]})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, cells := range rows.Cells {
		for i, v := range cells {
			appendArrow(b.Field(i), v)
		}
	}
	return b.NewRecord()
}

func appendArrow(b array.Builder, v anonymize.Value) {
	if !v.Valid {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(string(v.Bytes))
	case *array.Int64Builder:
		b.Append(v.Int)
	case *array.Float64Builder:
		b.Append(v.Float)
	case *array.BooleanBuilder:
		b.Append(v.Int == 1)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.Int))
	}
}

// Ways to pack a file.

func gzipped(t *testing.T, data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func zstandard(t *testing.T, data []byte) []byte {
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll(data, nil)
}

// zipped packs pairs of a name and a content.
func zipped(t *testing.T, entries ...string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(entries); i += 2 {
		e, err := w.Create(entries[i])
		require.NoError(t, err)
		_, err = e.Write([]byte(entries[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// folder writes pairs of a name and a content into a new folder and returns its path.
func folder(t *testing.T, entries ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(entries); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(entries[i]))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(entries[i+1]), 0o600))
	}
	return dir
}

// relative cuts dir out of an error's text, so that the rest can be compared.
func relative(err error, dir string) string {
	return strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
}
