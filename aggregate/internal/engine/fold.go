// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// folder folds packed rows into the people they belong to. It belongs to one goroutine.
type folder struct {
	e      *Engine
	recs   []int32 // where the person of each row is
	codes  []uint64
	hashes [][]uint64 // of each key and row
	// touched keeps a sum that nobody needs; see touch.
	touched uint64
}

// foldAll folds all rows that a bucket has gathered. The caller holds its lock.
func (f *folder) foldAll(b *bucket) {
	for _, p := range b.pieces {
		f.fold(b, p.rows, p.form)
	}
	f.e.pool.put(b.pieces)
	clear(b.pieces)
	b.pieces = b.pieces[:0]
}

// fold folds rows of one form. Their people are mostly not in the cache, so all are looked up
// before any row is folded: the processor then waits for many of them at a time.
func (f *folder) fold(b *bucket, rows []uint64, form *form) {
	f.recs = b.findAll(f.recs[:0], rows, form.words, f.e.layout.words, !form.join)
	if !form.join {
		f.touch(b)
		f.hash(rows, form)
	}
	for i, at := range f.recs {
		if at >= 0 {
			f.row(b, int(at), i, rows[:form.words:form.words], form)
		}
		rows = rows[form.words:]
	}
}

// touch reads the first of the groups that people hold outside of their records, so that they come
// into the cache. Without the sum, which is of no meaning, there would be nothing to read them for.
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

// hash finds the hashes of all keys of all rows.
func (f *folder) hash(rows []uint64, form *form) {
	for len(f.hashes) < f.e.spec.Keys {
		f.hashes = append(f.hashes, nil)
	}
	for k := range f.hashes {
		f.codes = f.codes[:0]
		for at := form.keys + k; at < len(rows); at += form.words {
			f.codes = append(f.codes, rows[at])
		}
		f.hashes[k] = slices.Grow(f.hashes[k][:0], len(f.codes))[:len(f.codes)]
		f.e.spec.HashKeys(k, f.hashes[k], f.codes)
	}
}

// row folds row i of its piece into the person at rec.
func (f *folder) row(b *bucket, at, i int, row []uint64, form *form) {
	rec := b.recs[at : at+f.e.layout.words : at+f.e.layout.words]
	flags := uint32(row[offHalves])
	rec[offFlags] |= uint64(flags)
	for i, a := range form.attrs {
		word, shift := half(i)
		if code := uint32(row[word] >> shift); code != None {
			b.vote(&rec[offAttrs+a], code)
		}
	}
	if flags&Event == 0 || flags&Excluded != 0 || form.join {
		return
	}
	values := row[form.values:]
	for t := range f.e.spec.Tables {
		table := &f.e.spec.Tables[t]
		if !readable(table, values) {
			continue
		}
		own := rec[f.e.layout.tables[t]:]
		var slot []uint64
		switch {
		case table.Key < 0:
			slot = own
		case row[form.keys+table.Key] == NoKey:
			continue
		case table.single():
			if !f.keepOne(own, t, row[form.keys+table.Key], f.priority(row, table.Key, i)) {
				continue
			}
			slot = own[2:]
		default:
			off := b.keep(&own[0], table, f.e.strides[t], f.priority(row, table.Key, i), row[form.keys+table.Key], &f.e.spec)
			if off < 0 {
				continue
			}
			slot = b.arena[off+2:]
		}
		if table.recorded() {
			add(table, slot, values)
		}
	}
}

func (f *folder) priority(row []uint64, key, i int) uint64 {
	return priority(&f.e.spec.Seed, row[0], row[1], f.hashes[key][i])
}

// keepOne keeps the group of smaller priority in a slot for one, and reports whether it is that of
// code. Codes are stored inverted, so that a new record's zeros are no group.
func (f *folder) keepOne(slot []uint64, t int, code, priority uint64) bool {
	held := ^slot[1]
	switch {
	case held == code:
		return true
	case held != NoKey && (slot[0] < priority || slot[0] == priority && f.e.spec.CompareKeys(f.e.spec.Tables[t].Key, held, code) < 0):
		return false
	}
	clear(slot[:f.e.strides[t]])
	slot[0], slot[1] = priority, ^code
	return true
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
