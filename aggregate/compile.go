// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/throngdp/throng/aggregate/internal/plan"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/dp"
)

// maxDeclaredGroups bounds the rows of a table whose groups are all declared.
const maxDeclaredGroups = 1 << 20

// compiled is a policy and a release brought together: everything that a run needs to know, and
// nothing that it has to look up.
type compiled struct {
	policy  *Policy
	release *Release
	inputs  []InputName
	// asOf is the day of cutoff, the instant as of which people are looked at, in the calendar of the time column.
	asOf     anonymize.Date
	cutoff   int64
	calendar generalize.Clock
	dims     []*dimension
	values   []string
	rules    []rule
	// consents is nil where the policy has no log of decisions.
	consents *decisions
	clock    *clock
	// parts is set where the privacy unit is not a whole person.
	parts  *unit
	tables []*compiledTable
	// levels say where each table of the release, which has its levels among them, comes from.
	levels []level
	// families are tables that are brought to add up.
	families []family
	// found are the bounds of tables that are other than declared, by table; nil until there are some.
	found []*found
	// calibration says what all tables together cost.
	calibration plan.Calibration
}

// dimension is a dimension that some table groups by.
type dimension struct {
	name   string
	column Column
	spec   generalize.Spec
	// declared are the groups, nil where they are private.
	declared []string
	// complete: whatever a record holds, its group is among declared.
	complete bool
}

// person reports whether the dimension is one value per person.
func (d *dimension) person() bool { return d.column.Of == OfPerson }

// rule is an exclusion rule as the scan applies it.
type rule struct {
	from           InputName
	column, unless string
	keeps, lifts   func(anonymize.Value) bool
	text           string
	// given and unlessGiven are nil where it does not matter when the one or the other was given.
	given, unlessGiven *given
}

// clock is the time column with the release's period in its unit.
type clock struct {
	column   Column
	name     string
	clock    generalize.Clock
	from, to int64
}

// compiledTable is one table of the release.
type compiledTable struct {
	Table
	dims []*dimension
	// declared: the groups are the product of all dimensions' groups.
	declared bool
	// given are the bounds that the release writes; Bounds has what follows from them too.
	given dp.ContributionBounds
	// l0 is the most groups that one person can be in.
	l0 int64
	// sums are what is summed, in the order of their draws.
	sums []sum
	// trees are the values of which quantiles are asked, in the order of their draws.
	trees []tree
	draws []plan.Draw
	stats []*statistic
	// counts: the first draw is visitors.
	counts     bool
	want       plan.Table
	calibrated plan.Calibrated
	// single says that a person, who is a record, cannot have more than counts.
	single bool
	// auto is set where bounds are found in the data, and narrowed then says which of a value's clamps was.
	auto     *autoBounds
	narrowed map[string]int
	// estimators are made when they are first asked for.
	estimators *estimators
}

// statistic says how one published number comes from the draws.
type statistic struct {
	Statistic
	// draw is the number itself, or the numerator.
	draw int
	// denominator is the draw that divides: the events of a mean, the total of a share. -1 for none.
	denominator int
	// squares is the draw of the squares of a variance.
	squares int
	// parts: the denominator of a share is the sum of its own parts, which are all drawn.
	parts bool
	// within are the positions in group_by that a share stays inside.
	within []int
}

const noDraw = -1

// compile checks a policy and a release against each other and calibrates the noise.
func compile(p *Policy, r *Release) (*compiled, error) {
	if p == nil || r == nil {
		return nil, fmt.Errorf("%w: both a policy and a release are needed", ErrSpec)
	}
	pf := p.validate()
	if len(pf.list) > 0 {
		// Names of a policy that is not in order would make faults of the release that are none.
		return nil, pf.err()
	}
	f := &faults{where: r.where}
	r.validate(f, p)
	r, levels := r.withLevels(p)
	c := &compiled{policy: p, release: r, levels: levels, inputs: p.inputs()}
	c.compilePeriod(f)
	c.compileDate(f)
	c.compileRules(f)
	c.compileUnit(f)
	sound := make([]bool, len(r.Tables))
	for i, l := range levels {
		if l.of >= 0 && (!l.validateLevel(f, p, r.Tables[l.of], sound[l.of]) || !sound[l.of]) {
			continue
		}
		if sound[i] = r.validateTable(f, p, l.path, i); sound[i] {
			c.tables = append(c.tables, c.compileTable(f, l.path, i))
		}
	}
	r.validateAutoShares(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	c.calibrate(f)
	c.dropUnread()
	c.compileTotals()
	c.checkWidest(f)
	return c, f.err()
}

// dropUnread leaves out a visitors input of which this release reads nothing but ids.
func (c *compiled) dropUnread() {
	if !c.hasUsage() {
		return
	}
	reads := slices.ContainsFunc(c.rules, func(r rule) bool { return r.from == Visitors }) ||
		slices.ContainsFunc(c.dims, func(d *dimension) bool { return d.column.From == Visitors })
	if !reads {
		c.inputs = []InputName{Usage}
	}
}

func (c *compiled) hasUsage() bool { return slices.Contains(c.inputs, Usage) }

func (c *compiled) compilePeriod(f *faults) {
	p, r := c.policy, c.release
	for name, col := range p.Columns {
		if col.Role == TimeRole {
			cl, err := generalize.NewClock(anonymize.As(col.As), col.Zone)
			if err != nil {
				f.problems("policy.columns."+name+".as", quoted(col.As), err)
				return
			}
			c.clock = &clock{column: col, name: name, clock: cl}
		}
	}
	switch per := r.Period; {
	case per.All && (per.From != "" || per.To != ""):
		f.add("release.period", "all and from or to", "one of them", "remove one")
	case per.All:
	case per.From == "" && per.To == "":
		f.unset("release.period", wantPeriod, "write both ends")
	case per.From == "" || per.To == "":
		f.add("release.period", "one end", wantPeriod, "write both ends")
	case c.clock == nil:
		f.add("release.period", "from and to", "all", "the policy has no column with role: time")
	default:
		c.compileEnds(f, per)
	}
}

// compileDate finds the instant as of which people are looked at: which ages they have, how old records are, and what
// has been consented to before. Only a policy that asks such things needs one.
func (c *compiled) compileDate(f *faults) {
	r := c.release
	zone := ""
	if c.clock != nil {
		zone = c.clock.column.Zone
	}
	var err error
	if c.calendar, err = generalize.NewClock(anonymize.AsRFC3339, zone); err != nil {
		return // said of the time column
	}
	text := r.AsOf
	if text == "" && len(r.Period.From) >= len("2006-01-02") {
		text = r.Period.From[:len("2006-01-02")]
	}
	at, ok := c.calendar.Instant(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)})
	if days, known := c.calendar.Number(at, generalize.Day); ok && known {
		c.cutoff, c.asOf = at, anonymize.DateOf(days)
		return
	}
	if r.AsOf != "" {
		f.add("release.as_of", quoted(r.AsOf), "a date such as 2026-03-16, or an instant such as 2026-03-16T12:00:00Z", "write year, month and day")
		return
	}
	const why = "the period has no calendar date, and "
	if c.policy.Exclude.Retention != nil {
		f.unset("release.as_of", "the date from which the age of records is counted, such as 2026-03-16", why+"policy.exclude.retention needs one")
	} else if births := c.births(); births != "" {
		f.unset("release.as_of", "the date at which ages are taken, such as 2026-03-16", why+births+" has births")
	} else if timed := c.timedConsent(); timed != "" {
		f.unset("release.as_of", "the date or instant before which consent counts, such as 2026-03-16", why+timed+" needs one")
	}
}

// timedConsent names a part of the policy by which it matters when consent was given, "" where there is none.
func (c *compiled) timedConsent() string {
	e := &c.policy.Exclude
	switch {
	case e.Consents != nil:
		return "policy.exclude.consents"
	case e.Consent != nil && e.Consent.Given != nil:
		return "policy.exclude.consent.given"
	case e.UnderAge != nil && e.UnderAge.Unless != nil && e.UnderAge.Unless.Given != nil:
		return "policy.exclude.under_age.unless.given"
	}
	return ""
}

// cutoffText is the instant as of which people are looked at.
func (c *compiled) cutoffText() string {
	return time.UnixMicro(c.cutoff).UTC().Format(time.RFC3339Nano)
}

// births names a part of the policy that this release uses and that makes ages of births, "" where
// there is none.
func (c *compiled) births() string {
	made := func(as string) bool {
		return as == string(anonymize.AsBirthYear) || as == string(anonymize.AsBirthDate)
	}
	if u := c.policy.Exclude.UnderAge; u != nil && made(u.As) {
		return "policy.exclude.under_age"
	}
	for _, t := range c.release.Tables {
		for _, name := range t.GroupBy {
			if made(c.policy.Columns[name].As) {
				return "policy.columns." + name
			}
		}
	}
	return ""
}

func (c *compiled) compileEnds(f *faults, per Period) {
	from, okFrom := c.end(f, "release.period.from", per.From)
	to, okTo := c.end(f, "release.period.to", per.To)
	if okFrom && okTo && from >= to {
		f.add("release.period", per.From+" to "+per.To, "an end after the start (the end is exclusive)", "swap them")
	}
	c.clock.from, c.clock.to = from, to
}

// end reads one end of the period in the unit of the time column.
func (c *compiled) end(f *faults, path, text string) (int64, bool) {
	as, want := anonymize.AsRFC3339, "a date such as 2026-03-16, or an instant such as 2026-03-16T12:00:00Z"
	if c.clock.clock.CountsDays() {
		as, want = anonymize.AsDayOffset, "a whole number of days"
	}
	cl, err := generalize.NewClock(as, c.clock.column.Zone)
	if err == nil {
		if at, ok := cl.Instant(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)}); ok {
			return at, true
		}
	}
	f.add(path, quoted(text), want, "write it as the time column "+c.clock.name+" counts")
	return 0, false
}

func (c *compiled) compileRules(f *faults) {
	if r := c.policy.Exclude.Consent; r != nil {
		consent, err := anonymize.NewConsent(r.Column, r.Allow...)
		if err != nil {
			f.problems("policy.exclude.consent", "something else", err)
		} else {
			one := rule{from: r.From, column: r.Column, keeps: allowed(consent.Check), text: consent.String()}
			if one.given = c.compileGiven(f, "policy.exclude.consent.given", r.Given); one.given != nil {
				one.text += ", or was not " + one.given.text
			}
			c.rules = append(c.rules, one)
		}
	}
	c.compileAllowRules(f)
	c.compileBots()
	c.compileInternal(f)
	c.compileTCF(f)
	c.compileConsents(f)
	u := c.policy.Exclude.UnderAge
	if u == nil {
		return
	}
	asOf := c.asOf
	if !asOf.IsValid() {
		asOf = anonymize.Date{Year: 2000, Month: 1, Day: 1} // an age as such does not depend on it
	}
	under, err := anonymize.NewUnderAge(u.Column, u.Below, anonymize.As(u.As), asOf)
	if err != nil {
		f.problems("policy.exclude.under_age", "something else", err)
		return
	}
	compiledRule := rule{from: u.From, column: u.Column, keeps: allowed(under.Check), text: under.String()}
	if u.Unless != nil {
		lift, err := anonymize.NewConsent(u.Unless.Column, u.Unless.Is...)
		if err != nil {
			f.problems("policy.exclude.under_age.unless", "something else", err)
			return
		}
		compiledRule.unless, compiledRule.lifts = u.Unless.Column, allowed(lift.Check)
		compiledRule.text += ", unless their " + u.Unless.Column + " says that it is permitted"
		if g := c.compileGiven(f, "policy.exclude.under_age.unless.given", u.Unless.Given); g != nil {
			compiledRule.unlessGiven = g
			compiledRule.text += ", " + g.text
		}
	}
	c.rules = append(c.rules, compiledRule)
}

func allowed(check func(anonymize.Value) anonymize.Verdict) func(anonymize.Value) bool {
	return func(v anonymize.Value) bool { return check(v) == anonymize.Allowed }
}

// dimension returns the compiled dimension of a name, the same one every time.
func (c *compiled) dimension(name string) *dimension {
	for _, d := range c.dims {
		if d.name == name {
			return d
		}
	}
	col := c.policy.Columns[name]
	d := &dimension{name: name, column: col, spec: col.spec(c.asOf), declared: col.declared()}
	declared := map[string]bool{}
	for _, l := range d.declared {
		declared[l] = true
	}
	d.complete = !slices.ContainsFunc(col.labels(), func(l string) bool { return !declared[l] })
	c.dims = append(c.dims, d)
	return d
}

func (c *compiled) compileTable(f *faults, path string, i int) *compiledTable {
	t := &compiledTable{Table: c.release.Tables[i], declared: true, l0: 1}
	if t.Weight == 0 {
		t.Weight = 1
	}
	if c.found != nil && c.found[i] != nil {
		t.narrowed = c.found[i].clamps
	}
	t.given, t.Bounds = t.Bounds, t.bounds(c.policy)
	if c.policy.ofRecords() {
		t.Bounds = dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: 1}
		t.single = true
	}
	groups := 1
	for _, name := range t.GroupBy {
		d := c.dimension(name)
		t.dims = append(t.dims, d)
		t.declared = t.declared && d.declared != nil
		if !d.person() {
			t.l0 = t.Bounds.MaxPartitions
		}
		if t.declared {
			groups = min(groups*len(d.declared), maxDeclaredGroups+1)
		}
	}
	if t.declared && groups > maxDeclaredGroups {
		f.add(path+".group_by", "more than 2^20 declared groups", "fewer", "remove a dimension, or make one private")
	}
	c.compileDraws(t)
	c.checkUnit(f, path, t)
	c.compileAuto(f, path, t, groups)
	t.want = plan.Table{Name: t.Name, Weight: t.Weight, Draws: t.draws, L0: t.l0, K: c.policy.MinPeople.K}
	switch {
	case t.declared && c.policy.MinPeople.Declared == Noisy:
		if !t.counts {
			f.add(path+".statistics", "no visitors", "visitors, or a share of visitors",
				"min_people.declared: noisy withholds by the noisy number of people, so the table needs one")
		}
	case t.counts:
		t.want.Selection = plan.ByVisitors
	default:
		t.want.Selection = plan.BySelection
	}
	return t
}

func (c *compiled) calibrate(f *faults) {
	var wants []plan.Table
	for _, t := range c.tables {
		wants = append(wants, t.want)
	}
	var err error
	c.calibration, err = plan.Calibrate(c.left(), wants)
	var fault *plan.Error
	switch {
	case errors.As(err, &fault):
		f.mechanism(c.levels[fault.Table].path, fault.Part, fault.Err)
		return
	case err != nil:
		f.add("release.spend", c.release.Spend.String(), "enough for every table ("+err.Error()+")", "spend more")
		return
	}
	for i := range c.tables {
		c.tables[i].calibrated = c.calibration.Tables[i]
		c.leaveShare(&c.tables[i].calibrated)
	}
}
