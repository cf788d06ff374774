// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/throngdp/throng/anonymize"
)

// matcher finds the label of a text; the package documentation says in which steps.
type matcher struct {
	exact  map[string]string
	folded map[string]string // without the keys that are ambiguous
}

func newMatcher(values map[string]string) (*matcher, error) {
	m := &matcher{exact: map[string]string{}, folded: map[string]string{}}
	ambiguous := map[string]bool{}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		label := values[key]
		exact, ok := anonymize.AppendText(nil, []byte(key))
		if !ok {
			faults = append(faults, fmt.Errorf("want a value of 1 to %d visible bytes, got %q; correct it", anonymize.MaxText, key))
			continue
		}
		if other, ok := m.exact[string(exact)]; ok && other != label {
			faults = append(faults, fmt.Errorf("want one label for the value %q, got %q and %q; drop one", string(exact), other, label))
		}
		m.exact[string(exact)] = label
		folded, ok := anonymize.AppendFolded(nil, exact)
		if !ok {
			continue // its compatibility form is too long; it still matches exactly
		}
		if other, ok := m.folded[string(folded)]; ok && other != label {
			ambiguous[string(folded)] = true
		}
		m.folded[string(folded)] = label
	}
	for key := range ambiguous {
		delete(m.folded, key)
	}
	return m, errors.Join(faults...)
}

// find returns the label of a cell.
func (m *matcher) find(v anonymize.Value) (string, bool) {
	var buf [anonymize.MaxText]byte
	text, ok := v.AppendText(buf[:0])
	if !ok {
		return "", false
	}
	if label, ok := m.exact[string(text)]; ok {
		return label, true
	}
	if folded, ok := v.AppendFolded(buf[:0]); ok {
		if label, ok := m.folded[string(folded)]; ok {
			return label, true
		}
	}
	return m.findWhole(v)
}

// findWhole matches "1.0" with the key 1: what becomes of a column of integers with gaps in software
// that has no null integer.
func (m *matcher) findWhole(v anonymize.Value) (string, bool) {
	if v.Kind != anonymize.Bytes || bytes.IndexByte(v.Bytes, '.') < 0 {
		return "", false
	}
	n, ok := v.Whole()
	if !ok {
		return "", false
	}
	var buf [20]byte
	label, ok := m.exact[string(strconv.AppendInt(buf[:0], n, 10))]
	return label, ok
}

func sortedLabels(values map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(values)))
}

func identityMap(labels []string) map[string]string {
	out := make(map[string]string, len(labels))
	for _, label := range labels {
		out[label] = label
	}
	return out
}
