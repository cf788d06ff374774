// SPDX-License-Identifier: Apache-2.0

package arrowio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
)

// canary stands in every text of the fixtures and must not stand in an error.
const canary = "qmzkxwvhtrplnfgd"

func le(values ...int64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out
}

// forge replaces the one place where old stands; old that is not there, or twice, is a faulty test.
func forge(t *testing.T, data, old, forged []byte) []byte {
	require.Equal(t, 1, bytes.Count(data, old), "the fixture holds the bytes to forge once")
	require.Len(t, forged, len(old))
	return bytes.Replace(data, old, forged, 1)
}

// attack reads data and holds the outcome against ATTACKS.md: a clean error, and no more memory than
// 4 times the file and 64 MiB.
func attack(t *testing.T, src table.Source, size int, columns ...string) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := tryRead(t, src, columns...)
	runtime.ReadMemStats(&after)
	require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(4*size+63<<20), "bytes allocated")
	if err == nil {
		return nil
	}
	require.NotContains(t, err.Error(), canary)
	var ours *table.Error
	require.ErrorAs(t, err, &ours)
	require.True(t, errors.Is(err, table.ErrMalformed) || errors.Is(err, table.ErrSchema) || errors.Is(err, table.ErrLimit))
	return err
}

// requireMalformed says which check must notice: a panic caught at the boundary would be the last one.
func requireMalformed(t *testing.T, data []byte, problem string, columns ...string) {
	t.Helper()
	src := table.Source(streamSource(data))
	if bytes.HasPrefix(data, []byte("ARROW1")) {
		src = fileSource(data)
	}
	err := attack(t, src, len(data), columns...)
	require.ErrorIs(t, err, table.ErrMalformed)
	require.ErrorContains(t, err, problem)
}

const (
	short    = "a buffer is shorter than its rows need"
	outside  = "a buffer lies outside of its message"
	cut      = "a message is cut short"
	falls    = "the offsets of a column of texts or lists do not rise, or go past its end"
	metadata = "the metadata of a message is broken"
)

// plain is 100 rows of an integer, every third null, and of a text of two bytes.
func plain() (*arrow.Schema, []arrow.Record) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 100 {
		if i%3 == 0 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.Int64Builder).Append(1<<40 + int64(i))
		}
		b.Field(1).(*array.StringBuilder).Append("ab")
	}
	return schema, []arrow.Record{b.NewRecord()}
}

func TestAttackI04MessageLength(t *testing.T) {
	schema, records := plain()
	data := ipcStream(t, schema, records)
	for length, problem := range map[uint32]string{
		0x7fffffff: "the metadata of a message claims more than 16 MiB", 17 << 20: "the metadata of a message claims more than 16 MiB",
		0x80000000: "a message claims a negative length", 0xfffffffe: "a message claims a negative length", 16 << 20: cut,
	} {
		forged := bytes.Clone(data)
		binary.LittleEndian.PutUint32(forged[4:], length)
		requireMalformed(t, forged, problem, "n")
		// Before format version 0.15 the length came first.
		binary.LittleEndian.PutUint32(forged, length)
		requireMalformed(t, forged, problem, "n")
	}
	file := ipcFile(t, schema, records)
	binary.LittleEndian.PutUint32(file[len(file)-10:], 0x7fffffff)
	requireMalformed(t, file, "the footer claims more than the file holds", "n")
}

func TestAttackI04BodyLength(t *testing.T) {
	schema, records := plain()
	data := ipcStream(t, schema, records)
	// What the record batch holds: 100 bits, integers, offsets and texts, each padded to 8 bytes.
	const body = 16 + 800 + 408 + 200
	for claim, problem := range map[int64]string{1 << 30: cut, body + 64: cut, -1: metadata, body - 8: outside} {
		requireMalformed(t, forge(t, data, le(body), le(claim)), problem, "s")
	}
	forged := forge(t, data, le(body), le(1<<40))
	require.ErrorIs(t, attack(t, streamSource(forged), len(data), "s"), table.ErrLimit)
}

func TestAttackI04OffsetsThatFall(t *testing.T) {
	schema, records := plain()
	old := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 100), 102)
	for _, offset := range []uint32{0x7fffffff, 0x80000000, 90} {
		forged := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 100), offset)
		requireMalformed(t, forge(t, ipcStream(t, schema, records), old, forged), falls, "s")
		requireMalformed(t, forge(t, ipcFile(t, schema, records), old, forged), falls, "s")
	}
}

func TestAttackI04ShortNullBitmap(t *testing.T) {
	schema, records := plain()
	data := ipcStream(t, schema, records)
	// The first buffer, 13 bytes for 100 bits and padding, and the second.
	place := le(0, 16, 16, 800)
	require.NoError(t, attack(t, streamSource(data), len(data), "n"))
	for _, tc := range []struct {
		forged  []byte
		problem string
	}{
		{le(0, 12, 16, 800), short}, {le(0, 0, 16, 800), short}, {le(0, 16, 16, 792), short},
		{le(0, -1, 16, 800), outside}, {le(-8, 16, 16, 800), outside}, {le(1<<62, 16, 16, 800), outside},
		{le(1<<62, 1<<62, 16, 800), outside}, {le(0, 16, 1000, 800), outside},
	} {
		requireMalformed(t, forge(t, data, place, tc.forged), tc.problem, "n")
	}
}

func TestAttackI04CompressedClaims(t *testing.T) {
	schema, records := plain()
	for _, codec := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		data := ipcStream(t, schema, records, codec)
		require.Equal(t, 1, bytes.Count(data, le(800)), "100 integers say that they take 800 bytes")
		err := attack(t, streamSource(forge(t, data, le(800), le(1<<40))), len(data), "n")
		require.ErrorIs(t, err, table.ErrLimit)
		broken := "a compressed buffer is broken"
		for claim, problem := range map[int64]string{40 << 20: broken, 808: broken, 792: short, 0: short, -2: short, -1: short} {
			requireMalformed(t, forge(t, data, le(800), le(claim)), problem, "n")
		}
		require.NoError(t, attack(t, streamSource(forge(t, data, le(800), le(1<<40))), len(data), "s"),
			"a column that is not asked for is not decompressed")
	}
}

// Columns that stand over the same bomb share one allowance.
func TestAttackI04DecompressionBomb(t *testing.T) {
	var fields []arrow.Field
	var arrays []arrow.Array
	var names []string
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(make([]int64, 1<<20), nil)
	zeros := b.NewArray()
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64})
		arrays, names = append(arrays, zeros), append(names, name)
	}
	schema := arrow.NewSchema(fields, nil)
	data := ipcStream(t, schema, []arrow.Record{array.NewRecord(schema, arrays, 1<<20)}, ipc.WithZstd())
	require.Less(t, len(data), 64<<10, "128 MiB of zeros")
	require.ErrorIs(t, attack(t, streamSource(data), len(data), names...), table.ErrLimit)
	lines, err := tryRead(t, streamSource(data), "a")
	require.NoError(t, err)
	require.Len(t, lines, 1<<20, "an honest column of zeros is read")
}

func TestAttackI04DictionaryCodes(t *testing.T) {
	schema := dictionarySchema()
	typ := schema.Field(0).Type.(*arrow.DictionaryType)
	for _, codes := range []string{"[1]", "[127]", "[-1]", "[0, 0, 5]"} {
		index, _, err := array.FromJSON(memory.DefaultAllocator, typ.IndexType, strings.NewReader(codes))
		require.NoError(t, err)
		values, _, err := array.FromJSON(memory.DefaultAllocator, typ.ValueType, strings.NewReader(`["`+canary+`"]`))
		require.NoError(t, err)
		a := array.NewDictionaryArray(typ, index, values)
		records := []arrow.Record{array.NewRecord(schema, []arrow.Array{a}, int64(a.Len()))}
		problem := "a dictionary code is out of range"
		requireMalformed(t, ipcStream(t, schema, records), problem, "x")
		requireMalformed(t, ipcFile(t, schema, records), problem, "x")
		require.ErrorContains(t, attack(t, recordSource(t, schema, records), 0, "x"), problem)
	}
}

func TestAttackI04RowsWithoutBytes(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.Null, Nullable: true}}, nil)
	records := []arrow.Record{array.NewRecord(schema, []arrow.Array{array.NewNull(1 << 30)}, 1<<30)}
	problem := "a record batch claims more rows than it can hold"
	requireMalformed(t, ipcStream(t, schema, records), problem, "x")
	requireMalformed(t, ipcFile(t, schema, records), problem)
}

// A footer may not name the same rows again and again.
func TestAttackI04OverlappingBlocks(t *testing.T) {
	schema, records := plain()
	data := ipcFile(t, schema, append(records, records...))
	footer := len(data) - 10 - int(binary.LittleEndian.Uint32(data[len(data)-10:]))
	at := func(pos int) int64 { return int64(binary.LittleEndian.Uint64(data[pos:])) }
	for pos := footer; pos+48 <= len(data)-10; pos += 4 {
		if at(pos) > 0 && at(pos)+int64(int32(at(pos+8)))+at(pos+16) == at(pos+24) {
			copy(data[pos+24:pos+48], data[pos:pos+24])
			requireMalformed(t, data, "the footer names a block that overlaps another", "n")
			return
		}
	}
	t.Fatal("the blocks were not found")
}

// A stream whose dictionary grows forever costs what it holds: the values before are not copied.
func TestAttackI04DeltaDictionaries(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: &arrow.DictionaryType{
		IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}}}, nil)
	typ := schema.Field(0).Type.(*arrow.DictionaryType)
	index, _, err := array.FromJSON(memory.DefaultAllocator, typ.IndexType, strings.NewReader("[0]"))
	require.NoError(t, err)
	var records []arrow.Record
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range 40 {
		b.Append("short, as the rows use it")
		b.Append(strings.Repeat("x", 3<<20))
		for range i {
			b.Append(canary)
		}
		a := array.NewDictionaryArray(typ, index, b.NewArray())
		records = append(records, array.NewRecord(schema, []arrow.Array{a}, 1))
	}
	data := ipcStream(t, schema, records, ipc.WithDictionaryDeltas(true))
	require.Less(t, len(data), 4<<20, "the first values is written once")
	require.NoError(t, attack(t, streamSource(data), len(data), "x"))
}

// schemaBomb is a schema of 30 structs in each other whose two fields are the same field: 2^30 columns
// in 3 kB.
func schemaBomb() []byte {
	b := flatbuffers.NewBuilder(0)
	b.StartObject(0)
	typ := b.EndObject()
	b.StartObject(7)
	b.PrependByteSlot(2, 1, 0)
	field := b.EndObject()
	twice := func() flatbuffers.UOffsetT {
		b.StartVector(4, 2, 4)
		b.PrependUOffsetT(field)
		b.PrependUOffsetT(field)
		return b.EndVector(2)
	}
	for range 30 {
		kids := twice()
		b.StartObject(7)
		b.PrependByteSlot(2, 13, 0)
		b.PrependUOffsetTSlot(3, typ, 0)
		b.PrependUOffsetTSlot(5, kids, 0)
		field = b.EndObject()
	}
	fields := twice()
	b.StartObject(4)
	b.PrependUOffsetTSlot(1, fields, 0)
	schema := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(0, 4, 0)
	b.PrependByteSlot(1, 1, 0)
	b.PrependUOffsetTSlot(2, schema, 0)
	b.Finish(b.EndObject())
	out := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(b.FinishedBytes())))
	return append(out, b.FinishedBytes()...)
}

func TestAttackI04SchemaBomb(t *testing.T) {
	requireMalformed(t, schemaBomb(), metadata, "n")
}

func TestAttackI04Views(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.BinaryTypes.StringView}}, nil)
	b := array.NewStringViewBuilder(memory.DefaultAllocator)
	b.Append(canary)
	data := ipcStream(t, schema, []arrow.Record{array.NewRecord(schema, []arrow.Array{b.NewArray()}, 1)})
	// A view is a length, the first four bytes, a buffer and an offset.
	view := func(length, buffer, offset uint32) []byte {
		out := append(binary.LittleEndian.AppendUint32(nil, length), canary[:4]...)
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, buffer), offset)
	}
	old := view(uint32(len(canary)), 0, 0)
	for _, forged := range [][]byte{
		view(1<<30, 0, 0), view(0xffffffff, 0, 0), view(16, 1, 0), view(16, 0xffffffff, 0), view(16, 0, 0x7ffffff8),
		view(16, 0, 0xfffffff8),
	} {
		requireMalformed(t, forge(t, data, old, forged), "a view points outside of its buffers", "v")
	}
}

// Record batches in memory are not checked beforehand: the Arrow library panics on them, and that must
// not leave the reader.
func TestAttackI04RecordsThatContradictThemselves(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	offsets := arrow.Int32Traits.CastToBytes([]int32{0, 1 << 20, 3})
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(offsets), memory.NewBufferBytes([]byte("abc"))}
	a := array.NewStringData(array.NewData(arrow.BinaryTypes.String, 2, buffers, nil, 0, 0))
	src := recordSource(t, schema, []arrow.Record{array.NewRecord(schema, []arrow.Array{a}, 2)})
	err := attack(t, src, 0, "s")
	require.EqualError(t, err, `rows: column "s": the Arrow data contradicts itself`)
}

func TestBigEndianFilesAreRefused(t *testing.T) {
	_, records := plain()
	schema := arrow.NewSchemaWithEndian(records[0].Schema().Fields(), nil, 1)
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	require.NoError(t, w.Close())
	_, err := streamSource(buf.Bytes()).Schema(t.Context())
	assert.EqualError(t, err, "rows.arrows: it is big-endian; write it on a little-endian machine")
}

func TestWhatIsNoArrowDataIsMalformed(t *testing.T) {
	schema, records := plain()
	file, stream := ipcFile(t, schema, records), ipcStream(t, schema, records)
	for _, n := range []int{0, 3, 4, 7, 8, 20, len(stream) / 2} {
		require.ErrorIs(t, attack(t, streamSource(stream[:n]), n, "n"), table.ErrMalformed, n)
		require.ErrorIs(t, attack(t, fileSource(file[:n]), n, "n"), table.ErrMalformed, n)
	}
	require.ErrorIs(t, attack(t, streamSource(file), len(file), "n"), table.ErrMalformed)
	require.ErrorIs(t, attack(t, fileSource(stream), len(stream), "n"), table.ErrMalformed)
}

// mixed has a column of every layout, with nulls, for mutation.
func mixed(t testing.TB) (*arrow.Schema, []arrow.Record) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.BinaryTypes.LargeString, Nullable: true},
		{Name: "v", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
		{Name: "c", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}, Nullable: true},
		{Name: "o", Type: arrow.StructOf(arrow.Field{Name: "t", Type: arrow.FixedWidthTypes.Timestamp_ns, Nullable: true}), Nullable: true},
		{Name: "z", Type: arrow.Null, Nullable: true},
		{Name: "p", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "i", Type: arrow.LargeListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(strings.ReplaceAll(`[
		{"n": 1, "s": "C", "l": "C", "v": "CC", "b": true, "d": "C", "c": "1.50", "o": {"t": "2026-03-16T00:00:00"}, "p": [{"key": "k", "value": 1}, {"key": "C", "value": null}], "i": ["C", null]},
		{"n": null, "s": null, "l": null, "v": null, "b": null, "d": null, "c": null, "o": null},
		{"n": 3, "s": "C", "l": "C", "v": "C", "b": false, "d": "CC", "c": "-0.05", "o": {"t": null}}]`, "C", canary)))
	require.NoError(t, err)
	return schema, []arrow.Record{rec, rec}
}

func TestAttackI04MutatedFiles(t *testing.T) {
	schema, records := mixed(t)
	columns := []string{"n", "s", "l", "v", "b", "d", "c", "o.t", "z", "p[k]", "i[]"}
	for name, fixture := range map[string][]byte{
		"stream": ipcStream(t, schema, records),
		"zstd":   ipcStream(t, schema, records, ipc.WithZstd()),
		"file":   ipcFile(t, schema, records),
		"lz4":    ipcFile(t, schema, records, ipc.WithLZ4()),
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(4, 4))
			refused := 0
			for range 1000 {
				data := bytes.Clone(fixture)
				for range 1 + rng.IntN(3) {
					data[rng.IntN(len(data))] ^= byte(1 + rng.IntN(255))
				}
				src := table.Source(streamSource(data))
				if strings.HasPrefix(string(fixture), "ARROW1") {
					src = fileSource(data)
				}
				if attack(t, src, len(data), columns...) != nil {
					refused++
				}
			}
			assert.Greater(t, refused, 100, "mutants that were noticed")
		})
	}
}

// FuzzSource: whatever the bytes, an error is a *table.Error and nothing panics.
func FuzzSource(f *testing.F) {
	schema, records := mixed(f)
	for _, fixture := range [][]byte{
		ipcStream(f, schema, records), ipcStream(f, schema, records, ipc.WithZstd()), ipcFile(f, schema, records, ipc.WithLZ4()),
	} {
		f.Add(fixture)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, src := range []table.Source{streamSource(data), fileSource(data)} {
			if err := attack(t, src, len(data), "n", "s", "l", "v", "b", "d", "c", "o.t", "z"); err != nil {
				require.ErrorAs(t, err, new(*table.Error))
			}
		}
	})
}
