// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// numbered is n files of one record each, v being the file's number.
func numbered(n int, format string) []string {
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf("%03d", i), fmt.Sprintf(format, i))
	}
	return entries
}

func TestManyFilesAreReadInOrderAndFewAtATime(t *testing.T) {
	for _, n := range []int{16, 17, 100} {
		dir := folder(t, numbered(n, "v\n%03d\n")...)
		src := opened(t, dir, "*")
		before := openFiles(t)
		got, err := column(t, src, "v")
		require.NoError(t, err)
		require.Len(t, got, n)
		for i, v := range got {
			require.Equal(t, fmt.Sprintf("text %03d", i), v)
		}
		assert.Equal(t, before, openFiles(t))

		// Even if every reader is under way at once, no more than 16 files are open.
		readers, err := src.Open(t.Context(), []string{"v"})
		require.NoError(t, err)
		var b table.Batch
		for _, r := range readers {
			require.NoError(t, r.Next(t.Context(), &b))
		}
		if before >= 0 {
			assert.LessOrEqual(t, openFiles(t)-before, 16)
		}
		for _, r := range readers {
			require.NoError(t, r.Close())
			require.NoError(t, r.Close())
			assert.ErrorIs(t, r.Next(t.Context(), &b), os.ErrClosed)
		}
		assert.Equal(t, before, openFiles(t))
	}
}

// openFiles is how many files this process has open, -1 where the system does not say.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

func TestNothingIsLeftOpen(t *testing.T) {
	whole := string(asParquet(t, one(anonymize.Int)))
	dir := folder(t, "a", whole, "b", whole, "c.gz", string(gzipped(t, []byte(whole))), "d", "PAR1 damaged PAR1",
		"e.csv", "v\n1\n", "f.ndjson", "[{}]", "g.csv", "v,v\n1,2\n")
	before := openFiles(t)
	for _, patterns := range []string{"a", "a b c.gz", "a b d", "d", "e.csv", "e.csv g.csv", "f.ndjson"} {
		paths := strings.Fields(patterns)
		for i := range paths {
			paths[i] = filepath.Join(dir, paths[i])
		}
		src, err := fileio.Open(t.Context(), paths, fileio.Options{})
		require.NoError(t, err)
		_, _ = src.Schema(t.Context())
		for _, name := range []string{"v", "none"} {
			_, _ = column(t, src, name)
		}
		assert.Equal(t, before, openFiles(t), patterns)
	}
}

func TestAnInputIsCalledByItsPath(t *testing.T) {
	dir := folder(t, "a.csv", "v\n1\n", "b.csv", "v\n22\n", "one.zip", string(zipped(t, "inner.csv", "v\n1\n")),
		"two.zip", string(zipped(t, "x.csv", "v\nx\n", "y.csv", "v\ny\n")))
	for _, tt := range []struct {
		pattern, name string
		size          int64
	}{
		{"a.csv", "a.csv", 4},
		{"?.csv", "?.csv (2 files)", 9},
		{"one.zip", "one.zip/inner.csv", 0},
		{"two.zip", "two.zip (2 files)", 0},
	} {
		src := opened(t, dir, tt.pattern)
		assert.Equal(t, tt.name, strings.TrimPrefix(src.Name(), dir+string(filepath.Separator)))
		if tt.size != 0 {
			assert.Equal(t, tt.size, src.Size())
		}
	}
	got, err := open(t, dir, fileio.Options{}, "two.zip")
	require.NoError(t, err)
	assert.Equal(t, []string{"text x", "text y"}, got)
}

func TestFilesOfOneInputHaveOneFormat(t *testing.T) {
	parquet := string(asParquet(t, one(anonymize.Int)))
	dir := folder(t, "a", "v\n1\n", "b", "{}", "c", parquet, "d.tsv", "v\n1\n", "e", "", "x/a", "", "x/b", "{\"v\":1}", "x/c", "\n")
	_, err := open(t, dir, fileio.Options{}, "[a-c]", "*.tsv", "?.tsv")
	require.Error(t, err)
	assert.Equal(t, "b: is ndjson, but the first file of this input is csv; keep to one format, or name the one that all of them have\n"+
		"c: is parquet, but the first file of this input is csv; keep to one format, or name the one that all of them have\n"+
		"d.tsv: is tsv, but the first file of this input is csv; keep to one format, or name the one that all of them have", relative(err, dir))
	assert.ErrorIs(t, err, table.ErrSchema)

	got, err := open(t, dir, fileio.Options{Format: "csv"}, "a", "d.tsv")
	require.NoError(t, err)
	assert.Equal(t, []string{"text 1", "text 1"}, got)

	// An empty file is like those beside it.
	got, err = open(t, dir, fileio.Options{}, "x/*")
	require.NoError(t, err)
	assert.Equal(t, []string{"text 1"}, got)
	_, err = open(t, dir, fileio.Options{}, "e")
	require.Error(t, err)
	assert.Contains(t, relative(err, dir), "e: is empty; a CSV needs a header line")
}

func TestColumnsAreThoseThatAllFilesHave(t *testing.T) {
	dir := folder(t, "a.csv", "id,v,w\nx,1,2\n", "b.csv", "w,v,z\n2,1,3\n",
		"c.parquet", string(asParquet(t, one(anonymize.Int))), "d.parquet", string(asParquet(t, one(anonymize.Bytes))))
	src := opened(t, dir, "*.csv")
	schema, err := src.Schema(t.Context())
	require.NoError(t, err)
	assert.Equal(t, table.Schema{Fields: []table.Field{{Name: "v"}, {Name: "w"}}}, schema)
	got, err := column(t, src, "w")
	require.NoError(t, err)
	assert.Equal(t, []string{"text 2", "text 2"}, got)

	for _, tt := range []struct{ pattern, column, want string }{
		{"*.csv", "id", `b.csv: column "id": is missing from 1 of the 2 files, this being the first; a.csv has it`},
		{"*.csv", "z", `a.csv: column "z": is missing from 1 of the 2 files, this being the first; b.csv has it`},
		{"*.csv", "V", `*.csv (2 files): column "V": is not there; did you mean "v"?`},
		{"*.parquet", "v", `d.parquet: column "v": is text, but integer in c.parquet; convert one of the files`},
	} {
		_, err := column(t, opened(t, dir, tt.pattern), tt.column)
		require.Error(t, err)
		assert.Equal(t, tt.want, relative(err, dir))
		assert.ErrorIs(t, err, table.ErrSchema)
	}
	schema, err = opened(t, dir, "*.parquet").Schema(t.Context())
	require.NoError(t, err)
	assert.Equal(t, table.Schema{Fields: []table.Field{{Name: "id"}}}, schema)
}

func TestAPathThatIsNotTakenIsRefusedBeforeTheScan(t *testing.T) {
	for _, n := range []int{2, 40} {
		src := opened(t, folder(t, numbered(n, "{\"v\":%d}")...), "*")
		_, err := src.Open(t.Context(), []string{"a.b.c.d.e.f.g.h.i"})
		require.ErrorIs(t, err, table.ErrSchema)
	}
}

func TestAFaultNamesTheFileThatHasIt(t *testing.T) {
	for _, n := range []int{4, 40} {
		entries := numbered(n, "{\"v\":%d}")
		cut := gzipped(t, []byte(strings.Repeat("{\"v\":1}\n", 50_000)))
		entries[5] = string(cut[:len(cut)-20])
		dir := folder(t, entries...)
		_, err := column(t, opened(t, dir, "*"), "v")
		require.Error(t, err)
		assert.Equal(t, "002: is damaged or cut short; copy or pack it again", relative(err, dir))
		assert.ErrorIs(t, err, table.ErrMalformed)
	}
}
