// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// folder folds packed rows into the people they belong to. It belongs to one goroutine.
type folder struct {
	e      *Engine
	free   [][]uint64 // pieces that are not in use
	recs   []int32    // the number of each row's person
	live   []int32    // the rows that are events of people not known to be excluded
	rest   []int32    // the rows of groups that their people do not hold
	codes  []uint64   // of rest
	hashes []uint64   // of codes
	// touched keeps a sum that nobody needs; see sweep.
	touched uint64
}

// foldAll folds all rows that a bucket has gathered. The caller holds its lock.
func (f *folder) foldAll(b *bucket) {
	rows := 0
	for _, p := range b.pieces {
		rows += len(p.rows) / p.form.words
	}
	// Where a few people have nearly all there is, most of it is not needed.
	swept := b.count*f.e.layout.words+len(b.arena) <= sweptPerRow*rows
	if swept {
		f.sweep(b)
	}
	f.reserve(b, rows)
	for _, p := range b.pieces {
		f.fold(b, p.rows, p.form, swept)
	}
	f.forget(b)
}

// sweptPerRow is how many words may be read ahead for each row: some four people.
const sweptPerRow = 64

// reserve makes an empty bucket ready for some rows.
func (f *folder) reserve(b *bucket, rows int) {
	if len(b.index) == 0 && rows > 0 {
		b.index = make([]uint32, tableSize(min(rows, firstPeople)))
	}
}

// forget keeps the memory of a bucket's pieces for others.
func (f *folder) forget(b *bucket) {
	for _, p := range b.pieces {
		f.free = append(f.free, p.rows[:0])
	}
	if len(f.free) > 8*slabPieces {
		f.free = f.e.pool.put(f.free, 4*slabPieces)
	}
	clear(b.pieces)
	b.pieces = b.pieces[:0]
}

// sweep reads all of a bucket's people from front to back, which the processor sees coming, so that
// they are in the cache. Without the sum, which is of no meaning, there would be nothing to read
// them for.
func (f *folder) sweep(b *bucket) {
	const line = 64 / 8 // words
	for at := 0; at < len(b.index); at += 2 * line {
		f.touched += uint64(b.index[at])
	}
	for left := b.count * f.e.layout.words; left > 0; left -= len(b.blocks[0]) {
		block := b.blocks[(b.count*f.e.layout.words-left)/len(b.blocks[0])]
		for at := 0; at < min(left, len(block)); at += line {
			f.touched += block[at]
		}
	}
	for at := 0; at < len(b.arena); at += line {
		f.touched += b.arena[at]
	}
}

// fold folds rows of one form. Their people may not be in the cache, so all are looked up before any
// row is folded: the processor then waits for many of them at a time.
func (f *folder) fold(b *bucket, rows []uint64, form *form, swept bool) {
	l := &f.e.layout
	f.recs = b.findAll(f.recs, rows, form.words, l, !form.join)
	f.live = f.live[:0]
	flags, row := form.flags, 0
	for i, n := range f.recs {
		if form.flagged {
			flags = uint32(rows[row+offHalves])
			row += form.words
		}
		if n < 0 {
			continue
		}
		b.record(l, n)[offFlags] |= uint64(flags)
		if flags&(Event|Excluded) == Event {
			f.live = append(f.live, int32(i))
		}
	}
	f.vote(b, rows, form)
	if form.join {
		return
	}
	if !swept {
		f.touch(b)
	}
	for t := range f.e.spec.Tables {
		switch table := &f.e.spec.Tables[t]; {
		case table.Key >= 0:
			f.grouped(b, t, rows, form)
		case table.recorded():
			f.ungrouped(b, t, rows, form)
		}
	}
}

// vote adds what rows say about their people's attributes.
func (f *folder) vote(b *bucket, rows []uint64, form *form) {
	for i, a := range form.attrs {
		word, shift := form.attrAt[i]/2, uint(form.attrAt[i])%2*32
		for _, n := range f.recs {
			code := uint32(rows[word] >> shift)
			word += form.words
			if code != None && n >= 0 {
				b.vote(&b.record(&f.e.layout, n)[offAttrs+a], code)
			}
		}
	}
}

// touch does for the first of the groups that these rows' people hold outside of their records what
// sweep does for all.
func (f *folder) touch(b *bucket) {
	for t := range f.e.spec.Tables {
		if table := &f.e.spec.Tables[t]; table.Key < 0 || table.few() {
			continue
		}
		header := f.e.layout.tables[t]
		for _, n := range f.recs {
			if off := b.record(&f.e.layout, n)[header] >> 32; off < uint64(len(b.arena)) {
				f.touched += b.arena[off]
			}
		}
	}
}

// ungrouped folds rows into a table that has no key.
func (f *folder) ungrouped(b *bucket, t int, rows []uint64, form *form) {
	table, own := &f.e.spec.Tables[t], f.e.layout.tables[t]
	for _, i := range f.live {
		row := rows[int(i)*form.words:]
		if readable(table, form, row) {
			add(table, b.record(&f.e.layout, f.recs[i])[own:], form, row)
		}
	}
}

// grouped folds rows into a table that has a key. Most are of a group that their person holds, which
// shows without a hash; the others are hashed together.
func (f *folder) grouped(b *bucket, t int, rows []uint64, form *form) {
	table, own, stride := &f.e.spec.Tables[t], f.e.layout.tables[t], f.e.strides[t]
	key, few, recorded := form.keys+table.Key, table.few(), table.recorded()
	inline := table.inlineWords()
	f.rest, f.codes = f.rest[:0], f.codes[:0]
	for _, i := range f.live {
		row := rows[int(i)*form.words:]
		code := row[key]
		if code == NoKey || recorded && !readable(table, form, row) {
			continue
		}
		slots := b.record(&f.e.layout, f.recs[i])[own : own+inline]
		var acc []uint64
		if few {
			acc = held(slots, code, stride)
		} else {
			acc = b.held(slots[0], code, stride)
		}
		switch {
		case acc == nil:
			f.rest, f.codes = append(f.rest, i), append(f.codes, code)
		case recorded:
			add(table, acc, form, row)
		}
	}
	f.hashes = slices.Grow(f.hashes[:0], len(f.codes))[:len(f.codes)]
	f.e.spec.HashKeys(table.Key, f.hashes, f.codes)
	for n, i := range f.rest {
		row := rows[int(i)*form.words:]
		p := priority(&f.e.spec.Seed, row[0], row[1], f.hashes[n])
		slots := b.record(&f.e.layout, f.recs[i])[own : own+inline]
		var acc []uint64
		if few {
			acc = keep(slots, table, stride, p, f.codes[n], &f.e.spec)
		} else if off := b.keep(&slots[0], table, stride, p, f.codes[n], &f.e.spec); off >= 0 {
			acc = b.arena[off+2 : off+stride]
		}
		if acc != nil && recorded {
			add(table, acc, form, row)
		}
	}
}

// readable reports whether a row has all values that a table sums.
func readable(t *Table, form *form, row []uint64) bool {
	for s := range t.Sums {
		if form.value(row, t.Sums[s].Value) == NoValue {
			return false
		}
	}
	return true
}

// add counts a record, and adds its values to a person's accumulators.
func add(t *Table, acc []uint64, form *form, row []uint64) {
	if acc[0] == maxRecords {
		return
	}
	acc[0]++
	acc = acc[1:]
	for s := range t.Sums {
		sum := &t.Sums[s]
		v := form.value(row, sum.Value)
		if !sum.Total {
			v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)
		}
		if sum.words() == 1 {
			acc[0] += uint64(v)
			acc = acc[1:]
		} else {
			add128(acc, v)
			acc = acc[2:]
		}
	}
}
