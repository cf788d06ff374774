// SPDX-License-Identifier: Apache-2.0

package nocore_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/examples/internal/nocore"
)

// child says to this binary that it is the child, and with "set" that it sets the limit.
const child = "THRONG_TEST_CORE"

// TestMain is the child: it takes as much core as it may, sets the limit or not, and is killed.
func TestMain(m *testing.M) {
	how := os.Getenv(child)
	if how == "" {
		os.Exit(m.Run())
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		os.Exit(3)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		os.Exit(4)
	}
	if how == "set" {
		if err := nocore.Set(); err != nil {
			os.Exit(5)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGABRT); err != nil {
		os.Exit(6)
	}
	select {}
}

// abort runs the child in a folder of its own, and returns whether the system wrote a core, and the files there.
func abort(t *testing.T, how string) (core bool, files []string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), child+"="+how, "GOTRACEBACK=crash")
	err := c.Run()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "it was killed: %v", err)
	status := exit.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGABRT, "%v", exit)
	entries, err := os.ReadDir(c.Dir)
	require.NoError(t, err)
	for _, e := range entries {
		files = append(files, e.Name())
	}
	return status.CoreDump(), files
}

func TestAttackN10NoCoreAfterSIGABRT(t *testing.T) {
	core, files := abort(t, "set")
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err == nil && strings.HasPrefix(string(pattern), "|") {
		assert.Empty(t, files)
		t.Skip("this system hands cores to a program, whatever the limit")
	}
	assert.False(t, core)
	assert.Empty(t, files)

	core, _ = abort(t, "not set")
	if !core {
		t.Log("this system writes no core anyway")
	}
}

func TestSetIsForGood(t *testing.T) {
	require.NoError(t, nocore.Set())
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &limit))
	assert.Equal(t, syscall.Rlimit{}, limit)
}
