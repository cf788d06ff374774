// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

const space = "free space, or choose another folder, or raise the memory limit"

// childLimit may write files of 3 MiB only.
func childLimit(dir, _ string) {
	signal.Ignore(syscall.SIGXFSZ)
	must(unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 3 << 20, Max: 3 << 20}))
	writeUntilItFails(dir, syscall.EFBIG)
}

// noMount is the exit code of a child that may not mount.
const noMount = 7

// childFull mounts a file system of 4 MiB, in a name space of its own, which ends with it.
func childFull(dir, _ string) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
		os.Exit(noMount)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		fmt.Println(err)
		os.Exit(noMount)
	}
	free := func() uint64 {
		var st unix.Statfs_t
		must(unix.Statfs(dir, &st))
		return st.Bfree
	}
	before := free()
	writeUntilItFails(dir, syscall.ENOSPC)
	if free() != before {
		fmt.Println("child: not so: space is free again")
		os.Exit(8)
	}
}

// writeUntilItFails is what children do whose disk is too small.
func writeUntilItFails(dir string, want error) {
	s, err := spill.Open(dir)
	must(err)
	segment := bytes.Repeat([]byte(canary), 600)
	appended := 0
	for err == nil && appended < 1000 {
		if err = s.Append(appended%100, segment); err == nil {
			appended++
		}
	}
	fmt.Println(err)
	check := func(what string, ok bool) {
		if !ok {
			fmt.Println("child: not so:", what)
			os.Exit(8)
		}
	}
	check("some were written", appended*len(segment) > 2<<20)
	check("the error is the system's", errors.Is(err, want))
	check("later appends fail alike", s.Append(0, nil) == err)
	check("reads fail alike", s.Read(1, nil, func([]byte) error { return nil }) == err)
	names, _ := os.ReadDir(dir)
	check("no file", len(names) == 0)
	check("closed", s.Close() == nil)
	fmt.Println("all so")
}

func childUmask(dir, open string) {
	syscall.Umask(0)
	s, err := stores[open](dir)
	must(err)
	info, err := s.File().(*os.File).Stat()
	must(err)
	fmt.Printf("%v %d", info.Mode(), info.Sys().(*syscall.Stat_t).Nlink)
}

func TestAttackL07FileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	out, err := start(t, "limit", dir, "").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, fmt.Sprintf("spilling to folder %q: file too large; %s\nall so\n", dir, space), string(out))
}

func TestAttackL07DiskFull(t *testing.T) {
	dir := t.TempDir()
	cmd := start(t, "full", dir, "")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() == noMount) {
		t.Skipf("this system lets no test mount a small disk: %v %s", err, out)
	}
	require.NoError(t, err, "%s", out)
	assert.Equal(t, fmt.Sprintf("spilling to folder %q: no space left on device; %s\nall so\n", dir, space), string(out))
}

func TestAttackO09OnlyTheOwnerMayOpenTheFile(t *testing.T) {
	for open, links := range map[string]int{"as the system can": 0, "named at first": 0, "named": 1} {
		out, err := start(t, "umask", t.TempDir(), open).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, fmt.Sprintf("-rw------- %d", links), string(out), open)
	}
}

// TestAttackO09UnnamedFileCanBeGivenNoName links what stands in /proc, as root may.
func TestAttackO09UnnamedFileCanBeGivenNoName(t *testing.T) {
	dir := t.TempDir()
	s, err := spill.Open(dir)
	require.NoError(t, err)
	defer s.Close()
	f := s.File().(*os.File)
	if f.Name() != dir {
		t.Skip("the file system here has no unnamed files")
	}
	err = unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_FDCWD, filepath.Join(dir, "linked"), unix.AT_SYMLINK_FOLLOW)
	assert.ErrorIs(t, err, unix.ENOENT)
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
	require.NoError(t, err)
	assert.NotZero(t, flags&unix.FD_CLOEXEC, "programs that are started do not get it")
}

func TestAttackL07FolderThatIsNotWritable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o555))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	done := make(chan error)
	go func() {
		// Root may write anywhere: this thread, which ends with the goroutine, gives that up.
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		_, err := spill.Open(dir)
		done <- err
	}()
	err := <-done
	require.ErrorIs(t, err, os.ErrPermission)
	assert.Equal(t, fmt.Sprintf("making a temporary file in folder %q: permission denied; let this program write there, "+
		"or choose another folder, or raise the memory limit", dir), err.Error())
}

// descriptors lists what this process has open.
func descriptors(t *testing.T) []string {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	var open []string
	for _, name := range names {
		if target, err := os.Readlink("/proc/self/fd/" + name.Name()); err == nil && !strings.HasPrefix(target, "/proc") {
			open = append(open, name.Name()+" "+target)
		}
	}
	return open
}

func TestNothingLeaks(t *testing.T) {
	dir := t.TempDir()
	use := func(open func(string) (*spill.Store, error)) {
		s, err := open(dir)
		require.NoError(t, err)
		require.NoError(t, s.Append(0, make([]byte, 2<<20), []byte("x")))
		require.Len(t, all(t, s, 0, nil), 1)
		require.NoError(t, s.Close())
	}
	for _, open := range stores {
		use(open)
	}
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 20 {
		for _, open := range stores {
			use(open)
			_, err := open(filepath.Join(dir, "missing"))
			require.Error(t, err)
		}
		s, err := spill.Open(dir)
		require.NoError(t, err)
		s.SetFile(&faulty{File: s.File(), written: syscall.EIO})
		require.Error(t, s.Append(0, make([]byte, 2<<20)))
		require.NoError(t, s.Close())
	}
	assert.Equal(t, files, descriptors(t))
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
}
