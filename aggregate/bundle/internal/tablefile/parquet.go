// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// createdBy is fixed: the build that wrote a file is nobody's business but ours. Its shape is the one
// that readers parse.
const createdBy = "throng version 1.0.0 (build 0)"

// rowsPerWrite bounds the rows that are turned into Parquet's values at a time.
const rowsPerWrite = 1024

// WriteParquet writes the table as one row group of plain, uncompressed pages: text as UTF8 strings
// that are never null, numbers as optional DOUBLE, the one nearest to the numeral, where null means
// withheld. Text is that of
// [ParquetText].
func WriteParquet(w io.Writer, t Table) error {
	rows, err := t.rows()
	if err != nil {
		return err
	}
	var file bytes.Buffer
	out := parquet.NewWriter(&file, &parquet.WriterConfig{
		CreatedBy:       createdBy,
		Schema:          t.schema(),
		Compression:     &parquet.Uncompressed,
		DataPageVersion: 1, // the version that every reader knows
		SkipPageBounds:  t.paths(),
	}, parquet.DataPageStatistics(false))
	for from := 0; from < rows; from += rowsPerWrite {
		if _, err := out.WriteRows(t.values(from, min(from+rowsPerWrite, rows))); err != nil {
			return fmt.Errorf("encoding Parquet: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("encoding Parquet: %w", err)
	}
	return stripIndex(w, file.Bytes())
}

// orderedGroup is a group whose fields stand in the table's order; parquet.Group sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

func (t Table) schema() *parquet.Schema {
	group := parquet.Group{}
	order := map[string]int{}
	for i, c := range t.Columns {
		order[c.Name] = i
		if c.Text != nil {
			group[c.Name] = parquet.Encoded(parquet.String(), &parquet.Plain)
		} else {
			group[c.Name] = parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain))
		}
	}
	fields := group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return order[a.Name()] - order[b.Name()] })
	return parquet.NewSchema("table", orderedGroup{group, fields})
}

func (t Table) paths() [][]string {
	paths := make([][]string, len(t.Columns))
	for i, c := range t.Columns {
		paths[i] = []string{c.Name}
	}
	return paths
}

func (t Table) values(from, to int) []parquet.Row {
	rows := make([]parquet.Row, 0, to-from)
	for i := from; i < to; i++ {
		row := make(parquet.Row, len(t.Columns))
		for j := range t.Columns {
			row[j] = t.Columns[j].value(i, j)
		}
		rows = append(rows, row)
	}
	return rows
}

func (c *Column) value(row, column int) parquet.Value {
	if c.Text != nil {
		return parquet.ByteArrayValue([]byte(ParquetText(c.Text[row]))).Level(0, 0, column)
	}
	v, err := strconv.ParseFloat(c.Numerals[row], 64)
	if err != nil { // the numeral is empty: all others have been checked
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.DoubleValue(v).Level(0, 1, column)
}

// footerTail is the length of the footer and the magic number at the end of a file.
const footerTail = 8

// stripIndex writes file without its page index and size statistics. The library always writes both,
// and an index without bounds misleads readers that skip pages by it. The index lies between the last
// page and the footer, so that no offset changes.
func stripIndex(w io.Writer, file []byte) error {
	tail := len(file) - footerTail
	length := int(binary.LittleEndian.Uint32(file[tail:]))
	var footer format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), file[tail-length:tail], &footer); err != nil {
		return fmt.Errorf("decoding a Parquet footer: %w", err)
	}
	end := tail - length
	for g := range footer.RowGroups {
		columns := footer.RowGroups[g].Columns
		for i := range columns {
			end = min(end, int(columns[i].ColumnIndexOffset), int(columns[i].OffsetIndexOffset))
			columns[i] = format.ColumnChunk{
				FileOffset: columns[i].FileOffset,
				MetaData:   columns[i].MetaData,
			}
			columns[i].MetaData.SizeStatistics = format.SizeStatistics{}
		}
	}
	encoded, err := thrift.Marshal(new(thrift.CompactProtocol), &footer)
	if err != nil {
		return fmt.Errorf("encoding a Parquet footer: %w", err)
	}
	pages := file[:end:end]
	encoded = binary.LittleEndian.AppendUint32(encoded, uint32(len(encoded)))
	_, err = io.Copy(w, io.MultiReader(bytes.NewReader(pages), bytes.NewReader(encoded), strings.NewReader("PAR1")))
	return err
}
