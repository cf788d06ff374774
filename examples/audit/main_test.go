// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/audit"
)

// done is what a run of the program left behind.
type done struct {
	code           int
	stdout, stderr string
}

func audits(t *testing.T, args ...string) done {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return done{code, stdout.String(), stderr.String()}
}

func TestTheDemoKeepsItsClaimsAndIsWritten(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "audit")
	t.Chdir("../..")
	got := audits(t, "-n", "2000", "-out", out)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	assert.Contains(t, got.stdout, "weekly-audience of demo-site claims ε = 2, δ = 1e-9")
	assert.Contains(t, got.stdout, "Every claim held.")
	assert.NotContains(t, got.stdout, "FAILED")

	raw, err := os.ReadFile(filepath.Join(out, "audit.json"))
	require.NoError(t, err)
	var report audit.Report
	require.NoError(t, json.Unmarshal(raw, &report))
	assert.Equal(t, "weekly-audience", report.Release)
	assert.False(t, report.Violated)
	for _, text := range []string{string(raw), got.stdout} {
		assert.NotContains(t, text, "person-", "an id of a made-up record")
		assert.NotContains(t, text, "group0", "a label of a made-up record")
	}
	above, err := os.ReadDir(filepath.Dir(out))
	require.NoError(t, err)
	assert.Len(t, above, 1, "nothing is left beside it")

	// An audit is replaced, and -json says on stdout what is written.
	got = audits(t, "-n", "2000", "-out", out, "-json")
	assert.Equal(t, exitDone, got.code, got.stderr)
	raw, err = os.ReadFile(filepath.Join(out, "audit.json"))
	require.NoError(t, err)
	assert.Equal(t, string(raw), got.stdout)
}

func TestOtherFoldersAreRefusedAndLeftAlone(t *testing.T) {
	for name, content := range map[string]string{"notes.txt": "mine", "audit.json": "{}"} {
		out := t.TempDir()
		path := filepath.Join(out, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		got := audits(t, "-policy", "../partnerreport/policy.yaml", "-release", "../partnerreport/release.yaml", "-out", out)
		assert.Equal(t, exitUsage, got.code)
		assert.Contains(t, got.stderr, "audit: -out: only a new folder, or one that holds an audit alone")
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, content, string(raw))
		got = audits(t, "-policy", "../partnerreport/policy.yaml", "-release", "../partnerreport/release.yaml", "-out", path)
		assert.Equal(t, exitUsage, got.code, "a file is no folder")
	}
}

func TestFaultsAreToldAllAtOnce(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"-bogus"}, []string{"flag provided but not defined: -bogus; see -h"}},
		{[]string{"stray"}, []string{`got the stray argument "stray", want flags only; see -h`}},
		{[]string{"-policy", "x", "-n", "-1"}, []string{
			"-n: got -1, want 0 to 100000000; leave the flag out",
			"-release: got nothing, want the release to audit; name it"}},
		{[]string{"-release", "x", "-out", ""}, []string{
			"-out: got an empty text, want a path; leave the flag out, or name one",
			"-policy: got nothing, want the policy that the release is made under; name it"}},
		{[]string{"-policy", "x", "-release", "y"}, []string{
			"-policy: x does not exist; check the path", "-release: y does not exist; check the path"}},
		{nil, []string{"the demo: got a folder without examples/partnerreport/policy.yaml, " +
			"want the project's root; change to it, or name your own files with -policy and -release"}},
	} {
		got := audits(t, c.args...)
		assert.Equal(t, exitUsage, got.code, "%v", c.args)
		assert.Empty(t, got.stdout)
		assert.Equal(t, "audit: "+strings.Join(c.want, "\naudit: ")+"\n", got.stderr)

		got = audits(t, append([]string{"-json"}, c.args...)...)
		assert.Equal(t, exitUsage, got.code, "%v", c.args)
		assert.Empty(t, got.stderr)
		var told struct {
			Errors []struct{ Message string }
			Exit   int `json:"exit_code"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &told))
		assert.Len(t, told.Errors, len(c.want))
		assert.Equal(t, exitUsage, told.Exit)
	}
}

func TestFaultsOfTheSpecificationsAreUsage(t *testing.T) {
	dir := t.TempDir()
	policy, release := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "release.yaml")
	require.NoError(t, os.WriteFile(policy, []byte("version: 2\npopulation: x\n"), 0o600))
	require.NoError(t, os.WriteFile(release, []byte("version: 1\n"), 0o600))
	got := audits(t, "-policy", policy, "-release", release, "-out", filepath.Join(dir, "out"))
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "policy.version: got 2, want 1")
	assert.NoDirExists(t, filepath.Join(dir, "out"))
}

func TestAViolatedClaimIsWrittenPrintedAndAnExitCodeOfItsOwn(t *testing.T) {
	report := &audit.Report{
		Format: audit.Format, Release: "r", Violated: true, Unseen: []string{"t.events"},
		Checks: []audit.Check{{Name: "charge", Compared: "one with the other", Count: 7, Faults: []string{"it costs more"}}},
		Bounds: []audit.Bound{{Statistic: "t.visitors", Measure: "scale", Bound: 0.1, Claim: 0.2, Samples: 5}},
	}
	for _, o := range []options{{}, {json: true}, {quiet: true}} {
		o.out = filepath.Join(t.TempDir(), "audit")
		var stdout, stderr bytes.Buffer
		err := o.tell(report, &stdout)
		require.ErrorIs(t, err, errViolated)
		o.complain(err, &stdout, &stderr)
		assert.Equal(t, exitViolated, exitCode(err))
		assert.FileExists(t, filepath.Join(o.out, "audit.json"))
		switch {
		case o.json:
			assert.True(t, json.Valid(stdout.Bytes()), "one document alone")
			assert.Empty(t, stderr.String())
		case o.quiet:
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), "a claim is violated")
		default:
			for _, want := range []string{"FAILED  one with the other (7 comparisons)", "it costs more", "≤ 0.1", "Not reached, so not checked: t.events", "VIOLATED"} {
				assert.Contains(t, stdout.String(), want)
			}
		}
	}
}

func TestHelpAndInterruption(t *testing.T) {
	got := audits(t, "-h")
	assert.Equal(t, exitDone, got.code)
	assert.Contains(t, got.stdout, "Exit codes: 0 every claim held")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "audit")
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"-policy", "../partnerreport/policy.yaml", "-release", "../partnerreport/release.yaml", "-out", out}, &stdout, &stderr)
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, "audit: interrupted; nothing was written\n", stderr.String())
	assert.NoDirExists(t, out)
}
