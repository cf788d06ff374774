// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
)

// TestAttackI15ChangesOfFilesAreSeen: a longer file, another file under its name, and one that was only touched; what was
// added is read.
func TestAttackI15ChangesOfFilesAreSeen(t *testing.T) {
	dir := folder(t, "a.csv", "v\n1\n", "b.csv", "v\n2\n", "c.csv", "v\n3\n")
	src := opened(t, dir, "*.csv")
	versioned, ok := src.(table.Versioned)
	require.True(t, ok)
	version := func() string {
		v, err := versioned.Version(t.Context())
		require.NoError(t, err)
		return v
	}
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	seen := map[string]bool{}
	for _, change := range []func() error{
		func() error { return nil },
		func() error {
			f, err := os.OpenFile(a, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.WriteString("4\n")
			return err
		},
		func() error { // of the same size and time, another file
			info, err := os.Stat(b)
			require.NoError(t, err)
			other := filepath.Join(dir, "other")
			require.NoError(t, os.WriteFile(other, []byte("v\n5\n"), 0o600))
			require.NoError(t, os.Chtimes(other, time.Time{}, info.ModTime()))
			return os.Rename(other, b)
		},
		func() error { return os.Chtimes(a, time.Time{}, time.Unix(1, 0)) },
	} {
		require.NoError(t, change())
		v := version()
		assert.False(t, seen[v], "a version that was")
		seen[v] = true
		assert.Equal(t, v, version(), "the same while nothing changes")
	}
	got, err := column(t, src, "v")
	require.NoError(t, err)
	assert.Equal(t, []string{"text 1", "text 4", "text 5", "text 3"}, got)

	require.NoError(t, os.Remove(a))
	_, err = versioned.Version(t.Context())
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
