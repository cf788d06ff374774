// SPDX-License-Identifier: Apache-2.0

package data_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/benchmarks/internal/data"
)

const rows = 20_000

func config(change ...func(*data.Config)) data.Config {
	c := data.Config{
		Rows: rows, People: rows / 10, Days: 14, Seed: 1, IDs: "hex16", Sort: "time", Format: "parquet", Codec: "snappy",
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func usage(t *testing.T, c data.Config) []byte {
	g, err := data.New(c)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, g.WriteUsage(&out))
	return out.Bytes()
}

func visitors(t *testing.T, c data.Config) []byte {
	g, err := data.New(c)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, g.WriteVisitors(&out))
	return out.Bytes()
}

func csvLines(t *testing.T, c data.Config) []string {
	c.Format = "csv"
	return strings.Split(strings.TrimSuffix(string(usage(t, c)), "\n"), "\n")
}

func TestTheSameConfigWritesTheSameBytes(t *testing.T) {
	for _, format := range []string{"parquet", "csv", "ndjson"} {
		for _, sort := range []string{"time", "user"} {
			c := config(func(c *data.Config) { c.Format, c.Sort = format, sort })
			assert.True(t, bytes.Equal(usage(t, c), usage(t, c)), "%s by %s", format, sort)
			assert.True(t, bytes.Equal(visitors(t, c), visitors(t, c)), format)
			other := c
			other.Seed = 2
			assert.False(t, bytes.Equal(usage(t, c), usage(t, other)), "%s by %s: the seed changes nothing", format, sort)
		}
	}
}

// records reads all columns of a Parquet file with the library's own connector.
func records(t *testing.T, file []byte) (names []string, out [][]string) {
	s, err := parquetio.New("usage", bytes.NewReader(file), int64(len(file)), parquetio.Options{})
	require.NoError(t, err)
	schema, err := s.Schema(context.Background())
	require.NoError(t, err)
	for _, f := range schema.Fields {
		names = append(names, f.Name)
	}
	readers, err := s.Open(context.Background(), names)
	require.NoError(t, err)
	for _, r := range readers {
		var b table.Batch
		for err = r.Next(t.Context(), &b); err == nil; err = r.Next(t.Context(), &b) {
			for i := range b.Len {
				cells := make([]string, len(names))
				for c := range b.Columns {
					cells[c] = text(b.Columns[c].Value(i))
				}
				out = append(out, cells)
			}
		}
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, r.Close())
	}
	return names, out
}

// text is the bytes of a text as they stand, a time as CSV has it, and the spelling of all else.
func text(v anonymize.Value) string {
	switch v.Kind {
	case anonymize.Bytes:
		return string(v.Bytes)
	case anonymize.Time:
		return time.UnixMicro(v.Int).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	out, _ := v.AppendText(nil)
	return string(out)
}

func TestEveryLayoutHoldsTheSameRows(t *testing.T) {
	for _, ids := range []string{"hex16", "uuid", "int64", "bin16"} {
		want := csvLines(t, config(func(c *data.Config) { c.IDs = ids }))
		for _, codec := range []string{"snappy", "zstd", "none"} {
			for _, dict := range []bool{false, true} {
				c := config(func(c *data.Config) { c.IDs, c.Codec, c.DictIDs = ids, codec, dict })
				file := usage(t, c)
				names, got := records(t, file)
				assert.Equal(t, want[0], strings.Join(names, ","))
				require.Len(t, got, rows)
				for i, cells := range got[:2000] {
					if ids != "bin16" {
						require.Equal(t, want[i+1], strings.Join(cells, ","))
					} else {
						require.Len(t, cells[0], 16)
						require.Equal(t, strings.SplitN(want[i+1], ",", 2)[1], strings.Join(cells[1:], ","))
					}
				}
				checkEncodings(t, file, codec, dict)
			}
		}
	}
}

func checkEncodings(t *testing.T, file []byte, codec string, dict bool) {
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	for i, chunk := range f.Metadata().RowGroups[0].Columns {
		dictionary := slices.Contains(chunk.MetaData.Encoding, format.RLEDictionary)
		assert.Equal(t, i > 1 || i == 0 && dict, dictionary, "%v", chunk.MetaData.PathInSchema)
		// The library would choose a delta encoding where none is named; pyarrow and Spark do not.
		assert.Subset(t, []format.Encoding{format.Plain, format.RLE, format.RLEDictionary}, chunk.MetaData.Encoding)
		want := map[string]format.CompressionCodec{"snappy": format.Snappy, "zstd": format.Zstd, "none": format.Uncompressed}
		assert.Equal(t, want[codec], chunk.MetaData.Codec)
	}
}

func TestNDJSONAndCSVHoldTheSameRows(t *testing.T) {
	for _, ids := range []string{"hex16", "int64"} {
		want := csvLines(t, config(func(c *data.Config) { c.IDs = ids }))
		lines := bytes.Split(bytes.TrimSuffix(usage(t, config(func(c *data.Config) { c.IDs, c.Format = ids, "ndjson" })), []byte("\n")), []byte("\n"))
		require.Len(t, lines, rows)
		for i, line := range lines {
			fields := map[string]json.RawMessage{}
			require.NoError(t, json.Unmarshal(line, &fields))
			var cells []string
			for _, name := range strings.Split(want[0], ",") {
				cells = append(cells, strings.Trim(string(fields[name]), `"`))
			}
			require.Equal(t, want[i+1], strings.Join(cells, ","))
		}
	}
}

func TestRowsAreSorted(t *testing.T) {
	column := func(lines []string, c int) (out []string) {
		for _, line := range lines[1:] {
			out = append(out, strings.Split(line, ",")[c])
		}
		return out
	}
	assert.True(t, slices.IsSorted(column(csvLines(t, config()), 1)))
	for _, ids := range []string{"hex16", "uuid", "bin16"} {
		lines := csvLines(t, config(func(c *data.Config) { c.Sort, c.IDs = "user", ids }))
		require.Len(t, lines, rows+1)
		assert.True(t, slices.IsSorted(column(lines, 0)), ids)
		for i := 2; i < len(lines); i++ {
			a, b := strings.Split(lines[i-1], ","), strings.Split(lines[i], ",")
			require.True(t, a[0] != b[0] || a[1] <= b[1], "by time within a person")
		}
	}
}

func TestPeopleAreWhatThePackageSays(t *testing.T) {
	people, genders, countries := map[string]string{}, map[string]bool{}, map[string]map[string]bool{}
	pages, labels := map[string]bool{}, map[string]bool{}
	seconds := map[string]bool{}
	lines := csvLines(t, config(func(c *data.Config) { c.Rows = 200_000; c.People = 20_000 }))
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		own := strings.Join([]string{cells[2], cells[6], cells[7]}, ",")
		if seen := people[cells[0]]; seen != "" {
			require.Equal(t, seen, own, "the person's own columns differ between records")
		}
		people[cells[0]] = own
		if countries[cells[0]] == nil {
			countries[cells[0]] = map[string]bool{}
		}
		countries[cells[0]][cells[3]] = true
		genders[cells[2]], labels[cells[3]], pages[cells[4]], seconds[cells[5]] = true, true, true, true
	}
	// About 3 % of 20,000 do not occur; the standard deviation is some 25.
	assert.InDelta(t, 0.969, float64(len(people))/20_000, 0.008)
	assert.Len(t, genders, 4)
	assert.Len(t, labels, 120)
	assert.Len(t, pages, 2000)
	assert.True(t, seconds["0"] && seconds["600"])
	two := 0
	for _, c := range countries {
		require.LessOrEqual(t, len(c), 2)
		two += len(c) - 1
	}
	assert.InDelta(t, 0.10, float64(two)/float64(len(people)), 0.03)
}

func TestVisitorsAgreeWithTheirUsage(t *testing.T) {
	c := config(func(c *data.Config) { c.Format = "csv" })
	known := map[string]string{}
	lines := strings.Split(strings.TrimSpace(string(visitors(t, c))), "\n")
	assert.Equal(t, "user_id,gender,country_home,consent,born", lines[0])
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		known[cells[0]] = cells[1] + cells[3] + cells[4]
	}
	require.Len(t, known, rows/10, "an id occurs twice")
	for _, line := range csvLines(t, c)[1:] {
		cells := strings.Split(line, ",")
		require.Equal(t, known[cells[0]], cells[2]+cells[6]+cells[7])
	}
	c.Format = "parquet"
	names, got := records(t, visitors(t, c))
	assert.Equal(t, lines[0], strings.Join(names, ","))
	require.Len(t, got, rows/10)
	for i, cells := range got {
		require.Equal(t, lines[i+1], strings.Join(cells, ","))
	}
}

func TestConfigIsChecked(t *testing.T) {
	_, err := data.New(data.Config{Rows: -1, IDs: "email"})
	assert.EqualError(t, err, `rows: got -1, want 0 to 68719476736
people: got 0, want 1 to 2147483648
days: got 0, want 1 to 3660
ids: got "email", want one of ["hex16" "uuid" "int64" "bin16"]
sort: got "", want one of ["time" "user"]
format: got "", want one of ["parquet" "csv" "ndjson"]
codec: got "", want one of ["snappy" "zstd" "none"]`)
}

func TestNoRowsAreAFile(t *testing.T) {
	for _, sort := range []string{"time", "user"} {
		names, got := records(t, usage(t, config(func(c *data.Config) { c.Rows, c.People, c.Sort = 0, 1, sort })))
		assert.Len(t, names, 8)
		assert.Empty(t, got)
	}
}

// fullDisk takes some bytes and then no more.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestAWriteThatFailsIsReported(t *testing.T) {
	for _, format := range []string{"parquet", "csv", "ndjson"} {
		for _, room := range []int{0, 100_000} {
			g, err := data.New(config(func(c *data.Config) { c.Format, c.Rows = format, 50_000 }))
			require.NoError(t, err)
			assert.True(t, errors.Is(g.WriteUsage(&fullDisk{room}), syscall.ENOSPC), "%s with room for %d", format, room)
			assert.True(t, errors.Is(g.WriteVisitors(&fullDisk{0}), syscall.ENOSPC), format)
		}
	}
}
