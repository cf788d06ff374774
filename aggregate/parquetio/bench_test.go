// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// BenchmarkDecode reads an id of 16 hexadecimal digits written PLAIN and four dictionary columns,
// three of text and one of integers, one of them with nulls, from memory, with one reader.
func BenchmarkDecode(b *testing.B) {
	const n = 200_000
	rows := tabletest.Rows{Columns: []table.Field{
		{Name: "id"}, {Name: "city"}, {Name: "page"}, {Name: "device"}, {Name: "year", Kind: anonymize.Int},
	}}
	for i := range n {
		row := []anonymize.Value{
			tabletest.String(fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)),
			tabletest.String(fmt.Sprintf("city %d", i*7%1000)), tabletest.String(fmt.Sprintf("/page/%d", i*13%5000)),
			tabletest.String(fmt.Sprintf("device %d", i%5)), tabletest.Int(int64(1940 + i%70)),
		}
		if i%10 == 0 {
			row[3] = tabletest.Null()
		}
		rows.Cells = append(rows.Cells, row)
	}
	for name, codec := range map[string]parquet.WriterOption{
		"uncompressed": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy),
		"zstd": parquet.Compression(&parquet.Zstd),
	} {
		b.Run(name, func(b *testing.B) {
			file := write(b, rows, layout{options: []parquet.WriterOption{codec}, encode: idPlain})
			benchmarkScan(b, file, n)
		})
	}
}

func benchmarkScan(b *testing.B, file []byte, n int) {
	s := open(b, file)
	b.ReportAllocs()
	for b.Loop() {
		readers, err := s.Open(b.Context(), []string{"id", "city", "page", "device", "year"})
		if err != nil {
			b.Fatal(err)
		}
		var batch table.Batch
		rows := 0
		for {
			err := readers[0].Next(b.Context(), &batch)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.Len
		}
		if rows != n {
			b.Fatalf("read %d rows, want %d", rows, n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
}

func idPlain(name string, k anonymize.Kind, n parquet.Node) parquet.Node {
	if name == "id" {
		return asPlain(name, k, n)
	}
	return asDict(name, k, n)
}
