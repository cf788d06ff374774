// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// Names become columns and files of a partner's bundle, so they are plain.
var (
	columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	slug       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

// reserved are the columns that every table file has.
var reserved = []string{"statistic", "unit", "value", "display", "ci_low", "ci_high", "obs_status"}

const (
	wantColumnName = "lower-case letters, digits and _, at most 63, beginning with a letter"
	wantSlug       = "lower-case letters, digits and . _ -, at most 63"
	maxGroupBy     = 6
	maxClampQuanta = 1 << 40
	maxK           = 1_000_000
	maxPerGroup    = 1_000_000_000
)

// validate reports every fault of a policy on its own.
func (p *Policy) validate() *faults {
	f := &faults{where: p.where}
	if p.Version != 1 {
		f.add("policy.version", fmt.Sprint(p.Version), "1", "write version: 1")
	}
	f.name("policy.population", p.Population, slug, wantSlug)
	p.validateIDs(f)
	for _, name := range slices.Sorted(maps.Keys(p.Columns)) {
		p.validateColumn(f, "policy.columns."+name, name, p.Columns[name])
	}
	p.validateExclude(f)
	if p.MinPeople.K < 1 || p.MinPeople.K > maxK {
		f.add("policy.min_people.k", fmt.Sprint(p.MinPeople.K), fmt.Sprintf("1 to %d people", maxK), "20 is a common choice")
	}
	if p.MinPeople.Declared != "" {
		f.oneOf("policy.min_people.declared", string(p.MinPeople.Declared), string(Hard), string(Noisy))
	}
	if !p.Budget.IsSet() {
		f.unset("policy.budget", "epsilon and delta", "write the most that all releases together may spend")
	}
	if len(p.Recipients) == 0 {
		f.unset("policy.recipients", "who may receive releases", "write NAME: {purposes: [PURPOSE]}")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Recipients)) {
		path := "policy.recipients." + name
		f.name(path, name, slug, wantSlug)
		if len(p.Recipients[name].Purposes) == 0 {
			f.unset(path+".purposes", "at least one purpose", "list what this recipient may use numbers for")
		}
	}
	return f
}

func (f *faults) name(path, got string, pattern *regexp.Regexp, want string) {
	switch {
	case got == "":
		f.unset(path, want, "give it a name")
	case !pattern.MatchString(got):
		f.add(path, fmt.Sprintf("%.70q", got), want, "rename it")
	}
}

func (p *Policy) validateIDs(f *faults) {
	const path = "policy.privacy_unit.ids"
	if len(p.PrivacyUnit.IDs) == 0 {
		f.unset(path, "at least one column that names the person", "write [{column: NAME, kind: opaque}]")
		return
	}
	for i, id := range p.PrivacyUnit.IDs {
		at := fmt.Sprintf("%s[%d]", path, i)
		if id.Column == "" {
			f.unset(at+".column", "a column of the inputs", "name it")
		}
		if id.From != "" {
			f.oneOf(at+".from", string(id.From), string(Visitors), string(Usage))
		}
		if _, err := identity.ParseKind(id.Kind); err != nil {
			f.problem(at+".kind", id.Kind, err)
		}
	}
	for _, input := range p.inputs() {
		if len(p.idsOf(input)) == 0 {
			f.unset(path, "an id column in the "+string(input)+" input, which columns or rules read", "add {column: NAME, from: "+string(input)+", kind: opaque}")
		}
	}
}

// inputs lists the inputs that the policy reads, usage first.
func (p *Policy) inputs() []InputName {
	reads := map[InputName]bool{}
	for _, id := range p.PrivacyUnit.IDs {
		reads[id.From] = true
	}
	for _, c := range p.Columns {
		if c.Role != Identifier {
			reads[c.From] = true
		}
	}
	if p.Exclude.Consent != nil {
		reads[p.Exclude.Consent.From] = true
	}
	if p.Exclude.UnderAge != nil {
		reads[p.Exclude.UnderAge.From] = true
	}
	var list []InputName
	for _, name := range []InputName{Usage, Visitors} {
		if reads[name] {
			list = append(list, name)
		}
	}
	return list
}

// idsOf lists the id columns of one input, in order of preference.
func (p *Policy) idsOf(input InputName) []IDColumn {
	var ids []IDColumn
	for _, id := range p.PrivacyUnit.IDs {
		if id.From == "" || id.From == input {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p *Policy) validateColumn(f *faults, path, name string, c Column) {
	f.name(path, name, columnName, wantColumnName)
	if slices.Contains(reserved, name) {
		f.add(path, fmt.Sprintf("%q", name), "a name that no published file uses", "rename it and write column: "+name)
	}
	if !f.oneOf(path+".role", string(c.Role), string(Dimension), string(TimeRole), string(ValueRole), string(Identifier)) {
		return
	}
	if c.Role == Identifier {
		return
	}
	f.oneOf(path+".from", string(c.From), string(Visitors), string(Usage))
	if c.Column != "" && len(c.Columns) > 0 {
		f.add(path+".columns", "both column and columns", "one of them", "remove column")
	}
	switch c.Role {
	case Dimension:
		p.validateDimension(f, path, c)
	case TimeRole:
		p.validateTime(f, path, name, c)
	case ValueRole:
		p.validateValue(f, path, c)
	}
}

func (p *Policy) validateDimension(f *faults, path string, c Column) {
	f.oneOf(path+".of", string(c.Of), string(OfPerson), string(OfEvent))
	if c.Of == OfEvent && c.From == Visitors {
		f.add(path+".of", "event", "person", "a visitor record describes a person, not an event")
	}
	if c.Resolve != "" {
		f.oneOf(path+".resolve", c.Resolve, "most_frequent", "conflict")
		if c.Of == OfEvent {
			f.add(path+".resolve", fmt.Sprintf("%q", c.Resolve), "nothing for a dimension of events", "remove it, or write of: person")
		}
	}
	if c.Groups.Private && len(c.Groups.Declared) > 0 {
		f.add(path+".groups", "both private and a list", "one of them", "remove one")
	}
	if !c.Groups.Private && c.declared() == nil {
		f.unset(path+".groups", "private, or the list of groups", "write groups: private where the groups are found in the data")
	}
	// The date only turns births into ages; which one it is makes no difference to the faults.
	_, err := generalize.NewLabeler(c.spec(anonymize.Date{Year: 2000, Month: 1, Day: 1}))
	for _, err := range Faults(err) {
		f.problem(path, "this dimension", err)
	}
}

func (p *Policy) validateTime(f *faults, path, name string, c Column) {
	input := p.inputs()[0]
	if c.From != input {
		f.add(path+".from", string(c.From), string(input), "the period applies to "+string(input)+" records")
	}
	if len(c.Columns) > 0 {
		f.add(path+".columns", "several columns", "one", "write column: NAME")
	}
	for other, o := range p.Columns {
		if o.Role == TimeRole && other < name {
			f.add(path+".role", "a second time column", "one", "make it a dimension with a grain, or remove it")
		}
	}
	if _, err := generalize.NewClock(anonymize.As(c.As), c.Zone); err != nil {
		f.problem(path+".as", fmt.Sprintf("%.40q in zone %.40q", c.As, c.Zone), err)
	}
}

func (p *Policy) validateValue(f *faults, path string, c Column) {
	if c.From == Visitors {
		f.add(path+".from", "visitors", "usage", "only usage records carry values")
	}
	if c.Invalid != "" {
		f.oneOf(path+".invalid", c.Invalid, "drop", "clamp")
	}
	if c.Clamp != nil && c.SumClamp != nil {
		f.add(path+".sum_clamp", "both clamp and sum_clamp", "one of them", "clamp bounds each record, sum_clamp a person's total in a group")
	}
	if c.Clamp == nil && c.SumClamp == nil {
		f.unset(path+".clamp", "[lower, upper]", "write the smallest and the largest value of one record that counts")
	}
	if _, err := c.number(); err != nil {
		f.problem(path+".resolution", fmt.Sprintf("%.40q", c.Resolution), err)
		return
	}
	for key, r := range map[string]*Range{"clamp": c.Clamp, "sum_clamp": c.SumClamp} {
		if r != nil {
			c.validateRange(f, path+"."+key, *r)
		}
	}
}

func (c Column) validateRange(f *faults, path string, r Range) {
	lower, errL := c.quanta(r.Lower)
	upper, errU := c.quanta(r.Upper)
	if errL != nil {
		f.add(path+"[0]", fmt.Sprintf("%.40q", r.Lower), errL.Error(), "")
	}
	if errU != nil {
		f.add(path+"[1]", fmt.Sprintf("%.40q", r.Upper), errU.Error(), "")
	}
	if errL == nil && errU == nil && lower >= upper {
		f.add(path, "["+r.Lower+", "+r.Upper+"]", "a lower end below the upper", "swap them")
	}
}

// number is how the column's cells become integers.
func (c Column) number() (generalize.Number, error) {
	if c.Resolution == "" {
		return generalize.NewNumber("1")
	}
	return generalize.NewNumber(c.Resolution)
}

// quanta converts a bound, which must be a whole multiple of the resolution.
func (c Column) quanta(text string) (int64, error) {
	bound, ok := new(big.Rat).SetString(text)
	resolution, okR := new(big.Rat).SetString(c.resolution())
	if !ok || !okR || resolution.Sign() <= 0 {
		return 0, fmt.Errorf("a decimal number")
	}
	q := bound.Quo(bound, resolution)
	if !q.IsInt() {
		return 0, fmt.Errorf("a multiple of the resolution %s", c.resolution())
	}
	if !q.Num().IsInt64() || q.Num().Int64() > maxClampQuanta || q.Num().Int64() < -maxClampQuanta {
		return 0, fmt.Errorf("at most 2^40 steps of the resolution %s", c.resolution())
	}
	return q.Num().Int64(), nil
}

func (c Column) resolution() string {
	if c.Resolution == "" {
		return "1"
	}
	return c.Resolution
}

func (p *Policy) validateExclude(f *faults) {
	if c := p.Exclude.Consent; c != nil {
		const path = "policy.exclude.consent"
		f.ruleColumn(path, c.From, c.Column)
		if len(c.Allow) == 0 {
			f.unset(path+".allow", "the values that mean yes", `write allow: ["yes"]`)
		}
	}
	u := p.Exclude.UnderAge
	if u == nil {
		return
	}
	const path = "policy.exclude.under_age"
	f.ruleColumn(path, u.From, u.Column)
	f.oneOf(path+".as", u.As, "birth_year", "birth_date", "age")
	if u.Below < 1 || u.Below > 120 {
		f.add(path+".below", fmt.Sprint(u.Below), "an age in years, 1 to 120", "13 is a common choice")
	}
	if u.Unless != nil && (u.Unless.Column == "" || len(u.Unless.Is) == 0) {
		f.unset(path+".unless", "column and is", `write unless: {column: NAME, is: ["yes"]}`)
	}
}

func (f *faults) ruleColumn(path string, from InputName, column string) {
	f.oneOf(path+".from", string(from), string(Visitors), string(Usage))
	if column == "" {
		f.unset(path+".column", "a column of the "+string(from)+" input", "name it")
	}
}

// validate reports every fault of a release under a policy that is itself in order.
func (r *Release) validate(p *Policy) *faults {
	f := &faults{where: r.where}
	if r.Version != 1 {
		f.add("release.version", fmt.Sprint(r.Version), "1", "write version: 1")
	}
	f.name("release.name", r.Name, slug, wantSlug)
	f.name("release.snapshot", r.Snapshot, slug, wantSlug)
	r.validatePurpose(f, p)
	switch {
	case !r.Spend.IsSet():
		f.unset("release.spend", "epsilon and delta", `write {epsilon: "1", delta: "1e-9"}`)
	case !r.Spend.Within(p.Budget):
		f.add("release.spend", r.Spend.String(), "at most the policy's budget, "+p.Budget.String(), "ask for less, or ask the data owner for more")
	}
	if len(r.Tables) == 0 {
		f.unset("release.tables", "at least one table", "write - {name: NAME, group_by: [DIMENSION], statistics: [visitors]}")
	}
	for i, t := range r.Tables {
		path := fmt.Sprintf("release.tables[%d]", i)
		f.name(path+".name", t.Name, columnName, wantColumnName)
		if slices.IndexFunc(r.Tables, func(o Table) bool { return o.Name == t.Name }) < i {
			f.add(path+".name", fmt.Sprintf("%.70q", t.Name), "a name of its own", "rename it")
		}
		r.validateTable(f, p, path, t)
	}
	return f
}

func (r *Release) validatePurpose(f *faults, p *Policy) {
	recipients := slices.Sorted(maps.Keys(p.Recipients))
	if !f.oneOf("release.recipient", r.Recipient, recipients...) {
		return
	}
	f.oneOf("release.purpose", r.Purpose, p.Recipients[r.Recipient].Purposes...)
	if c := p.Exclude.Consent; c != nil && c.Purpose != "" && r.Purpose != c.Purpose {
		f.add("release.purpose", fmt.Sprintf("%.70q", r.Purpose), "the purpose that people consented to, "+c.Purpose, "")
	}
}

func (r *Release) validateTable(f *faults, p *Policy, path string, t Table) {
	dims := slices.DeleteFunc(slices.Sorted(maps.Keys(p.Columns)), func(n string) bool { return p.Columns[n].Role != Dimension })
	eventLevel := false
	for i, name := range t.GroupBy {
		at := fmt.Sprintf("%s.group_by[%d]", path, i)
		if f.oneOf(at, name, dims...) && p.Columns[name].Of == OfEvent {
			eventLevel = true
		}
		if slices.Index(t.GroupBy, name) < i {
			f.add(at, fmt.Sprintf("%q", name), "each dimension once", "remove it")
		}
	}
	if len(t.GroupBy) > maxGroupBy {
		f.add(path+".group_by", fmt.Sprintf("%d dimensions", len(t.GroupBy)), fmt.Sprintf("at most %d", maxGroupBy), "make several tables")
	}
	if t.Weight < 0 || t.Weight > 1000 {
		f.add(path+".weight", fmt.Sprint(t.Weight), "1 to 1000", "leave it out for 1")
	}
	if len(t.Statistics) == 0 {
		f.unset(path+".statistics", "at least one statistic", "write [visitors]")
	}
	counted := false
	for i, s := range t.Statistics {
		at := fmt.Sprintf("%s.statistics[%d]", path, i)
		r.validateStatistic(f, p, at, t, s)
		if slices.IndexFunc(t.Statistics, func(o Statistic) bool { return o.Name() == s.Name() }) < i {
			f.add(at, s.String(), "one statistic "+s.Name()+" per table", "put it into a table of its own")
		}
		counted = counted || s.recorded(p)
	}
	r.validateBounds(f, path+".bounds", t, eventLevel, counted)
}

// recorded reports whether a statistic depends on how many records a person has in a group.
func (s Statistic) recorded(p *Policy) bool {
	switch s.Kind {
	case CountEvents, MeanOf:
		return true
	case SumOf:
		return p.Columns[s.Of].SumClamp == nil
	case ShareOf:
		return s.Of == string(CountEvents)
	}
	return false
}

func (r *Release) validateBounds(f *faults, path string, t Table, eventLevel, counted bool) {
	b := t.Bounds
	if b.MaxPartitions < 0 || b.MaxPartitions > engine.MaxPartitionsLimit {
		f.add(path+".max_partitions", fmt.Sprint(b.MaxPartitions), fmt.Sprintf("1 to %d groups per person", engine.MaxPartitionsLimit), "start near what a typical person has")
	}
	if b.MaxPerPartition < 0 || b.MaxPerPartition > maxPerGroup {
		f.add(path+".max_per_partition", fmt.Sprint(b.MaxPerPartition), fmt.Sprintf("1 to %d records per person and group", maxPerGroup), "start near what a typical person has")
	}
	if eventLevel && b.MaxPartitions == 0 {
		f.unset(path+".max_partitions", "the most groups in which one person counts", "it has no default: more groups mean more noise, fewer lose activity")
	}
	if !eventLevel && b.MaxPartitions > 1 {
		f.add(path+".max_partitions", fmt.Sprint(b.MaxPartitions), "1", "a person is in one group of person-level dimensions; leave it out")
	}
	if counted && b.MaxPerPartition == 0 {
		f.unset(path+".max_per_partition", "the most records of one person that count in one group", "it has no default: more records mean more noise, fewer lose activity")
	}
}

func (r *Release) validateStatistic(f *faults, p *Policy, path string, t Table, s Statistic) {
	hasUsage := slices.Contains(p.inputs(), Usage)
	if !hasUsage && (s.Kind == CountEvents || s.Kind == SumOf || s.Kind == MeanOf || s.Of == string(CountEvents)) {
		f.add(path, s.String(), "visitors or a share of visitors", "without a usage input there are no events")
		return
	}
	switch s.Kind {
	case CountVisitors, CountEvents:
	case ShareOf:
		f.oneOf(path+".share", s.Of, string(CountVisitors), string(CountEvents))
		for i, w := range s.Within {
			at := fmt.Sprintf("%s.within[%d]", path, i)
			f.oneOf(at, w, t.GroupBy...)
			if slices.Index(s.Within, w) < i {
				f.add(at, fmt.Sprintf("%q", w), "each dimension once", "remove it")
			}
		}
		if len(t.GroupBy) == 0 || len(s.Within) >= len(t.GroupBy) {
			f.add(path, s.String(), "a dimension in group_by that is not in within", "a share needs groups to divide")
		}
	case SumOf, MeanOf:
		r.validateValueStatistic(f, p, path, s)
	default:
		f.unset(path, "visitors, events, {sum: VALUE}, {mean: VALUE} or {share: visitors}", "choose one")
	}
	if s.Kind != ShareOf && len(s.Within) > 0 {
		f.add(path+".within", "within", "a share", "only a share is within something")
	}
}

func (r *Release) validateValueStatistic(f *faults, p *Policy, path string, s Statistic) {
	values := slices.DeleteFunc(slices.Sorted(maps.Keys(p.Columns)), func(n string) bool { return p.Columns[n].Role != ValueRole })
	if len(values) == 0 {
		f.add(path, fmt.Sprintf("%.70q", s.Of), "a column with role: value in the policy", "there is none; add one")
		return
	}
	if f.oneOf(path+"."+string(s.Kind), s.Of, values...) && s.Kind == MeanOf && p.Columns[s.Of].SumClamp != nil {
		f.add(path, s.String(), "a value with clamp", "sum_clamp bounds a person's total, which has no mean per record")
	}
}
