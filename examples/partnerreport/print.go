// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
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

// fault is an error as JSON.
type fault struct {
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

func errorJSON(err error) any {
	var faults []fault
	for _, e := range aggregate.Faults(err) {
		f := fault{Message: e.Error()}
		var field *aggregate.FieldError
		if errors.As(e, &field) {
			f.Path, f.File, f.Line = field.Path, field.File, field.Line
		}
		faults = append(faults, f)
	}
	return map[string]any{"errors": faults, "exit_code": exitCode(err)}
}

func spendText(p *aggregate.Plan) string {
	return "ε = " + p.Spend.Epsilon + ", δ = " + p.Spend.Delta
}

// printResult prints each table with one line per group.
func printResult(w io.Writer, r *aggregate.Result) {
	fmt.Fprintf(w, "%s for %s: k ≥ %d people, %s per person, 95 %% intervals\n", r.Plan.Release, r.Plan.Recipient, r.Plan.MinPeople, spendText(r.Plan))
	for _, t := range r.Tables {
		fmt.Fprintf(w, "\n%s\n", t.Name)
		printTable(w, t)
	}
}

// maxPrinted is how many groups of a table are printed; the folder has them all.
const maxPrinted = 40

func printTable(w io.Writer, t aggregate.ResultTable) {
	statistics, lines, withheld := layOut(t)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "  %s\t%s\n", strings.Join(t.Dimensions, "\t"), strings.Join(statistics, "\t"))
	for _, l := range lines[:min(len(lines), maxPrinted)] {
		fmt.Fprintf(tw, "  %s\t%s\n", strings.Join(l.group, "\t"), strings.Join(l.figures, "\t"))
	}
	tw.Flush()
	if more := len(lines) - maxPrinted; more > 0 {
		fmt.Fprintf(w, "  … and %d more groups in the folder\n", more)
	}
	if withheld > 0 {
		fmt.Fprintf(w, "  (%d declared groups withheld)\n", withheld)
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
	for rows := t.Rows; len(rows) > 0; {
		l := line{group: rows[0].Group, figures: make([]string, len(statistics))}
		shown := false
		for len(rows) > 0 && slices.Equal(rows[0].Group, l.group) {
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
