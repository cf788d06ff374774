// SPDX-License-Identifier: Apache-2.0

package unpack

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/klauspost/compress/zstd"

	"github.com/throngdp/throng/aggregate/table"
)

// Member is one stream of bytes that a file holds: the file itself, decompressed where need be, or
// one entry of a zip. It holds no open file and may be opened any number of times, also concurrently.
type Member struct {
	// Name is how errors call the member: the path as given to Open, and for an entry of a zip
	// "path/entry", or "path/#3" (its position, from 1) where the entry's name is not fit for print.
	Name string
	// Size is the number of bytes that the member takes up in the file: what [Stream.Consumed] ends
	// at.
	Size int64

	path   string
	limit  int64
	offset int64
	entry  *entry // nil unless the member stands in a zip
	plain  bool
}

// Plain reports whether the member is the file as it stands, not compressed: [Member.OpenAt] then
// reads from disk and takes no memory.
func (m Member) Plain() bool { return m.plain }

// Stat looks at the file that holds the member.
func (m Member) Stat() (fs.FileInfo, error) {
	info, err := os.Stat(m.path)
	if err != nil {
		return nil, fault(m.Name, err)
	}
	return info, nil
}

// Open lists the members of the regular file at path (or that a symbolic link there leads to) and
// leaves nothing open. Entries of a zip come in the order of its directory, without folders and
// without what macOS adds. Errors are *table.Error: [table.ErrLimit] for too many entries,
// [table.ErrMalformed] for a broken, encrypted or empty zip and for what is not a regular file, or
// the operating system's.
func Open(ctx context.Context, path string, lim Limits) ([]Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, size, err := openRegular(path, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, fault(path, err)
	}
	kind := sniff(head[:n])
	if kind == zipped {
		return listZip(f, size, path, lim)
	}
	return []Member{{Name: path, Size: size, path: path, limit: lim.output(size, 1), plain: kind == plain}}, nil
}

// openRegular opens the regular file at path and returns its size. Errors call it name.
func openRegular(path, name string) (*os.File, int64, error) {
	// Looking before opening matters: opening some devices has effects, and a FIFO would block. The
	// flag covers a FIFO that takes the file's place in between.
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fault(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, notRegular(name)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fault(name, err)
	}
	info, err = f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return f, info.Size(), nil
	}
	f.Close()
	if err != nil {
		return nil, 0, fault(name, err)
	}
	return nil, 0, notRegular(name)
}

func notRegular(name string) error {
	return &table.Error{File: name, Err: table.ErrMalformed,
		Problem: "is not a regular file; name a file, not a folder, pipe or device"}
}

// fault turns an error met while reading into a *table.Error. What a decoder says is not passed on:
// it may quote its input.
func fault(name string, err error) error {
	var known *table.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	cause := table.Cause(err)
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &table.Error{File: name, Err: table.ErrLimit,
			Problem: "needs a zstd window above 128 MiB; compress it without --ultra and --long"}
	case errors.Is(err, fs.ErrNotExist):
		return &table.Error{File: name, Problem: "does not exist; check the path", Err: fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return &table.Error{File: name, Problem: "may not be read; check its permissions", Err: fs.ErrPermission}
	case cause != nil:
		return &table.Error{File: name, Problem: "cannot be read: the operating system reports an error", Err: cause}
	}
	return &table.Error{File: name, Err: table.ErrMalformed,
		Problem: "is damaged or cut short; copy or pack it again"}
}

func overLimit(name string) error {
	return &table.Error{File: name, Err: table.ErrLimit,
		Problem: "unpacks to far more than its size explains; if that is right, unpack it to disk first"}
}
