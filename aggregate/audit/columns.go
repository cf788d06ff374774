// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/anonymize"
)

// column is a raw column of an input and what records are to hold in it.
type column struct {
	name string
	// id is the kind of a privacy id, "" for other columns, and of the records' column of the same ids, where the name differs.
	id, of string
	// group says that some dimension reads it; free that any text is a group.
	group, free bool
	// good are cells that a rule keeps and that fall into groups, by slot; the last is the edge's.
	good []string
	// value says that it is a number, with the clamp's ends.
	value        bool
	lower, upper string
	// bad is a cell that a rule leaves out, "" where none does; edges are the ends of the period.
	bad   string
	edges []string
}

// privateGroups is how many groups an open dimension has.
const privateGroups = 5

// model knows how records of a policy look.
type model struct {
	policy  *aggregate.Policy
	release *aggregate.Release
	plan    *aggregate.Plan
	columns [][]column // by input of the plan
	// plans are shared by all worlds.
	plans *seam.Plans
}

func newModel(p *aggregate.Policy, r *aggregate.Release, plan *aggregate.Plan) *model {
	m := &model{policy: p, release: r, plan: plan, plans: &seam.Plans{}}
	for _, in := range plan.Inputs {
		var all []column
		for _, raw := range in.Columns {
			all = append(all, m.column(aggregate.InputName(in.Name), raw))
		}
		m.columns = append(m.columns, all)
	}
	return m
}

// column collects all that reads a raw column.
func (m *model) column(input aggregate.InputName, raw string) column {
	c := column{name: raw}
	switch input {
	case linksInput:
		c.id = m.idOf(m.policy.PrivacyUnit.Links.Columns, raw)
		return c
	case listedInput:
		c.id = m.idOf(m.policy.Exclude.Listed.Columns, raw)
		return c
	case consentsInput:
		m.decide(&c)
		return c
	}
	for _, id := range m.policy.PrivacyUnit.IDs {
		if id.Column == raw && (id.From == "" || id.From == input) {
			c.id = id.Kind
			return c
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.policy.Columns)) {
		col := m.policy.Columns[name]
		part := slices.Index(rawNames(name, col), raw)
		if col.From != input || part < 0 {
			continue
		}
		switch col.Role {
		case aggregate.ValueRole:
			c.value = true
			c.lower, c.upper = clampOf(col)
		case aggregate.TimeRole:
			c.good, c.edges = m.times(col)
		case aggregate.Dimension:
			if c.good == nil {
				c.good = several(col, raw, m.groups(col, part))
			}
			c.group = true
			c.free = col.Groups.Private && len(col.Values) == 0 && len(col.Edges()) == 0 && col.Lookup == nil && col.Grain == "" && col.As == ""
		}
	}
	m.obey(input, &c)
	return c
}

// What plans call the inputs that are lists of ids.
const (
	linksInput    = "links"
	listedInput   = "listed"
	consentsInput = "consents"
)

// beforeCutOff returns a time at which consent is given in time.
func (m *model) beforeCutOff(as string) []string {
	at, err := time.Parse(time.RFC3339Nano, m.plan.AsOf)
	if err != nil {
		return nil
	}
	return []string{write(anonymize.As(as), at.Add(-12*time.Hour))}
}

// decide makes a column one of decisions that count as consent.
func (m *model) decide(c *column) {
	r := m.policy.Exclude.Consents
	if at := slices.IndexFunc(r.Columns, func(l aggregate.ListColumn) bool { return l.Column == c.name }); at >= 0 {
		c.id, c.of = m.idOf(r.Columns, c.name), r.Columns[at].ID
	}
	switch c.name {
	case r.Status:
		c.good, c.bad = r.Allow[:1], "not "+r.Allow[0]
	case r.At:
		c.good = m.beforeCutOff(r.As)
	case r.Purpose:
		c.good = r.Purposes[m.release.Purpose][:1]
	}
}

// idOf returns the kind of id in a column of a list.
func (m *model) idOf(list []aggregate.ListColumn, raw string) string {
	ids := m.policy.PrivacyUnit.IDs
	of := list[slices.IndexFunc(list, func(c aggregate.ListColumn) bool { return c.Column == raw })].ID
	return ids[slices.IndexFunc(ids, func(id aggregate.IDColumn) bool { return id.Column == of })].Kind
}

func rawNames(name string, col aggregate.Column) []string {
	switch {
	case len(col.Columns) > 0:
		return col.Columns
	case col.Column != "":
		return []string{col.Column}
	}
	return []string{name}
}

func clampOf(col aggregate.Column) (lower, upper string) {
	r := col.Clamp
	if r == nil {
		r = col.SumClamp
	}
	if r == nil {
		return "0", "0"
	}
	return r.Lower, r.Upper
}

// obey keeps of the good cells those that the rules of exclusion keep.
func (m *model) obey(input aggregate.InputName, c *column) {
	if r := m.policy.Exclude.Consent; r != nil && r.From == input && r.Given != nil && r.Given.At == c.name {
		c.good, c.free = m.beforeCutOff(r.Given.As), false
	}
	if r := m.policy.Exclude.Consent; r != nil && r.From == input && r.Column == c.name {
		c.bad = "not " + r.Allow[0]
		keep := slices.DeleteFunc(slices.Clone(c.good), func(s string) bool {
			return !slices.ContainsFunc(r.Allow, func(a string) bool { return strings.EqualFold(a, s) })
		})
		if c.good = keep; len(keep) == 0 {
			c.good = slices.Clone(r.Allow)
		}
		c.free = false
	}
	m.allow(input, c)
	u := m.policy.Exclude.UnderAge
	if u == nil || u.From != input || u.Column != c.name {
		return
	}
	as := anonymize.As(u.As)
	c.bad = m.age(as, u.Below-1)
	var ages []int64
	for _, name := range slices.Sorted(maps.Keys(m.policy.Columns)) {
		if col := m.policy.Columns[name]; col.From == input && slices.Contains(rawNames(name, col), c.name) {
			ages = append(ages, agesOf(col)...)
		}
	}
	c.good = nil
	for _, a := range ages {
		if a > u.Below {
			c.good = append(c.good, m.age(as, a))
		}
	}
	if len(c.good) == 0 {
		c.good = []string{m.age(as, u.Below+1)}
	}
}

// allow does the same for opt-outs, signals and the country.
func (m *model) allow(input aggregate.InputName, c *column) {
	rules := slices.Clone(m.policy.Exclude.OptOuts)
	if s := m.policy.Exclude.Signals; s != nil {
		for _, name := range []string{s.GPC, s.DNT, s.COPPA} {
			rules = append(rules, aggregate.AllowRule{From: s.From, Column: name, Allow: []string{"0"}})
		}
	}
	if country := m.policy.Exclude.Country; country != nil {
		rules = append(rules, *country)
	}
	if r := m.policy.Exclude.TCF; r != nil {
		rules = append(rules, aggregate.AllowRule{From: r.From, Column: r.Column, Allow: []string{strings.Repeat("1", 24)}})
	}
	if b := m.policy.Exclude.Bots; b != nil {
		rules = append(rules, aggregate.AllowRule{From: b.From, Column: b.Column, Allow: []string{"Firefox/127.0"}})
	}
	if h := m.policy.Exclude.Internal; h != nil {
		rules = append(rules, aggregate.AllowRule{From: h.From, Column: h.Column, Allow: []string{elsewhere(h.Networks)}})
	}
	for _, r := range rules {
		if r.From == input && r.Column == c.name {
			c.bad, c.good, c.free = "bot, not "+r.Allow[0], slices.Clone(r.Allow), false
		}
	}
}

// elsewhere is an address outside the networks.
func elsewhere(networks []string) string {
	a := netip.MustParseAddr("198.51.100.1")
	for slices.ContainsFunc(networks, func(n string) bool {
		network, err := netip.ParsePrefix(n)
		return err == nil && network.Contains(a) || n == a.String()
	}) {
		a = a.Next()
	}
	return a.String()
}

// groups returns cells of a dimension, or of the part of it that one of several columns holds.
func (m *model) groups(col aggregate.Column, part int) []string {
	as := anonymize.As(col.As)
	switch {
	case col.Grain != "":
		times, _ := m.times(col)
		return times
	case len(col.Edges()) > 0:
		var all []string
		for _, a := range agesOf(col) {
			if as == "" {
				all = append(all, strconv.FormatInt(a, 10))
			} else if a >= 0 {
				all = append(all, m.age(as, a))
			}
		}
		return all
	case col.Lookup != nil:
		return keys(col)
	case len(col.Values) > 0:
		return spellings(col.Values)
	}
	if as.IsText() && len(col.Columns) < 2 {
		if cells := read(as, col); cells != nil {
			return cells
		}
	}
	labels := slices.Clone(col.Groups.Declared)
	if len(labels) == 0 {
		for i := range privateGroups {
			labels = append(labels, "group"+strconv.Itoa(i))
		}
	}
	if len(col.Columns) < 2 {
		return labels
	}
	for i, l := range labels {
		parts := strings.SplitN(l, col.Join, len(col.Columns))
		if col.Join == "" || part >= len(parts) {
			parts = slices.Repeat([]string{l}, len(col.Columns))
		}
		labels[i] = parts[part]
	}
	return labels
}

// spellings returns one raw spelling of each label.
func spellings(values map[string]string) []string {
	var all []string
	seen := map[string]bool{}
	for _, raw := range slices.Sorted(maps.Keys(values)) {
		if !seen[values[raw]] {
			seen[values[raw]] = true
			all = append(all, raw)
		}
	}
	return all
}

// agesOf returns a number inside each band.
func agesOf(col aggregate.Column) []int64 {
	edges := col.Edges()
	if len(edges) == 0 {
		return nil
	}
	all := []int64{edges[0] - 1}
	for i, low := range edges {
		if i+1 < len(edges) {
			low = min(low+1, edges[i+1]-1)
		}
		all = append(all, low)
	}
	return all
}

// year is that of the date at which ages are taken.
func (m *model) year() int64 {
	for _, text := range []string{m.release.AsOf, m.release.Period.From} {
		if d, err := anonymize.ParseDate(text[:min(len(text), len("2006-01-02"))]); err == nil {
			return int64(d.Year)
		}
	}
	return 2000
}

// age writes an age, of which a birth is at least that long ago.
func (m *model) age(as anonymize.As, age int64) string {
	switch as {
	case anonymize.AsBirthYear:
		return strconv.FormatInt(m.year()-age-1, 10)
	case anonymize.AsBirthDate:
		return fmt.Sprintf("%04d-01-01", m.year()-age)
	}
	return strconv.FormatInt(age, 10)
}

// days is how many days of a period records fall into.
const days = 5

// times returns times of the period, and those at its ends: the first inside, the last before and the first
// after it.
func (m *model) times(col aggregate.Column) (inside, edges []string) {
	as := anonymize.As(col.As)
	per := m.release.Period
	if as == anonymize.AsDayOffset {
		return offsets(per)
	}
	loc, err := time.LoadLocation(col.Zone)
	if err != nil {
		loc = time.UTC
	}
	from, to := time.Date(2026, 3, 16, 12, 0, 0, 0, loc), time.Date(2026, 4, 16, 0, 0, 0, 0, loc)
	if !per.All {
		from, to = instant(per.From, from, loc), instant(per.To, to, loc)
	}
	for t := from; t.Before(to) && len(inside) < days; t = t.AddDate(0, 0, 1) {
		inside = append(inside, write(as, t))
	}
	return inside, []string{write(as, from), write(as, from.Add(-time.Microsecond)), write(as, to)}
}

func offsets(per aggregate.Period) (inside, edges []string) {
	from, to := int64(1), int64(days+1)
	if !per.All {
		from, to = whole(per.From), whole(per.To)
	}
	for d := from; d < to && len(inside) < days; d++ {
		inside = append(inside, strconv.FormatInt(d, 10))
	}
	return inside, []string{strconv.FormatInt(from, 10), strconv.FormatInt(from-1, 10), strconv.FormatInt(to, 10)}
}

func whole(text string) int64 {
	if r, ok := new(big.Rat).SetString(text); ok && r.IsInt() && r.Num().IsInt64() {
		return r.Num().Int64()
	}
	return 0
}

func instant(text string, otherwise time.Time, loc *time.Location) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t.In(loc)
		}
	}
	return otherwise
}

// write spells a time as a column counts.
func write(as anonymize.As, t time.Time) string {
	switch as {
	case anonymize.AsDate:
		return t.Format("2006-01-02")
	case anonymize.AsYYYYMMDD:
		return t.Format("20060102")
	case anonymize.AsCLF:
		return t.Format("02/Jan/2006:15:04:05 -0700")
	case anonymize.AsUnixS:
		return strconv.FormatInt(t.Unix(), 10)
	case anonymize.AsUnixMS:
		return strconv.FormatInt(t.UnixMilli(), 10)
	case anonymize.AsUnixUS:
		return strconv.FormatInt(t.UnixMicro(), 10)
	case anonymize.AsUnixNS:
		return strconv.FormatInt(t.UnixNano(), 10)
	}
	return t.Format(time.RFC3339Nano)
}
