// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"errors"
	"strings"

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
	// kids of a struct and the only kid of a list can be asked for; those of other nested types are only stepped over.
	isStruct, isList bool
	kids             []field
	// width is that of a list's offsets in bytes, and 0 where each list has size items.
	width, size int64
	dict        *dictionary
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
	// inList is how many steps of index lead to and into the list that the column is in, 0 for none.
	inList int
	kind   anonymize.Kind
}

// leaves lists the columns of a schema in order.
func leaves(fields []field) (out []leaf) {
	for i := range fields {
		out = appendLeaves(out, leaf{field: fields[i], path: fields[i].name, index: []int{i}})
	}
	return out
}

// appendLeaves adds the columns at and below a place.
func appendLeaves(out []leaf, at leaf) []leaf {
	below := func(kid int, path string) leaf {
		next := leaf{field: at.kids[kid], path: path, index: append(at.index[:len(at.index):len(at.index)], kid), inList: at.inList}
		if at.isList {
			next.inList = len(next.index)
		}
		return next
	}
	switch {
	case at.problem != "":
	case at.isList && at.inList > 0:
		at.problem = problemDeep
	case at.isList:
		return appendLeaves(out, below(0, at.path+"[]"))
	case at.isStruct:
		for i := range at.kids {
			out = appendLeaves(out, below(i, at.path+"."+at.kids[i].name))
		}
		return out
	}
	at.kind, _ = kindOf(at.typ)
	return append(out, at)
}

// asked is a column that was asked for.
type asked struct {
	name string
	// leaves is how many it is made of: with a key, the items' keys and what may be their values.
	leaves int
	key    string
}

// chosen is all that was asked for, and the leaves of it, one after the other.
type chosen struct {
	asked  []asked
	leaves []leaf
}

// choose finds the named columns, or reports all that cannot be had.
func choose(file string, fields []field, columns []string) (chosen, error) {
	var c chosen
	byPath := map[string][]leaf{}
	for _, l := range leaves(fields) {
		byPath[l.path] = append(byPath[l.path], l)
	}
	var errs []error
	for _, name := range columns {
		if problem := c.add(byPath, name); problem != "" {
			errs = append(errs, &table.Error{File: file, Column: name, Problem: problem, Err: table.ErrSchema})
		}
	}
	return c, errors.Join(errs...)
}

// add adds a column, or says why it cannot be had.
func (c *chosen) add(byPath map[string][]leaf, name string) (problem string) {
	found := byPath[name]
	a := asked{name: name, leaves: 1}
	if p, ok := table.ParsePath(name); ok && p.Key != "" && len(found) == 0 {
		keys := byPath[p.Item(table.KeyMember)]
		if len(keys) != 1 || keys[0].problem != "" || keys[0].kind != anonymize.Bytes {
			return `there is no such column: no list of this name has items with a field "key" that is text`
		}
		a.key, found = p.Key, keys
		for _, m := range p.Members() {
			if values := byPath[p.Item(m)]; len(values) == 1 && values[0].problem == "" {
				found = append(found[:len(found):len(found)], values[0])
			}
		}
		if a.leaves = len(found); a.leaves == 1 {
			return "there is no such column: the list's items have no such field that can be read"
		}
	}
	switch {
	case len(found) == 0 && len(byPath[name+"[]"]) > 0:
		return `it is a list; name its items as "list[]"`
	case len(found) == 0 && hasBelow(byPath, name+"[]."):
		return `it is a list of structs; name a field of them as "list[].field", or what a key says as "list[key]"`
	case len(found) == 0:
		return "there is no such column"
	case len(found) > a.leaves:
		return "the name stands for several columns; rename them"
	case found[0].problem != "":
		return found[0].problem
	}
	c.asked = append(c.asked, a)
	for _, l := range found {
		l.path = name
		c.leaves = append(c.leaves, l)
	}
	return ""
}

func hasBelow(byPath map[string][]leaf, prefix string) bool {
	for path := range byPath {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
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
	problemList  = "it is a list of views; cast it to a list before"
	problemDeep  = "it is a list within a list; flatten it before"
	problemUnion = "it is a union or a run-end encoded column; cast it before"
	problemSpan  = "it is a time of day, a duration or an interval; cast it to an integer or to text before"
	problemScale = "its decimal scale is out of range"
	problemNest  = "its dictionary holds nested values; flatten it before"
)

// problemOf says why a type cannot be asked for.
func problemOf(dt arrow.DataType) string {
	switch dt.ID() {
	case arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW:
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
	if l, ok := dt.(arrow.ListLikeType); ok && out.dict == nil && !isView(dt) {
		out.isList, out.kids = true, []field{fieldOf(l.ElemField())}
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

func isView(dt arrow.DataType) bool {
	return dt.ID() == arrow.LIST_VIEW || dt.ID() == arrow.LARGE_LIST_VIEW
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
