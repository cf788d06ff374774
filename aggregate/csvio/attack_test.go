// SPDX-License-Identifier: Apache-2.0

package csvio_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/table"
)

// repeated yields n copies of s without holding them.
func repeated(s string, n int) io.Reader {
	block := strings.Repeat(s, 64<<10/len(s)+1)
	return io.LimitReader(cycle(block), int64(n*len(s)))
}

func cycle(block string) io.Reader { return &cyclic{block: block} }

type cyclic struct {
	block string
	at    int
}

func (c *cyclic) Read(p []byte) (int, error) {
	n := copy(p, c.block[c.at:])
	c.at = (c.at + n) % len(c.block)
	return n, nil
}

// hangs is far above what any input here takes (under a second), and far below what quadratic time
// would (hours).
const hangs = 60 * time.Second

func TestAttackI05CSVMemoryAmplification(t *testing.T) {
	text := strings.NewReader
	good := [][]string{{"1", "3"}, {"4", "6"}}
	for _, tt := range []struct {
		name string
		evil func() io.Reader
		want [][]string
	}{
		{"one field of 64 MiB", func() io.Reader { return io.MultiReader(repeated("x", 64<<20), text("\n")) }, good},
		{"one quoted field of 64 MiB", func() io.Reader { return io.MultiReader(text(`"`), repeated("x", 64<<20), text("\",2,3\n")) }, good},
		{"16 MiB of commas", func() io.Reader { return io.MultiReader(repeated(",", 16<<20), text("\n")) }, good},
		{"16 MiB of quotes", func() io.Reader { return io.MultiReader(repeated(`"`, 16<<20), text("\n")) }, good},
		{"16 MiB of short bad lines", func() io.Reader { return repeated("x\n", 8<<20) }, good},
		{"16 MiB of empty lines", func() io.Reader { return repeated("\r\n", 8<<20) }, good},
		{"unclosed quote before 16 MiB of lines", func() io.Reader { return io.MultiReader(text("\"7,8,9\n"), repeated("x,\n", 16<<20/3)) }, good},
		{"quotes that open on every line", func() io.Reader { return repeated("a\",b,\"\n", 2<<20) }, good},
		{"NUL bytes", func() io.Reader { return io.MultiReader(repeated("\x00", 64<<20), text("\n")) }, good},
		{"byte order marks", func() io.Reader { return io.MultiReader(repeated("\xef\xbb\xbf", 16<<20), text("\n")) }, good},
		{"bare CR", func() io.Reader { return io.MultiReader(repeated("\r", 16<<20), text("\n")) }, good},
		{"a million columns", func() io.Reader { return io.MultiReader(repeated(",", 999_999), text("\n")) }, good},
		{"a million quoted columns", func() io.Reader { return io.MultiReader(repeated(`"",`, 300_000), text("\n")) }, good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(text("a,b,c\n1,2,3\n"), tt.evil(), text("4,5,6\n"))), nil
			}, csvio.Options{})
			require.NoError(t, err)
			var got [][]string
			allocated := allocates(func() { got = readWithin(t, src, hangs, "a", "c") })
			assert.Equal(t, tt.want, got)
			// All that is ever allocated, not only what is held at once; 4 MiB are buffers.
			assert.Less(t, allocated, uint64(16<<20))
		})
	}
}

func TestAttackI05HeaderOfAMillionColumns(t *testing.T) {
	for name, header := range map[string]io.Reader{
		"named":    repeated("a,", 1_000_000),
		"nameless": repeated(",", 1_000_000),
		"endless":  repeated("a", 64<<20),
		"unclosed": io.MultiReader(strings.NewReader(`"`), repeated("a\n", 32<<20)),
	} {
		src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) { return io.NopCloser(header), nil }, csvio.Options{})
		require.NoError(t, err)
		allocated := allocates(func() { _, err = src.Schema(t.Context()) })
		assert.ErrorIs(t, err, table.ErrLimit, name)
		assert.Less(t, allocated, uint64(16<<20), name)
	}
}

func TestAttackI05LongFieldsDoNotAddUpInABatch(t *testing.T) {
	src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("a,b\n"), repeated(strings.Repeat("x", 1<<20-3)+",1\n", 64))), nil
	}, csvio.Options{})
	require.NoError(t, err)
	readers, err := src.Open(t.Context(), []string{"a"})
	require.NoError(t, err)
	defer readers[0].Close()
	var b table.Batch
	rows := 0
	for err = readers[0].Next(t.Context(), &b); err == nil; err = readers[0].Next(t.Context(), &b) {
		rows += b.Len
		require.LessOrEqual(t, len(b.Columns[0].Data), 5<<20)
	}
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, 64, rows)
}

// allocates returns how many bytes f allocates in all.
func allocates(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func readWithin(t *testing.T, src table.Source, limit time.Duration, columns ...string) [][]string {
	t.Helper()
	type result struct {
		rows [][]string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		readers, err := src.Open(t.Context(), columns)
		if err != nil {
			done <- result{nil, err}
			return
		}
		rows, err := drain(t.Context(), readers[0])
		done <- result{rows, errors.Join(err, readers[0].Close())}
	}()
	select {
	case r := <-done:
		require.NoError(t, r.err)
		return r.rows
	case <-time.After(limit):
		require.FailNow(t, "reading hangs")
		return nil
	}
}

func TestNextAllocatesNothingPerRow(t *testing.T) {
	in := "a,b,c,d\n" + strings.Repeat("visitor-1,,\"x\"\"y\",\xe9t\xe9\n", 300_000)
	readers, err := newSource(t, in, csvio.Options{Encoding: "latin-1", Null: []string{"x"}}).Open(t.Context(), []string{"a", "b", "c", "d"})
	require.NoError(t, err)
	defer readers[0].Close()
	var b table.Batch
	for range 3 { // the batch grows to its size
		require.NoError(t, readers[0].Next(t.Context(), &b))
	}
	ctx := t.Context()
	allocs := testing.AllocsPerRun(50, func() { err = readers[0].Next(ctx, &b) })
	require.NoError(t, err)
	require.Equal(t, 4096, b.Len)
	assert.Zero(t, allocs)
}

func TestAttackI10ErrorsHoldNothingThatWasRead(t *testing.T) {
	const canary = "c4n4ry-8d1f"
	for _, in := range []string{
		canary + ",b\n", "\"" + canary, canary + "\n" + canary + "\n", "\xff\xfe" + canary, strings.Repeat(canary, 1<<20),
		"id," + canary + ",id\n",
	} {
		_, err := newSource(t, in, csvio.Options{}).Open(t.Context(), []string{"id", "canary"})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
}

// FuzzReaderAgreesWithEncodingCSV compares values with those of encoding/csv wherever that accepts
// the input.
func FuzzReaderAgreesWithEncodingCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "\"a\",\"b\"\"c\"\r\n1,\"2\n3\"\r\n", "a\n\n\r\n\"\"\n", "x,y,z\n1,2\n1,2,3\n", "a,b\r", "\"a\",\"b\"\r", ",\n,", "a,\"\r\n\"\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		bareCR := strings.Contains(in, "\r") && !strings.Contains(in, "\n") // which we take for line ends
		if bareCR || strings.HasPrefix(in, "\xef\xbb\xbf") || strings.HasPrefix(in, "\xff\xfe") || strings.HasPrefix(in, "\xfe\xff") {
			t.Skip()
		}
		want, err := strict(in)
		if err != nil || len(want) == 0 {
			t.Skip()
		}
		columns := make([]string, len(want[0]))
		for i := range columns {
			columns[i] = strings.Repeat("c", i+1)
		}
		want = slices.DeleteFunc(want, func(r []string) bool { return len(r) != len(columns) })
		got := read(t, newSource(t, in, csvio.Options{Header: csvio.NoHeader, Columns: columns, Delimiter: ","}), columns...)
		// encoding/csv knows no null, and turns CRLF within quotes into LF.
		replace(want, withoutNull)
		replace(got, func(cell string) string { return strings.ReplaceAll(withoutNull(cell), "\r\n", "\n") })
		require.Equal(t, want, got)
	})
}

func replace(rows [][]string, f func(string) string) {
	for _, row := range rows {
		for i := range row {
			row[i] = f(row[i])
		}
	}
}

// withoutNull returns the cell, or the empty text where it is null in any spelling.
func withoutNull(cell string) string {
	if cell == null || cell == `\N` {
		return ""
	}
	return cell
}

// strict reads with encoding/csv, records of any length.
func strict(in string) ([][]string, error) {
	r := csv.NewReader(strings.NewReader(in))
	r.FieldsPerRecord = -1
	return r.ReadAll()
}

// FuzzReaderNeverPanics also checks that every batch is well formed and that the size of batches
// does not matter.
func FuzzReaderNeverPanics(f *testing.F) {
	delimiters := []string{"", ",", "::", "\x00", "é", "||"}
	encodings := []string{"", "latin-1", "windows-1252"}
	f.Add([]byte("a,b\n1,2\n"), uint8(0))
	f.Add([]byte("a::b\n\"1\"::2\n\"::"), uint8(4))
	f.Add([]byte("a;b\r\"\r\n;\"\r"), uint8(13))
	f.Fuzz(func(t *testing.T, in []byte, flags uint8) {
		var scans [2][][]string
		for i, rows := range []int{1, 1000} {
			choice := int(flags >> 1)
			opts := csvio.Options{
				Delimiter: delimiters[choice%len(delimiters)], Encoding: encodings[choice/len(delimiters)%len(encodings)],
				BatchRows: rows, Null: []string{"NA"},
			}
			if flags&1 != 0 {
				opts.Header, opts.Columns = csvio.NoHeader, []string{"a", "b"}
			}
			src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(in)), nil }, opts)
			require.NoError(t, err)
			schema, err := src.Schema(t.Context())
			if err != nil {
				return
			}
			var columns []string
			for _, field := range schema.Fields {
				columns = append(columns, field.Name)
			}
			readers, err := src.Open(t.Context(), columns)
			if err != nil {
				return // a name that stands there twice
			}
			scans[i], err = drain(t.Context(), readers[0])
			require.NoError(t, err)
			require.NoError(t, readers[0].Close())
		}
		require.Equal(t, scans[0], scans[1])
	})
}
