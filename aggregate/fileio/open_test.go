// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// open opens patterns below dir and reads column v, one text a row.
func open(t *testing.T, dir string, opts fileio.Options, patterns ...string) ([]string, error) {
	t.Helper()
	for i := range patterns {
		patterns[i] = filepath.Join(dir, patterns[i])
	}
	src, err := fileio.Open(t.Context(), patterns, opts)
	if err != nil {
		return nil, err
	}
	return column(t, src, "v")
}

func column(t *testing.T, src table.Source, name string) ([]string, error) {
	t.Helper()
	readers, err := src.Open(t.Context(), []string{name})
	if err != nil {
		require.Empty(t, readers)
		return nil, err
	}
	var got []string
	for _, r := range readers {
		defer func() { require.NoError(t, r.Close()) }()
		var b table.Batch
		for {
			err := r.Next(t.Context(), &b)
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			for i := range b.Len {
				v := b.Columns[0].Value(i)
				got = append(got, v.Kind.String()+" "+tabletest.Text(v))
			}
		}
	}
	return got, nil
}

// one is a row with v = 1, as text or as an integer.
func one(kind anonymize.Kind) tabletest.Rows {
	v := tabletest.Int(1)
	if kind == anonymize.Bytes {
		v = tabletest.String("1")
	}
	return tabletest.Rows{
		Columns: []table.Field{{Name: "id"}, {Name: "v", Kind: kind}},
		Cells:   [][]anonymize.Value{{tabletest.String("x"), v}},
	}
}

func TestTheContentDecidesHowAFileIsRead(t *testing.T) {
	ints := one(anonymize.Int)
	contents := map[string]struct{ data, want string }{
		"CSV":          {"id,v\nx,1\n", "text 1"},
		"TSV":          {"id\tv\nx\t1\n", "text 1"},
		"semicolons":   {"id;v\nx;1\n", "text 1"},
		"NDJSON":       {"\xef\xbb\xbf\r\n {\"v\":\"1\"}\n", "text 1"},
		"Parquet":      {string(asParquet(t, ints)), "integer 1"},
		"Arrow file":   {string(asArrowFile(t, ints)), "integer 1"},
		"Arrow stream": {string(asArrowStream(t, ints)), "integer 1"},
		"IIS":          {"#Software: X\r\n#Fields: id v\r\nx 1\r\n", "text 1"},
		"CloudFront":   {"#Version: 1.0\n#Fields: id v\nx\t1\n", "text 1"},
		"W3C":          {"\n#Fields: id v\nx 1\n", "text 1"},
	}
	for name, c := range contents {
		data := []byte(c.data)
		for packing, packed := range map[string][]byte{
			"plain": data, "gzip": gzipped(t, data), "zstd": zstandard(t, data), "zip": zipped(t, "any", c.data),
			"gzip in zip": zipped(t, "any", string(gzipped(t, data))),
		} {
			// A wrong extension must not matter, nor must one of the packing's.
			for _, file := range []string{"file", "file.csv", "file.gz"} {
				got, err := open(t, folder(t, file, string(packed)), fileio.Options{}, file)
				if assert.NoError(t, err, "%s, %s, %s", name, packing, file) {
					assert.Equal(t, []string{c.want}, got, "%s, %s, %s", name, packing, file)
				}
			}
		}
	}
}

func TestOneOfTheFirstLinesDecidesWhetherAFileIsACombinedLog(t *testing.T) {
	const line = `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /\"a HTTP/1.1" 200 5`
	for name, data := range map[string]string{
		"common": line + "\n", "combined": line + ` "-" "x,y;z"` + "\r\n", "one line": line, "CRLF": line + "\r\n",
		"after a bad one": "x\n\xff \"\n" + line + "\n", "no bytes": line[:len(line)-5] + "- -\n" + line + "\n",
	} {
		src, err := fileio.Open(t.Context(), []string{filepath.Join(folder(t, "f.csv", data), "f.csv")}, fileio.Options{})
		require.NoError(t, err)
		got, err := column(t, src, "host")
		require.NoError(t, err, name)
		assert.Subset(t, []string{"text 192.0.2.7"}, got, name)
		assert.NotEmpty(t, got, name)
	}
	for name, data := range map[string]string{
		"a CSV with a log in it": "v\n\"a, " + strings.ReplaceAll(line, `"`, `""`) + "\"\n",
		"not the whole line":     "v\nsyslog: " + line + "\n",
		"another time":           "v\n" + strings.Replace(line, "17/May/2015:", "2015-05-17 ", 1) + "\n",
	} {
		src, err := fileio.Open(t.Context(), []string{filepath.Join(folder(t, "f", data), "f")}, fileio.Options{})
		require.NoError(t, err)
		_, err = column(t, src, "v")
		assert.NoError(t, err, name)
	}
	got, err := open(t, folder(t, "f", "x\n"), fileio.Options{Format: "combined"}, "f")
	assert.ErrorContains(t, err, `column "v": is not there; a Combined log has host`)
	assert.Empty(t, got)
}

func TestTheExtensionDecidesWhereTheContentDoesNot(t *testing.T) {
	for _, tt := range []struct{ file, data, want string }{
		// With one column a comma is not told from a tab by counting.
		{"file.tsv", "v\n1,2\n", "text 1,2"},
		{"file.TAB", "v,w\n1,2\n", ""},
		{"file.tsv.gz", string(gzipped(t, []byte("v\n1,2\n"))), "text 1,2"},
		{"file.zip", string(zipped(t, "inner.tsv", "v\n1,2\n")), "text 1,2"},
		{"file.txt", "v\n1\n", "text 1"},
		{"file.jsonl", "", ""},
		{"file.json", "\n", ""},
		{"file.ndjson.zst", string(zstandard(t, nil)), ""},
	} {
		got, err := open(t, folder(t, tt.file, tt.data), fileio.Options{}, tt.file)
		if tt.want == "" {
			if tt.file == "file.TAB" {
				assert.ErrorIs(t, err, table.ErrSchema)
				continue
			}
			assert.NoError(t, err, tt.file)
			assert.Empty(t, got)
			continue
		}
		assert.NoError(t, err, tt.file)
		assert.Equal(t, []string{tt.want}, got, tt.file)
	}
}

func TestAFormatThatIsNamedOverridesTheContent(t *testing.T) {
	ints := one(anonymize.Int)
	for _, tt := range []struct {
		data, format, want string
		is                 error
	}{
		{"{v,w\n1,2\n", "csv", "", table.ErrSchema},
		{"v\t{w\n{1\t2\n", "csv", "text {1", nil},
		{"v\n1,2\n", "tsv", "text 1,2", nil},
		{"v\n1\n", "ndjson", "", table.ErrMalformed},
		{"v\n1\n", "parquet", "", table.ErrMalformed},
		{"v\n1\n", "arrow", "", table.ErrMalformed},
		{"v\n1\n", "w3c", "", table.ErrSchema},
		{"#Fields: v\n1\n", "w3c", "text 1", nil},
		{"#Fields: v,w\n1,2\n", "csv", "", table.ErrSchema},
		{string(asArrowFile(t, ints)), "arrow", "integer 1", nil},
		{string(asArrowStream(t, ints)), "arrow", "integer 1", nil},
		{string(asParquet(t, ints)), "parquet", "integer 1", nil},
	} {
		got, err := open(t, folder(t, "file", tt.data), fileio.Options{Format: tt.format}, "file")
		if tt.is != nil {
			assert.ErrorIs(t, err, tt.is, tt.format)
			continue
		}
		require.NoError(t, err, tt.format)
		assert.Equal(t, []string{tt.want}, got, tt.format)
	}
}

func TestOptionsReachTheCSVReader(t *testing.T) {
	for _, tt := range []struct {
		data string
		opts fileio.Options
		want string
	}{
		{"a::v\nx::1\n", fileio.Options{Delimiter: "::"}, "text 1"},
		{"x,1\n", fileio.Options{NoHeader: true, Columns: []string{"a", "v"}}, "text 1"},
		{"v\n\xf1\n", fileio.Options{Encoding: "latin-1"}, "text ñ"},
		{"v\nNA\n", fileio.Options{Null: []string{"NA"}}, "text "},
	} {
		got, err := open(t, folder(t, "file", tt.data), tt.opts, "file")
		require.NoError(t, err)
		if tt.want == "text " {
			assert.Equal(t, []string{(anonymize.Value{}).Kind.String() + " "}, got, "null")
			continue
		}
		assert.Equal(t, []string{tt.want}, got)
	}
}

func TestOptionsThatDoNotFitAreRefused(t *testing.T) {
	all := fileio.Options{Delimiter: ",", NoHeader: true, Columns: []string{"v"}, Encoding: "utf-8", Null: []string{"NA"}}
	for _, tt := range []struct {
		data string
		opts fileio.Options
		want string
	}{
		{"{}", all, "f: Options.Delimiter: got a value, want none for ndjson; leave it out\n" +
			"f: Options.NoHeader: got a value, want none for ndjson; leave it out\n" +
			"f: Options.Columns: got a value, want none for ndjson; leave it out\n" +
			"f: Options.Encoding: got a value, want none for ndjson; leave it out\n" +
			"f: Options.Null: got a value, want none for ndjson; leave it out"},
		{"#Fields: v\n", fileio.Options{Delimiter: "\t"}, "f: Options.Delimiter: got a value, want none for w3c; leave it out"},
		{"PAR1", fileio.Options{Null: []string{""}}, "f: Options.Null: got a value, want none for parquet; leave it out"},
		{"ARROW1", fileio.Options{Encoding: "utf-8"}, "f: Options.Encoding: got a value, want none for arrow; leave it out"},
		{"v\n", fileio.Options{Format: "tsv", Delimiter: ";"}, `f: Options.Delimiter: got ";", want a tab for tsv; set Format to csv or leave it empty`},
		{"v\n", fileio.Options{Format: "CSV"}, `f: Options.Format: got "CSV", want csv, tsv, ndjson, parquet, arrow, combined or w3c; leave it empty to let the content decide`},
		{"v\n", fileio.Options{NoHeader: true}, "f: Options.Columns: got none, want the names of all columns in order; they are needed with NoHeader"},
		{"v\n", fileio.Options{Columns: []string{"v"}}, "f: Options.Columns: got names, want none for a file with a header; set NoHeader or leave them out"},
		{"v\n", fileio.Options{Encoding: "koi8-r"}, `f: Options.Encoding: got "koi8-r", want "utf-8", "latin-1" or "windows-1252"; convert the file to UTF-8`},
	} {
		dir := folder(t, "f", tt.data)
		_, err := open(t, dir, tt.opts, "f")
		require.Error(t, err)
		assert.Equal(t, tt.want, relative(err, dir))
		assert.ErrorIs(t, err, table.ErrSchema)
	}
}

func TestAFormatThatIsNotReadIsRefusedByName(t *testing.T) {
	for data, want := range map[string]string{
		"\xfd7zXZ\x00rest":          "f: is compressed with xz; use gzip, zstd or zip",
		"BZh91AY&SY\x01\x02":        "f: is compressed with bzip2; use gzip, zstd or zip",
		"Obj\x01\x04\x14avro":       "f: is Avro; convert it to Parquet",
		"ORC\x08\x03":               "f: is ORC; convert it to Parquet",
		"SQLite format 3\x00":       "f: is an SQLite database; read it as a database",
		"[{\"v\":1},\n{\"v\":2}]":   "f: got a JSON array, want newline-delimited JSON; write one object a line",
		"{\n  \"v\": 1\n}":          "f: got a JSON object laid out over several lines; write one object a line",
		"\xff\xfev\x00\n\x00":       "f: is in UTF-16; save it as UTF-8",
		"7z\xbc\xaf\x27\x1c\x00":    "f: is a 7z archive; use gzip, zstd or zip",
		"\xd0\xcf\x11\xe0\xa1\x00x": "f: is an old Office document; export the data as CSV",
	} {
		dir := folder(t, "f", data)
		_, err := open(t, dir, fileio.Options{}, "f")
		require.Error(t, err, "%q", data)
		assert.Equal(t, want, relative(err, dir))
		assert.ErrorIs(t, err, table.ErrMalformed)
	}
	got, err := open(t, folder(t, "f", "ORCHARD,v\nx,1\n"), fileio.Options{}, "f")
	require.NoError(t, err)
	assert.Equal(t, []string{"text 1"}, got)
}

func TestPatternsLeadToFilesInTheOrderOfTheirPaths(t *testing.T) {
	dir := folder(t, "b.csv", "v\nb\n", "a.csv", "v\na\n", "sub/c.csv", "v\nc\n", ".hidden.csv", "v\nhidden\n", "d[1].csv", "v\nd\n")
	require.NoError(t, os.Symlink(filepath.Join(dir, "a.csv"), filepath.Join(dir, "latest.csv")))
	require.NoError(t, os.Link(filepath.Join(dir, "b.csv"), filepath.Join(dir, "hard.csv")))
	for _, tt := range []struct{ patterns, want string }{
		{"b.csv a.csv", "a b"},
		{"*.csv", "a b d"},
		{"?.csv */*.csv", "a b c"},
		{"b.csv b.csv ./b.csv *b.csv sub/../b.csv", "b"},
		{"latest.csv hard.csv a.csv", "a b"},
		{"d[1].csv", "d"},
		{"[ab].csv", "a b"},
		{".*.csv", "hidden"},
	} {
		got, err := open(t, dir, fileio.Options{}, strings.Fields(tt.patterns)...)
		require.NoError(t, err, tt.patterns)
		assert.Equal(t, "text "+strings.ReplaceAll(tt.want, " ", " text "), strings.Join(got, " "), tt.patterns)
	}
}

func TestAPatternThatLeadsNowhereIsNamed(t *testing.T) {
	dir := folder(t, "a.csv", "v\n1\n", ".hidden", "v\n1\n")
	for _, tt := range []struct{ pattern, want string }{
		{"none.csv", "none.csv: does not exist; check the path"},
		{"*.parquet", "*.parquet: matches no file; check the pattern"},
		{"*idden", "*idden: matches no file; check the pattern"},
	} {
		_, err := open(t, dir, fileio.Options{}, "a.csv", tt.pattern)
		require.Error(t, err)
		assert.Equal(t, tt.want, relative(err, dir))
		assert.ErrorIs(t, err, fs.ErrNotExist)
		var own *table.Error
		assert.ErrorAs(t, err, &own)
	}
	for pattern, want := range map[string]string{
		"[a.csv":   "[a.csv: is not a pattern that can be read; check its brackets",
		"**/a.csv": "**/a.csv: ** does not look into folders; write */ for each level of them",
	} {
		_, err := open(t, dir, fileio.Options{}, pattern)
		require.Error(t, err)
		assert.Equal(t, want, relative(err, dir))
	}
	_, err := fileio.Open(t.Context(), nil, fileio.Options{})
	assert.EqualError(t, err, "input: got no path; name at least one file")
	_, err = fileio.Open(t.Context(), []string{""}, fileio.Options{})
	assert.EqualError(t, err, "input: got an empty path; name a file")
}

func TestFaultsOfAllFilesAreToldTogether(t *testing.T) {
	dir := folder(t, "a.csv", "v\n1\n", "b", "\xfd7zXZ\x00", "c.gz", "\x1f\x8b\x08damaged")
	_, err := open(t, dir, fileio.Options{}, "none", "a.csv", "b", "c.gz")
	require.Error(t, err)
	assert.Equal(t, "b: is compressed with xz; use gzip, zstd or zip\n"+
		"c.gz: is damaged or cut short; copy or pack it again\n"+
		"none: does not exist; check the path", relative(err, dir))
}

func TestACancelledContextEndsOpen(t *testing.T) {
	dir := folder(t, "a.csv", "v\n1\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fileio.Open(ctx, []string{filepath.Join(dir, "a.csv")}, fileio.Options{})
	assert.Equal(t, context.Canceled, err)
}
