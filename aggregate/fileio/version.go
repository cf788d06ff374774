// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/throngdp/throng/aggregate/table"
)

// Version counts how often the files were seen to have changed.
func (f *files) Version(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	for i, c := range f.contents {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		info, err := c.Stat()
		if err != nil {
			return "", err
		}
		if last := f.seen[i]; last == nil || !same(last, info) {
			f.seen[i], changed = info, true
		}
	}
	if changed {
		f.version++
	}
	return strconv.Itoa(f.version), nil
}

// Objects are the files, and of zips their entries.
func (f *files) Objects() []table.Object {
	var all []table.Object
	for i, c := range f.contents {
		all = append(all, table.Object{Source: f.sources[i], Bytes: c.Size, Raw: func(ctx context.Context) (io.ReadCloser, error) {
			s, err := c.Raw(ctx)
			if err != nil {
				return nil, err
			}
			return s, nil
		}})
	}
	return all
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
