// SPDX-License-Identifier: Apache-2.0

//go:build unix

package unpack_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

func TestAttackI07OnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	for name, target := range map[string]string{"folder": dir, "fifo": fifo, "device": "/dev/zero"} {
		link := filepath.Join(dir, "to "+name)
		require.NoError(t, os.Symlink(target, link))
		for _, path := range []string{target, link} {
			_, err := unpack.Open(t.Context(), path, unpack.Limits{})
			assert.EqualError(t, err, path+": is not a regular file; name a file, not a folder, pipe or device")
			assert.ErrorIs(t, err, table.ErrMalformed)
		}
	}
	link := filepath.Join(dir, "to file")
	require.NoError(t, os.Symlink(file, link))
	assert.Equal(t, map[string]string{"": content}, readAll(t, link))
}

func TestAttackI07FileThatBecomesAPipeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	members, err := unpack.Open(t.Context(), path, unpack.Limits{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err = members[0].Open(t.Context())
	assert.ErrorIs(t, err, table.ErrMalformed)
	_, err = members[0].OpenAt(t.Context(), 1<<20)
	assert.ErrorIs(t, err, table.ErrMalformed)
}
