// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
)

// linksInput is how plans and errors call the input that joins ids.
const linksInput = "links"

// validateLinks reports the faults of the links.
func (p *Policy) validateLinks(f *faults) {
	l := p.PrivacyUnit.Links
	if l == nil {
		return
	}
	const path = "policy.privacy_unit.links"
	if l.MaxIDs < 2 || l.MaxIDs > identity.MaxLinked {
		f.add(path+".max_ids", fmt.Sprint(l.MaxIDs), fmt.Sprintf("2 to %d ids", identity.MaxLinked), "20 holds nearly every household's devices")
	}
	if len(l.Columns) < 2 {
		f.add(path+".columns", number(int64(len(l.Columns)), "column"), "two or more columns, whose ids in one record are one person's",
			"write [{column: account, id: user_id}, {column: device, id: device_id}]")
	}
	var names []string
	for _, id := range p.PrivacyUnit.IDs {
		if id.Column != "" && !slices.Contains(names, id.Column) {
			names = append(names, id.Column)
		}
	}
	for i, c := range l.Columns {
		at := fmt.Sprintf("%s.columns[%d]", path, i)
		if c.Column == "" {
			f.unset(at+".column", "a column of the links input", "name it")
		} else if slices.IndexFunc(l.Columns, func(o LinkColumn) bool { return o.Column == c.Column }) < i {
			f.add(at+".column", quoted(c.Column), "each column once", "remove it")
		}
		if f.oneOf(at+".id", c.ID, names...) && len(p.spacesOf(c.ID)) > 1 {
			f.add(at+".id", quoted(c.ID), "the name of one kind of id", "privacy_unit.ids has two different ids of this name; rename a column")
		}
	}
}

// spacesOf returns the spaces of the ids in columns of a name, each once.
func (p *Policy) spacesOf(column string) (spaces []inputID) {
	for _, id := range p.ids() {
		if id.Column == column && !slices.ContainsFunc(spaces, func(o inputID) bool { return o.space == id.space }) {
			spaces = append(spaces, id)
		}
	}
	return spaces
}

// columns lists the raw columns of the links.
func (l *Links) columns() []string {
	var columns []string
	for _, c := range l.Columns {
		columns = append(columns, c.Column)
	}
	return columns
}

// linker reads links.
type linker struct {
	// in has an id for each column of the links.
	in     *scan.Input
	maxIDs int64
}

func newLinker(p *Policy, secret identity.Secret) *linker {
	l := p.PrivacyUnit.Links
	if l == nil {
		return nil
	}
	k := &linker{in: &scan.Input{Columns: l.columns()}, maxIDs: l.MaxIDs}
	for i, c := range l.Columns {
		id := p.spacesOf(c.ID)[0]
		k.in.IDs = append(k.in.IDs, scan.ID{Column: i, Kind: identity.Kind(id.Kind), Hasher: personHasher(secret, id.space)})
	}
	return k
}

// personHasher hashes the ids of a space.
func personHasher(secret identity.Secret, space int) identity.Hasher {
	return secret.Hasher(fmt.Sprintf("person/%d", space))
}

// checkLinks finds what is wrong with the links before they are read to their end.
func (s *scanner) checkLinks(ctx context.Context, sources []table.Source) error {
	switch {
	case s.linker == nil && len(sources) > 0:
		return fmt.Errorf("%s input: got %s, want none; the policy's privacy_unit has no links: %w", linksInput, sources[0].Name(), ErrInputs)
	case s.linker == nil:
		return nil
	case len(sources) == 0:
		return fmt.Errorf("%s input: got none, want the records that say which ids are one person's; name its files: %w", linksInput, ErrInputs)
	}
	var all []error
	for _, src := range sources {
		all = append(all, checkSource(ctx, s.linker.in, src))
	}
	return errors.Join(all...)
}

// link reads the links, so that all ids of a person have one token.
func (s *scanner) link(ctx context.Context, sources []table.Source, m *meter) error {
	if s.linker == nil {
		return nil
	}
	links, err := identity.NewLinker(s.linker.maxIDs)
	if err != nil {
		return err
	}
	for _, src := range sources {
		if err := s.linker.source(ctx, src, links, m); err != nil {
			return err
		}
	}
	resolved := links.Links()
	for _, in := range s.byInput {
		in.Links = resolved
	}
	return nil
}

func (k *linker) source(ctx context.Context, src table.Source, links *identity.Linker, m *meter) error {
	readers, err := src.Open(ctx, k.in.Columns)
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
			if err != nil {
				return err
			}
			if err := k.batch(&batch, links); err != nil {
				return err
			}
			m.add(batch.Bytes, int64(batch.Len))
		}
	}
	return nil
}

// batch links the ids of each record to the first of them.
func (k *linker) batch(batch *table.Batch, links *identity.Linker) error {
	var text []byte
	for i := range batch.Len {
		var first identity.Token
		found := false
		for n := range k.in.IDs {
			id := &k.in.IDs[n]
			var ok bool
			if text, ok = id.Kind.Append(text[:0], batch.Columns[n].Value(i)); !ok {
				continue
			}
			var t identity.Token
			t.Hi, t.Lo = id.Hasher.Distinct128(text)
			if !found {
				first, found = t, true
				continue
			}
			if err := links.Add(first, t); err != nil {
				return fmt.Errorf("%s input: %w", linksInput, err)
			}
		}
	}
	return nil
}
