// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// grainsAbove are the periods that are made of whole ones of another.
var grainsAbove = map[string][]string{"hour": {"day", "iso_week", "month"}, "day": {"iso_week", "month", "week"}}

// coarser reports what keeps the groups of a dimension from being made of whole groups of another, and what to do; nothing
// where nothing does. It looks at the policy alone. What a cell says that is otherwise in the finer one may be anything in
// the coarser one: a region can be known where the city is not.
func coarser(fine Column, fineName string, coarse Column, coarseName string) (got, fix string) {
	const another = "choose another dimension, or make a table of its own"
	switch raw := rawColumns(fine, fineName); {
	case fine.From != coarse.From || fine.Of != coarse.Of:
		return "which is not of the same input and of the same (person or event)", "give both the same from and of"
	case !startsWith(raw, rawColumns(coarse, coarseName)) || len(rawColumns(coarse, coarseName)) < len(raw) && !(fine.opens() && coarse.opens() && coarse.As == fine.As):
		return "which reads another raw column", "give both the same column, with a table or rule for each"
	case fine.Split != coarse.Split:
		return "which splits cells in another way", "give both the same split"
	case len(rawColumns(coarse, coarseName)) < len(raw) || fine.opens() && reads(fine, coarse):
		return "", ""
	case fine.Grain != "" || coarse.Grain != "":
		if fine.As == coarse.As && fine.zone() == coarse.zone() && slices.Contains(grainsAbove[fine.Grain], coarse.Grain) {
			return "", ""
		}
		return "whose periods are not made of whole ones of " + fineName, "use hour, then day, then iso_week or month, with the same as and zone"
	case fine.isCut() || coarse.isCut():
		if fine.As == coarse.As && fine.isCut() && coarse.isCut() && within(coarse.Edges(), fine.Edges()) {
			return "", ""
		}
		return "whose bands are not made of whole ones of " + fineName, "use edges that " + fineName + " has too, and the same as"
	case fine.opens() || coarse.opens() && !(fine.As == "" && coarse.As != "") && !prefixes(fine, coarse):
		return "which is not coarser", another
	}
	if splits(fine, coarse) {
		return "which puts one group of " + fineName + " into several", "correct the table or values of one of them"
	}
	return "", ""
}

// opens reports whether the label is what was read, and not what a list makes of it.
func (c Column) opens() bool {
	return len(c.Values) == 0 && c.Lookup == nil && !c.isCut() && c.Grain == ""
}

// reads reports whether what a dimension reads of a cell tells all that another needs of it.
func reads(fine, coarse Column) bool {
	switch {
	case fine.As == "":
		return !coarse.opens() || coarse.As != ""
	case prefixes(fine, coarse):
		return true
	case fine.As != coarse.As:
		return (fine.As == string(anonymize.AsPhone) || fine.As == string(anonymize.AsPhoneArea)) && coarse.As == string(anonymize.AsPhoneCountry) ||
			fine.As == string(anonymize.AsPhone) && coarse.As == string(anonymize.AsPhoneArea)
	case fine.As == string(anonymize.AsIPNetwork) && fine.Bits != coarse.Bits:
		return coarse.opens() && cmp.Or(coarse.Bits.V4, 16) <= cmp.Or(fine.Bits.V4, 16) && cmp.Or(coarse.Bits.V6, 32) <= cmp.Or(fine.Bits.V6, 32)
	}
	return fine.Length == coarse.Length && !coarse.opens()
}

// prefixes reports whether both leave the first characters of a code, and the coarser one fewer of them.
func prefixes(fine, coarse Column) bool {
	return fine.As == string(anonymize.AsPrefix) && coarse.As == fine.As && coarse.Length < fine.Length
}

// splits reports whether two cells that have one label in the finer dimension have two in the coarser one. All cells that
// differ in either are told by the keys of values and tables.
func splits(fine, coarse Column) bool {
	if fine.As != coarse.As && fine.As != "" {
		return true
	}
	f, err := generalize.NewMatch(fine.spec(aDate))
	if err != nil {
		return true
	}
	find, keys := coarse.finder(fine), f.Keys()
	if f.By() != generalize.ByValue {
		c, err := generalize.NewMatch(coarse.spec(aDate))
		if err != nil || c.By() != f.By() || fine.As != coarse.As {
			return true
		}
		keys = append(keys, c.Keys()...)
	}
	declared, above := fine.declared(), map[string]string{}
	for _, key := range keys {
		label, ok := f.Label(key)
		if !ok || label == fine.otherwise() || declared != nil && !slices.Contains(declared, label) {
			continue
		}
		up := find(key)
		if other, ok := above[label]; ok && other != up {
			return true
		}
		above[label] = up
	}
	return false
}

// finder returns the function that gives the label of what a finer dimension has read.
func (c Column) finder(fine Column) func(key string) string {
	if !c.opens() && c.As == fine.As && c.Length == fine.Length {
		if m, err := generalize.NewMatch(c.spec(aDate)); err == nil {
			return func(key string) string {
				if label, ok := m.Label(key); ok {
					return label
				}
				return c.otherwise()
			}
		}
	}
	l, err := generalize.NewLabeler(c.spec(aDate))
	if err != nil {
		return func(string) string { return c.otherwise() } // cannot happen: the policy has been validated
	}
	return func(key string) string {
		label, _ := l.Label(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(key)})
		return string(label)
	}
}

// aDate stands for one where it makes no difference which it is.
var aDate = anonymize.Date{Year: 2000, Month: 1, Day: 1}

func (c Column) zone() string {
	if c.Zone == "" {
		return "UTC"
	}
	return c.Zone
}

// several reports whether one cell may have several values.
func (c Column) several(name string) bool {
	return c.Split != "" || slices.ContainsFunc(rawColumns(c, name), table.IsList)
}

// rawColumns lists the raw columns of a dimension.
func rawColumns(c Column, name string) []string {
	return (&dimension{name: name, column: c}).raw()
}

func startsWith(all, first []string) bool {
	return len(first) <= len(all) && slices.Equal(all[:len(first)], first)
}

// within reports whether every edge is one of others.
func within(edges, others []int64) bool {
	return !slices.ContainsFunc(edges, func(e int64) bool { return !slices.Contains(others, e) })
}

// dimensions are the names of the columns that tables may group by, in order.
func (p *Policy) dimensions() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Columns)), func(n string) bool { return p.Columns[n].Role != Dimension })
}
