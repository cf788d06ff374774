// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/throngdp/throng/dp"
)

// Close returns the partials and discards the engine. Its workers have flushed.
func (e *Engine) Close(ctx context.Context, workers int) (*Partials, error) {
	defer e.Discard()
	totals := make([]*total, len(e.spec.Tables))
	parents := make([]*total, len(e.spec.Tables))
	spreads := make([][]*total, len(e.spec.Tables))
	for i := range e.spec.Tables {
		t := &e.closing[i]
		totals[i] = newTotal(t.kept(), t.Floor)
		for range t.Spreads {
			spreads[i] = append(spreads[i], newTotal(0, 0))
		}
		if t.Parent != nil {
			parents[i] = newTotal(0, 0)
		}
	}
	closers := make([]*closer, max(workers, 1))
	for i := range closers {
		closers[i] = newCloser(e, totals, parents, spreads)
	}
	// What is in memory comes first, so that there is room for what is not.
	for _, spilled := range []bool{false, true} {
		err := share(ctx, workers, len(e.buckets), func(w, n int) error {
			return closers[w].close(n, spilled)
		})
		if err != nil {
			return nil, err
		}
	}
	p := &Partials{Tables: make([]*Groups, len(totals)), Parents: make([]*Groups, len(totals))}
	p.Bounded = make([][Overs]int64, len(totals))
	for _, c := range closers {
		p.Visitors += c.visitors
		for t := range c.bounded {
			for i, n := range c.bounded[t] {
				p.Bounded[t][i] += n
			}
		}
	}
	for t := range totals {
		var err error
		if p.Tables[t], err = totals[t].finish(ctx, workers); err != nil {
			return nil, err
		}
		if p.Parents[t], err = parents[t].finish(ctx, workers); err != nil {
			return nil, err
		}
		p.Leaves = append(p.Leaves, nil)
		for _, s := range spreads[t] {
			groups, err := s.finish(ctx, workers)
			if err != nil {
				return nil, err
			}
			p.Leaves[t] = append(p.Leaves[t], e.leaves(p.Tables[t], groups, len(e.spec.Tables[t].Persons)))
		}
	}
	return p, nil
}

// share calls do for 0 to n − 1, by as many goroutines as there are workers, each with a number of its
// own, until one of them fails.
func share(ctx context.Context, workers, n int, do func(worker, i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, max(workers, 1))
	for w := range errs {
		wg.Go(func() {
			for ctx.Err() == nil && errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[w] = do(w, i); errs[w] != nil {
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// closer turns finished people into group accumulators.
type closer struct {
	e        *Engine
	folder   folder
	visitors int64
	tables   []*collector
	parents  []*collector // nil where a table has none
	spreads  [][]*collector
	codes    []uint32
	dropped  []bool
	person   []uint32
	events   []uint64
	bounded  [][Overs]int64
	few      []uint64 // groups of one person
	taken    taken
}

func newCloser(e *Engine, totals, parents []*total, spreads [][]*total) *closer {
	n := len(e.spec.Attributes)
	c := &closer{e: e, folder: newFolder(e), codes: make([]uint32, n), dropped: make([]bool, n), bounded: make([][Overs]int64, len(totals))}
	for i := range totals {
		c.tables = append(c.tables, totals[i].collector())
		c.parents = append(c.parents, parents[i].collector())
		c.spreads = append(c.spreads, nil)
		for _, s := range spreads[i] {
			c.spreads[i] = append(c.spreads[i], s.collector())
		}
	}
	return c
}

// close closes bucket n if it is one of those that are spilled, or are not.
func (c *closer) close(n int, spilled bool) error {
	b := &c.e.buckets[n]
	if b.spilled != spilled {
		return nil
	}
	if spilled {
		if err := c.folder.restore(n, b); err != nil {
			return err
		}
	}
	c.folder.foldAll(b)
	c.bucket(b)
	b.clear()
	return nil
}

// clear forgets a bucket's people.
func (b *bucket) clear() { b.index, b.blocks, b.arena, b.votes, b.count = nil, nil, nil, nil, 0 }

func (c *closer) bucket(b *bucket) {
	c.people(b, func(rec []uint64) {
		c.visitors++
		for t := range c.e.spec.Tables {
			c.table(b, rec, t)
		}
	})
}

// people calls do with the record of each person who counts, whose labels are then in codes.
func (c *closer) people(b *bucket, do func(rec []uint64)) {
	l, need := &c.e.layout, uint64(Event|c.e.spec.Required)
	for n := range b.count {
		rec := b.record(l, l.place(n))[:l.words]
		flags := rec[offFlags]
		if flags&uint64(Excluded) != 0 || flags&need != need {
			continue
		}
		for a := range c.codes {
			attr := &c.e.spec.Attributes[a]
			c.codes[a] = b.votes.resolve(rec[offAttrs+a], attr)
			c.dropped[a] = attr.Dropped != nil && attr.Dropped(c.codes[a])
		}
		do(rec)
	}
}

func (c *closer) table(b *bucket, rec []uint64, t int) {
	table, plan := &c.e.closing[t], &c.e.plans[t]
	own, stride := rec[plan.own:plan.own+plan.inline], plan.stride
	var kept []uint64
	crowded := false
	switch {
	case table.Key >= 0 && table.Bounds.MaxPartitions < c.e.spec.Tables[t].Bounds.MaxPartitions:
		kept = c.slots(b, own, t)
		if most := int(table.Bounds.MaxPartitions) * stride; len(kept) > most {
			kept, crowded = kept[:most], true
		}
	case table.Bounds.MaxContributions > 0:
		kept = c.slots(b, own, t)
	case plan.few:
		kept = unpack(own, stride)
	case table.Key >= 0:
		off, length := int(own[0]>>32), int(own[0]>>16&0xffff)
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
		if plan.recorded && own[0] == 0 { // none of this person's values could be read
			return
		}
		c.bounded[t][table.over(own)]++
		e := table.counted(own)
		addPerson(groups, table, Group{0, person}, own, e)
		c.spread(b, t, 0, own, e)
		return
	}
	if len(kept) == 0 {
		return
	}
	took := 0
	if word, bit := c.e.layout.crowd(t); crowded || rec[word]&bit != 0 {
		took = OverPartitions
	}
	part := table.portion(kept, stride)
	for ; len(kept) > 0; kept = kept[stride:] {
		acc := kept[2:stride]
		took |= table.over(acc)
		e := part.of(table.counted(acc))
		addPerson(groups, table, Group{kept[1], person}, acc, e)
		c.spread(b, t, kept[1], acc, e)
	}
	c.bounded[t][table.overAll(took, part)]++
}

// unpack returns those of a record's slots that are in use, with their codes as they are.
func unpack(slots []uint64, stride int) []uint64 {
	for at := 0; at < len(slots); at += stride {
		code := ^slots[at+1]
		if code == NoKey {
			return slots[:at]
		}
		slots[at+1] = code
	}
	return slots
}

// addPerson adds a person of whose records e count in a group.
func addPerson(c *collector, t *Table, k Group, acc []uint64, e int64) {
	g, i := c.at(k)
	g.Visitors[i]++
	if !t.recorded() {
		return
	}
	n := int64(acc[0])
	acc = acc[1:]
	if t.Events {
		g.Events[i] += e
	}
	to, words := g.totals[2*i*g.sums:], [2]uint64{}
	for s := range t.Sums {
		sum := &t.Sums[s]
		words, acc = sum.read(acc, words)
		if t.left != nil && t.left[s] {
			continue
		}
		add128(to, sum.bounded(words[0], words[1], e, n))
		to = to[2:]
	}
}

// kept is how many sums are in the partials.
func (t *Table) kept() int {
	n := len(t.Sums)
	for _, left := range t.left {
		if left {
			n--
		}
	}
	return n
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
