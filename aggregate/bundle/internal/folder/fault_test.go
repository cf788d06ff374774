// SPDX-License-Identifier: Apache-2.0

//go:build linux

package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle/internal/folder"
)

// fastDisk does not flush: neither an error nor a killed process shows whether the disk was.
type fastDisk struct{ folder.Disk }

func (fastDisk) Sync(string) error { return nil }

func (d fastDisk) Create(name string) (folder.DiskFile, error) {
	f, err := d.Disk.Create(name)
	return fastFile{f}, err
}

type fastFile struct{ folder.DiskFile }

func (fastFile) Sync() error { return nil }

// writeFast is folder.Write without flushing.
func writeFast(target string, files []folder.File) error {
	return folder.WriteOn(context.Background(), target, files, slot, func(d folder.Disk) folder.Disk { return fastDisk{d} })
}

// faultyDisk counts operations and calls fault before the one with number at. With noExchange it is a
// disk that cannot exchange folders, with noLinks one where a file has one name.
type faultyDisk struct {
	folder.Disk
	noExchange bool
	noLinks    bool
	at         int
	fault      func() error
	count      int
	ops        []string
}

func (d *faultyDisk) op(name string, do func() error) error {
	d.count++
	d.ops = append(d.ops, name)
	if d.count == d.at {
		if err := d.fault(); err != nil {
			return err
		}
	}
	return do()
}

func (d *faultyDisk) Mkdir(name string) error {
	return d.op("mkdir", func() error { return d.Disk.Mkdir(name) })
}

func (d *faultyDisk) Chmod(name string, mode os.FileMode) error {
	return d.op("chmod", func() error { return d.Disk.Chmod(name, mode) })
}

func (d *faultyDisk) Chtimes(name string, at time.Time) error {
	return d.op("chtimes", func() error { return d.Disk.Chtimes(name, at) })
}

func (d *faultyDisk) Sync(name string) error {
	return d.op("sync "+filepath.Base(name), func() error { return d.Disk.Sync(name) })
}

func (d *faultyDisk) Rename(from, to string) error {
	return d.op("rename", func() error { return d.Disk.Rename(from, to) })
}

func (d *faultyDisk) RemoveAll(name string) error {
	return d.op("remove", func() error { return d.Disk.RemoveAll(name) })
}

func (d *faultyDisk) Exchange(a, b string) error {
	if d.noExchange {
		return errors.ErrUnsupported
	}
	return d.op("exchange", func() error { return d.Disk.Exchange(a, b) })
}

func (d *faultyDisk) Link(from, to string) error {
	if d.noLinks {
		return errors.ErrUnsupported
	}
	return d.op("link", func() error { return d.Disk.Link(from, to) })
}

func (d *faultyDisk) Create(name string) (folder.DiskFile, error) {
	var f folder.DiskFile
	err := d.op("create", func() (err error) {
		f, err = d.Disk.Create(name)
		return err
	})
	return &faultyFile{f, d}, err
}

type faultyFile struct {
	folder.DiskFile
	d *faultyDisk
}

// Write writes half of p where it fails, as a full disk does. A nil error from the fault makes it a
// short write without an error.
func (f *faultyFile) Write(p []byte) (n int, err error) {
	err = f.d.op("write", func() error {
		n, err = f.DiskFile.Write(p)
		return err
	})
	if n == 0 && err != nil {
		n, _ = f.DiskFile.Write(p[:len(p)/2])
	}
	return n, err
}

func (f *faultyFile) Sync() error { return f.d.op("fsync", f.DiskFile.Sync) }

func (f *faultyFile) Close() error {
	return errors.Join(f.DiskFile.Close(), f.d.op("close", func() error { return nil }))
}

// scenario is a first write or a replacement, with or without a bundle inside the old one, on a disk
// that may lack the exchange of folders and second names of files.
type scenario struct {
	name                  string
	replace, nested, bare bool
	from                  int // the first operation that fails; those before are a replacement's
}

var scenarios = []scenario{
	{"first", false, false, false, 1},
	{"replacement", true, false, false, 1},
	{"replacement without exchange", true, false, true, 1},
	{"replacement around a bundle", true, true, false, 26},
	{"replacement around a bundle, copied and without exchange", true, true, true, 26},
}

// target makes the old folder.
func (s scenario) target(t *testing.T) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "out")
	if s.replace {
		require.NoError(t, writeFast(target, oldFiles))
	}
	if s.nested {
		require.NoError(t, writeFast(filepath.Join(target, "inner"), innerFiles))
	}
	return target
}

// holds checks that the target is what files make, with the bundle inside it if there was one.
func (s scenario) holds(t *testing.T, target string, files []folder.File) {
	t.Helper()
	if s.nested {
		assertNested(t, target, files)
		return
	}
	assertContent(t, target, files)
}

func TestAttackH6EveryOperationMayFail(t *testing.T) {
	for _, tc := range scenarios {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			at := max(tc.from, 1)
			for ; ; at++ {
				target := tc.target(t)
				cause := []error{syscall.ENOSPC, syscall.EIO}[at%2]
				d := &faultyDisk{noExchange: tc.bare, noLinks: tc.bare, at: at, fault: func() error { return cause }}
				err := folder.WriteOn(t.Context(), target, newFiles, slot, func(real folder.Disk) folder.Disk {
					d.Disk = fastDisk{real}
					return d
				})
				if d.at > d.count {
					require.NoError(t, err)
					break
				}
				tc.checkFault(t, target, d, err, cause)
			}
			assert.Greater(t, at, 30, "each operation fails once")
		})
	}
}

// checkFault checks what is left after the last operation that d let happen failed.
func (s scenario) checkFault(t *testing.T, target string, d *faultyDisk, err, cause error) {
	t.Helper()
	failed := d.ops[d.at-1]
	// Only a folder that is in place and is what was asked for may follow a failure. Where a file gets
	// no second name it is copied.
	stands := failed == "remove" || failed == "sync ." || failed == "link"
	switch {
	case failed == "remove", failed == "link":
		require.NoError(t, err, "the new folder stands")
	default:
		require.ErrorIs(t, err, cause, failed)
	}
	switch {
	case stands:
		s.holds(t, target, newFiles)
	case s.replace:
		s.holds(t, target, oldFiles)
	default:
		require.NoFileExists(t, target)
		require.NoDirExists(t, target)
	}
	if failed != "remove" {
		assert.Empty(t, leftovers(t, target), failed)
	}
	require.NoError(t, writeFast(target, newFiles), "the next write succeeds")
	s.holds(t, target, newFiles)
	assert.Empty(t, leftovers(t, target), failed)
}

func TestShortWritesAreErrors(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	err := folder.WriteOn(t.Context(), target, newFiles, slot, func(real folder.Disk) folder.Disk { return shortDisk{real} })
	assert.ErrorIs(t, err, io.ErrShortWrite)
	assert.NoDirExists(t, target)
}

type shortDisk struct{ folder.Disk }

func (d shortDisk) Create(name string) (folder.DiskFile, error) {
	f, err := d.Disk.Create(name)
	return shortFile{f}, err
}

type shortFile struct{ folder.DiskFile }

func (f shortFile) Write(p []byte) (int, error) { return f.DiskFile.Write(p[:len(p)/2]) }

// The child of TestAttackO09KilledAtAnyPoint is this test binary with these variables.
const (
	envTarget = "THRONG_TEST_FOLDER_TARGET"
	envAt     = "THRONG_TEST_FOLDER_AT"
	envBare   = "THRONG_TEST_FOLDER_BARE"
)

// TestMain is the child where the variables are set: it writes a folder and kills itself on the way.
func TestMain(m *testing.M) {
	target := os.Getenv(envTarget)
	if target == "" {
		os.Exit(m.Run())
	}
	at, _ := strconv.Atoi(os.Getenv(envAt))
	bare := os.Getenv(envBare) != ""
	d := &faultyDisk{noExchange: bare, noLinks: bare, at: at, fault: func() error {
		return errors.Join(syscall.Kill(os.Getpid(), syscall.SIGKILL), errors.New("still alive"))
	}}
	err := folder.WriteOn(context.Background(), target, newFiles, slot, func(real folder.Disk) folder.Disk {
		d.Disk = fastDisk{real}
		return d
	})
	fmt.Print(d.count)
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func TestAttackO09KilledAtAnyPoint(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, tc := range scenarios {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			at := max(tc.from, 1)
			for ; ; at++ {
				target := tc.target(t)
				child := exec.CommandContext(t.Context(), self)
				child.Env = append(os.Environ(), envTarget+"="+target, envAt+"="+strconv.Itoa(at))
				if tc.bare {
					child.Env = append(child.Env, envBare+"=yes")
				}
				if child.Run() == nil {
					break
				}
				tc.checkKilled(t, target)
			}
			assert.Greater(t, at, 30, "the child dies at each operation")
		})
	}
}

// checkKilled checks what a partner sees after a crash, and that the next write cleans up.
func (s scenario) checkKilled(t *testing.T, target string) {
	t.Helper()
	if _, err := os.Lstat(target); err == nil {
		s.verify(t, target)
	} else if s.replace {
		require.True(t, s.bare, "an exchange never leaves the target empty")
	}
	for _, name := range leftovers(t, target) {
		assert.True(t, strings.HasPrefix(name, ".throng-out-"), name)
	}
	// A write that fails puts back what was moved aside.
	failing := []folder.File{{Name: "a", Write: func(io.Writer) error { return io.ErrUnexpectedEOF }}}
	require.ErrorIs(t, writeFast(target, failing), io.ErrUnexpectedEOF)
	assert.Empty(t, leftovers(t, target))
	if s.replace {
		s.verify(t, target)
	}
	require.NoError(t, writeFast(target, newFiles))
	s.holds(t, target, newFiles)
}

// verify checks that the target is a bundle, whichever, with the bundle inside it if there was one.
func (s scenario) verify(t *testing.T, target string) {
	t.Helper()
	if s.nested {
		require.NoError(t, folder.CheckTarget(target))
		assertContent(t, filepath.Join(target, "inner"), innerFiles)
		return
	}
	require.NoError(t, folder.Verify(target))
}
