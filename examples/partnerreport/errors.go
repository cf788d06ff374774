// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

// commandError is a fault of the command line.
type commandError string

func (e commandError) Error() string { return string(e) }

// writeError is a failure to write, whatever the system calls it.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// errInterrupted is what a signal makes of a run.
var errInterrupted = errors.New("interrupted; nothing was written")

// exitCode tells whose turn it is: the person's, the machine's, or nobody's.
func exitCode(err error) int {
	switch {
	case errors.Is(err, dp.ErrBudgetExhausted):
		return exitRefused
	case errors.As(err, new(commandError)), errors.Is(err, aggregate.ErrSpec), errors.Is(err, aggregate.ErrInputs),
		errors.Is(err, table.ErrSchema), errors.Is(err, bundle.ErrNotABundle), errors.Is(err, identity.ErrKeyFile):
		return exitUsage
	case errors.As(err, new(*writeError)):
		return exitFailed
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid): // of a path that was given
		return exitUsage
	}
	return exitFailed
}

// complain prints all faults: as lines, or with -json as JSON on stdout.
func (o *options) complain(err error, stdout, stderr io.Writer) {
	if o.json {
		_ = printJSON(stdout, errorJSON(err)) // there is nowhere left to report that stdout is closed
		return
	}
	for _, e := range aggregate.Faults(err) {
		fmt.Fprintln(stderr, "partnerreport:", e)
	}
}

// fault is an error as JSON.
type fault struct {
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  string `json:"column,omitempty"`
}

func errorJSON(err error) any {
	var faults []fault
	for _, e := range aggregate.Faults(err) {
		f := fault{Message: e.Error()}
		if field := (*aggregate.FieldError)(nil); errors.As(e, &field) {
			f.Path, f.File, f.Line = field.Path, field.File, field.Line
		}
		if input := (*table.Error)(nil); errors.As(e, &input) {
			f.File, f.Column = input.File, input.Column
		}
		faults = append(faults, f)
	}
	return map[string]any{"errors": faults, "exit_code": exitCode(err)}
}
