// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// checkNested refuses bundles inside the target whose names the new files need.
func (w *writer) checkNested(nested []string) error {
	for _, name := range nested {
		for _, f := range w.files {
			first, _, _ := strings.Cut(f.Name, "/")
			if strings.EqualFold(first, name) {
				return unlike("got the folder %.200q, which is a bundle of its own inside this one and whose name this one needs, want another name; move it away", name)
			}
		}
	}
	return nil
}

// carry gives the files of the bundles in the target a second name in the temporary folder, where their
// file system can do that, and copies them where it cannot. They stay in the target: whenever the
// process dies, what stands there has them.
func (w *writer) carry(ctx context.Context, nested []string) error {
	for _, name := range nested {
		if err := w.carryFolder(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) carryFolder(ctx context.Context, name string) error {
	from := path.Join(w.base, name)
	to := path.Join(w.temp, name)
	if err := w.disk.Mkdir(to); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	entries, err := fs.ReadDir(w.root.FS(), from)
	if err != nil {
		return fmt.Errorf("reading a folder: %w", err)
	}
	for _, e := range entries {
		below := path.Join(name, e.Name())
		if e.IsDir() {
			err = w.carryFolder(ctx, below)
		} else {
			err = w.carryFile(ctx, below)
		}
		if err != nil {
			return err
		}
	}
	info, err := w.root.Lstat(from)
	if err != nil {
		return fmt.Errorf("looking at a folder: %w", err)
	}
	return w.finish(to, info.ModTime())
}

func (w *writer) carryFile(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	from, to := path.Join(w.base, name), path.Join(w.temp, name)
	if w.disk.Link(from, to) == nil {
		return nil
	}
	in, err := w.root.Open(from)
	if err != nil {
		return fmt.Errorf("opening a file: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("looking at a file: %w", err)
	}
	if _, err := w.file(ctx, File{name, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	}}); err != nil {
		return fmt.Errorf("copying a file: %w", err)
	}
	if err := w.disk.Chtimes(to, info.ModTime()); err != nil {
		return fmt.Errorf("setting times: %w", err)
	}
	return nil
}
