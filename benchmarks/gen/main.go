// SPDX-License-Identifier: Apache-2.0

// Gen writes the records that the benchmarks read: usage.parquet and, where asked, the people's own
// file. The same flags write the same bytes.
//
//	go run ./benchmarks/gen -rows 10000000 -out /tmp/usage.parquet -visitors /tmp/visitors.parquet
//
// Exit codes: 0 done; 1 writing failed; 2 the flags are wrong.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/throngdp/throng/benchmarks/internal/data"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program without its process.
func run(args []string, stdout, stderr io.Writer) int {
	var c data.Config
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Int64Var(&c.Rows, "rows", 1_000_000, "number of usage records")
	flags.Int64Var(&c.People, "people", 0, "number of people they are drawn from (default rows/10)")
	flags.Uint64Var(&c.Seed, "seed", 1, "what decides everything else")
	flags.IntVar(&c.Days, "days", 14, "number of days of the log")
	flags.StringVar(&c.IDs, "ids", "hex16", "form of user_id: hex16, uuid, int64 or bin16")
	flags.StringVar(&c.Sort, "sort", "time", "order of the records: time or user")
	flags.StringVar(&c.Format, "format", "parquet", "parquet, csv or ndjson")
	flags.StringVar(&c.Codec, "codec", "snappy", "compression of Parquet: snappy, zstd or none")
	pages := flags.String("pages", "plain", "encoding of user_id in Parquet: plain or dict")
	out := flags.String("out", "", "file of the usage records, replaced where it is there")
	visitors := flags.String("visitors", "", "file of the people, a row each (default: none)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "Usage: gen [flags]\n\nWrites the records that the benchmarks read.")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err != nil:
		return fail(stderr, 2, err)
	case flags.NArg() > 0:
		return fail(stderr, 2, fmt.Errorf("got %d arguments after the flags, want none", flags.NArg()))
	case *out == "":
		return fail(stderr, 2, errors.New("-out: got none, want a file"))
	case *pages != "plain" && *pages != "dict":
		return fail(stderr, 2, fmt.Errorf("-pages: got %q, want plain or dict", *pages))
	}
	if c.DictIDs = *pages == "dict"; c.People == 0 {
		c.People = max(c.Rows/10, 1)
	}
	g, err := data.New(c)
	if err != nil {
		return fail(stderr, 2, err)
	}
	if err := write(*out, g.WriteUsage); err != nil {
		return fail(stderr, 1, err)
	}
	if *visitors == "" {
		return 0
	}
	if err := write(*visitors, g.WriteVisitors); err != nil {
		return fail(stderr, 1, err)
	}
	return 0
}

func fail(stderr io.Writer, code int, err error) int {
	fmt.Fprintln(stderr, "gen:", err)
	return code
}

// write writes a file. One that could not be finished is removed.
func write(path string, content func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path)
		}
	}()
	return content(f)
}
