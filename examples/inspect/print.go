// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
)

// maxPrinted is how many columns of an input are printed.
const maxPrinted = 200

func (r *report) head() string {
	return "A look at a sample, for the data's owner. It reads raw values and shows none, but what it says of them is\n" +
		"without noise: do not hand it to a partner.\n"
}

// grouped writes 100000 as 100,000.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

func (in *input) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s: the first %s records at most\n", in.Name, grouped(in.Records))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  column\ttype\tmissing\tdistinct\tlooks like\tsuggested")
	for _, c := range in.Columns[:min(len(in.Columns), maxPrinted)] {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.Type, c.Missing, c.Distinct, c.Looks, c.Use)
	}
	w.Flush()
	if more := len(in.Columns) - maxPrinted; more > 0 {
		fmt.Fprintln(b, "  … and more; -json lists them all")
	}
	if in.Hidden {
		fmt.Fprintln(b, "  (left out, unread: columns whose names may be values, are in few records or are too many)")
	}
}

// next says how to go on.
func (r *report) next(o *options) string {
	if len(r.Written) == 0 {
		return "\nNothing was written; -out DIR writes a draft policy and release.\n"
	}
	inputs := ""
	for _, path := range o.usage {
		inputs += " -usage " + shell(path)
	}
	for _, path := range o.visitors {
		inputs += " -visitors " + shell(path)
	}
	specs := "go run ./examples/partnerreport -policy " + shell(r.Written[0]) + " -release " + shell(r.Written[1])
	return fmt.Sprintf("\nWrote %s and %s, which hold names of columns alone. Read them, set each clamp, look at the plan,\n"+
		"then run it:\n  %s -plan\n  %[3]s \\\n    %s -out %s\n", r.Written[0], r.Written[1], specs, strings.TrimSpace(inputs), shell(o.bundle()))
}

var harmless = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// shell quotes an argument.
func shell(text string) string {
	if harmless.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
