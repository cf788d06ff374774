// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"maps"
	"slices"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// spec says how a raw value becomes a label. Its closed list has every label that can come out; those
// that are not declared groups are in no group.
func (c Column) spec(asOf anonymize.Date) generalize.Spec {
	s := generalize.Spec{
		Values: c.Values, Otherwise: c.otherwise(), Bands: c.Edges(),
		As: anonymize.As(c.As), Length: c.Length, Bits: generalize.Bits(c.Bits), Grain: generalize.Grain(c.Grain), Zone: c.Zone, RefDate: asOf,
	}
	s.Lookup, _ = c.lookup()
	if len(c.Values) == 0 && c.Lookup == nil && len(s.Bands) == 0 && len(c.Groups.Declared) > 0 {
		s.Groups = c.labels()
	}
	return s
}

func (c Column) otherwise() string {
	if c.Otherwise == "" {
		return generalize.DefaultUnknown
	}
	return c.Otherwise
}

// labels lists all labels that a column can yield, without those of an open list.
func (c Column) labels() []string {
	labels := []string{c.otherwise()}
	switch {
	case c.isCut():
		labels = append(labels, c.bandLabels()...)
	case len(c.Values) > 0:
		labels = slices.AppendSeq(labels, maps.Values(c.Values))
	case c.Lookup != nil:
		if l, _ := c.lookup(); l != nil {
			labels = append(labels, l.Labels()...)
		}
	default:
		labels = append(labels, c.Groups.Declared...)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// isCut reports whether the column's numbers are cut into bands or cells.
func (c Column) isCut() bool { return len(c.Bands) > 0 || c.Step != 0 }

// bandLabels lists the labels of bands in their own order, nothing where they cannot be used.
func (c Column) bandLabels() []string {
	bands, err := generalize.NewBands(c.Edges(), anonymize.As(c.As), anonymize.Date{Year: 2000, Month: 1, Day: 1})
	if err != nil {
		return nil
	}
	return bands.Labels()
}

// declared returns the groups of a dimension: those listed, or all labels that its bands, value
// map or table can give; nil where they are private.
func (c Column) declared() []string {
	switch {
	case c.Groups.Private:
		return nil
	case len(c.Groups.Declared) > 0:
		return c.Groups.Declared
	case c.isCut(), len(c.Values) > 0, c.Lookup != nil:
		return c.labels()
	}
	return nil
}
