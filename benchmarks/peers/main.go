// SPDX-License-Identifier: Apache-2.0

// Peers measures throng against DuckDB and Google's Privacy on Beam on one file of usage records, as
// whole processes, in turns. README.md says what is compared and what is not.
//
//	go run . -rows 10000000
//	go run . -rows 10000000 -json -measures gender,gender_country
//
// Exit codes: 0 done; 1 something could not be built or run, or the numbers of throng and a peer are
// further apart than noise and sampling allow; 2 the flags are wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	rows, beamRows int64
	json, beam     bool
	data, throng   string
	threads, pairs int
	measures       []string

	child string // SQL to answer, where this process is the DuckDB that is measured
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "peers:", err)
		return 2
	case o.child != "":
		err = answer(ctx, o.child, o.threads, stdout)
	default:
		err = compare(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "peers:", err)
		return 1
	}
	return 0
}

// parse reads the flags. Help goes to stdout; faults are the caller's to print.
func parse(args []string, stdout io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Int64Var(&o.rows, "rows", 1_000_000, "number of usage records")
	f.BoolVar(&o.json, "json", false, "print one JSON object per line and nothing else on stdout")
	f.StringVar(&o.data, "data", "", "`folder` of the generated files, kept for the next run (default throng-benchmarks in the\nuser's cache folder); 10 million rows take 2.5 GB with CSV and NDJSON")
	f.StringVar(&o.throng, "throng", "", "partnerreport `binary` to measure (default: built from this tree)")
	f.IntVar(&o.threads, "threads", min(2, runtime.NumCPU()), "processors that each side may use")
	f.IntVar(&o.pairs, "pairs", 5, "number of timed pairs of runs")
	f.BoolVar(&o.beam, "beam", true, "measure Privacy on Beam too, which takes a minute and more a run")
	f.Int64Var(&o.beamRows, "beam-rows", 1_000_000, "most records for Privacy on Beam: memory and time grow with them")
	f.StringVar(&o.child, "child", "", "internal: answer this SQL with DuckDB")
	names := f.String("measures", "", "comma-separated measures (default all): "+strings.Join(measureNames(), ", "))
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stdout, "Usage: peers [flags]\n\nMeasures throng against DuckDB and Privacy on Beam.")
			f.SetOutput(stdout)
			f.PrintDefaults()
		}
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("got %d arguments after the flags, want none", f.NArg())
	}
	if o.measures = measureNames(); *names != "" {
		o.measures = strings.Split(*names, ",")
	}
	return o, o.check()
}

func (o *options) check() error {
	var errs []error
	for _, name := range o.measures {
		if !slices.Contains(measureNames(), name) {
			errs = append(errs, fmt.Errorf("-measures: got %q, want some of %s", name, strings.Join(measureNames(), ", ")))
		}
	}
	atLeast := func(name string, got, least int64) {
		if got < least {
			errs = append(errs, fmt.Errorf("-%s: got %d, want %d or more", name, got, least))
		}
	}
	atLeast("rows", o.rows, 1000)
	atLeast("beam-rows", o.beamRows, 1000)
	atLeast("threads", int64(o.threads), 1)
	atLeast("pairs", int64(o.pairs), 1)
	return errors.Join(errs...)
}

// compare makes what is missing, measures and reports.
func compare(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	b, err := newBench(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)
	out := report{w: stdout, json: o.json}
	out.head(b)
	var faults []error
	for _, m := range measures() {
		if !slices.Contains(o.measures, m.name) {
			continue
		}
		lines, err := b.measure(ctx, m)
		if err != nil && !errors.Is(err, errFar) {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", m.name, err))
		}
		out.measure(m, lines)
	}
	return errors.Join(faults...)
}

// bench is what a run has at hand.
type bench struct {
	*options
	stderr  io.Writer
	root    string // of the repository
	scratch string // removed at the end
	self    string
	beamBin string

	duckDBVersion string
}

func newBench(ctx context.Context, o *options, stderr io.Writer) (*bench, error) {
	b := &bench{options: o, stderr: stderr}
	var err error
	if b.root, err = output(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/throngdp/throng"); err != nil {
		return nil, fmt.Errorf("looking for the repository from the current folder: %w", err)
	}
	if b.data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		b.data = filepath.Join(cache, "throng-benchmarks")
	}
	if b.data, err = filepath.Abs(b.data); err != nil {
		return nil, err
	}
	if inside(b.root, b.data) {
		return nil, errors.New("-data: got a folder of the repository, want one elsewhere")
	}
	if err := os.MkdirAll(b.data, 0o755); err != nil {
		return nil, err
	}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.scratch, err = os.MkdirTemp(b.data, "run-"); err != nil {
		return nil, err
	}
	version, err := output(ctx, b.self, "-child", "select version() as version")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.scratch))
	}
	b.duckDBVersion = strings.TrimPrefix(version, "version\n")
	if err := b.build(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.scratch))
	}
	return b, nil
}

// inside says whether path is dir or below it.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
