// SPDX-License-Identifier: Apache-2.0

package table

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// The ways in which an input can be refused. A connector wraps one of them in an [*Error].
var (
	// ErrSchema: a named column is not there, or its type cannot be used.
	ErrSchema = errors.New("schema does not fit")
	// ErrMalformed: the file is not what its format says.
	ErrMalformed = errors.New("malformed input")
	// ErrLimit: reading on would take more memory or output than an honest file needs.
	ErrLimit = errors.New("input exceeds a limit")
)

// Error is a fault of one input. Its text names the file and the column that the policy asked for,
// and never holds anything read from the file: Err, which may, is kept out of the text.
type Error struct {
	// File is the Source's name.
	File string
	// Column is the column as the policy names it; empty where the fault is the file's.
	Column string
	// Problem says what is wrong and what to change, in words of the connector's own.
	Problem string
	// Err is one of the sentinels of this package, or an operating system error. Only sentinels and
	// operating system errors may stand here.
	Err error
}

// Error returns "file: column "x": problem".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Column != "" {
		b.WriteString(`: column "` + e.Column + `"`)
	}
	b.WriteString(": " + e.Problem)
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Cause returns the part of err whose text is fixed, and which can hold nothing that was read: an error
// of package context, a sentinel of this package, an error number of the operating system or a
// sentinel of package [fs]. It returns nil where err has none. A connector calls it for errors that
// other packages have made.
func Cause(err error) error {
	for _, fixed := range []error{context.Canceled, context.DeadlineExceeded, ErrSchema, ErrMalformed, ErrLimit} {
		if errors.Is(err, fixed) {
			return fixed
		}
	}
	if number := syscall.Errno(0); errors.As(err, &number) {
		return number
	}
	for _, fixed := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid, fs.ErrExist} {
		if errors.Is(err, fixed) {
			return fixed
		}
	}
	return nil
}
