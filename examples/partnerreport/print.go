// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/throngdp/throng/aggregate"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func spendText(p *aggregate.Plan) string {
	return "ε = " + p.Spend.Epsilon + ", δ = " + p.Spend.Delta
}

// printResult prints each table with one line per group.
func printResult(w io.Writer, r *aggregate.Result) {
	fmt.Fprintf(w, "%s for %s: k ≥ %d people, %s per %s, 95 %% intervals\n", r.Plan.Release, r.Plan.Recipient, r.Plan.MinPeople, spendText(r.Plan), r.Plan.UnitName)
	for _, t := range r.Tables {
		fmt.Fprintf(w, "\n%s\n", t.Name)
		printTable(w, t)
	}
	if !shown(r) {
		fmt.Fprint(w, nothingShown)
	}
}

// nothingShown helps where every group is withheld. It depends on what was released alone.
const nothingShown = `
No group is shown: too few people, or their records were not understood. What cannot be read is left
out without a word, so check the policy against the files: is the id column there and of that kind
(in NDJSON a wrong path reads as null), do the words under consent, values and groups occur as written,
does the period cover the records, do numbers have a decimal point and times the form that "as" says?
`

func shown(r *aggregate.Result) bool {
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			if row.Status != aggregate.Withheld {
				return true
			}
		}
	}
	return false
}

// maxPrinted is how many groups of a table are printed; the folder has them all.
const maxPrinted = 40

func printTable(w io.Writer, t aggregate.ResultTable) {
	statistics, lines, withheld := layOut(t)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(lines) > 0 {
		fmt.Fprintf(tw, "  %s\t%s\n", strings.Join(t.Dimensions, "\t"), strings.Join(statistics, "\t"))
	}
	for _, l := range lines[:min(len(lines), maxPrinted)] {
		fmt.Fprintf(tw, "  %s\t%s\n", strings.Join(l.group, "\t"), strings.Join(l.figures, "\t"))
	}
	tw.Flush()
	if more := len(lines) - maxPrinted; more > 0 {
		fmt.Fprintf(w, "  … and %d more in the folder\n", more)
	}
	for _, b := range t.Bounding {
		if b.Warning {
			fmt.Fprintf(w, "  %s\n", b.Text)
		}
	}
	for _, c := range t.Clamping {
		if c.Warning {
			fmt.Fprintf(w, "  %s\n", c.Text)
		}
	}
	switch {
	case withheld == 1:
		fmt.Fprintln(w, "  (1 declared group withheld)")
	case withheld > 1:
		fmt.Fprintf(w, "  (%d declared groups withheld)\n", withheld)
	case len(lines) == 0:
		fmt.Fprintln(w, "  (no group shown)")
	}
}

// line is one group with its figures, in the order of the statistics.
type line struct{ group, figures []string }

// layOut puts the statistics of a group side by side. Groups of which nothing is shown are counted.
func layOut(t aggregate.ResultTable) (statistics []string, lines []line, withheld int) {
	for _, r := range t.Rows {
		if !slices.Contains(statistics, r.Statistic) {
			statistics = append(statistics, r.Statistic)
		}
	}
	slices.SortStableFunc(statistics, func(a, b string) int { return isTotal(a) - isTotal(b) })
	for rows := t.Rows; len(rows) > 0; {
		group := rows[0].Group
		l := line{group: everyone(group), figures: make([]string, len(statistics))}
		shown := false
		for len(rows) > 0 && slices.Equal(rows[0].Group, group) {
			l.figures[slices.Index(statistics, rows[0].Statistic)] = figure(rows[0])
			shown = shown || rows[0].Status != aggregate.Withheld
			rows = rows[1:]
		}
		if shown {
			lines = append(lines, l)
		} else {
			withheld++
		}
	}
	return statistics, lines, withheld
}

// isTotal is 1 for what shares are divided by, which comes last.
func isTotal(statistic string) int {
	if strings.HasSuffix(statistic, "_total") {
		return 1
	}
	return 0
}

// everyone names the dimensions that a total is summed over.
func everyone(group []string) []string {
	named := slices.Clone(group)
	for i, label := range named {
		if label == "" {
			named[i] = "(all)"
		}
	}
	return named
}

// figure is a number as a person reads it: 41.0 % (40.2–41.9).
func figure(r aggregate.Row) string {
	if r.Status == aggregate.Withheld {
		return "withheld"
	}
	unit := ""
	if r.Unit == "percent" {
		unit = " %"
	}
	text := fmt.Sprintf("%s%s (%s–%s)", r.Display, unit, r.Low, r.High)
	if r.Status == aggregate.Unreliable {
		text += " wide"
	}
	return text
}

// bar is the progress bar, on a terminal only.
type bar struct {
	bar *progressbar.ProgressBar
}

func newBar(w io.Writer, off bool) *bar {
	f, ok := w.(*os.File)
	if off || !ok || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	return &bar{progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("reading"), progressbar.OptionClearOnFinish())}
}

func (b *bar) update(p aggregate.Progress) {
	if b.bar == nil {
		return
	}
	if p.TotalBytes > 0 {
		b.bar.ChangeMax64(p.TotalBytes)
	}
	_ = b.bar.Set64(min(p.Bytes, max(p.TotalBytes, p.Bytes)))
}

func (b *bar) finish() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
