// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/detect"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp"
)

// Names become columns and files of a partner's bundle, so they are plain.
var (
	columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	slug       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

// deviceName are names that Windows does not let a file have.
var deviceName = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// reserved are the columns that every table file has.
var reserved = []string{"statistic", "unit", "value", "display", "ci_low", "ci_high", "obs_status"}

const (
	wantColumnName = "lower-case letters, digits and _, at most 63, beginning with a letter"
	wantSlug       = "lower-case letters, digits and . _ -, at most 63"
	maxGroupBy     = 6
	maxClampQuanta = 1 << 40
	maxK           = 1_000_000
	maxPerGroup    = 1_000_000_000
	maxSplit       = 16
)

// validate reports every fault of a policy on its own.
func (p *Policy) validate() *faults {
	f := &faults{where: p.where}
	f.version("policy.version", p.Version)
	f.name("policy.population", p.Population, slug, wantSlug)
	if p.From != "" {
		f.oneOf("policy.from", p.From, presets()...)
	}
	p.validateIDs(f)
	for _, name := range slices.Sorted(maps.Keys(p.Columns)) {
		p.validateColumn(f, strictyaml.Child("policy.columns", name), name, p.Columns[name])
	}
	p.validateExclude(f)
	f.format("policy.inputs.visitors", p.Inputs.Visitors)
	f.format("policy.inputs.usage", p.Inputs.Usage)
	f.format("policy.inputs.links", p.Inputs.Links)
	f.format("policy.inputs.listed", p.Inputs.Listed)
	f.format("policy.inputs.consents", p.Inputs.Consents)
	p.validateLists(f)
	p.validateConsents(f)
	p.validatePer(f)
	if p.MinPeople.K < 1 || p.MinPeople.K > maxK {
		f.add("policy.min_people.k", fmt.Sprint(p.MinPeople.K), fmt.Sprintf("1 to %d people", maxK), "20 is a common choice")
	}
	if p.MinPeople.Declared != "" {
		f.oneOf("policy.min_people.declared", string(p.MinPeople.Declared), string(Hard), string(Noisy))
	}
	f.spend("policy.budget", p.Budget, "write the most that all releases together may spend")
	if len(p.Recipients) == 0 {
		f.unset("policy.recipients", "who may receive releases", "write NAME: {purposes: [PURPOSE]}")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Recipients)) {
		path := strictyaml.Child("policy.recipients", name)
		f.name(path, name, slug, wantSlug)
		if len(p.Recipients[name].Purposes) == 0 {
			f.unset(path+".purposes", "at least one purpose", "list what this recipient may use numbers for")
		}
	}
	return f
}

// format checks words; what fits which file is known when one is opened.
func (f *faults) format(path string, format Format) {
	if format.Format != "" {
		f.oneOf(path+".format", format.Format, "csv", "tsv", "ndjson", "parquet", "arrow", "combined", "w3c")
	}
	if format.Encoding != "" {
		f.oneOf(path+".encoding", format.Encoding, "utf-8", "latin-1", "windows-1252")
	}
}

func (f *faults) version(path string, got int64) {
	switch got {
	case 1:
	case 0:
		f.unset(path, "1", "write version: 1")
	default:
		f.add(path, fmt.Sprint(got), "1", "write version: 1")
	}
}

// spend reports what is missing from an (ε, δ) pair or out of range, and whether it is in order.
func (f *faults) spend(path string, s dp.Spend, fix string) bool {
	before := len(f.list)
	switch e := s.Epsilon; {
	case !e.IsSet():
		f.unset(path+".epsilon", `ε as decimal text, such as "1"`, fix)
	case e.Check() != nil:
		f.problems(path+".epsilon", quoted(e.String()), e.Check())
	}
	switch d := s.Delta; {
	case !d.IsSet():
		f.unset(path+".delta", `δ as decimal text, such as "1e-9"`, fix)
	case d.Check() != nil:
		f.problems(path+".delta", quoted(d.String()), d.Check())
	}
	return len(f.list) == before
}

func (f *faults) name(path, got string, pattern *regexp.Regexp, want string) {
	switch {
	case got == "":
		f.unset(path, want, "give it a name")
	case !pattern.MatchString(got):
		f.add(path, quoted(got), want, "rename it")
	}
}

func (p *Policy) validateIDs(f *faults) {
	const path = "policy.privacy_unit.ids"
	if p.ofRecords() {
		return
	}
	if len(p.PrivacyUnit.IDs) == 0 {
		f.unset(path, "at least one column that names the person", "write [{column: NAME, kind: opaque}]")
		return
	}
	for i, id := range p.PrivacyUnit.IDs {
		at := fmt.Sprintf("%s[%d]", path, i)
		if id.Column == "" {
			f.unset(at+".column", "a column of the inputs", "name it")
		}
		f.oneValue(at+".column", id.Column, "a record is one person's")
		if id.From != "" {
			f.oneOf(at+".from", string(id.From), string(Visitors), string(Usage))
		}
		if _, err := identity.ParseKind(id.Kind); err != nil {
			f.problems(at+".kind", orNothing(id.Kind), err)
		}
	}
	if len(p.inputs()) == 0 {
		f.unset(path+"[0].from", "visitors or usage", "nothing else in the policy says which input is read")
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
	for _, r := range p.Exclude.allowRules() {
		reads[r.From] = true
	}
	if p.Exclude.TCF != nil {
		reads[p.Exclude.TCF.From] = true
	}
	if p.Exclude.Bots != nil {
		reads[p.Exclude.Bots.From] = true
	}
	if p.Exclude.Internal != nil {
		reads[p.Exclude.Internal.From] = true
	}
	var list []InputName
	for _, name := range []InputName{Usage, Visitors} {
		if reads[name] {
			list = append(list, name)
		}
	}
	return list
}

// inputID is an id column of one input. Columns with the same space hold the same id.
type inputID struct {
	IDColumn
	space int
}

// idsOf lists the id columns of one input, in order of preference. Entries for different inputs that
// stand next to each other are one id under two names; every other entry is an id of its own.
func (p *Policy) idsOf(input InputName) []inputID {
	return slices.DeleteFunc(p.ids(), func(id inputID) bool { return id.From != "" && id.From != input })
}

// ids lists all id columns with their spaces.
func (p *Policy) ids() []inputID {
	var ids []inputID
	space := -1
	var named []InputName // the inputs of the entries of this space
	for _, id := range p.PrivacyUnit.IDs {
		if id.From == "" || len(named) == 0 || slices.Contains(named, "") || slices.Contains(named, id.From) {
			space, named = space+1, nil
		}
		named = append(named, id.From)
		ids = append(ids, inputID{id, space})
	}
	return ids
}

func (p *Policy) validateColumn(f *faults, path, name string, c Column) {
	f.name(path, name, columnName, wantColumnName)
	if slices.Contains(reserved, name) {
		f.add(path, quoted(name), "a name that no published file uses", "rename it and write column: "+name)
	}
	if !f.oneOf(path+".role", string(c.Role), string(Dimension), string(TimeRole), string(ValueRole), string(Identifier)) {
		return
	}
	for _, field := range c.misplaced() {
		f.add(path+"."+field, field+" on a column with role: "+string(c.Role), "nothing here", "remove it")
	}
	if c.Role == Identifier {
		return
	}
	f.oneOf(path+".from", string(c.From), string(Visitors), string(Usage))
	if c.Column != "" && len(c.Columns) > 0 {
		f.add(path+".columns", "both column and columns", "one of them", "remove column")
	}
	if slices.Contains(c.Columns, "") {
		f.unset(path+".columns", "a name for each", "name the raw columns")
	}
	if list := slices.IndexFunc(rawColumns(c, name), table.IsList); list >= 0 && (c.Role != Dimension || c.Of == OfPerson || c.Split != "" || len(c.Columns) > 0) {
		f.oneValue(path+".column", rawColumns(c, name)[list], "lists are for dimensions of events, without split or other columns")
	}
	switch c.Role {
	case Dimension:
		p.validateDimension(f, path, name, c)
	case TimeRole:
		p.validateTime(f, path, name, c)
	case ValueRole:
		if name == string(CountVisitors) || name == string(CountEvents) {
			f.add(path, quoted(name), "a name that is no statistic", "rename it and write column: "+name)
		}
		p.validateValue(f, path, c)
	}
}

// roleFields lists the fields that each role uses. One that would change nothing is refused: whoever
// wrote it thinks that it does.
var roleFields = map[Role]string{
	Dimension:  "from of column columns join split as length bits zone grain values lookup otherwise bands step origin range groups resolve",
	TimeRole:   "from column as zone",
	ValueRole:  "from column clamp sum_clamp resolution unit invalid",
	Identifier: "from column",
}

// misplaced lists the fields that are set and that the column's role does not use, in order.
func (c Column) misplaced() []string {
	set := map[string]bool{
		"from": c.From != "", "of": c.Of != "", "column": c.Column != "", "columns": c.Columns != nil, "join": c.Join != "", "split": c.Split != "",
		"as": c.As != "", "length": c.Length != 0, "bits": c.Bits.V4 != 0 || c.Bits.V6 != 0, "zone": c.Zone != "", "grain": c.Grain != "", "values": c.Values != nil, "lookup": c.Lookup != nil,
		"otherwise": c.Otherwise != "", "bands": c.Bands != nil, "step": c.Step != 0, "origin": c.Origin != 0, "range": c.Range != nil,
		"groups": c.Groups.Private || c.Groups.Declared != nil, "resolve": c.Resolve != "",
		"clamp": c.Clamp != nil, "sum_clamp": c.SumClamp != nil, "resolution": c.Resolution != "",
		"unit": c.Unit != "", "invalid": c.Invalid != "",
	}
	uses := strings.Fields(roleFields[c.Role])
	maps.DeleteFunc(set, func(field string, isSet bool) bool { return !isSet || slices.Contains(uses, field) })
	return slices.Sorted(maps.Keys(set))
}

func (p *Policy) validateDimension(f *faults, path, name string, c Column) {
	f.oneOf(path+".of", string(c.Of), string(OfPerson), string(OfEvent))
	if c.Split != "" && c.Of == OfPerson {
		f.add(path+".split", quoted(c.Split), "nothing for a dimension of the person", "write of: event: a person is in one group of a person's dimension")
	}
	if len(c.Split) > maxSplit {
		f.add(path+".split", quoted(c.Split), fmt.Sprintf("at most %d bytes", maxSplit), "write what stands between two values")
	}
	if c.Of == OfEvent && c.From == Visitors && (!c.several(name) || slices.Contains(p.inputs(), Usage)) {
		f.add(path+".of", "event", "person", "a visitor record describes a person, not an event")
	}
	if c.Resolve != "" {
		f.oneOf(path+".resolve", c.Resolve, "most_frequent", "conflict")
		if c.Of == OfEvent {
			f.add(path+".resolve", quoted(c.Resolve), "nothing for a dimension of events", "remove it, or write of: person")
		}
	}
	if c.Groups.Private && len(c.Groups.Declared) > 0 {
		f.add(path+".groups", "both private and a list", "one of them", "remove one")
	}
	if !c.Groups.Private && c.declared() == nil {
		f.unset(path+".groups", "private, or the list of groups", "write groups: private where the groups are found in the data")
	}
	if !c.validateGrid(f, path) || !c.validateLookup(f, path+".lookup") {
		return
	}
	c.validateLabels(f, path)
	// The date only turns births into ages; which one it is makes no difference to the faults.
	_, err := generalize.NewLabeler(c.spec(anonymize.Date{Year: 2000, Month: 1, Day: 1}))
	f.problems(path, "something else", err)
}

// validateLabels refuses labels that look like an identifier: whoever declares a person as a group has taken
// the wrong column. The label is not repeated.
func (c Column) validateLabels(f *faults, path string) {
	check := func(path, label string) {
		if kind, ok := detect.KindOf([]byte(label)); ok {
			f.add(path, "a label that looks like an identifier ("+kind.String()+")", "labels that identify nobody",
				"generalise the column, or choose another label")
		}
	}
	for i, label := range c.Groups.Declared {
		check(fmt.Sprintf("%s.groups[%d]", path, i), label)
	}
	for _, label := range slices.Compact(slices.Sorted(maps.Values(c.Values))) {
		check(path+".values", label)
	}
	if l, _ := c.lookup(); l != nil {
		for _, label := range l.Labels() {
			check(path+".lookup", label)
		}
	}
	check(path+".otherwise", c.Otherwise)
}

func (p *Policy) validateTime(f *faults, path, name string, c Column) {
	if c.From == Visitors && slices.Contains(p.inputs(), Usage) {
		f.add(path+".from", "visitors", "usage", "the period applies to usage records")
	}
	for _, other := range slices.Sorted(maps.Keys(p.Columns)) {
		if p.Columns[other].Role == TimeRole && other < name {
			f.add(path+".role", "a second time column", "one", "make it a dimension with a grain, or remove it")
			break
		}
	}
	if _, err := generalize.NewClock(anonymize.As(c.As), ""); err != nil {
		f.problems(path+".as", orNothing(c.As), err)
	} else if _, err := generalize.NewClock(anonymize.As(c.As), c.Zone); err != nil {
		f.problems(path+".zone", quoted(c.Zone), err)
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
		f.problems(path+".resolution", quoted(c.Resolution), err)
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
		f.problems(path+"[0]", quoted(r.Lower), errL)
	}
	if errU != nil {
		f.problems(path+"[1]", quoted(r.Upper), errU)
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
		return 0, fmt.Errorf("want a decimal number; write it in digits")
	}
	q := bound.Quo(bound, resolution)
	if !q.IsInt() {
		return 0, fmt.Errorf("want a whole multiple of the resolution, %s; change the end or the resolution", c.resolution())
	}
	if !q.Num().IsInt64() || q.Num().Int64() > maxClampQuanta || q.Num().Int64() < -maxClampQuanta {
		return 0, fmt.Errorf("want at most 2^40 steps of the resolution, %s; use a coarser one", c.resolution())
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
		} else if _, err := anonymize.NewConsent("a column", c.Allow...); err != nil {
			f.problems(path+".allow", "something else", err)
		}
		f.given(path+".given", c.Given)
	}
	p.validateAllowRules(f)
	p.validateRetention(f)
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
	} else if u.Unless != nil {
		f.ruleValue(path+".unless.column", u.Unless.Column)
		_, err := anonymize.NewConsent("a column", u.Unless.Is...)
		f.problems(path+".unless.is", "something else", err)
		f.given(path+".unless.given", u.Unless.Given)
	}
}

// orNothing shows what a policy says, or that it says nothing.
func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return quoted(text)
}

func (f *faults) ruleColumn(path string, from InputName, column string) {
	f.oneOf(path+".from", string(from), string(Visitors), string(Usage))
	if column == "" {
		f.unset(path+".column", "a column of the input", "name it")
	}
	f.ruleValue(path+".column", column)
}

// ruleValue refuses a further column of a rule with several values in a row.
func (f *faults) ruleValue(path, column string) {
	f.oneValue(path, column, "a rule looks at one value")
}

// oneValue refuses a column with several values in a row where one is wanted.
func (f *faults) oneValue(path, column, fix string) {
	if table.IsList(column) {
		f.add(path, quoted(column), "a column with one value in each record", fix)
	}
}
