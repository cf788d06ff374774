// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// snapshotFolder tells this binary that it is the process of which a snapshot is taken, and where files are.
const snapshotFolder = "THRONG_TEST_SNAPSHOT"

// await waits for a file and returns its content.
func await(t *testing.T, path string) string {
	for range 6000 {
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			return string(b)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing came")
	return ""
}

// put writes a file at once.
func put(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(content), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// TestAttackN10TwoRestoredSnapshotsDrawDifferentNoise takes a snapshot of a process that has drawn, so that the library's
// buffer is full, and lets it go on twice. A new release must draw other noise in each.
func TestAttackN10TwoRestoredSnapshotsDrawDifferentNoise(t *testing.T) {
	if dir := os.Getenv(snapshotFolder); dir != "" {
		wide(t)
		put(t, filepath.Join(dir, "ready"), "yes")
		to := await(t, filepath.Join(dir, "go"))
		put(t, filepath.Join(dir, to), wide(t))
		return
	}
	if os.Getenv("THRONG_NIGHTLY") != "1" {
		t.Skip("nightly")
	}
	criu, err := exec.LookPath("criu")
	if err != nil {
		t.Skip("there is no criu here; install it to take snapshots")
	}
	if out, err := exec.CommandContext(t.Context(), criu, "check").CombinedOutput(); err != nil {
		t.Skipf("criu cannot take snapshots here: %s", out)
	}
	dir, images := t.TempDir(), t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), snapshotFolder+"="+dir)
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, child.Start())
	await(t, filepath.Join(dir, "ready"))
	out, err := exec.CommandContext(t.Context(), criu, "dump", "-t", strconv.Itoa(child.Process.Pid), "-D", images).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_ = child.Wait() // the snapshot has ended it

	seen := map[string]bool{}
	for _, name := range []string{"one", "two"} {
		put(t, filepath.Join(dir, "go"), name)
		// It returns when the restored process ends.
		out, err := exec.CommandContext(t.Context(), criu, "restore", "-D", images).CombinedOutput()
		require.NoError(t, err, "%s", out)
		seen[await(t, filepath.Join(dir, name))] = true
	}
	assert.Len(t, seen, 2, "equal noise")
}
