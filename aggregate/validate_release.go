// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

// What a release says where a word or a mapping can stand.
const (
	wantPeriod    = "{from: …, to: …} (end exclusive), or all"
	wantStatistic = "visitors, events, {sum: VALUE}, {mean: VALUE}, {variance: VALUE}, {stddev: VALUE}, {quantile: VALUE, rank: 0.5}, {rate: VALUE, per: visitors} or {share: visitors}"
)

// validate reports every fault of a release under a policy that is itself in order.
// Its tables are validated one by one.
func (r *Release) validate(f *faults, p *Policy) {
	f.version("release.version", r.Version)
	f.name("release.name", r.Name, slug, wantSlug)
	f.name("release.snapshot", r.Snapshot, slug, wantSlug)
	r.validatePurpose(f, p)
	if f.spend("release.spend", r.Spend, `write {epsilon: "1", delta: "1e-9"}`) && !r.Spend.Within(p.Budget) {
		f.add("release.spend", r.Spend.String(), "at most the policy's budget, "+p.Budget.String(), "ask for less, or ask the data owner for more")
	}
	if len(r.Tables) == 0 {
		f.unset("release.tables", "at least one table", "write - {name: NAME, group_by: [DIMENSION], statistics: [visitors]}")
	}
}

func (r *Release) validatePurpose(f *faults, p *Policy) {
	recipients := slices.Sorted(maps.Keys(p.Recipients))
	if !f.oneOf("release.recipient", r.Recipient, recipients...) {
		return
	}
	if !f.oneOf("release.purpose", r.Purpose, p.Recipients[r.Recipient].Purposes...) {
		return
	}
	if c := p.Exclude.Consent; c != nil && c.Purpose != "" && r.Purpose != c.Purpose {
		f.add("release.purpose", quoted(r.Purpose), "the purpose that people consented to, "+quoted(c.Purpose), "ask for that purpose, or ask the data owner")
	}
	if c := p.Exclude.Consents; c != nil && len(c.Purposes) > 0 && c.Purposes[r.Purpose] == nil {
		f.add("release.purpose", quoted(r.Purpose), "a purpose of policy.exclude.consents.purposes", "ask for one of these, or ask the data owner which decisions are about it")
	}
}

// validateTable reports the faults of table i, and whether it has none.
func (r *Release) validateTable(f *faults, p *Policy, path string, i int) bool {
	before, t := len(f.list), r.Tables[i]
	f.name(path+".name", t.Name, columnName, wantColumnName)
	if deviceName.MatchString(t.Name) {
		f.add(path+".name", quoted(t.Name), "a name that every system takes for a file", "rename it; on Windows this one is a device")
	}
	if t.Name != "" && slices.IndexFunc(r.Tables, func(o Table) bool { return o.Name == t.Name }) < i {
		f.add(path+".name", quoted(t.Name), "a name of its own", "rename it")
	}
	dims := p.dimensions()
	eventLevel, named, split := false, true, ""
	for i, name := range t.GroupBy {
		at := fmt.Sprintf("%s.group_by[%d]", path, i)
		if !f.oneOf(at, name, dims...) {
			named = false
		} else if p.Columns[name].Of == OfEvent {
			eventLevel = true
		}
		switch {
		case !p.Columns[name].several(name) || split == name:
		case split != "":
			f.add(at, quoted(name)+" beside "+split+", both with several values in a cell", "one multi-valued dimension", "make two tables")
		default:
			split = name
		}
		if slices.Index(t.GroupBy, name) < i {
			f.add(at, quoted(name), "each dimension once", "remove it")
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
	r.validateBounds(f, p, path+".bounds", t, named, eventLevel, counted)
	t.validateAuto(f, p, path+".bounds.auto", eventLevel, counted)
	t.validateTop(f, path+".top")
	return len(f.list) == before
}

// maxTop is the most groups that a table may choose.
const maxTop = 100_000

func (t Table) validateTop(f *faults, path string) {
	if t.Top == nil {
		return
	}
	if t.Top.Groups < 1 || t.Top.Groups > maxTop {
		f.add(path+".groups", fmt.Sprint(t.Top.Groups), fmt.Sprintf("1 to %d groups", maxTop), "write how many groups to list, such as 10")
	}
	var names []string
	for _, s := range t.Statistics {
		if s.Kind == CountVisitors || s.Kind == CountEvents || s.Kind == SumOf {
			names = append(names, s.Name())
		}
	}
	f.oneOf(path+".by", t.Top.By, names...)
}

// recorded reports whether a statistic depends on how many records a person has in a group.
func (s Statistic) recorded(p *Policy) bool {
	switch s.Kind {
	case CountEvents, MeanOf, VarianceOf, StdDevOf, QuantileOf:
		return true
	case SumOf:
		return p.Columns[s.Of].SumClamp == nil
	case RateOf:
		records := func(name string) bool {
			return name != string(CountVisitors) && p.Columns[name].SumClamp == nil
		}
		return records(s.Of) || records(s.Per)
	case ShareOf:
		return s.Of == string(CountEvents)
	}
	return false
}

// validateBounds needs to know whether all of group_by is named as the policy does: an unknown name may
// well be that of an event-level dimension.
func (r *Release) validateBounds(f *faults, p *Policy, path string, t Table, named, eventLevel, counted bool) {
	b := t.Bounds
	if p.ofRecords() {
		if b.MaxPartitions < 0 || b.MaxPartitions > 1 || b.MaxPerPartition < 0 || b.MaxPerPartition > 1 || b.MaxContributions != 0 || t.Auto != nil {
			f.add(path, "bounds", "none, with privacy_unit.per: record", "a record is in one group, once; leave them out")
		}
		return
	}
	if all := b.MaxContributions; all < 0 || all > maxPerGroup {
		f.add(path+".max_contributions", fmt.Sprint(all), fmt.Sprintf("1 to %d records per person", maxPerGroup), "start near what a typical person has")
		return
	}
	before := len(f.list)
	if b.MaxPartitions < 0 || b.MaxPartitions > engine.MaxPartitionsLimit {
		f.add(path+".max_partitions", fmt.Sprint(b.MaxPartitions), fmt.Sprintf("1 to %d groups per person", engine.MaxPartitionsLimit), "start near what a typical person has")
	}
	if b.MaxPerPartition < 0 || b.MaxPerPartition > maxPerGroup {
		f.add(path+".max_per_partition", fmt.Sprint(b.MaxPerPartition), fmt.Sprintf("1 to %d records per person and group", maxPerGroup), "start near what a typical person has")
	}
	if eventLevel && t.bounds(p).MaxPartitions == 0 {
		f.unset(path+".max_partitions", "the most groups in which one person counts", "it has no default: more groups mean more noise, fewer lose activity")
	}
	if named && !eventLevel && b.MaxPartitions > 1 {
		f.add(path+".max_partitions", fmt.Sprint(b.MaxPartitions), "1", "a person is in one group of person-level dimensions; leave it out")
	}
	if counted && t.bounds(p).MaxPerPartition == 0 {
		f.unset(path+".max_per_partition", "the most records of one person that count in one group", "it has no default: more records mean more noise, fewer lose activity")
	}
	if len(f.list) == before && named && b.MaxContributions != 0 {
		t.validateTotal(f, p, path, counted)
	}
}

// validateTotal checks max_contributions, beside bounds that are in order.
func (t Table) validateTotal(f *faults, p *Policy, path string, counted bool) {
	b, all := t.bounds(p), t.Bounds.MaxContributions
	at, got := path+".max_contributions", fmt.Sprint(all)
	atMost := fmt.Sprintf("at most max_contributions, %d", all)
	switch {
	case !counted:
		f.add(at, got, "nothing, in a table that counts no records", "remove it: max_partitions bounds the groups of a person")
	case t.Auto != nil:
		f.add(at, got, "nothing beside auto, which finds the other two", "remove it, or remove auto")
	case t.Bounds.MaxPartitions > all:
		f.add(path+".max_partitions", fmt.Sprint(t.Bounds.MaxPartitions), atMost, "lower it or leave it out: so many records are in no more groups")
	case t.Bounds.MaxPerPartition > all:
		f.add(path+".max_per_partition", fmt.Sprint(t.Bounds.MaxPerPartition), atMost, "lower it or leave it out: no more records count in a group")
	case b.MaxPartitions > engine.MaxPartitionsLimit:
		f.unset(path+".max_partitions", fmt.Sprintf("1 to %d groups per person", engine.MaxPartitionsLimit), "max_contributions alone would allow more")
	case all >= b.MaxPartitions*b.MaxPerPartition:
		f.add(at, got, fmt.Sprintf("fewer than the %d that the other bounds let count", b.MaxPartitions*b.MaxPerPartition),
			fmt.Sprintf("it bounds nothing more; write max_partitions: %d and max_per_partition: %d alone", b.MaxPartitions, b.MaxPerPartition))
	}
}

// bounds returns the bounds of a table with those that follow from max_contributions: so many records are in no more groups,
// and in one group are no more of them.
func (t Table) bounds(p *Policy) dp.ContributionBounds {
	b := t.Bounds
	if all := b.MaxContributions; all > 0 {
		b.MaxPartitions = cmp.Or(b.MaxPartitions, min(all, t.eventGroups(p)))
		b.MaxPerPartition = cmp.Or(b.MaxPerPartition, all)
	}
	return b
}

func (r *Release) validateStatistic(f *faults, p *Policy, path string, t Table, s Statistic) {
	if visitors := string(CountVisitors); p.ofRecords() && (s.Kind == CountVisitors || s.Of == visitors || s.Per == visitors) {
		f.add(path, s.String(), "events, with privacy_unit.per: record", "nothing says which records are one person's, so that nobody can be counted")
	}
	hasUsage := slices.Contains(p.inputs(), Usage)
	if !hasUsage && s.Kind != CountVisitors && (s.Kind != ShareOf || s.Of == string(CountEvents)) {
		f.add(path, s.String(), "visitors or a share of visitors", "without a usage input there are no events")
		return
	}
	switch s.Kind {
	case CountVisitors, CountEvents:
	case ShareOf:
		f.oneOf(path+".share", s.Of, string(CountVisitors), string(CountEvents))
		if !slices.ContainsFunc(t.GroupBy, func(name string) bool { return !slices.Contains(s.Within, name) }) {
			f.add(path, "nothing to share out", "a dimension in group_by that is not in within", "a share needs groups to divide")
			return
		}
		for i, w := range s.Within {
			at := fmt.Sprintf("%s.within[%d]", path, i)
			f.oneOf(at, w, t.GroupBy...)
			if slices.Index(s.Within, w) < i {
				f.add(at, quoted(w), "each dimension once", "remove it")
			}
		}
	case SumOf, MeanOf, VarianceOf, StdDevOf, QuantileOf:
		r.validateValueStatistic(f, p, path, s)
	case RateOf:
		r.validateRate(f, p, path, s)
	default:
		f.add(path, orNothing(string(s.Kind)), wantStatistic, "choose one")
	}
	if s.Kind != ShareOf && len(s.Within) > 0 {
		f.add(path+".within", "within on a "+string(s.Kind), "a share", "only a share is within something")
	}
	if s.Kind != QuantileOf && s.Rank != "" {
		f.add(path+".rank", "rank on a "+string(s.Kind), "a quantile", "only a quantile has a rank")
	}
	if s.Kind != RateOf && s.Per != "" {
		f.add(path+".per", "per on a "+string(s.Kind), "a rate", "only a rate is per something")
	}
}

// validateQuantile checks the rank, and that there is a δ for Gaussian noise.
func (r *Release) validateQuantile(f *faults, path string, s Statistic) {
	if _, ok := s.rank(); !ok {
		f.add(path+".rank", orNothing(s.Rank), "a decimal between 0 and 1 with at most 3 digits after the point", "write 0.5 for the median")
	}
	if d := r.Spend.Delta; d.IsSet() && d.Rat().Sign() == 0 {
		f.add(path, s.String(), "a spend with δ above 0", "the counts of a quantile need Gaussian noise; spend a δ such as 1e-9")
	}
}

// validateRate checks both numbers of a rate.
func (r *Release) validateRate(f *faults, p *Policy, path string, s Statistic) {
	names := append([]string{string(CountVisitors), string(CountEvents)}, p.values()...)
	of := f.oneOf(path+".rate", s.Of, names...)
	if !f.oneOf(path+".per", s.Per, names...) || !of {
		return
	}
	if s.Of == s.Per {
		f.add(path+".per", quoted(s.Per), "another number than "+s.Of, "a number per itself is 1")
	}
	if col := p.Columns[s.Per]; col.Role == ValueRole && col.clampQuanta().Lower < 0 {
		f.add(path+".per", quoted(s.Per), "a value that is never negative", "divide by visitors or events")
	}
}

// values are the names of the columns that can be summed.
func (p *Policy) values() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Columns)), func(n string) bool { return p.Columns[n].Role != ValueRole })
}

// maxReach keeps squares of values below 2^62.
const maxReach = 1 << 31

func (r *Release) validateValueStatistic(f *faults, p *Policy, path string, s Statistic) {
	values := p.values()
	if len(values) == 0 {
		f.add(path, orNothing(s.Of), "a column with role: value in the policy", "there is none; add one")
		return
	}
	if !f.oneOf(path+"."+string(s.Kind), s.Of, values...) || !s.ofRecords() && s.Kind != QuantileOf {
		return
	}
	if p.Columns[s.Of].SumClamp != nil {
		f.add(path, s.String(), "a value with clamp", "sum_clamp bounds a person's total, which has no "+string(s.Kind)+" per record")
		return
	}
	if s.Kind == QuantileOf {
		r.validateQuantile(f, path, s)
		return
	}
	if _, reach := centre(p.Columns[s.Of].clampQuanta()); s.Kind != MeanOf && reach > maxReach {
		f.add(path, s.String(), "a clamp of at most 2^32 steps of the resolution", "squares of it would not fit; make the resolution coarser")
	}
}
