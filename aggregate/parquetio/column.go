// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// column reads one column of one row group, a page at a time.
type column struct {
	name    string
	leaf    *leaf
	source  io.ReaderAt
	scratch *scratch
	offset  int64 // of the next page
	end     int64
	left    int64 // rows of the row group in pages not yet loaded
	skip    int64 // rows that are another reader's, before the first of this one
	codec   format.CompressionCodec
	dict    *table.Dict

	// page holds the rows of the page last loaded, of which at are taken. Those of a list are in lists, nil for a
	// leaf that is in none.
	page     table.Column
	at, rows int
	lists    *rows

	// texts is the memory that the page's texts stand in, where they were left as the file has them.
	texts []byte

	// lost says that a decoder did not return and may still write to this column.
	lost bool
}

// scratch is the memory that the columns of one reader take turns with.
type scratch struct {
	window, raw, body []byte
	patched, bits     []byte
	levels, repeats   []uint8
	int32s            []int32
	floats            []float32
	text              []byte
	offsets           []uint32
	lengths, prefixes []int32
	codec             codecs
}

func (s *scratch) close() {
	s.codec.close()
	*s = scratch{}
}

// load loads the next page that has rows, and the dictionary before it. It returns how many bytes
// it read. A page that begins with another reader's rows is that one's to count.
func (c *column) load(ctx context.Context) (read int64, err error) {
	defer recovered(&err)
	c.at, c.rows = 0, 0
	if c.lists != nil {
		if err := c.lists.drop(); err != nil {
			return read, err
		}
	}
	for c.rows == 0 {
		if err := ctx.Err(); err != nil {
			return read, err
		}
		if c.offset >= c.end {
			if c.lists != nil && c.lists.isOpen && c.left == 0 {
				c.rows, c.lists.isOpen = 1, false
				break
			}
			return read, malformed("the column's pages hold fewer rows than the row group")
		}
		h, err := c.header()
		if err != nil {
			return read, err
		}
		body := c.offset + int64(h.size)
		if c.skip == 0 {
			read += int64(h.size) + h.compressed
		}
		c.offset = body + h.compressed
		if err := c.loadPage(&h, body); err != nil {
			return read, err
		}
	}
	c.at, c.skip = int(c.skip), 0
	return read, nil
}

// header reads and checks the header of the page at c.offset.
func (c *column) header() (pageHeader, error) {
	left := c.end - c.offset
	for _, window := range []int64{smallWindow, largeWindow} {
		window = min(window, left)
		c.scratch.window = grow(c.scratch.window, int(window))
		if err := readFull(c.source, c.scratch.window, c.offset); err != nil {
			return pageHeader{}, err
		}
		if h, ok := parsePageHeader(c.scratch.window); ok {
			return h, h.check(left - int64(h.size))
		}
		if window == left {
			break
		}
	}
	return pageHeader{}, malformed("a page header is damaged")
}

// loadPage reads and decodes one page. A page that is neither data nor a dictionary is passed over.
func (c *column) loadPage(h *pageHeader, at int64) error {
	switch format.PageType(h.kind) {
	case format.DataPage, format.DataPageV2:
		if c.lists != nil {
			if h.rows > c.lists.left {
				return malformed("the column's pages hold more values than the row group")
			}
			if c.lists.left -= h.rows; h.rows == 0 {
				return nil
			}
			if h.rows > maxPageItems {
				return tooLarge("a page has more than 4194304 items of lists; write smaller row groups")
			}
			break
		}
		if h.rows > c.left {
			return malformed("the column's pages hold more rows than the row group")
		}
		if h.rows <= c.skip || h.rows == 0 {
			c.skip -= h.rows
			c.left -= h.rows
			return nil
		}
	case format.DictionaryPage:
		if c.dict != nil {
			return malformed("the column has two dictionaries in one row group")
		}
	default:
		return nil
	}
	if h.rows > maxPageRows {
		return tooLarge("a page has more than 8388608 rows; write smaller row groups")
	}
	c.scratch.raw = grow(c.scratch.raw, int(h.compressed)+slack)[:h.compressed]
	if err := readFull(c.source, c.scratch.raw, at); err != nil {
		return err
	}
	err := guard(decodeTime, func() error { return c.decode(h) })
	if err == errTimeout {
		c.lost = true
	}
	return err
}

// decode decodes the page in scratch.raw.
func (c *column) decode(h *pageHeader) error {
	raw := c.scratch.raw
	if h.crc >= 0 && int64(crc32.ChecksumIEEE(raw)) != h.crc {
		return malformed("a page does not match its checksum")
	}
	if format.PageType(h.kind) == format.DictionaryPage {
		return c.decodeDict(h)
	}
	rows := int(h.rows)
	repeats, levels, body, err := c.split(h)
	if err != nil {
		return err
	}
	if c.lists != nil {
		return c.decodeLists(h, repeats, levels, body)
	}
	values, err := c.presence(levels, rows)
	if err != nil {
		return err
	}
	if h.nulls >= 0 && int64(rows-values) != h.nulls {
		return malformed("a page header has another number of nulls than the page")
	}
	if err := c.decodeValues(h, body, values); err != nil {
		return err
	}
	if c.page.Lead > 0 {
		c.keepTexts(h)
	}
	spread(&c.page, c.scratch.levels, c.leaf.maxLevel, rows, values)
	c.rows = rows
	c.left -= h.rows
	return nil
}

// keepTexts exchanges the memory that the page's texts stand in for that of the page before: no other
// column may write to it.
func (c *column) keepTexts(h *pageHeader) {
	from := &c.scratch.body
	if c.codec == format.Uncompressed || h.isPlain {
		from = &c.scratch.raw
	}
	c.texts, *from = *from, c.texts
}

// split decompresses the page and parts its repetition and definition levels from its values.
func (c *column) split(h *pageHeader) (repeats, levels, body []byte, err error) {
	s := c.scratch
	if format.PageType(h.kind) == format.DataPageV2 {
		head := int(h.repeatBytes + h.levelBytes)
		repeats, levels, body = s.raw[:h.repeatBytes], s.raw[h.repeatBytes:head], s.raw[head:]
		if !h.isPlain {
			body, err = s.codec.decompress(&s.body, body, int(h.uncompressed)-head, c.codec)
		}
		return repeats, levels, body, err
	}
	if body, err = s.codec.decompress(&s.body, s.raw, int(h.uncompressed), c.codec); err != nil {
		return nil, nil, nil, err
	}
	if c.leaf.maxLevel == 0 {
		return nil, nil, body, nil
	}
	if h.levels != int64(format.RLE) || c.lists != nil && h.repeats != int64(format.RLE) {
		return nil, nil, nil, unsupported("the column's levels have the withdrawn encoding BIT_PACKED; rewrite the file")
	}
	if c.lists != nil {
		if repeats, body, err = prefixed(body); err != nil {
			return nil, nil, nil, err
		}
	}
	levels, body, err = prefixed(body)
	return repeats, levels, body, err
}

// prefixed parts bytes that stand after their length from what follows.
func prefixed(data []byte) (head, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errTruncated
	}
	n := binary.LittleEndian.Uint32(data)
	if uint64(n) > uint64(len(data)-4) {
		return nil, nil, errTruncated
	}
	return data[4 : 4+n], data[4+n:], nil
}

// presence decodes definition levels to scratch.levels and returns how many rows have a value.
func (c *column) presence(levels []byte, rows int) (values int, err error) {
	if c.leaf.maxLevel == 0 {
		return rows, nil
	}
	s := c.scratch
	width := bits.Len(uint(c.leaf.maxLevel))
	if isRun(levels, uint64(rows), byte(c.leaf.maxLevel)) {
		return rows, nil
	}
	if s.levels, err = decodeLevels(s.levels, levels, width, rows, &s.patched); err != nil {
		return 0, err
	}
	for _, l := range s.levels {
		if int(l) == c.leaf.maxLevel {
			values++
		}
	}
	return values, nil
}

// plainDictionary is how files of format 1 call both a dictionary and the indexes into it.
const plainDictionary format.Encoding = 2

// decodeValues decodes n values, none null, to c.page.
func (c *column) decodeValues(h *pageHeader, body []byte, n int) error {
	c.page.Reset()
	c.page.Kind = c.leaf.kind
	switch format.Encoding(h.encoding) {
	case plainDictionary, format.RLEDictionary:
		return c.decodeCodes(body, n)
	}
	if n == 0 {
		// All rows are null; writers leave the body empty or put an encoding's empty header there.
		c.page.Offsets = append(c.page.Offsets, 0)
		return nil
	}
	v := decoder{leaf: c.leaf, scratch: c.scratch, out: &c.page}
	return v.decode(body, n, format.Encoding(h.encoding))
}

// decodeCodes decodes indexes of the dictionary.
func (c *column) decodeCodes(body []byte, n int) error {
	if c.dict == nil {
		return malformed("the column has dictionary indexes and no dictionary")
	}
	c.page.Dict = c.dict
	c.page.Codes = grow(c.page.Codes, n)
	if n == 0 {
		return nil
	}
	if len(body) == 0 || body[0] > 32 {
		return malformed("dictionary indexes are damaged")
	}
	s := c.scratch
	indexes, err := decodeIndexes(s.int32s, body[1:], int(body[0]), n, &s.patched)
	if err != nil {
		return err
	}
	s.int32s = indexes
	var highest uint32
	codes := c.page.Codes[:len(indexes)]
	for i, index := range indexes {
		codes[i] = uint32(index)
		highest = max(highest, uint32(index))
	}
	if int64(highest) >= int64(c.dict.Len) {
		return malformed("a dictionary index is past the dictionary's end")
	}
	return nil
}

// decodeDict decodes the dictionary of the column, into memory of its own: batches share it for as
// long as they please.
func (c *column) decodeDict(h *pageHeader) error {
	s := c.scratch
	body, err := s.codec.decompress(&s.body, s.raw, int(h.uncompressed), c.codec)
	if err != nil {
		return err
	}
	switch format.Encoding(h.encoding) {
	case format.Plain, plainDictionary:
	default:
		return unsupported("the dictionary's encoding is not supported")
	}
	dict := &table.Dict{Len: int(h.rows)}
	dict.Values.Kind = c.leaf.kind
	v := decoder{leaf: c.leaf, scratch: s, out: &dict.Values}
	if err := v.decode(body, dict.Len, format.Plain); err != nil {
		return err
	}
	if dict.Values.Lead > 0 {
		dict.Values.Data = bytes.Clone(dict.Values.Data)
	}
	c.dict = dict
	return nil
}

// spread moves n values to the rows that have one. The values' own Valid, where not empty, says which
// of them turned out to be null.
func spread(col *table.Column, levels []uint8, maxLevel, rows, n int) {
	if n == rows {
		return
	}
	level := uint8(maxLevel)
	if len(col.Valid) > 0 {
		col.Valid = spreadSlice(col.Valid, levels, level, rows)
	} else {
		col.Valid = grow(col.Valid, rows)
		for i, l := range levels {
			col.Valid[i] = l == level
		}
	}
	switch {
	case col.Dict != nil:
		col.Codes = spreadSlice(col.Codes, levels, level, rows)
	case col.Kind == anonymize.Bytes:
		col.Offsets = resize(col.Offsets, rows+1)
		spreadEnds(col.Offsets, levels, level, n)
	case col.Kind == anonymize.Float:
		col.Floats = spreadSlice(col.Floats, levels, level, rows)
	default:
		col.Ints = spreadSlice(col.Ints, levels, level, rows)
	}
}

// spreadSlice moves the values of s to their rows, from the back, so that it needs no second copy,
// and puts a zero where there is none.
func spreadSlice[T any](s []T, levels []uint8, level uint8, rows int) []T {
	j := len(s) - 1
	s = resize(s, rows)
	// Once j has caught up, all rows before have their values in place.
	for i := rows - 1; i > j; i-- {
		if levels[i] == level {
			s[i] = s[j]
			j--
		} else {
			var zero T
			s[i] = zero
		}
	}
	return s
}

// spreadEnds is spreadSlice for the ends of n texts, offsets[1:n+1]; a row without one is empty.
func spreadEnds(offsets []uint32, levels []uint8, level uint8, n int) {
	j := n
	for i := len(offsets) - 1; i > j; i-- {
		offsets[i] = offsets[j]
		if levels[i-1] == level {
			j--
		}
	}
}

// grow returns a slice of length n, whose contents are of no meaning.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// resize returns s with length n and its contents kept.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return append(make([]T, 0, n), s...)[:n]
	}
	return s[:n]
}
