// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

func TestParseKeepsScalarsAsTheyAreWritten(t *testing.T) {
	tests := []struct {
		in, want string
		quoted   bool
	}{
		{"x", "x", false},
		{"2026-w12", "2026-w12", false},
		{"0x1", "0x1", false},
		{"1_0", "1_0", false},
		{".nan", ".nan", false},
		{"-.inf", "-.inf", false},
		{"007", "007", false},
		{"1e-9", "1e-9", false},
		{"2026-03-16", "2026-03-16", false},
		{"yes", "yes", false},
		{"True", "True", false},
		{"a b  # c", "a b", false},
		{"a#b", "a#b", false},
		{"http://example.org/", "http://example.org/", false},
		{"'it''s'", "it's", true},
		{`"a\tb\"\u00e9\x41"`, "a\tb\"éA", true},
		{`""`, "", true},
		{`"null"`, "null", true},
		{"\"a\n  b\"", "a b", true},
		{"a\n  b", "a b", false},
		{"|\n  one\n  two\n", "one\ntwo\n", true},
		{"|-\n  one\n  two\n", "one\ntwo", true},
		{">-\n  one\n  two\n", "one two", true},
		{"Zürich", "Zürich", false},
	}
	for _, tc := range tests {
		t.Run(tc.in, func(t *testing.T) {
			n := mustParse(t, "k: "+tc.in).Get("k")
			require.NotNil(t, n)
			assert.Equal(t, strictyaml.Scalar, n.Kind)
			assert.Equal(t, tc.want, n.Text)
			assert.Equal(t, tc.quoted, n.Quoted)
		})
	}
}

func TestParseSeesNothingWhereNothingIs(t *testing.T) {
	for _, in := range []string{"", "\n\n", "# only a comment\n", "---\n", "null", "~", "\ufeff"} {
		assert.Equal(t, strictyaml.Null, mustParse(t, in).Kind, in)
	}
	root := mustParse(t, "a:\nb: ~\nc: null\nd: [~, ]\ne: {f: , g}\n")
	for _, key := range []string{"a", "b", "c"} {
		assert.Equal(t, strictyaml.Null, root.Get(key).Kind, key)
	}
	assert.Equal(t, strictyaml.Null, root.Get("d").Items[0].Kind)
	assert.Equal(t, strictyaml.Null, root.Get("e").Get("f").Kind)
	assert.Equal(t, strictyaml.Null, root.Get("e").Get("g").Kind)
	assert.Nil(t, root.Get("z"))
}

// policy is in every style that a person may use, with CR LF and a byte order mark.
const policy = "\ufeff" + `---
# the data owner's
version: 1
privacy_unit:
  ids: [{column: visitor_id, kind: opaque}]   # first non-null wins

columns:
  gender:     {from: visitors, values: {M: male, F: female},
               groups: [female, male]}
  "page url":
    role: identifier
budget: {epsilon: "4", delta: "1e-8", every: 30d}
tables:
- name: gender
  statistics:
  - visitors
  - share: visitors
-
  name: note
  text: |
    one

    two
last: true
`

func TestParseKeepsOrderAndPlaces(t *testing.T) {
	for _, src := range []string{policy, strings.ReplaceAll(policy, "\n", "\r\n")} {
		root := mustParse(t, src)
		var keys []string
		var lines []int
		for _, e := range root.Entries {
			keys = append(keys, e.Key)
			lines = append(lines, e.Line)
		}
		assert.Equal(t, []string{"version", "privacy_unit", "columns", "budget", "tables", "last"}, keys)
		assert.Equal(t, []int{3, 4, 7, 12, 13, 24}, lines)

		gender := root.Get("columns").Get("gender")
		assert.Equal(t, "male", gender.Get("values").Get("M").Text)
		assert.Equal(t, 9, gender.Get("groups").Items[1].Line)
		assert.Equal(t, 33, gender.Get("groups").Items[1].Column)
		assert.Equal(t, "identifier", root.Get("columns").Get("page url").Get("role").Text)

		tables := root.Get("tables")
		require.Len(t, tables.Items, 2)
		assert.Equal(t, 14, tables.Items[0].Line)
		assert.Equal(t, 3, tables.Items[0].Column)
		assert.Equal(t, "visitors", tables.Items[0].Get("statistics").Items[1].Get("share").Text)
		assert.Equal(t, "one\n\ntwo\n", tables.Items[1].Get("text").Text)
		assert.Equal(t, 24, root.Get("last").Line)
	}
}

func TestParseAllowsThirtyTwoLevels(t *testing.T) {
	_ = mustParse(t, staircase(strictyaml.MaxLevels))
	_ = mustParse(t, strings.Repeat("[", strictyaml.MaxLevels)+strings.Repeat("]", strictyaml.MaxLevels))
}

func TestParseReportsEveryFaultOfAKind(t *testing.T) {
	_, faults := parse(t, "a: !x 1\nb: *y\nc: \"\\q\"\n")
	require.Len(t, faults, 3, text(faults))
	assert.Equal(t, []int{1, 2, 3}, []int{faults[0].Line, faults[1].Line, faults[2].Line})
}

func TestFaultsQuoteLittleOfTheFile(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, src := range []string{`"` + long + `": 1` + "\n", long + ": [", "a: |" + long + "\n", "a: {" + long + " " + long + "\n", "a: \"\\" + long} {
		_, faults := parse(t, src)
		require.NotEmpty(t, faults)
		assert.Less(t, len(text(faults)), 400)
		assert.NotContains(t, text(faults), "\n\n")
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{policy, "a: |\n  b\n", "- - [a, {b: c}]\n", `a: "\x41\u0041"`, "? a", "<<: *a", "0: [:!00 \xef", "a: 'x' y", "a:\n- b\n-\n", "a: >2-\n    b\n\n   c\n"} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		node, faults := parse(t, string(src))
		if (node == nil) != (len(faults) > 0) {
			t.Fatalf("Parse = %v, %s", node, text(faults))
		}
		for _, fault := range faults {
			if fault.Got == "" || fault.Want == "" || fault.Fix == "" || strings.Contains(text([]strictyaml.Fault{fault}), "\n") {
				t.Fatalf("fault %+v", fault)
			}
		}
		// What has been read binds without a panic, whatever it is.
		b := strictyaml.NewBinder("policy")
		bindAnything(b, node, "")
		_ = b.Faults()
	})
}

func bindAnything(b *strictyaml.Binder, n *strictyaml.Node, path string) {
	var (
		s string
		l []string
		i int64
		t bool
	)
	b.String(n, path, &s)
	b.Strings(n, path, &l)
	b.Int(n, path, &i)
	b.Bool(n, path, &t)
	b.Decimal(n, path, &s)
	b.Choice(n, path, []string{"from", "role"}, &s)
	b.Mapping(n, path, map[string]func(*strictyaml.Node, string){"from": func(*strictyaml.Node, string) {}})
	b.Items(n, path, func(_ int, n *strictyaml.Node, path string) { bindAnything(b, n, path) })
	b.Each(n, path, func(_ string, n *strictyaml.Node, path string) { bindAnything(b, n, path) })
	_ = b.Line(path + ".x")
}
