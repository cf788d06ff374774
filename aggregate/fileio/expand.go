// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/throngdp/throng/aggregate/table"
)

// expand returns the paths that patterns lead to, sorted, each file once.
func expand(patterns []string) ([]string, error) {
	var paths []string
	var errs []error
	for _, pattern := range patterns {
		found, err := match(pattern)
		paths = append(paths, found...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.Sort(paths)
	return unique(slices.Compact(paths)), nil
}

// match returns the paths that a pattern leads to. Whether they can be opened is not its concern.
func match(pattern string) ([]string, error) {
	if pattern == "" {
		return nil, &table.Error{File: "input", Problem: "got an empty path; name a file", Err: fs.ErrInvalid}
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{pattern}, nil
	}
	if _, err := os.Lstat(pattern); err == nil {
		return []string{pattern}, nil // a file whose name looks like a glob
	}
	if strings.Contains(pattern, "**") {
		return nil, &table.Error{File: pattern, Err: fs.ErrInvalid,
			Problem: "** does not look into folders; write */ for each level of them"}
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil, &table.Error{File: pattern, Err: fs.ErrInvalid,
			Problem: "is not a pattern that can be read; check its brackets"}
	}
	if !strings.HasPrefix(filepath.Base(pattern), ".") {
		found = slices.DeleteFunc(found, func(path string) bool {
			return strings.HasPrefix(filepath.Base(path), ".")
		})
	}
	if len(found) == 0 {
		return nil, &table.Error{File: pattern, Err: fs.ErrNotExist, Problem: "matches no file; check the pattern"}
	}
	return found, nil
}

// unique leaves out paths that lead to a file already listed: another spelling, a link.
func unique(paths []string) []string {
	type key struct {
		size    int64
		changed time.Time
	}
	seen := make(map[key][]fs.FileInfo)
	return slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		if err != nil {
			return false // opening it will say what is wrong
		}
		k := key{info.Size(), info.ModTime()}
		if slices.ContainsFunc(seen[k], func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			return true
		}
		seen[k] = append(seen[k], info)
		return false
	})
}
