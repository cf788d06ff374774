// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"text/tabwriter"
)

// String prints the plan for a person.
func (p *Plan) String() string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-14s %s\n", label, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "Release %s (snapshot %s)\n", p.Release, p.Snapshot)
	line("recipient", "%s, for the purpose %s", p.Recipient, p.Purpose)
	line("population", "%s", p.Population)
	if p.Preset != "" {
		line("preset", "%s, with what the policy changes in it", p.Preset)
	}
	line("period", "%s", p.Period)
	if p.AsOf != "" {
		line("as of", "%s", p.AsOf)
	}
	line("protected", "each %s; neighbouring inputs: %s", p.Unit, p.Neighbors)
	line("privacy cost", "%s for everything below together (%s)", p.Spend.text(), p.composition())
	line("minimum", "%s", p.minimum())
	for _, in := range p.Inputs {
		line("reads", "of %s: %s", in.Name, strings.Join(in.Columns, ", "))
	}
	line("", "no other column is decoded")
	for _, rule := range p.Exclusions {
		line("leaves out", "%s", rule)
	}
	for _, l := range p.Lookups {
		line("labels", "%s", l)
	}
	for i := range p.Tables {
		p.Tables[i].print(&b, p.Who(), line)
	}
	if len(p.Totals) > 0 {
		fmt.Fprint(&b, "\nTotals and their parts, as displayed; where a group of either table is withheld, = becomes ≥ for what is shown (not for sums that may be below 0)\n")
		for _, t := range p.Totals {
			line("adds up", "%s", t)
		}
	}
	return b.String()
}

func (p *Plan) composition() string {
	switch p.Composition {
	case "zcdp":
		return "composed by zero-concentrated differential privacy"
	case "pld":
		return "composed by privacy loss distributions"
	}
	return "by basic composition"
}

func (p *Plan) minimum() string {
	if p.Declared == string(Noisy) {
		return fmt.Sprintf("%d people in a published group; in groups known beforehand, %d by the noisy number", p.MinPeople, p.MinPeople)
	}
	if p.UnitName == perRecord {
		return fmt.Sprintf("%d records in a published group", p.MinPeople)
	}
	return fmt.Sprintf("%d people in a published group", p.MinPeople)
}

// Who names whose contributions are bounded, as a sentence goes on: one person, or one person on one day or in one
// week.
func (p *Plan) Who() string {
	switch p.UnitName {
	case "person-" + perDay:
		return "one person on one day"
	case "person-" + perWeek:
		return "one person in one week"
	}
	if p.UnitName == perRecord {
		return "one record"
	}
	return "one person"
}

func (t *PlanTable) print(b *strings.Builder, who string, line func(label, format string, args ...any)) {
	by, groups := "of everyone", "one group"
	if len(t.GroupBy) > 0 {
		by, groups = "by "+strings.Join(t.GroupBy, " × "), "groups known beforehand"
	}
	if t.Groups == "private" {
		groups = "groups found in the data"
	}
	fmt.Fprintf(b, "\nTable %s, %s: %s\n", t.Name, by, groups)
	if t.RollUp != "" {
		line("rolls up", "%s", t.RollUp)
	}
	line("privacy cost", "%s of the budget", percent(t.Share))
	line("bounds", "%s", t.bounds(who))
	if t.Auto != "" {
		line("", "%s", t.Auto)
	}
	line("a group is", "%s; costs %s", t.Selection.Text, t.Selection.Spend.text())
	for i := range t.Draws {
		t.Draws[i].print(line)
	}
	for _, s := range t.Statistics {
		from := ""
		if s.From != s.Name {
			from = " = " + s.From
		}
		line("publishes", "%s, in %s%s", s.Name, s.Unit, from)
	}
	if t.Several != "" {
		line("splits", "%s", t.Several)
	}
	if t.Top != "" {
		line("lists", "%s", t.Top)
	}
	t.printExpected(b)
}

// printExpected prints a line for each size of a group.
func (t *PlanTable) printExpected(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "  a group of\tis shown\t")
	for _, s := range t.Statistics {
		fmt.Fprintf(w, "%s ±\t", s.Name)
	}
	fmt.Fprintln(w)
	for _, e := range t.Expected {
		fmt.Fprintf(w, "%d\t%s\t", e.People, percent(e.Chance))
		for _, s := range t.Statistics {
			text := "-"
			if half, ok := e.HalfWidths[s.Name]; ok {
				text = strconv.FormatFloat(half, 'g', -1, 64)
			}
			fmt.Fprintf(w, "%s\t", text)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if len(t.Fitted) > 0 {
		fmt.Fprintf(b, "  ± of %s: after the fit to totals and parts, if no group of these is withheld; otherwise as wide as its noise\n",
			strings.Join(t.Fitted, ", "))
	}
}

func (t *PlanTable) bounds(who string) string {
	text := who + " counts in at most " + number(t.MaxPartitions, "group")
	if t.MaxPerPartition > 0 {
		text += ", with at most " + number(t.MaxPerPartition, "record") + " in each"
	}
	if t.MaxContributions > 0 {
		text += " and " + number(t.MaxContributions, "record") + " in all"
	}
	return text
}

func (d *PlanDraw) print(line func(label, format string, args ...any)) {
	name := d.Statistic
	switch name {
	case bounding:
		name = "how many people the bounds take something from"
	case surveyGroups:
		name = "how many people have how many groups"
	case surveyRecords:
		name = "how many people have how many records in a group"
	default:
		if value, ok := strings.CutPrefix(name, surveyClamps); ok {
			name = "how many people's values of " + value + " come to how much, within each clamp"
		}
	}
	line("adds noise to", "%s: 95 %% within ±%s %s (%s, scale %s); %s of the budget",
		name, d.inUnit(d.HalfWidth), d.Unit, d.Mechanism, d.inUnit(d.Scale), percent(d.Share))
	change := fmt.Sprintf("one person changes it in at most %s, by at most %s each", number(d.L0, "group"), d.inUnit(float64(d.LInf)))
	if d.L1 > 0 {
		change += fmt.Sprintf(" and %s in all", d.inUnit(float64(d.L1)))
	}
	switch {
	case strings.HasPrefix(d.Statistic, surveyClamps):
		change = fmt.Sprintf("one person shares %s out between the clamps", d.inUnit(float64(d.LInf)))
	case d.Statistic == totalEvents:
		change = fmt.Sprintf("one person changes it by at most %s over all wholes together", d.inUnit(float64(d.LInf)))
	case d.Levels > 0:
		change = fmt.Sprintf("records are counted in %d equal parts of %s to %s and in %s above; one person changes the counts of a level by %d together, in at most %s of %s",
			d.Leaves, d.Clamp[0], d.Clamp[1], number(d.Levels-1, "level"), d.LInf, number(d.L0/d.Levels, "group"), number(d.Levels, "level"))
		if d.L1 > 0 {
			change += fmt.Sprintf(", and by %d in all groups", d.L1/d.Levels)
		}
	case d.Clamp != nil:
		change += fmt.Sprintf("; a record counts as at least %s and at most %s", d.Clamp[0], d.Clamp[1]) + d.Less()
	case d.SumClamp != nil:
		change += fmt.Sprintf("; a person counts as at least %s and at most %s in a group", d.SumClamp[0], d.SumClamp[1])
	}
	line("", "%s", change)
}

// inUnit shows a number of quanta in the unit, to four digits.
func (d *PlanDraw) inUnit(quanta float64) string {
	resolution, _, _ := strings.Cut(d.Quantum, " ")
	if step, ok := new(big.Rat).SetString(resolution); ok {
		f, _ := step.Float64()
		quanta *= f
	}
	return digits(quanta)
}

// digits shows a number to four digits, without an exponent.
func digits(f float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'e', 3, 64), 64)
	if err != nil {
		return strconv.FormatFloat(f, 'g', 4, 64)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e3)/10, 'f', -1, 64) + " %"
}

func number(n int64, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// text shows a spend; a fraction with about what it is.
func (s PlanSpend) text() string {
	if s.Epsilon == "0" && s.Delta == "0" {
		return "nothing"
	}
	return "ε = " + withDecimal(s.Epsilon) + ", δ = " + withDecimal(s.Delta)
}

func withDecimal(exact string) string {
	r, ok := new(big.Rat).SetString(exact)
	if !ok || !strings.Contains(exact, "/") {
		return exact
	}
	f, _ := r.Float64()
	return fmt.Sprintf("%s (%.3g)", exact, f)
}
