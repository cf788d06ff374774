// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"math/bits"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/lists"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// rows are those of a leaf that is in a list. The last may go on in the next page.
type rows struct {
	left         int64 // values and nulls of the row group in pages not yet loaded
	items, spare lists.Items
	// starts is where the items of each row start.
	starts []uint32
	isOpen bool
	// shown is what a batch sees of the items, and from where each of its rows starts in that.
	shown table.Column
	from  []uint32
}

// drop forgets all rows but the one that is open.
func (l *rows) drop() error {
	first := l.items.Len
	if l.isOpen {
		first = int(l.starts[len(l.starts)-1])
	}
	if l.starts = l.starts[:0]; l.isOpen {
		l.starts = append(l.starts, 0)
	}
	return l.keep(first, l.items.Dict)
}

// keep moves the items from the first on to memory of their own, as codes of a dictionary or, without one, as values.
func (l *rows) keep(first int, dict *table.Dict) error {
	l.items, l.spare = l.spare, l.items
	l.items.Restart(&table.Column{Kind: l.spare.Kind, Dict: dict})
	limit := len(l.spare.Data) + maxSpelled
	for i := first; i < l.spare.Len; i++ {
		l.items.AddFrom(&l.spare.Column, i)
		if len(l.items.Data) > limit {
			return errLongList
		}
	}
	return nil
}

// maxSpelled bounds the text that codes are spelled out to, where a list goes on from a page of codes to one of values.
const maxSpelled = 8 << 20

var errLongList = tooLarge("a list that goes on in the next page is longer than 8 MiB; write pages that end with a row")

// decodeLists decodes a page of a leaf that is in a list, and adds its items.
func (c *column) decodeLists(h *pageHeader, repeats, levels, body []byte) (err error) {
	n, s := int(h.rows), c.scratch
	if s.repeats, err = decodeLevels(s.repeats, repeats, 1, n, &s.patched); err != nil {
		return err
	}
	if s.levels, err = decodeLevels(s.levels, levels, bits.Len(uint(c.leaf.maxLevel)), n, &s.patched); err != nil {
		return err
	}
	values := 0
	for _, l := range s.levels {
		if int(l) == c.leaf.maxLevel {
			values++
		}
	}
	if h.nulls >= 0 && int64(n-values) != h.nulls {
		return malformed("a page header has another number of nulls than the page")
	}
	if err := c.decodeValues(h, body, values); err != nil {
		return err
	}
	return c.addItems(s.repeats, s.levels)
}

// addItems adds the values of c.page to their rows. A row ends where the next one begins.
func (c *column) addItems(repeats, levels []uint8) error {
	l, value := c.lists, 0
	if err := l.take(&c.page); err != nil {
		return err
	}
	l.items.Data = slices.Grow(l.items.Data, len(c.page.Data))
	limit := len(l.items.Data) + len(c.page.Data) + maxSpelled
	for i, repeat := range repeats {
		switch {
		case repeat == 0 && c.left == 0:
			return malformed("the column's pages hold more rows than the row group")
		case repeat == 0:
			c.left--
			l.starts, l.isOpen = append(l.starts, uint32(l.items.Len)), true
		case !l.isOpen:
			return malformed("a page begins within a row that has not begun")
		}
		has := int(levels[i]) == c.leaf.maxLevel
		if int(levels[i]) >= c.leaf.itemLevel && l.items.Len-int(l.starts[len(l.starts)-1]) < table.MaxItems {
			if has {
				l.items.AddFrom(&c.page, value)
			} else {
				l.items.Add(anonymize.Value{})
			}
			if len(l.items.Data) > limit {
				return errLongList
			}
		}
		if has {
			value++
		}
	}
	// The last row may go on.
	c.rows = max(0, len(l.starts)-1)
	return nil
}

// take makes the items fit the values of a page: both are codes of one dictionary, or the items are none.
func (l *rows) take(page *table.Column) error {
	switch {
	case l.items.Len == 0:
		l.items.Restart(page)
	case l.items.Dict != nil && l.items.Dict != page.Dict:
		return l.keep(0, nil)
	}
	return nil
}

// span returns where the items of a row begin and end.
func (l *rows) span(row int) (from, to int) {
	if row+1 < len(l.starts) {
		return int(l.starts[row]), int(l.starts[row+1])
	}
	return int(l.starts[row]), l.items.Len
}

// view sets dst to rows from to to.
func (l *rows) view(dst *table.Column, from, to int) {
	first, _ := l.span(from)
	_, last := l.span(to - 1)
	view(&l.shown, &l.items.Column, first, last)
	l.from = l.from[:0]
	for row := from; row < to; row++ {
		start, _ := l.span(row)
		l.from = append(l.from, uint32(start-first))
	}
	l.from = append(l.from, uint32(last-first))
	*dst = table.Column{Kind: l.items.Kind, Items: &l.shown, Starts: l.from}
}
