// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
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

func exitCode(err error) int {
	switch {
	case errors.As(err, new(commandError)), errors.Is(err, table.ErrSchema):
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
	if !o.json {
		for _, e := range aggregate.Faults(err) {
			fmt.Fprintln(stderr, "inspect:", e)
		}
		return
	}
	var messages []map[string]string
	for _, e := range aggregate.Faults(err) {
		messages = append(messages, map[string]string{"message": e.Error()})
	}
	e := json.NewEncoder(stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]any{"errors": messages, "exit_code": exitCode(err)}) // nowhere is left to report to
}
