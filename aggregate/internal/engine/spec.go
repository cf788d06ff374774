// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/bits"
	"slices"

	"github.com/throngdp/throng/dp"
)

// Codes with a meaning of their own. All other codes stand for labels.
const (
	// None is the code of an attribute that a row says nothing about.
	None uint32 = 0
	// NoKey is the Key code of a row that is in no group.
	NoKey = ^uint64(0)
	// NoValue marks a value that could not be read: the row is left out of tables that sum it.
	NoValue = -1 << 63
)

// Flags of a row.
const (
	// Excluded: the row shows that its person is excluded, with all their rows.
	Excluded uint32 = 1 << iota
	// Event: the row is activity in the period. A person without one is no visitor.
	Event
	// firstRule is the first of the bits that say which rules a row satisfies.
	firstRule
	// Copy: another row has counted the record already, and this one puts it into a further group of a multi-valued
	// dimension. It is nothing to tables without an event-level key, and to those for which it has none.
	Copy uint32 = 1 << 31
)

// MaxRules is how many presence rules a spec may have.
const MaxRules = 20

// Satisfies returns the flag of a row that satisfies presence rule i.
func Satisfies(i int) uint32 { return firstRule << i }

// MaxPartitionsLimit is the largest MaxPartitions of a table: what a slot header can count.
const MaxPartitionsLimit = 1 << 15

// Spec says what one scan accumulates.
type Spec struct {
	Attributes []Attribute
	// Required are the Satisfies flags of which every counted person needs all, each from some row.
	Required uint32
	// Keys and Values are how many of each a row of usage carries.
	Keys, Values int
	Tables       []Table
	// HashKeys writes the keyed hash of the labels that each code of key k stands for to hashes. It is
	// called concurrently. What it writes for NoKey is of no meaning.
	HashKeys func(k int, hashes, codes []uint64)
	// CompareKeys orders two codes of key k by the canonical bytes of their labels. It is asked only
	// where two keyed priorities are equal.
	CompareKeys func(k int, a, b uint64) int
	// Seed keys the priorities. It is secret and fresh for every run.
	Seed [2]uint64
}

// Attribute is a person-level value: one label per person, from all of that person's rows.
type Attribute struct {
	// Unknown is the label of a person about whom no row says anything.
	Unknown uint32
	// ConflictUnknown makes a person with two different labels Unknown; otherwise the most frequent
	// label counts, and among equals the first by canonical bytes.
	ConflictUnknown bool
	// Compare orders two labels by canonical bytes.
	Compare func(a, b uint32) int
	// Dropped, where set, reports whether a label lies outside the declared groups. It is asked once
	// per person, when all rows have been seen.
	Dropped func(code uint32) bool
}

// Table is one group-by. What one person adds to it is bounded by Bounds and the clamps:
// l0 = MaxPartitions (1 without an event-level key), l∞ of visitors 1, of events MaxPerPartition, of
// a sum MaxPerPartition·max|clamp| (max|clamp| for a Total sum); l1 of events MaxContributions, where it is set, and of
// a sum MaxContributions·max|clamp|.
type Table struct {
	// Key is the row's event-level key, or −1 where the table groups by person-level values alone.
	Key int
	// Persons are the attributes that complete a group.
	Persons []int
	// Bounds has MaxContributions only where the table has an event-level key, counts records and takes no part in
	// a survey, and then it is no less than the others.
	Bounds dp.ContributionBounds
	// Events is set where the table counts records.
	Events bool
	Sums   []Sum
	// Spreads are the values of which the table keeps how they are spread.
	Spreads []Spread
	// Floor, where set, leaves groups out of the partials that have fewer visitors: those of which
	// nothing could be shown.
	Floor int64
	// Parent, where set, asks for the distinct people of each parent group.
	Parent *Parent
	// Survey is set where the table takes part in [Engine.Survey].
	Survey bool

	// left says which sums are left out of the partials, nil for none.
	left []bool
}

// Sum is one bounded sum.
type Sum struct {
	// Value is the row's value.
	Value int
	// Clamp bounds each record, or with Total the person's total in one group.
	Clamp dp.Clamp
	Total bool
	// Centre is taken from each record after it was clamped; 0 with Total.
	Centre int64
	// Square squares what is then left; never with Total. Its greatest value is below 2^62.
	Square bool
	// Narrower is set where the sum is the one before it, under a clamp inside that one's. Of a sum and those behind
	// it that are narrower, [Engine.Survey] tells what they would take, and [Engine.Narrow] keeps one.
	Narrower bool
}

// reach is the most by which one record changes the sum, as an absolute number.
func (s *Sum) reach() int64 {
	reach := max(s.Clamp.Upper-s.Centre, s.Centre-s.Clamp.Lower)
	if s.Square {
		return reach * reach
	}
	return reach
}

// Spread asks for the distribution of a value over the records of each group: of a person's n records of which e count,
// those in the middle of e equal parts of their order. One person then changes MaxPartitions groups, by MaxPerPartition
// records in all of each.
type Spread struct {
	Value int
	// Clamp bounds each record.
	Clamp dp.Clamp
	// Leaves is in how many equal parts the clamp is cut, 1 to [MaxLeaves].
	Leaves uint32
}

// MaxLeaves is the most parts that a clamp is cut into.
const MaxLeaves = 1 << 20

// Leaf returns the part in which a value lies, from 0.
func (s *Spread) Leaf(v int64) uint32 {
	v = min(max(v, s.Clamp.Lower), s.Clamp.Upper)
	hi, lo := bits.Mul64(uint64(v-s.Clamp.Lower), uint64(s.Leaves))
	leaf, _ := bits.Div64(hi, lo, s.steps())
	return uint32(leaf)
}

// steps is how many values the clamp has.
func (s *Spread) steps() uint64 { return uint64(s.Clamp.Upper-s.Clamp.Lower) + 1 }

// First returns the least value of a leaf, and for the one behind the last what is above the clamp.
func (s *Spread) First(leaf uint32) int64 {
	hi, lo := bits.Mul64(uint64(leaf), s.steps())
	first, rest := bits.Div64(hi, lo, uint64(s.Leaves))
	if rest > 0 {
		first++
	}
	return s.Clamp.Lower + int64(first)
}

// Parent is a coarser grouping than a table's own. A person is in the parents of their kept groups, or
// where Event is nil in the one of their own values, whether or not a group of the table has room for
// them.
type Parent struct {
	// Event maps a group's event-level key to the parent's; it is called once per person and kept
	// group. Nil where the parent has no event-level part.
	Event func(uint64) uint64
	// Persons are the attributes that make the person-level part.
	Persons []int
}

// recorded reports whether the table needs the number of records per person and group.
func (t *Table) recorded() bool { return t.Events || len(t.Sums) > 0 || len(t.Spreads) > 0 }

// slotWords is the length of one kept group: priority, key and accumulators.
func (t *Table) slotWords() int { return 2 + t.accWords() }

// accWords is the length of the accumulators of one person in one group: the number of records, the
// sums, and a word of votes for each spread.
func (t *Table) accWords() int {
	if !t.recorded() {
		return 0
	}
	n := 1
	for i := range t.Sums {
		n += t.Sums[i].words()
	}
	return n + len(t.Spreads)
}

// maxRecords is where the records of one person in one group are no longer counted or summed: that
// touches nobody else, and keeps a sum that is small per record below 2^63.
const maxRecords = 1<<32 - 1

// words is 1 for a sum that cannot leave an int64, and otherwise 2, the lower first. A total is clamped when all of it
// is there, so that a narrower one has no words of its own.
func (s *Sum) words() int {
	switch {
	case s.Total && s.Narrower:
		return 0
	case !s.Total && s.reach() < 1<<31:
		return 1
	}
	return 2
}

// bounded returns what a person adds to the sum, whose words hold what n records came to, of which e count.
func (s *Sum) bounded(lo, hi uint64, e, n int64) int64 {
	if s.Total {
		return clampTotal(lo, hi, s.Clamp)
	}
	return boundedSum(lo, hi, e, n)
}

// read returns the words of a sum that is next among accumulators, and those behind it. Before are the words of the
// sum before it.
func (s *Sum) read(acc []uint64, before [2]uint64) (words [2]uint64, rest []uint64) {
	switch s.words() {
	case 0:
		return before, acc
	case 1:
		return [2]uint64{acc[0], uint64(int64(acc[0]) >> 63)}, acc[1:]
	}
	return [2]uint64{acc[0], acc[1]}, acc[2:]
}

// fewPartitions is how many of a person's groups stand in the person's own record.
const fewPartitions = 4

// few reports whether a person's groups of the table are so few that they stand in the record.
func (t *Table) few() bool { return t.Key >= 0 && t.Bounds.MaxPartitions <= fewPartitions }

// inlineWords is what a table keeps in the person's own record.
func (t *Table) inlineWords() int {
	switch {
	case t.few():
		return int(t.Bounds.MaxPartitions) * t.slotWords()
	case t.Key >= 0:
		return 1
	}
	return t.accWords()
}

// plan is what folding a row into a table needs to know.
type plan struct {
	key           int // of a row's keys; -1 for none
	few, recorded bool
	own, inline   int   // where the table's words in a record begin, and how many they are
	stride        int   // words of a slot
	sums          []Sum // those that have words
	spreads       []Spread
	values        []int // that sums and spreads need
	families      []family
}

func (l *layout) plans(s *Spec) []plan {
	plans := make([]plan, len(s.Tables))
	for i := range plans {
		t := &s.Tables[i]
		sums := slices.DeleteFunc(slices.Clone(t.Sums), func(s Sum) bool { return s.words() == 0 })
		plans[i] = plan{t.Key, t.few(), t.recorded(), l.tables[i], t.inlineWords(), t.slotWords(), sums, t.Spreads, t.values(), t.families()}
	}
	return plans
}

// values are the numbers of all values that the table needs.
func (t *Table) values() []int {
	var all []int
	for _, s := range t.Sums {
		all = append(all, s.Value)
	}
	for _, s := range t.Spreads {
		all = append(all, s.Value)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Rows is a number of rows as columns. Attrs, Keys and Values are indexed as the spec numbers them;
// a nil Attrs column says nothing about anyone, and visitor rows leave Keys and Values nil.
type Rows struct {
	N      int
	Hi, Lo []uint64 // 128-bit keyed hash of the privacy id
	Flags  []uint32
	Attrs  [][]uint32
	Keys   [][]uint64 // exact codes of groups
	Values [][]int64
}
