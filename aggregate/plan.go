// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"
	"strings"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism"
)

// Plan says everything that a release will do: what is read, how it is bounded, which noise is drawn
// and what it costs. It depends on the policy and the release alone, so the same two give the same
// plan, byte for byte.
type Plan struct {
	Population string `json:"population"`
	Release    string `json:"release"`
	Snapshot   string `json:"snapshot"`
	Recipient  string `json:"recipient"`
	Purpose    string `json:"purpose"`
	Period     string `json:"period"`
	// AsOf is the instant at which ages are taken, and before which consent counts; empty where the release has neither.
	AsOf string `json:"as_of,omitempty"`
	// Unit says in words whose data is protected, and UnitName is person, person-day, person-week or record.
	Unit      string    `json:"privacy_unit"`
	UnitName  string    `json:"privacy_unit_name"`
	Neighbors string    `json:"neighboring"`
	MinPeople int64     `json:"min_people"`
	Declared  string    `json:"min_people_declared"`
	Spend     PlanSpend `json:"spend"`
	// Composition names the theorem by which all parts together cost Spend: basic, zcdp or pld. Of those,
	// the one that needs the least noise was taken.
	Composition string      `json:"composition"`
	Confidence  float64     `json:"confidence"`
	Inputs      []PlanInput `json:"inputs"`
	// Exclusions says, rule by rule, whose records are left out.
	Exclusions []string    `json:"exclusions"`
	Tables     []PlanTable `json:"tables"`
	// Lookups says which tables give labels, each with its hash.
	Lookups []string `json:"lookups,omitempty"`
	// Totals says which numbers are displayed so that totals are the sums of their parts, or no less than what is
	// shown of them, and why this holds before noise. Where a group is withheld, a sum is only known to be no
	// less than what is shown. Shares and means are made of the numbers as they were drawn.
	Totals []string `json:"totals,omitempty"`
	// Preset is the preset that the policy is from, which it may have changed; empty where there is none.
	Preset string `json:"preset,omitempty"`
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
	Groups          string `json:"groups"`
	MaxPartitions   int64  `json:"max_partitions"`
	MaxPerPartition int64  `json:"max_per_partition,omitempty"`
	// MaxContributions bounds all groups together; 0 where only the product of the other two does.
	MaxContributions int64         `json:"max_contributions,omitempty"`
	Selection        PlanSelection `json:"selection"`
	Draws            []PlanDraw    `json:"draws"`
	Statistics       []PlanFigure  `json:"statistics"`
	// Share is the part of the release's budget that the selection and the draws take.
	Share float64 `json:"share_of_budget"`
	// Auto says how MaxPartitions and MaxPerPartition are found in the data; empty where they are as declared. The
	// draws by which they are found cost what they take of ε by basic composition, beside all others.
	Auto string `json:"bounds_auto,omitempty"`
	// Top says which groups are listed; empty where all are.
	Top string `json:"top,omitempty"`
	// RollUpOf is the table of which this one is a level above, and RollUp says what it is the total of; empty where it is
	// none.
	RollUpOf string `json:"roll_up_of,omitempty"`
	RollUp   string `json:"roll_up,omitempty"`
	// Several says of which dimension a record can be in several groups; empty where there is none.
	Several string `json:"several,omitempty"`
	// Fitted are the statistics that Expected tells the widths of after they were fitted to their totals and parts, if no
	// group is withheld of the tables of Totals. If one is, they are as wide as the draw alone.
	Fitted []string `json:"fitted,omitempty"`
	// Expected tells what groups of some sizes will look like.
	Expected []PlanExpected `json:"expected"`
}

// PlanSelection says which groups are shown.
type PlanSelection struct {
	// Rule is threshold, partition_selection or noisy_minimum.
	Rule string `json:"rule"`
	// ShownFrom is the noisy number of people from which a group is shown; 0 for partition selection.
	ShownFrom int64 `json:"shown_from,omitempty"`
	// Spend is what choosing the groups costs, and Share the part of the release's budget that its ε is.
	Spend PlanSpend `json:"spend"`
	Share float64   `json:"share_of_budget"`
	Text  string    `json:"text"`
}

// PlanDraw is one calibrated noise law; each group gets a draw of its own.
type PlanDraw struct {
	Statistic string `json:"statistic"`
	Mechanism string `json:"mechanism"`
	// Scale is b of Laplace noise or σ of Gaussian noise. It, StdDev, HalfWidth, LInf and L1 count Quanta.
	Scale     float64 `json:"scale"`
	StdDev    float64 `json:"standard_deviation"`
	HalfWidth float64 `json:"half_width_95"`
	Quantum   string  `json:"quantum"`
	// Unit is what the statistic counts: persons, events, or the value's unit.
	Unit string `json:"unit"`
	// Clamp and SumClamp are the ends of a sum's clamp, in Unit; nothing for other statistics.
	Clamp    []string `json:"clamp,omitempty"`
	SumClamp []string `json:"sum_clamp,omitempty"`
	// Centre is what is taken from each record's value first, in its unit, and Squared says that the rest is
	// squared; Unit then is the square of the value's.
	Centre  string `json:"centre,omitempty"`
	Squared bool   `json:"squared,omitempty"`
	// Levels and Leaves are those of a tree of counts, each of which gets a draw of its own: of records by equal
	// parts of the clamp, of those by parts of the parts, and so on. Levels are as groups in L0, and LInf is
	// the most by which one person changes all counts of a level together.
	Levels int64 `json:"levels,omitempty"`
	Leaves int64 `json:"leaves,omitempty"`
	// L0 is the most groups that one person changes, LInf the most by which one of them changes, and L1 the most by which
	// all of them change together, where the noise is made for less than the product of the two; otherwise it is 0.
	L0   int64 `json:"l0_sensitivity"`
	LInf int64 `json:"linf_sensitivity"`
	L1   int64 `json:"l1_sensitivity,omitempty"`
	// Share is the part of the release's budget that the draw takes, of 1: by ε where Composition is basic,
	// otherwise by ρ, about the variance of the privacy loss.
	Share float64 `json:"share_of_budget"`
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
		Unit: c.unitText(), UnitName: c.policy.unitName(), Neighbors: string(dp.AddRemove),
		MinPeople: c.policy.MinPeople.K, Declared: string(c.declaredMode()),
		Spend: planSpend(c.spend()), Composition: c.calibration.Method.String(), Confidence: Confidence,
		Exclusions: []string{}, Preset: c.policy.From,
	}
	for _, r := range c.rules {
		p.Exclusions = append(p.Exclusions, "all "+r.text)
	}
	if r := c.policy.Exclude.Retention; r != nil && c.clock != nil {
		p.Exclusions = append(p.Exclusions, fmt.Sprintf("%s records that at %s are more than %s old, or whose time cannot be read",
			c.clock.column.From, c.asOf, number(r.Days, "day")))
	}
	if c.policy.Exclude.Listed != nil {
		p.Exclusions = append(p.Exclusions, "all who have an id in the listed input")
	}
	if c.consents != nil {
		p.Exclusions = append(p.Exclusions, c.consents.text)
	}
	if c.policy.Exclude.Retention != nil || c.births() != "" || c.timedConsent() != "" {
		p.AsOf = c.cutoffText()
	}
	if !c.release.Period.All {
		p.Exclusions = append(p.Exclusions, string(c.inputs[0])+" records outside the period, and "+c.policy.counted()+" without one in it")
	}
	for _, name := range c.inputs {
		p.Inputs = append(p.Inputs, PlanInput{string(name), c.reads(name)})
	}
	p.Inputs = append(p.Inputs, c.policy.lists()...)
	for i, t := range c.tables {
		p.Tables = append(p.Tables, c.planTable(t))
		c.levels[i].planLevel(c, &p.Tables[i])
	}
	p.Totals = c.planTotals()
	p.Lookups = c.planLookups()
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
	text := "person"
	if c.policy.ofRecords() {
		return "record (a person who has several is promised nothing)"
	}
	if per := c.policy.PrivacyUnit.Per; per != "" {
		zone := c.clock.column.Zone
		if zone == "" && !c.clock.clock.CountsDays() {
			zone = "UTC"
		}
		text = strings.TrimSpace(per + " of a person " + zone)
	}
	text += ", by " + strings.Join(ids, ", else ")
	if l := c.policy.PrivacyUnit.Links; l != nil {
		text += fmt.Sprintf(", joined to at most %s by the table of links, which is held fixed (whose ids are in n parts of it has n times the privacy loss)",
			number(l.MaxIDs, "id"))
	}
	if per := c.policy.PrivacyUnit.Per; per != "" {
		text += fmt.Sprintf(" (who has records in n %ss has n times the privacy loss)", per)
	}
	return text
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
		MaxPartitions: t.l0, MaxPerPartition: t.Bounds.MaxPerPartition, MaxContributions: t.Bounds.MaxContributions, Selection: c.planSelection(t),
	}
	share := t.calibrated.SelectionShare
	if t.declared {
		pt.Groups = "declared"
	}
	for i, d := range t.draws {
		pt.Draws = append(pt.Draws, c.planDraw(t, d.Statistic, t.calibrated.Noise[i], t.calibrated.Shares[i]))
		share += t.calibrated.Shares[i]
	}
	pt.Share = rounded(share)
	c.planAuto(t, &pt)
	for _, s := range t.stats {
		pt.Statistics = append(pt.Statistics, PlanFigure{Name: s.Name(), Unit: c.unit(s.Statistic), From: c.fromText(t, s)})
	}
	for _, d := range t.dims {
		if d.column.several(d.name) {
			pt.Several = "a record is in each group that its cell names for " + d.name + "; events, sums and means count it in each"
		}
	}
	if t.Top != nil {
		pt.Top = fmt.Sprintf("the %s with the most %s by the noisy number; the intervals of %s hold for all groups shown together",
			number(t.Top.Groups, "group"), t.Top.By, t.Top.By)
	}
	pt.Expected, pt.Fitted = c.expected(t)
	return pt
}

// rounded returns a share to four digits after the point, which any machine computes alike.
func rounded(share float64) float64 { return math.Round(share*1e4) / 1e4 }

func (c *compiled) planDraw(t *compiledTable, statistic string, n mechanism.Noise, share float64) PlanDraw {
	d := PlanDraw{
		Statistic: statistic, Mechanism: n.Kind().String(), Scale: n.Scale(), StdDev: n.StdDev(),
		HalfWidth: float64(n.Quantile(alpha)), Quantum: "1", Unit: "persons", L0: n.L0(), LInf: n.LInf(),
		Share: rounded(share),
	}
	if l1 := n.L1(); l1/n.L0() < n.LInf() {
		d.L1 = l1
	}
	switch {
	case statistic == string(CountEvents), statistic == totalEvents:
		d.Unit = "events"
	case strings.HasPrefix(statistic, surveyClamps):
		d.Quantum = estimate.Decimal{Units: 1, Places: 3}.String() // one of [engine.PersonParts]
	}
	if tr, _, isTree := t.treeOf(statistic); isTree {
		col := c.policy.Columns[tr.value]
		d.Unit, d.Clamp = "records", []string{col.Clamp.Lower, col.Clamp.Upper}
		d.Levels, d.Leaves = int64(tr.shape.Height), int64(tr.spread.Leaves)
		return d
	}
	s, _, isSum := t.sumOf(statistic)
	if !isSum {
		return d
	}
	col := c.policy.Columns[s.value]
	d.Quantum, d.Unit = strings.TrimSpace(col.resolution()+" "+col.Unit), c.nameOfUnit(s.value)
	if q := c.quantumOf(s.value); s.centred {
		middle, _ := centre(c.clampIn(t, s.value))
		d.Centre = q.times(middle).String()
		if s.square {
			d.Unit += "²"
			d.Quantum, d.Squared = estimate.Decimal{Units: q.units * q.units, Places: 2 * q.places}.String()+" "+d.Unit, true
		}
	}
	if ends := c.clampEnds(s.value, c.clampIn(t, s.value)); col.Clamp != nil {
		d.Clamp = ends
	} else {
		d.SumClamp = ends
	}
	return d
}

// Less says in words what is done to a record's clamped value before it is added, "" where nothing is.
func (d PlanDraw) Less() string {
	switch {
	case d.Squared:
		return ", less " + d.Centre + ", squared"
	case d.Centre != "":
		return ", less " + d.Centre
	}
	return ""
}

func (c *compiled) planSelection(t *compiledTable) PlanSelection {
	k, units := c.policy.MinPeople.K, c.policy.counted()
	s := PlanSelection{Spend: planSpend(t.calibrated.SelectionSpend), Share: rounded(t.calibrated.SelectionShare)}
	switch {
	case t.declared && c.declaredMode() == Noisy:
		s.Rule, s.ShownFrom = "noisy_minimum", k
		s.Text = fmt.Sprintf("withheld where its noisy number of people is below %d; its true number may be smaller", k)
	case t.counts:
		s.Rule, s.ShownFrom = "threshold", t.calibrated.Threshold.At
		s.Text = fmt.Sprintf("shown where its noisy number of people is %d or more; never with fewer than %d true people", s.ShownFrom, k)
	default:
		s.Rule = "partition_selection"
		s.Text = fmt.Sprintf("shown with a chance that grows with its %s (%s); never with fewer than %d true %s", units, chances(t.calibrated.Selection, k), k, units)
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
	case s.Kind == VarianceOf, s.Kind == StdDevOf:
		events := t.draws[s.denominator].Statistic
		text := fmt.Sprintf("%s / %s − (%s / %s)²", t.draws[s.squares].Statistic, events, name, events)
		if s.Kind == StdDevOf {
			text = "the root of " + text
		}
		return text
	case s.Kind == MeanOf:
		text := name + " / " + t.draws[s.denominator].Statistic
		if sum, _, _ := t.sumOf(name); sum.centred {
			middle, _ := centre(c.clampIn(t, sum.value))
			text += " + " + c.quantumOf(sum.value).times(middle).String()
		}
		return text
	case s.Kind == QuantileOf:
		return "the least value of which at least " + s.Rank + " of the records are no larger, by " + name
	case s.Kind == RateOf:
		return name + " / " + t.draws[s.denominator].Statistic
	case s.Kind == ShareOf && s.parts:
		return name + " / the sum of " + name + " over all groups of the whole, at no further cost"
	case s.Kind == ShareOf:
		return name + " / " + t.draws[s.denominator].Statistic
	}
	return name
}
