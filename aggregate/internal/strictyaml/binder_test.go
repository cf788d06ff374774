// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

type fields = map[string]func(n *strictyaml.Node, path string)

// column is a stand-in for what a policy binds.
type column struct {
	from   string
	groups []string
	k      int64
	hard   bool
}

func bindColumns(b *strictyaml.Binder, root *strictyaml.Node) map[string]column {
	out := map[string]column{}
	b.Mapping(root, "", fields{
		"columns": func(n *strictyaml.Node, path string) {
			b.Each(n, path, func(key string, n *strictyaml.Node, path string) {
				var c column
				b.Mapping(n, path, fields{
					"from":   func(n *strictyaml.Node, path string) { b.Choice(n, path, []string{"usage", "visitors"}, &c.from) },
					"groups": func(n *strictyaml.Node, path string) { b.Strings(n, path, &c.groups) },
					"k":      func(n *strictyaml.Node, path string) { b.Int(n, path, &c.k) },
					"hard":   func(n *strictyaml.Node, path string) { b.Bool(n, path, &c.hard) },
				})
				out[key] = c
			})
		},
	})
	return out
}

func TestBinderFillsValues(t *testing.T) {
	b := strictyaml.NewBinder("policy")
	got := bindColumns(b, mustParse(t, "columns:\n  gender: {from: visitors, groups: [male, 1, \"\"], k: 20, hard: true}\n  age: {k: -5}\n"))
	assert.Empty(t, text(b.Faults()))
	assert.Equal(t, map[string]column{
		"gender": {from: "visitors", groups: []string{"male", "1", ""}, k: 20, hard: true},
		"age":    {k: -5},
	}, got)
}

func TestBinderReportsAllFaultsWithPathsAndLines(t *testing.T) {
	b := strictyaml.NewBinder("policy")
	got := bindColumns(b, mustParse(t, strings.Join([]string{
		"Columns: {}",
		"columns:",
		"  gender: {form: visitors, groups: male, k: \"20\", hard: True}",
		"  \"page url\": {FROM: usage, groups: [[a], {b: c}, ~, d], k: 0x1}",
		"  age: {from: visitor, k: 9223372036854775808}",
		"  empty:",
		"zzz: 1",
	}, "\n")))
	const mapping = "want a mapping; write \"key: value\" lines"
	const oneOf = "want one of from, groups, hard, k; "
	const list = "want a list; write it as [a, b] or as lines that begin with \"- \""
	const value = "want text; write one value; quote it where it holds special characters"
	const number = "want a whole number such as 20; write plain digits without quotes, point, exponent or underscore"
	assert.Equal(t, strings.Join([]string{
		"1:1 policy.Columns: got the unknown key \"Columns\", want one of columns; did you mean columns?",
		"3:12 policy.columns.gender.form: got the unknown key \"form\", " + oneOf + "did you mean from?",
		"3:36 policy.columns.gender.groups: got a single value, " + list,
		"3:57 policy.columns.gender.hard: got \"True\", want true or false; write true or false in lower case without quotes",
		"3:45 policy.columns.gender.k: got the quoted text \"20\", " + number,
		"4:16 policy.columns[\"page url\"].FROM: got the unknown key \"FROM\", " + oneOf + "did you mean from?",
		"4:38 policy.columns[\"page url\"].groups[0]: got a list, " + value,
		"4:44 policy.columns[\"page url\"].groups[1]: got a mapping, " + value,
		"4:51 policy.columns[\"page url\"].groups[2]: got nothing, " + value,
		"4:61 policy.columns[\"page url\"].k: got \"0x1\", " + number,
		"5:15 policy.columns.age.from: got \"visitor\", want one of usage, visitors; did you mean visitors?",
		"5:27 policy.columns.age.k: got \"9223372036854775808\", " + number,
		"6:9 policy.columns.empty: got nothing, " + mapping,
		"7:1 policy.zzz: got the unknown key \"zzz\", want one of columns; remove it",
	}, "\n"), text(b.Faults()))
	assert.Equal(t, column{}, got["gender"], "a value that does not fit is not written")
	assert.Zero(t, got["age"].k)
}

func TestBinderRefusesOtherSpellingsOfNumbersAndTruth(t *testing.T) {
	for _, in := range []string{"01", "-0", "+1", "1.0", "1e2", "1_0", "0b1", "99999999999999999999", "'1'", "x", "[1]", ""} {
		b := strictyaml.NewBinder("p")
		dst := int64(-77)
		b.Int(mustParse(t, "k: "+in).Get("k"), "k", &dst)
		assert.Len(t, b.Faults(), 1, in)
		assert.EqualValues(t, -77, dst, in)
	}
	for _, in := range []string{"yes", "TRUE", "1", "'true'", "on", "~"} {
		b := strictyaml.NewBinder("p")
		var dst bool
		b.Bool(mustParse(t, "k: "+in).Get("k"), "k", &dst)
		assert.Len(t, b.Faults(), 1, in)
		assert.False(t, dst, in)
	}
}

func TestBinderKnowsTheLineOfAPath(t *testing.T) {
	b := strictyaml.NewBinder("policy")
	_ = bindColumns(b, mustParse(t, "columns:\n  gender:\n    from: visitors\n    groups:\n    - a\n    - b\n  \"a.b\": {k: 1}\n"))
	for path, want := range map[string]int{
		"policy": 1, "columns": 1, "policy.columns.gender": 2, "policy.columns.gender.from": 3,
		"columns.gender.groups[1]": 6, "columns.gender.groups[7]": 4, "columns.gender.role": 2,
		`columns["a.b"].k`: 7, `columns["a.b"].role.deep`: 7, "nowhere": 1,
	} {
		assert.Equal(t, want, b.Line(path), path)
	}
	b.Fault(nil, "columns.gender.role", "nothing", "a role", "add role")
	assert.Equal(t, "2:0 policy.columns.gender.role: got nothing, want a role; add role", text(b.Faults()))
}

func TestBinderTakesOverTheFaultsOfParse(t *testing.T) {
	_, faults := parse(t, "a: {b: 1, b: 2}\nc: 1\n0: x\n")
	b := strictyaml.NewBinder("release")
	b.Add(faults...)
	assert.Equal(t, []string{"release.a.b", `release["0"]`}, []string{b.Faults()[0].Path, b.Faults()[1].Path})
}

func TestDidYouMeanPrefersCaseThenFewestEdits(t *testing.T) {
	names := []string{"values", "value", "role", "from", "id", "of", "k"}
	for got, want := range map[string]string{
		"Values": "values", "vaules": "values", "valu": "value", "rol": "role", "form": "from", "frm": "from",
		"K": "k", "io": "id", "xy": "", "kk": "k", "banana": "", "": "", "valuesss": "values", "VALUS": "value",
		strings.Repeat("x", 100_000): "",
	} {
		assert.Equal(t, want, strictyaml.DidYouMean(got, names), got)
	}
}
