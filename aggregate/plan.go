// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

// Plan says everything that a release will do: what is read, how it is bounded, which noise is drawn
// and what it costs. It depends on the policy and the release alone, so the same two give the same
// plan, byte for byte.
type Plan struct {
	Population string    `json:"population"`
	Release    string    `json:"release"`
	Snapshot   string    `json:"snapshot"`
	Recipient  string    `json:"recipient"`
	Purpose    string    `json:"purpose"`
	Period     string    `json:"period"`
	Unit       string    `json:"privacy_unit"`
	Neighbors  string    `json:"neighboring"`
	MinPeople  int64     `json:"min_people"`
	Declared   string    `json:"min_people_declared"`
	Spend      PlanSpend `json:"spend"`
	// Composition names the theorem by which the parts add up to Spend.
	Composition string      `json:"composition"`
	Confidence  float64     `json:"confidence"`
	Inputs      []PlanInput `json:"inputs"`
	// Exclusions says, rule by rule, whose records are left out.
	Exclusions []string    `json:"exclusions"`
	Tables     []PlanTable `json:"tables"`
}

// PlanSpend is an (ε, δ) pair as exact text.
type PlanSpend struct {
	Epsilon string `json:"epsilon"`
	Delta   string `json:"delta"`
}

func planSpend(s dp.Spend) PlanSpend {
	p := PlanSpend{"0", "0"}
	if s.Epsilon.IsSet() {
		p.Epsilon = s.Epsilon.String()
	}
	if s.Delta.IsSet() {
		p.Delta = s.Delta.String()
	}
	return p
}

// PlanInput lists the columns of one input that are decoded. No other is.
type PlanInput struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// PlanTable is the plan of one table.
type PlanTable struct {
	Name    string   `json:"name"`
	GroupBy []string `json:"group_by"`
	// Groups is "declared" or "private".
	Groups          string         `json:"groups"`
	MaxPartitions   int64          `json:"max_partitions"`
	MaxPerPartition int64          `json:"max_per_partition,omitempty"`
	Selection       PlanSelection  `json:"selection"`
	Draws           []PlanDraw     `json:"draws"`
	Statistics      []PlanFigure   `json:"statistics"`
	Spend           PlanSpend      `json:"spend"`
	Clamps          map[string]any `json:"clamps,omitempty"`
}

// PlanSelection says which groups are shown.
type PlanSelection struct {
	// Rule is threshold, partition_selection or noisy_minimum.
	Rule string `json:"rule"`
	// ShownFrom is the noisy number of people from which a group is shown; 0 for partition selection.
	ShownFrom int64     `json:"shown_from,omitempty"`
	Spend     PlanSpend `json:"spend"`
	Text      string    `json:"text"`
}

// PlanDraw is one calibrated noise law; each group gets a draw of its own.
type PlanDraw struct {
	Statistic string `json:"statistic"`
	Mechanism string `json:"mechanism"`
	// Scale is b of Laplace noise or σ of Gaussian noise, in Quanta of the statistic.
	Scale     float64   `json:"scale"`
	StdDev    float64   `json:"standard_deviation"`
	HalfWidth float64   `json:"half_width_95"`
	Quantum   string    `json:"quantum"`
	L0        int64     `json:"l0_sensitivity"`
	LInf      int64     `json:"linf_sensitivity"`
	Spend     PlanSpend `json:"spend"`
}

// PlanFigure is one published statistic.
type PlanFigure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	From string `json:"from"`
}

// NewPlan returns what a release will do under a policy, or every fault of the two. It reads no data.
func NewPlan(p *Policy, r *Release) (*Plan, error) {
	c, err := compile(p, r)
	if err != nil {
		return nil, err
	}
	return newPlan(c), nil
}

func newPlan(c *compiled) *Plan {
	p := &Plan{
		Population: c.policy.Population, Release: c.release.Name, Snapshot: c.release.Snapshot,
		Recipient: c.release.Recipient, Purpose: c.release.Purpose, Period: c.release.Period.String(),
		Unit: c.unitText(), Neighbors: string(dp.AddRemove),
		MinPeople: c.policy.MinPeople.K, Declared: string(c.declaredMode()),
		Spend: planSpend(c.spend()), Composition: "basic", Confidence: Confidence,
		Exclusions: []string{},
	}
	for _, r := range c.rules {
		p.Exclusions = append(p.Exclusions, r.text)
	}
	if !c.release.Period.All {
		p.Exclusions = append(p.Exclusions, "records outside the period "+p.Period)
	}
	for _, name := range c.inputs {
		p.Inputs = append(p.Inputs, PlanInput{string(name), c.reads(name)})
	}
	for _, t := range c.tables {
		p.Tables = append(p.Tables, c.planTable(t))
	}
	return p
}

func (c *compiled) declaredMode() DeclaredMode {
	if c.policy.MinPeople.Declared == "" {
		return Hard
	}
	return c.policy.MinPeople.Declared
}

func (c *compiled) unitText() string {
	var ids []string
	for _, id := range c.policy.PrivacyUnit.IDs {
		ids = append(ids, id.Column)
	}
	return "person, by " + strings.Join(ids, ", else ")
}

// String says when, in words.
func (p Period) String() string {
	if p.All {
		return "all"
	}
	return p.From + " to " + p.To + " (end exclusive)"
}

func (c *compiled) planTable(t *compiledTable) PlanTable {
	pt := PlanTable{
		Name: t.Name, GroupBy: append([]string{}, t.GroupBy...), Groups: "private",
		MaxPartitions: t.l0, MaxPerPartition: t.Bounds.MaxPerPartition, Spend: planSpend(t.calibrated.Spend),
		Selection: c.planSelection(t),
	}
	if t.declared {
		pt.Groups = "declared"
	}
	for i, d := range t.draws {
		n := t.calibrated.Noise[i]
		pt.Draws = append(pt.Draws, PlanDraw{
			Statistic: d.Statistic, Mechanism: n.Kind().String(), Scale: n.Scale(), StdDev: n.StdDev(),
			HalfWidth: float64(n.Quantile(alpha)), Quantum: c.quantum(d.Statistic), L0: n.L0(), LInf: n.LInf(),
			Spend: planSpend(dp.Spend{Epsilon: n.Epsilon(), Delta: n.Delta()}),
		})
	}
	for _, s := range t.stats {
		pt.Statistics = append(pt.Statistics, PlanFigure{Name: s.Name(), Unit: c.unit(s.Statistic), From: c.fromText(t, s)})
	}
	for _, name := range t.sums {
		if pt.Clamps == nil {
			pt.Clamps = map[string]any{}
		}
		col := c.policy.Columns[name]
		if col.Clamp != nil {
			pt.Clamps[name] = []string{col.Clamp.Lower, col.Clamp.Upper, "per record"}
		} else {
			pt.Clamps[name] = []string{col.SumClamp.Lower, col.SumClamp.Upper, "per person and group"}
		}
	}
	return pt
}

// quantum is the step in which a draw counts.
func (c *compiled) quantum(statistic string) string {
	name := strings.TrimPrefix(statistic, "sum_")
	if col, ok := c.policy.Columns[name]; ok && name != statistic {
		return strings.TrimSpace(col.resolution() + " " + col.Unit)
	}
	return "1"
}

func (c *compiled) planSelection(t *compiledTable) PlanSelection {
	k := c.policy.MinPeople.K
	s := PlanSelection{Spend: planSpend(t.calibrated.SelectionSpend)}
	switch {
	case t.declared && c.declaredMode() == Noisy:
		s.Rule, s.ShownFrom = "noisy_minimum", k
		s.Text = fmt.Sprintf("withheld where the noisy number of people is below %d; k holds for the noisy number", k)
	case t.counts:
		s.Rule, s.ShownFrom = "threshold", t.calibrated.Threshold.At
		s.Text = fmt.Sprintf("shown from a noisy %d people; never with fewer than %d people", s.ShownFrom, k)
	default:
		s.Rule = "partition_selection"
		s.Text = fmt.Sprintf("shown with a chance that grows with its people (%s); never with fewer than %d people", chances(t.calibrated.Selection, k), k)
	}
	return s
}

// chances gives the number of people at which a group is shown in half and in 99 of 100 runs.
func chances(s mechanism.Selection, k int64) string {
	at := func(p float64) int64 {
		n := k
		for n < k+1_000_000 && s.KeepProbability(n) < p {
			n++
		}
		return n
	}
	return fmt.Sprintf("half of the time at %d, 99 %% at %d", at(0.5), at(0.99))
}

func (c *compiled) fromText(t *compiledTable, s *statistic) string {
	name := t.draws[s.draw].Statistic
	switch {
	case s.Kind == MeanOf:
		return name + " / " + t.draws[s.denominator].Statistic
	case s.Kind == ShareOf && s.parts:
		return name + " / the sum of the " + name + " of its groups, at no further cost" + c.expected(t, s)
	case s.Kind == ShareOf:
		return name + " / " + t.draws[s.denominator].Statistic + c.expected(t, s)
	}
	return name
}

// expected tells how wide the interval of a share will be for wholes of some sizes.
func (c *compiled) expected(t *compiledTable, s *statistic) string {
	i := slices.Index(t.stats, s)
	e, err := newEstimators(c, t)
	if err != nil {
		return ""
	}
	var parts []string
	for _, people := range []int64{1_000, 10_000, 100_000} {
		var share estimate.Share
		ok := false
		if s.parts {
			noisy := make([]int64, t.candidates(s))
			noisy[0] = people / 2
			noisy[len(noisy)-1] += people - people/2
			var shares []estimate.Share
			if shares, ok = e.parts[i].Estimate(noisy); ok {
				share = shares[0]
			}
		} else {
			share, ok = e.totals[i].Estimate(people/2, people, 10)
		}
		if ok && share.Shown {
			parts = append(parts, fmt.Sprintf("±%.2g points of %d", share.Interval.HalfWidth(), people))
		}
	}
	if parts == nil {
		return ""
	}
	return "; a share of 50 % will be good to about " + strings.Join(parts, ", ")
}

// String prints the plan for a person.
func (p *Plan) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Release %s (snapshot %s) for %s, purpose %s", p.Release, p.Snapshot, p.Recipient, p.Purpose)
	line("  population     %s", p.Population)
	line("  period         %s", p.Period)
	line("  privacy unit   %s; neighbours: %s", p.Unit, p.Neighbors)
	line("  spend          ε = %s, δ = %s (%s composition)", p.Spend.Epsilon, p.Spend.Delta, p.Composition)
	line("  minimum        %d people, declared groups: %s", p.MinPeople, p.Declared)
	for _, in := range p.Inputs {
		line("  reads %-8s %s; nothing else is decoded", in.Name, strings.Join(in.Columns, ", "))
	}
	for _, rule := range p.Exclusions {
		line("  leaves out     %s", rule)
	}
	for _, t := range p.Tables {
		t.print(line)
	}
	return b.String()
}

func (t *PlanTable) print(line func(string, ...any)) {
	by := "everyone"
	if len(t.GroupBy) > 0 {
		by = strings.Join(t.GroupBy, " × ")
	}
	line("\nTable %s by %s, %s groups, ε = %s, δ = %s", t.Name, by, t.Groups, t.Spend.Epsilon, t.Spend.Delta)
	bounds := fmt.Sprintf("a person counts in at most %d group(s)", t.MaxPartitions)
	if t.MaxPerPartition > 0 {
		bounds += fmt.Sprintf(", with at most %d record(s) in each", t.MaxPerPartition)
	}
	line("  bounds         %s", bounds)
	line("  groups         %s (ε = %s, δ = %s)", t.Selection.Text, t.Selection.Spend.Epsilon, t.Selection.Spend.Delta)
	for _, d := range t.Draws {
		line("  noise          %s: %s, scale %.4g, so ±%.4g at 95 %% (in steps of %s; l0 = %d, l∞ = %d; ε = %s, δ = %s)",
			d.Statistic, d.Mechanism, d.Scale, d.HalfWidth, d.Quantum, d.L0, d.LInf, d.Spend.Epsilon, d.Spend.Delta)
	}
	for _, s := range t.Statistics {
		line("  publishes      %s in %s: %s", s.Name, s.Unit, s.From)
	}
}
