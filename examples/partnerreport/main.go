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
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp"
)

// version is what -version prints; builds may set it.
var version = "devel"

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	policy, release, out, init string
	usage, visitors            list
	plan, json, quiet, version bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// errUsage marks faults of the command line.
var errUsage = errors.New("command line cannot be used")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err == nil:
		err = o.do(ctx, stdout, stderr)
	}
	if err == nil {
		return exitDone
	}
	o.complain(err, stdout, stderr)
	return exitCode(err)
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("partnerreport", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.policy, "policy", "", "the data owner's policy `file`")
	f.StringVar(&o.release, "release", "", "the analyst's release `file`")
	f.Var(&o.usage, "usage", "usage records: a `path` or glob; may be repeated")
	f.Var(&o.visitors, "visitors", "visitor records: a `path` or glob; may be repeated")
	f.StringVar(&o.out, "out", "out", "the `folder` to write")
	f.BoolVar(&o.plan, "plan", false, "print what would be done; read no data")
	f.BoolVar(&o.json, "json", false, "print the result, the plan or errors as JSON alone on stdout")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	f.StringVar(&o.init, "init", "", "write commented policy and release files into a `folder`, to start from")
	f.BoolVar(&o.version, "version", false, "print the version")
	f.Usage = func() {
		fmt.Fprint(stderr, "partnerreport turns raw visitor and usage records into a folder for a partner.\n\n"+
			"  go run ./examples/partnerreport                      the demo, on testdata/\n"+
			"  go run ./examples/partnerreport -init DIR            write files to start from\n"+
			"  go run ./examples/partnerreport -policy F -release F -usage PATH [-visitors PATH] [-out DIR]\n\nFlags:\n")
		f.SetOutput(stderr)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fmt.Errorf("%w; see -h: %w", err, errUsage)
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("got the stray argument %q, want flags only; see -h: %w", f.Arg(0), errUsage)
	}
	return o, o.complete()
}

// complete fills in the demo where nothing was asked for, and refuses halves.
func (o *options) complete() error {
	if o.policy == "" && o.release == "" && len(o.usage) == 0 && len(o.visitors) == 0 {
		o.policy, o.release = "examples/partnerreport/policy.yaml", "examples/partnerreport/release.yaml"
		o.usage, o.visitors = list{"testdata/usage.ndjson"}, list{"testdata/visitors.csv"}
		return nil
	}
	var missing []error
	if o.policy == "" {
		missing = append(missing, fmt.Errorf("-policy: got nothing, want the policy file; -init writes one to start from: %w", errUsage))
	}
	if o.release == "" {
		missing = append(missing, fmt.Errorf("-release: got nothing, want the release file; -init writes one to start from: %w", errUsage))
	}
	if !o.plan && len(o.usage) == 0 && len(o.visitors) == 0 {
		missing = append(missing, fmt.Errorf("-usage: got nothing, want a path or glob of records: %w", errUsage))
	}
	return errors.Join(missing...)
}

func (o *options) do(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case o.version:
		fmt.Fprintln(stdout, "partnerreport", version)
		return nil
	case o.init != "":
		return writeStarters(o.init, stdout)
	}
	policy, errP := aggregate.LoadPolicy(o.policy)
	release, errR := aggregate.LoadRelease(o.release)
	if err := errors.Join(errP, errR); err != nil {
		return err
	}
	plan, err := aggregate.NewPlan(policy, release)
	if err != nil {
		return err
	}
	if o.plan {
		return o.print(stdout, plan, func() { fmt.Fprint(stdout, plan) })
	}
	if err := bundle.CheckTarget(o.out); err != nil {
		return err
	}
	inputs, err := o.inputs(ctx, policy)
	if err != nil {
		return err
	}
	bar := newBar(stderr, o.quiet || o.json)
	runner := aggregate.Runner{Progress: bar.update}
	result, err := runner.Run(ctx, policy, release, inputs)
	bar.finish()
	if err != nil {
		return err
	}
	if err := bundle.Write(ctx, o.out, result); err != nil {
		return err
	}
	return o.print(stdout, result, func() {
		printResult(stdout, result)
		fmt.Fprintf(stdout, "\nWritten to %s. The charge of %s was not recorded: every run spends again.\n", o.out, spendText(plan))
	})
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
	return in, errors.Join(errs...)
}

// exitCode tells whose turn it is: the person's, the machine's, or nobody's.
func exitCode(err error) int {
	switch {
	case errors.Is(err, dp.ErrBudgetExhausted):
		return exitRefused
	case errors.Is(err, errUsage), errors.Is(err, aggregate.ErrSpec), errors.Is(err, aggregate.ErrInputs),
		errors.Is(err, table.ErrSchema), errors.Is(err, fs.ErrNotExist), errors.Is(err, bundle.ErrNotABundle):
		return exitUsage
	}
	return exitFailed
}

// complain prints all faults: as lines, or with -json as JSON on stdout.
func (o *options) complain(err error, stdout, stderr io.Writer) {
	if o.json {
		_ = printJSON(stdout, errorJSON(err))
		return
	}
	for _, e := range aggregate.Faults(err) {
		fmt.Fprintln(stderr, "partnerreport:", e)
	}
}
