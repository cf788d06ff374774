// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	policy, release, out string
	samples              int
	json, quiet, help    bool
}

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("audit", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.policy, "policy", "", "the data owner's policy `file`")
	f.StringVar(&o.release, "release", "", "the analyst's release `file`")
	f.StringVar(&o.out, "out", "", "the `folder` to write audit.json into: new, or one that holds an audit alone; without it\nnothing is written")
	f.IntVar(&o.samples, "n", 0, "how many `draws` of each statistic on each side; 0 means what takes some 20 seconds in all")
	f.BoolVar(&o.json, "json", false, "print the report or errors as JSON alone on stdout")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	return f
}

// helpText is what -h prints.
func helpText() string {
	var b strings.Builder
	b.WriteString("audit checks what a release claims on made-up records. It reads no data.\n\n" +
		"  go run ./examples/audit                              the demo's policy and release\n" +
		"  go run ./examples/audit -policy F -release F [-out DIR] [-n N]\n\nFlags:\n")
	f := newFlags(&options{})
	f.SetOutput(&b)
	f.PrintDefaults()
	b.WriteString("\nExit codes: 0 every claim held; 1 reading or writing failed; 2 flags, policy or release; 3 a claim is\n" +
		"violated.\n")
	return b.String()
}

// mostDraws bounds -n.
const mostDraws = 100_000_000

// parse reads the command line. The options are there even where there is an error.
func parse(args []string) (*options, error) {
	o := &options{}
	f := newFlags(o)
	if err := f.Parse(args); err != nil {
		o.json = o.json || slices.ContainsFunc(args, isJSON) // parsing stops at the first fault
		if errors.Is(err, flag.ErrHelp) {
			o.help = true
			return o, nil
		}
		return o, commandError(err.Error() + "; see -h")
	}
	if f.NArg() > 0 {
		o.json = o.json || slices.ContainsFunc(f.Args(), isJSON)
		return o, commandError(fmt.Sprintf("got the stray argument %q, want flags only; see -h", f.Arg(0)))
	}
	var faults []error
	f.Visit(func(given *flag.Flag) {
		if given.Value.String() == "" {
			faults = append(faults, commandError("-"+given.Name+": got an empty text, want a path; leave the flag out, or name one"))
		}
	})
	if o.samples < 0 || o.samples > mostDraws {
		faults = append(faults, commandError(fmt.Sprintf("-n: got %d, want 0 to %d; leave the flag out", o.samples, mostDraws)))
	}
	return o, errors.Join(append(faults, o.complete(len(faults) > 0))...)
}

func isJSON(arg string) bool {
	return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, arg)
}

// complete fills in the demo where neither file was named, and refuses halves.
func (o *options) complete(faulty bool) error {
	switch {
	case o.policy == "" && o.release == "" && !faulty:
		return o.demo()
	case o.policy == "" && o.release != "":
		return commandError("-policy: got nothing, want the policy that the release is made under; name it")
	case o.release == "" && o.policy != "":
		return commandError("-release: got nothing, want the release to audit; name it")
	}
	return nil
}

// demo sets the files of the project, which are found from its root alone.
func (o *options) demo() error {
	o.policy, o.release = "examples/partnerreport/policy.yaml", "examples/partnerreport/release.yaml"
	for _, path := range []string{o.policy, o.release} {
		if _, err := os.Stat(path); err != nil {
			return commandError("the demo: got a folder without " + path +
				", want the project's root; change to it, or name your own files with -policy and -release")
		}
	}
	return nil
}
