// SPDX-License-Identifier: Apache-2.0

package csvio_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// null stands for a null cell in what the tests expect.
const null = "<null>"

func opener(in string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(in)), nil }
}

func newSource(t testing.TB, in string, opts csvio.Options) *csvio.Source {
	t.Helper()
	src, err := csvio.New("in.csv", opener(in), opts)
	require.NoError(t, err)
	return src
}

// read scans columns and returns the cells of each row. The readers are drained one after the other,
// and so the first of them yields all rows in their order.
func read(t testing.TB, src table.Source, columns ...string) [][]string {
	t.Helper()
	readers, err := src.Open(t.Context(), columns)
	require.NoError(t, err)
	rows := [][]string{}
	for _, r := range readers {
		some, err := drain(t.Context(), r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		rows = append(rows, some...)
	}
	return rows
}

func drain(ctx context.Context, r table.Reader) ([][]string, error) {
	rows := [][]string{}
	var b table.Batch
	for {
		err := r.Next(ctx, &b)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for i := range b.Len {
			row := make([]string, len(b.Columns))
			for c := range b.Columns {
				row[c] = null
				if v := b.Columns[c].Value(i); v.Valid {
					row[c] = string(v.Bytes)
				}
			}
			rows = append(rows, row)
		}
	}
}

func TestSourceKeepsTheContract(t *testing.T) {
	for _, readers := range []int{1, 3} {
		t.Run(fmt.Sprint(readers), func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				in := strings.ReplaceAll(encode(t, rows), `\N`, `"\N"`)
				return newSource(t, in, csvio.Options{BatchRows: 1000, Size: int64(len(in))}).In(1000, readers)
			}, tabletest.DeliversText, tabletest.EmptyIsNull)
		})
	}
}

func encode(t *testing.T, rows tabletest.Rows) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	var record []string
	for _, c := range rows.Columns {
		record = append(record, c.Name)
	}
	require.NoError(t, w.Write(record))
	for _, cells := range rows.Cells {
		record = record[:0]
		for _, v := range cells {
			record = append(record, tabletest.Text(v))
		}
		require.NoError(t, w.Write(record))
	}
	w.Flush()
	return b.String()
}

func TestReaderTakesRecordsApart(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		opts     csvio.Options
		columns  string
		want     [][]string
	}{
		{"LF", "a,b\n1,2\n3,4\n", csvio.Options{}, "a b", [][]string{{"1", "2"}, {"3", "4"}}},
		{"no line end at the end", "a,b\n1,2", csvio.Options{}, "a b", [][]string{{"1", "2"}}},
		{"CRLF", "a,b\r\n1,2\r\n\"3\",\"4\"\r\n", csvio.Options{}, "a b", [][]string{{"1", "2"}, {"3", "4"}}},
		{"CR alone", "a,b\r1,2\r\"3\",4\r", csvio.Options{}, "a b", [][]string{{"1", "2"}, {"3", "4"}}},
		{"CR within a field is data", "a,b\n1\r,2\n\"3\r4\",5\n", csvio.Options{}, "a b", [][]string{{"1\r", "2"}, {"3\r4", "5"}}},
		{"CR at the very end", "a,b\n1,2\r", csvio.Options{}, "b", [][]string{{"2"}}},
		{"CR after a quote at the very end", "a,b\n1,\"2\"\r", csvio.Options{}, "b", [][]string{{"2"}}},
		{"empty lines", "\r\n\n\na,b\n\n1,2\r\n\r\n\n", csvio.Options{}, "a b", [][]string{{"1", "2"}}},
		{"quotes", "a,b\n\"x,y\",\"say \"\"no\"\"\"\n\"l1\nl2\",\"\"\"\"\n", csvio.Options{}, "a b",
			[][]string{{"x,y", `say "no"`}, {"l1\nl2", `"`}}},
		{"quotes in unquoted fields are data", "a,b\n5\" disk,x\"\"y\n", csvio.Options{}, "a b", [][]string{{`5" disk`, `x""y`}}},
		{"null", "a,b,c\n,\\N,\"\"\n\"\\N\",\\n,x\n", csvio.Options{}, "a b c", [][]string{{null, null, null}, {`\N`, `\n`, "x"}}},
		{"null spellings", "a,b\nNA,\"NULL\"\nna,NULLs\n", csvio.Options{Null: []string{"NA", "NULL"}}, "a b",
			[][]string{{null, null}, {"na", "NULLs"}}},
		{"long null spelling", "a,b\n" + strings.Repeat("-", 70) + ",1\n", csvio.Options{Null: []string{strings.Repeat("-", 70)}},
			"a b", [][]string{{null, "1"}}},
		{"NUL bytes", "a,b\n\x00,1\x002\n", csvio.Options{}, "a b", [][]string{{"\x00", "1\x002"}}},
		{"UTF-8 mark", "\xef\xbb\xbfa,b\n1,2\n", csvio.Options{}, "a", [][]string{{"1"}}},
		{"UTF-8 mark before a quote", "\xef\xbb\xbf\"a\",b\n1,2\n", csvio.Options{}, "a", [][]string{{"1"}}},
		{"UTF-8 mark without header", "\xef\xbb\xbf1,2\n", csvio.Options{Header: csvio.NoHeader, Columns: []string{"a", "b"}}, "a", [][]string{{"1"}}},
		{"invalid UTF-8 stays", "a,b\n\xff\xc3,2\n", csvio.Options{}, "a", [][]string{{"\xff\xc3"}}},
		{"header is trimmed and unquoted", " a ,\" b\"\"c\"\n1,2\n", csvio.Options{}, `b"c`, [][]string{{"2"}}},
		{"order and repetition", "a,b,c\n1,2,3\n\"4\",\"5\",\"6\"\n", csvio.Options{}, "c a c", [][]string{{"3", "1", "3"}, {"6", "4", "6"}}},
		{"one column", "a\n1\n\n\"2\"\n", csvio.Options{}, "a", [][]string{{"1"}, {"2"}}},
		{"sniffed semicolon", "a;b,x;c\n1;2;3\n", csvio.Options{}, "b,x", [][]string{{"2"}}},
		{"sniffed tab", "a\tb\n1\t2,3\n", csvio.Options{}, "b", [][]string{{"2,3"}}},
		{"sniffed bar", "a|b\n1|2\n", csvio.Options{}, "b", [][]string{{"2"}}},
		{"sniffing ignores quotes", "\"a;;;\",b\n1,2\n", csvio.Options{}, "b", [][]string{{"2"}}},
		{"sniffing looks at the first line", "a,b\n;;;;,2\n", csvio.Options{}, "b", [][]string{{"2"}}},
		{"delimiter of two characters", "a::b::c\n1::\"2::3\"::4\n5:::6::7\n", csvio.Options{Delimiter: "::"}, "b c",
			[][]string{{"2::3", "4"}, {":6", "7"}}},
		{"no header", "1,2\n3,4\n", csvio.Options{Header: csvio.NoHeader, Columns: []string{"a", "b"}}, "b", [][]string{{"2"}, {"4"}}},
		{"no header and nothing else", "", csvio.Options{Header: csvio.NoHeader, Columns: []string{"a", "b"}}, "b", [][]string{}},
		{"header only", "a,b", csvio.Options{}, "b", [][]string{}},
		{"latin-1", "a\xf1o;b\n\xe9t\xe9;2\n\"\xe9\"\"\x80\";3\n", csvio.Options{Encoding: "latin-1"}, "año b",
			[][]string{{"été", "2"}, {"é\"\u0080", "3"}}},
		{"windows-1252", "a;b\n\x80\xe4;\"\x99\"\n", csvio.Options{Encoding: "windows-1252"}, "a b", [][]string{{"€ä", "™"}}},
		{"delimiter in latin-1", "a\xa7b\n1\xa72\n", csvio.Options{Encoding: "latin-1", Delimiter: "§"}, "b", [][]string{{"2"}}},
		{"null spelling in latin-1", "a;b\n\xfc;2\n", csvio.Options{Encoding: "latin-1", Null: []string{"ü"}}, "a", [][]string{{null}}},
		{"no columns", "a,b\n1,2\n", csvio.Options{}, "", [][]string{{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			columns := strings.Fields(tt.columns)
			assert.Equal(t, tt.want, read(t, newSource(t, tt.in, tt.opts), columns...))
			// The same, however the input arrives.
			slow, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(iotest.OneByteReader(iotest.DataErrReader(strings.NewReader(tt.in)))), nil
			}, tt.opts)
			require.NoError(t, err)
			assert.Equal(t, tt.want, read(t, slow, columns...), "read byte by byte")
		})
	}
}

func TestReaderDropsBadRecordsAndGoesOn(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name, in string
		want     [][]string
	}{
		{"too few fields", "a,b\n1\n2,3\n", [][]string{{"2", "3"}}},
		{"too many fields", "a,b\n1,2,3\n\"1\",2,3\n2,3\n", [][]string{{"2", "3"}}},
		{"text after a closing quote", "a,b\n\"1\"x,2\n2,3\n", [][]string{{"2", "3"}}},
		{"CR after a closing quote", "a,b\n\"1\"\r,2\n2,3\n", [][]string{{"2", "3"}}},
		{"unclosed quote", "a,b\n\"1,2\n2,3\n4,5\n", [][]string{{"2", "3"}, {"4", "5"}}},
		{"unclosed quote in the last line", "a,b\n2,3\n4,\"5", [][]string{{"2", "3"}}},
		{"unclosed quote that another one seems to close", "a,b\n\"1,2\n2,3\n4,x\"5\n6,7\n", [][]string{{"2", "3"}, {"4", `x"5`}, {"6", "7"}}},
		{"unclosed quote before much", "a,b\n\"1,2\n2,3\n" + strings.Repeat("4,5\n", 300_000), nil},
		{"unquoted record above 1 MiB", "a,b\n" + long + ",1\n2,3\n", [][]string{{"2", "3"}}},
		{"quoted record above 1 MiB", "a,b\n\"" + long + "\",1\n2,3\n", [][]string{{"2", "3"}}},
		{"last record above 1 MiB", "a,b\n2,3\n" + long + ",1", [][]string{{"2", "3"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, newSource(t, tt.in, csvio.Options{}), "a", "b")
			if tt.want == nil {
				assert.Len(t, got, 300_001)
				return
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestRecordOfExactlyTheLimitIsKept(t *testing.T) {
	for _, quoted := range []bool{false, true} {
		for extra := range 2 {
			field := strings.Repeat("x", 1<<20-2+extra)
			if quoted {
				field = `"` + field[2:] + `"`
			}
			got := read(t, newSource(t, "a,b\n"+field+",1\n2,3\n", csvio.Options{}), "b")
			assert.Len(t, got, 2-extra, "quoted %t, %d bytes above 1 MiB", quoted, extra)
		}
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	noHeader := csvio.Options{Header: csvio.NoHeader, Columns: []string{"a", "b"}}
	for _, tt := range []struct {
		name, in string
		opts     csvio.Options
		column   string
		want     string
		sentinel error
	}{
		{"empty", "", csvio.Options{}, "a", "in.csv: is empty; a CSV needs a header line; where files have none, name their columns", table.ErrSchema},
		{"a mark only", "\xef\xbb\xbf\r\n", csvio.Options{}, "a", "in.csv: is empty; a CSV needs a header line; where files have none, name their columns", table.ErrSchema},
		{"UTF-16", "\xff\xfea\x00", csvio.Options{}, "a", "in.csv: is in UTF-16; save it as UTF-8", table.ErrMalformed},
		{"UTF-16, big end first", "\xfe\xff\x00a", csvio.Options{}, "a", "in.csv: is in UTF-16; save it as UTF-8", table.ErrMalformed},
		{"marked as UTF-8", "\xef\xbb\xbfa", csvio.Options{Encoding: "latin-1"}, "a", "in.csv: is marked as UTF-8; leave the encoding option empty", table.ErrMalformed},
		{"missing", "x,y\n", csvio.Options{}, "page", `in.csv: column "page": is not there; check the header line and the delimiter`, table.ErrSchema},
		{"missing without header", "x,y\n", noHeader, "x", `in.csv: column "x": is not there; check the header line and the delimiter`, table.ErrSchema},
		{"other case", "Visitor,x\n", csvio.Options{}, "visitor", `in.csv: column "visitor": is not there; did you mean "Visitor"?`, table.ErrSchema},
		{"two letters off", "visitr_idd,x\n", csvio.Options{}, "visitor_id", `in.csv: column "visitor_id": is not there; did you mean "visitr_idd"?`, table.ErrSchema},
		{"three letters off", "visit_idd,x\n", csvio.Options{}, "visitor_id", `in.csv: column "visitor_id": is not there; check the header line and the delimiter`, table.ErrSchema},
		{"nearest first", "paged,pagess,pages1\n", csvio.Options{}, "pages", `in.csv: column "pages": is not there; did you mean "paged"?`, table.ErrSchema},
		{"short name", "ix,x\n", csvio.Options{}, "id", `in.csv: column "id": is not there; check the header line and the delimiter`, table.ErrSchema},
		{"without a name", "a,\n", csvio.Options{}, "", `in.csv: is not there; check the header line and the delimiter`, table.ErrSchema},
		{"twice", "a, a,b\n", csvio.Options{}, "a", `in.csv: column "a": is there more than once; rename all but one in the header`, table.ErrSchema},
		{"unclosed header", "a,\"b\n1,2\n", csvio.Options{}, "a", "in.csv: has a header line whose quotes do not close; put it right", table.ErrMalformed},
		{"endless header", strings.Repeat("a", 1<<20+1), csvio.Options{}, "a",
			"in.csv: has a header line that does not end within 1 MiB; is it a CSV, and are its quotes closed?", table.ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			readers, err := newSource(t, tt.in, tt.opts).Open(t.Context(), []string{tt.column})
			require.EqualError(t, err, tt.want)
			assert.ErrorIs(t, err, tt.sentinel)
			assert.Empty(t, readers)
		})
	}
}

func TestDuplicateNamesMatterOnlyWhenAskedFor(t *testing.T) {
	src := newSource(t, "a,b,a,\n1,2,3,4\n", csvio.Options{})
	assert.Equal(t, [][]string{{"2"}}, read(t, src, "b"))
	schema, err := src.Schema(t.Context())
	require.NoError(t, err)
	assert.Equal(t, table.Schema{Fields: []table.Field{{Name: "a", Kind: anonymize.Bytes}, {Name: "b", Kind: anonymize.Bytes}}}, schema)
}

func TestNewRefusesOptionsThatCannotBeUsed(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts csvio.Options
		want string
	}{
		{"quote in the delimiter", csvio.Options{Delimiter: `"`}, `in.csv: Options.Delimiter: got "\"", want at most 16 bytes without quotes and line ends; leave it empty to find it out`},
		{"encoding", csvio.Options{Encoding: "utf-16"}, `in.csv: Options.Encoding: got "utf-16", want "utf-8", "latin-1" or "windows-1252"; convert the file to UTF-8`},
		{"delimiter and encoding", csvio.Options{Encoding: "latin-1", Delimiter: "€"}, `in.csv: Options.Delimiter: got "€", which latin-1 cannot hold; use another`},
		{"no names", csvio.Options{Header: csvio.NoHeader}, `in.csv: Options.Columns: got none, want the names of all columns in order; they are needed with NoHeader`},
		{"names too many", csvio.Options{Columns: []string{"a"}}, `in.csv: Options.Columns: got names, want none; set Options.Header to NoHeader or leave them out`},
		{"header", csvio.Options{Header: 9}, `in.csv: Options.Header: got 9, want FirstRecord or NoHeader; use one of them`},
		{"several", csvio.Options{BatchRows: -1, Size: -1}, "in.csv: Options.BatchRows: got -1, want 1 to 1048576; leave it zero\n" +
			"in.csv: Options.Size: got -1, want a number of bytes; leave it zero where it is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := csvio.New("in.csv", opener(""), tt.opts)
			require.EqualError(t, err, tt.want)
			assert.ErrorIs(t, err, table.ErrSchema)
		})
	}
	_, err := csvio.New("in.csv", nil, csvio.Options{})
	assert.EqualError(t, err, "in.csv: open: got nil, want a function that opens the input")
}

// faulty fails with err after its content.
func faulty(content string, err error) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(content), iotest.ErrReader(err))), nil
	}
}

func TestErrorsOfTheInputArePassedOnWithoutTheirText(t *testing.T) {
	device := &fs.PathError{Op: "read", Path: "secret", Err: fs.ErrInvalid}
	limit := &table.Error{File: "x", Problem: "too much", Err: table.ErrLimit}
	for _, tt := range []struct {
		name     string
		err      error
		sentinel error
		text     string
	}{
		{"unknown", errors.New("bad line: secret"), table.ErrMalformed, "in.csv: cannot be read to its end; check the path, its permissions and its storage"},
		{"operating system", device, fs.ErrInvalid, "in.csv: cannot be read to its end; check the path, its permissions and its storage"},
		{"a connector's own", limit, table.ErrLimit, "x: too much"},
		{"context", context.DeadlineExceeded, context.DeadlineExceeded, "context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, err := csvio.New("in.csv", faulty("a,b\n"+strings.Repeat("1,2\n", 100_000), tt.err), csvio.Options{})
			require.NoError(t, err)
			readers, err := src.Open(t.Context(), []string{"a"})
			require.NoError(t, err)
			defer readers[0].Close()
			_, err = drain(t.Context(), readers[0])
			require.EqualError(t, err, tt.text)
			require.ErrorIs(t, err, tt.sentinel)
			assert.Equal(t, err, readers[0].Next(t.Context(), new(table.Batch)), "the error stays")
		})
	}
}

type closeCounter struct {
	io.Reader
	closed *int
}

func (c closeCounter) Close() error    { *c.closed++; return nil }
func (c closeCounter) Consumed() int64 { return 77 }

func TestInputIsClosedOnceWhateverHappens(t *testing.T) {
	opened, closed := 0, 0
	src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) {
		opened++
		return closeCounter{strings.NewReader("a,b\n1,2\n"), &closed}, nil
	}, csvio.Options{})
	require.NoError(t, err)
	_, err = src.Schema(t.Context())
	require.NoError(t, err)
	_, err = src.Open(t.Context(), []string{"missing"})
	require.Error(t, err)
	readers, err := src.Open(t.Context(), []string{"a"})
	require.NoError(t, err)
	var b table.Batch
	require.NoError(t, readers[0].Next(t.Context(), &b))
	assert.EqualValues(t, 77, b.Bytes, "Bytes is what the input says it consumed")
	require.NoError(t, readers[0].Close())
	require.NoError(t, readers[0].Close())
	assert.Equal(t, 3, opened)
	assert.Equal(t, 3, closed)
}

func TestBytesAddUpToTheInput(t *testing.T) {
	in := "a,b\n" + strings.Repeat("1,2\n", 200_000)
	readers, err := newSource(t, in, csvio.Options{}).Open(t.Context(), nil)
	require.NoError(t, err)
	var b table.Batch
	total := int64(0)
	for {
		err := readers[0].Next(t.Context(), &b)
		total += b.Bytes
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	assert.EqualValues(t, len(in), total)
}
