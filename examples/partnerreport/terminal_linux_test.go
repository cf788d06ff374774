// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal opens a terminal: what is written to tty can be read from screen.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here")
	}
	t.Cleanup(func() { screen.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 100}))
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

// large is the demo's usage often enough that the bar fills the terminal's buffer, some kilobytes,
// several times over: as long as nobody reads the screen, the program cannot come to an end.
func large(t *testing.T) string {
	t.Helper()
	return write(t, "usage.ndjson", strings.Repeat(read(t, demoUsage), 200))
}

// onTerminal starts the program with its messages on a terminal, calls seen once something is there,
// and returns all that the screen shows and the exit code.
func onTerminal(t *testing.T, seen func(*os.Process), env []string, args ...string) (shown string, code int) {
	t.Helper()
	screen, tty := terminal(t)
	c := command(t, args...)
	c.Env = append(c.Env, env...)
	c.Stderr = tty
	require.NoError(t, c.Start())
	tty.Close() // so that the screen ends with the process
	watchdog := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
	defer watchdog.Stop()
	var text strings.Builder
	buffer := make([]byte, 4096)
	for first := true; ; first = false {
		n, err := screen.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			break
		}
		if first {
			seen(c.Process)
		}
	}
	_ = c.Wait() // the exit code says it
	return text.String(), c.ProcessState.ExitCode()
}

func TestASignalDuringReadingLeavesNothing(t *testing.T) {
	usage := large(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		above, temp := t.TempDir(), t.TempDir()
		shown, code := onTerminal(t, func(p *os.Process) { assert.NoError(t, p.Signal(signal)) }, []string{"TMPDIR=" + temp},
			demo(filepath.Join(above, "out"), "-usage", usage, "-usage", demoUsage)...)
		assert.Equal(t, exitFailed, code, shown)
		assert.Contains(t, shown, "partnerreport: interrupted; nothing was written")
		empty(t, above)
		empty(t, temp)
	}
}

func TestTheBarIsShownOnATerminalOnly(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	watch := func(*os.Process) {}
	shown, code := onTerminal(t, watch, nil, demo(out)...)
	assert.Equal(t, exitDone, code, shown)
	assert.Contains(t, shown, "reading")
	for _, flag := range []string{"-quiet", "-json"} {
		shown, code := onTerminal(t, watch, nil, demo(out, flag)...)
		assert.Equal(t, exitDone, code)
		assert.Empty(t, shown, flag)
	}

	var stderr strings.Builder
	c := command(t, demo(out)...)
	c.Stderr = &stderr
	require.NoError(t, c.Run())
	assert.Empty(t, stderr.String(), "a pipe is no terminal")
}
