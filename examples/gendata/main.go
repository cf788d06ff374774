// SPDX-License-Identifier: Apache-2.0

// Gendata writes made-up visitor and usage records for demos, tests and benchmarks. The same flags
// write the same bytes.
//
//	go run ./examples/gendata -rows 1000000 -people 100000 -format parquet -out /tmp/demo
//
// Exit codes: 0 done; 1 writing failed; 2 the flags are wrong.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/throngdp/throng/examples/gendata/gen"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options is what the flags say.
type options struct {
	config   gen.Config
	format   string
	visitors string
	inputs   string
	out      string
}

// run is the program without its process.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "gendata:", err)
		return 2
	}
	g, err := gen.New(o.config)
	if err != nil {
		fmt.Fprintln(stderr, "gendata:", err)
		return 2
	}
	names, err := o.write(g)
	if err != nil {
		fmt.Fprintln(stderr, "gendata:", err)
		return 1
	}
	for _, name := range names {
		fmt.Fprintln(stdout, name)
	}
	return 0
}

// parse reads the flags. Help goes to stdout; faults are the caller's to print.
func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("gendata", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.config.Rows, "rows", 100_000, "number of usage records")
	flags.IntVar(&o.config.People, "people", 10_000, "number of people they are drawn from")
	flags.Uint64Var(&o.config.Seed, "seed", 1, "what decides everything else")
	ids := flags.String("ids", "hex", "form of visitor_id: hex, uuid, int or email")
	from := flags.String("from", "2026-03-02", "first day of the log, in UTC")
	flags.IntVar(&o.config.Days, "days", 28, "number of days of the log")
	flags.Float64Var(&o.config.Spread, "spread", 1.5, "how unequal people's activity is: the sigma of its logarithm")
	agents := flags.Bool("agents", true, "write user agents, which are long")
	flags.StringVar(&o.format, "format", "csv", "csv, ndjson or parquet")
	flags.StringVar(&o.visitors, "visitors-format", "", "format of the visitors' file, where it is another")
	flags.StringVar(&o.inputs, "inputs", "joined", "joined: visitors.* and usage.*; inline: usage.* alone, with the\nperson's attributes in each record")
	flags.StringVar(&o.out, "out", ".", "folder to write to, made where missing; files in it are replaced")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stdout, "Usage: gendata [flags]\n\nWrites made-up visitor and usage records.")
			flags.SetOutput(stdout)
			flags.PrintDefaults()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("got %d arguments after the flags, want none", flags.NArg())
	}
	o.config.IDs, o.config.NoAgents = gen.IDs(*ids), !*agents
	if o.config.Days == 0 || o.config.Spread == 0 {
		return o, errors.New("-days or -spread: got 0, want more")
	}
	return o, o.check(*from)
}

// check does what the generator's own checks do not.
func (o *options) check(from string) error {
	day, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return fmt.Errorf("-from: got %q, want a day as 2026-03-02", from)
	}
	o.config.From = day
	if o.visitors == "" {
		o.visitors = o.format
	}
	for _, format := range []string{o.format, o.visitors} {
		if format != "csv" && format != "ndjson" && format != "parquet" {
			return fmt.Errorf("-format: got %q, want csv, ndjson or parquet", format)
		}
	}
	if o.inputs != "joined" && o.inputs != "inline" {
		return fmt.Errorf("-inputs: got %q, want joined or inline", o.inputs)
	}
	return nil
}

// write writes the files and returns their names.
func (o *options) write(g *gen.Generator) ([]string, error) {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return nil, err
	}
	usage := filepath.Join(o.out, "usage."+o.format)
	if o.inputs == "inline" {
		return []string{usage}, writeFile(usage, o.format, inlineRows(g))
	}
	visitors := filepath.Join(o.out, "visitors."+o.visitors)
	if err := writeFile(visitors, o.visitors, visitorRows(g)); err != nil {
		return nil, err
	}
	return []string{visitors, usage}, writeFile(usage, o.format, usageRows(g))
}

// writeFile writes rows in a format. A file that could not be finished is removed.
func writeFile[R row](path, format string, rows func(yield func(R) bool)) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path)
		}
	}()
	switch format {
	case "parquet":
		return writeParquet(f, rows)
	case "ndjson":
		return writeNDJSON(f, rows)
	}
	return writeCSV(f, rows)
}
