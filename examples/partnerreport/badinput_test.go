// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle"
)

// canary stands in cells, and canaryColumn in headers that no policy names: neither may be printed.
const (
	canary       = "canary-7f3a@example.org"
	canaryColumn = "canary_column"
)

// visitorsCSV is a visitors file that fits the demo's policy, with the canary in it.
const visitorsCSV = "visitor_id,gender,birth_year,share_ok," + canaryColumn + "\n" +
	"v1,F,1980,yes," + canary + "\n" + canary + "," + canary + "," + canary + "," + canary + ",x\n"

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// garbage is bytes of no format.
func garbage() string {
	var b strings.Builder
	for i := range 100_000 {
		b.WriteByte(byte(i * i >> 3))
	}
	return b.String() + canary
}

func TestBadInputIsToldWithFileAndFix(t *testing.T) {
	usage := func(name, content string) []string { return []string{"-usage", write(t, name, content)} }
	visitors := func(name, content string) []string { return []string{"-visitors", write(t, name, content)} }
	policy := func(old, new string) []string { return []string{"-policy", edited(t, "policy.yaml", old, new)} }
	release := func(old, new string) []string { return []string{"-release", edited(t, "release.yaml", old, new)} }
	parquet := read(t, "../../testdata/usage.parquet")
	packed := gzipped(t, read(t, demoUsage))

	for _, tt := range []struct {
		name string
		// args replace parts of the demo.
		args []string
		code int
		want []string
	}{
		{"missing file", []string{"-usage", "absent.csv"}, 2, []string{"absent.csv: does not exist; check the path"}},
		{"a glob without a match", []string{"-usage", "absent*.csv"}, 2, []string{"absent*.csv: matches no file; check the pattern"}},
		{"both inputs at fault", []string{"-usage", "absent.csv", "-visitors", "gone.csv"}, 2, []string{"absent.csv: does not exist", "gone.csv: does not exist"}},
		{"a key that is not there", []string{"-key", "absent.key"}, 2, []string{"absent.key"}},
		{"a key that was typed", []string{"-key", write(t, "key", canary+strings.Repeat("correct horse", 3))}, 2, []string{"want random bytes, got a text or a pattern; generate a key at random"}},
		{"a short key", []string{"-key", write(t, "key", "\x81\x02\xf3")}, 2, []string{"want a key of at least 32 bytes, got 3; generate one at random"}},
		{"a folder", []string{"-usage", t.TempDir()}, 1, []string{"is not a regular file; name a file"}},
		{"empty CSV", visitors("v.csv", ""), 2, []string{"v.csv: is empty; a CSV needs a header line"}},
		{"garbage called CSV", visitors("v.csv", garbage()), 2, []string{`v.csv: column "visitor_id": is not there; check the header line and the delimiter`}},
		{"garbage called Parquet", usage("u.parquet", garbage()), 1, []string{"u.parquet: not a Parquet file"}},
		{"garbage called gzip", usage("u.ndjson.gz", packed[:20]+garbage()), 1, []string{"u.ndjson.gz: is damaged or cut short; copy or pack it again"}},
		{"gzip cut short", usage("u.ndjson.gz", packed[:len(packed)/2]), 1, []string{"u.ndjson.gz: is damaged or cut short; copy or pack it again"}},
		{"Parquet cut short", usage("u.parquet", parquet[:len(parquet)/2]), 1, []string{"u.parquet: not a Parquet file"}},
		{"Parquet with a hole", usage("u.parquet", parquet[:len(parquet)/3]+strings.Repeat("\xff", len(parquet)/3)+parquet[len(parquet)/3*2:]), 1, []string{"u.parquet: "}},
		{"UTF-16", visitors("v.csv", "\xff\xfev\x00"), 1, []string{"v.csv: is in UTF-16; save it as UTF-8"}},
		{"an array of JSON", usage("u.json", `[{"visitor_id":"`+canary+`"}]`), 1, []string{"u.json: "}},
		{"a column that is not there", visitors("v.csv", strings.Replace(visitorsCSV, "gender", canaryColumn+"2", 1)), 2,
			[]string{`v.csv: column "gender": is not there; check the header line and the delimiter`}},
		{"a column spelled otherwise in the policy", policy("column: share_ok", "column: shareok"), 2,
			[]string{`visitors.csv: column "shareok": is not there; did you mean "share_ok"?`}},
		{"a column twice", visitors("v.csv", strings.Replace(visitorsCSV, canaryColumn, "gender", 1)), 2,
			[]string{`v.csv: column "gender": is there more than once; rename all but one in the header`}},
		{"no id column in CSV", visitors("v.csv", strings.Replace(visitorsCSV, "visitor_id", canaryColumn+"2", 1)), 2,
			[]string{`v.csv: column "visitor_id": is not there`}},
		{"no id column in Parquet", append(policy("{column: visitor_id, kind", "{column: customer, kind"), "-usage", "../../testdata/usage.parquet",
			"-visitors", "../../testdata/visitors.parquet"), 2,
			[]string{`usage.parquet: column "customer": no such column`, `visitors.parquet: column "customer": no such column`}},
		{"a number as a uuid", append(policy("ids: [{column: visitor_id, kind: opaque}]",
			"ids: [{column: seconds, from: usage, kind: uuid}, {column: visitor_id, kind: opaque}]"), "-usage", "../../testdata/usage.parquet"), 2,
			[]string{`usage.parquet: column "seconds": got the type float, want a type that can hold ids of kind uuid; change the policy's kind or as, or convert the column`}},
		{"two formats", []string{"-usage", demoUsage, "-usage", write(t, "u.csv", visitorsCSV)}, 2, []string{"keep to one format"}},
		{"visitors forgotten", nil, 2, []string{"visitors input: got none, want the records that the policy reads from it; name its files"}},
		{"more ε than the budget", release(`epsilon: "2"`, `epsilon: "5"`), 2,
			[]string{"release.yaml:8: release.spend: got ε = 5, δ = 1e-9, want at most the policy's budget, ε = 4, δ = 1e-8"}},
		{"another purpose", release("advertising", "profiling"), 2, []string{`release.yaml:6: release.purpose: got "profiling", want one of advertising`}},
		{"another recipient", release("recipient: acme", "recipient: acmee"), 2, []string{`release.yaml:5: release.recipient: got "acmee", want one of acme; did you mean acme?`}},
		{"a dimension that the policy keeps back", release("group_by: [gender]", "group_by: [email]"), 2, []string{`got "email", want one of age_band, country, day, gender, section`}},
		{"all faults at once", append(release("purpose: advertising", "purpose: profiling"), policy("k: 20", "k: 0")...), 2,
			[]string{"policy.yaml:32: policy.min_people.k: got 0, want 1 to 1000000 people"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			above := t.TempDir()
			got := report(t, replaced(tt.args, filepath.Join(above, "out"))...)
			assert.Equal(t, tt.code, got.code, got.stderr)
			assert.Empty(t, got.stdout)
			for _, want := range tt.want {
				assert.Contains(t, got.stderr, want)
			}
			for line := range strings.Lines(got.stderr) {
				assert.Regexp(t, `^partnerreport: .+\n$`, line)
			}
			assert.NotContains(t, got.stderr, "canary")
			empty(t, above)
		})
	}
}

// replaced is the demo's command line with some of its flags given otherwise; nil leaves out visitors.
func replaced(args []string, out string) []string {
	if args == nil {
		return []string{"-policy", "policy.yaml", "-release", "release.yaml", "-usage", demoUsage, "-out", out}
	}
	all := append([]string{"-out", out}, args...)
	for _, pair := range [][]string{{"-policy", "policy.yaml"}, {"-release", "release.yaml"}, {"-usage", demoUsage}, {"-visitors", demoVisitors}} {
		if !strings.Contains(" "+strings.Join(args, " "), " "+pair[0]+" ") {
			all = append(all, pair...)
		}
	}
	return all
}

func TestUsageAloneRefusesVisitors(t *testing.T) {
	above := t.TempDir()
	args := []string{"-policy", write(t, "p.yaml", headcount.policy), "-release", write(t, "r.yaml", headcount.release),
		"-usage", write(t, "u.csv", "id,kind\n"+canary+",cat\n"), "-out", filepath.Join(above, "out")}
	got := report(t, append(args, "-visitors", demoVisitors)...)
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "visitors input: got ../../testdata/visitors.csv, want none; no id, column or rule of the policy says from: visitors")
	empty(t, above)
	assert.Equal(t, exitDone, report(t, args...).code)
}

func TestAHeaderAloneIsAValidInput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	header, _, _ := strings.Cut(visitorsCSV, "\n")
	got := report(t, replaced([]string{"-visitors", write(t, "v.csv", header+"\n")}, out)...)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	assert.NoError(t, bundle.Verify(out))
	// Nobody has agreed, and the demo's groups are never shown with fewer than 20 true people.
	assert.Contains(t, got.stdout, "No group is shown: ")
	assert.Contains(t, got.stdout, "(4 declared groups withheld)")
	assert.Contains(t, got.stdout, "(no group shown)")
	assert.NotContains(t, got.stdout, "canary")
}

// people is n records of one kind for the headcount.
func people(n int, kind string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d,%s\n", kind, i, kind)
	}
	return b.String()
}

func TestAMalformedRowIsNeverMentioned(t *testing.T) {
	good := "id,kind\n" + people(300, "cat") + people(200, "dog")
	var first output
	for i, rows := range []string{"", `x,"` + canary + "\n", canary + "\n", "x,cat," + canary + "\n", `"x","cat","` + canary + "\"\n", "x,\xff\xfe" + canary + "\n", "\x00\n"} {
		out := filepath.Join(t.TempDir(), "out")
		got := report(t, "-policy", write(t, "p.yaml", headcount.policy), "-release", write(t, "r.yaml", headcount.release),
			"-usage", write(t, "u.csv", good+rows), "-out", out)
		require.NoError(t, bundle.Verify(out))
		got.stdout = strings.Join(shape(strings.ReplaceAll(got.stdout, out, "OUT")), "\n")
		if i == 0 {
			first = got
			assert.Equal(t, exitDone, got.code)
			assert.Empty(t, got.stderr)
			continue
		}
		assert.Equal(t, first, got, "row %d shows", i)
	}
}

func TestASemicolonFileInLatin1IsRead(t *testing.T) {
	policy := strings.Replace(headcount.policy, "[cat, dog, unknown]", "[Österreich, Dänemark, unknown]", 1) +
		"inputs: {usage: {encoding: latin-1}}\n"
	rows := strings.ReplaceAll("id,kind\n"+people(300, "Österreich")+people(100, "Dänemark"), ",", ";")
	latin1 := strings.NewReplacer("Ö", "\xd6", "ä", "\xe4", "\n", "\r\n").Replace(rows)
	got := report(t, "-policy", write(t, "p.yaml", policy), "-release", write(t, "r.yaml", headcount.release),
		"-usage", write(t, "u.csv", latin1), "-out", filepath.Join(t.TempDir(), "out"))
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Regexp(t, `Österreich +(29\d|30\d|310) `, got.stdout)
	assert.Regexp(t, `Dänemark +(9\d|10\d|110) `, got.stdout)
}
