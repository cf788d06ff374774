// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilesAreWritten(t *testing.T) {
	dir := t.TempDir()
	out, visitors := filepath.Join(dir, "usage.parquet"), filepath.Join(dir, "visitors.parquet")
	var stdout, stderr bytes.Buffer
	code := run([]string{"-rows", "1100000", "-people", "1000", "-out", out, "-visitors", visitors}, &stdout, &stderr)
	require.Equal(t, 0, code, stderr.String())
	open := func(path string) *parquet.File {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		return f
	}
	usage := open(out)
	require.Len(t, usage.RowGroups(), 2)
	assert.EqualValues(t, 1<<20, usage.RowGroups()[0].NumRows())
	assert.EqualValues(t, 1_100_000, usage.NumRows())
	assert.EqualValues(t, 1000, open(visitors).NumRows())
}

func TestFlagsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"help":     {[]string{"-h"}, 0, ""},
		"unknown":  {[]string{"-colour"}, 2, "flag provided but not defined"},
		"stray":    {[]string{"-rows", "5", "file"}, 2, "got 1 arguments after the flags, want none"},
		"no out":   {nil, 2, "-out: got none, want a file"},
		"pages":    {[]string{"-out", "x", "-pages", "delta"}, 2, `-pages: got "delta", want plain or dict`},
		"config":   {[]string{"-out", "x", "-ids", "email"}, 2, `ids: got "email"`},
		"no write": {[]string{"-rows", "1", "-out", "main.go/x"}, 1, "main.go"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tc.code, run(tc.args, &stdout, &stderr))
			if tc.code == 0 {
				assert.Contains(t, stdout.String(), "-visitors")
				assert.Empty(t, stderr.String())
				return
			}
			assert.Contains(t, stderr.String(), tc.want)
			assert.Empty(t, stdout.String())
		})
	}
}

func TestAFileThatFailsIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usage.csv")
	var stdout, stderr bytes.Buffer
	visitors := filepath.Join(path, "below-a-file")
	require.Equal(t, 1, run([]string{"-rows", "10", "-format", "csv", "-out", path, "-visitors", visitors}, &stdout, &stderr))
	assert.FileExists(t, path)
	full := "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("no device that is always full")
	}
	link := filepath.Join(t.TempDir(), "usage.csv")
	require.NoError(t, os.Symlink(full, link))
	require.Equal(t, 1, run([]string{"-rows", "10", "-format", "csv", "-out", link}, &stdout, &stderr))
	_, err := os.Lstat(link)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
