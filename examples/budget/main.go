// SPDX-License-Identifier: Apache-2.0

// Command budget computes with privacy budgets: what mechanisms cost together, and how much noise a
// budget asks for.
//
//	go run ./examples/budget compose -laplace b=10,n=5 -gauss sigma=20,n=10 -delta 1e-6
//	go run ./examples/budget calibrate -epsilon 1 -delta 1e-9 -statistics 20 -l0 3
//
// Exit codes: 0 done; 1 the result could not be computed or printed; 2 the command line is wrong.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is a fault of the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// command is one of the two things that can be asked.
type command interface {
	flags() *flag.FlagSet
	// run returns a JSON value and the text that says the same.
	run() (any, string, error)
	wantsJSON() bool
}

// run is the program without its process.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && isHelp(args[0]) {
		return write(stdout, stderr, helpText())
	}
	c, rest, err := pick(args)
	if err != nil {
		return complain(err, wantsJSON(args), stdout, stderr)
	}
	if err = parse(c.flags(), rest); errors.Is(err, flag.ErrHelp) {
		return write(stdout, stderr, helpText())
	}
	if err != nil {
		return complain(err, c.wantsJSON() || wantsJSON(rest), stdout, stderr)
	}
	value, text, err := c.run()
	if err != nil {
		return complain(err, c.wantsJSON(), stdout, stderr)
	}
	if c.wantsJSON() {
		if text, err = jsonText(value); err != nil {
			return complain(err, false, stdout, stderr)
		}
	}
	return write(stdout, stderr, text)
}

func pick(args []string) (command, []string, error) {
	if len(args) == 0 {
		return nil, nil, usageError("got no command, want compose or calibrate; see -h")
	}
	switch args[0] {
	case "compose":
		return &compose{}, args[1:], nil
	case "calibrate":
		return &calibrate{}, args[1:], nil
	}
	return nil, nil, usageError(fmt.Sprintf("got the command %q, want compose or calibrate; see -h", args[0]))
}

func parse(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError(err.Error() + "; see -h")
	}
	if f.NArg() > 0 {
		return usageError(fmt.Sprintf("got the stray argument %q, want flags only; see -h", f.Arg(0)))
	}
	return nil
}

// faults takes joined errors apart.
func faults(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, faults(e)...)
		}
		return all
	}
	return []error{err}
}

// complain prints all faults: as lines on stderr, or with -json as JSON on stdout.
func complain(err error, asJSON bool, stdout, stderr io.Writer) int {
	code := exitFailed
	if errors.As(err, new(usageError)) {
		code = exitUsage
	}
	if !asJSON {
		for _, e := range faults(err) {
			fmt.Fprintln(stderr, "budget:", e)
		}
		return code
	}
	var messages []map[string]string
	for _, e := range faults(err) {
		messages = append(messages, map[string]string{"message": e.Error()})
	}
	text, err := jsonText(map[string]any{"errors": messages, "exit_code": code})
	if err == nil {
		_, _ = io.WriteString(stdout, text) // there is nowhere left to report that stdout is closed
	}
	return code
}

// write prints a whole answer at once.
func write(stdout, stderr io.Writer, text string) int {
	if _, err := io.WriteString(stdout, text); err != nil {
		fmt.Fprintln(stderr, "budget: writing the answer:", err)
		return exitFailed
	}
	return exitDone
}

func jsonText(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw) + "\n", err
}
