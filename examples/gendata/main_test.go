// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/examples/gendata/gen"
)

const testdata = "../../testdata"

// commands are the command lines of testdata/README.md, so that the page and the files cannot part.
func commands(t *testing.T) [][]string {
	page, err := os.ReadFile(filepath.Join(testdata, "README.md"))
	require.NoError(t, err)
	var out [][]string
	for line := range strings.Lines(string(page)) {
		if args, ok := strings.CutPrefix(line, "go run ./examples/gendata "); ok {
			out = append(out, strings.Fields(args))
		}
	}
	return out
}

func generate(t *testing.T, args ...string) string {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(append(args, "-out", dir), &stdout, &stderr), stderr.String())
	return dir
}

func TestTestdataIsWhatItsReadmeSays(t *testing.T) {
	lines := commands(t)
	require.Len(t, lines, 2)
	compared := 0
	for _, args := range lines {
		dir := generate(t, args...)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, f := range files {
			got, err := os.ReadFile(filepath.Join(dir, f.Name()))
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(testdata, f.Name()))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(got, want), "%s differs from what the generator writes", f.Name())
			compared++
		}
	}
	assert.Equal(t, 4, compared)
}

func TestTestdataIsSmall(t *testing.T) {
	size := int64(0)
	for _, name := range []string{"visitors.csv", "usage.ndjson"} {
		info, err := os.Stat(filepath.Join(testdata, name))
		require.NoError(t, err)
		size += info.Size()
	}
	assert.LessOrEqual(t, size, int64(1_500_000))
}

func readCSV(t *testing.T, path string) []map[string]string {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		out = append(out, row)
	}
	return out
}

func TestVisitorTwinsMeanTheSame(t *testing.T) {
	text := readCSV(t, filepath.Join(testdata, "visitors.csv"))
	typed, err := parquet.ReadFile[visitorRow](filepath.Join(testdata, "visitors.parquet"))
	require.NoError(t, err)
	require.Len(t, typed, len(text))
	for i, v := range typed {
		created, err := time.Parse(time.RFC3339, text[i]["created_at"])
		require.NoError(t, err)
		require.Equal(t, created.UnixMicro(), v.CreatedAt)
		if y := strings.TrimSuffix(text[i]["birth_year"], ".0"); y == "" {
			require.Nil(t, v.BirthYear)
		} else {
			require.NotNil(t, v.BirthYear)
			var want int32
			require.NoError(t, json.Unmarshal([]byte(y), &want))
			require.Equal(t, want, *v.BirthYear)
		}
		v.BirthYearText, v.CreatedAtText = text[i]["birth_year"], text[i]["created_at"]
		for c, cell := range v.cells(nil) {
			require.Equal(t, text[i][v.header()[c]], cell)
		}
	}
}

func TestUsageTwinsMeanTheSame(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testdata, "usage.ndjson"))
	require.NoError(t, err)
	typed, err := parquet.ReadFile[usageRow](filepath.Join(testdata, "usage.parquet"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, typed, len(lines))
	unparseable := 0
	for i, line := range lines {
		var want struct {
			Visited time.Time `json:"visited_at"`
			Seconds any       `json:"seconds"`
			Amount  string    `json:"amount"`
			usageRow
		}
		require.NoError(t, json.Unmarshal([]byte(line), &want))
		got := typed[i]
		require.Equal(t, want.Visited.UnixMicro(), got.VisitedAt)
		if seconds, ok := want.Seconds.(float64); ok {
			require.Equal(t, seconds, *got.Seconds)
		} else {
			require.Nil(t, got.Seconds)
		}
		if want.Seconds == "n/a" {
			unparseable++
		}
		require.Equal(t, want.Amount, amount(got.Amount))
		require.Equal(t, []string{want.ID, want.Page, want.Section, want.Referrer}, []string{got.ID, got.Page, got.Section, got.Referrer})
		require.Equal(t, want.Context, got.Context)
	}
	assert.Greater(t, unparseable, 10)
}

func TestCSVAndNDJSONMeanTheSame(t *testing.T) {
	args := []string{"-rows", "500", "-people", "50", "-inputs", "inline"}
	rows := readCSV(t, filepath.Join(generate(t, append(args, "-format", "csv")...), "usage.csv"))
	dir := generate(t, append(args, "-format", "ndjson")...)
	data, err := os.ReadFile(filepath.Join(dir, "usage.ndjson"))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "visitors.ndjson"))
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, rows, 500)
	require.Len(t, lines, 500)
	for i, line := range lines {
		got := map[string]string{}
		flatten(t, "", line, got)
		for name, cell := range rows[i] {
			require.Equal(t, cell, got[name], name)
		}
		require.Contains(t, rows[i], "gender")
	}
}

// flatten puts the texts of a JSON object under their paths.
func flatten(t *testing.T, prefix, object string, into map[string]string) {
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(object), &fields))
	for name, raw := range fields {
		var s string
		switch {
		case raw[0] == '{':
			flatten(t, prefix+name+".", string(raw), into)
			continue
		case raw[0] == '"':
			require.NoError(t, json.Unmarshal(raw, &s))
		default:
			s = string(raw)
		}
		into[prefix+name] = s
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"help":     {[]string{"-h"}, 0, ""},
		"unknown":  {[]string{"-colour"}, 2, "flag provided but not defined"},
		"stray":    {[]string{"-rows", "5", "file"}, 2, "got 1 arguments after the flags, want none"},
		"rows":     {[]string{"-rows", "-1"}, 2, "rows: got -1, want 0 or more"},
		"people":   {[]string{"-people", "0"}, 2, "people: got 0, want 1 to"},
		"ids":      {[]string{"-ids", "name"}, 2, `ids: got "name", want hex, uuid, int or email`},
		"format":   {[]string{"-format", "xml"}, 2, `-format: got "xml", want csv, ndjson or parquet`},
		"inputs":   {[]string{"-inputs", "one"}, 2, `-inputs: got "one", want joined or inline`},
		"from":     {[]string{"-from", "March"}, 2, `-from: got "March", want a day as 2026-03-02`},
		"days":     {[]string{"-days", "0"}, 2, "-days or -spread: got 0, want more"},
		"spread":   {[]string{"-spread", "NaN"}, 2, "spread: got NaN, want above 0 to 4"},
		"no write": {[]string{"-rows", "1", "-out", "main.go/x"}, 1, "main.go"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tc.code, run(tc.args, &stdout, &stderr))
			if tc.code == 0 {
				assert.Contains(t, stdout.String(), "-visitors-format")
				assert.Empty(t, stderr.String())
				return
			}
			assert.Contains(t, stderr.String(), tc.want)
			assert.Empty(t, stdout.String())
		})
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
	g, err := gen.New(gen.Config{Rows: 40_000, People: 10})
	require.NoError(t, err)
	few, err := gen.New(gen.Config{Rows: 5, People: 10})
	require.NoError(t, err)
	for name, write := range map[string]func(io.Writer, iter.Seq[usageRow]) error{
		"csv": writeCSV[usageRow], "ndjson": writeNDJSON[usageRow], "parquet": writeParquet[usageRow],
	} {
		assert.ErrorIs(t, write(&fullDisk{}, usageRows(few)), syscall.ENOSPC, "%s fails at its last write", name)
		for _, room := range []int{0, 100_000} {
			assert.ErrorIs(t, write(&fullDisk{room}, usageRows(g)), syscall.ENOSPC, "%s with room for %d", name, room)
		}
	}
}

func TestChunksStopWhenTheConsumerDoes(t *testing.T) {
	var produced atomic.Int64
	rows := func(yield func(int) bool) {
		for yield(0) {
			produced.Add(1)
		}
	}
	got := 0
	for chunk := range chunks(rows) {
		if got += len(chunk); got < 4*chunkRows {
			continue
		}
		// Two chunks wait, and the producer holds a third that nobody will take.
		require.Eventually(t, func() bool { return produced.Load() == 7*chunkRows-1 }, time.Minute, time.Millisecond)
		break
	}
	assert.Equal(t, 4*chunkRows, got)
	assert.Equal(t, int64(7*chunkRows-1), produced.Load())
}
