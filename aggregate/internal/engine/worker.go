// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// Worker gathers rows by bucket and folds them into the people they belong to. Each goroutine needs
// its own, and flushes it before [Engine.Close].
type Worker struct {
	e    *Engine
	form form
	// rows has room rows of form.words words for each bucket, of which filled are there.
	rows   []uint64
	filled []uint32
	room   int
	at     []uint32 // where each row of a part goes
	recs   []int32  // where the person of each row of a bucket is
	// touched keeps a sum that nobody needs; see [Engine.touch].
	touched uint64
}

// gathered is how many words of rows a worker gathers before buckets are folded: some hundred rows
// for each, so that a bucket's people come into the cache once for all of them.
const gathered = 1 << 20

// maxRoom bounds the rows that a bucket gathers, minRoom the rows that it can.
const (
	minRoom = 8
	maxRoom = 256
)

// Worker returns a new worker.
func (e *Engine) Worker() *Worker {
	return &Worker{e: e, filled: make([]uint32, len(e.buckets))}
}

// form says what one gathered row holds: its hash in two words, flags and attributes in halves of
// words, and then for each key its code and hash, and the values.
type form struct {
	join         bool
	attrs        []int // the attributes that the rows say something about
	keys, values int   // offsets
	words        int
}

func (w *Worker) formOf(r *Rows, join bool) form {
	f := form{join: join, attrs: make([]int, 0, len(r.Attrs))}
	for a, codes := range r.Attrs {
		if codes != nil {
			f.attrs = append(f.attrs, a)
		}
	}
	f.keys = offHalves + (1+len(f.attrs)+1)/2
	f.values, f.words = f.keys, f.keys
	if !join {
		f.values += 2 * w.e.spec.Keys
		f.words = f.values + w.e.spec.Values
	}
	return f
}

// fits reports whether rows have this form.
func (f *form) fits(r *Rows, join bool) bool {
	if f.words == 0 || f.join != join {
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

// offHalves is where a gathered row's flags are, in the lower half of the word; attributes follow.
const offHalves = 2

// half returns the word and the shift of attribute column i of a gathered row.
func half(i int) (word int, shift uint) { return offHalves + (i+1)/2, uint(i+1) % 2 * 32 }

// Add takes rows, whose columns may be reused when it returns. With join, rows of people who are not
// there yet are passed over: visitor records come after the usage they describe.
func (w *Worker) Add(r *Rows, join bool) {
	if r.N == 0 {
		return
	}
	if !w.form.fits(r, join) {
		w.Flush()
		w.form = w.formOf(r, join)
		w.room = min(max(gathered/(len(w.filled)*w.form.words), minRoom), maxRoom)
		w.rows = slices.Grow(w.rows[:0], len(w.filled)*w.room*w.form.words)
		w.rows = w.rows[:cap(w.rows)]
	}
	for start := 0; start < r.N; {
		end, full := w.place(r.Hi[start:r.N])
		w.gather(r, start, start+end)
		if full >= 0 {
			w.fold(full)
		}
		start += end
	}
}

// place finds room for rows until there is none left in some bucket, which it returns, or -1.
func (w *Worker) place(hi []uint64) (n, full int) {
	if cap(w.at) < len(hi) {
		w.at = make([]uint32, len(hi))
	}
	at, room, words := w.at[:len(hi)], uint32(w.room), uint32(w.form.words)
	for i, h := range hi {
		b := uint32(bucketOf(h))
		row := w.filled[b]
		at[i] = (b*room + row) * words
		w.filled[b] = row + 1
		if row+1 == room {
			return i + 1, int(b)
		}
	}
	return len(hi), -1
}

// gather copies rows from start to end, column by column, to their places.
func (w *Worker) gather(r *Rows, start, end int) {
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
		code, hash := r.Keys[k].Code[start:end], r.Keys[k].Hash[start:end]
		word := w.form.keys + 2*k
		for i, to := range at {
			row := rows[int(to)+word : int(to)+word+2 : int(to)+word+2]
			row[0], row[1] = code[i], hash[i]
		}
	}
	for v := range w.e.spec.Values {
		values := r.Values[v][start:end]
		word := w.form.values + v
		for i, to := range at {
			rows[int(to)+word] = uint64(values[i])
		}
	}
}

// Flush folds the rows that were gathered.
func (w *Worker) Flush() {
	for i, n := range w.filled {
		if n > 0 {
			w.fold(i)
		}
	}
}

// fold folds the rows gathered for one bucket, whose people are then mostly not in the cache. So all
// rows are looked up before any is folded: the processor waits for many of them at a time.
func (w *Worker) fold(i int) {
	words := w.form.words
	start := i * w.room * words
	rows := w.rows[start : start+int(w.filled[i])*words]
	w.filled[i] = 0
	b := &w.e.buckets[i]
	b.mu.Lock()
	defer b.mu.Unlock()
	w.recs = b.findAll(w.recs[:0], rows, words, w.e.layout.words, !w.form.join)
	if !w.form.join {
		w.touched += w.e.touch(b, w.recs)
	}
	for _, at := range w.recs {
		if at >= 0 {
			w.e.fold(b, int(at), rows[:words:words], &w.form)
		}
		rows = rows[words:]
	}
}

// touch reads the first of the groups that the people at recs hold, so that they come into the cache.
// The sum that it returns is of no meaning; without it there would be nothing to read them for.
func (e *Engine) touch(b *bucket, recs []int32) (sum uint64) {
	for t := range e.spec.Tables {
		if e.spec.Tables[t].Key < 0 {
			continue
		}
		header := e.layout.tables[t]
		for _, at := range recs {
			if off := b.recs[int(at)+header] >> 32; off < uint64(len(b.arena)) {
				sum += b.arena[off]
			}
		}
	}
	return sum
}

// fold folds one row into its person.
func (e *Engine) fold(b *bucket, at int, row []uint64, f *form) {
	rec := b.recs[at : at+e.layout.words : at+e.layout.words]
	flags := uint32(row[offHalves])
	rec[offFlags] |= uint64(flags)
	for i, a := range f.attrs {
		word, shift := half(i)
		if code := uint32(row[word] >> shift); code != None {
			b.vote(&rec[offAttrs+a], code)
		}
	}
	if flags&Event == 0 || flags&Excluded != 0 || f.join {
		return
	}
	for t := range e.spec.Tables {
		e.foldTable(b, rec, t, row, f)
	}
}

func (e *Engine) foldTable(b *bucket, rec []uint64, t int, row []uint64, f *form) {
	table := &e.spec.Tables[t]
	values := row[f.values:]
	for s := range table.Sums {
		if int64(values[table.Sums[s].Value]) == NoValue {
			return
		}
	}
	at := e.layout.tables[t]
	var slot []uint64
	if table.Key >= 0 {
		key := row[f.keys+2*table.Key:]
		code, hash := key[0], key[1]
		if code == NoKey {
			return
		}
		p := priority(&e.spec.Seed, row[0], row[1], hash)
		off := b.keep(&rec[at], table, e.strides[t], p, code, &e.spec)
		if off < 0 || !table.recorded() {
			return
		}
		slot = b.arena[off+2 : off+e.strides[t]]
	} else {
		if !table.recorded() {
			return
		}
		slot = rec[at : at+table.inlineWords()]
	}
	slot[0]++
	for s := range table.Sums {
		sum := &table.Sums[s]
		v := int64(values[sum.Value])
		if !sum.Total {
			v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)
		}
		add128(slot[1+2*s:3+2*s], v)
	}
}
