// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	usage, visitors, ids list
	out                  string
	rows                 int
	json, quiet, help    bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(v string) error {
	if v == "" {
		return errors.New("want some text")
	}
	*l = append(*l, v)
	return nil
}

const (
	defaultRows = 100_000
	mostRows    = 10_000_000
)

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("inspect", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Var(&o.usage, "usage", "usage records: a `path` or glob; may be repeated")
	f.Var(&o.visitors, "visitors", "visitor records: a `path` or glob; may be repeated")
	f.Var(&o.ids, "id", "the `column` that holds the person's id, where the guess is wrong; repeat it where it has\nanother name in the other input")
	f.IntVar(&o.rows, "rows", defaultRows, "how many `records` of each input to look at, from the first on")
	f.StringVar(&o.out, "out", "", "the `folder` to write policy.yaml and release.yaml into, neither of which it may have; without\nit nothing is written")
	f.BoolVar(&o.json, "json", false, "print the columns or errors as JSON alone on stdout")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	return f
}

// helpText is what -h prints.
func helpText() string {
	var b strings.Builder
	b.WriteString("inspect tells a data owner which columns of raw records look like what, on a sample, and drafts a\n" +
		"policy and a release. It prints and writes names of columns and no value.\n\n" +
		"  go run ./examples/inspect                            the demo's records, in testdata/\n" +
		"  go run ./examples/inspect FILE...                    usage records\n" +
		"  go run ./examples/inspect -usage PATH [-visitors PATH] [-out DIR]\n\nFlags:\n")
	f := newFlags(&options{})
	f.SetOutput(&b)
	f.PrintDefaults()
	b.WriteString("\nExit codes: 0 done; 1 reading or writing failed; 2 flags, a missing file, a schema or a folder that\n" +
		"has drafts.\n")
	return b.String()
}

// parse reads the command line: flags and files in any order. The options are there even where there is an
// error, so that it can be told in the form that was asked for.
func parse(args []string) (*options, error) {
	o := &options{}
	f := newFlags(o)
	for rest := args; len(rest) > 0; {
		if err := f.Parse(rest); err != nil {
			o.json = o.json || slices.ContainsFunc(args, isJSON) // parsing stops at the first fault
			if errors.Is(err, flag.ErrHelp) {
				o.help = true
				return o, nil
			}
			return o, commandError(err.Error() + "; see -h")
		}
		if rest = f.Args(); len(rest) > 0 {
			if rest[0] == "" {
				return o, commandError("got an empty argument, want a path; leave it out, or name one")
			}
			o.usage, rest = append(o.usage, rest[0]), rest[1:]
		}
	}
	var faults []error
	f.Visit(func(given *flag.Flag) {
		if given.Value.String() == "" {
			faults = append(faults, commandError("-"+given.Name+": got an empty text, want a path; leave the flag out, or name one"))
		}
	})
	if o.rows < 1 || o.rows > mostRows {
		faults = append(faults, commandError(fmt.Sprintf("-rows: got %d, want 1 to %d; leave the flag out", o.rows, mostRows)))
	}
	if len(o.usage) == 0 && len(o.visitors) == 0 {
		faults = append(faults, o.demo())
	}
	return o, errors.Join(faults...)
}

func isJSON(arg string) bool {
	return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, arg)
}

// demo sets the files of the project, which are found from its root alone.
func (o *options) demo() error {
	o.usage, o.visitors = list{"testdata/usage.ndjson"}, list{"testdata/visitors.csv"}
	for _, path := range []string{o.usage[0], o.visitors[0]} {
		if _, err := os.Stat(path); err != nil {
			return commandError("the demo: got a folder without " + path +
				", want the project's root; change to it, or name your own files with -usage and -visitors")
		}
	}
	return nil
}

// drafts are the paths that -out leads to.
func (o *options) drafts() (policy, release string) {
	return filepath.Join(o.out, "policy.yaml"), filepath.Join(o.out, "release.yaml")
}
