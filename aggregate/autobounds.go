// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// AutoBounds has a table's bounds found in the data: noisy counts of people, by how many groups and how many
// records in a group they have, tell what any bounds would take, and those are chosen with which that and the
// noise together are least. The table's own bounds are taken where it has too few people to tell.
type AutoBounds struct {
	// Share is the part of the release's ε that the counts take, a decimal of at most 3 places. Required; those of
	// all tables are 0.5 at most together.
	Share string
	// MaxPartitions and MaxPerPartition are the widest bounds that may be found, in groups and records. 0 means 64
	// and 65,536, or the table's own where those are wider.
	MaxPartitions, MaxPerPartition int64
	// Groups is how many groups the table is expected to have: the noise of each counts. 0 means as many as are
	// declared, and where they are private, MaxPartitions.
	Groups int64
	// Clamps are the values, of which the table has a sum, a mean or a rate, whose clamp or sum_clamp is found too. The
	// policy's is then the widest, and the one that is taken where there are too few people.
	Clamps []string
}

const (
	defaultAutoPartitions   = 64
	defaultAutoPerPartition = 1 << 16
	// mostAuto is the most thousandths of ε that may go into finding bounds.
	mostAuto = 500
)

// The draws of a survey: people by how many groups they have, and by how many records in one of them. Those of clamps
// end with the name of a value: people by what their values come to, shared out between its clamps.
const (
	surveyGroups  = "survey_groups"
	surveyRecords = "survey_records"
	surveyClamps  = "survey_clamps_"
)

// share returns the share in thousandths, false where it is none.
func (a *AutoBounds) share() (thousandths int64, ok bool) { return thousandthsOf(a.Share) }

// autoBounds is a survey that has been compiled.
type autoBounds struct {
	share  int64 // of ε, in thousandths
	limits dp.ContributionBounds
	groups float64
	clamps []autoClamp
	draws  []surveyDraw
	noise  []mechanism.Noise
	// shares are the parts of the budget that the draws take.
	shares []float64
	// found is set when the bounds were found, and enough says that there were people enough for it.
	found, enough bool
	// clamping says what the clamps that were found take.
	clamping []Clamping
}

// surveyDraw is one histogram of a survey.
type surveyDraw struct {
	plan.Draw
	// weight is its part of the survey's ε. Bounds on records are found in a long tail, and need more than others.
	weight int64
	// clamp is which of autoBounds.clamps it is of, where it is of one.
	clamp int
}

func (t Table) validateAuto(f *faults, p *Policy, path string, eventLevel, counted bool) {
	a := t.Auto
	if a == nil {
		return
	}
	if n, ok := a.share(); !ok || n > mostAuto {
		f.add(path+".share", quoted(a.Share), "a decimal above 0 and at most 0.5, of at most 3 places", "0.1 is a tenth of ε")
	}
	t.validateClamps(f, p, path+".clamps")
	if !eventLevel && !counted && len(a.Clamps) == 0 {
		f.add(path, "auto", "a table that counts records, or groups by a dimension of events", "remove auto: there is nothing to bound")
		return
	}
	limit := func(name string, got, own, most int64, used bool) {
		switch {
		case got != 0 && !used:
			f.add(path+"."+name, fmt.Sprint(got), "nothing", "remove it: the table has no such bound")
		case got < 0 || got > most:
			f.add(path+"."+name, fmt.Sprint(got), fmt.Sprintf("1 to %d", most), "leave it out for the default")
		case got != 0 && got < own:
			f.add(path+"."+name, fmt.Sprint(got), fmt.Sprintf("at least %d, the bound that is taken where there are too few people", own), "raise it")
		}
	}
	limit("max_partitions", a.MaxPartitions, t.Bounds.MaxPartitions, engine.MaxPartitionsLimit, eventLevel)
	limit("max_per_partition", a.MaxPerPartition, t.Bounds.MaxPerPartition, maxPerGroup, counted)
	if a.Groups < 0 || a.Groups > maxDeclaredGroups {
		f.add(path+".groups", fmt.Sprint(a.Groups), fmt.Sprintf("1 to %d groups", maxDeclaredGroups), "leave it out for the default")
	}
}

// autoShare is the part of ε that surveys take, in thousandths.
func (r *Release) autoShare() int64 {
	var n int64
	for _, t := range r.Tables {
		if t.Auto != nil {
			share, _ := t.Auto.share()
			n += share
		}
	}
	return n
}

// validateAutoShares looks at those of all tables together.
func (r *Release) validateAutoShares(f *faults) {
	if n := r.autoShare(); n > mostAuto {
		f.add("release.tables", fmt.Sprintf("bounds.auto.share of 0.%03d in all", n), "at most 0.5", "lower some of them")
	}
}

// left is what surveys leave of the spend.
func (c *compiled) left() dp.Spend {
	s := c.release.Spend
	if n := c.release.autoShare(); n > 0 && n < 1000 {
		s.Epsilon = s.Epsilon.Part(1000-n, 1000)
	}
	return s
}

// leaveShare makes shares of what surveys leave shares of the whole budget.
func (c *compiled) leaveShare(t *plan.Calibrated) {
	left := 1 - float64(c.release.autoShare())/1000
	t.Shares = slices.Clone(t.Shares)
	for i := range t.Shares {
		t.Shares[i] *= left
	}
	t.SelectionShare *= left
}

// surveys reports whether some table's bounds are found in the data.
func (c *compiled) surveys() bool {
	return slices.ContainsFunc(c.tables, func(t *compiledTable) bool { return t.auto != nil })
}

// spend is what the release costs: all that it may, where not all that it draws is known yet.
func (c *compiled) spend() dp.Spend {
	if c.surveys() {
		return c.release.Spend
	}
	return c.calibration.Spend
}

// compileAuto calibrates the survey of a table, and makes sure that the widest bounds can be had.
func (c *compiled) compileAuto(f *faults, path string, t *compiledTable, declared int) {
	a, mask := t.Auto, t.boundings()
	if a == nil {
		return
	}
	auto := &autoBounds{limits: dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: max(t.Bounds.MaxPerPartition, 1)}}
	auto.share, _ = a.share()
	widest := func(limit, own, usual int64) int64 {
		if limit > 0 {
			return limit
		}
		return max(own, usual)
	}
	if mask&engine.OverPartitions != 0 {
		auto.limits.MaxPartitions = widest(a.MaxPartitions, t.Bounds.MaxPartitions, defaultAutoPartitions)
		if t.declared && a.MaxPartitions == 0 {
			auto.limits.MaxPartitions = max(t.Bounds.MaxPartitions, min(auto.limits.MaxPartitions, int64(declared)))
		}
		auto.draws = append(auto.draws, surveyDraw{Draw: plan.Draw{Statistic: surveyGroups, L0: 1, LInf: 1}, weight: 1})
	}
	if mask&engine.OverPerPartition != 0 {
		auto.limits.MaxPerPartition = widest(a.MaxPerPartition, t.Bounds.MaxPerPartition, defaultAutoPerPartition)
		auto.draws = append(auto.draws, surveyDraw{Draw: plan.Draw{Statistic: surveyRecords, L0: 1, LInf: 1}, weight: 3})
	}
	auto.addClamps(c, t)
	switch {
	case a.Groups > 0:
		auto.groups = float64(a.Groups)
	case t.declared:
		auto.groups = float64(declared)
	case a.MaxPartitions > 0:
		auto.groups = float64(a.MaxPartitions)
	default:
		auto.groups = defaultAutoPartitions
	}
	if err := auto.calibrate(c.release.Spend.Epsilon); err != nil {
		f.add(path+".bounds.auto.share", a.Share, "enough for its counts", "raise it, or spend more")
		return
	}
	t.auto = auto
}

// calibrate gives the survey its noise.
func (a *autoBounds) calibrate(epsilon dp.Epsilon) error {
	var all int64
	for _, d := range a.draws {
		all += d.weight
	}
	for _, d := range a.draws {
		spend := dp.Spend{Epsilon: epsilon.Part(a.share*d.weight, 1000*all), Delta: noDelta}
		calibration, err := plan.Calibrate(spend, []plan.Table{{Weight: 1, Draws: []plan.Draw{d.Draw}, L0: 1, K: 1}})
		if err != nil {
			return err
		}
		a.noise = append(a.noise, calibration.Tables[0].Noise[0])
		a.shares = append(a.shares, float64(a.share*d.weight)/float64(1000*all))
	}
	return nil
}

// noDelta is the set value δ = 0.
var noDelta, _ = dp.ParseDelta("0")

// found is the bounds of a table that are found, and which of its clamps, by value; the widest where it has none.
type found struct {
	bounds dp.ContributionBounds
	clamps map[string]int
}

// rebound returns the release with other bounds for the tables that have some, calibrated to what is left for
// the draws. A nil entry keeps a table's own.
func (c *compiled) rebound(f *faults, bounds []*found) *compiled {
	next, r := *c, *c.release
	r.Tables = slices.Clone(r.Tables)
	next.release, next.tables, next.families, next.found = &r, nil, nil, bounds
	for i, b := range bounds {
		if b != nil {
			r.Tables[i].Bounds = b.bounds
		}
		t := next.compileTable(f, c.levels[i].path, i)
		t.auto = c.tables[i].auto
		next.tables = append(next.tables, t)
	}
	next.calibrate(f)
	next.compileTotals()
	return &next
}

// checkWidest finds out whether the noise of the widest bounds can be drawn: what lies between them and the
// declared ones can be, too.
func (c *compiled) checkWidest(f *faults) {
	if len(f.list) > 0 || !c.surveys() {
		return
	}
	of := &faults{}
	c.rebound(of, c.bounds(func(_ int, a *autoBounds) found { return found{bounds: a.limits} }))
	if len(of.list) > 0 {
		f.add("release.tables", "bounds.auto with limits that are too wide", "limits for which noise can be calibrated ("+of.list[0].Error()+")",
			"write a smaller auto.max_partitions or auto.max_per_partition")
	}
}

// bounds returns bounds for each table that has a survey, without those that it does not have.
func (c *compiled) bounds(of func(i int, a *autoBounds) found) []*found {
	out := make([]*found, len(c.tables))
	for i, t := range c.tables {
		if t.auto == nil {
			continue
		}
		b, own := of(i, t.auto), t.Bounds
		if own.MaxPartitions > 0 {
			own.MaxPartitions = b.bounds.MaxPartitions
		}
		if own.MaxPerPartition > 0 {
			own.MaxPerPartition = b.bounds.MaxPerPartition
		}
		out[i] = &found{own, b.clamps}
	}
	return out
}

// find draws the surveys, chooses bounds, and has the engine keep to them.
func (rd *reading) find(ctx context.Context) error {
	c := rd.c
	exact, err := rd.s.engine.Survey(ctx, rd.workers)
	if err != nil {
		return err
	}
	noisy := make([]survey, len(c.tables))
	for i, t := range c.tables {
		if t.auto == nil {
			continue
		}
		if noisy[i], err = t.drawSurvey(rd.mechanism, exact[i]); err != nil {
			return err
		}
	}
	f := &faults{}
	narrow := c.rebound(f, c.bounds(func(_ int, a *autoBounds) found {
		return found{bounds: dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: a.limits.MaxPerPartition}}
	}))
	wide := c.rebound(f, c.bounds(func(_ int, a *autoBounds) found { return found{bounds: a.limits} }))
	if err := f.err(); err != nil {
		return err
	}
	chosen := c.rebound(f, c.bounds(func(i int, a *autoBounds) found {
		return chooser{c, c.tables[i], a, noisy[i], narrow.tables[i], wide.tables[i]}.choose()
	}))
	if err := f.err(); err != nil {
		return err
	}
	for i, t := range chosen.tables {
		if t.auto == nil {
			continue
		}
		auto := *t.auto
		auto.found, auto.enough = true, noisy[i].enough()
		t.auto = &auto
		if auto.enough {
			auto.clamping = chosen.clampings(t, noisy[i])
		}
		rd.s.engine.Narrow(i, t.engineBounds(), t.floor(chosen), t.keptClamps())
	}
	rd.c = chosen
	return nil
}

// planAuto adds what finding bounds takes to the plan of a table.
func (c *compiled) planAuto(t *compiledTable, pt *PlanTable) {
	a := t.auto
	if a == nil {
		return
	}
	text := "chosen by noisy counts of people, " + a.choices(c) + ", so that noise and what they take are least"
	switch {
	case !a.found:
		pt.Auto = text + "; these are taken where there are too few people"
	case a.enough:
		pt.Auto = text + a.clampsFound(c, t)
	default:
		pt.Auto = "as declared: there are too few people to choose by"
	}
	for i, d := range a.draws {
		pt.Draws = append(pt.Draws, c.planDraw(t, d.Statistic, a.noise[i], a.shares[i]))
	}
	pt.Share = rounded(pt.Share + float64(a.share)/1000)
}

// choices says what is chosen among.
func (a *autoBounds) choices(c *compiled) string {
	var limits []string
	for _, d := range a.draws {
		switch d.Statistic {
		case surveyGroups:
			limits = append(limits, number(a.limits.MaxPartitions, "group"))
		case surveyRecords:
			limits = append(limits, number(a.limits.MaxPerPartition, "record"))
		}
	}
	all := []string{}
	if len(limits) > 0 {
		all = append(all, "up to "+strings.Join(limits, " and "))
	}
	for _, k := range a.clamps {
		all = append(all, k.text(c))
	}
	return strings.Join(all, ", and ")
}

// survey is noisy counts of people: by how many groups they have, and by how many records in one; and of clamps.
type survey struct {
	groups, records histogram
	clamps          []clampSurvey
}

// enough reports whether there are enough people to choose bounds by.
func (s survey) enough() bool {
	few := func(h histogram) bool { return h != nil && h.people() <= 0 }
	return !few(s.groups) && !few(s.records) && !slices.ContainsFunc(s.clamps, func(c clampSurvey) bool { return c.all() <= 0 })
}

// drawSurvey draws every cell of a table's survey, whether or not someone is in it.
func (t *compiledTable) drawSurvey(m mechanism.Mechanism, exact engine.Survey) (s survey, err error) {
	for i, d := range t.auto.draws {
		noise := t.auto.noise[i]
		draw := func(cell string, n int64) (float64, error) {
			v, err := m.AddNoise(mechanism.Site{Table: t.Name, Statistic: d.Statistic, Group: cell}, noise, n)
			return float64(v), err
		}
		switch d.Statistic {
		case surveyGroups:
			end := func(cell int) int64 { return min(engine.SurveyEnd(cell), t.auto.limits.MaxPartitions) }
			s.groups, err = drawHistogram(exact.Groups, end, noise.StdDev(), draw)
		case surveyRecords:
			end := func(cell int) int64 { return min(1<<cell, t.auto.limits.MaxPerPartition) }
			s.records, err = drawHistogram(exact.Records, end, noise.StdDev(), draw)
		default:
			var c clampSurvey
			c, err = drawClamps(exact.Clamps[d.clamp], noise.StdDev(), draw)
			s.clamps = append(s.clamps, c)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// drawHistogram draws the cells of a histogram, which are named by their ends.
func drawHistogram(exact []int64, end func(cell int) int64, sd float64, draw func(string, int64) (float64, error)) (histogram, error) {
	noisy := make([]float64, len(exact))
	for cell, n := range exact {
		var err error
		if noisy[cell], err = draw(strconv.FormatInt(end(cell), 10), n); err != nil {
			return nil, err
		}
	}
	return newHistogram(noisy, end, sd), nil
}

// histogram is noisy counts of people by a number, without the cells behind which nobody is known to be. It is nil
// where nothing was counted, and empty where nobody is known to be in any cell.
type histogram []histogramCell

type histogramCell struct {
	end            int64
	middle, people float64
}

// someone is how many standard deviations of the noise show that someone is there. Laplace noise alone is as
// much in one of 500 cells.
const someone = 4

// newHistogram finds the last cell that has people, with those behind it, beyond what noise makes likely.
// Cells behind it are noise. Those before it are taken as they are: adding them up then is without a bias.
func newHistogram(noisy []float64, end func(cell int) int64, sd float64) histogram {
	h, behind := histogram{}, 0.0
	for i := len(noisy) - 1; i >= 0; i-- {
		behind += noisy[i]
		if len(h) == 0 && behind <= someone*sd*math.Sqrt(float64(len(noisy)-i)) {
			continue
		}
		first := int64(1)
		if i > 0 {
			first = end(i-1) + 1
		}
		h = append(h, histogramCell{end(i), float64(first+end(i)) / 2, noisy[i]})
	}
	slices.Reverse(h)
	return h
}

// people is how many there are.
func (h histogram) people() (n float64) {
	for _, c := range h {
		n += c.people
	}
	return n
}

// chooser chooses the bounds of a table. narrow and wide are that table with the widest bounds, of which
// narrow has only one group per person.
type chooser struct {
	c            *compiled
	t            *compiledTable
	a            *autoBounds
	s            survey
	narrow, wide *compiledTable
}

// choose returns the bounds with the least error by the survey, the table's own where it has not enough
// people.
func (c chooser) choose() found {
	best, least := dp.ContributionBounds{MaxPartitions: c.t.l0, MaxPerPartition: c.t.Bounds.MaxPerPartition}, math.Inf(1)
	if !c.s.enough() {
		return found{bounds: best}
	}
	groups, records := []int64{best.MaxPartitions}, []int64{best.MaxPerPartition}
	if c.s.groups != nil {
		groups = nil
		for _, cell := range c.s.groups {
			groups = append(groups, cell.end)
		}
	}
	if c.s.records != nil {
		records = nil
		for _, cell := range c.s.records {
			records = append(records, max(cell.end-cell.end/4, 1), cell.end) // 3, 4, 6, 8, 12 and so on
		}
	}
	var clamps map[string]int
	for _, l0 := range groups {
		for _, most := range records {
			b := dp.ContributionBounds{MaxPartitions: l0, MaxPerPartition: most}
			if e, chosen := c.error(b); e < least {
				best, clamps, least = b, chosen, e
			}
		}
	}
	return found{best, clamps}
}

// error is what noise and bounding are expected to take from the table's numbers, with the clamps with which that is
// least: the mean absolute error of all groups together over their sum, added up over the draws.
func (c chooser) error(b dp.ContributionBounds) (sum float64, clamps map[string]int) {
	all, kept := c.count(c.a.limits), c.count(b)
	clamps = map[string]int{}
	for i, d := range c.t.draws {
		if isTotal(d.Statistic) {
			continue
		}
		noise := c.a.groups * meanAbsolute * c.deviation(i, b)
		whole, left := all.pairs, kept.pairs
		if c.c.perRecord(c.t, d) {
			whole, left = all.records, kept.records
		}
		s, _, isSum := c.t.sumOf(d.Statistic)
		if k := c.a.clampOf(s.value); isSum && k >= 0 {
			e, chosen := c.clamp(k, s, noise, whole, left)
			clamps[s.value] = chosen
			sum += e
			continue
		}
		if isSum {
			// A value is taken to be half of the most that it can be.
			noise /= float64(c.c.reachOf(c.t, s)) / 2
		}
		sum += (noise + whole - left) / whole
	}
	return sum, clamps
}

// counted is how many pairs of a person and a group, and how many records, count.
type counted struct{ pairs, records float64 }

// count tells what counts with some bounds. The survey does not tell how many records people have in groups other
// than their largest: by Zipf's law the i-th has 1/i of it. Nor does it tell who has many groups and many
// records: these are taken to have nothing to do with each other.
func (c chooser) count(b dp.ContributionBounds) counted {
	groups, records := c.s.groups, c.s.records
	switch {
	case groups == nil && records == nil:
		groups = histogram{{1, 1, c.s.clamps[0].people()}}
	case groups == nil:
		groups = histogram{{1, 1, records.people()}}
	}
	if records == nil {
		records = histogram{{1, 1, 1}}
	}
	var n counted
	for _, g := range groups {
		part := min(1, float64(b.MaxPartitions)/g.middle) // of a person's groups
		n.pairs += g.people * g.middle * part
		for _, r := range records {
			whole := min(math.Floor(r.middle/float64(b.MaxPerPartition)), g.middle) // groups that are cut off
			n.records += g.people * part * r.people / records.people() *
				(whole*float64(b.MaxPerPartition) + r.middle*(harmonic(g.middle)-harmonic(whole)))
		}
	}
	return n
}

// harmonic is 1 + 1/2 + … + 1/n, between whole numbers too; its error is below 0.003.
func harmonic(n float64) float64 {
	if n < 1 {
		return n
	}
	return math.Log(n) + 0.57721566 + 1/(2*n) - 1/(12*n*n)
}

// perRecord reports whether every record that counts adds to a draw.
func (c *compiled) perRecord(t *compiledTable, d plan.Draw) bool {
	s, _, isSum := t.sumOf(d.Statistic)
	return d.Statistic != string(CountVisitors) && !(isSum && c.policy.Columns[s.value].SumClamp != nil)
}

// meanAbsolute is the mean absolute value of a normal number of standard deviation 1.
const meanAbsolute = 0.8

// deviation is the standard deviation of draw i with some bounds. Laplace noise grows with l0 and Gaussian noise
// with its root: the calibrations with the narrowest and the widest bounds tell which is less.
func (c chooser) deviation(i int, b dp.ContributionBounds) float64 {
	l0, most := float64(b.MaxPartitions), float64(c.a.limits.MaxPartitions)
	narrow, wide := c.narrow.calibrated.Noise[i].StdDev(), c.wide.calibrated.Noise[i].StdDev()
	sd := min(narrow*l0, wide*math.Sqrt(l0/most))
	if c.c.perRecord(c.t, c.t.draws[i]) {
		sd *= float64(b.MaxPerPartition) / float64(c.a.limits.MaxPerPartition)
	}
	return sd
}
