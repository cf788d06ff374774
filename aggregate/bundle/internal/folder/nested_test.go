// SPDX-License-Identifier: Apache-2.0

//go:build linux

package folder_test

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle/internal/folder"
)

// innerFiles are a bundle that lies in another.
var innerFiles = []folder.File{text("release.json", "inner"), text("data/course.csv", "inner,csv\n")}

// assertNested checks that dir holds what files make, and in the folder inner what innerFiles make.
func assertNested(t *testing.T, dir string, files []folder.File) {
	t.Helper()
	require.NoError(t, folder.CheckTarget(dir))
	inner := filepath.Join(dir, "inner")
	assertContent(t, inner, innerFiles)
	want := map[string]string{}
	for _, f := range files {
		var b strings.Builder
		require.NoError(t, f.Write(&b))
		want[f.Name] = b.String()
	}
	got := content(t, dir)
	delete(got, folder.SumsFile)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "inner/") })
	require.Equal(t, want, got)
}

func TestABundleInsideABundleOutlivesTheOuterOne(t *testing.T) {
	target := scenario{replace: true, nested: true}.target(t)
	at := slot.Add(-48 * time.Hour)
	require.NoError(t, folder.Write(t.Context(), filepath.Join(target, "inner"), innerFiles, at))
	for range 2 {
		require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
		assertNested(t, target, newFiles)
	}
	assert.Empty(t, leftovers(t, target))
	for name, want := range map[string]time.Time{"": slot, "inner": at, "inner/data": at, "inner/data/course.csv": at} {
		info, err := os.Lstat(filepath.Join(target, name))
		require.NoError(t, err)
		assert.True(t, want.Equal(info.ModTime()), "%q: %v", name, info.ModTime())
		assert.Equal(t, map[bool]os.FileMode{true: 0o755, false: 0o644}[info.IsDir()], info.Mode().Perm(), name)
	}
	// Without second names the times are the same.
	require.NoError(t, folder.WriteOn(t.Context(), target, oldFiles, slot, func(d folder.Disk) folder.Disk {
		return &faultyDisk{Disk: fastDisk{d}, noLinks: true}
	}))
	assertNested(t, target, oldFiles)
	info, err := os.Lstat(filepath.Join(target, "inner/data/course.csv"))
	require.NoError(t, err)
	assert.True(t, at.Equal(info.ModTime()))

	// The inner one is replaced by itself.
	require.NoError(t, folder.Write(t.Context(), filepath.Join(target, "inner"), oldFiles, slot))
	assertContent(t, filepath.Join(target, "inner"), oldFiles)
}

func TestAFolderOfBundlesAloneMayBecomeABundle(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.Mkdir(target, 0o755))
	require.NoError(t, folder.Write(t.Context(), filepath.Join(target, "inner"), innerFiles, slot))
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	assertNested(t, target, newFiles)

	assert.NoError(t, folder.CheckTarget(filepath.Join(t.TempDir(), "none")))
	assert.ErrorIs(t, folder.CheckTarget(t.TempDir()), folder.ErrNotABundle, "an empty folder is somebody's")
}

func TestAPartnerIsToldOfABundleInsideTheirs(t *testing.T) {
	target := scenario{replace: true, nested: true}.target(t)
	err := folder.Verify(target)
	require.ErrorIs(t, err, folder.ErrNotABundle)
	assert.EqualError(t, err, target+`: got the folder "inner", which is a bundle of its own inside this one, want nothing else; hand each on by itself: not a bundle`)
}

// spoilInner are ways in which a folder inside a bundle is not a bundle that may be carried over.
var spoilInner = []struct {
	name string
	do   func(t *testing.T, dir string)
	want string
}{
	{"changed", func(t *testing.T, dir string) { put(t, dir, "inner/release.json", "mine") },
		`got the folder "inner", which SHA256SUMS does not name`},
	{"extra file", func(t *testing.T, dir string) { put(t, dir, "inner/data/mine.txt", "mine") },
		`got the folder "inner", which SHA256SUMS does not name`},
	{"file beside it", func(t *testing.T, dir string) { put(t, dir, "mine.txt", "mine") },
		`got the file "mine.txt", which SHA256SUMS does not name`},
	{"a bundle inside it", func(t *testing.T, dir string) {
		require.NoError(t, writeFast(filepath.Join(dir, "inner/third"), innerFiles))
	},
		`got the folder "inner", which SHA256SUMS does not name`},
	{"deeper down", func(t *testing.T, dir string) {
		require.NoError(t, os.Rename(filepath.Join(dir, "inner"), filepath.Join(dir, "data/inner")))
	}, `got the folder "data/inner", which SHA256SUMS does not name`},
	{"hidden", func(t *testing.T, dir string) {
		require.NoError(t, os.Rename(filepath.Join(dir, "inner"), filepath.Join(dir, ".inner")))
	}, `got the folder ".inner", which SHA256SUMS does not name`},
	{"being written", func(t *testing.T, dir string) {
		require.NoError(t, os.Rename(filepath.Join(dir, "inner"), filepath.Join(dir, ".throng-inner-new-0123456789abcdef")))
	}, `got the folder ".throng-inner-new-0123456789abcdef", which a write to a bundle inside this one makes or has left`},
	{"a link to a bundle", func(t *testing.T, dir string) {
		outside := filepath.Join(t.TempDir(), "real")
		require.NoError(t, os.Rename(filepath.Join(dir, "inner"), outside))
		require.NoError(t, os.Symlink(outside, filepath.Join(dir, "inner")))
	}, `got "inner", which is no plain file`},
	{"without the outer sums", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, folder.SumsFile))) },
		"got no SHA256SUMS"},
	{"name that the new files need", func(t *testing.T, dir string) {
		require.NoError(t, os.Rename(filepath.Join(dir, "inner"), filepath.Join(dir, "TAKEN")))
	}, `got the folder "TAKEN", which is a bundle of its own inside this one and whose name this one needs`},
}

func TestWhatIsNotABundleInsideABundleIsNotTouched(t *testing.T) {
	for _, tc := range spoilInner {
		t.Run(tc.name, func(t *testing.T) {
			target := scenario{replace: true, nested: true}.target(t)
			tc.do(t, target)
			before := listing(t, target)
			err := writeFast(target, append([]folder.File{text("taken/a.csv", "")}, newFiles...))
			require.ErrorIs(t, err, folder.ErrNotABundle)
			assert.True(t, strings.HasPrefix(err.Error(), target+": "+tc.want), err.Error())
			assert.Equal(t, before, listing(t, target))
			assert.Empty(t, leftovers(t, target))
		})
	}
}

// TestWritersInsideAndOutsideNeverLoseABundle has two writers of the outer bundle, which may be refused
// while the inner one is being written, and one of the inner, which never is.
func TestWritersInsideAndOutsideNeverLoseABundle(t *testing.T) {
	target := scenario{replace: true, nested: true}.target(t)
	inner := filepath.Join(target, "inner")
	var wg sync.WaitGroup
	done := make(chan struct{})
	var placed, strange [2]int
	for i := range placed {
		wg.Go(func() {
			for n := 0; ; n++ {
				switch err := writeFast(target, newFiles); {
				case err == nil:
					placed[i]++
				case !errors.Is(err, folder.ErrNotABundle):
					strange[i]++
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 40 {
		version := folder.File{Name: "version", Write: func(w io.Writer) error {
			_, err := w.Write([]byte{byte(i)})
			return err
		}}
		if !assert.NoError(t, writeFast(inner, append([]folder.File{version}, innerFiles...))) {
			break
		}
		data, err := readSoon(filepath.Join(inner, "version"))
		if !assert.NoError(t, err) || !assert.Equal(t, []byte{byte(i)}, data) {
			break
		}
	}
	close(done)
	wg.Wait()
	assert.Zero(t, strange, "other errors")
	require.NoError(t, writeFast(target, newFiles))
	require.NoError(t, folder.CheckTarget(target))
	assert.Equal(t, "\x27", content(t, target)["inner/version"])
	assert.Positive(t, placed[0]+placed[1], "some writes of the outer bundle succeed")
	assert.Empty(t, leftovers(t, target))
}

// readSoon reads a file whose folder may change places in between two steps of the walk to it.
func readSoon(path string) (data []byte, err error) {
	for range 100 {
		if data, err = os.ReadFile(path); err == nil {
			return data, nil
		}
	}
	return data, err
}
