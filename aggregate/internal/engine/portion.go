// SPDX-License-Identifier: Apache-2.0

package engine

import "math/bits"

// portion is what MaxContributions leaves of a person's records. Each group keeps one: to stay in it costs nothing more,
// as the person is in no more groups for it. The further records of all groups, in ascending priority of the groups, count
// evenly: of the first n of them n·room/further do, rounded down. So each group keeps its share.
type portion struct {
	room, further uint64 // further is 0 where all count
	before        uint64 // further records of the groups so far
}

// portion returns what a person may add to their kept groups, in the order of the slots.
func (t *Table) portion(kept []uint64, stride int) (p portion) {
	if t.Bounds.MaxContributions == 0 {
		return p
	}
	groups, records := uint64(len(kept)/stride), uint64(0)
	for ; len(kept) > 0; kept = kept[stride:] {
		records += uint64(t.counted(kept[2:stride]))
	}
	if most := uint64(t.Bounds.MaxContributions); records > most {
		p.room, p.further = most-groups, records-groups
	}
	return p
}

// of returns how many of n records count in the next group.
func (p *portion) of(n int64) int64 {
	if p.further == 0 {
		return n
	}
	first := p.until()
	p.before += uint64(n - 1)
	return 1 + int64(p.until()-first)
}

// until is how many further records count of those before.
func (p *portion) until() uint64 {
	hi, lo := bits.Mul64(p.before, p.room)
	n, _ := bits.Div64(hi, lo, p.further) // before is at most further, so that n is at most room
	return n
}

// counted is how many of a person's records in a group MaxPerPartition lets count, 0 where the table counts none.
func (t *Table) counted(acc []uint64) int64 {
	if !t.recorded() {
		return 0
	}
	return min(int64(acc[0]), t.Bounds.MaxPerPartition)
}

// over is OverPerPartition where a person has more records in a group than count, else 0.
func (t *Table) over(acc []uint64) int {
	if most := t.Bounds.MaxPerPartition; t.recorded() && most > 0 && int64(acc[0]) > most {
		return OverPerPartition
	}
	return 0
}

// overAll adds OverContributions to what a person is over. Whoever has more groups than records may count, or more records
// in one of them, has more in all.
func (t *Table) overAll(took int, p portion) int {
	b := &t.Bounds
	if p.further > 0 || took&OverPartitions != 0 && b.MaxPartitions == b.MaxContributions ||
		took&OverPerPartition != 0 && b.MaxPerPartition == b.MaxContributions {
		took |= OverContributions
	}
	return took
}
