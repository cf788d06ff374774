// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// File is one file of a folder.
type File struct {
	// Name is its slash-separated path in the folder: at most three parts of letters, digits, ".", "_"
	// and "-" that begin with a letter or digit.
	Name string
	// Write writes its content. It is called once.
	Write func(w io.Writer) error
}

// Modes of what a partner gets, whatever the umask.
const (
	fileMode os.FileMode = 0o644
	dirMode  os.FileMode = 0o755
)

// Write writes files and their SHA256SUMS as the folder target, whose parent exists. Where target
// exists it is replaced if [CheckTarget] finds no fault with it; otherwise the error wraps
// [ErrNotABundle] and nothing is touched. Bundles that lie in target move to the new folder. The times of all files and folders are set to modTime, so that they do not
// tell when the process ran; zero leaves the clock's. An error leaves target as it was, with one
// exception: where only flushing the parent directory fails, the new folder stands and the error says
// that a power cut may still undo it.
func Write(ctx context.Context, target string, files []File, modTime time.Time) error {
	return write(ctx, target, files, modTime, func(d disk) disk { return d })
}

// write is Write on the disk that wrap makes of the real one.
func write(ctx context.Context, target string, files []File, modTime time.Time, wrap func(disk) disk) error {
	if err := checkFiles(files); err != nil {
		return err
	}
	target, err := filepath.Abs(target)
	if err != nil {
		return fmt.Errorf("writing a bundle: %w", err)
	}
	if filepath.Dir(target) == target {
		return fmt.Errorf("%s: got a root directory, want a new folder's name; name a folder below it", target)
	}
	w := &writer{target: target, base: filepath.Base(target), files: files, modTime: modTime}
	for {
		err := w.write(ctx, wrap)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, errReplaced):
			return fmt.Errorf("%s: %w", target, err)
		}
	}
}

// errReplaced says that the target's parent is no more what stands at its path, before any work was
// done. It happens where the parent is a bundle too, and was replaced.
var errReplaced = errors.New("got a folder above a bundle that was replaced")

// writer is one run of Write. All its names are below root, the target's parent.
type writer struct {
	target  string
	disk    disk
	root    *os.Root
	base    string // the target
	temp    string // the folder being built, and after an exchange the old one
	files   []File
	modTime time.Time
}

func (w *writer) write(ctx context.Context, wrap func(disk) disk) (err error) {
	w.root, err = os.OpenRoot(filepath.Dir(w.target))
	if err != nil {
		return fmt.Errorf("opening the folder above a bundle: %w", err)
	}
	defer w.root.Close()
	w.disk = wrap(rootDisk{w.root})
	lock, err := w.prepare(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	// Also after a panic of a file's Write. Should the removal of an old folder fail, the new one stands
	// all the same, and the next write removes what is left.
	placed := false
	defer func() {
		if errRemove := w.disk.RemoveAll(w.temp); errRemove != nil && !placed {
			err = errors.Join(err, fmt.Errorf("removing a part of a bundle: %w", errRemove))
		}
	}()
	if err := w.build(ctx); err != nil {
		return err
	}
	placed, err = w.place(ctx)
	return err
}

// existing reports whether the target exists and which bundles lie in it, and an error where it must
// not be replaced.
func (w *writer) existing() (exists bool, nested []string, err error) {
	info, err := w.root.Lstat(w.base)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("looking at the target: %w", err)
	}
	if !info.IsDir() {
		return false, nil, unlike("got something that is no folder, want a new name or a bundle; name another folder")
	}
	old, err := w.root.OpenRoot(w.base)
	if err != nil {
		return false, nil, fmt.Errorf("opening the existing folder: %w", err)
	}
	defer old.Close()
	nested, err = inspect(old)
	if err != nil {
		return false, nil, err
	}
	return true, nested, w.checkNested(nested)
}

// prepare removes leftovers, refuses a target that must not be replaced before any work is done, and
// makes the folder to build in, locked so that nobody takes it for a leftover. It holds the parent's
// lock: the target must not change while it is looked at, and a folder that is made and not yet locked
// is nobody's.
func (w *writer) prepare(ctx context.Context) (io.Closer, error) {
	parent, err := w.lockParent(ctx)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := w.checkParent(); err != nil {
		return nil, err
	}
	if err := w.sweep(); err != nil {
		return nil, err
	}
	inside, err := w.lockTarget(ctx)
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	if _, _, err := w.existing(); err != nil {
		return nil, err
	}
	w.temp = w.name(kindNew)
	if err := w.disk.Mkdir(w.temp); err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	dir, err := w.root.Open(w.temp)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the folder to build in: %w", err), w.disk.RemoveAll(w.temp))
	}
	if _, err := tryLock(dir); err != nil {
		// There are no locks: its age protects it, and some systems do not rename a folder that is open.
		return io.NopCloser(nil), dir.Close()
	}
	return dir, nil
}

// checkParent returns errReplaced where another folder stands where the target's parent stood.
func (w *writer) checkParent() error {
	ours, err := w.root.Stat(".")
	if err != nil {
		return fmt.Errorf("looking at the folder above a bundle: %w", err)
	}
	now, err := os.Stat(filepath.Dir(w.target))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking at the folder above a bundle: %w", err)
	}
	if err != nil || !os.SameFile(ours, now) {
		return errReplaced
	}
	return nil
}

// name returns a fresh name beside the target.
func (w *writer) name(kind string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return leftoverPrefix(w.base, kind) + hex.EncodeToString(random[:])
}

// build writes all files and SHA256SUMS into the temporary folder and flushes them. The folder itself
// stays its owner's until [writer.place].
func (w *writer) build(ctx context.Context) error {
	sums, dirs := map[string]string{}, map[string]bool{}
	for _, f := range w.files {
		if err := w.mkdirs(path.Dir(f.Name), dirs); err != nil {
			return err
		}
		sum, err := w.file(ctx, f)
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
		sums[f.Name] = sum
	}
	var list bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&list, "%s  %s\n", sums[name], name)
	}
	if _, err := w.file(ctx, File{SumsFile, func(out io.Writer) error {
		_, err := out.Write(list.Bytes())
		return err
	}}); err != nil {
		return fmt.Errorf("writing %s: %w", SumsFile, err)
	}
	// Folders below come before folders above.
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(dirs))) {
		if err := w.finish(path.Join(w.temp, dir), w.modTime); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) mkdirs(dir string, made map[string]bool) error {
	if dir == "." || made[dir] {
		return nil
	}
	if err := w.mkdirs(path.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	if err := w.disk.Mkdir(path.Join(w.temp, dir)); err != nil {
		return fmt.Errorf("making the folder %s: %w", dir, err)
	}
	return nil
}

// file writes one file and returns its sum.
func (w *writer) file(ctx context.Context, f File) (sum string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	name := path.Join(w.temp, f.Name)
	out, err := w.disk.Create(name)
	if err != nil {
		return "", err
	}
	defer func() {
		if errClose := out.Close(); err == nil && errClose != nil {
			sum, err = "", errClose
		}
	}()
	hash := sha256.New()
	// MultiWriter makes an error of a short write that comes without one.
	buffer := bufio.NewWriterSize(io.MultiWriter(out, hash), 64<<10)
	if err := f.Write(contextWriter{ctx, buffer}); err != nil {
		return "", err
	}
	if err := buffer.Flush(); err != nil {
		return "", err
	}
	if err := w.mode(name, fileMode, w.modTime); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), out.Sync()
}

// finish gives a folder its final mode and time and flushes it.
func (w *writer) finish(name string, at time.Time) error {
	if err := w.mode(name, dirMode, at); err != nil {
		return err
	}
	if err := w.disk.Sync(name); err != nil {
		return fmt.Errorf("flushing a folder: %w", err)
	}
	return nil
}

func (w *writer) mode(name string, mode os.FileMode, at time.Time) error {
	if err := w.disk.Chmod(name, mode); err != nil {
		return fmt.Errorf("setting permissions: %w", err)
	}
	if at.IsZero() {
		return nil
	}
	if err := w.disk.Chtimes(name, at); err != nil {
		return fmt.Errorf("setting times: %w", err)
	}
	return nil
}

// place puts the finished folder where the target is, and reports whether it stands there.
func (w *writer) place(ctx context.Context) (bool, error) {
	parent, err := w.lockParent(ctx)
	if err != nil {
		return false, err
	}
	defer parent.Close()
	inside, err := w.lockTarget(ctx)
	if err != nil {
		return false, err
	}
	defer inside.Close()
	exists, nested, err := w.existing()
	if err != nil {
		return false, err
	}
	if err := w.carry(ctx, nested); err != nil {
		return false, fmt.Errorf("keeping a bundle that lies in this one: %w", err)
	}
	if err := w.finish(w.temp, w.modTime); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if exists {
		err = w.replace()
	} else {
		err = w.disk.Rename(w.temp, w.base)
	}
	if err != nil {
		return false, fmt.Errorf("putting a bundle in place: %w", err)
	}
	if err := w.disk.Sync("."); err != nil {
		return true, fmt.Errorf("flushing the folder above a bundle that is in place: %w", err)
	}
	return true, nil
}

func (w *writer) replace() error {
	err := w.disk.Exchange(w.temp, w.base)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	aside := w.name(kindOld)
	if err := w.disk.Rename(w.base, aside); err != nil {
		return err
	}
	if err := w.disk.Rename(w.temp, w.base); err != nil {
		return errors.Join(err, w.disk.Rename(aside, w.base))
	}
	w.temp = aside
	return nil
}

// contextWriter stops a file's Write once the context has ended.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
