// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"
)

// editFooter returns file with its metadata changed.
func editFooter(t testing.TB, file []byte, edit func(*format.FileMetaData)) []byte {
	n := int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	start := len(file) - 8 - n
	var meta format.FileMetaData
	require.NoError(t, thrift.Unmarshal(new(thrift.CompactProtocol), file[start:start+n], &meta))
	edit(&meta)
	return withFooter(file[:start], encode(t, &meta))
}

func encode(t testing.TB, v any) []byte {
	raw, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	require.NoError(t, err)
	return raw
}

// withFooter puts metadata behind the pages of a file.
func withFooter(pages, footer []byte) []byte {
	out := append(slices.Clone(pages), footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

func halfFloat(meta *format.FileMetaData) {
	meta.Schema[1].LogicalType.Value = new(format.Float16Type)
}

// page is a page of a forged file. An empty CompressedPageSize is that of the body.
type page struct {
	header format.PageHeader
	body   []byte
}

// forge writes a file with one required column "x" of one row group, made of pages and whatever edit
// does to the metadata.
func forge(t testing.TB, typ format.Type, rows int64, pages []page, edit func(*format.FileMetaData)) []byte {
	out := []byte("PAR1")
	for _, p := range pages {
		if p.header.CompressedPageSize == 0 {
			p.header.CompressedPageSize = int32(len(p.body))
		}
		if p.header.UncompressedPageSize == 0 {
			p.header.UncompressedPageSize = int32(len(p.body))
		}
		out = append(out, encode(t, &p.header)...)
		out = append(out, p.body...)
	}
	x := format.SchemaElement{Name: "x"}
	x.Type.V, x.Type.Valid = typ, true
	root := format.SchemaElement{Name: "root"}
	root.NumChildren.V, root.NumChildren.Valid = 1, true
	meta := &format.FileMetaData{
		Version: 1, NumRows: rows, Schema: []format.SchemaElement{root, x},
		RowGroups: []format.RowGroup{{NumRows: rows, Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{
			Type: typ, NumValues: rows, DataPageOffset: 4, TotalCompressedSize: int64(len(out) - 4),
			PathInSchema: []string{"x"}, Encoding: []format.Encoding{format.Plain},
		}}}}},
	}
	if edit != nil {
		edit(meta)
	}
	return withFooter(out, encode(t, meta))
}

// dataPage is the header of a data page of version 1 and its body.
func dataPage(rows int32, encoding format.Encoding, body []byte) page {
	p := page{body: body}
	p.header.Type = format.DataPage
	p.header.DataPageHeader.Valid = true
	p.header.DataPageHeader.V = format.DataPageHeader{
		NumValues: rows, Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
	}
	return p
}

func dictPage(values int32, body []byte) page {
	p := page{body: body}
	p.header.Type = format.DictionaryPage
	p.header.DictionaryPageHeader.Valid = true
	p.header.DictionaryPageHeader.V = format.DictionaryPageHeader{NumValues: values, Encoding: format.Plain}
	return p
}
