// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/table"
)

// null stands for a null cell in the results of scan.
const null = "<null>"

// scan reads every record of src as text. The readers are drained one after the other, and so the
// first of them yields all records in their order.
func scan(tb testing.TB, src table.Source, columns ...string) ([][]string, error) {
	tb.Helper()
	readers, err := src.Open(context.Background(), columns)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, r := range readers {
			require.NoError(tb, r.Close())
		}
	}()
	rows := [][]string{}
	for _, r := range readers {
		var b table.Batch
		for err = r.Next(context.Background(), &b); err == nil; err = r.Next(context.Background(), &b) {
			rows = append(rows, texts(tb, &b, len(columns))...)
		}
		if err != io.EOF {
			return nil, err
		}
		require.Zero(tb, b.Len)
	}
	return rows, nil
}

func texts(tb testing.TB, b *table.Batch, columns int) [][]string {
	tb.Helper()
	require.NotZero(tb, b.Len)
	require.Len(tb, b.Columns, columns)
	rows := make([][]string, b.Len)
	for i := range rows {
		rows[i] = make([]string, columns)
		for c := range b.Columns {
			rows[i][c] = null
			col := &b.Columns[c]
			if v := col.Value(i); v.Valid {
				rows[i][c] = string(v.Bytes)
			}
			if col.Items == nil {
				continue
			}
			rows[i][c] = "["
			for at := col.Starts[i]; at < col.Starts[i+1]; at++ {
				v := col.Items.Value(int(at))
				rows[i][c] += fmt.Sprintf("%t %q,", v.Valid, v.Bytes)
			}
		}
	}
	return rows
}

// one reads the only record of line, and reports false where the line is dropped.
func one(t *testing.T, line string, columns ...string) ([]string, bool) {
	t.Helper()
	// The other records show that only the line itself is dropped.
	rows, err := scan(t, source(t, []byte("{\"before\":1}\n"+line+"\n{\"after\":1}")), append(columns, "before", "after")...)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(rows), 2)
	n := len(columns)
	require.Equal(t, []string{"1", null}, rows[0][n:])
	require.Equal(t, []string{null, "1"}, rows[len(rows)-1][n:])
	if len(rows) == 2 {
		return nil, false
	}
	require.Len(t, rows, 3)
	return rows[1][:n], true
}

func TestAScalarIsItsText(t *testing.T) {
	for value, want := range map[string]string{
		`"F"`:                    "F",
		`""`:                     "",
		`"a\"\\\/\b\f\n\r\tz"`:   "a\"\\/\b\f\n\r\tz",
		`"\u00e9\u0000"`:         "é\x00",
		`"\ud83d\ude00"`:         "😀",
		`"Ñuño 😀"`:               "Ñuño 😀",
		`1984.0`:                 "1984.0",
		`-0`:                     "-0",
		`1E+400`:                 "1E+400",
		`9223372036854775808`:    "9223372036854775808",
		`true`:                   "true",
		`false`:                  "false",
		`null`:                   null,
		`{}`:                     null,
		`{"b":1}`:                null,
		`[]`:                     null,
		`["x"]`:                  null,
		" \t\"spaced\" \r":       "spaced",
		`"` + "\u2028" + `line"`: "\u2028line",
	} {
		got, ok := one(t, `{"x":[{"v":1}],"v": `+value+`, "y":{"v":2}}`, "v")
		if assert.True(t, ok, "%s is a record", value) {
			assert.Equal(t, []string{want}, got, "value %s", value)
		}
	}
}

func TestAPathIsCutAtItsDotsInTheDocumentedOrder(t *testing.T) {
	for _, tt := range []struct{ line, path, want string }{
		{`{"context":{"ip":"n"}}`, "context.ip", "n"},
		{`{"context.ip":"l"}`, "context.ip", "l"},
		{`{"context.ip":"l","context":{"ip":"n"}}`, "context.ip", "n"},
		{`{"context":{"ip":"n"},"context.ip":"l"}`, "context.ip", "n"},
		{`{"context":{"ip":null},"context.ip":"l"}`, "context.ip", null},
		{`{"context.ip":"l","context":{"ip":{}}}`, "context.ip", null},
		{`{"context.ip":"l","context":{"ip":[]}}`, "context.ip", null},
		{`{"context":"n","context.ip":"l"}`, "context.ip", "l"},
		{`{"context":[{"ip":"n"}]}`, "context.ip", null},
		{`{"context":{}}`, "context.ip", null},
		{`{"a.b.c":4,"a.b":{"c":3},"a":{"b.c":2,"b":{"c":1}}}`, "a.b.c", "1"},
		{`{"a.b.c":4,"a.b":{"c":3},"a":{"b.c":2}}`, "a.b.c", "2"},
		{`{"a.b.c":4,"a.b":{"c":3},"a":{"b":{}}}`, "a.b.c", "3"},
		{`{"a.b.c":4,"a.b":3}`, "a.b.c", "4"},
		{`{"con\u0074ext":{"i\u0070":"n"}}`, "context.ip", "n"},
		{`{"Context":{"ip":"n"}}`, "context.ip", null},
		{`{"":1}`, "", "1"},
		{`{"a":{"":1}}`, "a.", "1"},
		{`{"tags[0]":"l","tags":["n"]}`, "tags[0]", "l"},
		{`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":1}}}}}}}}`, "a.b.c.d.e.f.g.h", "1"},
		{`{"a.b.c.d.e.f.g.h":1}`, "a.b.c.d.e.f.g.h", "1"},
	} {
		got, ok := one(t, tt.line, tt.path)
		if assert.True(t, ok, tt.line) {
			assert.Equal(t, []string{tt.want}, got, "%s of %s", tt.path, tt.line)
		}
	}
}

func TestColumnsMayRepeatAndContainEachOther(t *testing.T) {
	got, ok := one(t, `{"a":{"b":"x"},"c":"y"}`, "c", "a.b", "a", "c", "none")
	require.True(t, ok)
	assert.Equal(t, []string{"y", "x", null, "y", null}, got)
}

func TestRecordsAreCountedWhereNoColumnIsAskedFor(t *testing.T) {
	readers, err := source(t, []byte("{}\n{\"a\":1}\nbroken\n")).Open(context.Background(), nil)
	require.NoError(t, err)
	var b table.Batch
	require.NoError(t, readers[0].Next(context.Background(), &b))
	assert.Equal(t, 2, b.Len)
	assert.Empty(t, b.Columns)
}

func TestARecordThatIsNotOneSoundObjectIsDroppedWhateverIsAskedFor(t *testing.T) {
	for name, line := range map[string]string{
		"unfinished":                `{"v":1`,
		"scalar":                    `1`,
		"array":                     `[{"v":1}]`,
		"two objects":               `{"v":1}{"v":2}`,
		"text after":                `{"v":1} x`,
		"comma at the end":          `{"v":1,}`,
		"name without quotes":       `{v:1}`,
		"number as a name":          `{1:1}`,
		"single quotes":             `{'v':1}`,
		"comment":                   `{"v":1/**/}`,
		"leading zero":              `{"v":01}`,
		"bare fraction":             `{"v":.5}`,
		"plus":                      `{"v":+1}`,
		"NaN":                       `{"v":NaN}`,
		"literal in upper case":     `{"v":TRUE}`,
		"raw control":               "{\"v\":\"a\tb\"}",
		"NUL":                       "{\"v\":\"a\x00b\"}",
		"unknown escape":            `{"v":"\x41"}`,
		"half a high surrogate":     `{"v":"\ud83d"}`,
		"half a low surrogate":      `{"v":"\ude00"}`,
		"surrogate too high":        `{"v":"\ud83d\ue000"}`,
		"surrogates swapped":        `{"v":"\ude00\ud83d"}`,
		"half a surrogate skipped":  `{"v":1,"o":"\ud83d"}`,
		"latin-1":                   "{\"v\":\"\xf1\"}",
		"latin-1 skipped":           "{\"v\":1,\"o\":[\"\xf1\"]}",
		"latin-1 in a name":         "{\"v\":1,\"\xf1\":2}",
		"name twice":                `{"v":1,"v":1}`,
		"name twice, escaped":       `{"v":1,"\u0076":1}`,
		"skipped name twice":        `{"v":1,"o":1,"o":2}`,
		"deep name twice":           `{"v":1,"o":[{"p":{"q":1,"q":2}}]}`,
		"broken in a skipped value": `{"v":1,"o":{"p":[1,}}`,
		"too deep":                  `{"v":1,"o":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
	} {
		for _, columns := range [][]string{{"v"}, {"other"}, {"v.w", "o.p"}, nil} {
			_, ok := one(t, line, columns...)
			assert.False(t, ok, "%s with columns %q", name, columns)
		}
	}
	_, ok := one(t, `{"v":1,"o":`+strings.Repeat("[", 9_999)+strings.Repeat("]", 9_999)+`}`, "v")
	assert.True(t, ok, "10,000 levels are a record")
}

func TestBlankLinesAndCarriageReturnsAreNoRecords(t *testing.T) {
	rows, err := scan(t, source(t, []byte(" \r\n\n{\"v\":1}\r\n\r\n \t\n{\"v\":2}\r\n\n")), "v")
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"1"}, {"2"}}, rows)
}

func TestAByteOrderMarkIsStrippedAtTheStartOnly(t *testing.T) {
	rows, err := scan(t, source(t, []byte("\xef\xbb\xbf{\"v\":1}\n\xef\xbb\xbf{\"v\":2}\n{\"v\":3}")), "v")
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"1"}, {"3"}}, rows)
}

func TestAnInputWithoutRecordsIsEmpty(t *testing.T) {
	for _, text := range []string{"", "\xef\xbb\xbf", "\n", " \r\n\t", strings.Repeat("\n", 300_000), "{"} {
		rows, err := scan(t, source(t, []byte(text)), "v")
		require.NoError(t, err)
		assert.Empty(t, rows)
	}
}

func TestAFileOfAnotherFormatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[{"v":1},{"v":2}]`:        "in.ndjson: got a JSON array, want newline-delimited JSON; write one object a line",
		"\xef\xbb\xbf\n [\n{}\n]":  "in.ndjson: got a JSON array, want newline-delimited JSON; write one object a line",
		"{ \t\r\n  \"v\": 1\n}\n":  "in.ndjson: got a JSON object laid out over several lines; write one object a line",
		"\n\n{\n\"v\":1}":          "in.ndjson: got a JSON object laid out over several lines; write one object a line",
		"user,gender\nu1,F\n":      "in.ndjson: got something other than {, want newline-delimited JSON; write one object a line",
		"\xff\xfe{\x00}\x00":       "in.ndjson: got something other than {, want newline-delimited JSON; write one object a line",
		"\x00":                     "in.ndjson: got something other than {, want newline-delimited JSON; write one object a line",
		"\"a\"\n{}\n":              "in.ndjson: got something other than {, want newline-delimited JSON; write one object a line",
		strings.Repeat(" ", 3<<20): "",
	} {
		src := source(t, []byte(text))
		_, err := scan(t, src, "v")
		_, schemaErr := src.Schema(context.Background())
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.EqualError(t, err, want)
		assert.EqualError(t, schemaErr, want)
		assert.ErrorIs(t, err, table.ErrMalformed)
	}
}

func TestALineOverOneMiBIsDropped(t *testing.T) {
	sized := func(size int) string {
		return `{"v":"` + strings.Repeat("x", size-len(`{"v":""}`)) + `"}`
	}
	for size, want := range map[int]bool{1 << 20: true, 1<<20 + 1: false, 5 << 20: false} {
		_, ok := one(t, sized(size), "v")
		assert.Equal(t, want, ok, "a line of %d bytes", size)
		rows, err := scan(t, source(t, []byte(sized(size))), "v")
		require.NoError(t, err)
		assert.Equal(t, want, len(rows) == 1, "a last line of %d bytes", size)
	}
	// The end of a line that is too long must not be taken for a line, wherever a buffer ends.
	for blanks := 1 << 20; blanks < 5<<20; blanks += 300_000 {
		_, ok := one(t, strings.Repeat(" ", blanks)+`{"v":1}`, "v")
		assert.False(t, ok, "%d blanks", blanks)
	}
}

func TestTheCutOfReadsAndBatchesDoesNotMatter(t *testing.T) {
	var text bytes.Buffer
	text.Write(pageViews(9_000))
	text.WriteString("broken\n\n{\"userId\":null}\n{\"userId\":\"" + strings.Repeat("y", 1<<19) + "\"}")
	want, err := scan(t, source(t, text.Bytes()), "userId", "context.ip")
	require.NoError(t, err)
	require.Len(t, want, 9_002)
	require.Equal(t, []string{"u976", "203.0.113.211"}, want[976])
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"half": iotest.HalfReader, "one byte": iotest.OneByteReader, "data with EOF": iotest.DataErrReader,
		"no byte": func(r io.Reader) io.Reader { return &stutter{r: r} },
	} {
		src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(wrap(bytes.NewReader(text.Bytes()))), nil
		}, ndjsonio.Options{})
		require.NoError(t, err)
		got, err := scan(t, src, "userId", "context.ip")
		require.NoError(t, err)
		assert.True(t, assert.ObjectsAreEqual(want, got), name)
	}
}

// stutter returns nothing before each read.
type stutter struct {
	r     io.Reader
	ready bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.ready = !s.ready; s.ready {
		return 0, nil
	}
	return s.r.Read(p)
}

func TestABatchOfLargeRecordsEndsEarly(t *testing.T) {
	line := `{"v":"` + strings.Repeat("x", 1<<19) + "\"}\n"
	readers, err := source(t, []byte(strings.Repeat(line, 40))).Open(context.Background(), []string{"v"})
	require.NoError(t, err)
	var b table.Batch
	rows := 0
	for readers[0].Next(context.Background(), &b) == nil {
		assert.LessOrEqual(t, len(b.Columns[0].Data), 5<<20)
		rows += b.Len
	}
	assert.Equal(t, 40, rows)
}

func TestAPathOfTooManyNamesIsRefused(t *testing.T) {
	_, err := scan(t, source(t, []byte("{}")), "a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h.i", "........")
	assert.EqualError(t, err, `in.ndjson: column "a.b.c.d.e.f.g.h.i": got a path of more than 8 names, want at most 8`+"\n"+
		`in.ndjson: column "........": got a path of more than 8 names, want at most 8`)
	assert.ErrorIs(t, err, table.ErrSchema)
}

func TestNewRefusesWhatCannotBeRead(t *testing.T) {
	_, err := ndjsonio.New("in.ndjson", nil, ndjsonio.Options{})
	assert.EqualError(t, err, "in.ndjson: got no function to open the input; give one")
	_, err = ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) { return nil, nil }, ndjsonio.Options{Size: -1})
	assert.EqualError(t, err, "in.ndjson: got a negative size; use 0 where it is not known")
}

func TestTheSchemaIsOpen(t *testing.T) {
	src := source(t, []byte("{}"))
	schema, err := src.Schema(context.Background())
	require.NoError(t, err)
	assert.Equal(t, table.Schema{Open: true}, schema)
	assert.Equal(t, "in.ndjson", src.Name())
	assert.EqualValues(t, 2, src.Size())
}

func TestAnOpenErrorKeepsItsCauseAndNotItsText(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "canary")
	for _, tt := range []struct {
		in   error
		is   error
		want string
	}{
		{open(missing), fs.ErrNotExist, "in.ndjson: opening the input failed"},
		{errors.New("canary"), nil, "in.ndjson: opening the input failed"},
		{&table.Error{Problem: "too large", Err: table.ErrLimit}, table.ErrLimit, "in.ndjson: too large"},
		{&table.Error{File: "part", Problem: "too large", Err: table.ErrLimit}, table.ErrLimit, "part: too large"},
	} {
		src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) { return nil, tt.in }, ndjsonio.Options{})
		require.NoError(t, err)
		_, err = src.Open(context.Background(), nil)
		assert.EqualError(t, err, tt.want)
		var own *table.Error
		require.ErrorAs(t, err, &own)
		if tt.is == nil {
			assert.NoError(t, own.Err)
			continue
		}
		assert.ErrorIs(t, err, tt.is)
	}
}

func open(path string) error {
	_, err := os.Open(path)
	return err
}
