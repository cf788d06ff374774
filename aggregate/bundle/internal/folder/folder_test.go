// SPDX-License-Identifier: Apache-2.0

//go:build linux

package folder_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle/internal/folder"
)

var slot = time.Date(2026, 3, 23, 6, 0, 0, 0, time.UTC)

func text(name, content string) folder.File {
	return folder.File{Name: name, Write: func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}}
}

var (
	oldFiles = []folder.File{text("release.json", "old"), text("data/gender.csv", "old,csv\n"), text("gone.txt", "x")}
	newFiles = []folder.File{text("release.json", "new"), text("data/gender.csv", "new,csv\n"), text("data/raw/a.csv", "")}
)

// content returns what a bundle's files hold, by path.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return out
}

func assertContent(t *testing.T, dir string, files []folder.File) {
	t.Helper()
	require.NoError(t, folder.Verify(dir))
	want := map[string]string{}
	for _, f := range files {
		var b bytes.Buffer
		require.NoError(t, f.Write(&b))
		want[f.Name] = b.String()
	}
	got := content(t, dir)
	delete(got, folder.SumsFile)
	require.Equal(t, want, got)
}

// leftovers returns what stands beside the target.
func leftovers(t *testing.T, target string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(target))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if e.Name() != filepath.Base(target) {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestWriteMakesAFolderThatVerifies(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	assertContent(t, target, newFiles)
	assert.Empty(t, leftovers(t, target))
	assert.Equal(t, ""+
		"cafc17884d254c76338b362a329a6e2fa970d50c26657af31248ee8556a93a06  data/gender.csv\n"+
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  data/raw/a.csv\n"+
		"11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437  release.json\n",
		content(t, target)[folder.SumsFile])
}

func TestSumsAreThoseOfSha256sum(t *testing.T) {
	program, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("no sha256sum")
	}
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	check := exec.Command(program, "--strict", "-c", folder.SumsFile)
	check.Dir = target
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "data/gender.csv: OK\ndata/raw/a.csv: OK\nrelease.json: OK\n", string(out))
}

func TestWriteReplacesABundleWhole(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, folder.Write(t.Context(), target, oldFiles, slot))
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	assertContent(t, target, newFiles)
	assert.Empty(t, leftovers(t, target))
}

// spoil are ways in which a folder is not, or no more, a bundle, each with the text of the error.
var spoil = []struct {
	name string
	do   func(t *testing.T, dir string)
	want string
}{
	{"empty folder", func(t *testing.T, dir string) {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.Mkdir(dir, 0o755))
	}, "got no SHA256SUMS, want one; name another folder"},
	{"extra file", func(t *testing.T, dir string) { put(t, dir, "notes.txt", "mine") },
		`got the file "notes.txt", which SHA256SUMS does not name, want nothing else; move it away`},
	{"extra hidden file", func(t *testing.T, dir string) { put(t, dir, "data/.x", "mine") },
		`got the file "data/.x", which SHA256SUMS does not name, want nothing else; move it away`},
	{"extra folder", func(t *testing.T, dir string) { require.NoError(t, os.Mkdir(filepath.Join(dir, "zz"), 0o755)) },
		`got the folder "zz", which SHA256SUMS does not name, want nothing else; move it away`},
	{"changed file", func(t *testing.T, dir string) { put(t, dir, "release.json", "OLD") },
		`got a changed file "release.json", want the sum that SHA256SUMS has; copy the folder again`},
	{"missing file", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "gone.txt"))) },
		`got no file "gone.txt", want all that SHA256SUMS names; copy the folder again`},
	{"link to the same bytes", func(t *testing.T, dir string) {
		outside := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(outside, []byte("x"), 0o644))
		require.NoError(t, os.Remove(filepath.Join(dir, "gone.txt")))
		require.NoError(t, os.Symlink(outside, filepath.Join(dir, "gone.txt")))
	}, `got "gone.txt", which is no plain file, want plain files; remove it`},
	{"named pipe", func(t *testing.T, dir string) {
		require.NoError(t, os.Remove(filepath.Join(dir, "gone.txt")))
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "gone.txt"), 0o644))
	}, `got "gone.txt", which is no plain file, want plain files; remove it`},
	{"sums in a named pipe", func(t *testing.T, dir string) {
		require.NoError(t, os.Remove(filepath.Join(dir, folder.SumsFile)))
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, folder.SumsFile), 0o644))
	}, "got a SHA256SUMS that throng does not write, want a plain file; name another folder"},
	{"sums that lead outside", func(t *testing.T, dir string) { addSum(t, dir, "../x") },
		"got a line of SHA256SUMS that throng does not write, want sum and name, sorted; copy the folder again"},
	{"sums of no file", func(t *testing.T, dir string) { put(t, dir, folder.SumsFile, "") },
		"got a SHA256SUMS that throng does not write, want sum and name, sorted; copy the folder again"},
	{"sums of themselves", func(t *testing.T, dir string) { addSum(t, dir, folder.SumsFile) },
		"got a line of SHA256SUMS that throng does not write, want sum and name, sorted; copy the folder again"},
	{"a plain file", func(t *testing.T, dir string) {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, []byte("mine"), 0o644))
	}, "got something that is no folder"},
	{"a link to a bundle", func(t *testing.T, dir string) {
		real := filepath.Join(t.TempDir(), "real")
		require.NoError(t, os.Rename(dir, real))
		require.NoError(t, os.Symlink(real, dir))
	}, "got something that is no folder"},
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

func addSum(t *testing.T, dir, name string) {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(dir, folder.SumsFile))
	require.NoError(t, err)
	put(t, dir, folder.SumsFile, strings.Repeat("0", 64)+"  "+name+"\n"+string(sums))
}

func TestAFolderThatIsNoBundleIsNeitherVerifiedNorTouched(t *testing.T) {
	for _, tc := range spoil {
		t.Run(tc.name, func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "out")
			require.NoError(t, folder.Write(t.Context(), target, oldFiles, slot))
			tc.do(t, target)
			before := listing(t, target)
			for _, err := range []error{folder.Verify(target), folder.Write(t.Context(), target, newFiles, slot)} {
				require.ErrorIs(t, err, folder.ErrNotABundle)
				assert.True(t, strings.HasPrefix(err.Error(), target+": "+tc.want), err.Error())
			}
			assert.Equal(t, before, listing(t, target))
			assert.Empty(t, leftovers(t, target))
		})
	}
	assert.ErrorIs(t, folder.Verify(filepath.Join(t.TempDir(), "none")), fs.ErrNotExist)
}

// listing says what stands at path, without following links.
func listing(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			fmt.Fprintln(&b, p, info.Mode(), info.Size())
		}
		return err
	}))
	return b.String()
}

func TestAttackO05TimesAreTheSlots(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	count := 0
	require.NoError(t, filepath.WalkDir(target, func(path string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := e.Info()
		require.NoError(t, err)
		assert.True(t, slot.Equal(info.ModTime()), "%s: %v", path, info.ModTime())
		count++
		return nil
	}))
	assert.Equal(t, 7, count, "four files and three folders")
}

func TestAttackO09PermissionsDoNotDependOnUmask(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077} {
		old := syscall.Umask(mask)
		target := filepath.Join(t.TempDir(), "out")
		var during []string
		spy := folder.File{Name: "data/z.csv", Write: func(io.Writer) error {
			require.NoError(t, filepath.WalkDir(filepath.Dir(target), func(path string, e fs.DirEntry, err error) error {
				require.NoError(t, err)
				if info, err := e.Info(); strings.Contains(path, ".throng-") && assert.NoError(t, err) {
					during = append(during, fmt.Sprint(e.Name() == "z.csv", info.Mode()))
				}
				return nil
			}))
			return nil
		}}
		err := folder.Write(t.Context(), target, []folder.File{spy}, slot)
		syscall.Umask(old)
		require.NoError(t, err)
		assert.Equal(t, []string{"false drwx------", "false drwx------", "true -rw-------"}, during)
		for name, want := range map[string]os.FileMode{
			"": fs.ModeDir | 0o755, "data": fs.ModeDir | 0o755, "data/z.csv": 0o644, folder.SumsFile: 0o644,
		} {
			info, err := os.Lstat(filepath.Join(target, name))
			require.NoError(t, err)
			assert.Equal(t, want, info.Mode(), name)
		}
	}
}

func TestAttackO09PartnerNeverSeesAPart(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	require.NoError(t, folder.Write(t.Context(), target, oldFiles, slot))
	spy := folder.File{Name: "zz", Write: func(io.Writer) error {
		assertContent(t, target, oldFiles)
		return nil
	}}
	require.NoError(t, folder.Write(t.Context(), target, append([]folder.File{newFiles[0], newFiles[1]}, spy), slot))

	// While folders are exchanged over and over there is always one.
	stop, seen := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				seen <- nil
				return
			default:
				if _, err := os.Lstat(target); err != nil {
					seen <- err
					return
				}
			}
		}
	}()
	for range 50 {
		require.NoError(t, writeFast(target, newFiles))
	}
	close(stop)
	require.NoError(t, <-seen)
}

func TestAttackO13NamesNeverLeaveTheFolder(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "../x", "a/../../x", "/etc/x", `a\b`, `..\x`, "C:x", "a//b", "a/", "a/b/c/d", ".hidden", "-rf",
		"a b", "a\x00", "a\n", "é", "con", "NUL.csv", "aux", "a.", strings.Repeat("a", 129), "sha256sums", folder.SumsFile, "SHA256SUMS/x",
	} {
		t.Run(name, func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "out")
			err := folder.Write(t.Context(), target, []folder.File{text(name, "x")}, slot)
			require.ErrorContains(t, err, "files[0]: got a name")
			assert.NoDirExists(t, target)
			assert.Empty(t, leftovers(t, target))
		})
	}
	for _, pair := range [][2]string{{"a", "A"}, {"a", "a/b"}, {"a/b", "a"}, {"A/b", "a"}} {
		err := folder.Write(t.Context(), filepath.Join(t.TempDir(), "out"), []folder.File{text(pair[0], ""), text(pair[1], "")}, slot)
		assert.ErrorContains(t, err, "files[1]: got a name", pair)
	}
	for name, want := range map[string]bool{
		"gender": true, "a": true, "course_gender2": true, strings.Repeat("a", 64): true,
		"": false, "Gender": false, "2a": false, "_a": false, "a-b": false, "a.b": false, "../a": false, "a/b": false,
		"nul": false, "com1": false, "gender\n": false, strings.Repeat("a", 65): false,
	} {
		assert.Equal(t, want, folder.ValidTable(name), name)
	}
	assert.ErrorContains(t, folder.Write(t.Context(), filepath.Join(t.TempDir(), "out"), nil, slot), "files: got none")
	assert.ErrorContains(t, folder.Write(t.Context(), "/", newFiles, slot), "got a root directory")
	assert.ErrorIs(t, folder.Write(t.Context(), filepath.Join(t.TempDir(), "none", "out"), newFiles, slot), fs.ErrNotExist)
}

func TestCancellationLeavesNothing(t *testing.T) {
	for _, replace := range []bool{false, true} {
		target := filepath.Join(t.TempDir(), "out")
		if replace {
			require.NoError(t, folder.Write(t.Context(), target, oldFiles, slot))
		}
		ctx, cancel := context.WithCancel(t.Context())
		endless := folder.File{Name: "endless", Write: func(w io.Writer) error {
			for i := 0; ; i++ {
				if i == 100 {
					cancel()
				}
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return err
				}
			}
		}}
		err := folder.Write(ctx, target, append([]folder.File{endless}, newFiles...), slot)
		assert.ErrorIs(t, err, context.Canceled)
		// A cancellation in the last file is noticed before the folder is put in place.
		ctx, cancel = context.WithCancel(t.Context())
		last := folder.File{Name: "last", Write: func(io.Writer) error { cancel(); return nil }}
		assert.ErrorIs(t, folder.Write(ctx, target, []folder.File{last}, slot), context.Canceled)
		assert.Empty(t, leftovers(t, target))
		if replace {
			assertContent(t, target, oldFiles)
		} else {
			assert.NoDirExists(t, target)
		}
	}
}

func TestPanicOfAFileLeavesNothing(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	assert.Panics(t, func() {
		_ = folder.Write(t.Context(), target, []folder.File{{Name: "a", Write: func(io.Writer) error { panic("x") }}}, slot)
	})
	assert.NoDirExists(t, target)
	assert.Empty(t, leftovers(t, target))
}

func TestConcurrentWritersNeverMix(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		var files []folder.File
		for j := range 5 {
			files = append(files, text(fmt.Sprintf("data/f%d.csv", j), fmt.Sprint("writer ", i)))
		}
		wg.Go(func() {
			for range 5 {
				errs[i] = errorsFirst(errs[i], writeFast(target, files))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, folder.Verify(target))
	got := content(t, target)
	for j := range 5 {
		assert.Equal(t, got["data/f0.csv"], got[fmt.Sprintf("data/f%d.csv", j)])
	}
	assert.Empty(t, leftovers(t, target))
}

func errorsFirst(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func TestLeftoversOfOthersStay(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	for _, name := range []string{".throng-out-new-0123456789abcdef", ".throng-out-new-0123456789abcdeX", ".throng-outer-new-0123456789abcdef", ".throng-out-new-", "notes"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name, "sub"), 0o700))
	}
	require.NoError(t, folder.Write(t.Context(), target, newFiles, slot))
	assert.Equal(t, []string{".throng-out-new-", ".throng-out-new-0123456789abcdeX", ".throng-outer-new-0123456789abcdef", "notes"}, leftovers(t, target))

	// A living writer's folder is not a leftover: another write comes and goes while it is being built.
	other := folder.File{Name: "a", Write: func(io.Writer) error { return folder.Write(t.Context(), target, oldFiles, slot) }}
	require.NoError(t, folder.Write(t.Context(), target, []folder.File{other}, slot))
	require.NoError(t, folder.Verify(target))
	assert.Contains(t, content(t, target), "a")
}
