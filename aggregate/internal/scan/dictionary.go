// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math/bits"
	"strings"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/anonymize/identity"
)

// Dictionary numbers the labels of one dimension. Numbers depend on arrival and must decide nothing;
// what decides is a label's bytes or its keyed hash. Safe for concurrent use.
type Dictionary struct {
	mu      sync.RWMutex
	hasher  identity.Hasher
	closed  bool
	numbers map[string]uint32
	labels  []string
	hashes  []uint64
	members []bool
}

// NewDictionary returns a dictionary. With declared groups, labels outside them are numbered but are
// no members.
func NewDictionary(hasher identity.Hasher, declared []string) *Dictionary {
	d := &Dictionary{hasher: hasher, closed: declared != nil, numbers: map[string]uint32{}}
	d.add("", false) // code 0 is engine.None
	for _, label := range declared {
		d.add(label, true)
	}
	return d
}

func (d *Dictionary) add(label string, member bool) uint32 {
	code := uint32(len(d.labels))
	d.numbers[label] = code
	d.labels = append(d.labels, label)
	_, lo := d.hasher.Sum128([]byte(label))
	d.hashes = append(d.hashes, lo)
	d.members = append(d.members, member)
	return code
}

// Code returns the number of a label, which is never empty.
func (d *Dictionary) Code(label []byte) uint32 {
	d.mu.RLock()
	code, ok := d.numbers[string(label)]
	d.mu.RUnlock()
	if ok {
		return code
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if code, ok := d.numbers[string(label)]; ok {
		return code
	}
	return d.add(string(label), !d.closed)
}

// Label returns the label of a number.
func (d *Dictionary) Label(code uint32) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.labels[code]
}

// Dropped reports whether a label is outside the declared groups.
func (d *Dictionary) Dropped(code uint32) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return !d.members[code]
}

// Compare orders two labels by their bytes.
func (d *Dictionary) Compare(a, b uint32) int { return strings.Compare(d.Label(a), d.Label(b)) }

// keyed returns the keyed hashes of all labels by number. Labels that come later are not in it.
func (d *Dictionary) keyed() []uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.hashes
}

// HashKeys writes the keyed hash of what each code stands for to hashes. Codes are folded from those of
// the dictionaries. The hash of [engine.NoKey] is of no meaning.
func HashKeys(pairs *engine.Pairs, dictionaries []*Dictionary, hashes, codes []uint64) {
	n := len(dictionaries)
	width := engine.Width(n)
	var all uint64
	for at, d := range dictionaries {
		labels, shift := d.keyed(), width*uint(n-1-at)
		for i, code := range codes {
			all |= code
			label := code >> shift & (1<<width - 1)
			if label >= uint64(len(labels)) {
				continue // of a code that does not stand side by side with others
			}
			if at == 0 {
				hashes[i] = labels[label]
			} else {
				// The dictionaries' hashers differ, so a rotation is enough to tell orders apart.
				hashes[i] = bits.RotateLeft64(hashes[i], 1) ^ labels[label]
			}
		}
	}
	if !engine.SideBySide(all) {
		hashApart(pairs, dictionaries, hashes, codes)
	}
}

// hashApart hashes codes that stand for more than fits side by side.
func hashApart(pairs *engine.Pairs, dictionaries []*Dictionary, hashes, codes []uint64) {
	for i, code := range codes {
		if code == engine.NoKey || engine.SideBySide(code) {
			continue
		}
		hashes[i] = 0
		for at, label := range pairs.Unfold(code, len(dictionaries)) {
			hashes[i] = bits.RotateLeft64(hashes[i], 1) ^ dictionaries[at].keyed()[label]
		}
	}
}
