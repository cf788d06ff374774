// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/throngdp/throng/anonymize"
)

// Match is what a spec's Values or Lookup make of texts that have been read already: what a hierarchy is compared by. It
// is immutable and safe for concurrent use.
type Match struct{ lookup *Lookup }

// NewMatch returns the match of a spec, or an error where it has neither Values nor Lookup, or values with faults.
func NewMatch(s Spec) (*Match, error) {
	switch {
	case s.Lookup != nil:
		return &Match{s.Lookup}, nil
	case len(s.Values) == 0:
		return nil, errors.New("want values or a lookup; write one")
	}
	values, err := newMatcher(s.Values)
	return &Match{&Lookup{by: ByValue, values: values}}, err
}

// By says how keys are compared with cells.
func (m *Match) By() By { return m.lookup.by }

// Keys lists all keys in canonical spelling and in byte order.
func (m *Match) Keys() []string {
	switch m.lookup.by {
	case ByValue:
		return slices.Sorted(maps.Keys(m.lookup.values.exact))
	case ByPrefix:
		return slices.Sorted(maps.Keys(m.lookup.prefixes))
	}
	var keys []string
	for network := range m.lookup.networks.labels {
		keys = append(keys, network.String())
	}
	slices.Sort(keys)
	return keys
}

// Label returns the label of all cells for which a key, of this or of another match with the same By, says most; false
// where there is none for them.
func (m *Match) Label(key string) (string, bool) {
	if m.lookup.by != ByNetwork {
		return m.lookup.find(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(key)})
	}
	network, err := netip.ParsePrefix(key)
	if err != nil {
		return "", false
	}
	for bits := network.Bits(); bits >= 0; bits-- {
		if above, err := network.Addr().Prefix(bits); err == nil {
			if label, ok := m.lookup.networks.labels[above]; ok {
				return label, label != ""
			}
		}
	}
	return "", false
}
