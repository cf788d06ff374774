// SPDX-License-Identifier: Apache-2.0

package structio

import (
	"encoding"
	"math"
	"reflect"
	"time"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// getter appends a column's value in the current row. rows is how many the column holds already.
//
// A getter is compiled for the one place that rows are copied to: it holds a typed pointer into it, so
// that no row costs a reflection. Only where a pointer leads to a struct, or to a type that has a
// name, is one value moved by reflection, without allocating.
type getter func(c *table.Column, rows int)

// compile makes the getter of f for the row at v, which is addressable.
func (f *field) compile(v reflect.Value) getter {
	return f.follow(v, f.index)
}

func (f *field) follow(v reflect.Value, index []int) getter {
	if v.Kind() == reflect.Pointer {
		if get := direct(v); get != nil && len(index) == 0 && !f.isList {
			return get
		}
		pointed := reflect.New(v.Type().Elem()).Elem()
		get := f.follow(pointed, index)
		return func(c *table.Column, rows int) {
			if v.IsNil() {
				f.appendNothing(c, rows)
				return
			}
			pointed.Set(v.Elem())
			get(c, rows)
		}
	}
	if len(index) > 0 {
		return f.follow(v.Field(index[0]), index[1:])
	}
	if f.isList {
		return f.list(v)
	}
	return leaf(v)
}

// list is for a slice; its items are moved by reflection, one by one, to where their getter finds them.
func (f *field) list(v reflect.Value) getter {
	item := reflect.New(v.Type().Elem()).Elem()
	get := (&field{kind: f.kind}).follow(item, nil)
	return func(c *table.Column, _ int) {
		at := int(c.Starts[len(c.Starts)-1])
		n := min(v.Len(), table.MaxItems)
		for i := range n {
			item.Set(v.Index(i))
			get(c.Items, at+i)
		}
		c.Starts = append(c.Starts, uint32(at+n))
	}
}

// appendNothing appends a null, or a list without items.
func (f *field) appendNothing(c *table.Column, rows int) {
	if f.isList {
		c.Starts = append(c.Starts, c.Starts[len(c.Starts)-1])
		return
	}
	appendNull(c, f.kind, rows)
}

// direct is for the pointers that optional fields usually are.
func direct(v reflect.Value) getter {
	switch p := v.Addr().Interface().(type) {
	case **string:
		return optional(p, anonymize.Bytes, appendString)
	case **int64:
		return optional(p, anonymize.Int, appendInt)
	case **int:
		return optional(p, anonymize.Int, appendInt)
	case **int32:
		return optional(p, anonymize.Int, appendInt)
	case **float64:
		return optional(p, anonymize.Float, appendFloat)
	case **bool:
		return optional(p, anonymize.Bool, appendBool)
	case **time.Time:
		return optional(p, anonymize.Time, appendTime)
	}
	return nil
}

func optional[T any](p **T, kind anonymize.Kind, add func(*table.Column, int, T)) getter {
	return func(c *table.Column, rows int) {
		if *p == nil {
			appendNull(c, kind, rows)
			return
		}
		add(c, rows, **p)
	}
}

// leaf is the getter of a value that is no pointer.
func leaf(v reflect.Value) getter {
	t := v.Type()
	switch {
	case t == timeType:
		return always(place[time.Time](v), appendTime)
	case marshals(t):
		return marshaled(v)
	case isBytes(t):
		return always(place[[]byte](v), appendBytes)
	}
	switch t.Kind() {
	case reflect.String:
		return always(place[string](v), appendString)
	case reflect.Bool:
		return always(place[bool](v), appendBool)
	case reflect.Float32:
		return always(place[float32](v), appendFloat)
	case reflect.Float64:
		return always(place[float64](v), appendFloat)
	case reflect.Int:
		return always(place[int](v), appendInt)
	case reflect.Int8:
		return always(place[int8](v), appendInt)
	case reflect.Int16:
		return always(place[int16](v), appendInt)
	case reflect.Int32:
		return always(place[int32](v), appendInt)
	case reflect.Int64:
		return always(place[int64](v), appendInt)
	case reflect.Uint:
		return always(place[uint](v), appendUint)
	case reflect.Uint8:
		return always(place[uint8](v), appendUint)
	case reflect.Uint16:
		return always(place[uint16](v), appendUint)
	case reflect.Uint32:
		return always(place[uint32](v), appendUint)
	case reflect.Uint64:
		return always(place[uint64](v), appendUint)
	}
	return always(place[uintptr](v), appendUint)
}

// place returns where v is, as a pointer to the type under its name.
func place[T any](v reflect.Value) *T {
	return v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
}

func always[T any](p *T, add func(*table.Column, int, T)) getter {
	return func(c *table.Column, rows int) { add(c, rows, *p) }
}

// marshaled is for types that make their own text. AppendText, where a type has it, saves a copy.
func marshaled(v reflect.Value) getter {
	p := v.Addr().Interface()
	if a, ok := p.(encoding.TextAppender); ok {
		return func(c *table.Column, rows int) {
			before := len(c.Data)
			data, err := a.AppendText(c.Data)
			if err != nil || len(data) < before {
				appendNull(c, anonymize.Bytes, rows)
				return
			}
			c.Data = data
			endText(c, rows)
		}
	}
	m := p.(encoding.TextMarshaler)
	return func(c *table.Column, rows int) {
		text, err := m.MarshalText()
		if err != nil {
			text = nil
		} else if text == nil {
			text = []byte{}
		}
		appendBytes(c, rows, text)
	}
}

// begin notes that the row has a value.
func begin(c *table.Column, kind anonymize.Kind) {
	c.Kind = kind
	if len(c.Valid) > 0 {
		c.Valid = append(c.Valid, true)
	}
}

// appendNull appends a null; Valid is written out when the first one comes.
func appendNull(c *table.Column, kind anonymize.Kind, rows int) {
	c.Kind = kind
	for len(c.Valid) < rows {
		c.Valid = append(c.Valid, true)
	}
	c.Valid = append(c.Valid, false)
	switch kind {
	case anonymize.Bytes:
		endBytes(c)
	case anonymize.Float:
		c.Floats = append(c.Floats, 0)
	default:
		c.Ints = append(c.Ints, 0)
	}
}

func endText(c *table.Column, _ int) {
	begin(c, anonymize.Bytes)
	endBytes(c)
}

// endBytes closes the text of a row.
func endBytes(c *table.Column) {
	if len(c.Offsets) == 0 {
		c.Offsets = append(c.Offsets, 0)
	}
	c.Offsets = append(c.Offsets, uint32(len(c.Data)))
}

func appendString(c *table.Column, rows int, s string) {
	c.Data = append(c.Data, s...)
	endText(c, rows)
}

func appendBytes(c *table.Column, rows int, b []byte) {
	if b == nil {
		appendNull(c, anonymize.Bytes, rows)
		return
	}
	c.Data = append(c.Data, b...)
	endText(c, rows)
}

func appendInt[T int | int8 | int16 | int32 | int64](c *table.Column, _ int, v T) {
	begin(c, anonymize.Int)
	c.Ints = append(c.Ints, int64(v))
}

func appendUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](c *table.Column, rows int, v T) {
	if uint64(v) > math.MaxInt64 {
		appendNull(c, anonymize.Int, rows)
		return
	}
	begin(c, anonymize.Int)
	c.Ints = append(c.Ints, int64(v))
}

func appendFloat[T float32 | float64](c *table.Column, _ int, v T) {
	begin(c, anonymize.Float)
	c.Floats = append(c.Floats, float64(v))
}

func appendBool(c *table.Column, _ int, v bool) {
	begin(c, anonymize.Bool)
	bit := int64(0)
	if v {
		bit = 1
	}
	c.Ints = append(c.Ints, bit)
}

// appendTime refuses instants whose microseconds wrap.
func appendTime(c *table.Column, rows int, t time.Time) {
	const limit = math.MaxInt64 / 1_000_000
	if s := t.Unix(); s >= limit || s <= -limit {
		appendNull(c, anonymize.Time, rows)
		return
	}
	begin(c, anonymize.Time)
	c.Ints = append(c.Ints, t.UnixMicro())
}
