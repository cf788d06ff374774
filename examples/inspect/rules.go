// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/throngdp/throng/aggregate"
)

// first is the first column of a role.
func (d *draft) first(want role) *column {
	for c := range d.r.columns {
		if c.role == want {
			return c
		}
	}
	return nil
}

// exclude writes the rules that leave people out.
func (d *draft) exclude() string {
	var b strings.Builder
	ages := ""
	if c := d.first(consent); c != nil {
		fmt.Fprintf(&b, "  consent: {from: %s, column: %s, allow: %s}   # words of ours for yes: write the file's own\n", c.input, quote(c.Name), flow(yesWords))
	}
	if c := d.first(ageBand); c != nil {
		rule := fmt.Sprintf("under_age: {from: %s, column: %s, as: %s, below: 16}", c.input, quote(c.Name), c.as)
		if c.Missing == "most" {
			// Whoever has a record without an age would be left out.
			ages = "  # Most records have no age, which this rule would count as a no: keep ages apart, as visitors, and add\n  # " + rule + "\n"
		} else {
			b.WriteString("  " + rule + "\n")
		}
	}
	b.WriteString(d.optOuts())
	b.WriteString(d.signals())
	if c := d.first(agent); c != nil {
		fmt.Fprintf(&b, "  bots: {from: %s, column: %s, unset: %s}\n", c.input, quote(c.Name), unset(c))
	}
	if b.Len() == 0 {
		return "\n# Nobody is left out: no column looks like a consent, an opt-out, an age or a signal.\n" + ages
	}
	return "\n# Who is left out, whole. What cannot be read counts as a no.\nexclude:\n" + b.String() + ages
}

// unset keeps people whose records often lack a header.
func unset(c *column) string {
	if c.Missing == "none" {
		return "exclude"
	}
	return "keep"
}

// mostOptOuts is how many a policy takes.
const mostOptOuts = 8

func (d *draft) optOuts() string {
	var b strings.Builder
	n := 0
	for c := range d.r.columns {
		if c.role == optOut && n < mostOptOuts {
			n++
			fmt.Fprintf(&b, "    - {from: %s, column: %s, allow: %s}   # words of ours for no; unset: keep where silence means no\n", c.input, quote(c.Name), flow(noWords))
		}
	}
	if n == 0 {
		return ""
	}
	return "  opt_outs:\n" + b.String()
}

// signals are of one input: the usage's, where it has any.
func (d *draft) signals() string {
	for _, in := range d.r.Inputs {
		var parts []string
		seen := map[role]bool{}
		for _, c := range in.Columns {
			if name := map[role]string{gpc: "gpc", dnt: "dnt", coppa: "coppa"}[c.role]; name != "" && !seen[c.role] {
				seen[c.role] = true
				parts = append(parts, name+": "+quote(c.Name))
			}
		}
		if len(parts) > 0 {
			return fmt.Sprintf("  signals: {from: %s, %s, unset: keep}\n", in.Name, strings.Join(parts, ", "))
		}
	}
	return ""
}

// flow writes words as a list.
func flow(words []string) string { return `["` + strings.Join(words, `", "`) + `"]` }

// How many tables of each kind a release is drafted with. Each more makes all of them less exact; the others
// stand there as comments.
const (
	personTables = 2
	eventTables  = 1
)

// release writes the release's text; the policy's comes first.
func (d *draft) release() string {
	var b strings.Builder
	b.WriteString("# A draft of what an analyst asks for under policy.yaml beside it. It can only ask for less than that allows.\n" +
		"version: 1\nname: audience\nsnapshot: first                    # the owner's name for this state of the data\n" +
		"recipient: partner\npurpose: statistics\nperiod: all                        # or {from: 2026-03-02, to: 2026-03-09}; the end is exclusive\n")
	if d.births {
		fmt.Fprintf(&b, "as_of: %s                 # when births become ages\n", d.r.today.Format("2006-01-02"))
	}
	b.WriteString("spend: {epsilon: \"1\", delta: \"1e-9\"}   # for all tables together\ntables:\n  - name: everyone\n")
	const bounds = "    bounds: {max_per_partition: 20}   # records of one person that count\n"
	if d.usage {
		b.WriteString(bounds + "    statistics: [visitors, events]\n")
	} else {
		b.WriteString("    statistics: [visitors]\n")
	}
	// A table of its own: whoever has no value is not in it.
	if c := d.fullest(); c != nil {
		fmt.Fprintf(&b, "  - name: mean_%s\n%s    statistics: [{mean: %s}]\n", d.valueNames[c][:min(len(d.valueNames[c]), 50)], bounds, d.valueNames[c])
	}
	d.tables(&b, d.prefer(d.person), personTables, "    statistics: [visitors, {share: visitors}]\n")
	d.tables(&b, d.prefer(d.event), eventTables, "    bounds: {max_partitions: 3, max_per_partition: 10}   # groups and records of one person that count\n"+
		"    statistics: [visitors, events]\n")
	return b.String()
}

// fullest is the first value of those that the fewest records lack.
func (d *draft) fullest() *column {
	for _, missing := range []string{"none", "some", "most"} {
		for _, c := range d.values {
			if c.Missing == missing {
				return c
			}
		}
	}
	return nil
}

// tables writes a table for each dimension, as a comment from the limit on.
func (d *draft) tables(b *strings.Builder, dimensions []string, limit int, rest string) {
	for i, name := range dimensions {
		text := fmt.Sprintf("  - name: %s\n    group_by: [%[1]s]\n%s", name, rest)
		if i >= limit {
			text = "#" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n#") + "\n"
		}
		b.WriteString(text)
	}
}

// prefer puts what partners ask for first.
func (d *draft) prefer(dimensions []string) []string {
	var first, rest []string
	for _, name := range dimensions {
		c := newColumn(aggregate.Usage, name)
		if c.has("gender") || c.has("age") || c.hasWords("section") || c.hasWords("module") {
			first = append(first, name)
		} else {
			rest = append(rest, name)
		}
	}
	return append(first, rest...)
}
