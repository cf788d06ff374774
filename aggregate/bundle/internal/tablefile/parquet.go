// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// createdBy is fixed: the build that wrote a file is nobody's business but ours. Its shape is the one
// that readers parse.
const createdBy = "throng version 1.0.0 (build 0)"

const (
	magic = "PAR1"
	// pageBytes is about how long a page is. Nothing longer is kept in memory.
	pageBytes = 1 << 18
)

// WriteParquet writes the table as one row group of plain, uncompressed pages of the version that every
// reader knows: text as UTF8 strings that are never null, numbers as optional DOUBLE, the one nearest to
// the numeral, where null means withheld. Text is that of [ParquetText]. After an error w may hold a part
// of the file.
//
// It writes pages of its own because the library adds what leads astray: an index without bounds, and
// statistics of pages that say that no number is missing.
func WriteParquet(w io.Writer, t Table) error {
	if err := t.check(); err != nil {
		return err
	}
	f := &parquetFile{w: w}
	f.write([]byte(magic))
	footer := format.FileMetaData{Version: 2, Schema: t.schema(), NumRows: int64(t.Rows), CreatedBy: createdBy}
	group := format.RowGroup{NumRows: int64(t.Rows), FileOffset: f.offset}
	for i := range t.Columns {
		chunk, err := f.column(&t.Columns[i], t.Rows)
		if err != nil {
			return err
		}
		group.Columns = append(group.Columns, format.ColumnChunk{MetaData: chunk})
		footer.ColumnOrders = append(footer.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	group.TotalByteSize = f.offset - group.FileOffset
	group.TotalCompressedSize = group.TotalByteSize
	if t.Rows > 0 {
		footer.RowGroups = []format.RowGroup{group}
	}
	end := f.offset
	f.thrift(&footer)
	f.write(append(binary.LittleEndian.AppendUint32(nil, uint32(f.offset-end)), magic...))
	return f.err
}

func (t Table) schema() []format.SchemaElement {
	all := []format.SchemaElement{{Name: "table", NumChildren: thrift.New(int32(len(t.Columns)))}}
	for _, c := range t.Columns {
		e := format.SchemaElement{Name: c.Name, Type: thrift.New(format.Double), RepetitionType: thrift.New(format.Optional)}
		if c.Text != nil {
			e.Type, e.RepetitionType = thrift.New(format.ByteArray), thrift.New(format.Required)
			e.ConvertedType = thrift.New(deprecated.UTF8)
			e.LogicalType = format.LogicalType{Value: &format.StringType{}}
		}
		all = append(all, e)
	}
	return all
}

// parquetFile writes a file from its beginning to its end.
type parquetFile struct {
	w      io.Writer
	offset int64
	err    error // the first of w

	levels, values []byte // of one page
	numeral        []byte
}

func (f *parquetFile) write(b []byte) {
	if f.err == nil {
		_, f.err = f.w.Write(b)
	}
	f.offset += int64(len(b))
}

func (f *parquetFile) thrift(v any) {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("encoding Parquet: %w", err)
	}
	f.write(b)
}

// column writes the pages of a column.
func (f *parquetFile) column(c *Column, rows int) (format.ColumnMetaData, error) {
	start, pages := f.offset, 0
	meta := format.ColumnMetaData{
		Type: format.Double, Encoding: []format.Encoding{format.Plain, format.RLE}, PathInSchema: []string{c.Name},
		NumValues: int64(rows), DataPageOffset: start,
	}
	if c.Text != nil {
		meta.Type, meta.Encoding = format.ByteArray, meta.Encoding[:1]
	}
	text := lastText{mark: ParquetText}
	for from := 0; from < rows && f.err == nil; pages++ {
		f.levels, f.values = f.levels[:0], f.values[:0]
		to, nulls, err := from, int64(0), error(nil)
		if c.Text != nil {
			to = f.texts(c, &text, from, rows)
		} else if to, nulls, err = f.numbers(c, from, rows); err != nil {
			return meta, err
		}
		f.page(to-from, nulls)
		meta.Statistics.NullCount += nulls
		from = to
	}
	meta.EncodingStats = []format.PageEncodingStats{{PageType: format.DataPage, Encoding: format.Plain, Count: int32(pages)}}
	meta.TotalUncompressedSize = f.offset - start
	meta.TotalCompressedSize = meta.TotalUncompressedSize
	return meta, f.err
}

// texts fills a page with the texts from a row on, and returns the row behind.
func (f *parquetFile) texts(c *Column, last *lastText, from, rows int) (to int) {
	for to = from; to < rows && len(f.values) < pageBytes; to++ {
		text := last.cell(c.Text(to))
		f.values = binary.LittleEndian.AppendUint32(f.values, uint32(len(text)))
		f.values = append(f.values, text...)
	}
	return to
}

// numbers fills a page with the numbers from a row on, and returns the row behind and how many of them
// are withheld. Which of them are is written as runs.
func (f *parquetFile) numbers(c *Column, from, rows int) (to int, nulls int64, err error) {
	f.levels = append(f.levels, 0, 0, 0, 0) // their length
	run, level := uint64(0), byte(0)
	end := func() {
		if run > 0 {
			f.levels = append(binary.AppendUvarint(f.levels, run<<1), level)
		}
	}
	for to = from; to < rows && to-from < pageBytes/8; to++ {
		if f.numeral, err = c.appendNumeral(f.numeral[:0], to); err != nil {
			return to, 0, err
		}
		known := byte(1)
		if len(f.numeral) == 0 {
			known = 0
			nulls++
		} else {
			v, _ := strconv.ParseFloat(string(f.numeral), 64) // a plain decimal of forty digits has one
			f.values = binary.LittleEndian.AppendUint64(f.values, math.Float64bits(v))
		}
		if known != level {
			end()
			run, level = 0, known
		}
		run++
	}
	end()
	binary.LittleEndian.PutUint32(f.levels, uint32(len(f.levels)-4))
	return to, nulls, nil
}

// page writes what has been filled in.
func (f *parquetFile) page(rows int, nulls int64) {
	size := int32(len(f.levels) + len(f.values))
	f.thrift(&format.PageHeader{
		Type: format.DataPage, UncompressedPageSize: size, CompressedPageSize: size,
		CRC: int32(crc32.Update(crc32.ChecksumIEEE(f.levels), crc32.IEEETable, f.values)),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(rows), Encoding: format.Plain,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
			Statistics: format.Statistics{NullCount: nulls},
		}),
	})
	f.write(f.levels)
	f.write(f.values)
}
