// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// hang is when a test takes a reader to hang; an honest one answers within milliseconds.
const hang = 5 * time.Second

// scan opens and reads a whole file and returns its rows, and how much memory that took.
func scan(t testing.TB, file []byte, columns ...string) (rows int, allocated uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	s, err := parquetio.New("hostile.parquet", bytes.NewReader(file), int64(len(file)), parquetio.Options{})
	if err == nil {
		var lines []string
		lines, err = readAll(s, columns...)
		rows = len(lines)
	}
	require.Less(t, time.Since(start), hang)
	runtime.ReadMemStats(&after)
	return rows, after.TotalAlloc - before.TotalAlloc, err
}

// refused checks that file is refused for the reason want, and cheaply.
func refused(t *testing.T, file []byte, kind error, want string) {
	t.Helper()
	_, allocated, err := scan(t, file, "x")
	require.ErrorIs(t, err, kind)
	require.ErrorAs(t, err, new(*table.Error))
	assert.Contains(t, err.Error(), want)
	assert.Less(t, allocated, uint64(4*len(file)+64<<20))
}

func inflated(t *testing.T, codec compress.Codec, body []byte) []byte {
	out, err := codec.Encode(nil, body)
	require.NoError(t, err)
	return out
}

func TestAttackI01DecompressionBomb(t *testing.T) {
	zeros := make([]byte, 96<<20)
	for codec, c := range map[format.CompressionCodec]compress.Codec{
		format.Gzip: &parquet.Gzip, format.Zstd: &parquet.Zstd, format.Snappy: &parquet.Snappy,
		format.Brotli: &parquet.Brotli, format.Lz4Raw: &parquet.Lz4Raw,
	} {
		t.Run(codec.String(), func(t *testing.T) {
			p := dataPage(1000, format.Plain, inflated(t, c, zeros))
			p.header.UncompressedPageSize = 8000
			file := forge(t, format.Int64, 1000, []page{p}, func(meta *format.FileMetaData) {
				meta.RowGroups[0].Columns[0].MetaData.Codec = codec
			})
			refused(t, file, table.ErrMalformed, "compressed data is damaged or not as long as its page says")
		})
	}

	t.Run("run of 2^31 values", func(t *testing.T) {
		body := append([]byte{1}, binary.AppendUvarint(nil, uint64(math.MaxInt32)<<1)...)
		file := forge(t, format.Int64, math.MaxInt32, []page{
			dictPage(1, make([]byte, 8)), dataPage(math.MaxInt32, format.RLEDictionary, append(body, 0)),
		}, func(meta *format.FileMetaData) {
			meta.RowGroups[0].Columns[0].MetaData.TotalCompressedSize += 4096
		})
		// Room for the claimed size before the metadata, so that only the number of rows is wrong.
		n := int(binary.LittleEndian.Uint32(file[len(file)-8:])) + 8
		footer := file[len(file)-n : len(file)-8]
		file = withFooter(append(file[:len(file)-n:len(file)-n], make([]byte, 4096)...), footer)
		refused(t, file, table.ErrLimit, "more than 8388608 rows")
	})

	t.Run("run of 2^27 values in a page of 3", func(t *testing.T) {
		run := binary.AppendUvarint(nil, 1<<27<<1)
		for name, tt := range map[string]struct {
			typ   format.Type
			pages []page
			want  []string
		}{
			"indexes": {format.Int64, []page{dictPage(1, make([]byte, 8)),
				dataPage(3, format.RLEDictionary, append(append([]byte{1}, run...), 0))}, []string{"0", "0", "0"}},
			"booleans": {format.Boolean, []page{
				dataPage(3, format.RLE, counted(append(run, 1)))}, []string{"true", "true", "true"}},
			"levels": {format.Int64, []page{
				dataPage(3, format.Plain, append(counted(append(run, 1)), make([]byte, 24)...))}, []string{"0", "0", "0"}},
		} {
			reads(t, forge(t, tt.typ, 3, tt.pages, func(meta *format.FileMetaData) {
				if name == "levels" {
					optional(meta)
				}
			}), tt.want)
		}
	})

	t.Run("texts without end", func(t *testing.T) {
		zeros := make([]byte, 24<<20)
		p := dataPage(3, format.Plain, inflated(t, &parquet.Zstd, zeros))
		p.header.UncompressedPageSize = int32(len(zeros))
		reads(t, forge(t, format.ByteArray, 3, []page{p}, func(meta *format.FileMetaData) {
			meta.RowGroups[0].Columns[0].MetaData.Codec = format.Zstd
		}), []string{"", "", ""})
	})

	t.Run("prefixes", func(t *testing.T) {
		refused(t, forge(t, format.ByteArray, 20_000, []page{
			dataPage(20_000, format.DeltaByteArray, prefixBomb(t, 20_000)),
		}, nil), table.ErrLimit, "inflates to more than 256 MiB")
	})
}

// reads checks that file is read, to what its rows say, and cheaply.
func reads(t *testing.T, file []byte, want []string) {
	t.Helper()
	_, allocated, err := scan(t, file, "x")
	require.NoError(t, err)
	assert.Less(t, allocated, uint64(4*len(file)+64<<20))
	got, err := readAll(open(t, file), "x")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// counted is data after its length.
func counted(data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data...)
}

// optional lets the column of a forged file have nulls.
func optional(meta *format.FileMetaData) {
	meta.Schema[1].RepetitionType.V, meta.Schema[1].RepetitionType.Valid = format.Optional, true
}

// prefixBomb is values that each repeat 64 KiB of the one before: 1.2 GiB in 66 KiB.
func prefixBomb(t *testing.T, n int) []byte {
	prefixes, lengths := make([]int32, n), make([]int32, n)
	for i := range prefixes {
		prefixes[i] = 1 << 16
	}
	prefixes[0], lengths[0] = 0, 1<<16
	body, err := parquet.DeltaBinaryPacked.EncodeInt32(nil, prefixes)
	require.NoError(t, err)
	suffixes, err := parquet.DeltaBinaryPacked.EncodeInt32(nil, lengths)
	require.NoError(t, err)
	return append(append(body, suffixes...), make([]byte, 1<<16)...)
}

// fixture is three rows with a canary in them.
func fixture(t testing.TB, l layout) []byte {
	return write(t, tabletest.Rows{
		Columns: []table.Field{{Name: "x"}, {Name: "n", Kind: 1}, {Name: "f", Kind: 2}, {Name: "b", Kind: 3}},
		Cells: [][]anonymize.Value{
			{tabletest.String(cell), tabletest.Int(7), tabletest.Float(1.5), tabletest.Bool(true)},
			{tabletest.Null(), tabletest.Int(8), tabletest.Null(), tabletest.Bool(false)},
			{tabletest.String(cell), tabletest.Null(), tabletest.Float(2.5), tabletest.Bool(true)},
			{tabletest.String("other"), tabletest.Int(9), tabletest.Float(3.5), tabletest.Null()},
		},
	}, l)
}

// cell must not turn up in any error.
const cell = "qmzkxwvhtrplnfgd"

func TestAttackI02MutatedFiles(t *testing.T) {
	mutants := 1000
	if os.Getenv("THRONG_NIGHTLY") == "1" {
		mutants = 300_000
	}
	const seed = 20261123
	random := rand.New(rand.NewSource(seed))
	read, failed := 0, 0
	for _, l := range layouts {
		file := fixture(t, l)
		for i := range mutants {
			mutant := bytes.Clone(file)
			for range 1 + random.Intn(3) {
				mutant[random.Intn(len(mutant))] ^= byte(1 + random.Intn(255))
			}
			_, allocated, err := scan(t, mutant, "x", "n", "f", "b")
			require.Less(t, allocated, uint64(4*len(file)+64<<20), "%s, mutant %d of seed %d", l.name, i, seed)
			if err == nil {
				read++
				continue
			}
			failed++
			if e := (*table.Error)(nil); !errors.As(err, &e) {
				t.Fatalf("%s, mutant %d of seed %d: error is no *table.Error", l.name, i, seed)
			}
			require.NotContains(t, err.Error(), cell)
		}
	}
	// Were all mutants read, or none, the test would look at nothing.
	require.Positive(t, read)
	require.Positive(t, failed)
}

func TestAttackI03ForgedSizes(t *testing.T) {
	plain := func() page { return dataPage(3, format.Plain, make([]byte, 24)) }
	codes := func(width byte, packed ...byte) page {
		return dataPage(3, format.RLEDictionary, append([]byte{width}, packed...))
	}
	three := make([]byte, 24)
	chunk := func(edit func(*format.ColumnMetaData)) func(*format.FileMetaData) {
		return func(meta *format.FileMetaData) { edit(&meta.RowGroups[0].Columns[0].MetaData) }
	}
	edited := func(p page, edit func(*format.PageHeader)) []page {
		edit(&p.header)
		return []page{p}
	}
	for _, tt := range []struct {
		name  string
		pages []page
		edit  func(*format.FileMetaData)
		want  string
	}{
		{"negative rows", []page{plain()}, func(m *format.FileMetaData) { m.RowGroups[0].NumRows = -1 },
			"negative number of rows"},
		{"more rows than pages can hold", []page{plain()}, func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 1 << 50 },
			"more rows than its pages can hold"},
		{"more rows than values", []page{plain()}, func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 4 },
			"another number of values than rows"},
		{"fewer pages than rows", []page{plain()}, func(m *format.FileMetaData) {
			m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = 4, 4
		}, "fewer rows than the row group"},
		{"chunk before the file", []page{plain()}, chunk(func(c *format.ColumnMetaData) { c.DataPageOffset = -4 }),
			"outside the file"},
		{"chunk behind the file", []page{plain()}, chunk(func(c *format.ColumnMetaData) { c.DataPageOffset = 1 << 40 }),
			"outside the file"},
		{"chunk longer than the file", []page{plain()}, chunk(func(c *format.ColumnMetaData) { c.TotalCompressedSize = 1 << 40 }),
			"outside the file"},
		{"chunk of negative length", []page{plain()}, chunk(func(c *format.ColumnMetaData) { c.TotalCompressedSize = -1 }),
			"outside the file"},
		{"chunk of another type", []page{plain()}, chunk(func(c *format.ColumnMetaData) { c.Type = format.Int32 }),
			"another type than the schema"},
		{"page inflates to 2 GiB", edited(plain(), func(h *format.PageHeader) { h.UncompressedPageSize = math.MaxInt32 }), nil,
			"claims to inflate to more than it can hold"},
		{"page longer than its chunk", edited(plain(), func(h *format.PageHeader) { h.CompressedPageSize = math.MaxInt32 }), nil,
			"longer than its column"},
		{"page of negative length", edited(plain(), func(h *format.PageHeader) { h.CompressedPageSize = -5 }), nil,
			"negative or too large"},
		{"page of 1e9 values", edited(plain(), func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = 1e9 }), nil,
			"more rows than the row group"},
		{"page of too few bytes", []page{dataPage(3, format.Plain, make([]byte, 23))}, nil, "ends too early"},
		{"checksum", edited(plain(), func(h *format.PageHeader) { h.CRC = 12345 }), nil, "does not match its checksum"},
		{"dictionary of 1e6 values", []page{dictPage(1e6, three), codes(2, 3, 0)}, nil, "ends too early"},
		{"two dictionaries", []page{dictPage(3, three), dictPage(3, three), codes(2, 6, 0)}, nil, "two dictionaries"},
		{"index past the dictionary", []page{dictPage(3, three), codes(2, 6, 3)}, nil, "past the dictionary's end"},
		{"packed index past the dictionary", []page{dictPage(3, three), codes(2, 3, 0b110000, 0)}, nil,
			"past the dictionary's end"},
		{"indexes without dictionary", []page{codes(2, 6, 0)}, nil, "no dictionary"},
		{"indexes of 33 bits", []page{dictPage(3, three), codes(33, 6, 0, 0, 0, 0, 0)}, nil, "indexes are damaged"},
		{"indexes that end early", []page{dictPage(3, three), codes(2, 4, 0)}, nil, "ends too early"},
		{"packed indexes that end early", []page{dictPage(3, three), codes(32, 3, 0, 0, 0)}, nil, "ends too early"},
		{"run without its value", []page{dictPage(3, three), codes(2, 6)}, nil, "ends too early"},
		{"run of 2^62 packed groups", []page{dictPage(3, three),
			codes(2, append(binary.AppendUvarint(nil, math.MaxUint64), 0b110000)...)}, nil, "past the dictionary's end"},
		{"delta count", []page{dataPage(3, format.DeltaBinaryPacked, []byte{128, 1, 4, 0x80, 0x94, 0xeb, 0xdc, 3, 0})}, nil,
			"delta encoded data is damaged"},
		{"delta count and a block", []page{dataPage(3, format.DeltaBinaryPacked,
			append(binary.AppendUvarint([]byte{128, 1, 4}, 1<<26), 0, 0, 0, 0, 0, 0))}, nil, "delta encoded data is damaged"},
		{"delta block of 0", []page{dataPage(3, format.DeltaBinaryPacked, []byte{0, 4, 3, 0})}, nil,
			"delta encoded data is damaged"},
		{"delta width of 65", []page{dataPage(3, format.DeltaBinaryPacked, []byte{128, 1, 4, 3, 0, 0, 65, 0, 0, 0})}, nil,
			"delta encoded data is damaged"},
		{"delta width of 255", []page{dataPage(3, format.DeltaBinaryPacked,
			append([]byte{128, 1, 4, 3, 0, 0, 255, 0, 0, 0}, make([]byte, 2000)...))}, nil,
			"delta encoded data is damaged"},
		{"delta that ends early", []page{dataPage(3, format.DeltaBinaryPacked, []byte{128, 1, 4, 3, 0, 0, 8, 0, 0, 0, 1})}, nil,
			"delta encoded data is damaged"},
		{"group of 2^31 children", []page{plain()}, func(m *format.FileMetaData) { m.Schema[0].NumChildren.V = math.MaxInt32 },
			"groups do not fit"},
		{"elements of no group", []page{plain()}, func(m *format.FileMetaData) { m.Schema = append(m.Schema, m.Schema[1]) },
			"belong to no group"},
		{"row group without columns", []page{plain()}, func(m *format.FileMetaData) { m.RowGroups[0].Columns = nil },
			"not the columns that the schema names"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, forge(t, format.Int64, 3, tt.pages, tt.edit), table.ErrMalformed, tt.want)
		})
	}
	rows, _, err := scan(t, forge(t, format.Int64, 3, []page{plain()}, nil), "x")
	require.NoError(t, err)
	require.Equal(t, 3, rows, "what the table forges is readable before")
}

func TestAttackI03ForgedTexts(t *testing.T) {
	lengths := func(v ...int32) []byte {
		body, err := parquet.DeltaBinaryPacked.EncodeInt32(nil, v)
		require.NoError(t, err)
		return body
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tt := range []struct {
		name string
		page page
		want string
	}{
		{"length past the page", dataPage(3, format.Plain, counted(make([]byte, 3))[:6]), "ends too early"},
		{"second length past the page", dataPage(2, format.Plain, join(counted([]byte("ab")), []byte{1, 0, 0, 0})), "ends too early"},
		{"fewer texts than rows", dataPage(3, format.Plain, counted([]byte("ab"))), "ends too early"},
		// In 32 bits these add up to 3.
		{"lengths that wrap around", dataPage(3, format.DeltaLengthByteArray,
			join(lengths(math.MaxInt32, math.MaxInt32, 5), []byte("abc"))), "ends too early"},
		{"negative length", dataPage(3, format.DeltaLengthByteArray, join(lengths(3, -1, 1), []byte("abc"))),
			"delta encoded data is damaged"},
		{"prefix longer than the text before", dataPage(3, format.DeltaByteArray,
			join(lengths(0, 2, 0), lengths(1, 1, 1), []byte("abc"))), "delta encoded data is damaged"},
		{"negative prefix", dataPage(3, format.DeltaByteArray,
			join(lengths(0, -1, 0), lengths(1, 1, 1), []byte("abc"))), "delta encoded data is damaged"},
		{"suffixes past the page", dataPage(3, format.DeltaByteArray,
			join(lengths(0, 0, 0), lengths(1, 1, 9), []byte("abc"))), "ends too early"},
		{"fewer suffixes than prefixes", dataPage(3, format.DeltaByteArray,
			join(lengths(0, 0, 0), lengths(1, 1), []byte("abc"))), "delta encoded data is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, forge(t, format.ByteArray, int64(tt.page.header.DataPageHeader.V.NumValues), []page{tt.page}, nil),
				table.ErrMalformed, tt.want)
		})
	}
}

// TestAttackI03FixedTextsOfAnotherLength: parquet-go copies 16 bytes at once where values are said to
// have as many.
func TestAttackI03FixedTextsOfAnotherLength(t *testing.T) {
	var parts [][]byte
	for _, v := range [][]int32{make([]int32, 4), {15, 17, 16, 16}} {
		part, err := parquet.DeltaBinaryPacked.EncodeInt32(nil, v)
		require.NoError(t, err)
		parts = append(parts, part)
	}
	body := bytes.Join(append(parts, make([]byte, 64)), nil)
	refused(t, forge(t, format.FixedLenByteArray, 4, []page{dataPage(4, format.DeltaByteArray, body)}, func(meta *format.FileMetaData) {
		meta.Schema[1].TypeLength.V, meta.Schema[1].TypeLength.Valid = 16, true
	}), table.ErrMalformed, "a value of fixed length has another length")
}

// TestEncodingsOfAnotherTypeAreRefused: parquet-go would decode some of them, unbounded.
func TestEncodingsOfAnotherTypeAreRefused(t *testing.T) {
	for _, tt := range []struct {
		typ      format.Type
		encoding format.Encoding
	}{
		{format.Int32, format.RLE}, {format.Int32, format.BitPacked}, {format.Int32, format.DeltaByteArray},
		{format.Int96, format.ByteStreamSplit}, {format.Int96, format.DeltaByteArray}, {format.Double, format.DeltaBinaryPacked},
		{format.Boolean, format.ByteStreamSplit}, {format.ByteArray, format.ByteStreamSplit}, {format.ByteArray, 99},
	} {
		body := append([]byte{2, 0, 0, 0, 6}, make([]byte, 200)...)
		refused(t, forge(t, tt.typ, 3, []page{dataPage(3, tt.encoding, body)}, nil),
			table.ErrSchema, "the encoding of the column's pages is not supported")
	}
}

// TestRunsAreReadAsTheyStand: runs that are legal, or that some writers write, and that need care.
func TestRunsAreReadAsTheyStand(t *testing.T) {
	dict := dictPage(2, make([]byte, 16))
	dict.body[8] = 1
	for name, tt := range map[string]struct {
		typ  format.Type
		page page
		want []string
	}{
		"an empty run has no value":    {format.Int64, dataPage(3, format.RLEDictionary, []byte{1, 0, 6, 1}), []string{"1", "1", "1"}},
		"a run longer than the page":   {format.Int64, dataPage(3, format.RLEDictionary, []byte{1, 2, 0, 100, 1}), []string{"0", "1", "1"}},
		"a group longer than the page": {format.Int64, dataPage(3, format.RLEDictionary, []byte{1, 2, 1, 9, 2}), []string{"1", "0", "1"}},
		"bytes after the runs":         {format.Int64, dataPage(3, format.RLEDictionary, []byte{1, 6, 1, 255, 255, 255, 255}), []string{"1", "1", "1"}},
		"no bits and no runs":          {format.Int64, dataPage(3, format.RLEDictionary, []byte{0}), []string{"0", "0", "0"}},
		"runs of three and two":        {format.Boolean, dataPage(5, format.RLE, counted([]byte{6, 1, 4, 0})), []string{"true", "true", "true", "false", "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			pages := []page{dict, tt.page}
			if tt.typ == format.Boolean {
				pages = pages[1:]
			}
			reads(t, forge(t, tt.typ, int64(len(tt.want)), pages, nil), tt.want)
		})
	}
}

func TestAttackI03ForgedMetadata(t *testing.T) {
	list := func(n uint64) []byte { // field 2 (schema): a list of n structs
		return append([]byte{0x29, 0xfc}, binary.AppendUvarint(nil, n)...)
	}
	// Nesting so deep would end the process: a stack that overflows cannot be recovered.
	for _, tt := range []struct {
		name   string
		footer []byte
		want   string
	}{
		{"list of 1e8 elements", list(1e8), "metadata is damaged"},
		{"list of 1e6 empty elements", append(list(1e6), make([]byte, 1e6+1)...), "lists more than it can hold"},
		{"text of 2 GiB", append([]byte{0x68}, binary.AppendUvarint(nil, math.MaxInt32)...), "metadata is damaged"},
		{"text of 2^64 bytes", append([]byte{0x68}, binary.AppendUvarint(nil, math.MaxUint64)...), "metadata is damaged"},
		{"structs without end", bytes.Repeat([]byte{0x1c}, 15<<20), "metadata is damaged"},
		{"lists without end", append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 15<<20)...), "metadata is damaged"},
		{"empty", []byte{0}, "metadata is damaged"},
		{"nothing", nil, "metadata is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, withFooter([]byte("PAR1"), tt.footer), table.ErrMalformed, tt.want)
		})
	}
	file := fixture(t, layouts[0])
	for name, edit := range map[string]func([]byte) []byte{
		"footer longer than the file": func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[len(b)-8:], math.MaxUint32)
			return b
		},
		"no mark at the end":   func(b []byte) []byte { return b[:len(b)-1] },
		"no mark at the start": func(b []byte) []byte { return b[1:] },
		"too short":            func([]byte) []byte { return []byte("PAR1PAR1") },
		"empty file":           func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) { refused(t, edit(bytes.Clone(file)), table.ErrMalformed, "hostile.parquet: ") })
	}
	big := append(binary.LittleEndian.AppendUint32(append([]byte("PAR1"), make([]byte, 16<<20+1)...), 16<<20+1), "PAR1"...)
	refused(t, big, table.ErrLimit, "longer than 16 MiB")
}

func TestAttackI03ForgedPageHeader(t *testing.T) {
	// A page header whose statistics claim to be 2 GiB long.
	header := []byte{0x15, 0, 0x15, 48, 0x15, 48, 0x2c, 0x15, 6, 0x15, 0, 0x15, 6, 0x15, 6, 0x1c, 0x18}
	header = binary.AppendUvarint(header, math.MaxInt32)
	file := forge(t, format.Int64, 3, nil, func(meta *format.FileMetaData) {
		meta.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = int64(len(header)) + 64
	})
	file = append(append([]byte("PAR1"), append(header, make([]byte, 64)...)...), file[4:]...)
	refused(t, file, table.ErrMalformed, "page header is damaged")
}

// TestAttackI08SpecialFloatsArriveAsTheyAre: whoever sums decides about NaN, so the connector may
// neither drop nor change one.
func TestAttackI08SpecialFloatsArriveAsTheyAre(t *testing.T) {
	type record struct {
		D float64 `parquet:"d"`
		F float32 `parquet:"f"`
	}
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324}
	var records []record
	var want []string
	for _, d := range special {
		records = append(records, record{d, float32(d)})
		want = append(want, fmt.Sprintf("%s|%s", tabletest.Text(tabletest.Float(d)), tabletest.Text(tabletest.Float(float64(float32(d))))))
	}
	got, err := readAll(open(t, writeStructs(t, records)), "d", "f")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// TestAttackI09UnsignedNeverWraps: a mixture of nulls and of values that no int64 holds.
func TestAttackI09UnsignedNeverWraps(t *testing.T) {
	type record struct {
		Required uint64  `parquet:"required"`
		Optional *uint64 `parquet:"optional,optional"`
	}
	random := rand.New(rand.NewSource(1))
	var records []record
	var want []string
	text := func(v uint64) string {
		if v > math.MaxInt64 {
			return "null"
		}
		return fmt.Sprint(v)
	}
	for range 20_000 {
		v := []uint64{0, 5, math.MaxInt64, 1 << 63, math.MaxUint64}[random.Intn(5)]
		r, line := record{Required: v}, text(v)+"|null"
		if o := random.Uint64(); random.Intn(3) > 0 {
			r.Optional, line = &o, text(v)+"|"+text(o)
		}
		records, want = append(records, r), append(want, line)
	}
	for _, encoding := range []parquet.WriterOption{
		parquet.DefaultEncoding(&parquet.Plain), parquet.DefaultEncoding(&parquet.RLEDictionary),
		parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked),
	} {
		got, err := readAll(open(t, writeStructs(t, records, encoding, parquet.PageBufferSize(4000))), "required", "optional")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// FuzzSource: whatever the bytes, an error is a *table.Error and nothing panics.
func FuzzSource(f *testing.F) {
	for _, l := range layouts {
		f.Add(fixture(f, l))
	}
	f.Add(writeStructs(f, []annotated{{"a", nil, []int64{1, 2}, []param{{Key: "k"}}, nil}}))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, _, err := scan(t, file, "x", "n", "f", "b"); err != nil {
			require.ErrorAs(t, err, new(*table.Error))
		}
		if _, _, err := scan(t, file, "tags[]", "numbers[]", "params[k]"); err != nil {
			require.ErrorAs(t, err, new(*table.Error))
		}
	})
}
