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
// disk that cannot exchange folders.
type faultyDisk struct {
	folder.Disk
	noExchange bool
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

// cases are a first write and a replacement, with and without the exchange of folders.
var cases = []struct {
	name                  string
	replace, withoutSwaps bool
}{{"first", false, false}, {"replacement", true, false}, {"replacement without exchange", true, true}}

func TestAttackH6EveryOperationMayFail(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			failures := 0
			for at := 1; ; at++ {
				target := filepath.Join(t.TempDir(), "out")
				if tc.replace {
					require.NoError(t, writeFast(target, oldFiles))
				}
				cause := []error{syscall.ENOSPC, syscall.EIO}[at%2]
				d := &faultyDisk{noExchange: tc.withoutSwaps, at: at, fault: func() error { return cause }}
				err := folder.WriteOn(t.Context(), target, newFiles, slot, func(real folder.Disk) folder.Disk {
					d.Disk = fastDisk{real}
					return d
				})
				if d.at > d.count {
					require.NoError(t, err)
					break
				}
				failures++
				checkFault(t, tc.replace, target, d, err, cause)
			}
			assert.Greater(t, failures, 30, "each operation fails once")
		})
	}
}

// checkFault checks what is left after the last operation that d let happen failed.
func checkFault(t *testing.T, replace bool, target string, d *faultyDisk, err, cause error) {
	t.Helper()
	failed := d.ops[d.at-1]
	// Only a folder that is in place and is what was asked for may follow a failure.
	stands := failed == "remove" || failed == "sync ."
	switch {
	case failed == "remove":
		require.NoError(t, err, "the new folder stands")
	default:
		require.ErrorIs(t, err, cause, failed)
	}
	switch {
	case stands:
		assertContent(t, target, newFiles)
	case replace:
		assertContent(t, target, oldFiles)
	default:
		require.NoFileExists(t, target)
		require.NoDirExists(t, target)
	}
	if failed != "remove" {
		assert.Empty(t, leftovers(t, target), failed)
	}
	require.NoError(t, writeFast(target, newFiles), "the next write succeeds")
	assertContent(t, target, newFiles)
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
	envSwaps  = "THRONG_TEST_FOLDER_WITHOUT_SWAPS"
)

// TestMain is the child where the variables are set: it writes a folder and kills itself on the way.
func TestMain(m *testing.M) {
	target := os.Getenv(envTarget)
	if target == "" {
		os.Exit(m.Run())
	}
	at, _ := strconv.Atoi(os.Getenv(envAt))
	d := &faultyDisk{noExchange: os.Getenv(envSwaps) != "", at: at, fault: func() error {
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
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			killed := 0
			for at := 1; ; at++ {
				target := filepath.Join(t.TempDir(), "out")
				if tc.replace {
					require.NoError(t, writeFast(target, oldFiles))
				}
				child := exec.CommandContext(t.Context(), self)
				child.Env = append(os.Environ(), envTarget+"="+target, envAt+"="+strconv.Itoa(at))
				if tc.withoutSwaps {
					child.Env = append(child.Env, envSwaps+"=yes")
				}
				if child.Run() == nil {
					break
				}
				killed++
				checkKilled(t, target, tc.replace, tc.withoutSwaps)
			}
			assert.Greater(t, killed, 20, "the child dies at each operation")
		})
	}
}

// checkKilled checks what a partner sees after a crash, and that the next write cleans up.
func checkKilled(t *testing.T, target string, replace, withoutSwaps bool) {
	t.Helper()
	if _, err := os.Lstat(target); err == nil {
		require.NoError(t, folder.Verify(target))
	} else if replace {
		require.True(t, withoutSwaps, "an exchange never leaves the target empty")
	}
	for _, name := range leftovers(t, target) {
		assert.True(t, strings.HasPrefix(name, ".throng-out-"), name)
	}
	// A write that fails puts back what was moved aside.
	failing := []folder.File{{Name: "a", Write: func(io.Writer) error { return io.ErrUnexpectedEOF }}}
	require.ErrorIs(t, writeFast(target, failing), io.ErrUnexpectedEOF)
	assert.Empty(t, leftovers(t, target))
	if replace {
		require.NoError(t, folder.Verify(target))
	}
	require.NoError(t, writeFast(target, newFiles))
	assertContent(t, target, newFiles)
}
