// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/identity"
)

// idMemo holds the hashes of a dictionary's ids, while batches refer to it.
type idMemo struct {
	dict   *table.Dict
	hi, lo []uint64
	named  []bool
}

// identify hashes the first privacy id of each record that has one, and notes which records have.
func (b *Builder) identify(batch *table.Batch) {
	r := &b.rows
	r.Hi, r.Lo = resize(r.Hi, batch.Len), resize(r.Lo, batch.Len)
	b.keep, b.all = b.keep[:0], false
	if b.in.Numbers != nil {
		last := b.in.Numbers.Add(uint64(batch.Len))
		for i := range r.Hi {
			r.Hi[i], r.Lo[i] = unitMask(int64(last) - int64(i))
		}
		r.N, b.all = batch.Len, true
		return
	}
	switch c := &batch.Columns[b.in.IDs[0].Column]; {
	case len(b.in.IDs) > 1:
		b.firstIDs(batch)
	case c.Dict != nil:
		b.codedIDs(c, batch.Len)
	case c.Kind == anonymize.Bytes && b.evenIDs(c, batch.Len):
		r.N, b.all = batch.Len, true
		return
	case c.Kind == anonymize.Bytes:
		b.textIDs(c, batch.Len)
	default:
		b.firstIDs(batch)
	}
	r.N = len(b.keep)
	b.all = r.N == batch.Len
	r.Hi, r.Lo = r.Hi[:r.N], r.Lo[:r.N]
}

// named notes that record i has an id of these hashes.
func (b *Builder) named(i int, hi, lo uint64) {
	n := len(b.keep)
	b.rows.Hi[n], b.rows.Lo[n] = hi, lo
	b.keep = append(b.keep, int32(i))
}

// evenIDs hashes all ids of a column together where all can be seen to be opaque, of one length and one
// after the other; it reports whether they are.
func (b *Builder) evenIDs(c *table.Column, rows int) bool {
	id := &b.in.IDs[0]
	if id.Kind != identity.Opaque || len(c.Valid) != 0 || rows == 0 {
		return false
	}
	stride := c.Offsets[1] - c.Offsets[0]
	for i := range rows {
		if c.Offsets[i+1]-c.Offsets[i] != stride || !identity.IsPlain(c.Text(i)) {
			return false
		}
	}
	id.Hasher.DistinctEvenly(b.rows.Hi, b.rows.Lo, c.Data[c.Offsets[0]:c.Offsets[rows]], int(c.Lead), int(stride))
	return true
}

// textIDs hashes where they stand the ids of a policy's only id column.
func (b *Builder) textIDs(c *table.Column, rows int) {
	id := &b.in.IDs[0]
	opaque := id.Kind == identity.Opaque
	for i := range rows {
		if len(c.Valid) != 0 && !c.Valid[i] {
			continue
		}
		text := c.Text(i)
		if !opaque || !identity.IsPlain(text) {
			var ok bool
			if text, ok = id.Kind.Canonical(b.idText[:0], text); !ok {
				continue
			}
			if !opaque {
				b.idText = text
			}
		}
		hi, lo := id.Hasher.Distinct128(text)
		b.named(i, hi, lo)
	}
}

// codedIDs hashes the ids of a dictionary once.
func (b *Builder) codedIDs(c *table.Column, rows int) {
	m := &b.ids[0]
	if m.dict != c.Dict {
		b.learnIDs(m, c.Dict)
	}
	for i, code := range c.Codes[:rows] {
		if len(c.Valid) != 0 && !c.Valid[i] || !m.named[code] {
			continue
		}
		b.named(i, m.hi[code], m.lo[code])
	}
}

func (b *Builder) learnIDs(m *idMemo, d *table.Dict) {
	m.dict = d
	m.hi, m.lo, m.named = resize(m.hi, d.Len), resize(m.lo, d.Len), resize(m.named, d.Len)
	for i := range d.Len {
		m.hi[i], m.lo[i], m.named[i] = b.hash(0, d.Values.Value(i))
	}
}

// firstIDs hashes the first id that each record has.
func (b *Builder) firstIDs(batch *table.Batch) {
	for i := range batch.Len {
		for n := range b.in.IDs {
			if hi, lo, ok := b.hash(n, batch.Columns[b.in.IDs[n].Column].Value(i)); ok {
				b.named(i, hi, lo)
				break
			}
		}
	}
}

// hash hashes an id of column n.
func (b *Builder) hash(n int, v anonymize.Value) (hi, lo uint64, ok bool) {
	id := &b.in.IDs[n]
	if b.idText, ok = id.Kind.Append(b.idText[:0], v); !ok {
		return 0, 0, false
	}
	hi, lo = id.Hasher.Distinct128(b.idText)
	return hi, lo, true
}
