// SPDX-License-Identifier: Apache-2.0

package arrowio_test

import (
	"errors"
	"io"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// read returns one line per row, "null" or the text of each value.
func read(t *testing.T, src table.Source, columns ...string) []string {
	lines, err := tryRead(t, src, columns...)
	require.NoError(t, err)
	return lines
}

func tryRead(t *testing.T, src table.Source, columns ...string) ([]string, error) {
	readers, err := src.Open(t.Context(), columns)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, r := range readers {
		defer r.Close()
		var b table.Batch
		for {
			err := r.Next(t.Context(), &b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return lines, err
			}
			for i := range b.Len {
				lines = append(lines, line(&b, i))
			}
		}
	}
	return lines, nil
}

func line(b *table.Batch, i int) string {
	var cells []string
	for c := range b.Columns {
		if v := b.Columns[c].Value(i); v.Valid {
			cells = append(cells, tabletest.Text(v))
		} else {
			cells = append(cells, "null")
		}
	}
	return strings.Join(cells, " ")
}

// uuidType is the canonical extension, which this version of the Arrow library does not bring.
type uuidType struct{ arrow.ExtensionBase }

func (uuidType) ArrayType() reflect.Type                    { return reflect.TypeFor[uuidArray]() }
func (uuidType) ExtensionName() string                      { return "arrow.uuid" }
func (uuidType) Serialize() string                          { return "" }
func (uuidType) ExtensionEquals(o arrow.ExtensionType) bool { return o.ExtensionName() == "arrow.uuid" }
func (uuidType) Deserialize(arrow.DataType, string) (arrow.ExtensionType, error) {
	return nil, errors.New("not used")
}

type uuidArray struct{ array.ExtensionArrayBase }

// valueCases is each type with a column in JSON and what its values become.
var valueCases = []struct {
	typ  arrow.DataType
	json string
	kind anonymize.Kind
	want string
}{
	{arrow.PrimitiveTypes.Int8, `[-128, null, 1]`, anonymize.Int, "-128 null 1"},
	{arrow.PrimitiveTypes.Int16, `[-32768, null, 1]`, anonymize.Int, "-32768 null 1"},
	{arrow.PrimitiveTypes.Int32, `[-2147483648, null, 1]`, anonymize.Int, "-2147483648 null 1"},
	{arrow.PrimitiveTypes.Uint8, `[255, null, 1]`, anonymize.Int, "255 null 1"},
	{arrow.PrimitiveTypes.Uint16, `[65535, null, 1]`, anonymize.Int, "65535 null 1"},
	{arrow.PrimitiveTypes.Uint32, `[4294967295, null, 1]`, anonymize.Int, "4294967295 null 1"},
	{arrow.PrimitiveTypes.Uint64, `[18446744073709551615, null, 9223372036854775807]`, anonymize.Int, "null null 9223372036854775807"},
	{arrow.PrimitiveTypes.Float32, `[0.5, null, -2]`, anonymize.Float, "0.5 null -2"},
	{arrow.FixedWidthTypes.Float16, `[0.5, null, -2]`, anonymize.Float, "0.5 null -2"},
	{arrow.FixedWidthTypes.Boolean, `[true, null, false]`, anonymize.Bool, "true null false"},
	{arrow.BinaryTypes.LargeString, `["a", null, ""]`, anonymize.Bytes, "a null "},
	{arrow.BinaryTypes.StringView, `["a", null, "longer than twelve bytes"]`, anonymize.Bytes, "a null longer than twelve bytes"},
	{arrow.BinaryTypes.Binary, `["YQ==", null, ""]`, anonymize.Bytes, "a null "},
	{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `["YWI=", null, "Y2Q="]`, anonymize.Bytes, "ab null cd"},
	{&arrow.TimestampType{Unit: arrow.Second}, `[-1, null, 9223372036855]`, anonymize.Time, "1969-12-31T23:59:59Z null null"},
	{&arrow.TimestampType{Unit: arrow.Millisecond}, `[-1, null, 1]`, anonymize.Time, "1969-12-31T23:59:59.999Z null 1970-01-01T00:00:00.001Z"},
	{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Europe/Oslo"}, `[-1, null, 1999]`, anonymize.Time, "1969-12-31T23:59:59.999999Z null 1970-01-01T00:00:00.000001Z"},
	{arrow.PrimitiveTypes.Date32, `["1969-12-31", null, "2026-03-16"]`, anonymize.Time, "1969-12-31T00:00:00Z null 2026-03-16T00:00:00Z"},
	{arrow.PrimitiveTypes.Date64, `["1969-12-31", null, "2026-03-16"]`, anonymize.Time, "1969-12-31T00:00:00Z null 2026-03-16T00:00:00Z"},
	{&arrow.Decimal128Type{Precision: 38, Scale: 2}, `["-0.05", null, "123456789012345678901234567890.10"]`, anonymize.Bytes, "-0.05 null 123456789012345678901234567890.10"},
	{&arrow.Decimal128Type{Precision: 10, Scale: 0}, `["-7", null, "9999999999"]`, anonymize.Bytes, "-7 null 9999999999"},
	{&arrow.Decimal256Type{Precision: 50, Scale: 3}, `["-1.500", null, "0.001"]`, anonymize.Bytes, "-1.500 null 0.001"},
	{arrow.Null, `[null, null, null]`, anonymize.Bytes, "null null null"},
	{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.PrimitiveTypes.Int64}, `[7, null, 8]`, anonymize.Int, "7 null 8"},
	{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int64, ValueType: arrow.BinaryTypes.String}, `["x", null, "x"]`, anonymize.Bytes, "x null x"},
}

func TestEveryTypeIsRead(t *testing.T) {
	for _, tc := range valueCases {
		t.Run(tc.typ.String(), func(t *testing.T) {
			a, _, err := array.FromJSON(memory.DefaultAllocator, tc.typ, strings.NewReader(tc.json), array.WithUseNumber())
			require.NoError(t, err)
			schema := arrow.NewSchema([]arrow.Field{{Name: "first", Type: arrow.BinaryTypes.StringView},
				{Name: "x", Type: tc.typ, Nullable: true}}, nil)
			first, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.StringView,
				strings.NewReader(`["is stepped over", null, "is stepped over too"]`))
			require.NoError(t, err)
			rec := array.NewRecord(schema, []arrow.Array{first, a}, 3)
			for name, src := range map[string]table.Source{
				"records": recordSource(t, schema, []arrow.Record{rec}),
				"file":    fileSource(ipcFile(t, schema, []arrow.Record{rec}, ipc.WithZstd())),
				"stream":  streamSource(ipcStream(t, schema, []arrow.Record{rec})),
			} {
				got, err := src.Schema(t.Context())
				require.NoError(t, err)
				assert.Equal(t, []table.Field{{Name: "first"}, {Name: "x", Kind: tc.kind}}, got.Fields, name)
				assert.Equal(t, tc.want, strings.Join(read(t, src, "x"), " "), name)
			}
			sliced := rec.NewSlice(1, 3)
			_, want, _ := strings.Cut(tc.want, " ")
			assert.Equal(t, want, strings.Join(read(t, recordSource(t, schema, []arrow.Record{sliced}), "x"), " "))
			assert.Equal(t, want, strings.Join(read(t, fileSource(ipcFile(t, schema, []arrow.Record{sliced})), "x"), " "))
		})
	}
}

func TestFloat16IsExact(t *testing.T) {
	b := array.NewFloat16Builder(memory.DefaultAllocator)
	for _, bits := range []uint16{0x0001, 0x83ff, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00} {
		b.Append(float16.FromBits(bits))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.FixedWidthTypes.Float16}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{b.NewArray()}, 7)
	assert.Equal(t, []string{"5.960464477539063e-08", "-6.097555160522461e-05", "-0", "65504", "+Inf", "-Inf", "NaN"},
		read(t, recordSource(t, schema, []arrow.Record{rec}), "x"))
}

func TestUUIDIsTextAndOtherBinaryIsNot(t *testing.T) {
	storage := &arrow.FixedSizeBinaryType{ByteWidth: 16}
	b := array.NewFixedSizeBinaryBuilder(memory.DefaultAllocator, storage)
	b.Append([]byte("0123456789abcdef"))
	raw := b.NewArray()
	marked := arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{"arrow.uuid"})
	fields := []arrow.Field{
		{Name: "raw", Type: storage},
		{Name: "id", Type: storage, Metadata: marked},
	}
	schema := arrow.NewSchema(fields, nil)
	records := []arrow.Record{array.NewRecord(schema, []arrow.Array{raw, raw}, 1)}
	want := []string{"0123456789abcdef 30313233-3435-3637-3839-616263646566"}
	assert.Equal(t, want, read(t, recordSource(t, schema, records), "raw", "id"))
	assert.Equal(t, want, read(t, fileSource(ipcFile(t, schema, records)), "raw", "id"))

	typed := arrow.NewSchema([]arrow.Field{{Name: "id", Type: &uuidType{arrow.ExtensionBase{Storage: storage}}}}, nil)
	ext := array.NewExtensionArrayWithStorage(typed.Field(0).Type.(arrow.ExtensionType), raw)
	rec := array.NewRecord(typed, []arrow.Array{ext}, 1)
	assert.Equal(t, []string{"30313233-3435-3637-3839-616263646566"}, read(t, recordSource(t, typed, []arrow.Record{rec}), "id"))
}

// nestedRecord has structs in structs, with nulls at each level, and types that cannot be asked for.
func nestedRecord(t *testing.T) (*arrow.Schema, arrow.Record) {
	device := arrow.StructOf(arrow.Field{Name: "kind", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "took", Type: arrow.FixedWidthTypes.Duration_s, Nullable: true},
		{Name: "context", Type: arrow.StructOf(
			arrow.Field{Name: "device", Type: device, Nullable: true},
			arrow.Field{Name: "ip", Type: arrow.BinaryTypes.String, Nullable: true},
		), Nullable: true},
		{Name: "last", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[
		{"list": [1, 2], "context": {"device": {"kind": "mobile", "tags": ["a"]}, "ip": "1"}, "last": 1},
		{"list": [], "context": {"device": null, "ip": "2"}, "last": 2},
		{"list": null, "took": 5, "context": null, "last": 3},
		{"map": [{"key": "k", "value": 1}], "context": {"device": {"kind": null}, "ip": null}, "last": 4}]`))
	require.NoError(t, err)
	return schema, rec
}

func TestStructsArePathsAndNullsReachDown(t *testing.T) {
	schema, rec := nestedRecord(t)
	want := []string{"mobile 1 1", "null 2 2", "null null 3", "null null 4"}
	columns := []string{"context.device.kind", "context.ip", "last"}
	one := []arrow.Record{rec}
	assert.Equal(t, want, read(t, recordSource(t, schema, one), columns...))
	assert.Equal(t, want, read(t, fileSource(ipcFile(t, schema, one)), columns...))
	assert.Equal(t, want, read(t, streamSource(ipcStream(t, schema, one, ipc.WithLZ4())), columns...))
	assert.Equal(t, want[1:], read(t, recordSource(t, schema, []arrow.Record{rec.NewSlice(1, 4)}), columns...))
}

func TestOpenNamesEveryColumnThatCannotBeHad(t *testing.T) {
	schema, rec := nestedRecord(t)
	for _, src := range []table.Source{
		recordSource(t, schema, []arrow.Record{rec}), fileSource(ipcFile(t, schema, []arrow.Record{rec})),
		streamSource(ipcStream(t, schema, []arrow.Record{rec})),
	} {
		_, err := src.Open(t.Context(), []string{"list", "last", "took", "context", "context.device.tags", "map"})
		assert.ErrorIs(t, err, table.ErrSchema)
		n := src.Name()
		assert.EqualError(t, err, n+`: column "list": it is a list; name its items as "list[]"`+"\n"+
			n+`: column "took": it is a time of day, a duration or an interval; cast it to an integer or to text before`+"\n"+
			n+`: column "context": there is no such column`+"\n"+
			n+`: column "context.device.tags": it is a list; name its items as "list[]"`+"\n"+
			n+`: column "map": it is a list of structs; name a field of them as "list[].field", or what a key says as "list[key]"`)
		got, err := src.Schema(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []table.Field{{Name: "list[]", Kind: anonymize.Int}, {Name: "map[].key"}, {Name: "map[].value", Kind: anonymize.Int},
			{Name: "context.device.kind"}, {Name: "context.device.tags[]"}, {Name: "context.ip"}, {Name: "last", Kind: anonymize.Int}}, got.Fields)
	}
}

func TestUnionsAndRunEndsAreSteppedOver(t *testing.T) {
	union := arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, []arrow.UnionTypeCode{0})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "union", Type: union},
		{Name: "run", Type: arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)},
		{Name: "last", Type: arrow.BinaryTypes.String},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	u := b.Field(0).(*array.SparseUnionBuilder)
	u.Append(0)
	u.Child(0).(*array.Int64Builder).Append(1)
	run := b.Field(1).(*array.RunEndEncodedBuilder)
	run.Append(1)
	run.ValueBuilder().(*array.StringBuilder).Append("r")
	b.Field(2).(*array.StringBuilder).Append("read")
	file := fileSource(ipcFile(t, schema, []arrow.Record{b.NewRecord()}))
	assert.Equal(t, []string{"read"}, read(t, file, "last"))
	_, err := file.Open(t.Context(), []string{"union", "run"})
	assert.ErrorIs(t, err, table.ErrSchema)
}

func dictionaryRecord(t *testing.T, schema *arrow.Schema, values string) arrow.Record {
	a, _, err := array.FromJSON(memory.DefaultAllocator, schema.Field(0).Type, strings.NewReader(values))
	require.NoError(t, err)
	return array.NewRecord(schema, []arrow.Array{a}, int64(a.Len()))
}

func dictionarySchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "x", Nullable: true, Type: &arrow.DictionaryType{
		IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}}}, nil)
}

func TestBatchesShareADictionaryByPointer(t *testing.T) {
	schema := dictionarySchema()
	rec := dictionaryRecord(t, schema, `["a", "b", "a", null]`)
	other := dictionaryRecord(t, schema, `["c"]`)
	records := []arrow.Record{rec.NewSlice(0, 2), rec.NewSlice(2, 4), other}
	for name, src := range map[string]table.Source{
		"records": recordSource(t, schema, records),
		"stream":  streamSource(ipcStream(t, schema, records)),
	} {
		readers, err := src.Open(t.Context(), []string{"x"})
		require.NoError(t, err)
		var dicts []*table.Dict
		var b table.Batch
		for readers[0].Next(t.Context(), &b) == nil {
			dicts = append(dicts, b.Columns[0].Dict)
		}
		require.Len(t, dicts, 3, name)
		assert.Same(t, dicts[0], dicts[1], name)
		assert.NotSame(t, dicts[1], dicts[2], name)
		assert.Equal(t, 2, dicts[0].Len, name)
		require.NoError(t, readers[0].Close())
		assert.Equal(t, []string{"a", "b", "a", "null", "c"}, read(t, src, "x"), name)
	}
}

func TestRecordsMustHaveTheSchemaDeclared(t *testing.T) {
	schema, rec := nestedRecord(t)
	other := dictionaryRecord(t, dictionarySchema(), `["a"]`)
	_, err := tryRead(t, recordSource(t, schema, []arrow.Record{rec, other}), "last")
	assert.ErrorIs(t, err, table.ErrSchema)
	assert.EqualError(t, err, `rows: column "last": a record batch does not have the schema declared`)
}

func TestRecordsStayTheCallersAndLeakNothing(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	schema := dictionarySchema()
	src, err := arrowio.NewRecords("rows", schema, func() iter.Seq2[arrow.Record, error] {
		return func(yield func(arrow.Record, error) bool) {
			for range 3 {
				a, _, err := array.FromJSON(mem, schema.Field(0).Type, strings.NewReader(`["a", "b"]`))
				require.NoError(t, err)
				rec := array.NewRecord(schema, []arrow.Array{a}, 2)
				a.Release()
				more := yield(rec, nil)
				rec.Release()
				if !more {
					return
				}
			}
		}
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "a", "b", "a", "b"}, read(t, src, "x"))
	readers, err := src.Open(t.Context(), []string{"x"})
	require.NoError(t, err)
	require.NoError(t, readers[0].Next(t.Context(), new(table.Batch)))
	require.NoError(t, readers[0].Close())
}

// ATTACKS.md I-10: the text of an error of the caller's sequence, which may quote data, is kept out.
func TestAttackI10ErrorsOfTheSequenceAreNotEchoed(t *testing.T) {
	schema := dictionarySchema()
	src, err := arrowio.NewRecords("rows", schema, func() iter.Seq2[arrow.Record, error] {
		return func(yield func(arrow.Record, error) bool) { yield(nil, errors.New("canary@example.com")) }
	})
	require.NoError(t, err)
	_, err = tryRead(t, src, "x")
	assert.EqualError(t, err, "rows: reading Arrow data failed")
	for e := err; e != nil; e = errors.Unwrap(e) {
		assert.NotContains(t, e.Error(), "canary")
	}
}

// ATTACKS.md I-09: instants that do not fit are null.
func TestAttackI09InstantsDoNotWrap(t *testing.T) {
	b := array.NewDate32Builder(memory.DefaultAllocator)
	b.Append(math.MaxInt32)
	b.Append(math.MinInt32)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Date32}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{b.NewArray()}, 2)
	assert.Equal(t, []string{"null", "null"}, read(t, recordSource(t, schema, []arrow.Record{rec}), "x"))
}
