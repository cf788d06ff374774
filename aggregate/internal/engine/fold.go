// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// folder folds packed rows into the people they belong to. It belongs to one goroutine.
type folder struct {
	e      *Engine
	free   [][]uint64 // pieces that are not in use
	places []uint32   // the index's entry for each row
	rest   []rest     // of each table
	hashes []uint64
	// touched keeps a sum that nobody needs; see sweep.
	touched uint64
}

// rest is the rows of groups that their people do not hold.
type rest struct {
	rows   []int32
	places []uint32 // of their people
	codes  []uint64
}

func newFolder(e *Engine) folder { return folder{e: e, rest: make([]rest, len(e.plans))} }

// foldAll folds all rows that a bucket has gathered. The caller holds its lock.
func (f *folder) foldAll(b *bucket) {
	rows := 0
	for _, p := range b.pieces {
		rows += len(p.rows) / p.form.words
	}
	// Where a few people have nearly all there is, most of it is not needed.
	swept := b.count*f.e.layout.words+len(b.arena)+len(b.votes) <= sweptPerRow*rows
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
	for _, words := range []arena{b.arena, b.votes} {
		for at := 0; at < len(words); at += line {
			f.touched += words[at]
		}
	}
}

// fold folds rows of one form. The processor should never wait for one row's person alone, so that the
// places of all are looked up first.
func (f *folder) fold(b *bucket, rows []uint64, form *form, swept bool) {
	f.look(b, rows, form.words)
	if !swept {
		f.touch(b)
	}
	for t := range f.rest {
		r := &f.rest[t]
		r.rows, r.places, r.codes = r.rows[:0], r.places[:0], r.codes[:0]
	}
	l, flags := &f.e.layout, form.flags
	for i, next := range f.places {
		row := rows[i*form.words : (i+1)*form.words]
		var rec []uint64
		if next != 0 {
			rec = b.record(l, next-1)
		}
		if next == 0 || rec[0] != row[0] || rec[1] != row[1] {
			place := b.find(row[0], row[1], l, !form.join)
			if place < 0 {
				continue
			}
			next = uint32(place) + 1
			rec = b.record(l, next-1)
		}
		if form.flagged {
			flags = uint32(row[offHalves])
		}
		rec[offFlags] |= uint64(flags)
		for n, a := range form.attrs {
			at := form.attrAt[n]
			if code := uint32(row[at/2] >> (uint(at) % 2 * 32)); code != None {
				b.votes.vote(&rec[offAttrs+a], code)
			}
		}
		if form.join || flags&(Event|Excluded) != Event {
			continue
		}
		for t := range f.e.plans {
			p := &f.e.plans[t]
			if p.key < 0 && flags&Copy != 0 {
				continue
			}
			if !p.fold(b, rec, form, row) {
				r := &f.rest[t]
				r.rows, r.places, r.codes = append(r.rows, int32(i)), append(r.places, next-1), append(r.codes, row[form.keys+p.key])
			}
		}
	}
	for t := range f.rest {
		f.keep(b, t, rows, form)
	}
}

// look finds what the index says of each row's person.
func (f *folder) look(b *bucket, rows []uint64, words int) {
	n := len(rows) / words
	f.places = slices.Grow(f.places[:0], n)[:n]
	index, mask, at := b.index, uint64(len(b.index)-1), 1
	for i := range f.places {
		f.places[i] = index[rows[at]&mask]
		at += words
	}
}

// touch does for the rows' people, and for the first of the groups that they hold outside of their
// records, what sweep does for all.
func (f *folder) touch(b *bucket) {
	l := &f.e.layout
	for _, next := range f.places {
		if next != 0 {
			f.touched += b.record(l, next-1)[0]
		}
	}
	for t := range f.e.plans {
		p := &f.e.plans[t]
		if p.key < 0 || p.few {
			continue
		}
		for _, next := range f.places {
			if next == 0 {
				continue
			}
			if off := b.record(l, next-1)[p.own] >> 32; off < uint64(len(b.arena)) {
				f.touched += b.arena[off]
			}
		}
	}
}

// fold folds a row into a table. It reports false where the row is of a group that the person does not
// hold: most are of one that they do, which shows without a hash.
func (p *plan) fold(b *bucket, rec []uint64, form *form, row []uint64) bool {
	own := rec[p.own : p.own+p.inline]
	if p.key >= 0 {
		code := row[form.keys+p.key]
		if code == NoKey {
			return true
		}
		if p.few {
			own = held(own, code, p.stride)
		} else {
			own = b.held(own[0], code, p.stride)
		}
		if own == nil {
			return p.recorded && !p.readable(form, row)
		}
	}
	if p.recorded && p.readable(form, row) {
		p.add(b, own, form, row)
	}
	return true
}

// keep folds the rest of the rows into a table: their groups are hashed together, and kept where their
// priority is small enough.
func (f *folder) keep(b *bucket, t int, rows []uint64, form *form) {
	rest, p, table := &f.rest[t], &f.e.plans[t], &f.e.spec.Tables[t]
	if len(rest.rows) == 0 {
		return
	}
	f.hashes = slices.Grow(f.hashes[:0], len(rest.codes))[:len(rest.codes)]
	f.e.spec.HashKeys(p.key, f.hashes, rest.codes)
	word, bit := f.e.layout.crowd(t)
	for n, i := range rest.rows {
		row := rows[int(i)*form.words:]
		pr := priority(&f.e.spec.Seed, row[0], row[1], f.hashes[n])
		rec := b.record(&f.e.layout, rest.places[n])
		own := rec[p.own : p.own+p.inline]
		var acc []uint64
		var crowded bool
		if p.few {
			acc, crowded = keep(own, table, p.stride, pr, rest.codes[n], &f.e.spec)
		} else {
			var off int
			if off, crowded = b.keep(&own[0], table, p.stride, pr, rest.codes[n], &f.e.spec); off >= 0 {
				acc = b.arena[off+2 : off+p.stride]
			}
		}
		if crowded {
			rec[word] |= bit
		}
		if acc != nil && p.recorded {
			p.add(b, acc, form, row)
		}
	}
}

// readable reports whether a row has all values that a table needs.
func (p *plan) readable(form *form, row []uint64) bool {
	for _, v := range p.values {
		if form.value(row, v) == NoValue {
			return false
		}
	}
	return true
}

// add counts a record, and adds its values to a person's accumulators.
func (p *plan) add(b *bucket, acc []uint64, form *form, row []uint64) {
	if acc[0] == maxRecords {
		return
	}
	acc[0]++
	acc = acc[1:]
	for s := range p.sums {
		sum := &p.sums[s]
		v := form.value(row, sum.Value)
		if !sum.Total {
			v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper) - sum.Centre
			if sum.Square {
				v *= v
			}
		}
		if sum.words() == 1 {
			acc[0] += uint64(v)
			acc = acc[1:]
		} else {
			add128(acc, v)
			acc = acc[2:]
		}
	}
	for s := range p.spreads {
		b.votes.vote(&acc[s], p.spreads[s].Leaf(form.value(row, p.spreads[s].Value))+1)
	}
}
