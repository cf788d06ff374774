// SPDX-License-Identifier: Apache-2.0

package engine

import (
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
	return &Worker{e: e, filled: make([]uint32, len(e.buckets)), folder: folder{e: e}}
}

// form says what one packed row holds: its hash in two words, flags and attributes in halves of words,
// and then the codes of keys, and the values.
type form struct {
	join         bool
	attrs        []int // the attributes that the rows say something about
	keys, values int   // offsets
	words        int
	room         int // how many rows a piece holds
	number       int // among the engine's forms
}

func (e *Engine) formOf(r *Rows, join bool) *form {
	f := &form{join: join, attrs: make([]int, 0, len(r.Attrs))}
	for a, codes := range r.Attrs {
		if codes != nil {
			f.attrs = append(f.attrs, a)
		}
	}
	f.keys = offHalves + (1+len(f.attrs)+1)/2
	f.values, f.words = f.keys, f.keys
	if !join {
		f.values += e.spec.Keys
		f.words = f.values + e.spec.Values
	}
	f.room = min(pieceWords/f.words, e.maxRoom)
	e.formsMu.Lock()
	defer e.formsMu.Unlock()
	f.number = len(e.forms)
	e.forms = append(e.forms, f)
	return f
}

// piece is how many words a full piece has.
func (f *form) piece() int { return f.room * f.words }

// fits reports whether rows have this form.
func (f *form) fits(r *Rows, join bool) bool {
	if f == nil || f.join != join {
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
	return n == len(f.attrs)
}

// offHalves is where a packed row's flags are, in the lower half of the word; attributes follow.
const offHalves = 2

// half returns the word and the shift of attribute column i of a packed row.
func half(i int) (word int, shift uint) { return offHalves + (i+1)/2, uint(i+1) % 2 * 32 }

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
		w.form = w.e.formOf(r, join)
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
	at, rows := w.at[:end-start], w.rows
	hi, lo, flags := r.Hi[start:end], r.Lo[start:end], r.Flags[start:end]
	for i, to := range at {
		row := rows[to : to+3 : to+3]
		row[0], row[1], row[offHalves] = hi[i], lo[i], uint64(flags[i])
	}
	for i, a := range w.form.attrs {
		codes := r.Attrs[a][start:end]
		word, shift := half(i)
		if shift == 0 {
			for i, to := range at {
				rows[int(to)+word] = uint64(codes[i])
			}
			continue
		}
		for i, to := range at {
			rows[int(to)+word] |= uint64(codes[i]) << 32
		}
	}
	if w.form.join {
		return
	}
	for k := range w.e.spec.Keys {
		codes, word := r.Keys[k][start:end], w.form.keys+k
		for i, to := range at {
			rows[int(to)+word] = codes[i]
		}
	}
	for v := range w.e.spec.Values {
		values, word := r.Values[v][start:end], w.form.values+v
		for i, to := range at {
			rows[int(to)+word] = uint64(values[i])
		}
	}
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
