// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

func TestSourceKeepsTheContract(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			var many []byte // written once: the suite asks for the same many rows again and again
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				if len(rows.Cells) < 1000 {
					return open(t, write(t, rows, l))
				}
				if many == nil {
					many = write(t, rows, l)
				}
				return open(t, many)
			})
		})
	}
}

func TestLogicalTypesBecomeKinds(t *testing.T) {
	type record struct {
		Day     int32            `parquet:"day,date"`
		Milli   int64            `parquet:"milli,timestamp(millisecond)"`
		Nano    int64            `parquet:"nano,timestamp(nanosecond)"`
		Legacy  deprecated.Int96 `parquet:"legacy"`
		ID      uuid.UUID        `parquet:"id,uuid"`
		U32     uint32           `parquet:"u32"`
		U64     uint64           `parquet:"u64,optional"`
		Dec32   int32            `parquet:"dec32,decimal(2:9)"`
		Dec64   int64            `parquet:"dec64,decimal(3:18)"`
		DecF    [16]byte         `parquet:"decf,decimal(5:38)"`
		Raw     [3]byte          `parquet:"raw"`
		Single  float32          `parquet:"single"`
		Int8    int8             `parquet:"int8"`
		Kind    string           `parquet:"kind,enum"`
		Payload []byte           `parquet:"payload"`
	}
	minus := [16]byte{}
	for i := range minus {
		minus[i] = 0xff
	}
	big := [16]byte{0x4b, 0x3b, 0x4c, 0xa8, 0x5a, 0x86, 0xc4, 0x7a, 0x09, 0x8a, 0x22, 0x3f, 0xff, 0xff, 0xff, 0xff}
	records := []record{
		{19_000, 1_700_000_000_123, 1_700_000_000_123_456_789, deprecated.Int96{1_500, 0, 2_440_588},
			uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff"), math.MaxUint32, 7, -5, 1_234, minus,
			[3]byte{'a', 'b', 'c'}, 0.5, -8, "x", []byte("p")},
		{-1, -1, -1, deprecated.Int96{0, 0, 2_440_587}, uuid.Nil, 0, math.MaxUint64, 0, -123_456, big,
			[3]byte{'d', 'e', 'f'}, -2, 8, "y", nil},
		{math.MaxInt32, math.MaxInt64, math.MinInt64, deprecated.Int96{0, 0, math.MaxInt32}, uuid.Nil, 1, math.MaxInt64,
			100, 1, [16]byte{}, [3]byte{}, 0, 0, "", nil},
	}
	want := []string{
		"2022-01-08T00:00:00Z|2023-11-14T22:13:20.123Z|2023-11-14T22:13:20.123456Z|1970-01-01T00:00:00.000001Z|" +
			"00112233-4455-6677-8899-aabbccddeeff|4294967295|7|-0.05|1.234|-0.00001|abc|0.5|-8|x|p",
		"1969-12-31T00:00:00Z|1969-12-31T23:59:59.999Z|1969-12-31T23:59:59.999999Z|1969-12-31T00:00:00Z|" +
			"00000000-0000-0000-0000-000000000000|0|null|0.00|-123.456|999999999999999999999999999999999.99999|def|-2|8|y|",
		"null|null|1677-09-21T00:12:43.145224Z|null|" +
			"00000000-0000-0000-0000-000000000000|1|9223372036854775807|1.00|0.001|0.00000|\x00\x00\x00|0|0||",
	}
	columns := []string{"day", "milli", "nano", "legacy", "id", "u32", "u64", "dec32", "dec64", "decf", "raw",
		"single", "int8", "kind", "payload"}
	got, err := readAll(open(t, writeStructs(t, records)), columns...)
	require.NoError(t, err)
	// 2³¹−1 days and 2³¹−1 Julian days are in reach of microseconds only up to the year 294,276.
	assert.Equal(t, want, got)

	encoded := parquet.DefaultEncoding(&parquet.RLEDictionary)
	got, err = readAll(open(t, writeStructs(t, records, encoded)), columns...)
	require.NoError(t, err)
	assert.Equal(t, want, got, "as dictionaries")
}

func TestHalfFloatsAreWidened(t *testing.T) {
	var out bytes.Buffer
	schema := parquet.NewSchema("r", parquet.Group{"h": parquet.Leaf(parquet.FixedLenByteArrayType(2))})
	w := parquet.NewWriter(&out, schema)
	for _, h := range [][]byte{{0x00, 0x3c}, {0x00, 0xc0}, {0x01, 0x00}, {0x00, 0x7c}, {0x00, 0x80}, {0x01, 0x7c}} {
		_, err := w.WriteRows([]parquet.Row{{parquet.FixedLenByteArrayValue(h).Level(0, 0, 0)}})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	file := editFooter(t, out.Bytes(), halfFloat)
	got, err := readAll(open(t, file), "h")
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "-2", "5.960464477539063e-08", "+Inf", "-0", "NaN"}, got)
}

func TestNestedFieldsHaveDottedNames(t *testing.T) {
	type context struct {
		IP *string `parquet:"ip,optional"`
	}
	type record struct {
		Context *context    `parquet:"context,optional"`
		Tags    []string    `parquet:"tags,list"`
		Bare    []int64     `parquet:"bare"`
		Deep    [][]int64   `parquet:"deep,list"`
		Items   []context   `parquet:"items,list"`
		Map     map[int]int `parquet:"map"`
	}
	ip := "192.0.2.1"
	s := open(t, writeStructs(t, []record{{Context: &context{&ip}}, {Context: &context{}}, {}}))
	got, err := readAll(s, "context.ip")
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1", "null", "null"}, got)

	schema, err := s.Schema(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []table.Field{
		{Name: "context.ip"}, {Name: "tags[]"}, {Name: "bare[]", Kind: anonymize.Int}, {Name: "items[].ip"},
		{Name: "map[].key", Kind: anonymize.Int}, {Name: "map[].value", Kind: anonymize.Int},
	}, schema.Fields)

	for column, want := range map[string]string{
		"tags":              `rows.parquet: column "tags": is a list; name its items as "list[]"`,
		"tags.list.element": `rows.parquet: column "tags.list.element": no such column`,
		"tags[].x":          `rows.parquet: column "tags[].x": no such column; did you mean "tags[]"?`,
		"tags[x]":           `rows.parquet: column "tags[x]": no such column: there is no list of this name whose items have a field "key"`,
		"items":             `rows.parquet: column "items": is a list of groups; name a field of them as "list[].field", or what a key says as "list[key]"`,
		"map[x]":            `rows.parquet: column "map[x]": the list's field "key" is no text`,
		"deep[].x":          `rows.parquet: column "deep[].x": no such column`,
		"deep":              `rows.parquet: column "deep": a list within a list is not supported; flatten it`,
		"context":           `rows.parquet: column "context": is a group; name one of its fields as "group.field"`,
		"context.pi":        `rows.parquet: column "context.pi": no such column; did you mean "context.ip"?`,
		"somewhere":         `rows.parquet: column "somewhere": no such column`,
	} {
		_, err := s.Open(t.Context(), []string{column})
		require.ErrorIs(t, err, table.ErrSchema)
		assert.EqualError(t, err, want)
	}
}

func TestUnsupportedTypesAreRefusedOnlyWhenAskedFor(t *testing.T) {
	type record struct {
		At time.Duration `parquet:"at,time(microsecond)"`
		ID string        `parquet:"id"`
	}
	s := open(t, writeStructs(t, []record{{1, "a"}}))
	got, err := readAll(s, "id")
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, got)
	_, err = s.Open(t.Context(), []string{"at"})
	require.ErrorIs(t, err, table.ErrSchema)
	assert.EqualError(t, err, `rows.parquet: column "at": TIME (a time of day) is not supported; write a TIMESTAMP or text`)
}

func TestBatchesOfARowGroupShareTheirDict(t *testing.T) {
	rows := tabletest.Rows{Columns: []table.Field{{Name: "city"}}}
	for i := range 50_000 {
		rows.Cells = append(rows.Cells, []anonymize.Value{tabletest.String([]string{"a", "b"}[i%2])})
	}
	s := open(t, write(t, rows, layout{encode: asDict, rowGroup: 25_000, options: []parquet.WriterOption{parquet.PageBufferSize(4000)}}))
	readers, err := s.Open(t.Context(), []string{"city"})
	require.NoError(t, err)
	require.Len(t, readers, 2)
	dicts := map[*table.Dict]bool{}
	for _, r := range readers {
		var b table.Batch
		batches := 0
		for ; r.Next(t.Context(), &b) == nil; batches++ {
			require.NotNil(t, b.Columns[0].Dict)
			dicts[b.Columns[0].Dict] = true
		}
		assert.Greater(t, batches, 4, "batches of one page")
		require.NoError(t, r.Close())
	}
	assert.Len(t, dicts, 2)
}

func TestBatchesEndWhereADictionaryDoes(t *testing.T) {
	rows := tabletest.Rows{Columns: []table.Field{{Name: "id"}, {Name: "city"}}}
	for i := range 3000 {
		rows.Cells = append(rows.Cells, []anonymize.Value{
			tabletest.String(uuid.NewString()), tabletest.String([]string{"a", "b"}[i%2])})
	}
	readers, err := open(t, write(t, rows, layouts[4])).Open(t.Context(), []string{"id", "city"})
	require.NoError(t, err)
	var b table.Batch
	seen := map[[2]bool]bool{}
	for readers[0].Next(t.Context(), &b) == nil {
		seen[[2]bool{b.Columns[0].Dict != nil, b.Columns[1].Dict != nil}] = true
	}
	assert.Equal(t, map[[2]bool]bool{{true, true}: true, {false, true}: true}, seen)
}

func TestBatchRowsIsHeeded(t *testing.T) {
	type record struct{ N int64 }
	file := writeStructs(t, make([]record, 100))
	for _, n := range []int{-1, 65537} {
		_, err := parquetio.New("x", bytes.NewReader(file), int64(len(file)), parquetio.Options{BatchRows: n})
		assert.EqualError(t, err, "x: BatchRows is out of range, want 1 to 65536, or 0 for 2048")
	}
	s, err := parquetio.New("x", bytes.NewReader(file), int64(len(file)), parquetio.Options{BatchRows: 33})
	require.NoError(t, err)
	readers, err := s.Open(t.Context(), []string{"N"})
	require.NoError(t, err)
	var b table.Batch
	for _, want := range []int{33, 33, 33, 1} {
		require.NoError(t, readers[0].Next(context.Background(), &b))
		assert.Equal(t, want, b.Len)
	}
	assert.Equal(t, io.EOF, readers[0].Next(context.Background(), &b))
}

func TestPartsOfARowGroupAreItsRowsOnce(t *testing.T) {
	const n = 200_000
	rows := tabletest.Rows{Columns: []table.Field{{Name: "id"}, {Name: "city"}, {Name: "n", Kind: anonymize.Int}}}
	for i := range n {
		row := []anonymize.Value{
			tabletest.String(strconv.Itoa(i * 7919)), tabletest.String([]string{"a", "b", "c"}[i%3]), tabletest.Int(int64(i)),
		}
		if i/1000%5 == 0 {
			row[1] = tabletest.Null()
		}
		rows.Cells = append(rows.Cells, row)
	}
	for _, l := range []layout{
		{"one page", asPlain, []parquet.WriterOption{parquet.PageBufferSize(1 << 30)}, 0},
		{"small pages", asDict, []parquet.WriterOption{parquet.PageBufferSize(5000), parquet.Compression(&parquet.Snappy)}, 0},
		{"dictionary that turns plain", asDict, []parquet.WriterOption{parquet.DictionaryMaxBytes(2000), parquet.PageBufferSize(30_000)}, 150_000},
	} {
		t.Run(l.name, func(t *testing.T) {
			file := write(t, rows, l)
			var whole []string
			var bytesRead []int64
			for _, readers := range []int{1, 50} {
				s, err := parquetio.New("rows.parquet", bytes.NewReader(file), int64(len(file)), parquetio.Options{Readers: readers})
				require.NoError(t, err)
				opened, err := s.Open(t.Context(), []string{"id", "city", "n"})
				require.NoError(t, err)
				var read int64
				var lines []string
				for _, r := range opened {
					var b table.Batch
					for err = r.Next(t.Context(), &b); err == nil; err = r.Next(t.Context(), &b) {
						read += b.Bytes
						for i := range b.Len {
							lines = append(lines, line(&b, i))
						}
					}
					require.Equal(t, io.EOF, err)
				}
				bytesRead = append(bytesRead, read)
				if readers == 1 {
					whole = lines
					require.Len(t, whole, n)
					continue
				}
				assert.Greater(t, len(opened), 2)
				assert.True(t, slices.Equal(whole, lines), "all rows, in their order")
			}
			assert.Equal(t, bytesRead[0], bytesRead[1], "a page counts once")
		})
	}
}

func TestReadersIsHeeded(t *testing.T) {
	type record struct{ N int64 }
	file := writeStructs(t, make([]record, 10))
	_, err := parquetio.New("x", bytes.NewReader(file), int64(len(file)), parquetio.Options{Readers: -1})
	assert.EqualError(t, err, "x: Readers is out of range, want 1 or more, or 0 for four for each processor")
	readers, err := open(t, file).Open(t.Context(), []string{"N"})
	require.NoError(t, err)
	assert.Len(t, readers, 1, "ten rows are not worth two")
}
