// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"encoding/binary"

	"github.com/throngdp/throng/aggregate/table"
)

// maxBatchItems is how many items of lists one batch holds at most, but for those of its first row.
const maxBatchItems = 1 << 20

// ranges says which items are a row's; Arrow's own arrays of lists do.
type ranges interface {
	ValueOffsets(i int) (start, end int64)
}

// spans are the ranges of lists in a message. Offsets have been seen not to fall.
type spans struct {
	offsets     []byte
	width, size int64
}

// ValueOffsets implements ranges.
func (s spans) ValueOffsets(i int) (start, end int64) {
	if s.width == 0 {
		return int64(i) * s.size, int64(i+1) * s.size
	}
	at := func(i int64) int64 {
		if s.width == 4 {
			return int64(binary.LittleEndian.Uint32(s.offsets[4*i:]))
		}
		return int64(binary.LittleEndian.Uint64(s.offsets[8*i:]))
	}
	return at(int64(i)), at(int64(i) + 1)
}

// fewer returns how many rows from a first one on, n at most and 1 at least, have no more items than a batch holds.
func (p *part) fewer(first, n int) (int, error) {
	if p.lists == nil || n == 0 {
		return n, nil
	}
	start, _ := p.lists.ValueOffsets(first)
	for rows := range n {
		from, end := p.lists.ValueOffsets(first + rows)
		if from < start || end < from || end > int64(p.array.Len()) {
			return 0, errOffsets
		}
		if rows > 0 && end-start > maxBatchItems {
			return rows, nil
		}
	}
	return n, nil
}

// rows appends rows from..to to c, which is empty; items is memory for those of lists.
func (p *part) rows(c, items *table.Column, from, to int) error {
	if p.lists == nil {
		return p.appendTo(c, 0, from, to)
	}
	items.Reset()
	c.Items, c.Starts = items, append(c.Starts, 0)
	n, begin, end := 0, 0, 0 // items that are there already, and those that are next
	flush := func() error {
		err := p.appendTo(items, n, begin, end)
		n += end - begin
		return err
	}
	for i := from; i < to; i++ {
		first, last := p.items(i)
		if first < last && first != end {
			if err := flush(); err != nil {
				return err
			}
			begin, end = first, first
		}
		if first < last {
			end = last
		}
		c.Starts = append(c.Starts, uint32(n+end-begin))
	}
	err := flush()
	c.Kind = items.Kind
	return err
}

// items returns which items row i has.
func (p *part) items(i int) (first, last int) {
	for _, b := range p.rowsAbove {
		if len(b.bits) > 0 && !b.valid(i) {
			return 0, 0
		}
	}
	start, end := p.lists.ValueOffsets(i)
	return int(start), int(min(end, start+table.MaxItems))
}
