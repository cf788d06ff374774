// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary stand in for the built one; see command.
func TestMain(m *testing.M) {
	if os.Getenv("PARTNERREPORT_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command is the program as a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), exe, args...)
	c.Env = append(os.Environ(), "PARTNERREPORT_MAIN=1")
	return c
}

// output is what a run left behind.
type output struct {
	code           int
	stdout, stderr string
}

// all is everything that was printed.
func (o output) all() string { return o.stdout + o.stderr }

// report runs the program in this process, and fails where it takes longer than anyone waits for a
// message.
func report(t *testing.T, args ...string) output {
	t.Helper()
	return reportWithin(t, 5*time.Second, args...)
}

func reportWithin(t *testing.T, limit time.Duration, args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(t.Context(), args, &stdout, &stderr) }()
	select {
	case code := <-done:
		return output{code, stdout.String(), stderr.String()}
	case <-time.After(limit):
		require.FailNow(t, "no answer in time", "%q", args)
		return output{}
	}
}

// inProject makes a folder that looks like the project's root, so that nothing is written to the real
// one, and goes there.
func inProject(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"examples", "testdata"} {
		target, err := filepath.Abs(filepath.Join("../..", name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	t.Chdir(dir)
}

// Demo files, from this folder.
const (
	demoUsage    = "../../testdata/usage.ndjson"
	demoVisitors = "../../testdata/visitors.csv"
)

// demo is a command line for the demo that writes to out.
func demo(out string, more ...string) []string {
	return append([]string{"-policy", "policy.yaml", "-release", "release.yaml",
		"-usage", demoUsage, "-visitors", demoVisitors, "-out", out}, more...)
}

// write makes a file in a new folder.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// edited is a file with one piece of its text replaced, in a new folder.
func edited(t *testing.T, path, old, new string) string {
	t.Helper()
	content := read(t, path)
	require.Contains(t, content, old, "the test no longer edits what it means to")
	return write(t, filepath.Base(path), strings.Replace(content, old, new, 1))
}

// tree is every file below dir with its content, and every folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			all[path] = "a folder"
		default:
			all[path] = read(t, path)
		}
		return nil
	}))
	return all
}

// empty asserts that a folder is there with nothing in it.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "something was left in the folder")
}

// jsonAlone decodes text that must be one JSON value and nothing else.
func jsonAlone(t *testing.T, text string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	require.NoError(t, d.Decode(v), "not JSON: %s", text)
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF, "more than JSON: %s", text)
}

// jsonErrors is what -json prints instead of a result.
type jsonErrors struct {
	Errors   []fault `json:"errors"`
	ExitCode int     `json:"exit_code"`
}
