// SPDX-License-Identifier: Apache-2.0

package tablefile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle/internal/tablefile"
)

const canary = "canary-7f3a91c5"

// column holds the cells of a column, texts or numerals, and table those of a table.
type column struct {
	Name           string
	Text, Numerals []string
}

type table []column

// file returns the table as it is written.
func (t table) file() tablefile.Table {
	var out tablefile.Table
	for _, c := range t {
		written := tablefile.Column{Name: c.Name}
		if c.Text != nil {
			written.Text = func(row int) string { return c.Text[row] }
			out.Rows = len(c.Text)
		}
		if c.Numerals != nil {
			written.Numeral = func(dst []byte, row int) []byte { return append(dst, c.Numerals[row]...) }
			out.Rows = len(c.Numerals)
		}
		out.Columns = append(out.Columns, written)
	}
	return out
}

func sample() table {
	return table{
		{Name: "region", Text: []string{"north", "south", "south", ""}},
		{Name: "activity", Text: []string{"read", "-5 to 0", "Zürich, \"Platz\"", "play"}},
		{Name: "value", Numerals: []string{"41.50", "-3", "", "0"}},
		{Name: "A_low", Numerals: []string{"40.0", "-0.5", "0.0000001", "9223372036854775807"}},
	}
}

func csvBytes(t *testing.T, table table) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tablefile.WriteCSV(&b, table.file()))
	return b.Bytes()
}

func parquetBytes(t *testing.T, table table) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tablefile.WriteParquet(&b, table.file()))
	return b.Bytes()
}

func openParquet(t *testing.T, b []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f
}

// readParquet returns the rows of a file in the table's form.
func readParquet(t *testing.T, b []byte) table {
	t.Helper()
	f := openParquet(t, b)
	var out table
	for _, field := range f.Schema().Fields() {
		c := column{Name: field.Name()}
		if field.Type().Kind() == parquet.ByteArray {
			c.Text = []string{}
		} else {
			c.Numerals = []string{}
		}
		out = append(out, c)
	}
	rows := parquet.NewReader(f)
	for range f.NumRows() {
		batch := make([]parquet.Row, 1)
		n, _ := rows.ReadRows(batch)
		require.Equal(t, 1, n)
		for _, v := range batch[0] {
			c := &out[v.Column()]
			if c.Text != nil {
				text, err := tablefile.ParseText(string(v.ByteArray()))
				require.NoError(t, err)
				c.Text = append(c.Text, text)
				continue
			}
			if v.IsNull() {
				c.Numerals = append(c.Numerals, "")
			} else {
				c.Numerals = append(c.Numerals, strconv.FormatFloat(v.Double(), 'f', -1, 64))
			}
		}
	}
	return out
}

func TestCSVIsPlainAndParsesBack(t *testing.T) {
	want := "region,activity,value,A_low\n" +
		"north,read,41.50,40.0\n" +
		"south,'-5 to 0,-3,-0.5\n" +
		"south,\"Zürich, \"\"Platz\"\"\",,0.0000001\n" +
		",play,0,9223372036854775807\n"
	assert.Equal(t, want, string(csvBytes(t, sample())))

	empty := table{{Name: "a", Text: []string{}}, {Name: "b", Numerals: []string{}}}
	assert.Equal(t, "a,b\n", string(csvBytes(t, empty)))
}

func TestParquetKeepsOrderTypesAndNulls(t *testing.T) {
	b := parquetBytes(t, sample())
	f := openParquet(t, b)
	assert.Equal(t, "message table {\n\trequired binary region (STRING);\n\trequired binary activity (STRING);\n\toptional double value;\n\toptional double A_low;\n}", f.Schema().String())
	got, want := readParquet(t, b), sample()
	want[2].Numerals[0] = "41.5" // a double has no places
	want[3].Numerals[0] = "40"
	want[3].Numerals[3] = "9223372036854776000" // the shortest text of the nearest double
	assert.Equal(t, want, got)

	empty := table{{Name: "b", Text: []string{}}, {Name: "a", Numerals: []string{}}}
	f = openParquet(t, parquetBytes(t, empty))
	assert.Zero(t, f.NumRows())
	assert.Equal(t, "b", f.Schema().Fields()[0].Name())
}

func TestParquetHoldsManyRowsInOneRowGroup(t *testing.T) {
	many := table{{Name: "a", Text: []string{}}, {Name: "b", Numerals: []string{}}, {Name: "c", Numerals: []string{}}}
	for i := range 90_000 {
		many[0].Text = append(many[0].Text, strings.Repeat(strconv.Itoa(i), 4))
		many[1].Numerals = append(many[1].Numerals, strconv.Itoa(i))
		sparse := strconv.Itoa(-i)
		if i%7 < 3 || i > 20_000 && i < 70_000 {
			sparse = "" // so that pages begin and end with either, and one holds nothing
		}
		many[2].Numerals = append(many[2].Numerals, sparse)
	}
	b := parquetBytes(t, many)
	assert.Equal(t, many, readParquet(t, b))
	groups := openParquet(t, b).RowGroups()
	require.Len(t, groups, 1)
	for i, chunk := range groups[0].ColumnChunks() {
		pages, nulls := chunk.Pages(), int64(0)
		count := 0
		for page, err := pages.ReadPage(); err == nil; page, err = pages.ReadPage() {
			nulls += page.NumNulls()
			count++
		}
		require.NoError(t, pages.Close())
		assert.Greater(t, count, 2, "column %d", i)
		meta := openParquet(t, b).Metadata().RowGroups[0].Columns[i].MetaData
		assert.Equal(t, meta.Statistics.NullCount, nulls)
		assert.EqualValues(t, count, meta.EncodingStats[0].Count)
		assert.Equal(t, i == 2, nulls > 0)
	}
}

func TestAttackO01NoDictionaryPages(t *testing.T) {
	// The suppressed label lies right behind the published rows, in the same array and the same string.
	labels := []string{"red", "blue", "red", canary}
	joined := "north" + canary + "south"
	table := table{
		{Name: "colour", Text: labels[:3]},
		{Name: "region", Text: []string{joined[:5], joined[len(joined)-5:], joined[:5]}},
		{Name: "value", Numerals: []string{"1", "1", "1"}},
	}
	b := parquetBytes(t, table)
	assert.NotContains(t, string(b), canary)
	assert.NotContains(t, string(csvBytes(t, table)), canary)
	for _, group := range openParquet(t, b).Metadata().RowGroups {
		for _, c := range group.Columns {
			assert.Zero(t, c.MetaData.DictionaryPageOffset)
			for _, e := range c.MetaData.Encoding {
				assert.Contains(t, []format.Encoding{format.Plain, format.RLE}, e)
			}
		}
	}
	assert.Equal(t, 2, bytes.Count(b, []byte("red")), "a value stands in its rows and nowhere else")
}

// TestAttackO02WithheldSlotsKeepNoValue: a withheld number is an empty numeral, so nothing lies under it;
// in the file it takes no room in which something could.
func TestAttackO02WithheldSlotsKeepNoValue(t *testing.T) {
	table := table{{Name: "a", Text: make([]string, 1000)}, {Name: "b", Numerals: make([]string, 1000)}}
	size := func() int64 {
		return openParquet(t, parquetBytes(t, table)).Metadata().RowGroups[0].Columns[1].MetaData.TotalUncompressedSize
	}
	assert.Less(t, size(), int64(100))
	for i := range table[1].Numerals {
		table[1].Numerals[i] = "41.5"
	}
	assert.Greater(t, size(), int64(8000), "the measure sees numbers")
}

func TestAttackO03FooterHoldsNothingOfTheRows(t *testing.T) {
	b := parquetBytes(t, sample())
	meta := openParquet(t, b).Metadata()
	assert.Empty(t, meta.KeyValueMetadata)
	assert.Equal(t, "throng version 1.0.0 (build 0)", meta.CreatedBy)
	require.Len(t, meta.RowGroups, 1)
	assert.Empty(t, meta.RowGroups[0].SortingColumns)
	for i, c := range meta.RowGroups[0].Columns {
		nulls := int64(0)
		if i == 2 {
			nulls = 1
		}
		assert.Equal(t, format.Statistics{NullCount: nulls}, c.MetaData.Statistics)
		assert.Equal(t, format.SizeStatistics{}, c.MetaData.SizeStatistics)
		assert.Zero(t, c.MetaData.BloomFilterOffset)
		assert.Empty(t, c.MetaData.KeyValueMetadata)
		assert.Zero(t, c.ColumnIndexOffset)
		assert.Zero(t, c.OffsetIndexOffset)
		assert.Empty(t, c.FilePath)
	}
	// Between the last page and the footer there is nothing: each label stands once in the whole file.
	for _, label := range []string{"north", "read", "play"} {
		assert.Equal(t, 1, bytes.Count(b, []byte(label)), label)
	}
	last := meta.RowGroups[0].Columns[3].MetaData
	footer := int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	assert.EqualValues(t, len(b)-8-footer, last.DataPageOffset+last.TotalCompressedSize)
}

func TestAttackO04BytesDependOnPublishedRowsOnly(t *testing.T) {
	a, b := sample(), sample()
	b[0].Text = append(b[0].Text, canary)[:4]
	b[2].Numerals = append(b[2].Numerals, canary)[:4]
	assert.Equal(t, csvBytes(t, a), csvBytes(t, b))
	assert.Equal(t, parquetBytes(t, a), parquetBytes(t, b))
}

// TestAttackO05BytesAreTheSameEverywhere pins the bytes. The sums change with the format and with how the
// Parquet library encodes headers; a new version of either is the only reason to change them.
func TestAttackO05BytesAreTheSameEverywhere(t *testing.T) {
	assert.Equal(t, "e91c7fdaac1c32e889767435e0539b6396ae639cd27a8f202a83e8e0cd2c7334", fmt.Sprintf("%x", sha256.Sum256(csvBytes(t, sample()))))
	assert.Equal(t, "cad105b2290c1bd62230e1b92539855eaa120bc9bf2e4c3ec1f73733c22c1f5f", fmt.Sprintf("%x", sha256.Sum256(parquetBytes(t, sample()))))
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, word := range []string{host, os.TempDir(), "parquet-go", "go1."} {
		assert.NotContains(t, string(parquetBytes(t, sample())), word)
	}
}

// hostile are labels of ATTACKS.md and their like, each with the cell that stands for it.
var hostile = []struct{ text, csv, parquet string }{
	{"=1+1", "'=1+1", "=1+1"},
	{"+1", "'+1", "+1"},
	{"-1", "'-1", "-1"},
	{"−1", "'−1", "−1"},
	{"@SUM(A1)", "'@SUM(A1)", "@SUM(A1)"},
	{"＝1", "'＝1", "＝1"},
	{"＋1", "'＋1", "＋1"},
	{"＠x", "'＠x", "＠x"},
	{"  =1", "'  =1", "  =1"},
	{"\u00a0=1", "'\u00a0=1", "\u00a0=1"},
	{"\"=1", "'\"=1", "\"=1"},
	{"\t=1", `'\u0009\u003D1`, `'\u0009=1`},
	{"\r=1", `'\u000D\u003D1`, `'\u000D=1`},
	{"\n=1", `'\u000A\u003D1`, `'\u000A=1`},
	{"\x00=1", `'\u0000=1`, `'\u0000=1`},
	{"\ufeff=1", `'\uFEFF=1`, `'\uFEFF=1`},
	{"a\",\"=1+1", "'a\",\"\\u003D1+1", "a\",\"=1+1"},
	{";=1", `';\u003D1`, ";=1"},
	{"a; =1", `'a; \u003D1`, "a; =1"},
	{"=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0", "=cmd|'/C calc'!A0"},
	{"x|-1", `'x|\u002D1`, "x|-1"},
	{"abc\u202edcba", `'abc\u202Edcba`, `'abc\u202Edcba`},
	{"a\u200bb", `'a\u200Bb`, `'a\u200Bb`},
	{"\x1b[31m", `'\u001B[31m`, `'\u001B[31m`},
	{"a\xffb", `'a\xFFb`, `'a\xFFb`},
	{"\U000e0041", `'\U000E0041`, `'\U000E0041`},
	{"'=1", "''=1", "''=1"},
	{"'", "''", "''"},
	{"=\\u003D", `'=\\u003D`, `=\u003D`},
	{`C:\dir`, `C:\dir`, `C:\dir`},
	{"", "", ""},
	{"a=b", "a=b", "a=b"},
	{"13-17", "13-17", "13-17"},
	{"Zürich, Platz", "Zürich, Platz", "Zürich, Platz"},
	{"\ufffd", "\ufffd", "\ufffd"},
}

func TestAttackO06FormulasAreText(t *testing.T) {
	table := table{{Name: "label", Text: []string{}}, {Name: "value", Numerals: []string{}}}
	for _, h := range hostile {
		assert.Equal(t, h.csv, tablefile.CSVText(h.text))
		assert.Equal(t, h.parquet, tablefile.ParquetText(h.text))
		table[0].Text = append(table[0].Text, h.text)
		table[1].Numerals = append(table[1].Numerals, "-3")
	}
	b := csvBytes(t, table)
	assert.Equal(t, len(hostile)+1, bytes.Count(b, []byte("\n")), "a cell never spans lines")
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, len(hostile)+1)
	for i, r := range records[1:] {
		text, err := tablefile.ParseText(r[0])
		require.NoError(t, err)
		assert.Equal(t, hostile[i].text, text)
		assert.Equal(t, "-3", r[1], "a number stays a number")
	}
	assert.Equal(t, table[0].Text, readParquet(t, parquetBytes(t, table))[0].Text)
}

// starts reports whether a spreadsheet may run a cell: it takes away spaces and quotes and looks at the
// first character.
func starts(cell string) bool {
	cell = strings.TrimLeft(cell, " \"\u00a0\t\r")
	return cell != "" && strings.ContainsRune("=+-@＝＋－＠−", []rune(cell)[0])
}

func FuzzAttackO06(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := tablefile.CSVText(text)
		for _, c := range []string{cell, tablefile.ParquetText(text)} {
			back, err := tablefile.ParseText(c)
			if err != nil || back != text {
				t.Fatalf("ParseText(%q) = %q, %v, want %q", c, back, err, text)
			}
		}
		table := table{{Name: "a", Text: []string{text}}, {Name: "b", Text: []string{text}}}
		line := strings.TrimPrefix(string(csvBytes(t, table)), "a,b\n")
		if strings.Count(line, "\n") != 1 {
			t.Fatalf("%q spans lines", line)
		}
		// A program that splits the line at another separator and ignores quotes finds no formula.
		for _, separators := range []string{",", ";", "|", "\t", ",;|\t"} {
			for _, c := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
				if starts(c) {
					t.Fatalf("%q begins a formula in %q", c, line)
				}
			}
		}
	})
}

func TestParseTextRefusesOtherEscapes(t *testing.T) {
	for _, cell := range []string{`'\`, `'\q`, `'\x1`, `'\u12`, `'\uD800`, `'\UFFFFFFFF`, `'\x+1`} {
		_, err := tablefile.ParseText(cell)
		assert.EqualError(t, err, "got a broken escape in a cell, want one that throng writes", cell)
	}
}

func TestTablesThatCannotBeWrittenAreRefused(t *testing.T) {
	text, number := column{Name: "a", Text: []string{canary}}, func(name string) column { return column{name, nil, []string{"1"}} }
	for want, columns := range map[string]table{
		"got 1 columns, want at least 2; add the statistic":                                               {text},
		"columns[1]: got a name that is not letters, digits and underscores, want such a name; rename it": {text, number("=a")},
		"columns[1]: got a second a, want each name once; rename it":                                      {text, number("a")},
		"columns[1]: b: want either text or numerals; set one":                                            {text, {Name: "b"}},
		"columns[0]: b: want either text or numerals; set one":                                            {{"b", []string{"x"}, []string{"1"}}, text},
	} {
		var b bytes.Buffer
		for _, err := range []error{tablefile.WriteCSV(&b, columns.file()), tablefile.WriteParquet(&b, columns.file())} {
			assert.EqualError(t, err, "table cannot be written: "+want)
			assert.ErrorIs(t, err, tablefile.ErrTable)
		}
		assert.Zero(t, b.Len())
	}
}

// plain says in another way what a numeral is.
var (
	plain        = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?$`)
	negativeZero = regexp.MustCompile(`^-0(\.0+)?$`)
)

func TestNumeralsThatAreNotPlainAreRefused(t *testing.T) {
	numerals := []string{
		"NaN", "+Inf", "1e3", "0x1", "1,5", "1_0", "٣", "1\n", canary, strings.Repeat("9", 40), strings.Repeat("9", 41),
		"0." + strings.Repeat("1", 40), "0." + strings.Repeat("1", 41), "-" + strings.Repeat("9", 40) + "." + strings.Repeat("0", 40),
	}
	for _, length := range []int{1, 2, 3, 4, 5} { // every text of these characters
		const letters = "-.019 "
		for n := range int(math.Pow(float64(len(letters)), float64(length))) {
			text := make([]byte, length)
			for i := range text {
				text[i] = letters[n%len(letters)]
				n /= len(letters)
			}
			numerals = append(numerals, string(text))
		}
	}
	refused := 0
	for _, n := range numerals {
		written := table{{Name: "a", Text: []string{"x"}}, {Name: "b", Numerals: []string{n}}}.file()
		for _, err := range []error{tablefile.WriteCSV(io.Discard, written), tablefile.WriteParquet(io.Discard, written)} {
			if plain.MatchString(n) && !negativeZero.MatchString(n) {
				require.NoError(t, err, "%q", n)
				continue
			}
			refused++
			require.EqualError(t, err, "table cannot be written: b: got a number that is no plain decimal, want digits such as -3 or 41.0; write it so", "%q", n)
		}
	}
	assert.Greater(t, len(numerals)*2-refused, 300, "some are plain")
}
