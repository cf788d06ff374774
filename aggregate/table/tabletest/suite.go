// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"slices"
	"testing"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// Option says how a format departs from a typed format that can hold every kind.
type Option func(*suite)

// DeliversText is the option of a format without types: every column arrives as text, spelled as
// [Text] spells it.
func DeliversText(s *suite) { s.text = true }

// EmptyIsNull is the option of a format that cannot tell an empty text from a null (CSV).
func EmptyIsNull(s *suite) { s.emptyIsNull = true }

// Kinds is the option of a format that holds only some kinds: the suite writes no columns of
// others. Text is always written.
func Kinds(kinds ...anonymize.Kind) Option {
	return func(s *suite) { s.kinds = append(kinds, anonymize.Bytes) }
}

// TestSource checks a connector against the contract of package table. It calls open with rows to
// write, several times and from several subtests; open returns a Source that reads those rows back.
// It may use t for its files and its own failures.
func TestSource(t *testing.T, open func(t *testing.T, rows Rows) table.Source, options ...Option) {
	t.Helper()
	s := newSuite(open, options)
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(s, t); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// suite is the format under test.
type suite struct {
	open        func(t *testing.T, rows Rows) table.Source
	text        bool
	emptyIsNull bool
	kinds       []anonymize.Kind
}

func newSuite(open func(t *testing.T, rows Rows) table.Source, options []Option) *suite {
	s := &suite{open: open, kinds: []anonymize.Kind{
		anonymize.Bytes, anonymize.Int, anonymize.Float, anonymize.Bool, anonymize.Time,
	}}
	for _, o := range options {
		o(s)
	}
	return s
}

// check is one promise of the contract. It returns a fault instead of failing the test, so that
// the suite's own test can hold a faulty Source against it.
type check struct {
	name string
	run  func(s *suite, t *testing.T) error
}

var checks = []check{
	{"yields all rows once", (*suite).checkAllRows},
	{"yields many rows once", (*suite).checkManyRows},
	{"keeps text as it is", (*suite).checkText},
	{"keeps the extremes of each kind", (*suite).checkExtremes},
	{"keeps columns that are null throughout", (*suite).checkAllNull},
	{"yields columns in the order asked for", (*suite).checkOrder},
	{"reads every subset and opens again", (*suite).checkSubsets},
	{"reads a file without rows", (*suite).checkNoRows},
	{"counts rows when no column is asked for", (*suite).checkNoColumns},
	{"names every missing column", (*suite).checkMissing},
	{"fills a used batch", (*suite).checkBatchReuse},
	{"keeps dictionaries as they are", (*suite).checkDicts},
	{"closes early and twice", (*suite).checkClose},
	{"stops when the context is cancelled", (*suite).checkCancel},
	{"lets readers run concurrently", (*suite).checkConcurrent},
	{"reports its schema", (*suite).checkSchema},
	{"never decodes what was not asked for", (*suite).checkCanary},
}

// source opens rows, without the columns of kinds that the format lacks.
func (s *suite) source(t *testing.T, rows Rows) (table.Source, Rows) {
	t.Helper()
	var names []string
	for _, c := range rows.Columns {
		if slices.Contains(s.kinds, c.Kind) {
			names = append(names, c.Name)
		}
	}
	rows = rows.project(names)
	return s.open(t, rows), rows
}
