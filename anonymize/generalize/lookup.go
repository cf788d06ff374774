// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"fmt"

	"github.com/throngdp/throng/anonymize"
)

// By says how a table's keys are compared with a cell. The zero value is unset.
type By string

// The comparisons.
const (
	// ByValue finds the key that is the cell's text, as the keys of a value map are found.
	ByValue By = "value"
	// ByPrefix finds the longest key with which the cell begins, without regard to case, white space and dashes.
	ByPrefix By = "prefix"
	// ByNetwork finds the smallest network that holds the cell's IP address.
	ByNetwork By = "network"
)

// The largest table, and how many of its faults are told.
const (
	maxLookupRows   = 1 << 20
	maxLookupLevel  = 64
	maxLookupLabels = 1 << 16
	maxLookupFaults = 10
)

// LookupSpec is a table and how it is used.
type LookupSpec struct {
	// Table is CSV text without a header line, in UTF-8: key;level1;level2 and so on, or with commas, as the first
	// line has it.
	Table string
	By    By
	// Level is the column of labels that is used, from 1.
	Level int64
	// As is how cells are read before they are looked up; of AsPhone, keys begin with + and have digits only.
	As anonymize.As
}

// Lookup is a table of an owner that gives cells their labels. It is immutable and safe for concurrent use.
type Lookup struct {
	by       By
	values   *matcher
	prefixes map[string]string
	lengths  []int // of the keys of prefixes, longest first
	networks networks
	labels   []string
}

// LineError is a fault of one line of a table. It holds nothing of what the line says.
type LineError struct {
	Line int
	Err  error
}

// Error returns the fault with its line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the fault alone.
func (e *LineError) Unwrap() error { return e.Err }

// NewLookup reads a table, or returns its faults: a [LineError] for each of the first ten lines that have one.
func NewLookup(s LookupSpec) (*Lookup, error) {
	l := &lookupReader{LookupSpec: s, keys: map[string]string{}, labels: map[string]string{}, out: &Lookup{by: s.By}}
	if s.By != ByValue && s.By != ByPrefix && s.By != ByNetwork {
		return nil, fmt.Errorf("want one of value, prefix, network as the comparison, got %q; choose one", string(s.By))
	}
	if s.Level < 1 || s.Level > maxLookupLevel {
		return nil, fmt.Errorf("want a level of 1 to %d, got %d; correct it", maxLookupLevel, s.Level)
	}
	if err := l.read(); err != nil {
		return nil, err
	}
	return l.finish()
}

// Labels lists the labels that the table can give, in byte order; it is never nil.
func (l *Lookup) Labels() []string { return append([]string{}, l.labels...) }

// find returns the label of a cell; false where the table has none for it.
func (l *Lookup) find(v anonymize.Value) (string, bool) {
	label, ok := "", false
	switch {
	case l.by == ByValue:
		label, ok = l.values.find(v)
	case !v.Valid || v.Kind != anonymize.Bytes:
	case l.by == ByPrefix:
		label, ok = l.longest(v.Bytes)
	default:
		label, ok = l.networks.find(v.Bytes)
	}
	return label, ok && label != ""
}

func (l *Lookup) longest(text []byte) (string, bool) {
	code, ok := compact(text)
	if !ok {
		return "", false
	}
	for _, n := range l.lengths {
		if n <= len(code) {
			if label, ok := l.prefixes[code[:n]]; ok {
				return label, true
			}
		}
	}
	return "", false
}
