// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

// Open returns the files that patterns lead to as one source. A pattern is a path or a glob of
// [path/filepath.Match]; a glob must match at least one file, and does not match names that begin
// with a dot unless it does so itself. The files are read in the order of their paths. Faults of all
// files are joined; each is a *[table.Error] that names its file.
func Open(ctx context.Context, patterns []string, opts Options) (table.Source, error) {
	if len(patterns) == 0 {
		return nil, &table.Error{File: "input", Problem: "got no path; name at least one file", Err: fs.ErrInvalid}
	}
	if err := opts.checkFormat(patterns[0]); err != nil {
		return nil, err
	}
	paths, err := expand(patterns)
	if err != nil {
		return nil, err
	}
	contents, err := list(ctx, paths, opts.Format)
	if err != nil {
		return nil, err
	}
	sources := make([]table.Source, len(contents))
	for i, c := range contents {
		// A fault in the options is the same for each file: told once.
		if sources[i], err = newSource(c, opts); err != nil {
			return nil, err
		}
	}
	all := &files{name: sources[0].Name(), sources: sources, contents: contents, seen: make([]fs.FileInfo, len(contents))}
	if len(sources) > 1 {
		all.name = fmt.Sprintf("%s (%d files)", patterns[0], len(sources))
	}
	return all, nil
}

// content is one stream of records and its format.
type content struct {
	unpack.Member
	format format
}

// list finds out what the files hold and what format that is in.
func list(ctx context.Context, paths []string, override string) ([]content, error) {
	var contents []content
	var errs []error
	for _, path := range paths {
		members, err := unpack.Open(ctx, path, unpack.Limits{})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, m := range members {
			f, err := detect(ctx, m, override)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			contents = append(contents, content{Member: m, format: f})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return contents, sameFormat(contents)
}

// sameFormat settles the format of empty files and refuses files that differ from the first.
func sameFormat(contents []content) error {
	first := csv
	for _, c := range contents {
		if c.format != unknown {
			first = c.format
			break
		}
	}
	var errs []error
	for i := range contents {
		c := &contents[i]
		if c.format == unknown {
			c.format = first
		}
		if c.format.label() != first.label() {
			errs = append(errs, &table.Error{File: c.Name, Err: table.ErrSchema, Problem: fmt.Sprintf(
				"is %s, but the first file of this input is %s; keep to one format, or name the one that all of them have", c.format.label(), first.label())})
		}
	}
	return errors.Join(errs...)
}
