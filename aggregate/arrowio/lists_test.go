// SPDX-License-Identifier: Apache-2.0

package arrowio_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

var (
	text       = arrow.BinaryTypes.String
	valueType  = arrow.StructOf(arrow.Field{Name: "string_value", Type: text, Nullable: true}, arrow.Field{Name: "int_value", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	coded      = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: text}
	listSchema = arrow.NewSchema([]arrow.Field{
		{Name: "secret", Type: arrow.ListOf(text), Nullable: true},
		{Name: "id", Type: text},
		{Name: "tags", Type: arrow.ListOf(text), Nullable: true},
		{Name: "numbers", Type: arrow.LargeListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "params", Type: arrow.ListOf(arrow.StructOf(arrow.Field{Name: "key", Type: text}, arrow.Field{Name: "value", Type: valueType, Nullable: true}))},
	}, nil)
	codedSchema = arrow.NewSchema([]arrow.Field{
		{Name: "secret", Type: arrow.ListOf(coded), Nullable: true},
		{Name: "id", Type: text},
		{Name: "tags", Type: arrow.LargeListOf(coded), Nullable: true},
		{Name: "numbers", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "params", Type: arrow.MapOf(coded, valueType), Nullable: true},
	}, nil)
)

func appendText(t *testing.T, b array.Builder, s *string) {
	if s == nil {
		b.AppendNull()
		return
	}
	require.NoError(t, b.AppendValueFromString(*s))
}

// listRecord encodes one record.
func listRecord(t *testing.T, b *array.RecordBuilder, r tabletest.Record) {
	secret := b.Field(0).(array.ListLikeBuilder)
	secret.Append(true)
	for i := range r.Secret {
		appendText(t, secret.ValueBuilder(), &r.Secret[i])
	}
	appendText(t, b.Field(1), &r.ID)
	tags := b.Field(2).(array.ListLikeBuilder)
	tags.Append(r.Tags != nil)
	for _, tag := range r.Tags {
		appendText(t, tags.ValueBuilder(), tag)
	}
	numbers := b.Field(3).(array.ListLikeBuilder)
	numbers.Append(r.Numbers != nil)
	for _, n := range r.Numbers {
		numbers.ValueBuilder().(*array.Int64Builder).Append(n)
	}
	params := b.Field(4).(array.ListLikeBuilder)
	params.Append(true)
	for _, p := range r.Params {
		var key, item array.Builder
		if m, ok := b.Field(4).(*array.MapBuilder); ok {
			key, item = m.KeyBuilder(), m.ItemBuilder()
		} else {
			s := params.ValueBuilder().(*array.StructBuilder)
			s.Append(true)
			key, item = s.FieldBuilder(0), s.FieldBuilder(1)
		}
		appendText(t, key, &p.Key)
		value := item.(*array.StructBuilder)
		if p.Text == nil && p.Int == nil {
			value.AppendNull()
			continue
		}
		value.Append(true)
		appendText(t, value.FieldBuilder(0), p.Text)
		if p.Int == nil {
			value.FieldBuilder(1).AppendNull()
		} else {
			value.FieldBuilder(1).(*array.Int64Builder).Append(*p.Int)
		}
	}
}

func listBatches(t *testing.T, schema *arrow.Schema, records []tabletest.Record) (out []arrow.Record) {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i, r := range records {
		listRecord(t, b, r)
		if i%500 == 499 {
			out = append(out, b.NewRecord())
		}
	}
	return append(out, b.NewRecord())
}

func TestSourcesKeepTheContractOfLists(t *testing.T) {
	for name, schema := range map[string]*arrow.Schema{"values": listSchema, "codes": codedSchema} {
		for form, open := range map[string]func(t *testing.T, batches []arrow.Record) table.Source{
			"records": func(t *testing.T, batches []arrow.Record) table.Source { return recordSource(t, schema, batches) },
			"parts of records": func(t *testing.T, batches []arrow.Record) table.Source {
				var parts []arrow.Record
				for _, b := range batches {
					half := b.NumRows() / 3
					parts = append(parts, b.NewSlice(0, half), b.NewSlice(half, b.NumRows()))
				}
				return recordSource(t, schema, parts)
			},
			"file": func(t *testing.T, batches []arrow.Record) table.Source {
				if name == "codes" {
					batches = batches[:1] // a file cannot replace its dictionary
				}
				return fileSource(ipcFile(t, schema, batches, ipc.WithZstd()))
			},
			"stream": func(t *testing.T, batches []arrow.Record) table.Source {
				return streamSource(ipcStream(t, schema, batches))
			},
		} {
			t.Run(name+" "+form, func(t *testing.T) {
				tabletest.TestLists(t, func(t *testing.T, records []tabletest.Record) table.Source {
					batches := listBatches(t, schema, records)
					if form == "file" && name == "codes" {
						b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
						for _, r := range records {
							listRecord(t, b, r)
						}
						batches = []arrow.Record{b.NewRecord()}
					}
					return open(t, batches)
				}, tabletest.Without{})
			})
		}
	}
}

func TestListsOfOtherKinds(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "fixed", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16), Nullable: true},
		{Name: "deep", Type: arrow.ListOf(arrow.ListOf(text)), Nullable: true},
		{Name: "view", Type: arrow.ListViewOf(text), Nullable: true},
		{Name: "in", Type: arrow.StructOf(arrow.Field{Name: "list", Type: arrow.ListOf(text), Nullable: true}), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	fixed := b.Field(0).(*array.FixedSizeListBuilder)
	in := b.Field(3).(*array.StructBuilder)
	for i := range 3 {
		for f := range 3 {
			if f > 0 {
				b.Field(f).AppendNull()
			}
		}
		if i == 1 {
			fixed.AppendNull()
			in.AppendNull()
			continue
		}
		fixed.Append(true)
		fixed.ValueBuilder().(*array.Int16Builder).AppendValues([]int16{int16(i), -1}, nil)
		in.Append(true)
		list := in.FieldBuilder(0).(*array.ListBuilder)
		list.Append(true)
		list.ValueBuilder().(*array.StringBuilder).Append(fmt.Sprint("item ", i))
	}
	records := []arrow.Record{b.NewRecord()}
	for name, src := range map[string]table.Source{
		"records": recordSource(t, schema, records), "file": fileSource(ipcFile(t, schema, records)),
	} {
		got, err := src.Schema(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []table.Field{{Name: "fixed[]", Kind: anonymize.Int}, {Name: "in.list[]"}}, got.Fields, name)
		readers, err := src.Open(t.Context(), []string{"in.list[]", "fixed[]"})
		require.NoError(t, err)
		var batch table.Batch
		require.NoError(t, readers[0].Next(t.Context(), &batch))
		assert.Equal(t, []uint32{0, 1, 1, 2}, batch.Columns[0].Starts, name)
		assert.Equal(t, "item 2", string(batch.Columns[0].Items.Text(1)), name)
		assert.Equal(t, []uint32{0, 2, 2, 4}, batch.Columns[1].Starts, name)
		assert.Equal(t, []int64{0, -1, 2, -1}, batch.Columns[1].Items.Ints, name)

		_, err = src.Open(t.Context(), []string{"deep[]", "view", "fixed", "fixed[x]"})
		assert.ErrorContains(t, err, `column "deep[]": it is a list within a list; flatten it before`, name)
		assert.ErrorContains(t, err, `column "view": it is a list of views; cast it to a list before`, name)
		assert.ErrorContains(t, err, `column "fixed": it is a list; name its items as "list[]"`, name)
		assert.ErrorContains(t, err, `column "fixed[x]": there is no such column: no list of this name has items with a field "key" that is text`, name)
	}
}
