// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// The columns of the input under test.
const (
	account = iota
	email
	gender
	page
	course
	term
	consent
	birthYear
	parent
	seconds
	visitedAt
	unasked
)

var genders = []string{"female", "male", "unknown"}

// specs are the dimensions: gender has declared groups, of which "unknown" is left out on purpose so
// that a label can be dropped.
var specs = []generalize.Spec{
	{Values: map[string]string{"F": "female", "M": "male", "1": "male", "2": "female"}, Groups: genders},
	{},
	{},
}

var from, to = int64(100_000_000), int64(200_000_000) // microseconds

// testInput returns an input in which everything is in use, with labels of its dictionaries.
func testInput(t testing.TB) *scan.Input {
	secret, err := identity.NewSecret()
	require.NoError(t, err)
	clock, err := generalize.NewClock(anonymize.AsUnixS, "")
	require.NoError(t, err)
	number, err := generalize.NewNumber("0.5")
	require.NoError(t, err)
	in := &scan.Input{
		IDs: []scan.ID{
			{Column: account, Kind: identity.Opaque, Hasher: secret.Hasher("person/0")},
			{Column: email, Kind: identity.Email, Hasher: secret.Hasher("person/1")},
		},
		Labels: []scan.Label{
			{Columns: []int{gender}, Dictionary: scan.NewDictionary(secret.Hasher("gender"), genders[:2])},
			{Columns: []int{page}, Dictionary: scan.NewDictionary(secret.Hasher("page"), nil)},
			{Columns: []int{course, term}, Join: "-", Dictionary: scan.NewDictionary(secret.Hasher("course"), nil)},
		},
		Rules: []scan.Rule{
			{Number: 3, Column: consent, Unless: -1, Keeps: isYes},
			{Number: 1, Column: birthYear, Unless: parent, Keeps: before(2013), Lifts: isYes},
		},
		Attributes: []int{0, -1, 2},
		Keys:       [][]int{{1}, {2, 1, 0}, {1, 2}, {2, 1}},
		Pairs:      &engine.Pairs{},
		Values: []scan.Value{
			{Column: seconds, Number: number, Invalid: engine.NoValue},
			{Column: seconds, Number: number, Invalid: -7},
		},
		Time:   &scan.Time{Column: visitedAt, Clock: clock, From: from, To: to},
		Events: true,
	}
	for i := range in.Labels {
		in.Labels[i].Labeler = func() (*generalize.Labeler, error) { return generalize.NewLabeler(specs[i]) }
	}
	return in
}

func isYes(v anonymize.Value) bool {
	out, ok := v.AppendText(nil)
	return ok && (string(out) == "yes" || string(out) == "1")
}

func before(year int64) func(anonymize.Value) bool {
	return func(v anonymize.Value) bool {
		y, ok := v.Whole()
		return ok && y < year
	}
}

// row is what one record comes to, by name. "" is an attribute that says nothing, and a group that
// there is not.
type row struct {
	hi, lo        uint64
	flags         uint32
	attrs, groups []string
	values        []int64
}

// naive computes the row of one record, false where nobody is named.
func naive(in *scan.Input, labelers []*generalize.Labeler, record []anonymize.Value) (row, bool) {
	var r row
	named := false
	for _, id := range in.IDs {
		if text, ok := id.Kind.Append(nil, record[id.Column]); ok && !named {
			r.hi, r.lo = id.Hasher.Distinct128(text)
			named = true
		}
	}
	if at, ok := in.Time.Clock.Instant(record[in.Time.Column]); ok && at >= in.Time.From && at < in.Time.To {
		r.flags |= engine.Event
	}
	for _, rule := range in.Rules {
		if rule.Keeps(record[rule.Column]) || rule.Unless >= 0 && rule.Lifts(record[rule.Unless]) {
			r.flags |= engine.Satisfies(rule.Number)
		} else {
			r.flags |= engine.Excluded
		}
	}
	var labels []string
	var known []bool
	for i, l := range in.Labels {
		label, ok := labelers[i].Label(nil, naiveJoin(l, record))
		labels, known = append(labels, string(label)), append(known, ok)
	}
	for _, l := range in.Attributes {
		name := ""
		if l >= 0 && known[l] {
			name = labels[l]
		}
		r.attrs = append(r.attrs, name)
	}
	for _, key := range in.Keys {
		var parts []string
		for _, l := range key {
			if l == 0 && labels[l] == "unknown" { // not among the declared groups of the dictionary
				parts = nil
				break
			}
			parts = append(parts, labels[l])
		}
		r.groups = append(r.groups, strings.Join(parts, "|"))
	}
	for _, v := range in.Values {
		q, verdict := v.Number.Quantum(record[v.Column])
		if verdict == generalize.Missing || verdict == generalize.Invalid {
			q = v.Invalid
		}
		r.values = append(r.values, q)
	}
	return r, named
}

func naiveJoin(l scan.Label, record []anonymize.Value) anonymize.Value {
	if len(l.Columns) == 1 {
		return record[l.Columns[0]]
	}
	var parts []string
	for _, c := range l.Columns {
		part, ok := record[c].AppendText(nil)
		if !ok {
			return null
		}
		parts = append(parts, string(part))
	}
	return text(strings.Join(parts, l.Join))
}

// hashes checks that a group's hash goes by its labels and their order, and tells groups apart.
type hashes []map[string]uint64

func newHashes(in *scan.Input) hashes {
	h := make(hashes, len(in.Keys))
	for i := range h {
		h[i] = map[string]uint64{}
	}
	return h
}

func (h hashes) require(t testing.TB, key int, group string, hash uint64) {
	old, seen := h[key][group]
	h[key][group] = hash
	require.True(t, !seen || old == hash, "one group, two hashes")
}

func (h hashes) requireDistinct(t testing.TB) {
	all := map[uint64]bool{}
	count := 0
	for _, groups := range h {
		for _, hash := range groups {
			all[hash] = true
			count++
		}
	}
	require.Len(t, all, count, "two groups, one hash")
}

// requireRows compares what a builder makes of a batch with the naive rows of the same records.
func requireRows(t testing.TB, in *scan.Input, b *scan.Builder, h hashes, records [][]anonymize.Value, batch *table.Batch) {
	var labelers []*generalize.Labeler
	for _, s := range specs {
		l, err := generalize.NewLabeler(s)
		require.NoError(t, err)
		labelers = append(labelers, l)
	}
	got, n := b.Rows(batch), 0
	for _, record := range records {
		want, ok := naive(in, labelers, record)
		if !ok {
			continue
		}
		require.Less(t, n, got.N)
		require.Equal(t, want, named(t, in, h, got, n))
		n++
	}
	require.Equal(t, n, got.N)
}

// named returns row i of what a builder made, with its labels.
func named(t testing.TB, in *scan.Input, h hashes, r *engine.Rows, i int) row {
	out := row{hi: r.Hi[i], lo: r.Lo[i], flags: r.Flags[i]}
	for a, l := range in.Attributes {
		name := ""
		if l < 0 {
			require.Nil(t, r.Attrs[a])
		} else {
			require.Len(t, r.Attrs[a], r.N)
			name = in.Labels[l].Dictionary.Label(r.Attrs[a][i])
		}
		out.attrs = append(out.attrs, name)
	}
	for k, labels := range in.Keys {
		require.Len(t, r.Keys[k], r.N)
		var parts []string
		if code := r.Keys[k][i]; code != engine.NoKey {
			for n, c := range in.Pairs.Unfold(code, len(labels)) {
				parts = append(parts, in.Labels[labels[n]].Dictionary.Label(c))
			}
			h.require(t, k, strings.Join(parts, "|"), hashOf(in, k, code))
		}
		out.groups = append(out.groups, strings.Join(parts, "|"))
	}
	for v := range in.Values {
		out.values = append(out.values, r.Values[v][i])
	}
	return out
}

// pools are the texts that cells are drawn from; a number among them can be drawn as such.
var pools = [][]string{
	account: {"u1", "u2", "7", "0", "", "null", "A@b.example"}, email: {"A@b.example", " a@B.example", "no address", "c@d.example", "12"},
	gender: {"F", "M", "f", "1", "2", "3", "divers", "unknown"}, page: {"/", "/a", "/b", "12", "", "  /a ", "\xff", strings.Repeat("x", 300)},
	course: {"AAA", "BBB", "1", "AAA-B", ""}, term: {"2013", "B", "B-2013", "1"},
	consent: {"yes", "no", "1", "YES"}, birthYear: {"2013", "2012", "1984", "x", "1984.0"}, parent: {"yes", "no"},
	seconds:   {"1", "0.25", "-3", "1e300", "-inf", "nan", "x", "", "9223372036854775807"},
	visitedAt: {"99", "100", "199", "200", "150.5", "-1", "soon"},
	unasked:   {"secret"},
}

// randomRecords draws records whose columns are each of one kind.
func randomRecords(r *rand.Rand, n int) [][]anonymize.Value {
	records := make([][]anonymize.Value, n)
	for _, pool := range pools {
		kind := r.IntN(4)
		for i := range records {
			records[i] = append(records[i], randomCell(r, kind, pool))
		}
	}
	return records
}

func randomCell(r *rand.Rand, kind int, pool []string) anonymize.Value {
	s := pool[r.IntN(len(pool))]
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case r.IntN(8) == 0, kind == 3 && r.IntN(10) > 0:
		return null
	case kind == 1 && err == nil && f == float64(int64(f)):
		return integer(int64(f))
	case kind == 2 && err == nil:
		return float(f)
	case kind == 1 || kind == 2:
		return null
	}
	return text(s)
}

func TestRowsEqualANaiveRowByRowComputation(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := testInput(t)
		b, err := scan.NewBuilder(in)
		require.NoError(t, err)
		h := newHashes(in)
		for range 6 { // one builder meets columns of any kind and layout
			records := randomRecords(r, 1+r.IntN(120))
			batch := batchOf(records, func(int) func([]anonymize.Value) table.Column {
				if r.IntN(2) == 0 {
					return dictionary
				}
				return column
			})
			batch.Columns[unasked] = unreadable
			requireRows(t, in, b, h, records, batch)
			requireRows(t, in, b, h, records, batch) // dictionaries come again
		}
		h.requireDistinct(t)
	}
}

// hashOf returns the hash of one code.
func hashOf(in *scan.Input, k int, code uint64) uint64 {
	var dictionaries []*scan.Dictionary
	for _, l := range in.Keys[k] {
		dictionaries = append(dictionaries, in.Labels[l].Dictionary)
	}
	var hash [1]uint64
	scan.HashKeys(in.Pairs, dictionaries, hash[:], []uint64{code})
	return hash[0]
}
