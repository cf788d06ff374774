// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/dp"
)

func TestWithoutFlagsTheDemoWritesABundleAndPrintsPercentages(t *testing.T) {
	inProject(t)
	got := report(t)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	assert.NoError(t, bundle.Verify("out"))
	// About 590 women, 510 men and 150 unknown, noise of scale 2.5: ten points are 50 scales.
	assert.Regexp(t, `female +\d+ \(\d+–\d+\) +(4\d|5\d)\.\d % \(\d+\.\d–\d+\.\d\)\n`, got.stdout)
	assert.Regexp(t, `male +\d+ \(\d+–\d+\) +(3\d|4\d)\.\d % \(\d+\.\d–\d+\.\d\)\n`, got.stdout)
	assert.Contains(t, got.stdout, "not recorded: every run spends again")
}

var digits = regexp.MustCompile(`\d+`)

// shape is a text without its numbers and widths, line by line, and without the word that a small number
// of events earns in one run and not in the next.
func shape(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(digits.ReplaceAllString(line, "0"), ") wide", ")")
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestTheDemoPrintsWhatTheREADMEShows(t *testing.T) {
	_, shown, found := strings.Cut(read(t, "../../README.md"), "```text\n")
	require.True(t, found)
	shown, _, _ = strings.Cut(shown, "```")
	inProject(t)
	printed := shape(report(t).stdout)
	for _, line := range shape(shown) {
		if line != "…" {
			assert.Contains(t, printed, line)
		}
	}
}

func TestTheDemoSaysWhereItMustBeRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{}, {"-plan"}, {"-out", "x"}} {
		got := report(t, args...)
		assert.Equal(t, exitUsage, got.code)
		assert.Equal(t, "partnerreport: the demo: got a folder without examples/partnerreport/policy.yaml, want the project's root; "+
			"change to it, or name your own files with -policy, -release and -usage\n", got.stderr)
	}
	empty(t, ".")
}

func TestThePlanReadsNoData(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"-plan", "-policy", "policy.yaml", "-release", "release.yaml", "-out", out}
	got := report(t, args...)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	assert.Contains(t, got.stdout, "ε = 2, δ = 1e-9 for everything below together")
	// Inputs that are not there make no difference, nor does asking again.
	absent := append(args, "-usage", "no/such/*.csv", "-visitors", "absent.csv")
	assert.Equal(t, got, report(t, absent...))

	asJSON := report(t, append(absent, "-json")...)
	var plan aggregate.Plan
	jsonAlone(t, asJSON.stdout, &plan)
	assert.Equal(t, "weekly-audience", plan.Release)
	assert.Empty(t, asJSON.stderr)
	assert.NoDirExists(t, out)
}

func TestJSONStandsAloneOnStdout(t *testing.T) {
	bad := edited(t, "release.yaml", `epsilon: "2"`, `epsilon: "two"`)
	for _, tt := range []struct {
		name, want string
		args       []string
		code       int
	}{
		{"result", `"tables"`, demo(filepath.Join(t.TempDir(), "out"), "-json"), exitDone},
		{"plan", `"recipient": "acme"`, demo("unused", "-plan", "-json"), exitDone},
		{"version", `"version"`, []string{"-version", "-json"}, exitDone},
		{"help", `"help"`, []string{"-json", "-h"}, exitDone},
		{"starters", `"written"`, []string{"-json", "-init", t.TempDir()}, exitDone},
		{"flag before", "flag provided but not defined: -nope", []string{"-nope", "-json"}, exitUsage},
		{"flag after", "flag provided but not defined: -nope", []string{"--json", "-nope"}, exitUsage},
		{"stray before", "stray argument", []string{"x", "-json"}, exitUsage},
		{"half", "-release: got nothing", []string{"-json", "-policy", "policy.yaml", "-usage", "x"}, exitUsage},
		{"specification", `"path": "release.spend.epsilon"`, demo("unused", "-json", "-release", bad), exitUsage},
		{"input", `"file": "absent.csv"`, demo("unused", "-json", "-visitors", "absent.csv"), exitUsage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := report(t, tt.args...)
			assert.Equal(t, tt.code, got.code)
			assert.Empty(t, got.stderr)
			assert.Contains(t, got.stdout, tt.want)
			var v jsonErrors
			jsonAlone(t, got.stdout, &v)
			assert.Equal(t, tt.code, v.ExitCode)
			assert.Equal(t, tt.code != exitDone, len(v.Errors) > 0)
		})
	}
}

func TestStartersWorkOnTheDemoData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "mine")
	got := report(t, "-init", dir)
	assert.Equal(t, exitDone, got.code, got.stderr)
	policy, release := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "release.yaml")
	assert.Contains(t, got.stdout, policy)
	for _, format := range []struct{ usage, visitors string }{
		{demoUsage, demoVisitors}, {"../../testdata/usage.parquet", "../../testdata/visitors.parquet"},
	} {
		out := filepath.Join(t.TempDir(), "a", "b", "out")
		got := report(t, "-policy", policy, "-release", release, "-usage", format.usage, "-visitors", format.visitors, "-out", out)
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.NoError(t, bundle.Verify(out))
	}

	before := tree(t, dir)
	got = report(t, "-init", dir)
	assert.Equal(t, exitUsage, got.code)
	assert.Equal(t, "partnerreport: -init: got a folder that has a policy.yaml, want one without; name another\n", got.stderr)
	assert.Equal(t, before, tree(t, dir))
}

// headcount counts people, noise of scale 1/10.
var headcount = struct{ policy, release string }{`
version: 1
population: test
privacy_unit: {ids: [{column: id, kind: opaque, from: usage}]}
columns:
  kind: {from: usage, of: person, role: dimension, groups: [cat, dog, unknown]}
min_people: {k: 2, declared: noisy}
budget: {epsilon: "10", delta: "1e-9"}
recipients: {team: {purposes: [test]}}
`, `
version: 1
name: headcount
snapshot: s
recipient: team
purpose: test
period: all
spend: {epsilon: "10", delta: "1e-9"}
tables: [{name: kind, group_by: [kind], statistics: [visitors]}]
`}

func TestUsageRepeatsAndTakesGlobs(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a-1.csv", "a-2.csv", "b.csv"} {
		var rows strings.Builder
		rows.WriteString("id,kind\n")
		for person := range 100 {
			fmt.Fprintf(&rows, "p%d-%d,cat\n", i, person)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(rows.String()), 0o600))
	}
	got := report(t, "-policy", write(t, "p.yaml", headcount.policy), "-release", write(t, "r.yaml", headcount.release),
		"-usage", filepath.Join(dir, "a-*.csv"), "-usage", filepath.Join(dir, "b.csv"), "-out", filepath.Join(dir, "out"))
	assert.Equal(t, exitDone, got.code, got.stderr)
	// Ten people off with probability exp(-100); a file forgotten is a hundred.
	assert.Regexp(t, `cat +(29\d|30\d|310) `, got.stdout)
}

func TestTheCommandLineIsReadStrictly(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"extra"}, `got the stray argument "extra", want flags only; see -h`},
		{demo(filepath.Join(t.TempDir(), "out"), demoUsage), `got the stray argument "` + demoUsage + `", want flags only; repeat -usage or -visitors for each file, or put a glob in quotes`},
		{[]string{"-nope"}, "flag provided but not defined: -nope; see -h"},
		{[]string{"-usage"}, "flag needs an argument: -usage; see -h"},
		{[]string{"-usage", ""}, `invalid value "" for flag -usage: want a path or a glob; see -h`},
		{demo(""), "-out: got an empty text, want a path; leave the flag out, or name one"},
		{[]string{"-init", ""}, "-init: got an empty text, want a path; leave the flag out, or name one"},
		{[]string{"-policy", "policy.yaml", "-release", "release.yaml"}, "-usage: got nothing, want the records to read; name a path or a glob in quotes"},
		{[]string{"-usage", demoUsage}, "-policy: got nothing, want the policy file; -init DIR writes one to start from\n" +
			"-release: got nothing, want the release file; -init DIR writes one to start from"},
		{[]string{"-policy", "release.yaml", "-release", "policy.yaml", "-plan"}, "-policy: got the release, and -release the policy; swap them"},
		{[]string{"-policy", "p.yaml", "-release", "r.yaml", "-plan"}, "-policy: p.yaml does not exist; check the path, or write one to start from with -init DIR\n" +
			"-release: r.yaml does not exist; check the path, or write one to start from with -init DIR"},
	} {
		got := report(t, tt.args...)
		assert.Equal(t, exitUsage, got.code, tt.args)
		assert.Empty(t, got.stdout)
		assert.Equal(t, "partnerreport: "+strings.ReplaceAll(tt.want, "\n", "\npartnerreport: ")+"\n", got.stderr)
	}
}

func TestHelpAndVersionAreNoFaults(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		got := report(t, flag)
		assert.Equal(t, exitDone, got.code)
		assert.Empty(t, got.stderr)
		for _, name := range []string{"-policy", "-release", "-usage", "-visitors", "-out", "-plan", "-json", "-quiet", "-init", "-version"} {
			assert.Contains(t, got.stdout, "\n  "+name)
		}
	}
	assert.Equal(t, output{exitDone, "partnerreport devel\n", ""}, report(t, "-version"))
}

func TestQuietPrintsErrorsOnly(t *testing.T) {
	assert.Equal(t, output{}, report(t, demo(filepath.Join(t.TempDir(), "out"), "-quiet")...))
	assert.NotEmpty(t, report(t, demo("unused", "-quiet", "-usage", "absent.csv")...).stderr)
}

func TestARunThatIsCancelledLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	assert.Equal(t, exitFailed, run(ctx, demo(filepath.Join(dir, "out")), &stdout, &stderr))
	assert.Equal(t, "partnerreport: interrupted; nothing was written\n", stderr.String())
	empty(t, dir)
}

func TestARefusedChargeHasItsOwnExitCode(t *testing.T) {
	policy, err := aggregate.ParsePolicy("p", []byte(headcount.policy))
	require.NoError(t, err)
	charger := &aggregate.MemoryCharger{}
	charge := aggregate.Charge{Population: "test", Spend: dp.MustApprox("6", "1e-10"), Budget: policy.Budget}
	require.NoError(t, charger.Charge(t.Context(), charge))
	refused := charger.Charge(t.Context(), charge)
	require.Error(t, refused)
	assert.Equal(t, exitRefused, exitCode(refused))
	assert.Equal(t, exitRefused, exitCode(fmt.Errorf("releasing: %w", refused)))
}

func TestAMissingFileIsAnsweredByWhereItWasMissing(t *testing.T) {
	assert.Equal(t, exitUsage, exitCode(fmt.Errorf("reading: %w", fs.ErrNotExist)))
	assert.Equal(t, exitFailed, exitCode(&writeError{fmt.Errorf("writing: %w", fs.ErrNotExist)}))
	assert.Equal(t, exitFailed, exitCode(errors.New("anything else")))
}
