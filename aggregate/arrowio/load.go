// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// batch is the metadata of a RecordBatch table: where in the body what lies.
type batch struct {
	rows            int64
	m               *flatMessage
	nodes, nNodes   int
	bufs, nBufs     int
	counts, nCounts int
	codec           int
}

func batchOf(t flat) (batch, error) {
	b := batch{m: t.m, rows: t.int64(0), codec: codecNone}
	b.nodes, b.nNodes = t.vector(1, 16)
	b.bufs, b.nBufs = t.vector(2, 16)
	b.counts, b.nCounts = t.vector(4, 8)
	if c, ok := t.table(3); ok {
		b.codec = int(int8(c.byte(0)))
		if c.byte(1) != 0 {
			t.m.fail()
		}
	}
	if b.rows < 0 || b.rows > math.MaxInt32 {
		t.m.fail()
	}
	return b, t.m.err()
}

// checkRows refuses more rows than the body can hold; columns without any buffer, and batches without
// a column, could claim any number.
func (b *batch) checkRows(body int64) error {
	if b.rows > 1<<24+64*body {
		return malformed("a record batch claims more rows than it can hold")
	}
	return nil
}

// cursor walks over the nodes and buffers of a batch in the order of the schema.
type cursor struct {
	*batch
	node, buf, count int
}

// fieldNode returns the length and the number of nulls of the next node.
func (c *cursor) fieldNode() (length, nulls int64) {
	if c.node >= c.nNodes {
		c.m.fail()
		return 0, 0
	}
	pos := c.nodes + 16*c.node
	c.node++
	return c.m.int64(pos), c.m.int64(pos + 8)
}

// place returns where the next buffer lies.
func (c *cursor) place() (offset, length int64) {
	if c.buf >= c.nBufs {
		c.m.fail()
		return 0, 0
	}
	pos := c.bufs + 16*c.buf
	c.buf++
	return c.m.int64(pos), c.m.int64(pos + 8)
}

// variadic returns how many further buffers the next column of views has.
func (c *cursor) variadic() int {
	if c.count >= c.nCounts {
		c.m.fail()
		return 0
	}
	n := c.m.int64(c.counts + 8*c.count)
	c.count++
	if n < 0 || n > int64(c.nBufs-c.buf) {
		c.m.fail()
		return 0
	}
	return int(n)
}

// skip steps over a field and all below it.
func (c *cursor) skip(f *field) {
	c.node++
	c.buf += f.buffers
	if f.views {
		c.buf += c.variadic()
	}
	if f.dict == nil {
		for i := range f.kids {
			c.skip(&f.kids[i])
		}
	}
}

// loader makes arrays of the columns asked for.
type loader struct {
	body   *body
	fields []field
}

// load returns a column as far as it is loaded: without its dictionary.
func (l *loader) load(b *batch, column *leaf) (part, error) {
	c := &cursor{batch: b}
	p := part{leaf: column}
	fields := l.fields
	for level, i := range column.index {
		for j := range i {
			c.skip(&fields[j])
		}
		f := &fields[i]
		if level == len(column.index)-1 {
			var err error
			p.array, err = l.array(c, f)
			return p, err
		}
		length, nulls := c.fieldNode()
		bits, err := l.bitmap(c, length, nulls)
		if err != nil {
			return p, err
		}
		p.above = append(p.above, bitmap{bits: bits})
		if f.isList {
			if p.lists, err = l.lists(c, f); err != nil {
				return p, err
			}
			p.rowsAbove, p.above = p.above, nil
		}
		fields = f.kids
	}
	return p, b.m.err()
}

// lists reads where the items of each list are. From then on the cursor is at the items, whose number may be another.
func (l *loader) lists(c *cursor, f *field) (spans, error) {
	s, items := spans{size: f.size}, c.rows*f.size
	if f.width > 0 {
		if c.rows == 0 {
			c.buf++
		} else {
			offsets, last, err := l.offsets(c, f.width)
			if err != nil {
				return s, err
			}
			s.offsets, s.width, items = offsets, f.width, last
		}
	}
	if c.node >= c.nNodes {
		c.m.fail()
		return s, c.m.err()
	}
	inner := *c.batch
	inner.rows = c.m.int64(c.nodes + 16*c.node)
	if c.batch = &inner; inner.rows < items || inner.rows > math.MaxInt32 {
		return s, malformed("a list has more items than there are")
	}
	return s, nil
}

// bitmap reads the validity of a node that must be as long as the batch; nil where no row is null.
func (l *loader) bitmap(c *cursor, length, nulls int64) ([]byte, error) {
	offset, size := c.place()
	if err := c.m.err(); err != nil {
		return nil, err
	}
	switch {
	case length != c.rows:
		return nil, malformed("a column is not as long as its record batch")
	case nulls < 0 || nulls > length:
		return nil, malformed("a column has more nulls than rows")
	case nulls == 0:
		return nil, nil
	}
	return l.body.buffer(offset, size, (c.rows+7)/8)
}

// array reads the node at the cursor.
func (l *loader) array(c *cursor, f *field) (arrow.Array, error) {
	typ := f.typ
	if f.dict != nil {
		typ = f.dict.index
	}
	length, nulls := c.fieldNode()
	if typ.ID() == arrow.NULL {
		if length != c.rows {
			c.m.fail()
		}
		return array.NewNull(int(c.rows)), c.m.err()
	}
	bits, err := l.bitmap(c, length, nulls)
	if err != nil {
		return nil, err
	}
	var values [][]byte
	switch t := typ.(type) {
	case *arrow.StringType, *arrow.BinaryType:
		values, err = l.binary(c, 4)
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		values, err = l.binary(c, 8)
	case arrow.BinaryViewDataType:
		values, err = l.views(c, bitmap{bits: bits})
	case arrow.FixedWidthDataType:
		values, err = l.fixed(c, int64(t.BitWidth()))
	}
	if err != nil {
		return nil, err
	}
	return makeArray(typ, int(c.rows), bits, values), nil
}

func makeArray(typ arrow.DataType, rows int, bits []byte, values [][]byte) arrow.Array {
	buffers := []*memory.Buffer{nil}
	nulls := 0
	if bits != nil {
		buffers[0], nulls = memory.NewBufferBytes(bits), array.UnknownNullCount
	}
	for _, v := range values {
		buffers = append(buffers, memory.NewBufferBytes(v))
	}
	data := array.NewData(typ, rows, buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// next reads the next buffer, of which need bytes are used.
func (l *loader) next(c *cursor, need int64) ([]byte, error) {
	offset, size := c.place()
	if err := c.m.err(); err != nil {
		return nil, err
	}
	return l.body.buffer(offset, size, need)
}

func (l *loader) fixed(c *cursor, bits int64) ([][]byte, error) {
	if bits > 0 && c.rows > math.MaxInt64/8/bits {
		return nil, errShort
	}
	v, err := l.next(c, (c.rows*bits+7)/8)
	return [][]byte{v}, err
}

var errOffsets = malformed("the offsets of a column of texts or lists do not rise, or go past its end")

// binary reads offsets of the given width, checks that they never fall, and the bytes up to the last.
func (l *loader) binary(c *cursor, width int64) ([][]byte, error) {
	if c.rows == 0 { // the one offset may be missing
		c.buf += 2
		return [][]byte{aligned(8), nil}, nil
	}
	offsets, last, err := l.offsets(c, width)
	if err != nil {
		return nil, err
	}
	data, err := l.next(c, last)
	return [][]byte{offsets, data}, err
}

// offsets reads offsets of the given width, one more than rows, checks that they never fall, and returns the last.
func (l *loader) offsets(c *cursor, width int64) (offsets []byte, last int64, err error) {
	need := (c.rows + 1) * width
	if offsets, err = l.next(c, need); err != nil {
		return nil, 0, err
	}
	offsets = offsets[:need]
	for at := int64(0); at < need; at += width {
		var v int64
		if width == 4 {
			v = int64(int32(binary.LittleEndian.Uint32(offsets[at:])))
		} else {
			v = int64(binary.LittleEndian.Uint64(offsets[at:]))
		}
		if v < last {
			return nil, 0, errOffsets
		}
		last = v
	}
	return offsets, last, nil
}

// views reads views and the buffers that they point into, and checks every one that is not null.
func (l *loader) views(c *cursor, valid bitmap) ([][]byte, error) {
	n := c.variadic()
	views, err := l.next(c, c.rows*int64(arrow.ViewHeaderSizeBytes))
	if err != nil {
		return nil, err
	}
	out := [][]byte{views}
	for range n {
		data, err := l.next(c, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	for i := range int(c.rows) {
		if valid.bits != nil && !valid.valid(i) {
			continue
		}
		if !viewFits(views[i*arrow.ViewHeaderSizeBytes:], out[1:]) {
			return nil, malformed("a view points outside of its buffers")
		}
	}
	return out, nil
}

// viewFits checks a view: a length, then up to twelve bytes, or a prefix, a buffer and an offset.
func viewFits(view []byte, data [][]byte) bool {
	length := int32(binary.LittleEndian.Uint32(view))
	if length <= 12 {
		return length >= 0
	}
	buffer, offset := binary.LittleEndian.Uint32(view[8:]), int64(binary.LittleEndian.Uint32(view[12:]))
	return int64(buffer) < int64(len(data)) && offset <= math.MaxInt32-int64(length) &&
		offset+int64(length) <= int64(len(data[buffer]))
}
