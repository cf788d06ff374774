// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// splitInput has tags and a kind: keys by tag, by kind, and by both; the kind is an attribute too. Of the tags,
// "gone" is outside the declared groups.
func splitInput(t testing.TB, spec generalize.Spec) *scan.Input {
	t.Helper()
	secret, err := identity.NewSecret()
	require.NoError(t, err)
	number, err := generalize.NewNumber("1")
	require.NoError(t, err)
	labeler := func() (*generalize.Labeler, error) { return generalize.NewLabeler(spec) }
	var declared []string
	if spec.Groups != nil {
		declared = slices.DeleteFunc(slices.Clone(spec.Groups), func(g string) bool { return g == "gone" })
	}
	return &scan.Input{
		IDs: []scan.ID{{Column: 0, Kind: identity.Opaque, Hasher: secret.Hasher("person/0")}},
		Labels: []scan.Label{
			{Columns: []int{1}, Several: true, Split: ",", Labeler: labeler, Dictionary: scan.NewDictionary(secret.Hasher("tag"), declared)},
			{Columns: []int{2}, Dictionary: scan.NewDictionary(secret.Hasher("kind"), nil), Labeler: func() (*generalize.Labeler, error) {
				return generalize.NewLabeler(generalize.Spec{})
			}},
		},
		Attributes: []int{1},
		Keys:       [][]int{{0}, {1}, {0, 1}},
		Pairs:      &engine.Pairs{},
		Values:     []scan.Value{{Column: 3, Number: number, Invalid: engine.NoValue}},
		Events:     true,
	}
}

// keysOf names what rows of a batch are in: "tags/kinds/both/attribute", per row.
func keysOf(t testing.TB, in *scan.Input, r *engine.Rows) (out []string) {
	t.Helper()
	for i := range r.N {
		var parts []string
		for k, labels := range in.Keys {
			var names []string
			if code := r.Keys[k][i]; code != engine.NoKey {
				for n, c := range in.Pairs.Unfold(code, len(labels)) {
					names = append(names, in.Labels[labels[n]].Dictionary.Label(c))
				}
			}
			parts = append(parts, strings.Join(names, "+"))
		}
		parts = append(parts, in.Labels[1].Dictionary.Label(r.Attrs[0][i]), fmt.Sprint(r.Values[0][i]))
		out = append(out, strings.Join(parts, "/"))
	}
	return out
}

// listsOf lays cells out as lists of what stands between commas, with items that are null beside.
func listsOf(layout func([]anonymize.Value) table.Column) func([]anonymize.Value) table.Column {
	return func(values []anonymize.Value) table.Column {
		starts := []uint32{0}
		var items []anonymize.Value
		for _, v := range values {
			if v.Valid {
				for item := range strings.SplitSeq(string(v.Bytes), ",") {
					items = append(items, text(item), anonymize.Value{})
				}
			}
			starts = append(starts, uint32(len(items)))
		}
		c := layout(items)
		return table.Column{Kind: c.Kind, Items: &c, Starts: starts}
	}
}

// TestListsAndTextsTakeTurns: inputs of both forms are one scan's.
func TestListsAndTextsTakeTurns(t *testing.T) {
	in := splitInput(t, generalize.Spec{})
	b, err := scan.NewBuilder(in)
	require.NoError(t, err)
	records := rows("p|b,a|x|5", "q|c|y|7", "r|~|x|8")
	for i := range 6 {
		layout := column
		if i%2 == 0 {
			layout = listsOf(column)
		}
		batch := batchOf(records, func(c int) func([]anonymize.Value) table.Column {
			if c == 1 {
				return layout
			}
			return column
		})
		assert.Equal(t, []string{"b/x/b+x/x/5", "c/y/c+y/y/7", "unknown/x/unknown+x/x/8"}, keysOf(t, in, b.Rows(batch)))
		assert.Equal(t, []string{"a//a+x//5"}, keysOf(t, in, b.Copies()))
	}
	// What a list cannot be is null.
	in.Labels[0].Several = false
	b, err = scan.NewBuilder(in)
	require.NoError(t, err)
	batch := batchOf(records, func(c int) func([]anonymize.Value) table.Column {
		if c == 1 {
			return listsOf(column)
		}
		return column
	})
	assert.Equal(t, []string{"unknown/x/unknown+x/x/5", "unknown/y/unknown+y/y/7", "unknown/x/unknown+x/x/8"}, keysOf(t, in, b.Rows(batch)))
}

func TestSplitCellsBecomeARowForEachLabel(t *testing.T) {
	layouts := map[string]func([]anonymize.Value) table.Column{
		"texts": column, "dictionary": dictionary, "lists": listsOf(column), "lists of codes": listsOf(dictionary),
	}
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			in := splitInput(t, generalize.Spec{Groups: []string{"a", "b", "gone", "unknown"}})
			b, err := scan.NewBuilder(in)
			require.NoError(t, err)
			records := rows("p|b,a, B ,,a|x|5", "~|a,b|x|6", "q|gone,a|y|7", "r|~|x|8", "s| , |~|9", "t|zzz,b,yyy|x|~", "u|a,gone|x|1")
			for range 3 { // lists are remembered
				batch := batchOf(records, func(column int) func([]anonymize.Value) table.Column {
					if column != 1 {
						return plain(column)
					}
					return layout
				})
				first := b.Rows(batch)
				assert.Equal(t, []string{
					"b/x/b+x/x/5", "/y//y/7", "unknown/x/unknown+x/x/8", "unknown/unknown/unknown+unknown//9",
					"unknown/x/unknown+x/x/-9223372036854775808", "a/x/a+x/x/1",
				}, keysOf(t, in, first))
				hi := slices.Clone(first.Hi)
				assert.NotContains(t, first.Flags, engine.Event|engine.Copy)
				copies := b.Copies()
				require.NotNil(t, copies)
				assert.Equal(t, []string{"a//a+x//5", "a//a+y//7", "b//b+x//-9223372036854775808", "////1"}, keysOf(t, in, copies))
				assert.Equal(t, []uint64{hi[0], hi[1], hi[4], hi[5]}, copies.Hi)
				assert.Equal(t, slices.Repeat([]uint32{engine.Event | engine.Copy}, 4), copies.Flags)
				assert.Nil(t, b.Copies())
			}
		})
	}
}

func TestAttackB13OneRecordCostsWhatItMay(t *testing.T) {
	t.Run("texts", func(t *testing.T) { costsWhatItMay(t, 30, column) })
	t.Run("lists", func(t *testing.T) { costsWhatItMay(t, 3, listsOf(column)) })
}

func costsWhatItMay(t *testing.T, rounds int, layout func([]anonymize.Value) table.Column) {
	in := splitInput(t, generalize.Spec{})
	b, err := scan.NewBuilder(in)
	require.NoError(t, err)
	var lines []string
	for r := range 40 {
		var tags []string
		for i := range 3 * scan.MaxLabels {
			tags = append(tags, fmt.Sprint("tag", r*10_000+i), "tag")
		}
		lines = append(lines, fmt.Sprintf("p%d|%s|x|1", r, strings.Join(tags, ",")))
	}
	lines = append(lines, "last|one,two|x|1")
	for round := range rounds { // of texts more lists than are remembered
		for i := range 40 {
			lines[i] = strings.Replace(lines[i], "|", fmt.Sprintf("|round%d,", round), 1)
		}
		first := b.Rows(batchOf(rows(lines...), func(c int) func([]anonymize.Value) table.Column {
			if c == 1 {
				return layout
			}
			return column
		}))
		n, most, last := first.N, 0, keysOf(t, in, first)[40]
		require.Equal(t, "one/x/one+x/x/1", last)
		for copies := b.Copies(); copies != nil; copies = b.Copies() {
			n, most, last = n+copies.N, max(most, copies.N), keysOf(t, in, copies)[copies.N-1]
		}
		require.Equal(t, "two//two+x//1", last)
		assert.Equal(t, 40*scan.MaxLabels+2, n)
		assert.LessOrEqual(t, most, 4096)
	}
}

func TestRecordsOutsideThePeriodHaveNoCopies(t *testing.T) {
	in := splitInput(t, generalize.Spec{})
	in.Events = false
	b, err := scan.NewBuilder(in)
	require.NoError(t, err)
	b.Rows(batchOf(rows("p|a,b|x|1"), plain))
	assert.Nil(t, b.Copies())
}
