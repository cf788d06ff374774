// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Kinds of folder that a killed process may leave beside its target.
const (
	kindNew = "new" // being built, or replaced by an exchange
	kindOld = "old" // moved aside where folders cannot be exchanged
)

// leftoverStart is what the names of such folders begin with, whatever the target.
const leftoverStart = ".throng-"

// leftoverPrefix is what the name of such a folder begins with; sixteen hexadecimal digits follow.
func leftoverPrefix(base, kind string) string { return leftoverStart + base + "-" + kind + "-" }

// isLeftover reports whether name is that of a folder of this kind for the target base.
func isLeftover(name, base, kind string) bool {
	random, ok := strings.CutPrefix(name, leftoverPrefix(base, kind))
	return ok && len(random) == 16 && strings.Trim(random, "0123456789abcdef") == ""
}

const (
	// lockWait is how long to wait before asking for a lock again.
	lockWait = 5 * time.Millisecond
	// staleAge is when a leftover is taken for one where there are no locks to ask.
	staleAge = 24 * time.Hour
)

// lockParent waits for the lock on the target's parent. It is held while leftovers are removed and while
// folders change places, never while files are written. Where there are no locks nothing is held.
func (w *writer) lockParent(ctx context.Context) (io.Closer, error) { return w.lock(ctx, ".") }

// lockTarget waits for the lock on the target where there is one. A write to a bundle inside it holds
// this lock as its parent's, so none of them begins or ends between the look at them and the exchange.
// Locks are always taken from the outside in.
func (w *writer) lockTarget(ctx context.Context) (io.Closer, error) {
	if info, err := w.root.Lstat(w.base); err != nil || !info.IsDir() {
		return io.NopCloser(nil), nil // nothing to lock: what stands there is looked at next
	}
	return w.lock(ctx, w.base)
}

func (w *writer) lock(ctx context.Context, name string) (io.Closer, error) {
	dir, err := w.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening a folder to lock it: %w", err)
	}
	for {
		locked, err := tryLock(dir)
		if err != nil {
			return io.NopCloser(nil), dir.Close()
		}
		if locked {
			return dir, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), dir.Close())
		case <-time.After(lockWait):
		}
	}
}

// sweep removes what killed processes left of writes to this target. Where one died between moving the
// old folder aside and putting the new one in its place, the old one is put back.
func (w *writer) sweep() error {
	entries, err := fs.ReadDir(w.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("looking for leftovers: %w", err)
	}
	for _, e := range entries {
		aside := isLeftover(e.Name(), w.base, kindOld)
		if !aside && !isLeftover(e.Name(), w.base, kindNew) {
			continue
		}
		if err := w.clear(e, aside); err != nil {
			return fmt.Errorf("clearing a leftover: %w", err)
		}
	}
	return nil
}

func (w *writer) clear(e fs.DirEntry, aside bool) error {
	if aside {
		if _, err := w.root.Lstat(w.base); errors.Is(err, fs.ErrNotExist) {
			return w.disk.Rename(e.Name(), w.base)
		}
	}
	stale, err := w.stale(e)
	if err != nil || !stale {
		return err
	}
	return w.disk.RemoveAll(e.Name())
}

// stale reports whether a leftover belongs to no living writer: nobody holds its lock.
func (w *writer) stale(e fs.DirEntry) (bool, error) {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return false, nil // gone by now, or not ours
	}
	if err != nil {
		return false, err
	}
	dir, err := w.root.Open(e.Name())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, nil // gone by now, or another user's
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	free, err := tryLock(dir)
	if err != nil {
		return time.Since(info.ModTime()) > staleAge, nil
	}
	return free, nil
}
