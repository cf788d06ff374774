// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"math/bits"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// items are the items of lists as they are added, and how many they are.
type items struct {
	table.Column
	n int
}

// restart forgets all items. What comes has the kind and dictionary of a column.
func (it *items) restart(like *table.Column) {
	it.Reset()
	it.Kind, it.Dict, it.n = like.Kind, like.Dict, 0
	if it.Dict == nil && it.Kind == anonymize.Bytes {
		it.Offsets = append(it.Offsets, 0)
	}
}

// add adds a value of the items' kind, or a null.
func (it *items) add(v anonymize.Value) {
	if !v.Valid && len(it.Valid) == 0 {
		it.Valid = grow(it.Valid, it.n)
		for i := range it.Valid {
			it.Valid[i] = true
		}
	}
	if !v.Valid || len(it.Valid) > 0 {
		it.Valid = append(it.Valid, v.Valid)
	}
	switch {
	case it.Dict != nil:
		it.Codes = append(it.Codes, uint32(v.Int))
	case it.Kind == anonymize.Bytes:
		it.Data = append(it.Data, v.Bytes...)
		it.Offsets = append(it.Offsets, uint32(len(it.Data)))
	case it.Kind == anonymize.Float:
		it.Floats = append(it.Floats, v.Float)
	default:
		it.Ints = append(it.Ints, v.Int)
	}
	it.n++
}

// addFrom adds row i of a column that has no other dictionary than the items, if these have one.
func (it *items) addFrom(c *table.Column, i int) {
	v := c.Value(i)
	if v.Valid && it.Dict != nil {
		v.Int = int64(c.Codes[i])
	}
	it.add(v)
}

// lists are rows of a leaf that is in a list. The last may go on in the next page.
type lists struct {
	left         int64 // values and nulls of the row group in pages not yet loaded
	items, spare items
	// starts is where the items of each row start.
	starts []uint32
	isOpen bool
	// shown is what a batch sees of the items, and from where each of its rows starts in that.
	shown table.Column
	from  []uint32
	// keyed says which values of a dictionary are the key that is looked for.
	keyed  []bool
	keysOf *table.Dict
}

// drop forgets all rows but the one that is open.
func (l *lists) drop() error {
	first := l.items.n
	if l.isOpen {
		first = int(l.starts[len(l.starts)-1])
	}
	if l.starts = l.starts[:0]; l.isOpen {
		l.starts = append(l.starts, 0)
	}
	return l.keep(first, l.items.Dict)
}

// keep moves the items from the first on to memory of their own, as codes of a dictionary or, without one, as values.
func (l *lists) keep(first int, dict *table.Dict) error {
	l.items, l.spare = l.spare, l.items
	l.items.restart(&table.Column{Kind: l.spare.Kind, Dict: dict})
	limit := len(l.spare.Data) + maxSpelled
	for i := first; i < l.spare.n; i++ {
		l.items.addFrom(&l.spare.Column, i)
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
			l.starts, l.isOpen = append(l.starts, uint32(l.items.n)), true
		case !l.isOpen:
			return malformed("a page begins within a row that has not begun")
		}
		has := int(levels[i]) == c.leaf.maxLevel
		if int(levels[i]) >= c.leaf.itemLevel && l.items.n-int(l.starts[len(l.starts)-1]) < table.MaxItems {
			if has {
				l.items.addFrom(&c.page, value)
			} else {
				l.items.add(anonymize.Value{})
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
func (l *lists) take(page *table.Column) error {
	switch {
	case l.items.n == 0:
		l.items.restart(page)
	case l.items.Dict != nil && l.items.Dict != page.Dict:
		return l.keep(0, nil)
	}
	return nil
}

// span returns where the items of a row begin and end.
func (l *lists) span(row int) (from, to int) {
	if row+1 < len(l.starts) {
		return int(l.starts[row]), int(l.starts[row+1])
	}
	return int(l.starts[row]), l.items.n
}

// view sets dst to rows from to to.
func (l *lists) view(dst *table.Column, from, to int) {
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

// learnKeys finds a key among the values of the items' dictionary.
func (l *lists) learnKeys(key string) {
	dict := l.items.Dict
	if dict == nil || dict == l.keysOf {
		return
	}
	l.keyed, l.keysOf = l.keyed[:0], dict
	for i := range dict.Len {
		v := dict.Values.Value(i)
		l.keyed = append(l.keyed, v.Valid && string(v.Bytes) == key)
	}
}

// isKey reports whether item i is a key that has been learned.
func (l *lists) isKey(i int, key string) bool {
	c := &l.items.Column
	switch {
	case len(c.Valid) > 0 && !c.Valid[i]:
		return false
	case c.Dict != nil:
		return l.keyed[c.Codes[i]]
	}
	return string(c.Text(i)) == key
}

// picker holds what the first item with a key says in each row.
type picker struct {
	out  items
	text []byte
}

// pick sets dst to n rows. The first column holds the keys, and the others what may be the value; of several the
// first that is not null, as text.
func (p *picker) pick(dst *table.Column, columns []column, key string, n int) error {
	keys, values := &columns[0], columns[1:]
	kind := values[0].leaf.kind
	if len(values) > 1 {
		kind = anonymize.Bytes
	}
	p.out.restart(&table.Column{Kind: kind})
	keys.lists.learnKeys(key)
	for row := range n {
		from, to := keys.lists.span(keys.at + row)
		for i := range values {
			if f, t := values[i].lists.span(values[i].at + row); t-f != to-from {
				return malformed("the fields of a list have different numbers of items")
			}
		}
		var found anonymize.Value
		for i := from; i < to; i++ {
			if keys.lists.isKey(i, key) {
				found = firstOf(values, row, i-from)
				break
			}
		}
		if found.Valid && found.Kind != kind {
			p.text, _ = found.AppendText(p.text[:0])
			found.Bytes = p.text
		}
		p.out.add(found)
		if len(p.out.Data) > maxPage {
			return tooLarge("what a key says is longer than 256 MiB in one batch; ask for smaller batches")
		}
	}
	*dst = p.out.Column
	return nil
}

// firstOf returns the first of several columns' item of a row that is not null.
func firstOf(columns []column, row, item int) anonymize.Value {
	for i := range columns {
		c := &columns[i]
		from, _ := c.lists.span(c.at + row)
		if v := c.lists.items.Value(from + item); v.Valid {
			return v
		}
	}
	return anonymize.Value{}
}
