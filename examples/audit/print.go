// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/throngdp/throng/aggregate/audit"
)

// reportText is the report for people.
func reportText(r *audit.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s claims ε = %s, δ = %s (%s).\n", r.Release, r.Population, r.Claim.Epsilon, r.Claim.Delta, r.Claim.Composition)
	fmt.Fprintf(&b, "\nRules, on %d pairs of made-up worlds\n", r.Pairs)
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "  %-6s  %s (%d comparisons)\n", word(c.Passed), c.Compared, c.Count)
		for _, fault := range c.Faults {
			fmt.Fprintf(&b, "          %s\n", fault)
		}
	}
	b.WriteString("\nSamples of the real noise\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  \tstatistic\tmeasure\tfound\tclaimed\tdraws")
	for _, s := range r.Bounds {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s %.4g\t%.4g\t%d\n", word(s.Passed), s.Statistic, s.Measure, sign(s), s.Bound, s.Claim, s.Samples)
	}
	w.Flush()
	if len(r.Unseen) > 0 {
		fmt.Fprintf(&b, "\nNot reached, so not checked: %s\n", strings.Join(r.Unseen, ", "))
	}
	if r.Violated {
		b.WriteString("\nVIOLATED\n")
	} else {
		b.WriteString("\nEvery claim held. That is no proof: an audit finds faults and cannot exclude them.\n")
	}
	return b.String()
}

func word(passed bool) string {
	if passed {
		return "ok"
	}
	return "FAILED"
}

// sign says on which side of the true number a bound is.
func sign(b audit.Bound) string {
	if b.Measure == "scale" {
		return "≤"
	}
	return "≥"
}
