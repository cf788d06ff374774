// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// folder folds packed rows into the people they belong to. It belongs to one goroutine.
type folder struct {
	e      *Engine
	free   [][]uint64 // pieces that are not in use
	recs   []int32    // where the person of each row is
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
	swept := len(b.recs)+len(b.arena) <= sweptPerRow*rows
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
	for at := 0; at < len(b.recs); at += line {
		f.touched += b.recs[at]
	}
	for at := 0; at < len(b.arena); at += line {
		f.touched += b.arena[at]
	}
}

// fold folds rows of one form. Their people may not be in the cache, so all are looked up before any
// row is folded: the processor then waits for many of them at a time.
func (f *folder) fold(b *bucket, rows []uint64, form *form, swept bool) {
	f.recs = b.findAll(f.recs, rows, form.words, f.e.layout.words, !form.join)
	f.live = f.live[:0]
	for i, at := range f.recs {
		if at < 0 {
			continue
		}
		flags := uint32(rows[i*form.words+offHalves])
		b.recs[at+offFlags] |= uint64(flags)
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
		word, shift := half(i)
		for _, at := range f.recs {
			code := uint32(rows[word] >> shift)
			word += form.words
			if code != None && at >= 0 {
				b.vote(&b.recs[int(at)+offAttrs+a], code)
			}
		}
	}
}

// touch does for the first of the groups that these rows' people hold outside of their records what
// sweep does for all.
func (f *folder) touch(b *bucket) {
	for t := range f.e.spec.Tables {
		if table := &f.e.spec.Tables[t]; table.Key < 0 || table.single() {
			continue
		}
		header := f.e.layout.tables[t]
		for _, at := range f.recs {
			if off := b.recs[int(at)+header] >> 32; off < uint64(len(b.arena)) {
				f.touched += b.arena[off]
			}
		}
	}
}

// ungrouped folds rows into a table that has no key.
func (f *folder) ungrouped(b *bucket, t int, rows []uint64, form *form) {
	table, own := &f.e.spec.Tables[t], f.e.layout.tables[t]
	for _, i := range f.live {
		values := rows[int(i)*form.words+form.values:]
		if readable(table, values) {
			add(table, b.recs[int(f.recs[i])+own:], values)
		}
	}
}

// grouped folds rows into a table that has a key. Most are of a group that their person holds, which
// shows without a hash; the others are hashed together.
func (f *folder) grouped(b *bucket, t int, rows []uint64, form *form) {
	table, own, stride := &f.e.spec.Tables[t], f.e.layout.tables[t], f.e.strides[t]
	key, single, recorded := form.keys+table.Key, table.single(), table.recorded()
	f.rest, f.codes = f.rest[:0], f.codes[:0]
	for _, i := range f.live {
		row := rows[int(i)*form.words:]
		code := row[key]
		if code == NoKey || recorded && !readable(table, row[form.values:]) {
			continue
		}
		header := b.recs[int(f.recs[i])+own:]
		var slot []uint64
		if single {
			slot = held(header, code)
		} else {
			slot = b.held(header[0], code, stride)
		}
		switch {
		case slot == nil:
			f.rest, f.codes = append(f.rest, i), append(f.codes, code)
		case recorded:
			add(table, slot, row[form.values:])
		}
	}
	f.hashes = slices.Grow(f.hashes[:0], len(f.codes))[:len(f.codes)]
	f.e.spec.HashKeys(table.Key, f.hashes, f.codes)
	for n, i := range f.rest {
		row := rows[int(i)*form.words:]
		p := priority(&f.e.spec.Seed, row[0], row[1], f.hashes[n])
		if slot := f.keep(b, t, int(f.recs[i]), f.codes[n], p); slot != nil && recorded {
			add(table, slot, row[form.values:])
		}
	}
}

// held returns the accumulators of a group in a record that holds one, nil where that is another.
func held(own []uint64, code uint64) []uint64 {
	if ^own[1] != code {
		return nil
	}
	return own[2:]
}

// keep returns the accumulators of a group, which becomes one of those that its person holds if its
// priority is small enough; otherwise nil.
func (f *folder) keep(b *bucket, t, rec int, code, priority uint64) []uint64 {
	table, own := &f.e.spec.Tables[t], b.recs[rec+f.e.layout.tables[t]:]
	if table.single() {
		return f.keepOne(own, t, code, priority)
	}
	off := b.keep(&own[0], table, f.e.strides[t], priority, code, &f.e.spec)
	if off < 0 {
		return nil
	}
	return b.arena[off+2:]
}

// keepOne is keep for a slot of one group. Codes are stored inverted there, so that a new record's
// zeros are no group.
func (f *folder) keepOne(slot []uint64, t int, code, priority uint64) []uint64 {
	switch held := ^slot[1]; {
	case held == code:
		return slot[2:]
	case held != NoKey && (slot[0] < priority || slot[0] == priority && f.e.spec.CompareKeys(f.e.spec.Tables[t].Key, held, code) < 0):
		return nil
	}
	clear(slot[:f.e.strides[t]])
	slot[0], slot[1] = priority, ^code
	return slot[2:]
}

// readable reports whether a row has all values that a table sums.
func readable(t *Table, values []uint64) bool {
	for s := range t.Sums {
		if int64(values[t.Sums[s].Value]) == NoValue {
			return false
		}
	}
	return true
}

// add counts a record, and adds its values to a slot.
func add(t *Table, slot, values []uint64) {
	slot[0]++
	for s := range t.Sums {
		sum := &t.Sums[s]
		v := int64(values[sum.Value])
		if !sum.Total {
			v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)
		}
		add128(slot[1+2*s:3+2*s], v)
	}
}
