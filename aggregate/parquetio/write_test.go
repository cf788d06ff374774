// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// layout is a way to write the same rows.
type layout struct {
	name     string
	encode   func(name string, k anonymize.Kind, n parquet.Node) parquet.Node
	options  []parquet.WriterOption
	rowGroup int // rows; 0 is all in one
}

func asDict(_ string, _ anonymize.Kind, n parquet.Node) parquet.Node {
	return parquet.Encoded(n, &parquet.RLEDictionary)
}

func asPlain(_ string, _ anonymize.Kind, n parquet.Node) parquet.Node {
	return parquet.Encoded(n, &parquet.Plain)
}

func asDelta(_ string, k anonymize.Kind, n parquet.Node) parquet.Node {
	switch k {
	case anonymize.Bytes:
		return parquet.Encoded(n, &parquet.DeltaByteArray)
	case anonymize.Int, anonymize.Time:
		return parquet.Encoded(n, &parquet.DeltaBinaryPacked)
	case anonymize.Float:
		return parquet.Encoded(n, &parquet.ByteStreamSplit)
	}
	return parquet.Encoded(n, &parquet.RLE)
}

func asLengths(_ string, k anonymize.Kind, n parquet.Node) parquet.Node {
	if k == anonymize.Bytes {
		return parquet.Encoded(n, &parquet.DeltaLengthByteArray)
	}
	return n
}

var layouts = []layout{
	{"plain zstd", asPlain, []parquet.WriterOption{parquet.Compression(&parquet.Zstd)}, 0},
	{"plain snappy v1 small pages", asPlain, []parquet.WriterOption{
		parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1), parquet.PageBufferSize(5000)}, 9000},
	{"dictionary uncompressed row groups", asDict, []parquet.WriterOption{parquet.PageBufferSize(7000)}, 7000},
	{"dictionary zstd v1", asDict, []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)}, 0},
	{"dictionary that turns plain", asDict, []parquet.WriterOption{
		parquet.DictionaryMaxBytes(2000), parquet.PageBufferSize(3000), parquet.Compression(&parquet.Snappy)}, 20000},
	{"delta gzip", asDelta, []parquet.WriterOption{parquet.Compression(&parquet.Gzip)}, 0},
	{"delta lengths lz4", asLengths, []parquet.WriterOption{parquet.Compression(&parquet.Lz4Raw)}, 12000},
	{"delta brotli v1", asDelta, []parquet.WriterOption{
		parquet.Compression(&parquet.Brotli), parquet.DataPageVersion(1)}, 0},
}

func node(k anonymize.Kind) parquet.Node {
	switch k {
	case anonymize.Int:
		return parquet.Int(64)
	case anonymize.Float:
		return parquet.Leaf(parquet.DoubleType)
	case anonymize.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case anonymize.Time:
		return parquet.Timestamp(parquet.Microsecond)
	}
	return parquet.String()
}

func value(v anonymize.Value) parquet.Value {
	switch {
	case !v.Valid:
		return parquet.NullValue()
	case v.Kind == anonymize.Bytes:
		return parquet.ByteArrayValue(v.Bytes)
	case v.Kind == anonymize.Float:
		return parquet.DoubleValue(v.Float)
	case v.Kind == anonymize.Bool:
		return parquet.BooleanValue(v.Int != 0)
	}
	return parquet.Int64Value(v.Int)
}

// write encodes rows. Columns without a null are required, the others optional.
func write(t testing.TB, rows tabletest.Rows, l layout) []byte {
	group := parquet.Group{}
	optional := map[string]bool{}
	var names []string
	for c, f := range rows.Columns {
		n := l.encode(f.Name, f.Kind, node(f.Kind))
		optional[f.Name] = slices.ContainsFunc(rows.Cells, func(row []anonymize.Value) bool { return !row[c].Valid })
		if optional[f.Name] {
			n = parquet.Optional(n)
		}
		group[f.Name] = n
		names = append(names, f.Name)
	}
	sorted := slices.Sorted(slices.Values(names))
	var out bytes.Buffer
	w := parquet.NewWriter(&out, append(l.options, parquet.NewSchema("rows", group))...)
	from := make([]int, len(sorted))
	for j, name := range sorted {
		from[j] = slices.Index(names, name)
	}
	row := make(parquet.Row, len(sorted))
	for i, cells := range rows.Cells {
		if l.rowGroup > 0 && i > 0 && i%l.rowGroup == 0 {
			require.NoError(t, w.Flush())
		}
		for j, name := range sorted {
			v := cells[from[j]]
			level := 0
			if v.Valid && optional[name] {
				level = 1
			}
			row[j] = value(v).Level(0, level, j)
		}
		_, err := w.WriteRows([]parquet.Row{row})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// writeStructs encodes records by their Go type.
func writeStructs[T any](t testing.TB, records []T, options ...parquet.WriterOption) []byte {
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, options...)
	_, err := w.Write(records)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func open(t testing.TB, file []byte) *parquetio.Source {
	s, err := parquetio.New("rows.parquet", bytes.NewReader(file), int64(len(file)), parquetio.Options{})
	require.NoError(t, err)
	return s
}

// readAll returns the rows of the columns as text; a null is "null".
func readAll(s *parquetio.Source, columns ...string) (lines []string, err error) {
	readers, err := s.Open(context.Background(), columns)
	if err != nil {
		return nil, err
	}
	for _, r := range readers {
		defer func() { err = errors.Join(err, r.Close()) }()
		var b table.Batch
		for {
			err := r.Next(context.Background(), &b)
			if err == io.EOF {
				break
			}
			if err != nil {
				return lines, err
			}
			for i := range b.Len {
				lines = append(lines, line(&b, i))
			}
		}
	}
	return lines, nil
}

func line(b *table.Batch, i int) string {
	cells := make([]string, len(b.Columns))
	for c := range b.Columns {
		cells[c] = "null"
		if v := b.Columns[c].Value(i); v.Valid {
			cells[c] = tabletest.Text(v)
		}
	}
	return strings.Join(cells, "|")
}
