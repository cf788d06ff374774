// SPDX-License-Identifier: Apache-2.0

// Command audit checks what a release claims on made-up records. It reads no data.
//
//	go run ./examples/audit
//	go run ./examples/audit -policy F -release F [-out DIR] [-n N]
//
// Without -policy and -release it audits the demo. Exit codes: 0 every claim held; 1 reading or writing failed;
// 2 flags, policy or release; 3 a claim is violated.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/audit"
	"github.com/throngdp/throng/examples/internal/nocore"
)

// Exit codes.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitViolated = 3
)

func main() {
	_ = nocore.Set() // where a system refuses, cores are as they were
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// commandError is a fault of the command line.
type commandError string

func (e commandError) Error() string { return string(e) }

// errViolated is what a violated claim is at the end.
var errViolated = errors.New("a claim is violated; the release must not be used before the fault is found")

// errInterrupted is what a signal makes of a run.
var errInterrupted = errors.New("interrupted; nothing was written")

// run is the program without its process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err == nil {
		err = o.do(ctx, stdout)
	}
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = errInterrupted
	}
	o.complain(err, stdout, stderr)
	return exitCode(err)
}

func (o *options) do(ctx context.Context, stdout io.Writer) error {
	if o.help {
		_, err := io.WriteString(stdout, helpText())
		return err
	}
	policy, errP := aggregate.LoadPolicy(o.policy)
	release, errR := aggregate.LoadRelease(o.release)
	if err := errors.Join(missing("-policy", o.policy, errP), missing("-release", o.release, errR)); err != nil {
		return err
	}
	if err := checkOut(o.out); err != nil {
		return err
	}
	report, err := audit.Run(ctx, policy, release, audit.Options{Samples: o.samples})
	if err != nil {
		return err
	}
	return o.tell(report, stdout)
}

// tell writes and prints a report. A violated claim is an error at the end.
func (o *options) tell(report *audit.Report, stdout io.Writer) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	if err := writeOut(o.out, raw); err != nil {
		return err
	}
	switch {
	case o.json:
		_, err = stdout.Write(raw)
	case !o.quiet:
		_, err = io.WriteString(stdout, reportText(report))
	}
	if err == nil && report.Violated {
		err = errViolated
	}
	return err
}

// missing says what to do about a file that is not there, and leaves other errors alone.
func missing(flag, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return commandError(fmt.Sprintf("%s: %s does not exist; check the path", flag, path))
	}
	return err
}

// exitCode tells whose turn it is.
func exitCode(err error) int {
	switch {
	case errors.Is(err, errViolated):
		return exitViolated
	case errors.As(err, new(commandError)), errors.Is(err, aggregate.ErrSpec), errors.Is(err, errNotOurs):
		return exitUsage
	}
	return exitFailed
}

// complain prints all faults: as lines, or with -json as JSON on stdout. A violated claim is in the report
// already, which is all that -json prints.
func (o *options) complain(err error, stdout, stderr io.Writer) {
	if !o.json {
		for _, e := range aggregate.Faults(err) {
			fmt.Fprintln(stderr, "audit:", e)
		}
		return
	}
	if errors.Is(err, errViolated) {
		return
	}
	var messages []map[string]string
	for _, e := range aggregate.Faults(err) {
		messages = append(messages, map[string]string{"message": e.Error()})
	}
	raw, errJSON := json.Marshal(map[string]any{"errors": messages, "exit_code": exitCode(err)})
	if errJSON == nil {
		fmt.Fprintf(stdout, "%s\n", raw)
	}
}
