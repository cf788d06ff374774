// SPDX-License-Identifier: Apache-2.0

package logio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/table"
)

// repeated yields s again and again, in all about n bytes, without holding them.
func repeated(s string, n int) io.Reader {
	return io.LimitReader(&cycle{block: strings.Repeat(s, 64<<10/len(s)+1)}, int64(n/len(s)*len(s)))
}

type cycle struct {
	block string
	at    int
}

func (c *cycle) Read(p []byte) (int, error) {
	n := copy(p, c.block[c.at:])
	c.at = (c.at + n) % len(c.block)
	return n, nil
}

// TestAttackI05LogMemoryAmplification is the row for logs: whatever stands between two good lines, both are
// read and memory stays what it is.
func TestAttackI05LogMemoryAmplification(t *testing.T) {
	text := strings.NewReader
	for name, evil := range map[string]func() io.Reader{
		"one line of 16 MiB":            func() io.Reader { return repeated("x", 16<<20) },
		"one quoted field of 16 MiB":    func() io.Reader { return io.MultiReader(text(apache+` "`), repeated("x", 16<<20), text(`"`)) },
		"a long line that ends well":    func() io.Reader { return io.MultiReader(repeated("x", 16<<20), text(apache)) },
		"one of three fields":           func() io.Reader { return io.MultiReader(repeated("x", 16<<20), text(" 2 3")) },
		"16 MiB of blanks":              func() io.Reader { return repeated(" ", 16<<20) },
		"16 MiB of tabs":                func() io.Reader { return repeated("\t", 16<<20) },
		"16 MiB of quotes":              func() io.Reader { return repeated(`"`, 16<<20) },
		"lines of escaped quotes":       func() io.Reader { return repeated(apache+` "`+strings.Repeat(`\"`, 30_000)+"\n", 16<<20) },
		"lines of backslashes":          func() io.Reader { return repeated(apache+` "`+strings.Repeat(`\`, 60_000)+"\n", 16<<20) },
		"16 MiB of short lines":         func() io.Reader { return repeated("x\n", 16<<20) },
		"16 MiB of empty lines":         func() io.Reader { return repeated("\r\n", 16<<20) },
		"NUL bytes":                     func() io.Reader { return repeated("\x00", 16<<20) },
		"bare CR":                       func() io.Reader { return repeated("\r", 16<<20) },
		"remarks":                       func() io.Reader { return repeated("#x\n", 16<<20) },
		"the same fields over and over": func() io.Reader { return repeated("#Fields: host b c\n", 16<<20) },
	} {
		for format, parts := range map[logio.Format][2]string{
			logio.Combined: {apache + "\n", "\n" + apache + "\n"},
			logio.W3C:      {"#Fields: host b c\n1 2 3\n", "\n1 2 3\n"},
		} {
			src, err := logio.New("x", func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(text(parts[0]), evil(), text(parts[1]))), nil
			}, logio.Options{Format: format})
			require.NoError(t, err)
			var got [][]string
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err = read(t, src.In(0, 1), "host")
			runtime.ReadMemStats(&after)
			require.NoError(t, err, name)
			assert.Len(t, got, 2, name)
			// All that is ever allocated, not only what is held at once.
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), name)
		}
	}
}

func TestAttackI05LongFieldsDoNotAddUpInABatch(t *testing.T) {
	src, err := logio.New("x", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(repeated(apache+` "-" "`+strings.Repeat("x", 1<<20-200)+"\"\n", 64<<20)), nil
	}, logio.Options{})
	require.NoError(t, err)
	readers, err := src.In(0, 1).Open(t.Context(), []string{"user_agent"})
	require.NoError(t, err)
	defer readers[0].Close()
	var b table.Batch
	rows := 0
	for err = readers[0].Next(t.Context(), &b); err == nil; err = readers[0].Next(t.Context(), &b) {
		rows += b.Len
		require.LessOrEqual(t, len(b.Columns[0].Data), 5<<20)
	}
	assert.Equal(t, io.EOF, err)
	assert.Greater(t, rows, 60)
}

func TestNextAllocatesNothingPerRow(t *testing.T) {
	for format, line := range map[logio.Format]string{
		logio.Combined: apache + ` "-" "say \"no\" \x41"` + "\n",
		logio.W3C:      "2019-12-04\t10:00:00\tMozilla%2520(X)\n",
	} {
		columns, log := []string{"host", "time", "path", "user_agent"}, strings.Repeat(line, 300_000)
		if format == logio.W3C {
			columns, log = []string{"date_time", "cs(User-Agent)"}, "#Fields: date time cs(User-Agent)\n"+log
		}
		readers, err := source(t, []byte(log), format).In(0, 1).Open(t.Context(), columns)
		require.NoError(t, err)
		var b table.Batch
		for range 3 { // the batch grows to its size
			require.NoError(t, readers[0].Next(t.Context(), &b))
		}
		ctx := t.Context()
		allocs := testing.AllocsPerRun(50, func() { err = readers[0].Next(ctx, &b) })
		require.NoError(t, err)
		require.Equal(t, 4096, b.Len)
		assert.Zero(t, allocs)
		require.NoError(t, readers[0].Close())
	}
}

func TestAttackI10ErrorsHoldNothingThatWasRead(t *testing.T) {
	const canary = "c4n4ry-8d1f"
	for _, log := range []string{
		canary, canary + "\n" + canary, "#" + canary + "\n", "#Fields: " + canary, "#Fields: a " + canary + "\n1 2\n#Fields: " + canary + "\n",
		"\xff\xfe" + canary, "#" + strings.Repeat(canary, 1<<18), "#Fields: a\n" + canary + "\n#Fields:\n" + canary,
	} {
		_, err := read(t, source(t, []byte(log), logio.W3C), "a", "canary")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
	_, err := source(t, []byte(canary), logio.Combined).Open(t.Context(), []string{"canary"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), canary)
}

// TestAttackI11PoisonLine is the row as far as a reader can help it: whatever a person makes a server write
// into their line, all other lines are read as before. First and last lines are no exception.
func TestAttackI11PoisonLine(t *testing.T) {
	rest := [][]string{{"a"}, {"b"}}
	for format, log := range map[logio.Format][3]string{
		logio.Combined: {"", "a - - [x] \"GET / HTTP/1.1\" 200 1\n", "b - - [x] \"GET / HTTP/1.1\" 200 1\n"},
		logio.W3C:      {"#Fields: host x cs(User-Agent)\n", "a 1 2\n", "b 1 2\n"},
	} {
		for _, poison := range []string{
			"\t", `"`, `\`, `""`, `\"`, "p \" q", "%", "%%%25", "\x00", "\xff", "#Fields:", "p\t1\t2\t\"", `p 1 "`, "1e999", "NaN",
			strings.Repeat("x", 1<<20), strings.Repeat("x", 3<<20), strings.Repeat(`"`, 1<<20), "p - - [", "p - - [x] \"", "PAR1", "{", "\r", "\v",
		} {
			for _, at := range []int{0, 1, 2} {
				lines := slices.Insert([]string{log[1], log[2]}, at, "p "+poison+"\n")
				for _, readers := range []int{1, 3} {
					got, err := read(t, source(t, []byte(log[0]+strings.Join(lines, "")), format).In(20, readers), "host")
					require.NoError(t, err)
					got = slices.DeleteFunc(got, func(row []string) bool { return row[0] == "p" })
					slices.SortFunc(got, slices.Compare)
					assert.Equal(t, rest, got, "%.20q", poison)
				}
			}
		}
	}
}

// logs are what the generator and the fuzzer begin with.
var logs = []string{
	apache + "\n" + apache + ` "-" "x\"y" "1" 2` + "\r\n" + "bad\n" + apache,
	"#Version: 1.0\n#Fields: date time host cs(User-Agent)\n1\t2\t3\t%41\n1 2 \"a \"\" b\" x+y\n#Fields: host time date x cs(User-Agent)\n3 2 1 x \"\"\n",
	"#Fields: host\n\n#\n-\n", "\ufeff" + apache, "\x00", "#Fields: date time host cs(User-Agent)\n#Fields: x\n",
}

// agree checks that what is read does not depend on blocks, readers and the columns asked for, and returns
// the rows.
func agree(t *testing.T, data []byte, format logio.Format, size int) {
	t.Helper()
	columns := []string{"host", "time", "path", "user_agent", "extra2"}
	if format == logio.W3C {
		columns = []string{"host", "time", "date_time", "cs(User-Agent)"}
	}
	want, wantErr := read(t, source(t, data, format).In(0, 1), columns...)
	require.LessOrEqual(t, len(want), bytes.Count(data, []byte("\n"))+1)
	slices.SortFunc(want, slices.Compare)
	for _, readers := range []int{1, 3} {
		got, err := read(t, source(t, data, format).In(size, readers), columns...)
		require.Equal(t, wantErr == nil, err == nil)
		if err == nil {
			slices.SortFunc(got, slices.Compare)
			require.Equal(t, want, got, "%d readers", readers)
		}
	}
	if wantErr == nil {
		for i, column := range columns {
			got, err := read(t, source(t, data, format).In(size, 1), column)
			require.NoError(t, err)
			var alone []string
			for _, row := range want {
				alone = append(alone, row[i])
			}
			var found []string
			for _, row := range got {
				found = append(found, row[0])
			}
			slices.Sort(alone)
			slices.Sort(found)
			require.Equal(t, alone, found, column)
		}
	}
}

func TestWhatIsReadDoesNotDependOnBlocksAndReaders(t *testing.T) {
	for i, log := range logs {
		for size := 1; size < len(log)+2; size++ {
			for _, format := range []logio.Format{logio.Combined, logio.W3C} {
				t.Run(fmt.Sprint(i, size, format), func(t *testing.T) { agree(t, []byte(log), format, size) })
			}
		}
	}
}

func FuzzAnyBytesAreReadOrRefused(f *testing.F) {
	for _, log := range logs {
		f.Add([]byte(log), false, uint8(9))
		f.Add([]byte(log), true, uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, w3c bool, size uint8) {
		format := logio.Combined
		if w3c {
			format = logio.W3C
		}
		agree(t, data, format, 1+int(size))
	})
}
