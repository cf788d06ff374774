// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// Builder turns batches into rows. It belongs to one goroutine.
type Builder struct {
	in     *Input
	labels []*memo
	rules  []*memo
	lifts  []*memo
	ids    []idMemo
	values []valueMemo

	rows engine.Rows
	// keep lists the records that have an id; all says that every one has, and keep is empty.
	keep   []int32
	all    bool
	codes  [][]uint32
	rule   []uint32
	lift   []uint32
	old    []bool // of a retention
	idText []byte
	joined table.Column
	splits []*splitter // of the labels that may be several of one cell, nil for others
	// isSplit says that there is one.
	isSplit bool
	copies  copies
	// unit is the number of the unit that rows describe, and numbers are those of a batch's records.
	unit    int64
	numbers []int64
}

// NewBuilder returns a builder for an input.
func NewBuilder(in *Input) (*Builder, error) {
	b := &Builder{in: in, codes: make([][]uint32, len(in.Labels)), ids: make([]idMemo, len(in.IDs)), values: make([]valueMemo, len(in.Values))}
	for i := range in.Labels {
		l := &in.Labels[i]
		labeler, err := l.Labeler()
		if err != nil {
			return nil, err
		}
		code := labelCode(labeler, l.Dictionary)
		if l.Several {
			s := newSplitter(l.Split, code)
			b.splits, b.labels, b.isSplit = append(b.splits, s), append(b.labels, nil), true
			continue
		}
		m := newMemo(code)
		m.span = labeler.Span
		b.splits, b.labels = append(b.splits, nil), append(b.labels, m)
	}
	for _, r := range in.Rules {
		b.rules = append(b.rules, newMemo(verdict(r.Keeps)))
		if r.Unless >= 0 {
			b.lifts = append(b.lifts, newMemo(verdict(r.Lifts)))
		} else {
			b.lifts = append(b.lifts, nil)
		}
	}
	b.rows.Attrs = make([][]uint32, len(in.Attributes))
	b.rows.Keys = make([][]uint64, len(in.Keys))
	b.rows.Values = make([][]int64, len(in.Values))
	return b, nil
}

func labelCode(l *generalize.Labeler, d *Dictionary) func(anonymize.Value) uint32 {
	var buf []byte
	return func(v anonymize.Value) uint32 {
		var isKnown bool
		buf, isKnown = l.Label(buf[:0], v)
		n := d.Code(buf)
		c := n
		if isKnown {
			c |= known
		}
		if d.Dropped(n) {
			c |= dropped
		}
		return c
	}
}

// holds is the code of a value for which a rule holds.
const holds = 1

func verdict(f func(anonymize.Value) bool) func(anonymize.Value) uint32 {
	return func(v anonymize.Value) uint32 {
		if f(v) {
			return holds
		}
		return 0
	}
}

// Rows returns the rows of a batch's records, those that have an id. They are valid until the next
// call.
func (b *Builder) Rows(batch *table.Batch) *engine.Rows {
	b.identify(batch)
	r := &b.rows
	b.in.Links.ResolveAll(r.Hi[:r.N], r.Lo[:r.N])
	b.part(batch)
	for i := range b.in.Labels {
		b.label(i, batch)
	}
	b.flags(batch)
	b.retain(batch)
	for a, l := range b.in.Attributes {
		if l >= 0 {
			r.Attrs[a] = b.attribute(r.Attrs[a][:0], l)
		}
	}
	for k, labels := range b.in.Keys {
		r.Keys[k] = b.key(r.Keys[k], labels)
	}
	for i := range b.in.Values {
		v := &b.in.Values[i]
		r.Values[i] = kept(b, b.values[i].fill(r.Values[i], v, &batch.Columns[v.Column], batch.Len))
	}
	b.copies.row, b.copies.nth = 0, 1
	return r
}

// kept leaves those of a column's cells, in place, whose records have an id.
func kept[T any](b *Builder, cells []T) []T {
	if b.all {
		return cells
	}
	for at, i := range b.keep {
		cells[at] = cells[i]
	}
	return cells[:len(b.keep)]
}

// label finds the codes of all records of the batch for one dimension.
func (b *Builder) label(i int, batch *table.Batch) {
	l := &b.in.Labels[i]
	c := &batch.Columns[l.Columns[0]]
	if len(l.Columns) > 1 {
		b.join(l, batch)
		c = &b.joined
	}
	if s := b.splits[i]; s != nil {
		s.lists = kept(b, s.fill(s.lists, c, batch.Len))
		b.codes[i] = s.first(b.codes[i])
		return
	}
	b.codes[i] = kept(b, b.labels[i].fill(b.codes[i], c, batch.Len))
}

// join writes several columns as one column of text; a record that lacks one of them is null.
func (b *Builder) join(l *Label, batch *table.Batch) {
	j := &b.joined
	j.Reset()
	j.Offsets = append(j.Offsets, 0)
	for i := range batch.Len {
		valid := true
		for n, c := range l.Columns {
			if n > 0 {
				j.Data = append(j.Data, l.Join...)
			}
			var ok bool
			j.Data, ok = batch.Columns[c].Value(i).AppendText(j.Data)
			valid = valid && ok
		}
		j.Valid = append(j.Valid, valid)
		j.Offsets = append(j.Offsets, uint32(len(j.Data)))
	}
}

func (b *Builder) attribute(dst []uint32, label int) []uint32 {
	for i, c := range b.codes[label] {
		n := engine.None // what says nothing has no vote
		if c&known != 0 && !(b.in.Retention != nil && b.old[i]) {
			n = c & number
		}
		dst = append(dst, n)
	}
	return dst
}

// key folds the codes of several dimensions into one exact code per record. A record with a label
// outside its declared groups is in no group.
func (b *Builder) key(dst []uint64, labels []int) []uint64 {
	n := b.rows.N
	dst = resize(dst, n)
	width := engine.Width(len(labels))
	var all uint32
	for at, l := range labels {
		codes := b.codes[l][:n]
		if at == 0 {
			for i, c := range codes {
				all |= c
				dst[i] = uint64(c & number)
			}
			continue
		}
		for i, c := range codes {
			all |= c
			dst[i] = dst[i]<<width | uint64(c&number)
		}
	}
	if all&dropped != 0 || uint64(all&number)>>width != 0 {
		b.foldApart(dst, labels)
	}
	return dst
}

// foldApart folds one by one the codes of a batch of which some are not like most.
func (b *Builder) foldApart(dst []uint64, labels []int) {
	var codes []uint32
	for i := range dst {
		codes = codes[:0]
		for _, l := range labels {
			c := b.codes[l][i]
			if c&dropped != 0 {
				break
			}
			codes = append(codes, c&number)
		}
		dst[i] = b.fold(codes, len(labels))
	}
}

// fold returns the key of n codes, and none where there are fewer.
func (b *Builder) fold(codes []uint32, n int) uint64 {
	if len(codes) < n {
		return engine.NoKey
	}
	return b.in.Pairs.Fold(codes...)
}

func (b *Builder) flags(batch *table.Batch) {
	r := &b.rows
	r.Flags = resize(r.Flags, batch.Len)
	b.events(r.Flags, batch)
	r.Flags = kept(b, r.Flags)
	for n := range b.in.Rules {
		rule := &b.in.Rules[n]
		satisfies := engine.Satisfies(rule.Number)
		b.rule = kept(b, rule.Given.keep(b.rules[n].fill(b.rule, &batch.Columns[rule.Column], batch.Len), batch))
		if rule.Unless >= 0 {
			b.lift = kept(b, rule.UnlessGiven.keep(b.lifts[n].fill(b.lift, &batch.Columns[rule.Unless], batch.Len), batch))
			for i, c := range b.lift {
				b.rule[i] |= c
			}
		}
		for i, c := range b.rule {
			if c == holds {
				r.Flags[i] |= satisfies
			} else {
				r.Flags[i] |= engine.Excluded
			}
		}
	}
}

// keep takes the verdict of records back whose consent was not given in time.
func (g *Given) keep(verdicts []uint32, batch *table.Batch) []uint32 {
	if g == nil {
		return verdicts
	}
	for i, v := range verdicts {
		if v == holds && !g.holds(batch, i) {
			verdicts[i] = 0
		}
	}
	return verdicts
}

// retain notes which records are too old, and takes the Event flag from them.
func (b *Builder) retain(batch *table.Batch) {
	t := b.in.Retention
	if t == nil {
		return
	}
	c := &batch.Columns[t.Column]
	b.old = resize(b.old, batch.Len)
	for i := range b.old {
		at, ok := t.Clock.Instant(c.Value(i))
		b.old[i] = !ok || at < t.From
	}
	b.old = kept(b, b.old)
	for i, old := range b.old {
		if old {
			b.rows.Flags[i] &^= engine.Event
		}
	}
}

// events sets the Event flag of records in the period.
func (b *Builder) events(flags []uint32, batch *table.Batch) {
	t := b.in.Time
	if !b.in.Events || t == nil || t.All {
		var flag uint32
		if b.in.Events {
			flag = engine.Event
		}
		for i := range flags {
			flags[i] = flag
		}
		return
	}
	c := &batch.Columns[t.Column]
	// An instant needs no reading, and the period lies within what the clock reads.
	if c.Kind == anonymize.Time && c.Dict == nil && len(c.Valid) == 0 && !t.Clock.CountsDays() {
		for i, at := range c.Ints[:len(flags)] {
			flags[i] = 0
			if at >= t.From && at < t.To {
				flags[i] = engine.Event
			}
		}
		return
	}
	for i := range flags {
		flags[i] = 0
		if at, ok := t.Clock.Instant(c.Value(i)); ok && at >= t.From && at < t.To {
			flags[i] = engine.Event
		}
	}
}

// resize returns a slice of length n, whose contents are of no meaning.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
