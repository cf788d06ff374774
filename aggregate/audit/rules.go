// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// noisyMinimum is the rule of tables whose k holds for the noisy number of people.
const noisyMinimum = "noisy_minimum"

// table returns the plan of a table.
func (a *auditor) table(name string) *aggregate.PlanTable {
	for i := range a.plan.Tables {
		if a.plan.Tables[i].Name == name {
			return &a.plan.Tables[i]
		}
	}
	return nil
}

// checkRun holds what a run without noise drew against the plan, k and the charge.
func (a *auditor) checkRun(o *outcome, p *aggregate.Policy) {
	for _, c := range o.calls {
		if c.Operation == mechanismtest.AddNoise {
			a.checkLaw(c)
			continue
		}
		at := c.Site.Table
		t := a.table(at)
		a.rules.planned.require(t != nil && t.Selection.Rule != noisyMinimum && t.MaxPartitions == c.L0,
			"%s: its groups are chosen for another number of groups per person than planned", at)
		a.rules.minimum.require(c.K == p.MinPeople.K, "%s: groups are chosen by k = %d, the policy has %d", at, c.K, p.MinPeople.K)
		a.rules.minimum.require(!c.Kept || c.Input >= p.MinPeople.K, "%s: a group of fewer than k people is shown", at)
	}
	a.checkCharge(o)
}

// checkLaw holds a draw against the plan's.
func (a *auditor) checkLaw(c mechanismtest.Call) {
	at := place{c.Site.Table, c.Site.Statistic}
	t := a.table(at.table)
	if !a.rules.planned.require(t != nil, "%s: is not in the plan", at) {
		return
	}
	i := slices.IndexFunc(t.Draws, func(d aggregate.PlanDraw) bool { return d.Statistic == at.statistic })
	if !a.rules.planned.require(i >= 0, "%s: is not in the plan", at) {
		return
	}
	d := t.Draws[i]
	l1 := d.L1
	if l1 == 0 {
		l1 = d.L0 * d.LInf
	}
	same := d.Mechanism == c.Kind.String() && d.Scale == c.Scale && d.L0 == c.L0 && d.LInf == c.LInf && l1 == c.L1
	a.rules.planned.require(same, "%s: another law than planned", at)
}

// checkCharge holds what was drawn against the one charge before it.
func (a *auditor) checkCharge(o *outcome) {
	check := &a.rules.charge
	if !check.require(len(o.probe.charges) == 1, "a run makes %d charges, not 1", len(o.probe.charges)) {
		return
	}
	check.require(!o.probe.early, "something is drawn before it is charged")
	spend := o.probe.charges[0].Spend
	check.require(spend.Within(a.release.Spend), "more is charged than the release may spend")
	check.require(a.report.Claim.Epsilon == text(spend.Epsilon.IsSet(), spend.Epsilon.String()) &&
		a.report.Claim.Delta == text(spend.Delta.IsSet(), spend.Delta.String()), "another spend is charged than planned")
	rest, err := o.probe.CompositionOf(func(c mechanismtest.Call) bool { return !isSurvey(c.Site.Statistic) })
	check.require(err == nil, "what was drawn cannot be composed")
	survey, surveyErr := o.probe.CompositionOf(func(c mechanismtest.Call) bool { return isSurvey(c.Site.Statistic) })
	first, delta, exact := survey.Sum()
	if !check.require(surveyErr == nil && exact && delta.Sign() == 0, "what was drawn to find bounds has no exact sum") {
		return
	}
	check.require(err == nil && affords(spend, rest, first, a.plan.Composition), "what is drawn costs more than is charged")
}

func text(set bool, s string) string {
	if !set {
		return "0"
	}
	return s
}

// affords reports whether a spend covers a composition by the named theorem, and an ε that came first: exactly,
// where sums are exact.
func affords(spend dp.Spend, all accounting.Composition, first *big.Rat, theorem string) bool {
	left := new(big.Rat).Sub(spend.Epsilon.Rat(), first)
	for _, m := range []accounting.Method{accounting.Basic, accounting.ZCDP, accounting.PLD} {
		if m.String() != theorem {
			continue
		}
		if m == accounting.Basic {
			if e, d, ok := all.Sum(); ok {
				return e.Cmp(left) <= 0 && d.Cmp(spend.Delta.Rat()) <= 0
			}
		}
		e, err := all.Epsilon(m, spend.Delta.Float())
		if math.IsInf(e, 0) || math.IsNaN(e) {
			return false
		}
		return err == nil && new(big.Rat).SetFloat64(e).Cmp(left) <= 0
	}
	return false
}

// checkShown holds the groups of which numbers are published against the choice that was recorded.
func (a *auditor) checkShown(o *outcome) {
	type group struct{ table, key string }
	kept, visitors := map[group]bool{}, map[group]int64{}
	for _, c := range o.calls {
		g := group{c.Site.Table, c.Site.Group}
		switch {
		case c.Operation != mechanismtest.AddNoise:
			kept[g] = c.Kept
		case c.Site.Statistic == string(aggregate.CountVisitors):
			visitors[g] = c.Output
		}
	}
	for _, t := range o.result.Tables {
		planned := a.table(t.Name)
		if !a.rules.minimum.require(planned != nil, "%s: is not in the plan", t.Name) {
			continue
		}
		for _, row := range t.Rows {
			if !row.Value.Known || strings.HasSuffix(row.Statistic, "_total") {
				continue
			}
			g := group{t.Name, strings.Join(row.Group, "\x1f")}
			if planned.Selection.Rule == noisyMinimum {
				a.rules.minimum.require(visitors[g] >= a.k(), "%s.%s: shown below the noisy minimum", t.Name, row.Statistic)
			} else {
				a.rules.minimum.require(kept[g], "%s.%s: shown though its group was not chosen", t.Name, row.Statistic)
			}
		}
	}
}

// compareMinimum shows all groups that may be shown at all. A group of k − 1 people must leave no trace in
// which these are, however many records they have; and that of k people must be one of them.
func (a *auditor) compareMinimum(ctx context.Context) error {
	var shown [3]map[mechanism.Site]bool
	for i, people := range []int64{0, a.k() - 1, a.k()} {
		rec := mechanismtest.New(mechanismtest.PlusHuge)
		o, err := a.carry(ctx, a.policy, a.release, rec, a.crowd(a.k(), people), 1)
		if err != nil {
			return err
		}
		shown[i] = map[mechanism.Site]bool{}
		for _, c := range o.calls {
			if c.Operation != mechanismtest.AddNoise && c.Kept {
				shown[i][c.Site] = true
			}
		}
	}
	for site := range shown[1] {
		a.rules.minimum.require(shown[0][site], "%s: a group of k − 1 people can be shown", site.Table)
	}
	for site := range shown[0] {
		a.rules.minimum.require(shown[1][site], "%s: a group of k − 1 people hides another", site.Table)
	}
	return nil
}

// checkDraws holds thresholds and chances of showing against what their ε, δ and k allow.
func (a *auditor) checkDraws(context.Context) error {
	o := a.recorded.probe
	for table, t := range o.thresholds {
		if n, ok := o.noises[place{table, string(aggregate.CountVisitors)}]; ok {
			a.checkThreshold(table, t, n)
		}
	}
	for table, s := range o.selections {
		a.checkSelection(table, s)
	}
	return nil
}

// ulps is how far two ways to compute a probability may be apart.
const ulps = 1e-9

func (a *auditor) checkThreshold(table string, t mechanism.Threshold, n mechanism.Noise) {
	check := &a.rules.choice
	delta, _ := t.Delta().Rat().Float64()
	each := delta / float64(t.L0())
	// The group that neighbours may differ in has k people on one side, and is not shown on the other.
	chance := beyond(n.Kind().String(), n.Scale(), float64(t.At-t.K)-0.5)
	check.require(chance <= each*(1+ulps), "%s: a group of k people is shown with a larger chance than δ allows", table)
	site := mechanism.Site{Table: table}
	for _, c := range []struct {
		people, noisy int64
		show          bool
	}{{t.K - 1, t.At + 1000, false}, {t.K, t.At - 1, false}, {t.K, t.At, true}} {
		show, err := a.live.Show(site, t, max(c.people, 0), c.noisy)
		check.require(err == nil && show == c.show, "%s: the threshold decides otherwise than it says", table)
	}
}

// beyond is P(N ≥ reach) for continuous noise of a law and scale.
func beyond(law string, scale, reach float64) float64 {
	if law == mechanism.Gaussian.String() {
		return math.Erfc(reach/scale/math.Sqrt2) / 2
	}
	if reach < 0 {
		return 1 - math.Exp(reach/scale)/2
	}
	return math.Exp(-reach/scale) / 2
}

// roundings is above what chances close to 1 lose where they are rounded to float64.
const roundings = 4e-16

// steps bounds how many chances of a selection are looked at.
const steps = 20_000

func (a *auditor) checkSelection(table string, s mechanism.Selection) {
	check := &a.rules.choice
	l0 := float64(s.L0())
	epsilon, _ := s.Epsilon().Rat().Float64()
	delta, _ := s.Delta().Rat().Float64()
	grow, each := math.Exp(epsilon/l0)*(1+ulps), delta/l0*(1+ulps)+roundings
	check.require(s.KeepProbability(s.K()-1) == 0, "%s: a group of fewer than k people can be shown", table)
	last := 0.0
	for n := s.K(); n < s.K()+steps; n++ {
		p := s.KeepProbability(n)
		check.require(p <= grow*last+each, "%s: the chance of being shown grows by more than ε and δ allow", table)
		check.require(1-last <= grow*(1-p)+each, "%s: the chance of being hidden falls by more than ε and δ allow", table)
		if last = p; p == 1 {
			break
		}
	}
}
