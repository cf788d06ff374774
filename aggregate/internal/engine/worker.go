// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"slices"
	"sync"
)

// Worker packs rows by bucket and hands them to the buckets in pieces. Each goroutine needs its own,
// and flushes it before [Engine.Close].
type Worker struct {
	e    *Engine
	form *form
	// rows has room for a piece of each bucket, of which filled rows are there.
	rows   []uint64
	filled []uint32
	at     []uint32 // where each row of a part goes
	folder folder
}

// Worker returns a new worker.
func (e *Engine) Worker() *Worker {
	return &Worker{e: e, filled: make([]uint32, len(e.buckets)), folder: newFolder(e)}
}

// form says what one packed row holds: its hash in two words; in halves of words its flags, unless all
// rows have the same, attributes, and values that fit; in words of their own the codes of keys, and all
// other values.
type form struct {
	join    bool
	flags   uint32 // of every row
	flagged bool   // each row has its own instead
	attrs   []int  // the attributes that the rows say something about
	wide    []bool // the values that do not fit a half
	// Where things are, in halves of words.
	attrAt, valueAt []int
	keys            int // offset in words
	words           int
	room            int // how many rows a piece holds
	number          int // among the engine's forms
}

// formOf returns a form for rows, and for those that last had one.
func (w *Worker) formOf(r *Rows, join bool) *form {
	f, last := &form{join: join, flags: r.Flags[0], flagged: varies(r.Flags[:r.N])}, w.form
	if last != nil && last.join == join {
		f.flagged = f.flagged || last.flagged || last.flags != f.flags
	} else {
		last = nil
	}
	at := 2 * offHalves
	if f.flagged {
		at++
	}
	for a, codes := range r.Attrs {
		if codes != nil {
			f.attrs, f.attrAt = append(f.attrs, a), append(f.attrAt, at)
			at++
		}
	}
	if !join {
		f.wide, f.valueAt = make([]bool, w.e.spec.Values), make([]int, w.e.spec.Values)
		for v := range f.wide {
			if f.wide[v] = last != nil && last.wide[v] || !fitHalves(r.Values[v][:r.N]); !f.wide[v] {
				f.valueAt[v] = at
				at++
			}
		}
	}
	at = (at + 1) / 2
	f.keys = at
	if !join {
		at += w.e.spec.Keys
		for v, wide := range f.wide {
			if wide {
				f.valueAt[v] = 2 * at
				at++
			}
		}
	}
	f.words = at
	f.room = min(pieceWords/f.words, w.e.maxRoom)
	w.e.register(f)
	return f
}

// register gives a form its number.
func (e *Engine) register(f *form) {
	e.formsMu.Lock()
	defer e.formsMu.Unlock()
	f.number = len(e.forms)
	e.forms = append(e.forms, f)
}

// varies reports whether rows differ in their flags.
func varies(flags []uint32) bool {
	differ := uint32(0)
	for _, f := range flags {
		differ |= f ^ flags[0]
	}
	return differ != 0
}

// noHalf marks in half a word a value that could not be read.
const noHalf = math.MinInt32

// fitHalves reports whether all values, NoValue aside, fit half a word.
func fitHalves(values []int64) bool {
	for _, v := range values {
		if v != NoValue && (v > math.MaxInt32 || v <= noHalf) {
			return false
		}
	}
	return true
}

// value returns value v of a row.
func (f *form) value(row []uint64, v int) int64 {
	at := f.valueAt[v]
	word := row[at/2]
	if f.wide[v] {
		return int64(word)
	}
	if half := int32(word >> (uint(at) % 2 * 32)); half != noHalf {
		return int64(half)
	}
	return NoValue
}

// piece is how many words a full piece has.
func (f *form) piece() int { return f.room * f.words }

// fits reports whether rows have this form.
func (f *form) fits(r *Rows, join bool) bool {
	if f == nil || f.join != join || !f.flagged && (r.Flags[0] != f.flags || varies(r.Flags[:r.N])) {
		return false
	}
	n := 0
	for a, codes := range r.Attrs {
		if codes == nil {
			continue
		}
		if n == len(f.attrs) || f.attrs[n] != a {
			return false
		}
		n++
	}
	for v, wide := range f.wide {
		if !wide && !fitHalves(r.Values[v][:r.N]) {
			return false
		}
	}
	return n == len(f.attrs)
}

// offHalves is the word in which a packed row's halves begin.
const offHalves = 2

// Add takes rows, whose columns may be reused when it returns. With join, rows of people who are not
// there yet are passed over: visitor records come after the usage they describe.
//
// An error is one of the spill store's, and the engine can only be discarded.
func (w *Worker) Add(r *Rows, join bool) error {
	if r.N == 0 {
		return nil
	}
	if !w.form.fits(r, join) {
		if err := w.Flush(); err != nil {
			return err
		}
		w.form = w.formOf(r, join)
		n := len(w.filled) * w.form.piece()
		w.rows = slices.Grow(w.rows[:0], n)[:n]
	}
	for start := 0; start < r.N; {
		end, full := w.place(r.Hi[start:r.N])
		w.pack(r, start, start+end)
		if full >= 0 {
			if err := w.hand(full); err != nil {
				return err
			}
		}
		start += end
	}
	return nil
}

// place finds room for rows until a piece is full, whose bucket it returns, or -1.
func (w *Worker) place(hi []uint64) (n, full int) {
	if cap(w.at) < len(hi) {
		w.at = make([]uint32, len(hi))
	}
	at, room, words, piece := w.at[:len(hi)], uint32(w.form.room), uint32(w.form.words), uint32(w.form.piece())
	for i, h := range hi {
		b := uint32(bucketOf(h))
		row := w.filled[b]
		at[i] = b*piece + row*words
		w.filled[b] = row + 1
		if row+1 == room {
			return i + 1, int(b)
		}
	}
	return len(hi), -1
}

// pack copies rows from start to end, column by column, to their places.
func (w *Worker) pack(r *Rows, start, end int) {
	at, rows, f := w.at[:end-start], w.rows, w.form
	hi, lo := r.Hi[start:end], r.Lo[start:end]
	for i, to := range at {
		row := rows[to : to+2 : to+2]
		row[0], row[1] = hi[i], lo[i]
	}
	if f.flagged {
		packHalves(rows, at, 2*offHalves, r.Flags[start:end])
	}
	for i, a := range f.attrs {
		packHalves(rows, at, f.attrAt[i], r.Attrs[a][start:end])
	}
	if f.join {
		return
	}
	for v, half := range f.valueAt {
		if values := r.Values[v][start:end]; f.wide[v] {
			packWords(rows, at, half/2, values)
		} else {
			packHalves(rows, at, half, values)
		}
	}
	for k := range w.e.spec.Keys {
		packWords(rows, at, f.keys+k, r.Keys[k][start:end])
	}
}

// packWords writes cells as one word of each row.
func packWords[T uint64 | int64](rows []uint64, at []uint32, word int, cells []T) {
	cells = cells[:len(at)]
	for i, to := range at {
		rows[int(to)+word] = uint64(cells[i])
	}
}

// packHalves writes cells as one half word of each row, the lower half before the upper. The least
// int64 becomes the least int32.
func packHalves[T uint32 | int64](rows []uint64, at []uint32, half int, cells []T) {
	cells = cells[:len(at)]
	word := half / 2
	if half%2 == 0 {
		for i, to := range at {
			rows[int(to)+word] = uint64(halfOf(cells[i]))
		}
		return
	}
	for i, to := range at {
		rows[int(to)+word] |= uint64(halfOf(cells[i])) << 32
	}
}

// halfOf returns a cell as half a word: a code, or a value that fits.
func halfOf[T uint32 | int64](cell T) uint32 {
	if v := int64(cell); v == NoValue {
		return 1 << 31
	}
	return uint32(cell)
}

// Flush hands over the rows that are not handed over yet.
func (w *Worker) Flush() error {
	for i, n := range w.filled {
		if n > 0 {
			if err := w.hand(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// hand gives a bucket the rows that were packed for it, and folds what it has where that is enough.
func (w *Worker) hand(i int) error {
	start := i * w.form.piece()
	rows := w.rows[start : start+int(w.filled[i])*w.form.words]
	w.filled[i] = 0
	piece := piece{append(w.folder.piece(), rows...), w.form}
	b := &w.e.buckets[i]
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = append(b.pieces, piece)
	if len(b.pieces)*w.form.room < max(w.e.minGathered, b.count) {
		return nil
	}
	return w.folder.drain(i)
}

// pieceWords is the length of a piece of rows: small enough that those of all buckets stay in the
// cache while rows are packed.
const pieceWords = 256

// minGathered is how many rows a bucket folds at once at least. It folds them when they are as many as
// its people: most people are then fetched into the cache for several rows, and the rows take less
// memory than the people. Twice or three times as many took more memory and no less time.
const minGathered = 256

// piece is a number of packed rows.
type piece struct {
	rows []uint64
	form *form
}

// piece returns memory for a piece.
func (f *folder) piece() []uint64 {
	if len(f.free) == 0 {
		f.free = f.e.pool.get(f.free)
	}
	last := len(f.free) - 1
	piece := f.free[last]
	f.free = f.free[:last]
	return piece
}

// pool keeps the memory of folded pieces that one goroutine has too many of.
type pool struct {
	mu    sync.Mutex
	free  [][]uint64
	slabs int64
}

const (
	// slabPieces is how many pieces are allocated at once: 512 KiB.
	slabPieces = 256
	// takenPieces is how many pieces a goroutine takes at once.
	takenPieces = 64
)

// get appends some pieces to free.
func (p *pool) get(free [][]uint64) [][]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < takenPieces {
		slab := make([]uint64, slabPieces*pieceWords)
		p.slabs++
		for len(slab) > 0 {
			p.free = append(p.free, slab[:0:pieceWords])
			slab = slab[pieceWords:]
		}
	}
	first := len(p.free) - takenPieces
	free = append(free, p.free[first:]...)
	p.free = p.free[:first]
	return free
}

// put takes all but keep of the pieces in free, and returns those.
func (p *pool) put(free [][]uint64, keep int) [][]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, free[keep:]...)
	return free[:keep]
}
