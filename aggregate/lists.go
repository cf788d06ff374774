// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/identity"
)

// What plans and errors call the inputs that are lists of ids.
const (
	linksInput  = "links"
	listedInput = "listed"
)

// validateLists reports the faults of the links and of the list of people who are left out.
func (p *Policy) validateLists(f *faults) {
	if l := p.PrivacyUnit.Links; l != nil {
		const path = "policy.privacy_unit.links"
		if l.MaxIDs < 2 || l.MaxIDs > identity.MaxLinked {
			f.add(path+".max_ids", fmt.Sprint(l.MaxIDs), fmt.Sprintf("2 to %d ids", identity.MaxLinked), "20 holds nearly every household's devices")
		}
		if len(l.Columns) < 2 {
			f.add(path+".columns", number(int64(len(l.Columns)), "column"), "two or more columns, whose ids in one record are one person's",
				"write [{column: account, id: user_id}, {column: device, id: device_id}]")
		}
		p.validateListColumns(f, path+".columns", linksInput, l.Columns)
	}
	if l := p.Exclude.Listed; l != nil {
		const path = "policy.exclude.listed.columns"
		if len(l.Columns) == 0 {
			f.unset(path, "the columns of ids", "write [{column: NAME, id: ID}]")
		}
		p.validateListColumns(f, path, listedInput, l.Columns)
	}
}

func (p *Policy) validateListColumns(f *faults, path, input string, columns []ListColumn) {
	var names []string
	for _, id := range p.PrivacyUnit.IDs {
		if id.Column != "" && !slices.Contains(names, id.Column) {
			names = append(names, id.Column)
		}
	}
	for i, c := range columns {
		at := fmt.Sprintf("%s[%d]", path, i)
		if c.Column == "" {
			f.unset(at+".column", "a column of the "+input+" input", "name it")
		} else if slices.IndexFunc(columns, func(o ListColumn) bool { return o.Column == c.Column }) < i {
			f.add(at+".column", quoted(c.Column), "each column once", "remove it")
		}
		f.oneValue(at+".column", c.Column, "name a column for each id")
		if f.oneOf(at+".id", c.ID, names...) && len(p.spacesOf(c.ID)) > 1 {
			f.add(at+".id", quoted(c.ID), "the name of one kind of id", "privacy_unit.ids has two different ids of this name; rename a column")
		}
	}
}

// spacesOf returns an id of each space that columns of a name have.
func (p *Policy) spacesOf(column string) (spaces []inputID) {
	for _, id := range p.ids() {
		if id.Column == column && !slices.ContainsFunc(spaces, func(o inputID) bool { return o.space == id.space }) {
			spaces = append(spaces, id)
		}
	}
	return spaces
}

// lists returns the lists of ids that the policy reads, as a plan names them.
func (p *Policy) lists() (lists []PlanInput) {
	add := func(name string, columns []ListColumn, more ...string) {
		lists = append(lists, PlanInput{name, listColumns(columns, more)})
	}
	if l := p.PrivacyUnit.Links; l != nil {
		add(linksInput, l.Columns)
	}
	if l := p.Exclude.Listed; l != nil {
		add(listedInput, l.Columns)
	}
	if r := p.Exclude.Consents; r != nil {
		add(consentsInput, r.Columns, r.columns()...)
	}
	return lists
}

// listColumns are the raw columns of ids, and more, each once.
func listColumns(columns []ListColumn, more []string) (all []string) {
	for _, c := range columns {
		all = append(all, c.Column)
	}
	for _, name := range more {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// idList reads an input whose records have ids. Nil is a list that the policy does not have.
type idList struct {
	name string
	// in has an id for each of its first columns.
	in *scan.Input
}

func newIDList(p *Policy, name string, columns []ListColumn, secret identity.Secret, more ...string) *idList {
	l := &idList{name, &scan.Input{Columns: listColumns(columns, more)}}
	for i, c := range columns {
		id := p.spacesOf(c.ID)[0]
		l.in.IDs = append(l.in.IDs, scan.ID{Column: i, Kind: identity.Kind(id.Kind), Hasher: p.personHasher(secret, id.space)})
	}
	return l
}

// makeLists makes the lists that the policy has.
func (s *scanner) makeLists(p *Policy, secret identity.Secret) {
	if l := p.PrivacyUnit.Links; l != nil {
		s.links, s.maxIDs = newIDList(p, linksInput, l.Columns, secret), l.MaxIDs
	}
	if l := p.Exclude.Listed; l != nil {
		s.listed = newIDList(p, listedInput, l.Columns, secret)
	}
	if r := p.Exclude.Consents; r != nil {
		s.consents = newIDList(p, consentsInput, r.Columns, secret, r.columns()...)
		// Its clock says which types can hold times.
		s.consents.in.Time = &scan.Time{Column: slices.Index(s.consents.in.Columns, r.At)}
	}
}

// personHasher hashes the ids of a space. Those of another population have nothing in common with them.
func (p *Policy) personHasher(secret identity.Secret, space int) identity.Hasher {
	return secret.Hasher(fmt.Sprintf("person/%s/%d", p.Population, space))
}

// checkLists finds what is wrong with the lists before they are read to their end.
func (s *scanner) checkLists(ctx context.Context, in Inputs) error {
	return errors.Join(
		s.links.check(ctx, in.Links, linksInput, "the policy's privacy_unit has no links", "the records that say which ids are one person's"),
		s.listed.check(ctx, in.Listed, listedInput, "the policy's exclude has no listed", "the ids of those who are left out"),
		s.consents.check(ctx, in.Consents, consentsInput, "the policy's exclude has no consents", "what people have decided"))
}

func (l *idList) check(ctx context.Context, sources []table.Source, name, why, want string) error {
	switch {
	case l == nil && len(sources) > 0:
		return fmt.Errorf("%s input: got %s, want none; %s: %w", name, sources[0].Name(), why, ErrInputs)
	case l == nil:
		return nil
	case len(sources) == 0:
		return fmt.Errorf("%s input: got none, want %s; name its files: %w", name, want, ErrInputs)
	}
	var all []error
	for _, src := range sources {
		all = append(all, checkSource(ctx, l.in, src))
	}
	return errors.Join(all...)
}

// link reads the links, so that all ids of a person have one token.
func (s *scanner) link(ctx context.Context, sources []table.Source, m *meter) error {
	if s.links == nil {
		return nil
	}
	linker, err := identity.NewLinker(s.maxIDs)
	if err != nil {
		return err
	}
	err = s.links.read(ctx, sources, m, func(r *listRecord) error {
		for _, id := range r.ids[1:] {
			if err := linker.Add(r.ids[0], id); err != nil {
				return fmt.Errorf("%s input: %w", linksInput, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.people = linker.Links()
	for _, in := range s.byInput {
		in.Links = s.people
	}
	return nil
}

// leaveOut excludes everybody who has an id on the list. The engine knows by now whom there is.
func (s *scanner) leaveOut(ctx context.Context, sources []table.Source, m *meter) error {
	if s.listed == nil {
		return nil
	}
	tell := s.teller()
	err := s.listed.read(ctx, sources, m, func(r *listRecord) error {
		for _, id := range r.ids {
			if err := tell.add(id, engine.Excluded); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return tell.done()
}

// toldAtOnce is how many ids are handed to the engine together.
const toldAtOnce = 4096

// teller tells the engine something about people, by one of their ids.
type teller struct {
	s      *scanner
	worker *engine.Worker
	rows   *engine.Rows
}

func (s *scanner) teller() *teller {
	return &teller{s, s.engine.Worker(), &engine.Rows{Attrs: make([][]uint32, len(s.attributes))}}
}

func (t *teller) add(id identity.Token, flag uint32) error {
	r := t.rows
	r.Hi, r.Lo, r.Flags = append(r.Hi, id.Hi), append(r.Lo, id.Lo), append(r.Flags, flag)
	if len(r.Hi) < toldAtOnce {
		return nil
	}
	return t.hand()
}

func (t *teller) hand() error {
	r := t.rows
	t.s.people.ResolveAll(r.Hi, r.Lo)
	r.N = len(r.Hi)
	err := t.s.addPeople(t.worker, r)
	r.Hi, r.Lo, r.Flags = r.Hi[:0], r.Lo[:0], r.Flags[:0]
	return err
}

// done hands over what is left.
func (t *teller) done() error {
	if err := t.hand(); err != nil {
		return err
	}
	return t.worker.Flush()
}

// addPeople adds rows that say something about people, or about each of their units.
func (s *scanner) addPeople(worker *engine.Worker, rows *engine.Rows) error {
	u := s.unit
	if u == nil {
		return worker.Add(rows, true)
	}
	for n := u.First; n <= u.Last; n++ {
		u.Shift(rows.Hi, rows.Lo, n)
		if err := worker.Add(rows, true); err != nil {
			return err
		}
		u.Shift(rows.Hi, rows.Lo, n)
	}
	return nil
}

// listRecord is a record of a list that has ids.
type listRecord struct {
	ids   []identity.Token
	l     *idList
	batch *table.Batch
	row   int
}

// value returns a cell.
func (r *listRecord) value(column string) anonymize.Value {
	return r.batch.Columns[slices.Index(r.l.in.Columns, column)].Value(r.row)
}

// read calls each with every record that has an id.
func (l *idList) read(ctx context.Context, sources []table.Source, m *meter, each func(*listRecord) error) error {
	for _, src := range sources {
		if err := l.source(ctx, src, m, each); err != nil {
			return err
		}
	}
	return nil
}

func (l *idList) source(ctx context.Context, src table.Source, m *meter, each func(*listRecord) error) error {
	readers, err := src.Open(ctx, l.in.Columns)
	if err != nil {
		return err
	}
	defer func() {
		for _, r := range readers {
			r.Close()
		}
	}()
	var batch table.Batch
	for _, r := range readers {
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := r.Next(ctx, &batch)
			if err == io.EOF {
				break
			}
			if err == nil {
				err = l.batch(&batch, each)
			}
			if err != nil {
				return err
			}
			m.add(batch.Bytes, int64(batch.Len))
		}
	}
	return nil
}

func (l *idList) batch(batch *table.Batch, each func(*listRecord) error) error {
	var text []byte
	r := &listRecord{l: l, batch: batch}
	for r.row = range batch.Len {
		r.ids = r.ids[:0]
		for n := range l.in.IDs {
			id := &l.in.IDs[n]
			var ok bool
			if text, ok = id.Kind.Append(text[:0], batch.Columns[n].Value(r.row)); !ok {
				continue
			}
			var t identity.Token
			t.Hi, t.Lo = id.Hasher.Distinct128(text)
			r.ids = append(r.ids, t)
		}
		if len(r.ids) == 0 {
			continue
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}
