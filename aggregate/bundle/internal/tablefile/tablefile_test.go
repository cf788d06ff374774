// SPDX-License-Identifier: Apache-2.0

package tablefile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
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

// canaryNumber stands in slots that are not valid.
const canaryNumber = 123456789.125

func sample() tablefile.Table {
	return tablefile.Table{Columns: []tablefile.Column{
		{Name: "region", Text: []string{"north", "south", "south", ""}},
		{Name: "activity", Text: []string{"read", "-5 to 0", "Zürich, \"Platz\"", "play"}},
		{Name: "value", Numbers: []float64{41.5, -3, canaryNumber, 0}, Valid: []bool{true, true, false, true}},
		{Name: "A_low", Numbers: []float64{40.25, -8, 1e-7, 1e21}},
	}}
}

func csvBytes(t *testing.T, table tablefile.Table) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tablefile.WriteCSV(&b, table))
	return b.Bytes()
}

func parquetBytes(t *testing.T, table tablefile.Table) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tablefile.WriteParquet(&b, table))
	return b.Bytes()
}

func openParquet(t *testing.T, b []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f
}

// readParquet returns the rows of a file in the table's form.
func readParquet(t *testing.T, b []byte) tablefile.Table {
	t.Helper()
	f := openParquet(t, b)
	var out tablefile.Table
	for _, field := range f.Schema().Fields() {
		c := tablefile.Column{Name: field.Name()}
		if field.Type().Kind() == parquet.ByteArray {
			c.Text = []string{}
		} else {
			c.Numbers, c.Valid = []float64{}, []bool{}
		}
		out.Columns = append(out.Columns, c)
	}
	rows := parquet.NewReader(f)
	for range f.NumRows() {
		batch := make([]parquet.Row, 1)
		n, _ := rows.ReadRows(batch)
		require.Equal(t, 1, n)
		for _, v := range batch[0] {
			c := &out.Columns[v.Column()]
			if c.Text != nil {
				text, err := tablefile.ParseText(string(v.ByteArray()))
				require.NoError(t, err)
				c.Text = append(c.Text, text)
				continue
			}
			c.Valid = append(c.Valid, !v.IsNull())
			if v.IsNull() {
				c.Numbers = append(c.Numbers, 0)
			} else {
				c.Numbers = append(c.Numbers, v.Double())
			}
		}
	}
	return out
}

func TestCSVIsPlainAndParsesBack(t *testing.T) {
	want := "region,activity,value,A_low\n" +
		"north,read,41.5,40.25\n" +
		"south,'-5 to 0,-3,-8\n" +
		"south,\"Zürich, \"\"Platz\"\"\",,0.0000001\n" +
		",play,0,1000000000000000000000\n"
	assert.Equal(t, want, string(csvBytes(t, sample())))

	empty := tablefile.Table{Columns: []tablefile.Column{{Name: "a", Text: []string{}}, {Name: "b", Numbers: []float64{}}}}
	assert.Equal(t, "a,b\n", string(csvBytes(t, empty)))
	negativeZero := tablefile.Table{Columns: []tablefile.Column{{Name: "a", Text: []string{"x"}}, {Name: "b", Numbers: []float64{math.Copysign(0, -1)}}}}
	assert.Equal(t, "a,b\nx,0\n", string(csvBytes(t, negativeZero)))
}

func TestParquetKeepsOrderTypesAndNulls(t *testing.T) {
	b := parquetBytes(t, sample())
	f := openParquet(t, b)
	assert.Equal(t, "message table {\n\trequired binary region (STRING);\n\trequired binary activity (STRING);\n\toptional double value;\n\toptional double A_low;\n}", f.Schema().String())
	got, want := readParquet(t, b), sample()
	want.Columns[2].Numbers[2] = 0
	want.Columns[3].Valid = []bool{true, true, true, true}
	assert.Equal(t, want, got)

	empty := tablefile.Table{Columns: []tablefile.Column{{Name: "b", Text: []string{}}, {Name: "a", Numbers: []float64{}}}}
	f = openParquet(t, parquetBytes(t, empty))
	assert.Zero(t, f.NumRows())
	assert.Equal(t, "b", f.Schema().Fields()[0].Name())
}

func TestParquetHoldsManyRowsInOneRowGroup(t *testing.T) {
	table := tablefile.Table{Columns: []tablefile.Column{{Name: "a", Text: []string{}}, {Name: "b", Numbers: []float64{}, Valid: []bool{}}}}
	for i := range 50_000 {
		table.Columns[0].Text = append(table.Columns[0].Text, strings.Repeat(strconv.Itoa(i), 4))
		table.Columns[1].Numbers = append(table.Columns[1].Numbers, float64(i)/4)
		table.Columns[1].Valid = append(table.Columns[1].Valid, true)
	}
	b := parquetBytes(t, table)
	assert.Len(t, openParquet(t, b).RowGroups(), 1)
	assert.Equal(t, table, readParquet(t, b))
}

func TestAttackO01NoDictionaryPages(t *testing.T) {
	// The suppressed label lies right behind the published rows, in the same array and the same string.
	labels := []string{"red", "blue", "red", canary}
	joined := "north" + canary + "south"
	table := tablefile.Table{Columns: []tablefile.Column{
		{Name: "colour", Text: labels[:3]},
		{Name: "region", Text: []string{joined[:5], joined[len(joined)-5:], joined[:5]}},
		{Name: "value", Numbers: []float64{1, 1, 1}},
	}}
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

func TestAttackO02WithheldSlotsKeepNoValue(t *testing.T) {
	b := parquetBytes(t, sample())
	assert.NotContains(t, string(b), string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(canaryNumber))))
	assert.Contains(t, string(b), string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(41.5))), "the search finds what is there")
	assert.NotContains(t, string(csvBytes(t, sample())), "123456789")
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
	b.Columns[0].Text = append(b.Columns[0].Text, canary)[:4]
	b.Columns[2].Numbers[2] = math.NaN()
	b.Columns[3].Valid = []bool{true, true, true, true}
	assert.Equal(t, csvBytes(t, a), csvBytes(t, b))
	assert.Equal(t, parquetBytes(t, a), parquetBytes(t, b))
}

// TestAttackO05BytesAreTheSameEverywhere pins the bytes. The sums change with the format and with the
// Parquet library; a new version of either is the only reason to change them.
func TestAttackO05BytesAreTheSameEverywhere(t *testing.T) {
	assert.Equal(t, "805c3f79a7635ac5b5bafe9e525f5ec8ed9eb6baefca14091bd8400d653dcc8b", fmt.Sprintf("%x", sha256.Sum256(csvBytes(t, sample()))))
	assert.Equal(t, "5ddcaef2323a963b3d1c3776eb5c293a59350969c4f558ac2648b09c7f0fa213", fmt.Sprintf("%x", sha256.Sum256(parquetBytes(t, sample()))))
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
	table := tablefile.Table{Columns: []tablefile.Column{{Name: "label", Text: []string{}}, {Name: "value", Numbers: []float64{}}}}
	for _, h := range hostile {
		assert.Equal(t, h.csv, tablefile.CSVText(h.text))
		assert.Equal(t, h.parquet, tablefile.ParquetText(h.text))
		table.Columns[0].Text = append(table.Columns[0].Text, h.text)
		table.Columns[1].Numbers = append(table.Columns[1].Numbers, -3)
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
	assert.Equal(t, table.Columns[0].Text, readParquet(t, parquetBytes(t, table)).Columns[0].Text)
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
		table := tablefile.Table{Columns: []tablefile.Column{{Name: "a", Text: []string{text}}, {Name: "b", Text: []string{text}}}}
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
	text := tablefile.Column{Name: "a", Text: []string{canary}}
	number := func(name string, v float64, valid ...bool) tablefile.Column {
		return tablefile.Column{Name: name, Numbers: []float64{v}, Valid: slices.Clone(valid)}
	}
	tests := []struct {
		name    string
		columns []tablefile.Column
		want    string
	}{
		{"one column", []tablefile.Column{text}, "got 1 columns, want at least 2; add the statistic"},
		{"name", []tablefile.Column{text, number("=a", 1)}, "columns[1]: got a name that is not letters, digits and underscores, want such a name; rename it"},
		{"same name", []tablefile.Column{text, number("a", 1)}, "columns[1]: got a second a, want each name once; rename it"},
		{"neither", []tablefile.Column{text, {Name: "b"}}, "columns[1]: b: want either text or numbers; set one"},
		{"both", []tablefile.Column{text, {Name: "b", Text: []string{"x"}, Numbers: []float64{1}}}, "columns[1]: b: want either text or numbers; set one"},
		{"length", []tablefile.Column{text, {Name: "b", Numbers: []float64{1, 2}}}, "columns[1]: b: got a different number of rows, want that of the first column"},
		{"validity", []tablefile.Column{text, number("b", 1, true, true)}, "columns[1]: b: got a different number of rows, want that of the first column"},
		{"validity of text", []tablefile.Column{text, {Name: "b", Text: []string{"x"}, Valid: []bool{true}}}, "columns[1]: b: got text with validity, want text in every row; use an empty text"},
		{"NaN", []tablefile.Column{text, number("b", math.NaN())}, "columns[1]: b: got a number that is not finite, want finite numbers"},
		{"infinity", []tablefile.Column{text, number("b", math.Inf(-1), true)}, "columns[1]: b: got a number that is not finite, want finite numbers"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			for _, err := range []error{
				tablefile.WriteCSV(&b, tablefile.Table{Columns: tc.columns}),
				tablefile.WriteParquet(&b, tablefile.Table{Columns: tc.columns}),
			} {
				assert.EqualError(t, err, "table cannot be written: "+tc.want)
				assert.ErrorIs(t, err, tablefile.ErrTable)
			}
			assert.Zero(t, b.Len())
		})
	}
}
