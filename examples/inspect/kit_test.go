// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary stand in for the built one; see command.
func TestMain(m *testing.M) {
	if os.Getenv("INSPECT_MAIN") != "" {
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
	c.Env = append(os.Environ(), "INSPECT_MAIN=1")
	return c
}

// output is what a run left behind.
type output struct {
	code           int
	stdout, stderr string
}

func (o output) all() string { return o.stdout + o.stderr }

// look runs the program in this process, and fails where it takes long.
func look(t *testing.T, args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(t.Context(), args, &stdout, &stderr) }()
	select {
	case code := <-done:
		return output{code, stdout.String(), stderr.String()}
	case <-time.After(time.Minute):
		require.FailNow(t, "no answer in time", "%q", args)
		return output{}
	}
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

// line is the printed line of a column, its words one space apart.
func line(t *testing.T, text, column string) string {
	t.Helper()
	for l := range strings.Lines(text) {
		if f := strings.Fields(l); len(f) > 0 && strings.HasPrefix(l, "  "+column+" ") {
			return strings.Join(f[1:], " ")
		}
	}
	require.Failf(t, "no such column", "%s in\n%s", column, text)
	return ""
}
