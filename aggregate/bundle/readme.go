// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/throngdp/throng/aggregate"
)

// writeReadme writes the page that a partner reads first.
func writeReadme(w io.Writer, r *aggregate.Result) error {
	out := bufio.NewWriter(w)
	p := r.Plan
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }

	line("# %s, %s", p.Release, p.Snapshot)
	line("")
	line("Aggregates about %s for %s (purpose: %s). Period: %s.", p.Population, p.Recipient, p.Purpose, p.Period)
	line("")
	line("## What the numbers are")
	line("")
	line("Every number was counted from raw records and then given random noise, so that it says almost the same whether or")
	line("not any one person is in the data. People are counted, not rows or devices.")
	line("")
	if q := quote(r); q != "" {
		line("Quote a number together with its interval, like this:")
		line("")
		line("> %s", q)
		line("")
	}
	line("%s", intervalsText)
	line("")
	line("## Columns")
	line("")
	line("`data/TABLE.csv` and `data/TABLE.parquet` hold the same rows: the dimensions, then")
	line("")
	for _, c := range columns {
		line("- `%s`: %s", c["name"], c["description"])
	}
	line("")
	line("`obs_status`: A %s; U %s; Q %s.", statuses["A"], statuses["U"], statuses["Q"])
	line("In CSV, text that a spreadsheet could run as a formula begins with an apostrophe.")
	line("")
	line("## Tables")
	for i := range p.Tables {
		writeTable(line, &p.Tables[i])
	}
	line("")
	line("## What is promised")
	line("")
	line("- Privacy unit: %s.", p.Unit)
	line("- Neighbouring inputs differ by this: %s.", p.Neighbors)
	line("- Spend: ε = %s, δ = %s per person, for everything in this folder together (%s composition).", p.Spend.Epsilon, p.Spend.Delta, p.Composition)
	line("- Minimum: %s.", minPeopleText(p))
	for _, rule := range p.Exclusions {
		line("- Left out: %s.", rule)
	}
	line("- Not protected: %s.", notProtected)
	if !r.Recorded {
		line("- Ledger: %s.", ledgerText)
	}
	line("")
	line("## What not to do")
	line("")
	line("- Do not add up rows of groups that may overlap, and do not subtract one release from another: noise adds up.")
	line("- Do not read a missing row or Q as zero.")
	line("- Do not try to find out about a person. The noise is there so that you cannot.")
	line("")
	line("## Check the files")
	line("")
	line("    sha256sum -c SHA256SUMS")
	return out.Flush()
}

func writeTable(line func(string, ...any), t *aggregate.PlanTable) {
	by := "everyone"
	if len(t.GroupBy) > 0 {
		by = strings.Join(t.GroupBy, " × ")
	}
	line("")
	line("### %s: by %s", t.Name, by)
	line("")
	if t.Groups == "declared" {
		line("Every group is listed, whatever the data holds; a group is %s.", t.Selection.Text)
	} else {
		line("Groups come from the data; a group is %s. A group that is not listed may have people in it.", t.Selection.Text)
	}
	bounds := fmt.Sprintf("One person counts in at most %d group(s)", t.MaxPartitions)
	if t.MaxPerPartition > 0 {
		bounds += fmt.Sprintf(", with at most %d record(s) in each", t.MaxPerPartition)
	}
	line("%s.", bounds)
	line("")
	for _, d := range t.Draws {
		line("- `%s` carries %s noise of standard deviation %.4g (95 %% within ±%.4g), in steps of %s.", d.Statistic, d.Mechanism, d.StdDev, d.HalfWidth, d.Quantum)
	}
	for _, s := range t.Statistics {
		if s.From != s.Name {
			line("- `%s` is %s.", s.Name, s.From)
		}
	}
}

// quote words the first share, or else the first number, that may be quoted.
func quote(r *aggregate.Result) string {
	var first string
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			if row.Status != aggregate.Normal {
				continue
			}
			group := strings.Join(nonEmpty(row.Group), ", ")
			if group == "" {
				group = "everyone"
			}
			if row.Unit == "percent" {
				return fmt.Sprintf("%s (%s): %s %% (95 %% interval %s–%s)", plain(group), row.Statistic, row.Display, row.Low, row.High)
			}
			if first == "" {
				first = fmt.Sprintf("%s (%s): %s %s (95 %% interval %s–%s)", plain(group), row.Statistic, row.Display, row.Unit, row.Low, row.High)
			}
		}
	}
	return first
}

func nonEmpty(labels []string) []string {
	var out []string
	for _, l := range labels {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// plain escapes what Markdown would take for markup: a label may come from the data.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#!|&~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
