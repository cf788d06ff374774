// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// options are the flags.
type options struct {
	policy, release, out, init       string
	target, key                      string
	usage, visitors, links, listed   list
	consents                         list
	memory                           size
	workers                          int
	plan, json, quiet, version, help bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(v string) error {
	if v == "" {
		return errors.New("want a path or a glob")
	}
	*l = append(*l, v)
	return nil
}

// minMemory is the least limit that a [aggregate.Runner] can keep.
const minMemory = 64 << 20

// size is a flag that is a number of bytes.
type size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}}

func (s *size) String() string {
	for _, u := range slices.Backward(units) {
		if n := int64(*s); n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}

func (s *size) Set(v string) error {
	for _, u := range units {
		text, ok := strings.CutSuffix(v, u.suffix)
		n, err := strconv.ParseInt(text, 10, 64)
		if ok && err == nil && n >= 0 && n <= math.MaxInt64/u.bytes && n*u.bytes >= minMemory {
			*s = size(n * u.bytes)
			return nil
		}
	}
	return errors.New("want at least 64MiB, as a whole number with KiB, MiB, GiB or TiB; such as 1GiB")
}

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("partnerreport", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.policy, "policy", "", "the data owner's policy `file`")
	f.StringVar(&o.release, "release", "", "the analyst's release `file`")
	f.Var(&o.usage, "usage", "usage records: a `path` or glob; may be repeated")
	f.Var(&o.visitors, "visitors", "visitor records: a `path` or glob; may be repeated")
	f.Var(&o.listed, "listed", "records of ids of people who are left out: a `path` or glob; may be repeated")
	f.Var(&o.consents, "consents", "records of what people have decided: a `path` or glob; may be repeated")
	f.Var(&o.links, "links", "records of ids that are one person's: a `path` or glob; may be repeated")
	f.StringVar(&o.key, "key", "", "a `file` of 32 to 4096 random bytes, mode 0600, that ids are hashed under: people whom the cap of\nlinks cuts apart are then cut in the same way in every run (head -c 32 /dev/urandom > key)")
	f.StringVar(&o.out, "out", "out", "the `folder` to write: new, or a bundle to replace")
	f.Var(&o.memory, "memory", "the most that records may take up in memory, such as `1GiB`; the rest goes to\nan encrypted temporary file (TMPDIR) that nobody else can read")
	f.IntVar(&o.workers, "workers", 0, "how many goroutines read and aggregate; 0 means one per `processor`")
	f.BoolVar(&o.plan, "plan", false, "print what would be done; read no data")
	f.StringVar(&o.target, "target", "", "with -plan: the least ε for a `width`, such as \"share:gender ±1 at 5000\": half of the\ninterval of that statistic and table in a group of so many people")
	f.BoolVar(&o.json, "json", false, "print the result, the plan or errors as JSON alone on stdout")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	f.StringVar(&o.init, "init", "", "write commented policy and release files into a `folder`, to start from")
	f.BoolVar(&o.version, "version", false, "print the version")
	return f
}

// helpText is what -h prints.
func helpText() string {
	var b strings.Builder
	b.WriteString("partnerreport turns raw visitor and usage records into a folder for a partner.\n\n" +
		"  go run ./examples/partnerreport                      the demo, on testdata/\n" +
		"  go run ./examples/partnerreport -init DIR            write files to start from\n" +
		"  go run ./examples/partnerreport -policy F -release F -usage PATH [-visitors PATH] [-out DIR]\n\nFlags:\n")
	f := newFlags(&options{})
	f.SetOutput(&b)
	f.PrintDefaults()
	b.WriteString("\nExit codes: 0 done; 1 reading or writing failed; 2 flags, policy, release, a missing file\n" +
		"or a schema; 3 refused, what is left of the budget does not allow it.\n")
	return b.String()
}

// parse reads the command line. The options are there even where there is an error, so that it can be
// told in the form that was asked for.
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
		return o, commandError(fmt.Sprintf("got the stray argument %q, want flags only; %s", f.Arg(0), strayFix(f.Args())))
	}
	var errs []error
	f.Visit(func(given *flag.Flag) {
		if given.Value.String() == "" {
			errs = append(errs, commandError("-"+given.Name+": got an empty text, want a path; leave the flag out, or name one"))
		}
	})
	if o.target != "" && !o.plan {
		errs = append(errs, commandError("-target: got it without -plan, want both; a target changes a plan and no release"))
	}
	if err := errors.Join(errs...); err != nil || o.version || o.init != "" {
		return o, err
	}
	return o, o.complete()
}

func isJSON(arg string) bool {
	return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, arg)
}

// strayFix tells the likely reason: a shell has expanded a glob before the flag could.
func strayFix(stray []string) string {
	if _, err := os.Lstat(stray[0]); err == nil {
		return "repeat -usage or -visitors for each file, or put a glob in quotes"
	}
	return "see -h"
}

// complete fills in the demo where nothing was asked for, and refuses halves.
func (o *options) complete() error {
	if o.policy == "" && o.release == "" && len(o.usage) == 0 && len(o.visitors) == 0 {
		return o.demo()
	}
	var missing []error
	if o.policy == "" {
		missing = append(missing, commandError("-policy: got nothing, want the policy file; -init DIR writes one to start from"))
	}
	if o.release == "" {
		missing = append(missing, commandError("-release: got nothing, want the release file; -init DIR writes one to start from"))
	}
	if !o.plan && len(o.usage) == 0 && len(o.visitors) == 0 {
		missing = append(missing, commandError("-usage: got nothing, want the records to read; name a path or a glob in quotes"))
	}
	if o.workers < 0 {
		missing = append(missing, commandError(fmt.Sprintf("-workers: got %d, want 0 or more; leave the flag out for one per processor", o.workers)))
	}
	return errors.Join(missing...)
}

// demo sets the files of the project, which are found from its root alone.
func (o *options) demo() error {
	o.policy, o.release = "examples/partnerreport/policy.yaml", "examples/partnerreport/release.yaml"
	o.usage, o.visitors = list{"testdata/usage.ndjson"}, list{"testdata/visitors.csv"}
	for _, path := range []string{o.policy, o.release, o.usage[0], o.visitors[0]} {
		if _, err := os.Stat(path); err != nil {
			return commandError("the demo: got a folder without " + path +
				", want the project's root; change to it, or name your own files with -policy, -release and -usage")
		}
		if o.plan && path == o.release {
			return nil // a plan reads no data
		}
	}
	return nil
}
