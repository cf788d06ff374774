// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

// shape prints a node, with the source and the line of each key and scalar.
func shape(n *strictyaml.Node) string {
	var b strings.Builder
	switch n.Kind {
	case strictyaml.Mapping:
		for _, e := range n.Entries {
			fmt.Fprintf(&b, " %s%s%d:(%s)", e.Source, e.Key, e.Line, shape(e.Value))
		}
	case strictyaml.Sequence:
		for _, item := range n.Items {
			fmt.Fprintf(&b, " [%s]", shape(item))
		}
	default:
		fmt.Fprintf(&b, "%s%s%d", n.Source, n.Text, n.Line)
	}
	return strings.TrimSpace(b.String())
}

func TestMergeIsByKeyAndOtherwiseReplaces(t *testing.T) {
	for _, tt := range []struct{ base, over, want string }{
		{"a: 1", "b: 2", "^a1:(^11) b1:(21)"},
		{"a: 1", "a: 2", "a1:(21)"},
		{"a: {b: 1, c: 2}", "a:\n  c: 3\n  d: 4", "a1:(^b1:(^11) c2:(32) d3:(43))"},
		{"a: [1, 2]", "a: [3]", "a1:([31])"},
		{"a: [1]\nb: {c: 1}\nd: x", "a: none\nb: none\nd: none", "d3:(none3)"},
		{"a: [1]", `a: "none"`, "a1:(none1)"},
		{"a: {b: {c: 1}, d: 2}", "a: {b: none}", "a1:(^d1:(^21))"},
		{"a: {b: 1}", "a: [none]", "a1:([none1])"},
		{"a: {b: 1}", "a:", "a1:(1)"},
		{"a: 1", "a: {b: 1}", "a1:(b1:(11))"},
		{"a: 1", "b: none", "^a1:(^11) b1:(none1)"},
		{"a: {b: [x]}", "{}", "^a1:(^b1:([^x1]))"},
		{"a: 1", "[]", ""},
	} {
		base, over := mustParse(t, tt.base), mustParse(t, tt.over)
		beforeBase, beforeOver := shape(base), shape(over)
		assert.Equal(t, tt.want, shape(strictyaml.Merge("^", base, over)), "%s over %s", tt.over, tt.base)
		assert.Equal(t, []string{beforeBase, beforeOver}, []string{shape(base), shape(over)}, "neither is changed")
	}
}

func TestFaultsOfMergedFilesSayWhichFile(t *testing.T) {
	b := strictyaml.NewBinder("policy")
	n := strictyaml.Merge("preset", mustParse(t, "columns:\n  age: {k: x, z: 1}\n  city: 7"), mustParse(t, "columns: {age: {k: y, hard: 1}}"))
	bindColumns(b, n)
	var got []string
	for _, f := range b.Faults() {
		got = append(got, fmt.Sprintf("%s:%d %s", f.Source, f.Line, f.Path))
	}
	assert.ElementsMatch(t, []string{":1 policy.columns.age.k", ":1 policy.columns.age.hard", "preset:2 policy.columns.age.z", "preset:3 policy.columns.city"}, got)
	assert.Equal(t, strictyaml.Place{Source: "preset", Line: 3}, b.Lines()["policy.columns.city"])
	assert.Equal(t, strictyaml.Place{Line: 1}, b.Lines()["policy.columns.age"])
	b.Fault(nil, "columns.city.k", "nothing", "a number", "")
	faults := b.Faults()
	assert.Equal(t, "preset", faults[len(faults)-1].Source, "the nearest path above")
}
