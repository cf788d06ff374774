// SPDX-License-Identifier: Apache-2.0

package arrowio_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// arrowType is how a kind is written; text as a dictionary where dict says so.
func arrowType(kind anonymize.Kind, dict bool) arrow.DataType {
	switch kind {
	case anonymize.Int:
		return arrow.PrimitiveTypes.Int64
	case anonymize.Float:
		return arrow.PrimitiveTypes.Float64
	case anonymize.Bool:
		return arrow.FixedWidthTypes.Boolean
	case anonymize.Time:
		return arrow.FixedWidthTypes.Timestamp_us
	}
	if dict {
		return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	}
	return arrow.BinaryTypes.String
}

func appendCell(t *testing.T, b array.Builder, v anonymize.Value) {
	if !v.Valid {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v.Int)
	case *array.Float64Builder:
		b.Append(v.Float)
	case *array.BooleanBuilder:
		b.Append(v.Int == 1)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.Int))
	case *array.StringBuilder:
		b.BinaryBuilder.Append(v.Bytes)
	case *array.BinaryDictionaryBuilder:
		require.NoError(t, b.Append(v.Bytes))
	}
}

// encode writes rows as record batches of at most size rows.
func encode(t *testing.T, rows tabletest.Rows, dict bool, size int) (*arrow.Schema, []arrow.Record) {
	fields := make([]arrow.Field, len(rows.Columns))
	for i, c := range rows.Columns {
		fields[i] = arrow.Field{Name: c.Name, Type: arrowType(c.Kind, dict), Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var out []arrow.Record
	for i, row := range rows.Cells {
		for c, v := range row {
			appendCell(t, b.Field(c), v)
		}
		if (i+1)%size == 0 {
			out = append(out, b.NewRecord())
		}
	}
	return schema, append(out, b.NewRecord())
}

func sequence(records []arrow.Record) func() iter.Seq2[arrow.Record, error] {
	return func() iter.Seq2[arrow.Record, error] {
		return func(yield func(arrow.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

func ipcFile(t testing.TB, schema *arrow.Schema, records []arrow.Record, options ...ipc.Option) []byte {
	var seeker seekBuffer
	w, err := ipc.NewFileWriter(&seeker, append(options, ipc.WithSchema(schema))...)
	require.NoError(t, err)
	for _, r := range records {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
	return seeker.Bytes()
}

// seekBuffer tells its position, which is all the seeking that the file writer does.
type seekBuffer struct{ bytes.Buffer }

func (b *seekBuffer) Seek(int64, int) (int64, error) { return int64(b.Len()), nil }

func ipcStream(t testing.TB, schema *arrow.Schema, records []arrow.Record, options ...ipc.Option) []byte {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, append(options, ipc.WithSchema(schema))...)
	for _, r := range records {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

func fileSource(data []byte) *arrowio.Source {
	return arrowio.NewFile("rows.arrow", bytes.NewReader(data), int64(len(data)))
}

func streamSource(data []byte) *arrowio.Source {
	return arrowio.NewStream("rows.arrows", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	})
}

func recordSource(t *testing.T, schema *arrow.Schema, records []arrow.Record) *arrowio.Source {
	src, err := arrowio.NewRecords("rows", schema, sequence(records))
	require.NoError(t, err)
	return src
}

func TestRecordsKeepTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		schema, records := encode(t, rows, false, 20_000)
		return recordSource(t, schema, records)
	})
}

func TestRecordsWithDictionariesKeepTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		schema, records := encode(t, rows, true, 5_000)
		return recordSource(t, schema, records)
	})
}

func TestFileKeepsTheContract(t *testing.T) {
	for name, option := range map[string]ipc.Option{"lz4": ipc.WithLZ4(), "zstd": ipc.WithZstd()} {
		t.Run(name, func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				schema, records := encode(t, rows, false, 7_000)
				return fileSource(ipcFile(t, schema, records, option))
			})
		})
	}
}

func TestFileWithDictionariesKeepsTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		schema, records := encode(t, rows, true, 1_000_000)
		return fileSource(ipcFile(t, schema, records[:1]))
	})
}

func TestStreamKeepsTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		schema, records := encode(t, rows, false, 20_000)
		return streamSource(ipcStream(t, schema, records))
	})
}

func TestStreamWithDictionariesThatGrowKeepsTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		schema, records := encode(t, rows, true, 5_000)
		return streamSource(ipcStream(t, schema, records, ipc.WithDictionaryDeltas(true)))
	})
}
