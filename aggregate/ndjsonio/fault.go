// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/throngdp/throng/aggregate/table"
)

// fault turns an error from below into one that cannot hold what was read: of the causes only those
// that are fixed texts are kept.
func fault(file, problem string, err error) error {
	for _, done := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, done) {
			return done
		}
	}
	if own := (*table.Error)(nil); errors.As(err, &own) {
		e := *own
		if e.File == "" {
			e.File = file
		}
		return &e
	}
	return &table.Error{File: file, Problem: problem, Err: cause(err)}
}

func cause(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	for _, known := range []error{
		table.ErrSchema, table.ErrMalformed, table.ErrLimit,
		fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}
