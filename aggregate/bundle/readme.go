// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle/internal/tablefile"
)

// page writes README.md, line by line.
type page struct{ out *bufio.Writer }

func (p page) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p page) heading(text string) { p.line("\n%s\n", text) }

// writeReadme writes the page that a partner reads first.
func writeReadme(w io.Writer, r *aggregate.Result) error {
	p := page{bufio.NewWriter(w)}
	p.line("# %s, %s\n", r.Plan.Release, r.Plan.Snapshot)
	p.line("Aggregates about %s for %s (purpose: %s).", r.Plan.Population, r.Plan.Recipient, r.Plan.Purpose)
	p.people(r.Plan)
	p.numbers(r)
	p.files()
	for i := range r.Plan.Tables {
		p.table(&r.Plan.Tables[i], r.Plan.Who(), took(r, r.Plan.Tables[i].Name))
	}
	p.totals(r.Plan.Totals)
	p.promise(r)
	p.heading("## What not to do")
	p.line("- Do not add rows up. One person can be in several groups, and noise adds up too: the sum of two rows is off by about")
	p.line("  1.4 times, of a hundred rows by about ten times as much as one. Ask for the larger group instead.")
	p.line("- Do not subtract one row or release from another: the difference of two close numbers is mostly noise.")
	p.line("- Do not read a missing row or an empty cell as zero.")
	p.line("- Do not try to find out about a person, and do not combine this with other data to that end.")
	p.heading("## Check the files")
	p.line("    sha256sum -c SHA256SUMS\n")
	p.line("This finds damage, not forgery. Whom to ask, the licence and known errors are matters of whoever gave you this folder.")
	return p.out.Flush()
}

func (p page) people(plan *aggregate.Plan) {
	p.heading("## Who is in it")
	record := "record"
	if len(plan.Inputs) > 0 {
		record = plan.Inputs[0].Name + " record"
	}
	p.line("People who have at least one %s that is not left out. People are counted, not rows or devices.\n", record)
	if plan.Period == "all" {
		p.line("- Period: all records that were at hand.")
	} else {
		p.line("- Period: %s.", plan.Period)
	}
	for _, rule := range plan.Exclusions {
		p.line("- Left out: %s.", rule)
	}
}

func (p page) numbers(r *aggregate.Result) {
	p.heading("## What the numbers are")
	p.line("Every number was counted from raw records and then given random noise, so that it says almost the same whether or")
	p.line("not any one person is in the data.")
	if row, text := example(r); row != nil {
		p.line("\nQuote a number together with its interval, like this:\n\n> %s\n", text)
		p.line("That says: without noise the number would lie between %s and %s. Of twenty such statements one may be wrong, and", row.Low, row.High)
		p.line("nothing tells where in the interval the number lies.")
	}
	p.line("\n%s", intervalsText)
}

func (p page) files() {
	p.heading("## How to read the files")
	p.line("`data/TABLE.csv` and `data/TABLE.parquet` hold the same rows: one column per dimension, then\n")
	for _, c := range columns {
		p.line("- `%s`: %s", c["name"], c["description"])
	}
	p.line("\nWhat `obs_status` says:\n")
	for _, code := range []aggregate.Status{aggregate.Normal, aggregate.Unreliable, aggregate.Withheld} {
		p.line("- `%s`: %s", code, statuses[string(code)])
	}
	p.line("\nEmpty cells: `value`, `display`, `ci_low` and `ci_high` are empty where the number is withheld (`Q`), and never because")
	p.line("it is zero. A dimension is empty in the row of a total, which covers all of its groups.\n")
	p.line("Rounding: people and events are whole numbers; shares are quoted with one decimal and computed with four. Quoted shares")
	p.line("of a whole add up to exactly 100 where none of them is withheld and the groups are known beforehand.\n")
	p.line("In CSV, text that a spreadsheet could run as a formula begins with an apostrophe, and some programs take a label such as")
	p.line("NA for a missing one. Parquet has types, and neither happens.")
}

func (p page) promise(r *aggregate.Result) {
	p.heading("## What is promised")
	plan := r.Plan
	p.line("- Protected: each %s. The guarantee is differential privacy; neighbouring inputs: %s.", plan.Unit, plan.Neighbors)
	p.line("- Privacy loss: at most ε = %s, δ = %s per %s for everything in this folder together (%s composition). Other",
		plan.Spend.Epsilon, plan.Spend.Delta, plan.UnitName, plan.Composition)
	p.line("  releases about the same people add to it.")
	p.line("- Minimum: %s.", minPeopleText(plan))
	p.line("- Not protected: %s.", notProtected)
	if !r.Recorded {
		p.line("- Ledger: %s. Nothing enforces a total over several releases.", ledgerText)
	}
}

func (p page) totals(totals []string) {
	if len(totals) == 0 {
		return
	}
	p.heading("## Totals")
	p.line("`display` is such that these hold; `value` stays as it was drawn. Where a group of either table is withheld, = becomes ≥ for")
	p.line("what is shown, and nothing is said of sums that may be below 0. What is left of a total is no number to quote: it is")
	p.line("mostly noise, and may rest on a few people.\n")
	for _, t := range totals {
		p.line("- %s.", t)
	}
}

// took says what the bounds and clamps of a table took.
func took(r *aggregate.Result, table string) (texts []string) {
	for _, t := range r.Tables {
		if t.Name != table {
			continue
		}
		for _, b := range t.Bounding {
			texts = append(texts, "Of bounds: "+b.Text)
		}
		for _, c := range t.Clamping {
			texts = append(texts, "Of clamps: "+c.Text)
		}
	}
	return texts
}

func (p page) table(t *aggregate.PlanTable, who string, took []string) {
	by := "everyone"
	if len(t.GroupBy) > 0 {
		by = strings.Join(t.GroupBy, " × ")
	}
	p.heading(fmt.Sprintf("## Table `%s`: by %s", t.Name, by))
	if t.Groups == "declared" {
		p.line("Every group is listed, whatever the data holds. Its numbers are %s.", t.Selection.Text)
	} else {
		p.line("Groups come from the data; a group is %s. A group that is not listed may have people in it.", t.Selection.Text)
	}
	bounds := strings.ToUpper(who[:1]) + who[1:] + " counts in at most " + number(t.MaxPartitions, "group")
	if t.MaxPerPartition > 0 {
		bounds += ", with at most " + number(t.MaxPerPartition, "record") + " in each"
	}
	if t.MaxContributions > 0 {
		bounds += " and " + number(t.MaxContributions, "record") + " in all: who has more keeps one in each group and, of the others, each group's share"
	}
	p.line("%s.", bounds)
	if t.Auto != "" {
		p.line("These bounds are %s.", t.Auto)
	}
	if t.RollUp != "" {
		p.line("These are %s. Do not add the two tables up.", t.RollUp)
	}
	if t.Several != "" {
		p.line("%s.", strings.ToUpper(t.Several[:1])+t.Several[1:])
	}
	if t.Top != "" {
		p.line("Listed are %s.", t.Top)
	}
	for _, text := range took {
		p.line("%s.", text)
	}
	p.line("")
	for i := range t.Draws {
		d := &t.Draws[i]
		p.line("- `%s` carries noise (%s): 95 %% of the time it is off by at most %s %s.", d.Statistic, d.Mechanism, inUnit(d, d.HalfWidth), d.Unit)
		switch {
		case d.Levels > 0:
			p.line("  These are the numbers of records in %d equal parts of %s to %s, and in larger parts; each has noise of its own.", d.Leaves, d.Clamp[0], d.Clamp[1])
		case d.Clamp != nil:
			p.line("  A record counts as at least %s and at most %s%s.", d.Clamp[0], d.Clamp[1], d.Less())
		case d.SumClamp != nil:
			p.line("  A person counts as at least %s and at most %s in a group.", d.SumClamp[0], d.SumClamp[1])
		}
	}
	for _, s := range t.Statistics {
		if s.From != s.Name {
			p.line("- `%s` is %s.", s.Name, s.From)
		}
	}
}

func number(n int64, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// inUnit shows a number of a draw's quanta in its unit, to four digits and without an exponent.
func inUnit(d *aggregate.PlanDraw, quanta float64) string {
	step, _, _ := strings.Cut(d.Quantum, " ")
	if r, ok := new(big.Rat).SetString(step); ok {
		f, _ := r.Float64()
		quanta *= f
	}
	if quanta >= 1000 {
		return strconv.FormatFloat(math.Round(quanta), 'f', -1, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(quanta, 'e', 3, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// example returns the first share, or else the first number, that may be quoted, and words it.
func example(r *aggregate.Result) (row *aggregate.Row, text string) {
	for i := range r.Tables {
		t := &r.Tables[i]
		for j := range t.Rows {
			next := &t.Rows[j]
			if next.Status != aggregate.Normal || row != nil && next.Unit != "percent" {
				continue
			}
			row = next
			unit := strings.Replace(row.Unit, "percent", "%", 1)
			text = fmt.Sprintf("%s %s (95 %% interval %s to %s): `%s` of %s in table `%s`",
				row.Display, unit, row.Low, row.High, row.Statistic, groupText(t.Dimensions, row.Group), t.Name)
			if row.Unit == "percent" {
				return row, text
			}
		}
	}
	return row, text
}

func groupText(dimensions, labels []string) string {
	var parts []string
	for i, label := range labels {
		if label != "" {
			parts = append(parts, fmt.Sprintf("%s = %s", dimensions[i], code(label)))
		}
	}
	if parts == nil {
		return "everyone"
	}
	return strings.Join(parts, ", ")
}

// code shows a label as a Markdown code span, in which nothing is markup: a label may come from the
// data.
func code(label string) string {
	label = tablefile.ParquetText(label)
	fence := "`"
	for strings.Contains(label, fence) {
		fence += "`"
	}
	if fence == "`" {
		return fence + label + fence
	}
	return fence + " " + label + " " + fence
}
