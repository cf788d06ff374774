// SPDX-License-Identifier: Apache-2.0

package structio

import (
	"encoding"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

const (
	tagName = "throng"
	// maxDepth stops at types that contain pointers to themselves.
	maxDepth = 8
)

var (
	timeType      = reflect.TypeFor[time.Time]()
	bytesType     = reflect.TypeFor[[]byte]()
	marshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// field is a column: the way to it through T, one index per struct.
type field struct {
	path  string
	index []int
	kind  anonymize.Kind
	// isList says that the field is a slice of such values.
	isList bool
}

// walk collects the fields of a type and its faults.
type walk struct {
	file   string
	fields []field
	errs   []error
}

func fieldsOf(file string, t reflect.Type) ([]field, error) {
	w := walk{file: file}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, &table.Error{File: file, Problem: "its rows are no structs", Err: table.ErrSchema}
	}
	w.structure(t, "", nil)
	if len(w.fields) == 0 && len(w.errs) == 0 {
		w.fault("", `no field has a tag; add throng:"name" to those that may be read`)
	}
	w.unique()
	return w.fields, errors.Join(w.errs...)
}

func (w *walk) fault(path, problem string) {
	w.errs = append(w.errs, &table.Error{File: w.file, Column: path, Problem: problem, Err: table.ErrSchema})
}

func (w *walk) unique() {
	seen := map[string]bool{}
	for _, f := range w.fields {
		if seen[f.path] {
			w.fault(f.path, "two fields have this tag; rename one")
		}
		seen[f.path] = true
	}
}

func (w *walk) structure(t reflect.Type, prefix string, above []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get(tagName)
		index := append(append([]int(nil), above...), i)
		switch {
		case tag == "-" || tag == "" && !f.Anonymous:
		case tag == "":
			w.embedded(f, prefix, index)
		case strings.ContainsRune(tag, ','):
			w.fault(prefix+tag, "the tag has a comma; it holds a name and no options")
		case !f.IsExported():
			w.fault(prefix+tag, "its field is not exported; begin its name with a capital")
		default:
			w.tagged(f.Type, prefix+tag, index)
		}
	}
}

// embedded looks into an embedded struct; anything else that is embedded needs a tag to be read.
func (w *walk) embedded(f reflect.StructField, prefix string, index []int) {
	t := target(f.Type)
	// Go does not let anyone follow a pointer that an unexported field holds.
	if t.Kind() != reflect.Struct || !f.IsExported() && f.Type.Kind() == reflect.Pointer {
		return
	}
	if len(index) <= maxDepth {
		w.structure(t, prefix, index)
	}
}

func (w *walk) tagged(t reflect.Type, path string, index []int) {
	kind, ok := kindOf(t)
	t = target(t)
	switch {
	case ok:
		w.fields = append(w.fields, field{path: path, index: index, kind: kind})
	case t.Kind() == reflect.Slice:
		item, ok := kindOf(t.Elem())
		if !ok {
			w.fault(path, "its items cannot be read; use a slice of text, numbers, bools or times")
			return
		}
		w.fields = append(w.fields, field{path: path + "[]", index: index, kind: item, isList: true})
	case t.Kind() == reflect.Struct && len(index) <= maxDepth:
		before := len(w.fields) + len(w.errs)
		w.structure(t, path+".", index)
		if len(w.fields)+len(w.errs) == before {
			w.fault(path, "its struct has no tagged field; tag one, or implement encoding.TextMarshaler")
		}
	case t.Kind() == reflect.Struct:
		w.fault(path, "structs nest too deeply; give the type its own fields")
	default:
		w.fault(path, "its type "+t.Kind().String()+" cannot be a column; use text, a number, a bool or a time")
	}
}

// target follows pointers.
func target(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// kindOf says what values of a type become; false where they are no column.
func kindOf(t reflect.Type) (anonymize.Kind, bool) {
	t = target(t)
	switch {
	case t == timeType:
		return anonymize.Time, true
	case marshals(t), isBytes(t):
		return anonymize.Bytes, true
	}
	switch t.Kind() {
	case reflect.String:
		return anonymize.Bytes, true
	case reflect.Bool:
		return anonymize.Bool, true
	case reflect.Float32, reflect.Float64:
		return anonymize.Float, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return anonymize.Int, true
	}
	return anonymize.Bytes, false
}

// marshals says whether a value, or a pointer to it, makes its own text.
func marshals(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(marshalerType)
}

func isBytes(t reflect.Type) bool { return t.Kind() == reflect.Slice && t.ConvertibleTo(bytesType) }
