// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"

	"github.com/throngdp/throng/anonymize"
)

const (
	// maxSchemaDepth bounds nesting; definition levels above 255 do not occur in any writer.
	maxSchemaDepth = 100
	// maxFixed bounds the length of FIXED_LEN_BYTE_ARRAY values.
	maxFixed = encoding.MaxFixedLenByteArraySize
	// maxScale is the largest precision of any decimal type in use.
	maxScale = 76
)

// leaf is a column of the file.
type leaf struct {
	name     string // dotted path, with [] behind what stands for a list
	index    int    // position among the columns of a row group
	physical format.Type
	width    int // bytes of a fixed length value
	maxLevel int // definition level of a value that is not null
	kind     anonymize.Kind
	convert  conversion
	scale    int
	// refuse says why the column cannot be read; empty where it can.
	refuse string
	// itemLevel is the definition level from which on an item of a list is there; 0 where the leaf is in no list.
	itemLevel int
}

// schemaWalk turns the depth-first list of schema elements into leaves.
type schemaWalk struct {
	elements []format.SchemaElement
	at       int
	leaves   []leaf
}

// walkSchema lists the columns of a file.
func walkSchema(elements []format.SchemaElement) ([]leaf, error) {
	if len(elements) == 0 || elements[0].Type.Valid {
		return nil, malformed("metadata has no schema")
	}
	w := &schemaWalk{elements: elements}
	if err := w.node(place{isRoot: true}); err != nil {
		return nil, err
	}
	if w.at != len(elements) {
		return nil, malformed("the schema has elements that belong to no group")
	}
	return w.leaves, nil
}

// place is where an element stands in the schema.
type place struct {
	isRoot bool
	path   string // of the group above, as its columns are named
	depth  int
	level  int // definition level
	// lists is how many lists the element is in, and itemLevel the definition level of an item of the last.
	lists, itemLevel int
	within           wrapper
	outer            string // the name of the group above
}

// wrapper is a group that lists and maps have for reasons of their own. Names of columns pass it by.
type wrapper uint8

const (
	noWrapper  wrapper = iota
	aroundList         // its only child is repeated, and is the item or has it as its only child
	aroundMap          // its only child is repeated, and has a key and a value
	aroundItem         // its only child is the item
)

// node takes the element at w.at and all below it.
func (w *schemaWalk) node(p place) error {
	if w.at >= len(w.elements) || p.depth > maxSchemaDepth {
		return malformed("the schema's groups do not fit its elements")
	}
	e := &w.elements[w.at]
	w.at++
	below := p.enter(e)
	if e.Type.Valid {
		w.leaves = append(w.leaves, newLeaf(e, below, len(w.leaves)))
		return nil
	}
	for range e.NumChildren.V {
		if err := w.node(below); err != nil {
			return err
		}
	}
	return nil
}

// enter returns the place of what is in an element at p; of a leaf, of its values.
func (p place) enter(e *format.SchemaElement) place {
	below := p
	below.isRoot, below.within, below.outer, below.depth = false, noWrapper, e.Name, p.depth+1
	if p.isRoot {
		return below
	}
	repeated := e.RepetitionType.Valid && e.RepetitionType.V == format.Repeated
	switch {
	case p.within == aroundItem, repeated && (p.within == aroundList || p.within == aroundMap):
	case p.path == "":
		below.path = e.Name
	default:
		below.path += "." + e.Name
	}
	if e.RepetitionType.Valid && e.RepetitionType.V != format.Required {
		below.level++
	}
	if repeated {
		below.path += "[]"
		below.lists++
		below.itemLevel = below.level
	}
	switch around := annotation(e); {
	case e.NumChildren.V != 1:
	case repeated && p.within == aroundList && e.Name != "array" && e.Name != p.outer+"_tuple":
		below.within = aroundItem
	case !repeated:
		below.within = around
	}
	return below
}

// annotation says what a group is around, by its logical type or the converted type of older files.
func annotation(e *format.SchemaElement) wrapper {
	switch e.LogicalType.Value.(type) {
	case *format.ListType:
		return aroundList
	case *format.MapType:
		return aroundMap
	}
	if e.ConvertedType.Valid {
		switch e.ConvertedType.V {
		case deprecated.List:
			return aroundList
		case deprecated.Map, deprecated.MapKeyValue:
			return aroundMap
		}
	}
	return noWrapper
}

func newLeaf(e *format.SchemaElement, p place, index int) leaf {
	l := leaf{name: p.path, index: index, physical: e.Type.V, maxLevel: p.level, itemLevel: p.itemLevel}
	switch l.physical {
	case format.Boolean:
		l.kind = anonymize.Bool
	case format.Int32:
		l.kind, l.width = anonymize.Int, 4
	case format.Int64:
		l.kind, l.width = anonymize.Int, 8
	case format.Int96:
		l.kind, l.width, l.convert = anonymize.Time, 12, fromInt96
	case format.Float:
		l.kind, l.width = anonymize.Float, 4
	case format.Double:
		l.kind, l.width = anonymize.Float, 8
	case format.ByteArray:
		l.kind = anonymize.Bytes
	case format.FixedLenByteArray:
		l.kind, l.width = anonymize.Bytes, int(e.TypeLength.V)
		if l.width < 1 || l.width > maxFixed {
			l.refuse = "the length of FIXED_LEN_BYTE_ARRAY is not supported"
		}
	default:
		l.refuse = "the type is none that Parquet defines"
	}
	if l.refuse == "" {
		l.logical(e)
	}
	if p.lists > 1 {
		l.refuse = "a list within a list is not supported; flatten it"
	}
	return l
}

// logical applies the element's logical type, or the converted type of older files.
func (l *leaf) logical(e *format.SchemaElement) {
	switch t := e.LogicalType.Value.(type) {
	case nil:
		l.converted(e)
	case *format.DateType:
		l.as(format.Int32, anonymize.Time, fromDays)
	case *format.TimestampType:
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			l.as(format.Int64, anonymize.Time, fromMillis)
		case *format.MicroSeconds:
			l.as(format.Int64, anonymize.Time, asIs)
		case *format.NanoSeconds:
			l.as(format.Int64, anonymize.Time, fromNanos)
		default:
			l.refuse = "the unit of TIMESTAMP is not supported"
		}
	case *format.TimeType:
		l.refuse = "TIME (a time of day) is not supported; write a TIMESTAMP or text"
	case *format.IntType:
		if !t.IsSigned {
			l.unsigned()
		}
	case *format.DecimalType:
		l.decimal(t.Scale)
	case *format.UUIDType:
		l.fixed(16, anonymize.Bytes, fromUUID)
	case *format.Float16Type:
		l.fixed(2, anonymize.Float, fromFloat16)
	}
}

func (l *leaf) converted(e *format.SchemaElement) {
	if !e.ConvertedType.Valid {
		return
	}
	switch e.ConvertedType.V {
	case deprecated.Date:
		l.as(format.Int32, anonymize.Time, fromDays)
	case deprecated.TimestampMillis:
		l.as(format.Int64, anonymize.Time, fromMillis)
	case deprecated.TimestampMicros:
		l.as(format.Int64, anonymize.Time, asIs)
	case deprecated.TimeMillis, deprecated.TimeMicros:
		l.refuse = "TIME (a time of day) is not supported; write a TIMESTAMP or text"
	case deprecated.Interval:
		l.refuse = "INTERVAL is not supported; write a number"
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		l.unsigned()
	case deprecated.Decimal:
		l.decimal(e.Scale.V)
	}
}

// as sets a logical type that stands on one physical type only.
func (l *leaf) as(physical format.Type, kind anonymize.Kind, convert conversion) {
	if l.physical != physical {
		l.refuse = "the logical type does not fit the physical type"
		return
	}
	l.kind, l.convert = kind, convert
}

// fixed sets a logical type that stands on FIXED_LEN_BYTE_ARRAY of one length only.
func (l *leaf) fixed(width int, kind anonymize.Kind, convert conversion) {
	l.as(format.FixedLenByteArray, kind, convert)
	if l.width != width {
		l.refuse = "the logical type does not fit the length of FIXED_LEN_BYTE_ARRAY"
	}
}

func (l *leaf) unsigned() {
	if l.physical == format.Int32 {
		l.convert = fromUint32
		return
	}
	l.as(format.Int64, anonymize.Int, fromUint64)
}

func (l *leaf) decimal(scale int32) {
	l.kind, l.scale = anonymize.Bytes, int(scale)
	most := int32(maxScale)
	switch l.physical {
	case format.Int32:
		l.convert, most = fromDecimalInt, 9
	case format.Int64:
		l.convert, most = fromDecimalInt, 18
	case format.ByteArray, format.FixedLenByteArray:
		l.convert = fromDecimalBytes
	default:
		l.refuse = "the logical type does not fit the physical type"
	}
	if scale < 0 || scale > most {
		l.refuse = "the scale of DECIMAL is not supported"
	}
}
