// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle"
)

func TestABundleIsReplaced(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	require.Equal(t, exitDone, report(t, demo(out, "-quiet")...).code)
	before := tree(t, out)
	require.Equal(t, exitDone, report(t, demo(out, "-quiet")...).code)
	assert.NoError(t, bundle.Verify(out))
	assert.NotEqual(t, before, tree(t, out), "the noise is fresh, so the bundle must differ")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "something was left beside the bundle")
}

func TestABundleInsideABundleStays(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	weekly := filepath.Join(out, "weekly")
	for _, dir := range []string{out, weekly} {
		require.Equal(t, exitDone, report(t, demo(dir, "-quiet")...).code)
	}
	before := tree(t, weekly)
	got := report(t, demo(out)...)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Equal(t, before, tree(t, weekly))
}

func TestWhatIsNoBundleIsNeverReplaced(t *testing.T) {
	bundled := filepath.Join(t.TempDir(), "out")
	require.Equal(t, exitDone, report(t, demo(bundled, "-quiet")...).code)
	const only = "-out: only a new folder, or a bundle as it was written, can be written: "
	for _, tt := range []struct {
		name, want string
		spoil      func(dir string) error
	}{
		{"a changed file", `got a changed file "release.json", want the sum that SHA256SUMS has`, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "release.json"), []byte("{}"), 0o600)
		}},
		{"a foreign file", `got the file "data/notes.txt", which SHA256SUMS does not name, want nothing else; move it away`, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "data", "notes.txt"), []byte("mine"), 0o600)
		}},
		{"a foreign folder", `got the folder "weekly", which SHA256SUMS does not name, want nothing else; move it away`, func(dir string) error {
			return os.Mkdir(filepath.Join(dir, "weekly"), 0o700)
		}},
		{"a lost file", `got no file "data/gender.csv", want all that SHA256SUMS names`, func(dir string) error {
			return os.Remove(filepath.Join(dir, "data", "gender.csv"))
		}},
		{"no sums", `got no SHA256SUMS, want one; name another folder`, func(dir string) error {
			return os.Remove(filepath.Join(dir, "SHA256SUMS"))
		}},
		{"an empty folder", `got no SHA256SUMS, want one; name another folder`, func(dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.Mkdir(dir, 0o700)
		}},
		{"a file", `got something that is no folder`, func(dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.WriteFile(dir, []byte("mine"), 0o600)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			above := t.TempDir()
			dir := filepath.Join(above, "out")
			require.NoError(t, os.CopyFS(dir, os.DirFS(bundled)))
			require.NoError(t, tt.spoil(dir))
			before := tree(t, above)
			// The input is missing as well: the folder is looked at before any data.
			got := report(t, demo(dir, "-usage", "absent.csv")...)
			assert.Equal(t, exitUsage, got.code)
			assert.Contains(t, got.stderr, only)
			assert.Contains(t, got.stderr, tt.want)
			assert.NotContains(t, got.stderr, "absent.csv")
			assert.Equal(t, before, tree(t, above))
		})
	}
}

func TestAFolderThatCannotBeMadeIsToldBeforeDataIsRead(t *testing.T) {
	file := write(t, "file", "mine")
	locked := t.TempDir()
	outs := []string{filepath.Join(file, "out"), filepath.Join(file, "a", "b", "out")}
	require.NoError(t, os.Chmod(locked, 0o500))
	if probe, err := os.MkdirTemp(locked, ""); err != nil {
		outs = append(outs, filepath.Join(locked, "out"), filepath.Join(locked, "a", "out"))
	} else {
		require.NoError(t, os.Remove(probe)) // whoever runs the tests may write everywhere
	}
	for _, out := range outs {
		got := report(t, demo(out, "-usage", "absent.csv")...)
		assert.Equal(t, exitFailed, got.code, out)
		assert.NotContains(t, got.stderr, "absent.csv")
		assert.Contains(t, got.stderr, "partnerreport: -out: ")
	}
	assert.Equal(t, "mine", read(t, file))
	empty(t, locked)
}
