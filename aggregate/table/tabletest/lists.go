// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Record is a record with lists, to be written in a connector's format as its own kinds of lists. Nil is null, of
// lists and of items.
type Record struct {
	ID string
	// Tags is a list of texts, and Numbers a list of integers.
	Tags    []*string
	Numbers []int64
	// Params is a list of items with the members key and value, of which value has the members string_value and
	// int_value.
	Params []Param
	// Secret is a list that nobody asks for.
	Secret []string
}

// Param is an item of a list of keys and values.
type Param struct {
	Key  string
	Text *string
	Int  *int64
}

// Without are the parts of a [Record] that a format cannot hold as lists.
type Without struct{ Params bool }

// TestLists checks a connector whose format has lists. It calls open with records to write.
func TestLists(t *testing.T, open func(t *testing.T, records []Record) table.Source, without Without, options ...Option) {
	t.Helper()
	s := newSuite(nil, options)
	for name, records := range map[string][]Record{"no records": nil, "few records": listRecords(40), "many records": listRecords(1200)} {
		t.Run(name, func(t *testing.T) {
			if err := s.checkLists(t, open(t, records), records, without); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// listColumns are the columns that are asked for, with what each makes of a record.
var listColumns = []struct {
	name   string
	params bool
	cell   func(s *suite, r Record) string
}{
	{"tags[]", false, func(s *suite, r Record) string {
		var items []string
		for _, tag := range r.Tags {
			items = append(items, s.cell(textOf(tag)))
		}
		return listText(items)
	}},
	{"id", false, func(s *suite, r Record) string { return s.cell(String(r.ID)) }},
	{"numbers[]", false, func(s *suite, r Record) string {
		var items []string
		for _, n := range r.Numbers {
			items = append(items, s.typed(Int(n)))
		}
		return listText(items)
	}},
	{"params[].key", true, func(s *suite, r Record) string {
		var items []string
		for _, p := range r.Params {
			items = append(items, s.cell(String(p.Key)))
		}
		return listText(items)
	}},
	{"params[page]", true, func(s *suite, r Record) string {
		p := r.param("page")
		if p.Text == nil && p.Int != nil {
			return s.cell(String(Text(Int(*p.Int))))
		}
		return s.cell(textOf(p.Text))
	}},
	{"params[page].value.string_value", true, func(s *suite, r Record) string { return s.cell(textOf(r.param("page").Text)) }},
	{"params[count].value.int_value", true, func(s *suite, r Record) string {
		if n := r.param("count").Int; n != nil {
			return s.typed(Int(*n))
		}
		return s.cell(Null())
	}},
	{"params[no such key]", true, func(s *suite, r Record) string { return s.cell(Null()) }},
}

func textOf(s *string) anonymize.Value {
	if s == nil {
		return Null()
	}
	return String(*s)
}

// typed is a value as text, or as a format without types delivers it.
func (s *suite) typed(v anonymize.Value) string {
	if s.text {
		v = String(Text(v))
	}
	return s.cell(v)
}

// param is the first item of a key, the zero Param where there is none.
func (r Record) param(key string) Param {
	if i := slices.IndexFunc(r.Params, func(p Param) bool { return p.Key == key }); i >= 0 {
		return r.Params[i]
	}
	return Param{}
}

func listText(items []string) string { return "[" + strings.Join(items, ",") + "]" }

// checkLists reads records by all columns, each alone and in another order.
func (s *suite) checkLists(t *testing.T, src table.Source, records []Record, without Without) error {
	var all []int
	for i, c := range listColumns {
		if !c.params || !without.Params {
			all = append(all, i)
		}
	}
	asked := [][]int{all, slices.Clone(all)}
	slices.Reverse(asked[1])
	for _, i := range all {
		asked = append(asked, []int{i})
	}
	for _, columns := range asked {
		var names, want []string
		for _, i := range columns {
			names = append(names, listColumns[i].name)
		}
		for _, r := range records {
			var cells []string
			for _, i := range columns {
				cells = append(cells, listColumns[i].cell(s, r))
			}
			want = append(want, strings.Join(cells, "|"))
		}
		got, err := s.readAll(t.Context(), src, names, func(b *table.Batch) {
			for i := range b.Columns {
				if holdsCanary(&b.Columns[i]) {
					t.Error("a batch holds a list that was not asked for")
				}
			}
		})
		if err != nil {
			return fmt.Errorf("columns %q: %w", names, err)
		}
		if err := same(got, want); err != nil {
			return fmt.Errorf("columns %q: %w", names, err)
		}
	}
	return s.checkUnlisted(t, src)
}

// checkUnlisted asks for lists that are not there.
func (s *suite) checkUnlisted(t *testing.T, src table.Source) error {
	schema, err := src.Schema(t.Context())
	if err != nil || schema.Open {
		return err
	}
	missing := []string{"none[]", "id[]", "tags", "tags[].x", "tags[x]"}
	readers, err := src.Open(t.Context(), missing)
	if err == nil || len(readers) > 0 {
		return errors.New("source Open took lists that are not there")
	}
	return checkMissingError(err, src.Name(), missing)
}

// listRecords makes records: lists that are null, empty, of one item and of many, with items that repeat, that are
// null and that are empty texts, and keys that stand twice or nowhere.
func listRecords(n int) []Record {
	of := func(s string) *string { return &s }
	records := make([]Record, n)
	for i := range records {
		r := Record{ID: fmt.Sprintf("r%05d", i), Secret: []string{canary, canary}}
		for j := range i % 4 {
			r.Tags = append(r.Tags, of(fmt.Sprintf("tag %d", (i+j)%7)))
			r.Numbers = append(r.Numbers, int64(i*j)-5)
		}
		switch {
		case i%10 == 3:
			r.Tags = append(r.Tags, nil, of("ünï,c|öde"), of(""), r.Tags[0])
		case i%10 == 4:
			r.Tags = []*string{}
		case i%300 == 17:
			for j := range 3000 {
				r.Tags = append(r.Tags, of(fmt.Sprintf("long %d", j)))
			}
		}
		if number := int64(i); i%5 != 0 {
			r.Params = []Param{
				{Key: "session", Text: of(canary)}, {Key: "page", Text: of(fmt.Sprintf("/p%d", i%9))},
				{Key: "count", Int: &number}, {Key: "page", Text: of("second")}, {Key: "empty"},
			}[:1+i%5]
			if i%7 == 0 {
				r.Params = append([]Param{{Key: "page", Int: &number}}, r.Params...)
			}
		}
		records[i] = r
	}
	return records
}
