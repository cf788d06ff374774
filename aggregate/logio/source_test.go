// SPDX-License-Identifier: Apache-2.0

package logio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// null stands for a null cell: no cell of these tests has that text.
const null = "∅"

// read drains all readers at once, and returns the rows in order where there is one reader.
func read(t testing.TB, src table.Source, columns ...string) ([][]string, error) {
	t.Helper()
	readers, err := src.Open(context.Background(), columns)
	if err != nil {
		require.Empty(t, readers)
		return nil, err
	}
	rows, errs := make([][][]string, len(readers)), make([]error, len(readers))
	var wg sync.WaitGroup
	for i, r := range readers {
		wg.Go(func() {
			var b table.Batch
			for errs[i] = r.Next(context.Background(), &b); errs[i] == nil; errs[i] = r.Next(context.Background(), &b) {
				rows[i] = append(rows[i], texts(&b, len(columns))...)
			}
			if errs[i] == io.EOF {
				errs[i] = nil
			}
		})
	}
	wg.Wait()
	for _, r := range readers {
		require.NoError(t, r.Close())
	}
	return slices.Concat(rows...), errors.Join(errs...)
}

func texts(b *table.Batch, columns int) [][]string {
	var rows [][]string
	for i := range b.Len {
		row := make([]string, columns)
		for c := range row {
			row[c] = null
			if v := b.Columns[c].Value(i); v.Valid {
				row[c] = string(v.Bytes)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

const apache = `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 512`

func TestALineOfACombinedLogIsTakenApart(t *testing.T) {
	columns := []string{"host", "ident", "user", "time", "method", "path", "protocol", "status", "bytes", "referer", "user_agent", "extra1", "extra16"}
	row := func(change ...string) []string {
		r := []string{"192.0.2.7", null, null, "17/May/2015:10:05:03 +0000", "GET", "/a?b=c", "HTTP/1.1", "200", "512", null, null, null, null}
		for i := 0; i < len(change); i += 2 {
			r[slices.Index(columns, change[i])] = change[i+1]
		}
		return r
	}
	request := func(to string) string { return strings.Replace(apache, "GET /a?b=c HTTP/1.1", to, 1) }
	none := []string{"method", null, "path", null, "protocol", null}
	for line, want := range map[string][]string{
		apache:                                  row(),
		apache + "  \r":                         row(),
		apache + ` "-" "-"`:                     row(),
		apache + ` - -`:                         row(),
		apache + ` "" ""`:                       row(),
		apache + ` "http://x.example/" "M (X)"`: row("referer", "http://x.example/", "user_agent", "M (X)"),
		apache + ` "-" "say \"no\" \\ \x41\x4a\xc3\xa9\t\q\x4"`: row("user_agent", `say "no" \ AJé`+"\t"+`\q\x4`),
		apache + ` "-" "\\"`:          row("user_agent", `\`),
		apache + ` "-" "x" "1" 0.005`: row("user_agent", "x", "extra1", "1"),
		apache + ` "-" "x"` + strings.Repeat(" -", 15) + ` "16" "17"`: row("user_agent", "x", "extra16", "16"),
		strings.Replace(apache, "- -", "id fr\\xc3\\xa9d", 1):         row("ident", "id", "user", "fréd"),
		strings.Replace(apache, "- -", `- ""`, 1):                     row(),
		strings.Replace(apache, "200 512", "- -", 1):                  row("status", null, "bytes", null),
		request("GET /with blank HTTP/2.0"):                           row("path", "/with blank", "protocol", "HTTP/2.0"),
		request(`POST /\"x\" HTTP/1.0`):                               row("method", "POST", "path", `/"x"`, "protocol", "HTTP/1.0"),
		request("GET /old"):                                           row("path", "/old", "protocol", null),
		request("-"):                                                  row(none...),
		request(""):                                                   row(none...),
		request(`\x16\x03\x01 \x00 x`):                                row(none...),
		request("get /"):                                              row(none...),
		request("GET / FTP/1"):                                        row(none...),
	} {
		// The first line leaves nothing behind for the second.
		full := strings.Replace(apache, "- -", "i u", 1) + ` "r" "a" "1"` + strings.Repeat(" x", 15) + "\n"
		got, err := read(t, source(t, []byte(full+line), logio.Combined), columns...)
		require.NoError(t, err)
		require.Len(t, got, 2)
		assert.Equal(t, want, got[1], line)
	}
}

func TestALineThatIsNotOfTheFormIsDropped(t *testing.T) {
	for _, bad := range []string{
		"", "x", "-", apache[:20], apache[:50], strings.TrimSuffix(apache, " 512"), apache + ` "unclosed`, apache + ` "a" "b`,
		apache + ` "a""b"`, apache + ` "a"b`, apache + ` "a\" "b"`, apache + ` a b`, apache + `  "a" "b"`, "x " + apache,
		strings.Replace(apache, "200", "2x0", 1), strings.Replace(apache, "512", "-1", 1), strings.Replace(apache, "200", `"200"`, 1),
		strings.Replace(apache, "[", "", 1), strings.Replace(apache, "]", "", 1), strings.ReplaceAll(apache, `"`, ""),
		strings.Replace(apache, " - ", "  ", 1), apache + ` "-" "` + strings.Repeat("x", 1<<20) + `"`, strings.Repeat("\x00", 70_000),
	} {
		for _, columns := range [][]string{nil, {"status"}, {"host", "user_agent", "extra3"}} {
			lines := apache + "\n" + bad + "\n" + strings.Replace(apache, "200", "404", 1) + "\n"
			for _, readers := range []int{1, 3} {
				got, err := read(t, source(t, []byte(lines), logio.Combined).In(100, readers), columns...)
				require.NoError(t, err)
				assert.Len(t, got, 2, "%.100s", bad)
			}
		}
	}
	got, err := read(t, source(t, nil, logio.Combined), "host")
	require.NoError(t, err)
	assert.Empty(t, got, "an empty log is a log")
}

func TestALineOfAW3CLogIsTakenApart(t *testing.T) {
	const iis = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2019-12-04 00:00:01\r\n"
	for _, tt := range []struct {
		name, log string
		want      []string
	}{
		{"IIS", iis + "#Fields: date time c-ip cs-username cs-uri-query cs(User-Agent) cs(Referer)\r\n" +
			"2019-12-04 21:02:31 192.0.2.7 - a+b Mozilla/5.0+(X11;+Linux) http://x.example/?q=a+b\r\n",
			[]string{"2019-12-04 21:02:31", "192.0.2.7", null, "a+b", "Mozilla/5.0 (X11; Linux)", "http://x.example/?q=a+b"}},
		{"CloudFront", "#Version: 1.0\n#Fields: date time c-ip cs-username cs-uri-query cs(User-Agent) cs(Referer)\n" +
			"2019-12-04\t21:02:31\t192.0.2.7\t-\ta%20b\tMozilla/5.0%2520(X11;%20Linux)+%zz%\thttp://x.example/%20\n",
			[]string{"2019-12-04 21:02:31", "192.0.2.7", null, "a%20b", "Mozilla/5.0 (X11; Linux)+%zz%", "http://x.example/%20"}},
		{"quotes", "#Fields:date time c-ip cs-username cs-uri-query cs(User-Agent) cs(Referer)\n" +
			`  2019-12-04  "21:02:31" 192.0.2.7 "" "say ""no""" "a + b"   "-"` + "  ",
			[]string{"2019-12-04 21:02:31", "192.0.2.7", null, `say "no"`, "a + b", null}},
		{"no time", "\ufeff#Fields:\tdate\ttime\tc-ip\tcs-username\tcs-uri-query\tcs(User-Agent)\tcs(Referer)\n2019-12-04\t-\tx\t\ty\tz\t",
			[]string{null, "x", null, "y", "z", null}},
		{"no date", "#Fields: date time c-ip cs-username cs-uri-query cs(User-Agent) cs(Referer)\n- 21:02:31 - - - - -",
			[]string{null, null, null, null, null, null}},
	} {
		got, err := read(t, source(t, []byte(tt.log), logio.W3C), "date_time", "c-ip", "cs-username", "cs-uri-query", "cs(User-Agent)", "cs(Referer)")
		require.NoError(t, err, tt.name)
		assert.Equal(t, [][]string{tt.want}, got, tt.name)
	}
	got, err := read(t, source(t, []byte("#Fields: date time date_time\n1 2 3\n"), logio.W3C), "date_time", "time", "date")
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"3", "2", "1"}}, got, "a column of that name comes first")
}

func TestAW3CLineThatIsNotOfTheFormIsDropped(t *testing.T) {
	for _, bad := range []string{
		"", "#Remark: x", "#Fields", "1", "1 2 3 4", "1\t2", "1\t2\t3\t4", "1 2 \"3", "1 2 \"3\"x", "\"1\" \"2\" \"3\" \"4\"", "1\t2 3",
		"1 2 " + strings.Repeat("x", 1<<20), strings.Repeat("\x00", 70_000), "#Fields: a b c", "#Fields: x c b a", "#Fields: a b c\n#Fields: x c b a",
	} {
		lines := "#Fields: a b c\n1 2 3\n" + bad + "\n"
		if strings.HasSuffix(bad, "b a") {
			lines += "0 3 2 1\n"
		} else {
			lines += "1 2 3\n"
		}
		for _, readers := range []int{1, 3} {
			got, err := read(t, source(t, []byte(lines), logio.W3C).In(100, readers), "c", "a")
			require.NoError(t, err)
			assert.Equal(t, [][]string{{"3", "1"}, {"3", "1"}}, got, "%.100s", bad)
		}
	}
}

// Whether a record follows a #Fields line that does not fit must not decide whether a run fails.
func TestALaterFieldsLineMustNameTheWantedColumns(t *testing.T) {
	const log = "#Fields: a b\n1 2\n1 2\n"
	for _, tt := range []struct{ line, want string }{
		{"#Fields: b c", `access.log: column "a": is not there; check a later #Fields line`},
		{"#Fields: b A", `access.log: column "a": is not there; did you mean "A"?`},
		{"#Fields: a b a", `access.log: column "a": is there more than once; rename all but one in a later #Fields line`},
		{"#Fields: ", "access.log: has a later #Fields line without names or with more than 4,096; put it right"},
		{"#Fields: a" + strings.Repeat(" x", 5000), "access.log: has a later #Fields line without names or with more than 4,096; put it right"},
		{"#Fields: " + strings.Repeat("a", 2<<20), "access.log: has a later #Fields line without names or with more than 4,096; put it right"},
	} {
		for _, after := range []string{"", "\n", "\n1 2\n"} {
			for _, readers := range []int{1, 2} {
				_, err := read(t, source(t, []byte(log+tt.line+after), logio.W3C).In(10, readers), "a")
				want := strings.Repeat(tt.want+"\n", readers)
				assert.EqualError(t, err, want[:len(want)-1], "%.50s: each reader", tt.line)
				assert.ErrorIs(t, err, table.ErrSchema)
			}
		}
	}
	many := []byte("#Fields: a\n")
	for i := range 5000 {
		many = fmt.Appendf(many, "#Fields: a%s\n", strings.Repeat(" x", i%4000+1))
		if i >= 4000 {
			many = fmt.Appendf(many, "#Fields: x a%s\n", strings.Repeat(" x", i%4000+1))
		}
	}
	_, err := read(t, source(t, many, logio.W3C).In(0, 1), "a")
	assert.EqualError(t, err, "access.log: has more than 4,096 different #Fields lines; split it into several files")
	got, err := read(t, source(t, []byte(strings.Repeat("#Fields: a\n1\n#Fields: b a\n2 1\n", 5000)), logio.W3C), "a")
	require.NoError(t, err)
	assert.Len(t, got, 10_000, "the same ones again and again are no matter")
}

func TestAW3CLogWithoutItsFieldsIsRefused(t *testing.T) {
	for log, want := range map[string]string{
		"":                               "has no #Fields line; a W3C log needs one before its records",
		"#Version: 1.0\n\n":              "has no #Fields line; a W3C log needs one before its records",
		"#Fields:\n":                     "has a #Fields line without names or with more than 4,096; put it right",
		"secret 1\n#Fields: a\n":         "has no #Fields line before its first record; put it there, or name another format",
		"#" + strings.Repeat("x", 2<<20): "has a line of more than 1 MiB before its #Fields line; is it a W3C log?",
		"\xff\xfe#\x00":                  "is in UTF-16; save it as UTF-8",
	} {
		src := source(t, []byte(log), logio.W3C)
		_, err := src.Schema(t.Context())
		assert.EqualError(t, err, "access.log: "+want)
		_, err = src.Open(t.Context(), []string{"a"})
		assert.EqualError(t, err, "access.log: "+want)
	}
	_, err := read(t, source(t, []byte("#Fields: date time"), logio.W3C), "x", "Date")
	assert.EqualError(t, err, `access.log: column "x": is not there; check the #Fields line`+"\n"+
		`access.log: column "Date": is not there; did you mean "date"?`)
	for head, want := range map[string]string{"time": "date", "date": "time"} {
		_, err = read(t, source(t, []byte("#Fields: "+head), logio.W3C), "date_time")
		assert.EqualError(t, err, `access.log: column "date_time": is not there; the #Fields line names no `+want)
	}
}

func TestSchemaReportsWhatCanBeAskedFor(t *testing.T) {
	schema, err := source(t, []byte("junk"), logio.Combined).Schema(t.Context())
	require.NoError(t, err)
	assert.Len(t, schema.Fields, 27)
	assert.Equal(t, table.Field{Name: "host", Kind: anonymize.Bytes}, schema.Fields[0])
	assert.Equal(t, "extra16", schema.Fields[26].Name)
	schema, err = source(t, []byte("#Fields: a date a time\n"), logio.W3C).Schema(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []table.Field{{Name: "a"}, {Name: "date"}, {Name: "time"}, {Name: "date_time"}}, schema.Fields)
	_, err = read(t, source(t, []byte("x"), logio.Combined), "agent", "extra17")
	assert.EqualError(t, err, `access.log: column "agent": is not there; a Combined log has host, ident, user, time, method, path, `+
		"protocol, status, bytes, referer, user_agent, and extra1 to extra16\n"+
		`access.log: column "extra17": is not there; a Combined log has host, ident, user, time, method, path, `+
		"protocol, status, bytes, referer, user_agent, and extra1 to extra16")
}

func TestOptionsThatCannotBeUsedAreRefused(t *testing.T) {
	open := func(context.Context) (io.ReadCloser, error) { return nil, os.ErrNotExist }
	_, err := logio.New("x", nil, logio.Options{})
	assert.EqualError(t, err, "x: open: got nil, want a function that opens the input")
	_, err = logio.New("x", open, logio.Options{Format: 7})
	assert.EqualError(t, err, "x: Options.Format: want Combined or W3C; use one of them")
	_, err = logio.New("x", open, logio.Options{Size: -1})
	assert.EqualError(t, err, "x: Options.Size: got a negative size; leave it zero where it is not known")
	src, err := logio.New("x", open, logio.Options{Size: 5})
	require.NoError(t, err)
	assert.Equal(t, int64(5), src.Size())
	_, err = src.Open(t.Context(), []string{"host"})
	assert.EqualError(t, err, "x: cannot be read to its end; check the path, its permissions and its storage")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAFaultOfTheInputIsTheSameForEachReader(t *testing.T) {
	good := strings.Repeat(apache+"\n", 10_000)
	limit := &table.Error{File: "x", Problem: "too much", Err: table.ErrLimit}
	src, err := logio.New("x", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(good), iotest.ErrReader(limit))), nil
	}, logio.Options{})
	require.NoError(t, err)
	readers, err := src.In(5000, 3).Open(t.Context(), []string{"host"})
	require.NoError(t, err)
	for _, r := range readers {
		var b table.Batch
		for err = error(nil); err == nil; err = r.Next(t.Context(), &b) {
		}
		assert.EqualError(t, err, "x: too much")
		assert.Zero(t, b.Len)
		assert.Equal(t, err, r.Next(t.Context(), &b), "again")
		assert.NoError(t, r.Close())
	}
}
