// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
)

// repeated makes the column of a forged file a list, of so many values and nulls.
func repeated(values int64) func(*format.FileMetaData) {
	return func(meta *format.FileMetaData) {
		meta.Schema[1].RepetitionType.V, meta.Schema[1].RepetitionType.Valid = format.Repeated, true
		meta.RowGroups[0].Columns[0].MetaData.NumValues = values
	}
}

// levels are levels one by one.
func levels(each []byte) []byte {
	var out []byte
	for _, l := range each {
		out = append(out, 1<<1, l)
	}
	return counted(out)
}

// run is n times one level.
func run(n uint64, level byte) []byte {
	return counted(append(binary.AppendUvarint(nil, n<<1), level))
}

// listPage is a page of a list: bodies one after the other.
func listPage(values int32, encoding format.Encoding, parts ...[]byte) page {
	return dataPage(values, encoding, bytes.Join(parts, nil))
}

// lists reads the lists of a file's column x.
func lists(t *testing.T, file []byte) ([]string, error) {
	t.Helper()
	s := open(t, file)
	readers, err := s.Open(t.Context(), []string{"x[]"})
	require.NoError(t, err)
	var rows []string
	var b table.Batch
	for {
		if err := readers[0].Next(t.Context(), &b); err != nil {
			if b.Len == 0 && strings.Contains(err.Error(), "EOF") {
				return rows, readers[0].Close()
			}
			return rows, err
		}
		c := &b.Columns[0]
		for i := range b.Len {
			var items []string
			for at := c.Starts[i]; at < c.Starts[i+1]; at++ {
				v := c.Items.Value(int(at))
				items = append(items, tabletest.Text(v))
			}
			rows = append(rows, strings.Join(items, ","))
		}
	}
}

// TestAListMayGoOnInTheNextPage, as writers of old let it, and from codes to values and back.
func TestAListMayGoOnInTheNextPage(t *testing.T) {
	const seed = 20261201
	random := rand.New(rand.NewSource(seed))
	words := []string{"zero", "one", "two", "three", "four"}
	var dict []byte
	for _, w := range words {
		dict = append(dict, counted([]byte(w))...)
	}
	for n := range 300 {
		var want []string
		var repeats, defined, codes []byte
		for range 1 + random.Intn(6) {
			var items []string
			for j := range random.Intn(6) {
				code := random.Intn(len(words))
				items = append(items, words[code])
				repeats, defined, codes = append(repeats, byte(min(j, 1))), append(defined, 1), append(codes, byte(code))
			}
			if len(items) == 0 {
				repeats, defined, codes = append(repeats, 0), append(defined, 0), append(codes, 0)
			}
			want = append(want, strings.Join(items, ","))
		}
		pages := []page{dictPage(int32(len(words)), dict)}
		for from := 0; from < len(repeats); {
			to := min(len(repeats), from+1+random.Intn(4))
			asCodes := random.Intn(2) == 0
			body, encoding := []byte{8}, format.RLEDictionary
			if !asCodes {
				body, encoding = nil, format.Plain
			}
			for i := from; i < to; i++ {
				switch {
				case defined[i] == 0:
				case asCodes:
					body = append(body, 1<<1, codes[i])
				default:
					body = append(body, counted([]byte(words[codes[i]]))...)
				}
			}
			pages = append(pages, listPage(int32(to-from), encoding, levels(repeats[from:to]), levels(defined[from:to]), body))
			from = to
		}
		got, err := lists(t, forge(t, format.ByteArray, int64(len(want)), pages, repeated(int64(len(repeats)))))
		require.NoError(t, err, "file %d of seed %d", n, seed)
		require.Equal(t, want, got, "file %d of seed %d", n, seed)
	}
}

func TestAttackI03ForgedLists(t *testing.T) {
	const most = 4 << 20
	long := dictPage(1, counted(make([]byte, 1<<20)))
	endless := func(n uint64) page {
		repeats := append(append([]byte{1 << 1, 0}, binary.AppendUvarint(nil, (n-1)<<1)...), 1)
		codes := append([]byte{1}, append(binary.AppendUvarint(nil, n<<1), 0)...)
		return listPage(int32(n), format.RLEDictionary, counted(repeats), run(n, 1), codes)
	}
	// One row of far more items than count, a few bytes long: it is read, for what counts of it.
	_, allocated, err := scan(t, forge(t, format.ByteArray, 1, []page{long, endless(most)}, repeated(most)), "x[]")
	require.NoError(t, err)
	assert.Less(t, allocated, uint64(64<<20))

	for _, tt := range []struct {
		name   string
		rows   int64
		values int64
		pages  []page
		kind   error
		want   string
	}{
		{"a list of codes that becomes values", 1, 1<<17 + 1, []page{long, endless(1 << 17), listPage(1, format.Plain, run(1, 1), run(1, 1), counted([]byte("x")))},
			table.ErrLimit, "longer than 8 MiB"},
		{"a first item that is no first", 1, 1, []page{listPage(1, format.Plain, run(1, 1), run(1, 1), counted([]byte("x")))},
			table.ErrMalformed, "within a row that has not begun"},
		{"more rows", 1, 2, []page{listPage(2, format.Plain, run(2, 0), run(2, 0))}, table.ErrMalformed, "more rows than the row group"},
		{"fewer rows", 3, 3, []page{listPage(2, format.Plain, run(2, 0), run(2, 0))}, table.ErrMalformed, "fewer rows than the row group"},
		{"more values", 1, 1, []page{listPage(2, format.Plain, levels([]byte{0, 1}), run(2, 1), counted(nil), counted(nil))},
			table.ErrMalformed, "more values than the row group"},
		{"more rows than values", 2, 1, []page{listPage(1, format.Plain, run(1, 0), run(1, 0))}, table.ErrMalformed, "another number of values than rows"},
		{"no repetition levels", 1, 1, []page{listPage(1, format.Plain)}, table.ErrMalformed, "ends too early"},
		{"too few repetition levels", 2, 2, []page{listPage(2, format.Plain, run(1, 0), run(2, 0))}, table.ErrMalformed, "ends too early"},
		{"too few definition levels", 2, 2, []page{listPage(2, format.Plain, run(2, 0), run(1, 0))}, table.ErrMalformed, "ends too early"},
		{"fewer values than levels", 1, 1, []page{listPage(1, format.Plain, run(1, 0), run(1, 1))}, table.ErrMalformed, "ends too early"},
		{"a code past the dictionary", 1, 1, []page{long, listPage(1, format.RLEDictionary, run(1, 0), run(1, 1), []byte{8, 1 << 1, 7})},
			table.ErrMalformed, "past the dictionary's end"},
		{"a page of 2^27 items", 1, 1 << 27, []page{listPage(1<<27, format.Plain, run(1<<27, 1), run(1<<27, 0))}, table.ErrLimit, "more than 4194304 items"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := forge(t, format.ByteArray, tt.rows, tt.pages, repeated(tt.values))
			_, allocated, err := scan(t, file, "x[]")
			require.ErrorIs(t, err, tt.kind)
			assert.ErrorContains(t, err, tt.want)
			assert.Less(t, allocated, uint64(4*len(file)+64<<20))
		})
	}

	type pair struct {
		Key   []string `parquet:"key"`
		Value []string `parquet:"value"`
	}
	file := writeStructs(t, []pair{{[]string{"a", "k"}, []string{"1", "2"}}, {[]string{"k"}, nil}})
	file = editFooter(t, file, func(meta *format.FileMetaData) { // as if the two were in one list
		group := format.SchemaElement{Name: "p"}
		group.NumChildren.V, group.NumChildren.Valid = 2, true
		group.RepetitionType = meta.Schema[1].RepetitionType
		key, value := meta.Schema[1], meta.Schema[2]
		key.RepetitionType.V, value.RepetitionType.V = format.Required, format.Required
		root := meta.Schema[0]
		root.NumChildren.V = 1
		meta.Schema = []format.SchemaElement{root, group, key, value}
	})
	_, err = readAll(open(t, file), "p[k]")
	require.ErrorIs(t, err, table.ErrMalformed)
	assert.ErrorContains(t, err, `column "p[k]": the fields of a list have different numbers of items`)
}

// TestAttackI02MutatedLists: whatever the bytes, no panic, no value in an error, and bounded memory.
func TestAttackI02MutatedLists(t *testing.T) {
	mutants := 1000
	if os.Getenv("THRONG_NIGHTLY") == "1" {
		mutants = 200_000
	}
	const seed = 20261202
	random := rand.New(rand.NewSource(seed))
	secret, number := cell, int64(7)
	page, count := param{"page", paramValue{Text: &secret}}, param{"count", paramValue{Int: &number}}
	records := []annotated{{"a", []*string{&secret, nil}, []int64{1, 2}, []param{page, count}, nil}, {"b", nil, nil, nil, nil}, {"c", []*string{&secret}, nil, []param{count}, nil}}
	read, failed := 0, 0
	for _, options := range [][]parquet.WriterOption{
		{parquet.DataPageVersion(1)}, {parquet.DefaultEncoding(&parquet.RLEDictionary)}, {parquet.Compression(&parquet.Zstd)},
	} {
		file := writeStructs(t, records, options...)
		for i := range mutants {
			mutant := bytes.Clone(file)
			for range 1 + random.Intn(3) {
				mutant[random.Intn(len(mutant))] ^= byte(1 + random.Intn(255))
			}
			_, allocated, err := scan(t, mutant, "id", "tags[]", "numbers[]", "params[page]", "params[count].value.int_value")
			require.Less(t, allocated, uint64(4*len(file)+64<<20), "mutant %d of seed %d", i, seed)
			if err == nil {
				read++
				continue
			}
			failed++
			require.ErrorAs(t, err, new(*table.Error), "mutant %d of seed %d", i, seed)
			require.NotContains(t, fmt.Sprintf("%v", err), cell)
		}
	}
	require.Positive(t, read)
	require.Positive(t, failed)
}
