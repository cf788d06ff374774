// SPDX-License-Identifier: Apache-2.0

package parquetio

import "encoding/binary"

// The types of the Thrift compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth bounds nesting; Parquet's metadata nests 9 deep.
const maxThriftDepth = 24

// compact walks a value of the Thrift compact protocol without taking memory for it. After a fault,
// which bad records, it yields zeros and ends every loop.
type compact struct {
	data []byte
	at   int
	bad  bool
	// elements counts what costs a decoder more than a few bytes each: list elements of their own
	// structure.
	elements int
}

// uvarint reads an unsigned number.
func (c *compact) uvarint() uint64 {
	v, n := binary.Uvarint(c.data[c.at:])
	if c.bad || n <= 0 {
		c.bad = true
		return 0
	}
	c.at += n
	return v
}

// varint reads a signed number.
func (c *compact) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// byte reads one byte.
func (c *compact) byte() byte {
	if c.bad || c.at >= len(c.data) {
		c.bad = true
		return 0
	}
	c.at++
	return c.data[c.at-1]
}

// advance skips n bytes.
func (c *compact) advance(n uint64) {
	if c.bad || n > uint64(len(c.data)-c.at) {
		c.bad = true
		return
	}
	c.at += int(n)
}

// field reads a field's header. The first id is relative to 0; typ is thriftStop after the last.
func (c *compact) field(last int64) (id int64, typ byte) {
	b := c.byte()
	typ = b & 0x0f
	if c.bad || typ == thriftStop {
		return 0, thriftStop
	}
	if delta := int64(b >> 4); delta != 0 {
		return last + delta, typ
	}
	return c.varint(), typ
}

// skip walks over a value.
func (c *compact) skip(typ byte, depth int) {
	if depth > maxThriftDepth {
		c.bad = true
	}
	if c.bad {
		return
	}
	switch {
	case typ == thriftTrue || typ == thriftFalse:
		// A boolean field has its value in its type.
	case typ == thriftByte:
		c.advance(1)
	case typ <= thriftI64:
		c.uvarint()
	case typ == thriftDouble:
		c.advance(8)
	case typ == thriftBinary:
		c.advance(c.uvarint())
	case typ == thriftList || typ == thriftSet:
		c.skipList(depth)
	case typ == thriftStruct:
		c.skipStruct(depth)
	default:
		// Parquet's metadata has no maps.
		c.bad = true
	}
}

func (c *compact) skipStruct(depth int) {
	var id int64
	for {
		next, typ := c.field(id)
		if typ == thriftStop {
			return
		}
		id = next
		c.skip(typ, depth+1)
	}
}

func (c *compact) skipList(depth int) {
	b := c.byte()
	size, typ := uint64(b>>4), b&0x0f
	if size == 15 {
		size = c.uvarint()
	}
	// Every element takes at least one byte.
	if size > uint64(len(c.data)-c.at) {
		c.bad = true
		return
	}
	if typ >= thriftBinary {
		c.elements += int(size)
	}
	for i := uint64(0); i < size && !c.bad; i++ {
		if typ == thriftTrue || typ == thriftFalse {
			c.advance(1)
		} else {
			c.skip(typ, depth+1)
		}
	}
}
