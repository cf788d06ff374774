// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"errors"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

const (
	uuidExtension = "arrow.uuid"
	// maxScale is the number of digits of the widest decimal type.
	maxScale = 76
)

// field is one node of a schema, with what is needed to step over it in an IPC message.
type field struct {
	name string
	// typ is the storage type of the values; nil for a struct and for what cannot be asked for.
	typ     arrow.DataType
	uuid    bool
	problem string
	// kids of a struct can be asked for; those of other nested types are only stepped over.
	isStruct bool
	kids     []field
	dict     *dictionary
	// buffers is how many the node has of its own; views has further ones, counted per message.
	buffers int
	views   bool
}

// dictionary says that a field holds codes.
type dictionary struct {
	id    int64
	index arrow.DataType
}

// leaf is a column: a field with its place.
type leaf struct {
	field
	path  string
	index []int
	kind  anonymize.Kind
}

// leaves lists the columns of a schema in order.
func leaves(fields []field) []leaf { return appendLeaves(nil, fields, "", nil) }

func appendLeaves(out []leaf, fields []field, prefix string, above []int) []leaf {
	for i, f := range fields {
		index := append(append([]int(nil), above...), i)
		path := prefix + f.name
		if f.isStruct && f.problem == "" {
			out = appendLeaves(out, f.kids, path+".", index)
			continue
		}
		kind, _ := kindOf(f.typ)
		out = append(out, leaf{field: f, path: path, index: index, kind: kind})
	}
	return out
}

// choose finds the named columns, or reports all that cannot be had.
func choose(file string, fields []field, columns []string) ([]leaf, error) {
	byPath := map[string][]leaf{}
	for _, l := range leaves(fields) {
		byPath[l.path] = append(byPath[l.path], l)
	}
	var chosen []leaf
	var errs []error
	for _, c := range columns {
		problem := ""
		switch found := byPath[c]; {
		case len(found) == 0:
			problem = "there is no such column"
		case len(found) > 1:
			problem = "the name stands for several columns; rename them"
		case found[0].problem != "":
			problem = found[0].problem
		default:
			chosen = append(chosen, found[0])
			continue
		}
		errs = append(errs, &table.Error{File: file, Column: c, Problem: problem, Err: table.ErrSchema})
	}
	return chosen, errors.Join(errs...)
}

// kindOf says what values of a storage type become; false where they cannot be had.
func kindOf(dt arrow.DataType) (anonymize.Kind, bool) {
	if dt == nil {
		return anonymize.Bytes, false
	}
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64,
		arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return anonymize.Int, true
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return anonymize.Float, true
	case arrow.BOOL:
		return anonymize.Bool, true
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64:
		return anonymize.Time, true
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY,
		arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY, arrow.DECIMAL128, arrow.DECIMAL256, arrow.NULL:
		return anonymize.Bytes, true
	}
	return anonymize.Bytes, false
}

const (
	problemList  = "it is a list; flatten it before"
	problemUnion = "it is a union or a run-end encoded column; cast it before"
	problemSpan  = "it is a time of day, a duration or an interval; cast it to an integer or to text before"
	problemScale = "its decimal scale is out of range"
	problemNest  = "its dictionary holds nested values; flatten it before"
)

// problemOf says why a type cannot be asked for.
func problemOf(dt arrow.DataType) string {
	switch dt.ID() {
	case arrow.LIST, arrow.LARGE_LIST, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.FIXED_SIZE_LIST, arrow.MAP:
		return problemList
	case arrow.SPARSE_UNION, arrow.DENSE_UNION, arrow.RUN_END_ENCODED:
		return problemUnion
	}
	return problemSpan
}

// fieldsOf describes a schema in memory.
func fieldsOf(in []arrow.Field) []field {
	out := make([]field, len(in))
	for i, f := range in {
		out[i] = fieldOf(f)
	}
	return out
}

func fieldOf(f arrow.Field) field {
	out := field{name: f.Name}
	ext, _ := f.Metadata.GetValue("ARROW:extension:name")
	dt := f.Type
	if e, ok := dt.(arrow.ExtensionType); ok {
		ext, dt = e.ExtensionName(), e.StorageType()
	}
	if d, ok := dt.(*arrow.DictionaryType); ok {
		out.dict = &dictionary{index: d.IndexType}
		dt = d.ValueType
	}
	if s, ok := dt.(*arrow.StructType); ok && out.dict == nil {
		out.isStruct, out.kids = true, fieldsOf(s.Fields())
		return out
	}
	_, usable := kindOf(dt)
	switch {
	case usable && !sane(dt):
		out.problem = problemScale
	case usable:
		out.typ, out.uuid = dt, isUUID(dt, ext)
	case out.dict != nil:
		out.problem = problemNest
	default:
		out.problem = problemOf(dt)
	}
	return out
}

// sane refuses scales that no decimal type can hold: the scale decides how long a value's text is.
func sane(dt arrow.DataType) bool {
	d, ok := dt.(arrow.DecimalType)
	return !ok || -maxScale <= d.GetScale() && d.GetScale() <= maxScale
}

func isUUID(dt arrow.DataType, extension string) bool {
	fixed, ok := dt.(*arrow.FixedSizeBinaryType)
	return ok && fixed.ByteWidth == 16 && extension == uuidExtension
}
