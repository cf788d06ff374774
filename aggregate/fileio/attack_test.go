// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fileio_test

import (
	"compress/gzip"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
)

// TestAttackI07PathTraversal is the row as far as it concerns opening inputs: what is no regular file
// is refused, directly or behind a link, and without waiting for a writer.
func TestAttackI07PathTraversal(t *testing.T) {
	dir := folder(t, "data.csv", "v\n1\n", "folder/x.csv", "v\n1\n")
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(in("fifo.csv"), 0o600))
	socket, err := net.Listen("unix", in("socket.csv"))
	require.NoError(t, err)
	defer socket.Close()
	for link, to := range map[string]string{
		"to-folder": in("folder"), "to-fifo": in("fifo.csv"), "to-zero": "/dev/zero", "to-link": "to-zero",
		"to-nothing": in("none"), "to-itself": "to-itself", "to-data": "data.csv",
	} {
		require.NoError(t, os.Symlink(to, in(link)))
	}
	for _, format := range []string{"", "csv", "ndjson", "parquet", "arrow"} {
		for _, path := range []string{
			"folder", "fifo.csv", "socket.csv", "to-folder", "to-fifo", "to-zero", "to-link", "fifo.*", "to-z*", "../" + filepath.Base(dir),
		} {
			err := openWithin(t, fileio.Options{Format: format}, in("data.csv"), dir+"/"+path)
			if assert.Error(t, err, path) {
				assert.ErrorContains(t, err, "is not a regular file", path)
				assert.ErrorIs(t, err, table.ErrMalformed, path)
			}
		}
		for _, path := range []string{in("to-nothing"), in("to-itself"), in("a\x00b"), "data.csv/", in("data.csv") + "/x"} {
			var own *table.Error
			assert.ErrorAs(t, openWithin(t, fileio.Options{Format: format}, path), &own, "%q", path)
		}
	}
	for _, path := range []string{"/dev/zero", "/dev/null", "/dev/stdin", "/proc/self/fd", "/"} {
		if _, err := os.Stat(path); err == nil {
			assert.ErrorContains(t, openWithin(t, fileio.Options{}, path), "is not a regular file", path)
		}
	}
	assert.NoError(t, openWithin(t, fileio.Options{}, in("to-data")), "a link to a regular file is one")

	// What is exchanged between Open and the scan is looked at again.
	src, err := fileio.Open(t.Context(), []string{in("data.csv")}, fileio.Options{})
	require.NoError(t, err)
	require.NoError(t, os.Rename(in("fifo.csv"), in("data.csv")))
	done := make(chan error, 1)
	go func() {
		_, err := src.Open(t.Context(), []string{"v"})
		done <- err
	}()
	assert.ErrorContains(t, within(t, done), "is not a regular file")
}

func openWithin(t *testing.T, opts fileio.Options, patterns ...string) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := fileio.Open(t.Context(), patterns, opts)
		done <- err
	}()
	return within(t, done)
}

// within is a watchdog: opening a FIFO without a writer, or reading /dev/zero, never ends.
func within(t *testing.T, done chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		require.FailNow(t, "opening hangs")
		return nil
	}
}

// TestAttackI01DecompressionBomb is the row as far as formats are concerned that are held in memory.
func TestAttackI01DecompressionBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bomb.parquet.gz")
	f, err := os.Create(path)
	require.NoError(t, err)
	w, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write([]byte("PAR1"))
	require.NoError(t, err)
	for range 300 {
		_, err = w.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())

	src, err := fileio.Open(t.Context(), []string{path}, fileio.Options{})
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = src.Open(t.Context(), nil)
	runtime.ReadMemStats(&after)
	assert.ErrorIs(t, err, table.ErrLimit)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20))
}
