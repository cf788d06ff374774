// SPDX-License-Identifier: Apache-2.0

// Package scan turns the batches of a connector into the rows of the engine: it hashes the privacy
// id, applies the rules, labels the dimensions and reads the values. It keeps no raw value longer
// than a memo of distinct dimension values.
//
// A policy's work is done once per distinct value where values repeat, and an unreadable cell never
// makes an error: it becomes what the policy says it becomes.
package scan

import (
	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// Input says what to take from one input. Column numbers index Columns.
type Input struct {
	// Columns are the raw columns to ask the connector for; all others are never decoded.
	Columns []string
	IDs     []ID
	// Labels are the dimensions that this input carries.
	Labels []Label
	Rules  []Rule
	// Attributes maps each attribute of the engine to one of Labels, -1 where this input says
	// nothing about it.
	Attributes []int
	// Keys lists, for each event-level key of the engine, the Labels that make it.
	Keys   [][]int
	Pairs  *engine.Pairs
	Values []Value
	// Time and Period say which records are events; with Events false none is.
	Time   *Time
	Events bool
}

// ID is one column that may hold the privacy id.
type ID struct {
	Column int
	Kind   identity.Kind
	Hasher identity.Hasher
}

// Label is one dimension.
type Label struct {
	Columns    []int
	Join       string
	Labeler    func() (*generalize.Labeler, error)
	Dictionary *Dictionary
}

// Rule is one exclusion rule: Number is its place among the release's rules.
type Rule struct {
	Number int
	Column int
	Keeps  func(anonymize.Value) bool
	// Unless is a column that lifts the rule, -1 for none.
	Unless int
	Lifts  func(anonymize.Value) bool
}

// Value is one value column.
type Value struct {
	Column int
	Number generalize.Number
	// Invalid is the quantum of a cell that cannot be read, or engine.NoValue.
	Invalid int64
}

// Time is the time column and the half-open period, in the clock's unit.
type Time struct {
	Column   int
	Clock    generalize.Clock
	All      bool
	From, To int64
}

// Refuses reports what a column must hold instead where a physical type cannot serve: "" where it can.
func (in *Input) Refuses(column int, kind anonymize.Kind) string {
	for _, id := range in.IDs {
		if id.Column == column && !id.Kind.Accepts(kind) {
			return "a type that can hold ids of kind " + string(id.Kind)
		}
	}
	for _, v := range in.Values {
		if v.Column == column && kind == anonymize.Time {
			return "numbers"
		}
	}
	if t := in.Time; t != nil && t.Column == column && kind == anonymize.Bool {
		return "times"
	}
	return ""
}

// Builder turns batches into rows. It belongs to one goroutine.
type Builder struct {
	in     *Input
	labels []*memo
	rules  []*memo
	lifts  []*memo

	rows   engine.Rows
	taken  bool
	codes  [][]code
	rule   []code
	lift   []code
	keep   []int32
	idText []byte
	joined table.Column
}

// NewBuilder returns a builder for an input.
func NewBuilder(in *Input) (*Builder, error) {
	b := &Builder{in: in, codes: make([][]code, len(in.Labels))}
	for i := range in.Labels {
		l := &in.Labels[i]
		labeler, err := l.Labeler()
		if err != nil {
			return nil, err
		}
		b.labels = append(b.labels, newMemo(labelCode(labeler, l.Dictionary)))
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
	b.rows.Keys = make([]engine.Keys, len(in.Keys))
	b.rows.Values = make([][]int64, len(in.Values))
	return b, nil
}

func labelCode(l *generalize.Labeler, d *Dictionary) func(anonymize.Value) code {
	var buf []byte
	return func(v anonymize.Value) code {
		var known bool
		buf, known = l.Label(buf[:0], v)
		n := d.Code(buf)
		return code{n, d.hash(n), known, d.Dropped(n)}
	}
}

func verdict(f func(anonymize.Value) bool) func(anonymize.Value) code {
	return func(v anonymize.Value) code {
		if f(v) {
			return code{number: 1}
		}
		return code{}
	}
}

// Append adds the rows of a batch to those that have not been taken yet, and returns how many there
// are. Several batches are taken at once because the engine is the faster the more rows it scatters.
func (b *Builder) Append(batch *table.Batch) int {
	if b.taken {
		b.reset()
	}
	b.ids(batch)
	r := &b.rows
	for i := range b.in.Labels {
		b.codes[i] = b.label(i, batch)
	}
	b.flags(batch)
	for a, l := range b.in.Attributes {
		if l >= 0 {
			r.Attrs[a] = b.attribute(r.Attrs[a], l)
		}
	}
	for k, labels := range b.in.Keys {
		b.key(&r.Keys[k], labels)
	}
	for i := range b.in.Values {
		r.Values[i] = b.value(r.Values[i], &b.in.Values[i], batch)
	}
	return r.N
}

// Take returns the rows that were appended since the last time. They are valid until the next call.
func (b *Builder) Take() *engine.Rows {
	if b.taken {
		b.reset()
	}
	b.taken = true
	return &b.rows
}

// reset empties the rows and keeps what their slices have allocated.
func (b *Builder) reset() {
	r := &b.rows
	b.taken, r.N = false, 0
	r.Hi, r.Lo, r.Flags = r.Hi[:0], r.Lo[:0], r.Flags[:0]
	for a := range r.Attrs {
		r.Attrs[a] = r.Attrs[a][:0:cap(r.Attrs[a])]
	}
	for k := range r.Keys {
		r.Keys[k].Code, r.Keys[k].Hash = r.Keys[k].Code[:0], r.Keys[k].Hash[:0]
	}
	for v := range r.Values {
		r.Values[v] = r.Values[v][:0]
	}
}

// ids hashes the first privacy id of each record that has one, and notes which records have.
func (b *Builder) ids(batch *table.Batch) {
	r := &b.rows
	b.keep = b.keep[:0]
	for i := range batch.Len {
		for n := range b.in.IDs {
			id := &b.in.IDs[n]
			text, ok := id.Kind.Append(b.idText[:0], batch.Columns[id.Column].Value(i))
			b.idText = text[:0]
			if !ok {
				continue
			}
			hi, lo := id.Hasher.Sum128(text)
			r.Hi, r.Lo = append(r.Hi, hi), append(r.Lo, lo)
			b.keep = append(b.keep, int32(i))
			break
		}
	}
	r.N += len(b.keep)
}

// label returns the codes of all records of the batch for one dimension.
func (b *Builder) label(i int, batch *table.Batch) []code {
	l := &b.in.Labels[i]
	c := &batch.Columns[l.Columns[0]]
	if len(l.Columns) > 1 {
		b.join(l, batch)
		c = &b.joined
	}
	return b.labels[i].fill(b.codes[i][:0], c, batch.Len)
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
	codes := b.codes[label]
	for _, i := range b.keep {
		n := engine.None // what says nothing has no vote
		if codes[i].known {
			n = codes[i].number
		}
		dst = append(dst, n)
	}
	return dst
}

// key folds the codes of several dimensions into one exact code and one keyed hash per record. A
// record with a label outside its declared groups is in no group.
func (b *Builder) key(k *engine.Keys, labels []int) {
	for _, i := range b.keep {
		var folded, hash uint64
		for n, l := range labels {
			c := b.codes[l][i]
			if c.dropped {
				folded = engine.NoKey
				break
			}
			folded = b.in.Pairs.Fold(folded, c.number, n)
			// The dictionaries' hashers differ, so a rotation is enough to tell orders apart.
			hash = hash<<1 | hash>>63
			hash ^= c.hash
		}
		k.Code, k.Hash = append(k.Code, folded), append(k.Hash, hash)
	}
}

func (b *Builder) flags(batch *table.Batch) {
	r := &b.rows
	for _, i := range b.keep {
		r.Flags = append(r.Flags, b.event(batch, int(i)))
	}
	flags := r.Flags[len(r.Flags)-len(b.keep):]
	for n := range b.in.Rules {
		rule := &b.in.Rules[n]
		b.rule = b.rules[n].fill(b.rule[:0], &batch.Columns[rule.Column], batch.Len)
		if rule.Unless >= 0 {
			b.lift = b.lifts[n].fill(b.lift[:0], &batch.Columns[rule.Unless], batch.Len)
		}
		for at, i := range b.keep {
			if b.rule[i].number == 1 || rule.Unless >= 0 && b.lift[i].number == 1 {
				flags[at] |= engine.Satisfies(rule.Number)
			} else {
				flags[at] |= engine.Excluded
			}
		}
	}
}

// event returns the Event flag of a record in the period.
func (b *Builder) event(batch *table.Batch, i int) uint32 {
	if !b.in.Events {
		return 0
	}
	t := b.in.Time
	if t == nil || t.All {
		return engine.Event
	}
	at, ok := t.Clock.Instant(batch.Columns[t.Column].Value(i))
	if !ok || at < t.From || at >= t.To {
		return 0
	}
	return engine.Event
}

func (b *Builder) value(dst []int64, v *Value, batch *table.Batch) []int64 {
	c := &batch.Columns[v.Column]
	for _, i := range b.keep {
		q, verdict := v.Number.Quantum(c.Value(int(i)))
		if verdict != generalize.Finite && verdict != generalize.Saturated {
			q = v.Invalid
		}
		dst = append(dst, q)
	}
	return dst
}
