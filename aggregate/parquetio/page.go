// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"math"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxPage bounds a page's uncompressed bytes. Writers aim at 1 MiB; the largest known limit of
	// one is 100 MB.
	maxPage = 256 << 20
	// pageSlack is how much a page may claim to inflate to whatever it is compressed to; above it,
	// it must be at least a quarter of that long itself.
	pageSlack = 64 << 20
	// A page header holds the page's smallest and largest value, so most fit the first window and
	// all fit the second.
	smallWindow = 4 << 10
	largeWindow = 1 << 20
)

// pageHeader is what is needed of a page's header, whatever its version.
type pageHeader struct {
	kind         int64 // format.PageType
	uncompressed int64
	compressed   int64
	crc          int64 // -1 where absent
	rows         int64 // values, for a dictionary; values and nulls, for a list
	nulls        int64 // -1 where unknown
	encoding     int64
	levels       int64 // encoding of definition levels
	repeats      int64 // encoding of repetition levels
	levelBytes   int64 // version 2
	repeatBytes  int64 // version 2
	isPlain      bool  // version 2: not compressed, whatever the column's codec
	size         int   // of the header itself
}

// parsePageHeader parses a header from the start of window. ok is false where window does not hold
// all of it.
func parsePageHeader(window []byte) (h pageHeader, ok bool) {
	h = pageHeader{kind: -1, crc: -1, nulls: -1, levels: int64(format.RLE), repeats: int64(format.RLE)}
	c := compact{data: window}
	var id int64
	for {
		var typ byte
		if id, typ = c.field(id); typ == thriftStop {
			break
		}
		switch {
		case id == 1 && isInt(typ):
			h.kind = c.varint()
		case id == 2 && isInt(typ):
			h.uncompressed = c.varint()
		case id == 3 && isInt(typ):
			h.compressed = c.varint()
		case id == 4 && isInt(typ):
			h.crc = int64(uint32(c.varint()))
		case id == 5 && typ == thriftStruct:
			h.parse(&c, [16]*int64{1: &h.rows, 2: &h.encoding, 3: &h.levels, 4: &h.repeats})
		case id == 7 && typ == thriftStruct:
			h.parse(&c, [16]*int64{1: &h.rows, 2: &h.encoding})
		case id == 8 && typ == thriftStruct:
			h.parse(&c, [16]*int64{1: &h.rows, 2: &h.nulls, 4: &h.encoding, 5: &h.levelBytes, 6: &h.repeatBytes})
		default:
			c.skip(typ, 1)
		}
	}
	h.size = c.at
	return h, !c.bad
}

func isInt(typ byte) bool { return typ > thriftByte && typ <= thriftI64 }

// parse reads the header of one kind of page; numbers go where fields says, by their id.
func (h *pageHeader) parse(c *compact, fields [16]*int64) {
	var id int64
	for {
		var typ byte
		if id, typ = c.field(id); typ == thriftStop {
			return
		}
		switch {
		case id > 0 && id < 16 && fields[id] != nil && isInt(typ):
			*fields[id] = c.varint()
		case id == 7 && typ == thriftFalse:
			h.isPlain = true
		default:
			c.skip(typ, 2)
		}
	}
}

// check holds the header's numbers against each other and against the bytes left in the column.
func (h *pageHeader) check(left int64) error {
	switch {
	case h.compressed < 0 || h.uncompressed < 0 || h.rows < 0 || h.nulls < -1 || h.nulls > h.rows:
		return malformed("a page header has a size or count that is negative or too large")
	case h.compressed > left:
		return malformed("a page is longer than its column")
	case h.uncompressed > pageSlack && h.uncompressed/4 > h.compressed+pageSlack/4:
		return malformed("a page claims to inflate to more than it can hold")
	case h.uncompressed > maxPage || h.compressed > maxPage:
		return tooLarge("a page is larger than 256 MiB; write smaller pages")
	case h.rows > math.MaxInt32:
		return malformed("a page header has a size or count that is negative or too large")
	case h.levelBytes < 0 || h.repeatBytes < 0 || h.levelBytes > h.compressed || h.repeatBytes > h.compressed-h.levelBytes:
		return malformed("a page has more bytes of levels than of all")
	case h.levelBytes+h.repeatBytes > h.uncompressed:
		return malformed("a page has more bytes of levels than of all")
	}
	return nil
}
