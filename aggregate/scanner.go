// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp"
)

// scanner is a compiled release set up to read data: the engine, and what each input gives to it.
type scanner struct {
	engine *engine.Engine
	// inputs are in the order in which they are read.
	inputs       []InputName
	byInput      map[InputName]*scan.Input
	dictionaries map[*dimension]*scan.Dictionary
	// keys lists the event-level dimensions of each engine key; attributes the person-level ones.
	keys       [][]*dimension
	attributes []*dimension
	pairs      engine.Pairs
	tables     []*scanTable
	// links, listed and consents are nil where the policy has none, and people is what the links say.
	links, listed, consents *idList
	maxIDs                  int64
	people                  *identity.Links
	// consented is the flag of who has consented.
	consented uint32
	// unit is how people are parted, nil where they are not.
	unit *scan.Unit
}

// scanTable maps a table's groups to the engine's.
type scanTable struct {
	events, persons []int // positions in group_by
	key             int
}

// newScanner takes the run's secret, and the one that ids are hashed under.
func newScanner(c *compiled, secret, ids identity.Secret) *scanner {
	s := &scanner{inputs: c.inputs, byInput: map[InputName]*scan.Input{}, dictionaries: map[*dimension]*scan.Dictionary{}}
	for _, d := range c.dims {
		s.dictionaries[d] = scan.NewDictionary(secret.Hasher("label/"+d.name), d.declared)
	}
	s.consented = engine.Satisfies(len(c.rules))
	spec := s.engineSpec(c)
	seed := secret.Hasher("priority")
	spec.Seed[0], spec.Seed[1] = seed.Sum128([]byte("seed"))
	for _, name := range s.inputs {
		s.byInput[name] = s.scanInput(c, name, ids)
	}
	s.engine = engine.New(spec)
	s.makeLists(c.policy, ids)
	s.unit = c.scanUnit(func(string) int { return 0 })
	return s
}

func (s *scanner) input(name InputName) *scan.Input { return s.byInput[name] }

func (s *scanner) engineSpec(c *compiled) engine.Spec {
	spec := engine.Spec{Values: len(c.values)}
	for i := range c.rules {
		spec.Required |= engine.Satisfies(i)
	}
	if c.consents != nil && c.consents.required {
		spec.Required |= s.consented
	}
	for _, t := range c.tables {
		st := s.scanTable(t)
		et := engine.Table{Key: st.key, Bounds: t.engineBounds(), Events: t.countsEvents()}
		if t.auto != nil {
			et.Bounds, et.Survey = t.auto.limits, true
		}
		for _, p := range st.persons {
			et.Persons = append(et.Persons, s.attribute(t.dims[p]))
		}
		for _, sum := range t.sums {
			et.Sums = append(et.Sums, c.engineSums(t, sum)...)
		}
		for _, tr := range t.trees {
			et.Spreads = append(et.Spreads, tr.spread)
		}
		et.Parent = s.parent(t, st)
		et.Floor = t.floor(c)
		spec.Tables = append(spec.Tables, et)
		s.tables = append(s.tables, st)
	}
	for _, d := range s.attributes {
		dict := s.dictionaries[d]
		spec.Attributes = append(spec.Attributes, engine.Attribute{
			Unknown:         dict.Code([]byte(d.column.otherwise())),
			ConflictUnknown: d.column.Resolve == "conflict",
			Compare:         dict.Compare,
			Dropped:         dict.Dropped,
		})
	}
	spec.Keys = len(s.keys)
	spec.HashKeys, spec.CompareKeys = s.hashKeys, s.compareKeys
	return spec
}

// engineSums returns a sum of a table as the engine takes it, once for each clamp that may be found.
func (c *compiled) engineSums(t *compiledTable, s sum) (all []engine.Sum) {
	col := c.policy.Columns[s.value]
	clamps := []dp.Clamp{col.clampQuanta()}
	if t.auto != nil {
		if k := t.auto.clampOf(s.value); k >= 0 {
			clamps = t.auto.clamps[k].choices
		}
	}
	for i, clamp := range clamps {
		es := engine.Sum{
			Value: slices.Index(c.values, s.value), Clamp: clamp, Total: col.SumClamp != nil, Square: s.square, Narrower: i > 0,
		}
		if s.centred {
			es.Centre, _ = centre(clamp)
		}
		all = append(all, es)
	}
	return all
}

// engineBounds are the table's bounds as the engine takes them.
func (t *compiledTable) engineBounds() dp.ContributionBounds {
	// Without a bound no statistic counts records.
	return dp.ContributionBounds{
		MaxPartitions: t.l0, MaxPerPartition: max(t.Bounds.MaxPerPartition, 1), MaxContributions: t.Bounds.MaxContributions,
	}
}

// floor is the number of people below which nothing can be shown of a group: k for private ones, unless
// they count in a whole.
func (t *compiledTable) floor(c *compiled) int64 {
	for _, d := range t.draws {
		if d.Statistic == totalEvents {
			return 0
		}
	}
	if t.declared {
		return 0
	}
	return c.policy.MinPeople.K
}

// countsEvents reports whether a table needs the number of records.
func (t *compiledTable) countsEvents() bool {
	for _, d := range t.draws {
		if d.Statistic == string(CountEvents) || d.Statistic == totalEvents {
			return true
		}
	}
	return false
}

func (s *scanner) scanTable(t *compiledTable) *scanTable {
	st := &scanTable{key: -1}
	var events []*dimension
	for i, d := range t.dims {
		if d.person() {
			st.persons = append(st.persons, i)
		} else {
			st.events = append(st.events, i)
			events = append(events, d)
		}
	}
	if len(events) == 0 {
		return st
	}
	st.key = slices.IndexFunc(s.keys, func(k []*dimension) bool { return slices.Equal(k, events) })
	if st.key < 0 {
		st.key = len(s.keys)
		s.keys = append(s.keys, events)
	}
	return st
}

func (s *scanner) attribute(d *dimension) int {
	if i := slices.Index(s.attributes, d); i >= 0 {
		return i
	}
	s.attributes = append(s.attributes, d)
	return len(s.attributes) - 1
}

// parent asks the engine for the visitors of each whole that a share of visitors is divided by, where
// that whole is neither everyone nor the sum of its parts.
func (s *scanner) parent(t *compiledTable, st *scanTable) *engine.Parent {
	for _, stat := range t.stats {
		if stat.denominator == noDraw || t.draws[stat.denominator].Statistic != totalVisitors || len(stat.within) == 0 {
			continue
		}
		p := &engine.Parent{}
		var events []int
		for _, w := range stat.within {
			if i := slices.Index(st.events, w); i >= 0 {
				events = append(events, i)
			} else {
				p.Persons = append(p.Persons, s.attribute(t.dims[w]))
			}
		}
		if len(events) > 0 {
			p.Event = s.coarser(len(st.events), events)
		}
		return p
	}
	return nil
}

// coarser maps the event-level code of n dimensions to that of some of them.
func (s *scanner) coarser(n int, keep []int) func(uint64) uint64 {
	return func(code uint64) uint64 {
		all, kept := s.pairs.Unfold(code, n), make([]uint32, len(keep))
		for i, k := range keep {
			kept[i] = all[k]
		}
		return s.pairs.Fold(kept...)
	}
}

func (s *scanner) hashKeys(k int, hashes, codes []uint64) {
	var dictionaries [maxGroupBy]*scan.Dictionary
	for i, d := range s.keys[k] {
		dictionaries[i] = s.dictionaries[d]
	}
	scan.HashKeys(&s.pairs, dictionaries[:len(s.keys[k])], hashes, codes)
}

func (s *scanner) compareKeys(k int, a, b uint64) int {
	dims := s.keys[k]
	as, bs := s.pairs.Unfold(a, len(dims)), s.pairs.Unfold(b, len(dims))
	for i, d := range dims {
		if n := s.dictionaries[d].Compare(as[i], bs[i]); n != 0 {
			return n
		}
	}
	return cmp.Compare(a, b)
}

// reads lists the raw columns of one input that are decoded, in the order in which they are asked for.
func (c *compiled) reads(name InputName) []string {
	var columns []string
	add := func(raw ...string) {
		for _, r := range raw {
			if !slices.Contains(columns, r) {
				columns = append(columns, r)
			}
		}
	}
	for _, id := range c.policy.idsOf(name) {
		add(id.Column)
	}
	for _, d := range c.dims {
		if d.column.From == name {
			add(d.raw()...)
		}
	}
	for _, r := range c.rules {
		if r.from != name {
			continue
		}
		add(r.column)
		if r.unless != "" {
			add(r.unless)
		}
		add(r.given.columns()...)
		add(r.unlessGiven.columns()...)
	}
	if c.retention(name, func(string) int { return 0 }) != nil {
		add(rawName(c.clock.column, c.clock.name))
	}
	if name != c.inputs[0] {
		return columns
	}
	for _, v := range c.values {
		add(rawName(c.policy.Columns[v], v))
	}
	if c.clock != nil && !c.release.Period.All {
		add(rawName(c.clock.column, c.clock.name))
	}
	return columns
}

// scanInput says what to take from one input.
func (s *scanner) scanInput(c *compiled, name InputName, ids identity.Secret) *scan.Input {
	in := &scan.Input{Columns: c.reads(name), Pairs: &s.pairs, Events: name == s.inputs[0]}
	column := func(raw string) int { return slices.Index(in.Columns, raw) }
	for _, id := range c.policy.idsOf(name) {
		in.IDs = append(in.IDs, scan.ID{
			Column: column(id.Column), Kind: identity.Kind(id.Kind), Hasher: c.policy.personHasher(ids, id.space),
		})
	}
	if c.policy.ofRecords() {
		in.Numbers = &atomic.Uint64{}
	}
	labels := s.scanLabels(c, in, name, column)
	for i, r := range c.rules {
		if r.from != name {
			continue
		}
		sr := scan.Rule{Number: i, Column: column(r.column), Keeps: r.keeps, Unless: -1, Lifts: r.lifts}
		sr.Given, sr.UnlessGiven = r.given.scan(column), r.unlessGiven.scan(column)
		if r.unless != "" {
			sr.Unless = column(r.unless)
		}
		in.Rules = append(in.Rules, sr)
	}
	in.Retention, in.Unit = c.retention(name, column), c.scanUnit(column)
	if in.Events {
		s.scanEvents(c, in, labels, column)
	}
	return in
}

// scanLabels adds the dimensions that an input carries, and returns where each one is.
func (s *scanner) scanLabels(c *compiled, in *scan.Input, name InputName, column func(string) int) map[*dimension]int {
	labels := map[*dimension]int{}
	for _, d := range c.dims {
		if d.column.From != name {
			continue
		}
		l := scan.Label{Join: d.column.Join, Several: d.column.several(d.name), Split: d.column.Split, Dictionary: s.dictionaries[d]}
		for _, raw := range d.raw() {
			l.Columns = append(l.Columns, column(raw))
		}
		l.Labeler = func() (*generalize.Labeler, error) { return generalize.NewLabeler(d.spec) }
		labels[d] = len(in.Labels)
		in.Labels = append(in.Labels, l)
	}
	for _, d := range s.attributes {
		if i, ok := labels[d]; ok {
			in.Attributes = append(in.Attributes, i)
		} else {
			in.Attributes = append(in.Attributes, -1)
		}
	}
	return labels
}

// scanEvents adds what only the input whose records are events has.
func (s *scanner) scanEvents(c *compiled, in *scan.Input, labels map[*dimension]int, column func(string) int) {
	for _, dims := range s.keys {
		var key []int
		for _, d := range dims {
			key = append(key, labels[d])
		}
		in.Keys = append(in.Keys, key)
	}
	for _, v := range c.values {
		col := c.policy.Columns[v]
		number, _ := col.number()
		value := scan.Value{Column: column(rawName(col, v)), Number: number, Invalid: engine.NoValue}
		if col.Invalid == "clamp" {
			value.Invalid = col.clampQuanta().Lower
		}
		in.Values = append(in.Values, value)
	}
	if c.clock != nil && !c.release.Period.All {
		in.Time = &scan.Time{
			Column: column(rawName(c.clock.column, c.clock.name)), Clock: c.clock.clock, From: c.clock.from, To: c.clock.to,
		}
	}
}

// raw lists the raw columns of a dimension.
func (d *dimension) raw() []string {
	if len(d.column.Columns) > 0 {
		return d.column.Columns
	}
	return []string{rawName(d.column, d.name)}
}

func rawName(c Column, name string) string {
	if c.Column != "" {
		return c.Column
	}
	return name
}

// check finds everything that is wrong with the inputs before any of them is read to its end.
func (s *scanner) check(ctx context.Context, declared []InputName, in Inputs) error {
	var all []error
	for _, name := range []InputName{Usage, Visitors} {
		want, sources := s.byInput[name], in.of(name)
		switch {
		case want != nil && len(sources) == 0:
			all = append(all, fmt.Errorf("%s input: got none, want the records that the policy reads from it; name its files: %w", name, ErrInputs))
		case !slices.Contains(declared, name) && len(sources) > 0:
			all = append(all, fmt.Errorf("%s input: got %s, want none; no id, column or rule of the policy says from: %s: %w", name, sources[0].Name(), name, ErrInputs))
		}
		if want == nil {
			continue
		}
		faults := len(all)
		for _, src := range sources {
			if err := checkSource(ctx, want, src); err != nil {
				all = append(all, err)
			}
		}
		if len(all) == faults {
			all = append(all, checkRepeats(ctx, string(name), sources))
		}
	}
	all = append(all, s.checkLists(ctx, in))
	return errors.Join(all...)
}

// checkSource finds columns that a source lacks, and those whose type cannot hold what is read from
// them.
func checkSource(ctx context.Context, in *scan.Input, src table.Source) error {
	readers, err := src.Open(ctx, in.Columns)
	for _, r := range readers {
		r.Close()
	}
	if err != nil {
		return err
	}
	schema, err := src.Schema(ctx)
	if err != nil {
		return err
	}
	var all []error
	for _, f := range schema.Fields {
		column := slices.Index(in.Columns, f.Name)
		if column < 0 {
			continue
		}
		if want := in.Refuses(column, f.Kind); want != "" {
			all = append(all, &table.Error{
				File: src.Name(), Column: f.Name, Err: table.ErrSchema,
				Problem: fmt.Sprintf("got the type %s, want %s; change the policy's kind or as, or convert the column", f.Kind, want),
			})
		}
	}
	return errors.Join(all...)
}
