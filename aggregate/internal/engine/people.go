// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

// bucket holds all state of the people whose hash falls into it.
type bucket struct {
	mu     sync.Mutex
	pieces []piece // rows that are not folded yet
	// spilled says that the bucket's state is in the spill store, and size how many bytes it last had.
	spilled bool
	size    int64
	index   []uint32   // open addressing: a record's place + 1, 0 empty
	blocks  [][]uint64 // records: full blocks, and one that has room
	count   int
	arena   arena // lists of groups that outgrow a record
	// votes has lists of votes. They have an arena of their own, as words of votes stand in the other one.
	votes arena
}

// arena is memory for lists, which are named by their offset.
type arena []uint64

// layout says where things are in a person's record: hash (2 words), flags, attributes, crowds, tables. Records
// stand in blocks, so that nothing moves when people come: a slice that grows is copied, and leaves as
// much behind. A record's place is block<<shift | offset.
type layout struct {
	words    int
	crowds   int   // offset of the bits of tables that the flags have none for
	tables   []int // offset of each table's words
	shift    uint
	perBlock int // records
}

const (
	offFlags = 2
	offAttrs = 3
)

// blockWords is the most that a block of several records takes: 8 KiB.
const blockWords = 1 << 10

func newLayout(s *Spec) layout {
	l := layout{words: offAttrs + len(s.Attributes)}
	l.crowds = l.words
	l.words += (max(0, len(s.Tables)-flagCrowds) + 63) / 64
	for i := range s.Tables {
		l.tables = append(l.tables, l.words)
		l.words += s.Tables[i].inlineWords()
	}
	l.perBlock = max(1, blockWords/l.words)
	l.shift = uint(bits.Len(uint(l.perBlock*l.words - 1)))
	return l
}

// flagCrowds is how many tables have a bit in the upper half of the word of flags.
const flagCrowds = 32

// crowd returns the word and the bit that say that a person has more groups than a table keeps.
func (l *layout) crowd(t int) (word int, bit uint64) {
	if t < flagCrowds {
		return offFlags, 1 << (32 + t)
	}
	return l.crowds + (t-flagCrowds)/64, 1 << ((t - flagCrowds) % 64)
}

// place is where record n stands: a bucket of 2^31 words would be too much for any machine.
func (l *layout) place(n int) uint32 { return uint32(n/l.perBlock<<l.shift | n%l.perBlock*l.words) }

// record returns the record at a place, and what follows it in its block.
func (b *bucket) record(l *layout, place uint32) []uint64 {
	return b.blocks[place>>(l.shift&31)][place&(1<<(l.shift&31)-1):]
}

// find returns the place of a person's record, or -1 where there is none and insert is false.
func (b *bucket) find(hi, lo uint64, l *layout, insert bool) int32 {
	mask := uint64(len(b.index) - 1)
	// The low bits of hi chose nothing yet: buckets go by its high bits.
	for at := lo & mask; ; at = (at + 1) & mask {
		n := b.index[at]
		if n == 0 {
			if !insert {
				return -1
			}
			return b.insert(at, hi, lo, l)
		}
		if rec := b.record(l, n-1); rec[0] == hi && rec[1] == lo {
			return int32(n - 1)
		}
	}
}

func (b *bucket) insert(at uint64, hi, lo uint64, l *layout) int32 {
	place := l.place(b.count)
	b.reserve(l, b.count+1)
	rec := b.record(l, place)
	rec[0], rec[1] = hi, lo
	b.count++
	b.index[at] = place + 1
	if b.count*8 > len(b.index)*5 {
		b.reindex(4*len(b.index), l)
	}
	return int32(place)
}

// reserve makes room for records, all zero.
func (b *bucket) reserve(l *layout, records int) {
	for len(b.blocks)*l.perBlock < records {
		b.blocks = append(b.blocks, make([]uint64, l.perBlock*l.words))
	}
}

// reindex makes an index of a number of places.
func (b *bucket) reindex(size int, l *layout) {
	index := make([]uint32, size)
	mask := uint64(len(index) - 1)
	left := b.count
	for i, block := range b.blocks {
		for off := 0; off < len(block) && left > 0; off += l.words {
			at := block[off+1] & mask
			for index[at] != 0 {
				at = (at + 1) & mask
			}
			index[at] = uint32(i<<l.shift|off) + 1
			left--
		}
	}
	b.index = index
}

// firstPeople is how many people a bucket makes room for in its index at once, where as many rows have
// come.
const firstPeople = 256

// alloc returns the offset of n zeroed words in the arena.
func (a *arena) alloc(n int) int {
	off := len(*a)
	if cap(*a) < off+n {
		*a = slices.Grow(*a, max(n, 64, off/2))
	}
	*a = (*a)[:off+n]
	clear((*a)[off:])
	return off
}

// A word of an attribute is code<<32 | count while the person has one label, and listFlag | offset
// of a list in the arena once there are more. A list is a header (length<<32 | capacity) and entries
// of the same form code<<32 | count. Codes stay below 2^31, so the flag cannot be mistaken.
const listFlag = 1 << 63

// searched is how many entries of a list are searched for a label. A vote that is not found there is
// appended, and votes for one label are merged when the list is full: a person with ever new labels
// costs n·log n of their n rows, and not the square.
const searched = 8

func (a *arena) vote(word *uint64, code uint32) {
	w := *word
	switch {
	case w == 0:
		*word = uint64(code)<<32 | 1
	case w&listFlag == 0 && uint32(w>>32) == code:
		*word = addVotes(w, 1)
	case w&listFlag == 0:
		off := a.alloc(1 + 4)
		(*a)[off] = 2<<32 | 4
		(*a)[off+1] = w
		(*a)[off+2] = uint64(code)<<32 | 1
		*word = listFlag | uint64(off)
	default:
		a.voteInList(word, code)
	}
}

func (a *arena) voteInList(word *uint64, code uint32) {
	off := int(*word &^ listFlag)
	list := a.list(off)
	for i, w := range list[:min(len(list), searched)] {
		if uint32(w>>32) == code {
			list[i] = addVotes(w, 1)
			return
		}
	}
	length, capacity := len(list), int(uint32((*a)[off]))
	if length == capacity {
		length = mergeVotes(list)
		if 2*length > capacity { // so that the next merge is at least half a list away
			grown := a.alloc(1 + 2*capacity)
			copy((*a)[grown+1:], (*a)[off+1:off+1+length])
			off, capacity = grown, 2*capacity
			*word = listFlag | uint64(off)
		}
	}
	(*a)[off+1+length] = uint64(code)<<32 | 1
	(*a)[off] = uint64(length+1)<<32 | uint64(capacity)
}

// merged returns the entries of the list at off, one for each label.
func (a *arena) merged(off int) []uint64 {
	list := a.list(off)
	length := mergeVotes(list)
	(*a)[off] = uint64(length)<<32 | uint64(uint32((*a)[off]))
	return list[:length]
}

// list returns the entries of the list at off.
func (a *arena) list(off int) []uint64 {
	return (*a)[off+1 : off+1+int((*a)[off]>>32)]
}

// mergeVotes leaves one entry per label at the front of a list and returns how many there are.
func mergeVotes(list []uint64) int {
	slices.Sort(list)
	last := 0
	for _, w := range list[1:] {
		if w>>32 == list[last]>>32 {
			list[last] = addVotes(list[last], w)
			continue
		}
		last++
		list[last] = w
	}
	return last + 1
}

// addVotes adds the count of w, and stops at 2^32 − 1: a person's own count, so nobody else is
// touched, and the same whatever the order.
func addVotes(entry, w uint64) uint64 {
	n := min(entry&math.MaxUint32+w&math.MaxUint32, math.MaxUint32)
	return entry&^math.MaxUint32 | n
}

// resolve returns the person-level label of an attribute.
func (v *arena) resolve(word uint64, a *Attribute) uint32 {
	if word == 0 {
		return a.Unknown
	}
	if word&listFlag == 0 {
		return uint32(word >> 32)
	}
	if a.ConflictUnknown {
		return a.Unknown
	}
	list := v.merged(int(word &^ listFlag))
	best := list[0]
	for _, w := range list[1:] {
		switch n, m := uint32(w), uint32(best); {
		case n > m, n == m && a.Compare(uint32(w>>32), uint32(best>>32)) < 0:
			best = w
		}
	}
	return uint32(best >> 32)
}

// A slot is a kept group: its priority, its code and its accumulators. A few slots stand in the person's
// record, those in use first, in no order, with their codes inverted so that a new record's zeros are no
// group.

// held returns the accumulators of a group that stands in the slots of a record, nil where it does not.
func held(slots []uint64, code uint64, stride int) []uint64 {
	for at := 1; at < len(slots); at += stride {
		if ^slots[at] == code {
			return slots[at+1 : at+stride-1]
		}
	}
	return nil
}

// keep returns the accumulators of group (priority, code), or nil where the slots of a record hold
// groups of smaller priority, and whether there was no room for all of the person's groups. The smallest priorities of a set do not depend on the order in which its
// members come, and a group that was evicted cannot come back: the largest kept priority only falls.
func keep(slots []uint64, t *Table, stride int, priority, code uint64, s *Spec) (acc []uint64, crowded bool) {
	last := 0 // of the slots in use, in the order of priorities
	for at := 0; at < len(slots); at += stride {
		held := ^slots[at+1]
		if held == code {
			return slots[at+2 : at+stride], false
		}
		if held == NoKey {
			slots[at], slots[at+1] = priority, ^code
			return slots[at+2 : at+stride], false
		}
		if p := slots[at]; p > slots[last] || p == slots[last] && at != last && s.CompareKeys(t.Key, held, ^slots[last+1]) > 0 {
			last = at
		}
	}
	slot := slots[last : last+stride]
	if slot[0] < priority || slot[0] == priority && s.CompareKeys(t.Key, ^slot[1], code) < 0 {
		return nil, true
	}
	clear(slot)
	slot[0], slot[1] = priority, ^code
	return slot[2:], true
}

// More slots lie in the arena, in ascending priority. The word in the record is offset<<32 | length<<16
// | log2(capacity); 0 is empty. Lists double when they move, up to
// MaxPartitions, so what a list has left behind is smaller than twice the list.

// firstClass is log2 of the groups that a person's first list holds.
const firstClass = 1

// searchedSlots is how many of a person's groups are searched for a code.
const searchedSlots = 8

// held returns the accumulators of a group, nil where the person does not hold it or holds so many
// that it is better looked for by priority.
func (b *bucket) held(word, code uint64, stride int) []uint64 {
	off, length := int(word>>32), int(word>>16&0xffff)
	if length > searchedSlots {
		return nil
	}
	for slots := b.arena[off : off+length*stride]; len(slots) > 0; slots = slots[stride:] {
		if slots[1] == code {
			return slots[2:stride]
		}
	}
	return nil
}

// keep returns the arena offset of the slot of group (priority, code), or -1 where the person
// already holds MaxPartitions groups of smaller priority, and whether there was no room for all, as for
// slots in a record.
func (b *bucket) keep(word *uint64, t *Table, stride int, priority, code uint64, s *Spec) (at int, crowded bool) {
	off, length, class := int(*word>>32), int(*word>>16&0xffff), uint(*word&0xffff)
	at = length
	if length > 0 {
		slots := b.arena[off : off+length*stride]
		at = lowerBound(slots, stride, priority)
		for at < length && slots[at*stride] == priority {
			c := slots[at*stride+1]
			if c == code {
				return off + at*stride, false
			}
			if s.CompareKeys(t.Key, code, c) < 0 {
				break
			}
			at++
		}
	}
	full := length == int(t.Bounds.MaxPartitions)
	if full && at == length {
		return -1, true
	}
	switch {
	case full:
		length--
	case length == 0:
		class = firstClass
		off = b.arena.alloc(stride << class)
	case length == 1<<class:
		grown := b.arena.alloc(stride * min(1<<(class+1), int(t.Bounds.MaxPartitions)))
		copy(b.arena[grown:], b.arena[off:off+length*stride])
		off, class = grown, class+1
	}
	slots := b.arena[off : off+(length+1)*stride]
	copy(slots[(at+1)*stride:], slots[at*stride:length*stride])
	slot := slots[at*stride : (at+1)*stride]
	clear(slot)
	slot[0], slot[1] = priority, code
	*word = uint64(off)<<32 | uint64(length+1)<<16 | uint64(class)
	return off + at*stride, full
}

// lowerBound returns the first slot whose priority is not below priority.
func lowerBound(slots []uint64, stride int, priority uint64) int {
	n := len(slots) / stride
	if n <= 8 {
		for i := range n {
			if slots[i*stride] >= priority {
				return i
			}
		}
		return n
	}
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if slots[mid*stride] < priority {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// priority is a keyed pseudo-random function of (person, group). Both inputs are already outputs of
// a keyed hash under the run's secret; the two multiplications with secret seeds make the pair
// independent of either alone (the construction is wyhash's, whose output passes the usual tests).
func priority(seed *[2]uint64, hi, lo, group uint64) uint64 {
	a, b := bits.Mul64(lo^group^seed[0], hi^seed[1])
	c, d := bits.Mul64(a^group, b^seed[0]|1)
	return c ^ d
}

// add128 adds v to the two-word signed integer at w (low word first).
func add128(w []uint64, v int64) {
	lo, carry := bits.Add64(w[0], uint64(v), 0)
	w[0] = lo
	w[1] += uint64(v>>63) + carry
}
