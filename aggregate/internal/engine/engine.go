// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/throngdp/throng/dp"
)

// bucketBits is the number of high bits of a person's hash that choose a bucket. A thousand buckets
// keep a million people's table near the second-level cache; fewer would serve less.
const bucketBits = 10

// Engine accumulates rows. Its workers may run concurrently.
type Engine struct {
	spec    Spec
	layout  layout
	strides []int
	buckets []bucket
	pairs   Pairs
}

// New returns an engine for a spec, whose tables and bounds must have been validated.
func New(spec Spec) *Engine {
	e := &Engine{spec: spec, layout: newLayout(&spec), buckets: make([]bucket, 1<<bucketBits)}
	for i := range spec.Tables {
		e.strides = append(e.strides, spec.Tables[i].slotWords())
	}
	return e
}

// Worker scatters rows and folds them into the buckets. Each goroutine needs its own.
type Worker struct {
	e     *Engine
	ends  []uint32 // where the rows of each bucket end
	place []uint32 // where each row goes
	rows  Rows     // the rows, bucket by bucket
}

// Worker returns a new worker.
func (e *Engine) Worker() *Worker {
	return &Worker{e: e, ends: make([]uint32, len(e.buckets)+1)}
}

// Add folds rows into the people they belong to. With join, rows of people who are not there yet
// are passed over: visitor records come after the usage they describe.
func (w *Worker) Add(r *Rows, join bool) {
	w.scatter(r)
	start := 0
	for i, end := range w.ends[:len(w.e.buckets)] {
		if start == int(end) {
			continue
		}
		b := &w.e.buckets[i]
		b.mu.Lock()
		for ; start < int(end); start++ {
			w.e.fold(b, &w.rows, start, join)
		}
		b.mu.Unlock()
	}
}

// scatter copies the rows bucket by bucket, column by column: folding then reads every column from
// front to back, where a list of row numbers would fetch each cell from memory. While it places rows,
// ends[i] is where the next row of bucket i goes, so that in the end it is where they end.
func (w *Worker) scatter(r *Rows) {
	const shift = 64 - bucketBits
	clear(w.ends)
	for _, hi := range r.Hi[:r.N] {
		w.ends[hi>>shift+1]++
	}
	for i := 1; i < len(w.ends); i++ {
		w.ends[i] += w.ends[i-1]
	}
	w.place = slices.Grow(w.place[:0], r.N)[:r.N]
	for i, hi := range r.Hi[:r.N] {
		at := &w.ends[hi>>shift]
		w.place[i] = *at
		*at++
	}
	to := &w.rows
	to.N = r.N
	to.Hi, to.Lo, to.Flags = w.wide(to.Hi, r.Hi), w.wide(to.Lo, r.Lo), permute(to.Flags, r.Flags, w.place)
	to.Attrs = slices.Grow(to.Attrs[:0], len(r.Attrs))[:len(r.Attrs)]
	for a, codes := range r.Attrs {
		if codes == nil {
			to.Attrs[a] = nil
			continue
		}
		to.Attrs[a] = permute(to.Attrs[a], codes, w.place)
	}
	to.Keys = slices.Grow(to.Keys[:0], len(r.Keys))[:len(r.Keys)]
	for k := range r.Keys {
		to.Keys[k].Code = w.wide(to.Keys[k].Code, r.Keys[k].Code)
		to.Keys[k].Hash = w.wide(to.Keys[k].Hash, r.Keys[k].Hash)
	}
	to.Values = slices.Grow(to.Values[:0], len(r.Values))[:len(r.Values)]
	for v := range r.Values {
		to.Values[v] = permute(to.Values[v], r.Values[v], w.place)
	}
}

func (w *Worker) wide(dst, src []uint64) []uint64 { return permute(dst, src, w.place) }

// permute copies src so that cell i stands at place[i]. Columns that a row does not have are empty.
func permute[T any](dst, src []T, place []uint32) []T {
	if len(src) < len(place) {
		return dst[:0]
	}
	dst = slices.Grow(dst[:0], len(place))[:len(place)]
	for i, at := range place {
		dst[at] = src[i]
	}
	return dst
}

func (e *Engine) fold(b *bucket, r *Rows, i int, join bool) {
	hi, lo := r.Hi[i], r.Lo[i]
	rec := b.find(hi, lo, e.layout.words, !join)
	if rec < 0 {
		return
	}
	flags := r.Flags[i]
	b.recs[rec+offFlags] |= uint64(flags)
	for a, codes := range r.Attrs {
		if codes != nil && codes[i] != None {
			b.vote(&b.recs[rec+offAttrs+a], codes[i])
		}
	}
	if flags&Event == 0 || flags&Excluded != 0 {
		return
	}
	for t := range e.spec.Tables {
		e.foldTable(b, rec, t, r, i, hi, lo)
	}
}

func (e *Engine) foldTable(b *bucket, rec, t int, r *Rows, i int, hi, lo uint64) {
	table := &e.spec.Tables[t]
	for s := range table.Sums {
		if r.Values[table.Sums[s].Value][i] == NoValue {
			return
		}
	}
	at := rec + e.layout.tables[t]
	var slot []uint64
	if table.Key >= 0 {
		keys := &r.Keys[table.Key]
		code := keys.Code[i]
		if code == NoKey {
			return
		}
		p := priority(&e.spec.Seed, hi, lo, keys.Hash[i])
		off := b.keep(&b.recs[at], table, e.strides[t], p, code, &e.spec)
		if off < 0 || !table.recorded() {
			return
		}
		slot = b.arena[off+2 : off+e.strides[t]]
	} else {
		if !table.recorded() {
			return
		}
		slot = b.recs[at : at+table.inlineWords()]
	}
	slot[0]++
	for s := range table.Sums {
		sum := &table.Sums[s]
		v := r.Values[sum.Value][i]
		if !sum.Total {
			v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)
		}
		add128(slot[1+2*s:3+2*s], v)
	}
}

// Close returns the partials. The engine must not be used afterwards.
func (e *Engine) Close(ctx context.Context, workers int) (*Partials, error) {
	parts := make([]*Partials, max(workers, 1))
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range parts {
		parts[i] = e.newPartials()
		wg.Go(func() {
			c := newCloser(e, parts[i])
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(e.buckets) {
					return
				}
				c.bucket(&e.buckets[n])
				e.buckets[n] = bucket{}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range parts[1:] {
		parts[0].merge(p)
	}
	return parts[0], nil
}

func (e *Engine) newPartials() *Partials {
	p := &Partials{}
	for i := range e.spec.Tables {
		t := &e.spec.Tables[i]
		p.Tables = append(p.Tables, newGroups(len(t.Sums)))
		var parents *Groups
		if t.Parent != nil {
			parents = newGroups(0)
		}
		p.Parents = append(p.Parents, parents)
	}
	return p
}

func (p *Partials) merge(o *Partials) {
	p.Visitors += o.Visitors
	for i := range p.Tables {
		p.Tables[i].merge(o.Tables[i])
		if p.Parents[i] != nil {
			p.Parents[i].merge(o.Parents[i])
		}
	}
}

// closer turns finished people into group accumulators.
type closer struct {
	e       *Engine
	p       *Partials
	codes   []uint32
	dropped []bool
	events  []uint64
}

func newCloser(e *Engine, p *Partials) *closer {
	n := len(e.spec.Attributes)
	return &closer{e: e, p: p, codes: make([]uint32, n), dropped: make([]bool, n)}
}

func (c *closer) bucket(b *bucket) {
	words := c.e.layout.words
	need := uint64(Event | c.e.spec.Required)
	for n := range b.count {
		rec := b.recs[n*words : (n+1)*words]
		flags := rec[offFlags]
		if flags&uint64(Excluded) != 0 || flags&need != need {
			continue
		}
		c.p.Visitors++
		for a := range c.codes {
			attr := &c.e.spec.Attributes[a]
			c.codes[a] = b.resolve(rec[offAttrs+a], attr)
			c.dropped[a] = attr.Dropped != nil && attr.Dropped(c.codes[a])
		}
		for t := range c.e.spec.Tables {
			c.table(b, rec, t)
		}
	}
}

func (c *closer) table(b *bucket, rec []uint64, t int) {
	table, at, stride := &c.e.spec.Tables[t], c.e.layout.tables[t], c.e.strides[t]
	off, length := 0, 0
	if table.Key >= 0 {
		off, length = int(rec[at]>>32), int(rec[at]>>16&0xffff)
	}
	kept := b.arena[off : off+length*stride]
	if table.Parent != nil {
		c.parents(t, kept, stride)
	}
	person, ok := c.person(table.Persons)
	if !ok {
		return
	}
	groups := c.p.Tables[t]
	if table.Key < 0 {
		slot := rec[at : at+table.inlineWords()]
		if !table.recorded() || slot[0] > 0 { // else none of this person's values could be read
			addPerson(groups, table, Group{0, person}, slot)
		}
		return
	}
	for ; len(kept) > 0; kept = kept[stride:] {
		addPerson(groups, table, Group{kept[1], person}, kept[2:stride])
	}
}

func addPerson(g *Groups, t *Table, k Group, slot []uint64) {
	i := g.at(k)
	g.Visitors[i]++
	if !t.recorded() {
		return
	}
	n := int64(slot[0])
	e := min(n, t.Bounds.MaxPerPartition)
	if t.Events {
		g.Events[i] += e
	}
	for s := range t.Sums {
		lo, hi := slot[1+2*s], slot[2+2*s]
		var v int64
		if t.Sums[s].Total {
			v = clampTotal(lo, hi, t.Sums[s].Clamp)
		} else {
			v = boundedSum(lo, hi, e, n)
		}
		add128(g.totals[2*(i*g.sums+s):], v)
	}
}

// clampTotal clamps a person's two-word total; saturating first changes nothing, as a clamp lies
// within ±MaxSum.
func clampTotal(lo, hi uint64, c dp.Clamp) int64 {
	return min(max(saturate(lo, hi), c.Lower), c.Upper)
}

// parents counts a person once in each distinct parent: in that of their own values, or in those of
// their kept groups. Labels outside declared groups keep nobody from a parent that does not use them:
// a share is of everyone in its whole.
func (c *closer) parents(t int, kept []uint64, stride int) {
	parent := c.e.spec.Tables[t].Parent
	person, ok := c.person(parent.Persons)
	if !ok {
		return
	}
	c.events = c.events[:0]
	if parent.Event == nil {
		c.events = append(c.events, 0)
	} else {
		for ; len(kept) > 0; kept = kept[stride:] {
			c.events = append(c.events, parent.Event(kept[1]))
		}
	}
	slices.Sort(c.events)
	g := c.p.Parents[t]
	for _, ev := range slices.Compact(c.events) {
		g.Visitors[g.at(Group{ev, person})]++
	}
}

// person returns the code of the person-level part of a group, false where a label is
// outside its declared groups.
func (c *closer) person(attrs []int) (uint64, bool) {
	var code uint64
	for i, a := range attrs {
		if c.dropped[a] {
			return 0, false
		}
		code = c.e.pairs.Fold(code, c.codes[a], i)
	}
	return code, true
}

// PersonPairs resolves the person-level codes of groups back to attribute codes.
func (e *Engine) PersonPairs() *Pairs { return &e.pairs }
