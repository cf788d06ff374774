// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// children are what this test binary does instead of testing when it is started by a test. Each gets a
// folder, and the name of a way to make the file.
var children = map[string]func(dir, open string){
	"endless": childEndless,
	"exit":    childExit,
	"panic":   childPanic,
	"limit":   childLimit,
	"full":    childFull,
	"umask":   childUmask,
}

const childVariable = "THRONG_SPILL_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		children[name](os.Args[1], os.Args[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start prepares a child.
func start(t *testing.T, child, dir, open string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, dir, open)
	cmd.Env = append(os.Environ(), childVariable+"="+child)
	return cmd
}

// must ends a child that cannot go on.
func must(err error) {
	if err != nil {
		fmt.Println("child:", err)
		os.Exit(9)
	}
}

// childEndless writes until it is killed, and says so once 8 MiB are written. Should nobody kill it, it ends
// itself.
func childEndless(dir, open string) {
	s, err := stores[open](dir)
	must(err)
	segment := bytes.Repeat([]byte(canary), 600)
	for i, began := 0, time.Now(); time.Since(began) < time.Minute; i++ {
		must(s.Append(i%100, segment))
		if i == 8<<20/len(segment)+100 {
			fmt.Println("written")
		}
		if i%20_000 == 0 { // do not fill the disk
			must(s.Close())
			s, err = stores[open](dir)
			must(err)
		}
	}
}

func childExit(dir, open string) {
	s, err := stores[open](dir)
	must(err)
	must(s.Append(0, bytes.Repeat([]byte(canary), 1<<18)))
	os.Exit(3)
}

func childPanic(dir, open string) {
	s, err := stores[open](dir)
	must(err)
	must(s.Append(0, bytes.Repeat([]byte(canary), 1<<18)))
	_ = s.Read(0, nil, func(segment []byte) error { panic(fmt.Sprintf("%+v", s)) })
}

// onUnix are the ways of which Unix leaves nothing.
var onUnix = []string{"as the system can", "named at first"}

func TestAttackO09KilledProcessLeavesNothing(t *testing.T) {
	for _, open := range onUnix {
		for _, delay := range []time.Duration{0, 3 * time.Millisecond, 20 * time.Millisecond} {
			dir := t.TempDir()
			cmd := start(t, "endless", dir, open)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "written\n", line)
			time.Sleep(delay)
			while, err := os.ReadDir(dir)
			require.NoError(t, err)
			if open == onUnix[0] {
				assert.Empty(t, while, "no name while it is written either")
			}
			require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
			err = cmd.Wait()
			require.ErrorContains(t, err, "killed", "it was still writing")
			after, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, after)
		}
	}
}

func TestAttackO09ProcessThatEndsWithoutCloseLeavesNothing(t *testing.T) {
	for _, open := range onUnix {
		for child, code := range map[string]int{"exit": 3, "panic": 2} {
			dir := t.TempDir()
			cmd := start(t, child, dir, open)
			cmd.Env = append(cmd.Env, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			assert.Equal(t, code, cmd.ProcessState.ExitCode(), "%s", out)
			for _, form := range forms(canary) {
				assert.NotContains(t, string(out), form)
			}
			if child == "panic" {
				assert.Contains(t, string(out), "[spill store]")
			}
			after, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, after)
		}
	}
}

// TestKilledChildTestCanFail holds the test above to what it would see.
func TestKilledChildTestCanFail(t *testing.T) {
	dir := t.TempDir()
	cmd := start(t, "exit", dir, "named")
	require.Error(t, cmd.Run())
	require.Equal(t, 3, cmd.ProcessState.ExitCode())
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, after, 1)
	assert.NotContains(t, after[0].Name(), canary)
	info, err := after[0].Info()
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	b, err := os.ReadFile(dir + "/" + after[0].Name())
	require.NoError(t, err)
	assert.Greater(t, len(b), 1<<20)
	assert.NotContains(t, string(b), canary[:8])
}
