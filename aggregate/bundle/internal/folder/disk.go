// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"errors"
	"io"
	"os"
	"time"
)

// disk is what a write does to the file system, below the target's parent. It is the seam at which tests
// make operations fail.
type disk interface {
	Mkdir(name string) error
	Create(name string) (file, error)
	Chmod(name string, mode os.FileMode) error
	Chtimes(name string, at time.Time) error
	// Link gives a file a second name.
	Link(from, to string) error
	Sync(name string) error
	// Exchange swaps two folders in one step, and returns errors.ErrUnsupported where that cannot be done.
	Exchange(a, b string) error
	// Rename moves a folder to a name that does not exist.
	Rename(from, to string) error
	RemoveAll(name string) error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

// rootDisk is the disk below a directory. os.Root keeps every name inside, whatever links say.
type rootDisk struct{ root *os.Root }

func (d rootDisk) Mkdir(name string) error { return d.root.Mkdir(name, 0o700) }

func (d rootDisk) Create(name string) (file, error) {
	return d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (d rootDisk) Chmod(name string, mode os.FileMode) error { return d.root.Chmod(name, mode) }

func (d rootDisk) Chtimes(name string, at time.Time) error { return d.root.Chtimes(name, at, at) }

func (d rootDisk) Link(from, to string) error { return d.root.Link(from, to) }

func (d rootDisk) Rename(from, to string) error { return d.root.Rename(from, to) }

func (d rootDisk) RemoveAll(name string) error { return d.root.RemoveAll(name) }

func (d rootDisk) Sync(name string) error {
	dir, err := d.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(dir), dir.Close())
}

func (d rootDisk) Exchange(a, b string) error {
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(exchange(dir, a, b), dir.Close())
}
