// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/anonymize/generalize"
)

// unit is a privacy unit that is shorter than a person: what they did in one period of a grain.
type unit struct {
	grain       generalize.Grain
	first, last int64
}

const (
	perDay    = "day"
	perWeek   = "week"
	perRecord = "record"
	// maxUnits is the most days or weeks of a period: what describes a person is told to each.
	maxUnits = 1000
)

func (p *Policy) validatePer(f *faults) {
	const path = "policy.privacy_unit.per"
	per := p.PrivacyUnit.Per
	if per == "" || !f.oneOf(path, per, perDay, perWeek, perRecord) {
		return
	}
	if per == perRecord {
		p.validateRecords(f, path)
		return
	}
	timed := false
	for _, c := range p.Columns {
		timed = timed || c.Role == TimeRole && c.From == Usage
	}
	if !timed {
		f.add(path, per, "a column of usage with role: time", "say which column tells when a record was made, or remove per")
	}
}

// ofRecords reports whether each record is a privacy unit.
func (p *Policy) ofRecords() bool { return p.PrivacyUnit.Per == perRecord }

// validateRecords refuses whatever needs to know whose a record is.
func (p *Policy) validateRecords(f *faults, path string) {
	const people = "it says which records are one person's: protect people (remove per), or remove it"
	if len(p.PrivacyUnit.IDs) > 0 {
		f.add(path, perRecord+" beside ids", "records without ids", people)
	}
	if p.PrivacyUnit.Links != nil {
		f.add(path, perRecord+" beside links", "records without ids", people)
	}
	if p.Exclude.Listed != nil {
		f.add(path, perRecord+" beside exclude.listed", "records without ids", people)
	}
	if p.Exclude.Consents != nil {
		f.add(path, perRecord+" beside exclude.consents", "records without ids", people)
	}
	if slices.Contains(p.inputs(), Visitors) {
		f.add(path, perRecord+" beside columns or rules that read visitors", "usage alone", "nothing says which record is whose; remove them")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Columns)) {
		switch c := p.Columns[name]; {
		case c.Of == OfPerson:
			f.add("policy.columns."+name+".of", string(OfPerson), string(OfEvent)+", with privacy_unit.per: record", "a record is no person")
		case c.Split != "":
			f.add("policy.columns."+name+".split", quoted(c.Split), "one group for each record, with privacy_unit.per: record", "remove split")
		case c.several(name):
			f.add("policy.columns."+name+".column", quoted(rawName(c, name)), "one group for each record, with privacy_unit.per: record", "name a column that is no list")
		}
	}
	if p.MinPeople.Declared == Noisy {
		f.add("policy.min_people.declared", string(Noisy), string(Hard)+", with privacy_unit.per: record", "there is no noisy number of people")
	}
}

// counted is what the policy's minimum counts.
func (p *Policy) counted() string {
	if p.ofRecords() {
		return "records"
	}
	return "people"
}

// compileUnit finds the days or weeks of the period, and whether people are left out by what they did on one.
func (c *compiled) compileUnit(f *faults) {
	per := c.policy.PrivacyUnit.Per
	if per == "" || per == perRecord || c.clock == nil {
		return
	}
	const path = "policy.privacy_unit.per"
	for _, r := range c.rules {
		if r.from == Usage {
			f.add(path, per+", and a rule that reads "+r.column+" of usage", "rules that read visitors, or exclude.listed or consents",
				"what a person did on one day would decide about their other days; protect whole people (remove per), or move the rule")
		}
	}
	u := &unit{grain: generalize.Day}
	if per == perWeek {
		u.grain = generalize.ISOWeek
		if c.clock.clock.CountsDays() {
			u.grain = generalize.Week
		}
	}
	c.parts = u
	if c.release.Period.All {
		f.add("release.period", "all", "both ends, with privacy_unit.per", "write from and to")
		return
	}
	if c.clock.from >= c.clock.to {
		return // said before
	}
	u.first, _ = c.clock.clock.Number(c.clock.from, u.grain)
	u.last, _ = c.clock.clock.Number(c.clock.to-1, u.grain)
	if n := u.last - u.first + 1; n > maxUnits {
		f.add("release.period", number(n, per), "at most "+number(maxUnits, per), "release shorter periods")
	}
}

// checkUnit makes sure that every group of a table, and every whole, lies in one unit.
func (c *compiled) checkUnit(f *faults, path string, t *compiledTable) {
	if c.parts == nil {
		return
	}
	fix := fmt.Sprintf("group by a dimension of %s with grain: %s, with its as and zone", rawName(c.clock.column, c.clock.name), c.parts.grain)
	if !slices.ContainsFunc(t.dims, c.inUnit) {
		f.add(path+".group_by", "groups of more than one "+c.policy.PrivacyUnit.Per, "groups that each lie in one, as privacy_unit.per is "+c.policy.PrivacyUnit.Per, fix)
		return
	}
	for i, s := range t.stats {
		if s.Kind == ShareOf && !slices.ContainsFunc(s.within, func(w int) bool { return c.inUnit(t.dims[w]) }) {
			f.add(fmt.Sprintf("%s.statistics[%d].within", path, i), "a whole of more than one "+c.policy.PrivacyUnit.Per, "one that lies in one", "name the dimension of time in within")
		}
	}
}

// inUnit reports whether all records of a group of the dimension lie in one unit.
func (c *compiled) inUnit(d *dimension) bool {
	at := c.clock.column
	if d.person() || d.column.Grain == "" || rawName(d.column, d.name) != rawName(at, c.clock.name) || len(d.column.Columns) > 0 ||
		d.column.As != at.As || d.column.Zone != at.Zone {
		return false
	}
	grains := []generalize.Grain{generalize.Hour, generalize.Day}
	return slices.Contains(append(grains, c.parts.grain), generalize.Grain(d.column.Grain))
}

// scanUnit says how an input's records are parted into units.
func (c *compiled) scanUnit(column func(string) int) *scan.Unit {
	if c.parts == nil {
		return nil
	}
	return &scan.Unit{
		Column: column(rawName(c.clock.column, c.clock.name)), Clock: c.clock.clock,
		Grain: c.parts.grain, First: c.parts.first, Last: c.parts.last,
	}
}

// unitName names the privacy unit: person, person-day, person-week or record. What is charged for one is no charge for
// another.
func (p *Policy) unitName() string {
	switch p.PrivacyUnit.Per {
	case "":
		return "person"
	case perRecord:
		return perRecord
	}
	return "person-" + p.PrivacyUnit.Per
}
