// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

const canary = "canary-5f1e8b0c7d"

// content is all that a store has written.
func content(t testing.TB, s *spill.Store) []byte {
	t.Helper()
	require.NoError(t, s.Flush())
	var b bytes.Buffer
	_, err := io.Copy(&b, io.NewSectionReader(s.File(), 0, s.End()))
	require.NoError(t, err)
	return b.Bytes()
}

func TestAttackO09FileHoldsNoPlaintext(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := open(dir)
			require.NoError(t, err)
			defer s.Close()
			plain := []byte{}
			for i := range 800 {
				segment := bytes.Repeat([]byte(canary), 1+i%200)
				plain = append(plain, segment...)
				require.NoError(t, s.Append(i%10, segment[:5], segment[5:]))
			}
			require.NoError(t, s.Append(10, bytes.Repeat([]byte(canary), 1<<17)))
			found := content(t, s)
			assert.Greater(t, len(found), len(plain), "all of it is in the file")
			for _, form := range forms(canary) {
				assert.NotContains(t, string(found), form)
			}
			// In ciphertext all byte values are alike: 20 % of 14,000 is 24 standard deviations.
			used := bytes.ReplaceAll(found, make([]byte, 64), nil)
			var counts [256]int
			for _, b := range used {
				counts[b]++
			}
			for b, n := range counts {
				mean := float64(len(used)) / 256
				assert.InDelta(t, mean, n, 0.2*mean, "byte %#x", b)
			}
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, e := range entries {
				assert.NotContains(t, e.Name(), canary)
			}
		})
	}
}

// forms are ways in which a text may stand in a file.
func forms(s string) []string {
	b := []byte(s)
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	return []string{s, s[:8], s[len(s)-8:], string(bytes.ToUpper(b)), string(reversed)}
}

// stores are the ways in which a file is made.
var stores = map[string]func(dir string) (*spill.Store, error){
	"as the system can": spill.Open,
	"named at first":    spill.OpenNamed,
	"named":             spill.OpenKept,
}

func TestAttackO09NothingIsLeftAfterClose(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := open(dir)
			require.NoError(t, err)
			require.NoError(t, s.Append(0, make([]byte, 3<<20)))
			names, err := filepath.Glob(filepath.Join(dir, "*"))
			require.NoError(t, err)
			if name == "named" {
				assert.Len(t, names, 1)
			} else if runtime.GOOS != "windows" {
				assert.Empty(t, names)
			}
			require.NoError(t, s.Close())
			require.NoError(t, s.Close(), "again")
			names, err = filepath.Glob(filepath.Join(dir, "*"))
			require.NoError(t, err)
			assert.Empty(t, names)
			_, err = s.File().ReadAt(make([]byte, 1), 0)
			assert.ErrorIs(t, err, os.ErrClosed)
			assert.Equal(t, spill.ErrClosed, s.Append(0, nil))
			assert.Equal(t, spill.ErrClosed, s.Read(0, nil, func([]byte) error { return nil }))
			assert.Zero(t, s.Memory())
			assert.Zero(t, s.Segments(0))
			assert.Zero(t, s.Bytes(0))
		})
	}
}

func TestCloseSaysWhatCouldNotBeRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nobody can remove the file here while it is open")
	}
	dir := t.TempDir()
	s, err := spill.OpenKept(dir)
	require.NoError(t, err)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	// A folder with something in it cannot be removed like a file.
	require.NoError(t, os.Remove(names[0]))
	require.NoError(t, os.MkdirAll(filepath.Join(names[0], "x"), 0o700))
	err = s.Close()
	assert.ErrorContains(t, err, "removing an encrypted temporary file: ")
	assert.ErrorContains(t, err, names[0])
	assert.Equal(t, err, s.Close())
	s, err = spill.OpenKept(dir)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(dir))
	assert.NoError(t, s.Close(), "somebody else removed it")
}

func TestAttackD03KeyIsOverwrittenByClose(t *testing.T) {
	var before [2][]byte
	for i := range before {
		s, err := spill.Open(t.TempDir())
		require.NoError(t, err)
		before[i] = s.Seal([]byte(canary))
		assert.Equal(t, before[i], s.Seal([]byte(canary)))
		require.NoError(t, s.Close())
		assert.Panics(t, func() { s.Seal([]byte(canary)) }, "nothing can be sealed under a key of zeros")
	}
	assert.NotEqual(t, before[0], before[1], "each store has a key of its own")
}

func TestCloseWhileCallsAreUnderWay(t *testing.T) {
	s, err := spill.OpenKept(t.TempDir())
	require.NoError(t, err)
	for i := range 100 {
		require.NoError(t, s.Append(0, text(i, 1000)))
	}
	sealedBefore := s.Seal([]byte(canary))
	calls := 0
	err = s.Read(0, nil, func(segment []byte) error {
		assert.Equal(t, text(calls, 1000), segment)
		calls++
		require.NoError(t, s.Close(), "does not wait for the Read that it is called from")
		assert.Equal(t, sealedBefore, s.Seal([]byte(canary)), "the key is there while it is in use")
		assert.Equal(t, spill.ErrClosed, s.Append(0, nil))
		return nil
	})
	assert.Equal(t, spill.ErrClosed, err)
	assert.Equal(t, 1, calls)
	assert.Panics(t, func() { s.Seal([]byte(canary)) }, "and overwritten when the last call ended")
	_, err = s.File().ReadAt(make([]byte, 1), 0)
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestCloseFromAnyGoroutine(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		s, err := spill.OpenKept(dir)
		require.NoError(t, err)
		var wg sync.WaitGroup
		var appended atomic.Int64
		for g := range 4 {
			wg.Go(func() {
				for {
					if err := s.Append(g, text(g, 20_000)); err != nil {
						assert.Equal(t, spill.ErrClosed, err)
						return
					}
					appended.Add(1)
					err := s.Read(g, nil, func(segment []byte) error {
						assert.Equal(t, text(g, 20_000), segment)
						return nil
					})
					if err != nil {
						assert.Equal(t, spill.ErrClosed, err)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for appended.Load() < 20 {
					runtime.Gosched()
				}
				assert.NoError(t, s.Close())
			})
		}
		wg.Wait()
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		assert.Empty(t, names)
	}
}

func TestPanicInACallbackLeavesTheStoreUsable(t *testing.T) {
	s := small(t, 64, 1)
	require.NoError(t, s.Append(0, []byte("x")))
	assert.Panics(t, func() { _ = s.Read(0, nil, func([]byte) error { panic("f") }) })
	assert.Len(t, all(t, s, 0, nil), 1)
	require.NoError(t, s.Close())
	_, err := s.File().ReadAt(make([]byte, 1), 0)
	assert.ErrorIs(t, err, os.ErrClosed, "no call counts as under way")
}

// faulty fails as told.
type faulty struct {
	spill.File
	writes  atomic.Int64 // left until they fail
	short   int          // bytes that the failing write still writes
	read    error
	written error
}

func (f *faulty) WriteAt(b []byte, off int64) (int, error) {
	if f.writes.Add(-1) < 0 && f.written != nil {
		n, err := f.File.WriteAt(b[:min(f.short, len(b))], off)
		if err != nil {
			return n, err
		}
		return n, &os.PathError{Op: "write", Path: "secret-name", Err: f.written}
	}
	return f.File.WriteAt(b, off)
}

func (f *faulty) ReadAt(b []byte, off int64) (int, error) {
	if f.read != nil {
		return 0, &os.PathError{Op: "read", Path: "secret-name", Err: f.read}
	}
	return f.File.ReadAt(b, off)
}

func TestAttackL07FailedWriteFailsAllThatFollows(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EIO} {
		for writes := range 6 {
			dir := t.TempDir()
			s, err := spill.OpenSmall(dir, 128, 2)
			require.NoError(t, err)
			f := &faulty{File: s.File(), written: errno, short: 50}
			f.writes.Store(int64(writes))
			s.SetFile(f)
			segment := []byte(canary + canary)
			for i := 0; err == nil && i < 100; i++ {
				if err = s.Append(i%3, segment); err == nil && i%5 == 4 {
					err = s.Append(i%3, segment, segment, segment, segment, segment, segment)
				}
			}
			require.ErrorIs(t, err, errno, "after %d writes", writes)
			assert.Equal(t, fmt.Sprintf("spilling to folder %q: %v; free space, or choose another folder, or raise the memory limit", dir, errno), err.Error())
			f.written = nil // the disk is well again
			assert.Equal(t, err, s.Append(0, segment), "the same error, since a segment was lost")
			for bucket := range 4 {
				assert.Equal(t, err, s.Read(bucket, nil, func([]byte) error {
					t.Error("a segment of a store that lost one")
					return nil
				}))
			}
			require.NoError(t, s.Close())
			names, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, names)
			assert.Equal(t, spill.ErrClosed, s.Append(0, segment))
			_, err = f.File.ReadAt(make([]byte, 1), 0)
			assert.ErrorIs(t, err, os.ErrClosed, "calls that failed do not count as under way")
		}
	}
}

// twoFail lets two writes fail at the same time, each with an error of its own.
type twoFail struct {
	spill.File
	both  sync.WaitGroup
	calls atomic.Int64
}

func (f *twoFail) WriteAt([]byte, int64) (int, error) {
	n := f.calls.Add(1)
	f.both.Done()
	f.both.Wait()
	return 0, fmt.Errorf("fault %d", n)
}

func TestAttackL07TheFirstOfTwoErrorsStays(t *testing.T) {
	for range 20 {
		s := small(t, 128, 2)
		f := &twoFail{File: s.File()}
		f.both.Add(2)
		s.SetFile(f)
		var errs [2]error
		eachGoroutine(2, 2, func(g, _ int) { errs[g] = s.Append(g, make([]byte, 200)) })
		require.Error(t, errs[0])
		assert.Equal(t, errs[0], errs[1])
		assert.Equal(t, errs[0], s.Append(0, nil))
	}
}

func TestAttackL07FailedWriteIsFoundByRead(t *testing.T) {
	s := small(t, 128, 1)
	s.SetFile(&faulty{File: s.File(), written: syscall.ENOSPC})
	require.NoError(t, s.Append(0, []byte(canary)), "it is in the buffer")
	err := s.Read(0, nil, func([]byte) error { return nil })
	assert.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "spilling to folder")
	assert.Equal(t, err, s.Append(0, nil))
}

func TestAttackL07FailedReadNamesTheFolder(t *testing.T) {
	s := small(t, 128, 1)
	require.NoError(t, s.Append(0, []byte(canary)))
	s.SetFile(&faulty{File: s.File(), read: syscall.EIO})
	err := s.Read(0, nil, func([]byte) error { return nil })
	assert.ErrorIs(t, err, syscall.EIO)
	assert.Regexp(t, `^reading back from folder ".*": `+syscall.EIO.Error()+`; check the disk, or choose another folder, or raise the memory limit$`, err.Error())
	assert.NotContains(t, err.Error(), "secret-name")
}

func TestAttackL07FolderThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	missing := filepath.Join(dir, "missing")
	_, err := spill.Open(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Equal(t, fmt.Sprintf("making a temporary file in folder %q: %v; make the folder, or choose another folder, "+
		"or raise the memory limit", missing, errors.Unwrap(err)), err.Error())
	_, err = spill.Open(plain)
	assert.ErrorContains(t, err, "choose another folder")
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, names, 1)
}
