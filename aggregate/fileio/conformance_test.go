// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
)

var (
	text      = []tabletest.Option{tabletest.DeliversText}
	textEmpty = []tabletest.Option{tabletest.DeliversText, tabletest.EmptyIsNull}
)

func TestASourceOfOneFileKeepsTheContract(t *testing.T) {
	for _, tt := range []struct {
		file    string
		encode  encoder
		options []tabletest.Option
	}{
		{"rows.csv", asCSV, textEmpty},
		{"rows.tsv", asTSV, textEmpty},
		{"rows.ndjson", asNDJSON, text},
		{"rows.arrow", asArrowFile, nil},
		{"rows.arrows", asArrowStream, nil},
		{"rows.parquet.zst", packed(asParquet, zstandard), nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				return opened(t, folder(t, tt.file, string(tt.encode(t, rows))), "*")
			}, tt.options...)
		})
	}
}

func packed(encode encoder, pack func(*testing.T, []byte) []byte) encoder {
	return func(t *testing.T, rows tabletest.Rows) []byte { return pack(t, encode(t, rows)) }
}

func TestASourceOfSeveralFilesKeepsTheContract(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   int
		encode  encoder
		options []tabletest.Option
	}{
		{"17 CSV", 17, asCSV, textEmpty},
		{"2 Parquet", 2, asParquet, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				var entries []string
				for i := range tt.files {
					part := rows
					part.Cells = rows.Cells[i*len(rows.Cells)/tt.files : (i+1)*len(rows.Cells)/tt.files]
					entries = append(entries, fmt.Sprintf("part-%03d", i), string(tt.encode(t, part)))
				}
				return opened(t, folder(t, entries...), "part-*")
			}, tt.options...)
		})
	}
}

// opened opens what pattern matches in dir.
func opened(t *testing.T, dir, pattern string) table.Source {
	t.Helper()
	src, err := fileio.Open(t.Context(), []string{filepath.Join(dir, pattern)}, fileio.Options{})
	require.NoError(t, err)
	return src
}
