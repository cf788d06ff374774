// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"fmt"
	"slices"

	"github.com/throngdp/throng/anonymize"
)

// DefaultUnknown is the label of what is not known, where a policy names none.
const DefaultUnknown = "unknown"

// Spec says how one dimension's cells become labels. At most one of Values, Lookup, Bands and Grain is set;
// with none of them a cell's text is its label.
type Spec struct {
	// Values maps what a cell holds to a label.
	Values map[string]string
	// Lookup is a table that gives cells their labels.
	Lookup *Lookup
	// Otherwise is the label of null, of what is malformed, unmapped or not among the groups. Unset,
	// it is Unknown.
	Otherwise string
	// Unknown is the default of Otherwise. Unset, it is DefaultUnknown.
	Unknown string
	// Bands are the edges of number bands; see NewBands.
	Bands []int64
	// As says how cells are read: an age for Bands, a time for Grain, a text of which a part is left otherwise.
	As anonymize.As
	// Length is how many characters AsPrefix leaves, 1 to 64.
	Length int64
	// Bits says how much of an address AsIPNetwork leaves.
	Bits Bits
	// Grain is the period by which times are grouped, in Zone (an IANA name; UTC when empty).
	Grain Grain
	Zone  string
	// Groups is the closed list of labels; nil where the list is open (private). It must hold every
	// label that can come out, that of Otherwise included.
	Groups []string
	// RefDate is the day on which ages from births are taken.
	RefDate anonymize.Date
}

// Labeler turns the cells of one dimension into labels. It is immutable and safe for concurrent use.
type Labeler struct {
	otherwise string
	groups    []string // the closed list, sorted; nil where open
	groupSet  map[string]struct{}
	read      func([]byte) string // makes the text that is labelled; nil where it is the cell's own
	lookup    *Lookup
	match     *matcher // of values or groups; nil where neither is set
	bands     *Bands
	clock     Clock
	grain     Grain
}

// NewLabeler returns the labeler of a dimension, or all faults of its spec.
func NewLabeler(s Spec) (*Labeler, error) {
	l := &Labeler{otherwise: s.Otherwise, grain: s.Grain}
	if l.otherwise == "" {
		l.otherwise = s.Unknown
	}
	if l.otherwise == "" {
		l.otherwise = DefaultUnknown
	}
	l.read = reading(s)
	faults := []error{checkForm(s), checkLabels(l.otherwise, s)}
	var produced []string
	var err error
	switch {
	case len(s.Bands) > 0:
		if l.bands, err = NewBands(s.Bands, s.As, s.RefDate); err == nil {
			produced = l.bands.Labels()
		}
	case s.Grain != "":
		l.clock, err = newPeriodClock(s)
	case s.Lookup != nil:
		l.lookup, produced = s.Lookup, s.Lookup.Labels()
	case len(s.Values) > 0:
		l.match, err = newMatcher(s.Values)
		produced = sortedLabels(s.Values)
	case s.Groups != nil:
		l.match, err = newMatcher(identityMap(s.Groups))
		produced = s.Groups
	}
	faults = append(faults, err)
	l.groups, err = closedList(s, l.otherwise, produced)
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	l.groupSet = make(map[string]struct{}, len(l.groups))
	for _, group := range l.groups {
		l.groupSet[group] = struct{}{}
	}
	return l, nil
}

// Label appends the label of a cell to dst, and reports whether the cell said anything: known is
// false where the label is that of Otherwise for want of a better.
func (l *Labeler) Label(dst []byte, v anonymize.Value) (label []byte, known bool) {
	if l.read != nil && v.Valid {
		text := ""
		if v.Kind == anonymize.Bytes {
			text = l.read(v.Bytes)
		}
		if text == "" {
			return append(dst, l.otherwise...), false
		}
		v = anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)}
	}
	switch {
	case l.bands != nil:
		if band, ok := l.bands.Label(v); ok {
			return append(dst, band...), true
		}
	case l.grain != "":
		return l.period(dst, v)
	case l.lookup != nil:
		if found, ok := l.lookup.find(v); ok {
			return append(dst, found...), true
		}
	case l.match != nil:
		if found, ok := l.match.find(v); ok {
			return append(dst, found...), true
		}
	default:
		if out, ok := v.AppendText(dst); ok {
			return out, true
		}
	}
	return append(dst, l.otherwise...), false
}

// period labels a time; a closed list of periods is short of most of them.
func (l *Labeler) period(dst []byte, v anonymize.Value) ([]byte, bool) {
	if instant, ok := l.clock.Instant(v); ok {
		out, ok := l.clock.AppendPeriod(dst, instant, l.grain)
		if ok && (l.groups == nil || l.inGroups(out[len(dst):])) {
			return out, true
		}
	}
	return append(dst, l.otherwise...), false
}

// Span returns a half-open range of integers around that of v, all of which, in cells of v's kind,
// have the label of v. ok is false where it knows of none.
func (l *Labeler) Span(v anonymize.Value) (from, to int64, ok bool) {
	if l.grain == "" {
		return 0, 0, false
	}
	return l.clock.span(v, l.grain)
}

func (l *Labeler) inGroups(label []byte) bool {
	_, ok := l.groupSet[string(label)]
	return ok
}

// Labels returns every label that Label can yield, in byte order, and nil where the list is open.
func (l *Labeler) Labels() []string { return slices.Clone(l.groups) }

// Otherwise returns the label of what has no other.
func (l *Labeler) Otherwise() string { return l.otherwise }

// checkForm reports parts of a spec that do not go together.
func checkForm(s Spec) error {
	var faults []error
	forms := 0
	for _, used := range []bool{s.Values != nil, s.Bands != nil, s.Grain != "", s.Lookup != nil} {
		if used {
			forms++
		}
	}
	if forms > 1 {
		faults = append(faults, errors.New("want only one of values, lookup, bands and grain; remove the others"))
	}
	if s.Values != nil && len(s.Values) == 0 {
		faults = append(faults, errors.New("want at least one entry in values; add it or remove the map"))
	}
	if s.Bands != nil && len(s.Bands) == 0 {
		faults = append(faults, errors.New("want at least one band; add it or remove the list"))
	}
	if s.As.IsAge() && s.Bands == nil {
		faults = append(faults, errors.New("want bands for ages and births; add them"))
	}
	if s.As.IsTime() && s.Grain == "" {
		faults = append(faults, errors.New("want a grain for times (hour, day, iso_week, month); add it"))
	}
	// With bands or a grain, theirs is the word on how they can be read.
	if s.As != "" && !s.As.IsAge() && !s.As.IsTime() && !s.As.IsText() && s.Bands == nil && s.Grain == "" {
		faults = append(faults, fmt.Errorf("want age, birth_year or birth_date with bands, a way to read a time with a grain, or one of %s, got %q; choose one", anonymize.TextReadings(), string(s.As)))
	}
	faults = append(faults, checkTextReading(s))
	return errors.Join(faults...)
}

func newPeriodClock(s Spec) (Clock, error) {
	clock, err := NewClock(s.As, s.Zone)
	if err != nil {
		return Clock{}, err
	}
	if !clock.Supports(s.Grain) {
		return Clock{}, fmt.Errorf("want a grain that fits the reading (hour, day, iso_week, month; day or week for day_offset), got %q; choose one", string(s.Grain))
	}
	return clock, nil
}

// checkLabels reports labels that a person wrote and that are not in canonical spelling: a label is
// compared and shown byte by byte.
func checkLabels(otherwise string, s Spec) error {
	var faults []error
	labels := append([]string{otherwise}, s.Groups...)
	for _, label := range append(labels, sortedLabels(s.Values)...) {
		canonical, ok := anonymize.AppendText(nil, []byte(label))
		if !ok || string(canonical) != label {
			faults = append(faults, fmt.Errorf("want a label of 1 to %d bytes without invisible characters or spaces at its ends, got %q; correct it", anonymize.MaxText, label))
		}
	}
	return errors.Join(faults...)
}

// closedList returns the sorted list of all labels, or nil where it is open.
func closedList(s Spec, otherwise string, produced []string) ([]string, error) {
	closed := s.Groups
	if closed == nil {
		if produced == nil {
			return nil, nil
		}
		closed = append(slices.Clone(produced), otherwise)
	}
	closed = slices.Clone(closed)
	slices.Sort(closed)
	if s.Groups == nil {
		return slices.Compact(closed), nil
	}
	faults := []error{checkDoubles(closed)}
	for _, label := range append(slices.Clone(produced), otherwise) {
		if _, ok := slices.BinarySearch(closed, label); !ok {
			faults = append(faults, fmt.Errorf("want %q among the groups, since cells can get this label; add it", label))
		}
	}
	return closed, errors.Join(faults...)
}

// checkDoubles reports groups that a reader would take for one.
func checkDoubles(groups []string) error {
	var faults []error
	seen := make(map[string]string, len(groups))
	for _, group := range groups {
		key, ok := anonymize.AppendFolded(nil, []byte(group))
		if !ok {
			continue
		}
		if other, ok := seen[string(key)]; ok {
			faults = append(faults, fmt.Errorf("want groups that differ by more than case and width, got %q and %q; drop one", other, group))
		}
		seen[string(key)] = group
	}
	return errors.Join(faults...)
}
