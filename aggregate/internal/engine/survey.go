// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"math/bits"
	"slices"

	"github.com/throngdp/throng/dp"
)

// Survey counts the people of a table by what contribution bounds would take from them. One person is in one
// cell of each of its parts.
type Survey struct {
	// Groups counts people by how many groups they have, as far as the table's MaxPartitions: by [SurveyCell].
	// Nil where the table has no event-level key.
	Groups []int64
	// Records counts them by how many records they have in the group in which they have most, as far as
	// MaxPerPartition: cell i ends with 2^i. Nil where the table counts no records.
	Records []int64
	// Clamps has, for each sum with narrower ones, how far from the [Anchor] people's values are, as far as the bounds of
	// the spec let them count. Each person is in one row, by how much that comes to in all: see [SurveyRow]. There they
	// share [PersonParts] out between the clamps, the narrowest first: by how much each lets count that no narrower one
	// does.
	Clamps [][][]int64
}

// SurveyCell is the cell of a number from 1. Cell i ends with [SurveyEnd](i): with 1, 2, 3, 4, 6, 8, 12, 16 and so
// on, every power of two and three halves of it.
func SurveyCell(n int64) int {
	if n <= 2 {
		return int(n) - 1
	}
	below := octave(n) - 1 // 2^below < n
	if n <= 3<<(below-1) {
		return 2 * below
	}
	return 2*below + 1
}

// SurveyEnd is the largest number of a cell.
func SurveyEnd(cell int) int64 {
	switch {
	case cell < 2:
		return int64(cell) + 1
	case cell%2 == 0:
		return 3 << (cell/2 - 1)
	}
	return 2 << (cell / 2)
}

// octave is the least i for which 2^i is not below n.
func octave(n int64) int { return bits.Len64(uint64(n - 1)) }

// Survey counts the people of each table that asks for it, once all workers have flushed. It changes nothing, and
// [Engine.Close] follows it.
func (e *Engine) Survey(ctx context.Context, workers int) ([]Survey, error) {
	closers := make([]*closer, max(workers, 1))
	surveys := make([][]Survey, len(closers))
	for i := range closers {
		closers[i] = newCloser(e, nil, nil, nil)
		surveys[i] = e.newSurveys()
	}
	err := share(ctx, workers, len(e.buckets), func(w, n int) error {
		c, b := closers[w], &e.buckets[n]
		spilled := b.spilled
		if spilled {
			if err := c.folder.spillRows(n, b); err != nil {
				return err
			}
			if err := c.folder.restore(n, b); err != nil {
				return err
			}
		}
		c.folder.foldAll(b)
		c.people(b, func(rec []uint64) {
			for t := range e.spec.Tables {
				if e.spec.Tables[t].Survey {
					c.survey(b, rec, t, &surveys[w][t])
				}
			}
		})
		if spilled { // the store still has all of it
			b.clear()
			b.spilled = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := surveys[0]
	for _, more := range surveys[1:] {
		for t := range all {
			addTo(all[t].Groups, more[t].Groups)
			addTo(all[t].Records, more[t].Records)
			for i, c := range all[t].Clamps {
				for row := range c {
					addTo(c[row], more[t].Clamps[i][row])
				}
			}
		}
	}
	return all, nil
}

func addTo(to, from []int64) {
	for i, n := range from {
		to[i] += n
	}
}

func (e *Engine) newSurveys() []Survey {
	all := make([]Survey, len(e.spec.Tables))
	for i := range all {
		t := &e.spec.Tables[i]
		if !t.Survey {
			continue
		}
		if t.Key >= 0 {
			all[i].Groups = make([]int64, SurveyCell(t.Bounds.MaxPartitions)+1)
		}
		if t.recorded() {
			all[i].Records = make([]int64, octave(t.Bounds.MaxPerPartition)+1)
		}
		for _, f := range t.families() {
			all[i].Clamps = append(all[i].Clamps, t.newRows(f))
		}
	}
	return all
}

// survey puts a person into the cells of a table.
func (c *closer) survey(b *bucket, rec []uint64, t int, to *Survey) {
	table, plan := &c.e.spec.Tables[t], &c.e.plans[t]
	if _, ok := c.personCode(table.Persons); !ok {
		return
	}
	own := rec[plan.own : plan.own+plan.inline]
	c.taken.reset(plan, len(table.Sums))
	groups, most := 1, int64(0)
	switch {
	case table.Key >= 0:
		slots := c.slots(b, own, t)
		groups = len(slots) / plan.stride
		for ; plan.recorded && len(slots) > 0; slots = slots[plan.stride:] {
			most = max(most, int64(slots[2]))
			c.taken.add(table, plan, slots[2:plan.stride])
		}
	case plan.recorded:
		if most = int64(own[0]); most > 0 {
			c.taken.add(table, plan, own)
		}
	}
	if groups == 0 || plan.recorded && most == 0 {
		return
	}
	if to.Groups != nil {
		to.Groups[SurveyCell(int64(groups))]++
	}
	if to.Records != nil {
		to.Records[octave(min(most, table.Bounds.MaxPerPartition))]++
	}
	c.taken.survey(plan, to.Clamps)
}

// slots returns a person's groups of a table in ascending priority, with their codes as they are. It may be in
// memory that the next call uses.
func (c *closer) slots(b *bucket, own []uint64, t int) []uint64 {
	plan := &c.e.plans[t]
	if !plan.few {
		off, length := int(own[0]>>32), int(own[0]>>16&0xffff)
		return b.arena[off : off+length*plan.stride]
	}
	c.few = append(c.few[:0], own...)
	slots := unpack(c.few, plan.stride)
	for end := plan.stride; end < len(slots); end += plan.stride {
		for at := end; at > 0 && c.before(slots[at:], slots[at-plan.stride:], t); at -= plan.stride {
			for i := range plan.stride {
				slots[at+i], slots[at-plan.stride+i] = slots[at-plan.stride+i], slots[at+i]
			}
		}
	}
	return slots
}

// before reports whether slot a comes before slot b.
func (c *closer) before(a, b []uint64, t int) bool {
	return a[0] < b[0] || a[0] == b[0] && c.e.spec.CompareKeys(c.e.spec.Tables[t].Key, a[1], b[1]) < 0
}

// Narrow gives a table bounds that are no wider than those of its spec, and another Floor; of each sum that has
// narrower ones it keeps the one of a number, 0 for itself. What [Engine.Close] then returns is what an engine with
// those bounds and clamps would have returned.
func (e *Engine) Narrow(t int, bounds dp.ContributionBounds, floor int64, clamps []int) {
	if &e.closing[0] == &e.spec.Tables[0] {
		// Rows that are folded later still meet the bounds of the spec.
		e.closing = slices.Clone(e.spec.Tables)
	}
	table := &e.closing[t]
	table.Bounds.MaxPartitions = min(table.Bounds.MaxPartitions, bounds.MaxPartitions)
	table.Bounds.MaxPerPartition = min(table.Bounds.MaxPerPartition, bounds.MaxPerPartition)
	table.Floor = floor
	table.left = make([]bool, len(table.Sums))
	for i, f := range e.plans[t].families {
		for s := f.first; s < f.behind; s++ {
			table.left[s] = s != f.first+clamps[i]
		}
	}
}
