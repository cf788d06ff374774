// SPDX-License-Identifier: Apache-2.0

// Command partnerreport turns raw visitor and usage records into a folder for a partner.
//
//	go run ./examples/partnerreport
//	go run ./examples/partnerreport -policy F -release F -usage PATH -visitors PATH -out DIR
//
// Without flags it runs the demo on testdata/. Exit codes: 0 done; 1 reading or writing failed; 2
// flags, policy, release, a missing file or a schema; 3 refused.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/examples/internal/nocore"
)

// version is what -version prints; builds may set it.
var version = "devel"

func main() {
	_ = nocore.Set() // where a system refuses, cores are as they were
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err == nil {
		err = o.do(ctx, stdout, stderr)
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

func (o *options) do(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case o.help:
		o.quiet = false // whoever asks is answered
		return o.print(stdout, map[string]string{"help": helpText()}, func() { fmt.Fprint(stdout, helpText()) })
	case o.version:
		return o.print(stdout, map[string]string{"version": version}, func() { fmt.Fprintln(stdout, "partnerreport", version) })
	case o.init != "":
		return o.writeStarters(stdout)
	}
	policy, release, err := o.load()
	if err != nil {
		return err
	}
	plan, err := o.newPlan(policy, release)
	if err != nil {
		return err
	}
	if o.plan {
		return o.print(stdout, plan, func() { fmt.Fprint(stdout, plan) })
	}
	if err := checkOut(o.out); err != nil {
		return err
	}
	inputs, err := o.inputs(ctx, policy)
	if err != nil {
		return err
	}
	var key identity.Secret
	if o.key != "" {
		if key, err = identity.SecretFromFile(o.key); err != nil {
			return err
		}
	}
	tuneCollector(int64(o.memory))
	bar := newBar(stderr, o.quiet || o.json)
	runner := aggregate.Runner{Workers: o.workers, MemoryLimit: int64(o.memory), Key: key, Progress: bar.update}
	result, err := runner.Run(ctx, policy, release, inputs)
	bar.finish()
	if err != nil {
		return err
	}
	if err := bundle.Write(ctx, o.out, result); err != nil {
		return &writeError{err}
	}
	return o.print(stdout, result, func() {
		printResult(stdout, result)
		fmt.Fprintf(stdout, "\nWritten to %s. The charge of %s was not recorded: every run spends again.\n", o.out, spendText(plan))
	})
}

// newPlan plans what the release says, or with what it would have to spend for a target.
func (o *options) newPlan(policy *aggregate.Policy, release *aggregate.Release) (*aggregate.Plan, error) {
	if o.target == "" {
		return aggregate.NewPlan(policy, release)
	}
	target, err := aggregate.ParseTarget(o.target)
	if err != nil {
		return nil, commandError("-target: " + err.Error())
	}
	plan, err := aggregate.PlanFor(policy, release, target)
	if err != nil && !errors.Is(err, aggregate.ErrSpec) {
		return nil, commandError("-" + err.Error())
	}
	return plan, err
}

// tuneCollector makes a heap grow by a quarter of what lives in it before it is collected, where Go would
// let it double: a run keeps much and throws little away. Close to a limit it is collected all the time.
func tuneCollector(limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

func (o *options) print(w io.Writer, v any, text func()) error {
	switch {
	case o.json:
		return printJSON(w, v)
	case !o.quiet:
		text()
	}
	return nil
}

// load reads both specifications and reports the faults of both.
func (o *options) load() (*aggregate.Policy, *aggregate.Release, error) {
	policy, errP := aggregate.LoadPolicy(o.policy)
	release, errR := aggregate.LoadRelease(o.release)
	if errP != nil && errR != nil && o.swapped() {
		return nil, nil, commandError("-policy: got the release, and -release the policy; swap them")
	}
	return policy, release, errors.Join(missingFile("-policy", o.policy, errP), missingFile("-release", o.release, errR))
}

func (o *options) swapped() bool {
	_, errP := aggregate.LoadPolicy(o.release)
	_, errR := aggregate.LoadRelease(o.policy)
	return errP == nil && errR == nil
}

// missingFile says what to do about a file that is not there, and leaves other errors alone.
func missingFile(flag, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return commandError(fmt.Sprintf("%s: %s does not exist; check the path, or write one to start from with -init DIR", flag, path))
	}
	return err
}

// checkOut fails before any data is read and any budget spent where the folder could not be written.
func checkOut(dir string) error {
	if err := bundle.CheckTarget(dir); errors.Is(err, bundle.ErrNotABundle) {
		return fmt.Errorf("-out: only a new folder, or a bundle as it was written, can be written: %w", err)
	} else if err != nil {
		return &writeError{fmt.Errorf("-out: %w; name a folder elsewhere", err)}
	}
	above, err := filepath.Abs(dir)
	if err != nil {
		return &writeError{err}
	}
	for above = filepath.Dir(above); filepath.Dir(above) != above; above = filepath.Dir(above) {
		if _, err := os.Lstat(above); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	probe, err := os.MkdirTemp(above, ".partnerreport-")
	if err != nil {
		return &writeError{fmt.Errorf("-out: nothing can be written in %s; name a folder elsewhere: %w", above, err)}
	}
	if err := os.Remove(probe); err != nil {
		return &writeError{err}
	}
	return nil
}

// inputs opens the files as the policy's formats say.
func (o *options) inputs(ctx context.Context, p *aggregate.Policy) (aggregate.Inputs, error) {
	var in aggregate.Inputs
	var errs []error
	open := func(patterns []string, f aggregate.Format) []table.Source {
		if len(patterns) == 0 {
			return nil
		}
		src, err := fileio.Open(ctx, patterns, fileio.Options{
			Format: f.Format, Delimiter: f.Delimiter, NoHeader: len(f.Columns) > 0, Columns: f.Columns,
			Encoding: f.Encoding, Null: f.Null,
		})
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		return []table.Source{src}
	}
	in.Usage = open(o.usage, p.Inputs.Usage)
	in.Visitors = open(o.visitors, p.Inputs.Visitors)
	in.Links = open(o.links, p.Inputs.Links)
	in.Listed = open(o.listed, p.Inputs.Listed)
	in.Consents = open(o.consents, p.Inputs.Consents)
	return in, errors.Join(errs...)
}
