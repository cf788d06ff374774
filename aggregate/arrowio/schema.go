// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/throngdp/throng/aggregate/table"
)

// maxDepth is how deep a schema may nest; the Arrow library allows as much.
const maxDepth = 64

// The types of format/Schema.fbs.
const (
	typeNull = iota + 1
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedBinary
	typeFixedList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEnd
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

// schemaOf reads a Schema table.
func schemaOf(t flat, version int16) ([]field, error) {
	if t.int16(0) != 0 {
		return nil, &table.Error{Problem: "it is big-endian; write it on a little-endian machine", Err: table.ErrSchema}
	}
	fields, err := flatFields(t, 1, version, maxDepth)
	if err != nil {
		return nil, err
	}
	return fields, t.m.err()
}

func flatFields(t flat, slot int, version int16, depth int) ([]field, error) {
	start, n := t.vector(slot, 4)
	if n > 0 && depth == 0 {
		return nil, malformed("the schema nests too deeply")
	}
	var fields []field
	for i := range n {
		f, err := flatField(t.m.table(start+4*i), version, depth-1)
		if err != nil {
			return nil, err
		}
		if err := t.m.err(); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// flatField reads a Field table.
func flatField(t flat, version int16, depth int) (field, error) {
	f := field{name: t.text(0)}
	var err error
	if f.kids, err = flatFields(t, 5, version, depth); err != nil {
		return f, err
	}
	kind := t.byte(2)
	typ, _ := t.table(3)
	if d, ok := t.table(4); ok {
		f.dict = &dictionary{id: d.int64(0), index: arrow.PrimitiveTypes.Int32}
		if index, ok := d.table(1); ok {
			f.dict.index = intType(index)
		}
		if f.dict.index == nil {
			return f, malformed("a dictionary has codes that are no integers")
		}
	}
	f.describe(kind, typ, version)
	if f.typ != nil {
		f.uuid = isUUID(f.typ, extensionName(t))
	}
	if f.dict != nil {
		// What the node itself holds is codes; the values come in messages of their own.
		f.buffers, f.views, f.isStruct, f.isList = 2, false, false, false
		if f.typ == nil {
			f.problem = problemNest
		}
	}
	return f, nil
}

// extensionName looks up the name in the field's key-value metadata.
func extensionName(t flat) string {
	start, n := t.vector(6, 4)
	name := ""
	for i := range n {
		if kv := t.m.table(start + 4*i); kv.text(0) == "ARROW:extension:name" {
			name = kv.text(1)
		}
	}
	return name
}

// describe fills in the type and the buffers of a field of the given type.
func (f *field) describe(kind byte, t flat, version int16) {
	f.buffers = 2
	switch kind {
	case typeStruct:
		f.isStruct, f.buffers = true, 1
		return
	case typeList, typeMap:
		f.isList, f.width = true, 4
	case typeLargeList:
		f.isList, f.width = true, 8
	case typeFixedList:
		f.isList, f.size, f.buffers = true, int64(t.int32(0, 0)), 1
	case typeListView, typeLargeListView:
		f.problem, f.buffers = problemList, 3
		return
	case typeUnion:
		f.problem, f.buffers = problemUnion, 1+int(t.int16(0))
		if version < 4 { // format versions before 1.0 gave unions a bitmap
			f.buffers++
		}
		return
	case typeRunEnd:
		f.problem, f.buffers = problemUnion, 0
		return
	case typeTime, typeDuration, typeInterval:
		f.problem = problemSpan
		return
	}
	if f.isList {
		if len(f.kids) != 1 || f.size < 0 {
			f.isList, f.problem = false, "its items are not described"
		}
		return
	}
	f.typ = valueType(kind, t)
	switch {
	case f.typ == nil:
		f.problem = "its type is unknown; cast it before"
	case !sane(f.typ):
		f.typ, f.problem = nil, problemScale
	}
	switch kind {
	case typeNull:
		f.buffers = 0
	case typeUtf8, typeBinary, typeLargeUtf8, typeLargeBinary:
		f.buffers = 3
	case typeUtf8View, typeBinaryView:
		f.views = true
	}
}

// valueType returns the Arrow type of values that can be asked for; nil for all others.
func valueType(kind byte, t flat) arrow.DataType {
	switch kind {
	case typeNull:
		return arrow.Null
	case typeInt:
		return intType(t)
	case typeFloat:
		return pick(t.int16(0), arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64)
	case typeBool:
		return arrow.FixedWidthTypes.Boolean
	case typeDecimal:
		return decimalType(t)
	case typeDate:
		if unit := t.slot(0); unit == 0 { // the format's default is milliseconds
			return arrow.PrimitiveTypes.Date64
		}
		return pick(t.int16(0), arrow.PrimitiveTypes.Date32, arrow.PrimitiveTypes.Date64)
	case typeTimestamp:
		return pick(t.int16(0), arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_ms,
			arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_ns)
	case typeFixedBinary:
		if width := t.int32(0, 0); width >= 0 {
			return &arrow.FixedSizeBinaryType{ByteWidth: int(width)}
		}
	case typeUtf8:
		return arrow.BinaryTypes.String
	case typeLargeUtf8:
		return arrow.BinaryTypes.LargeString
	case typeUtf8View:
		return arrow.BinaryTypes.StringView
	case typeBinary:
		return arrow.BinaryTypes.Binary
	case typeLargeBinary:
		return arrow.BinaryTypes.LargeBinary
	case typeBinaryView:
		return arrow.BinaryTypes.BinaryView
	}
	return nil
}

func pick(i int16, types ...arrow.DataType) arrow.DataType {
	if i < 0 || int(i) >= len(types) {
		return nil
	}
	return types[i]
}

func intType(t flat) arrow.DataType {
	signed := t.byte(1) != 0
	switch width := t.int32(0, 0); {
	case width == 8 && signed:
		return arrow.PrimitiveTypes.Int8
	case width == 16 && signed:
		return arrow.PrimitiveTypes.Int16
	case width == 32 && signed:
		return arrow.PrimitiveTypes.Int32
	case width == 64 && signed:
		return arrow.PrimitiveTypes.Int64
	case width == 8:
		return arrow.PrimitiveTypes.Uint8
	case width == 16:
		return arrow.PrimitiveTypes.Uint16
	case width == 32:
		return arrow.PrimitiveTypes.Uint32
	case width == 64:
		return arrow.PrimitiveTypes.Uint64
	}
	return nil
}

func decimalType(t flat) arrow.DataType {
	precision, scale := t.int32(0, 0), t.int32(1, 0)
	switch t.int32(2, 128) {
	case 128:
		return &arrow.Decimal128Type{Precision: precision, Scale: scale}
	case 256:
		return &arrow.Decimal256Type{Precision: precision, Scale: scale}
	}
	return nil
}
