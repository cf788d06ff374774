// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/throngdp/throng/dp"
)

// Close returns the partials. The engine must not be used afterwards, and its workers have flushed.
func (e *Engine) Close(ctx context.Context, workers int) (*Partials, error) {
	closers := make([]*closer, max(workers, 1))
	for i := range closers {
		closers[i] = newCloser(e)
	}
	err := share(ctx, workers, len(e.buckets), func(w, n int) {
		closers[w].folder.foldAll(&e.buckets[n])
		closers[w].bucket(&e.buckets[n])
		e.buckets[n] = bucket{}
	})
	if err != nil {
		return nil, err
	}
	p := &Partials{}
	for _, c := range closers {
		p.Visitors += c.visitors
	}
	for t := range e.spec.Tables {
		groups, err := merge(ctx, workers, closers, func(c *closer) *collector { return c.tables[t] })
		if err != nil {
			return nil, err
		}
		parents, err := merge(ctx, workers, closers, func(c *closer) *collector { return c.parents[t] })
		if err != nil {
			return nil, err
		}
		p.Tables, p.Parents = append(p.Tables, groups), append(p.Parents, parents)
	}
	return p, nil
}

// share calls do for 0 to n − 1, by as many goroutines as there are workers, each with a number of its
// own.
func share(ctx context.Context, workers, n int, do func(worker, i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range max(workers, 1) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(w, i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// closer turns finished people into group accumulators.
type closer struct {
	e        *Engine
	folder   folder
	visitors int64
	tables   []*collector
	parents  []*collector // nil where a table has none
	codes    []uint32
	dropped  []bool
	person   []uint32
	events   []uint64
}

func newCloser(e *Engine) *closer {
	n := len(e.spec.Attributes)
	c := &closer{e: e, folder: folder{e: e}, codes: make([]uint32, n), dropped: make([]bool, n)}
	for i := range e.spec.Tables {
		t := &e.spec.Tables[i]
		var parents *collector
		if t.Parent != nil {
			parents = newCollector(0, 0)
		}
		c.tables, c.parents = append(c.tables, newCollector(len(t.Sums), t.Floor)), append(c.parents, parents)
	}
	return c
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
		c.visitors++
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
	var kept []uint64
	switch {
	case table.single():
		if rec[at+1] = ^rec[at+1]; rec[at+1] != NoKey {
			kept = rec[at : at+stride]
		}
	case table.Key >= 0:
		off, length := int(rec[at]>>32), int(rec[at]>>16&0xffff)
		kept = b.arena[off : off+length*stride]
	}
	if table.Parent != nil {
		c.countParents(t, kept, stride)
	}
	person, ok := c.personCode(table.Persons)
	if !ok {
		return
	}
	groups := c.tables[t]
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

func addPerson(c *collector, t *Table, k Group, slot []uint64) {
	g, i := c.at(k)
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
func (c *closer) countParents(t int, kept []uint64, stride int) {
	parent := c.e.spec.Tables[t].Parent
	person, ok := c.personCode(parent.Persons)
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
	for _, ev := range slices.Compact(c.events) {
		g, i := c.parents[t].at(Group{ev, person})
		g.Visitors[i]++
	}
}

// person returns the code of the person-level part of a group, false where a label is
// outside its declared groups.
func (c *closer) personCode(attrs []int) (uint64, bool) {
	c.person = c.person[:0]
	for _, a := range attrs {
		if c.dropped[a] {
			return 0, false
		}
		c.person = append(c.person, c.codes[a])
	}
	return c.e.pairs.Fold(c.person...), true
}
