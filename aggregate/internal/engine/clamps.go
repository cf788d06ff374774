// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/bits"
	"slices"

	"github.com/throngdp/throng/dp"
)

// PersonParts is what one person shares out between the clamps of a sum in a survey.
const PersonParts = 1000

// Anchor is the value of a clamp that is nearest to 0.
func Anchor(c dp.Clamp) int64 { return min(max(0, c.Lower), c.Upper) }

// Reach is how far the values of a clamp are from its [Anchor] at most.
func Reach(c dp.Clamp) int64 { return max(c.Upper-Anchor(c), Anchor(c)-c.Lower) }

// family is a sum with the narrower ones behind it.
type family struct{ first, behind int }

// families are the sums of a table that have narrower ones.
func (t *Table) families() (all []family) {
	for s := range t.Sums {
		switch {
		case !t.Sums[s].Narrower:
		case !t.Sums[s-1].Narrower:
			all = append(all, family{s - 1, s + 1})
		default:
			all[len(all)-1].behind++
		}
	}
	return all
}

// SurveyRow is the row of a person of whose values an amount counts: row i ends with 4^i.
func SurveyRow(amount int64) int { return (bits.Len64(uint64(max(amount-1, 0))) + 1) / 2 }

// newRows has a row for every amount that one person can come to, with a cell for each clamp.
func (t *Table) newRows(f family) [][]int64 {
	most := Reach(t.Sums[f.first].Clamp) * t.Bounds.MaxPartitions
	if !t.Sums[f.first].Total {
		most *= t.Bounds.MaxPerPartition
	}
	rows := make([][]int64, SurveyRow(most)+1)
	for i := range rows {
		rows[i] = make([]int64, f.behind-f.first)
	}
	return rows
}

// taken is what clamps take from one person. All of it depends on the person's records alone, in whatever order they
// came: where values on either side of the anchor cancel in a group, clamps take from what is left.
type taken struct {
	// beyond is what each sum has that the next narrower one has not.
	beyond, far []int64
}

// reset begins with a person.
func (k *taken) reset(p *plan, sums int) {
	if len(p.families) > 0 {
		k.beyond, k.far = zeros(k.beyond, sums), zeros(k.far, sums)
	}
}

func zeros(s []int64, n int) []int64 {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// add adds the accumulators of one of the person's groups. No number here leaves an int64: what a person adds to all
// groups of a sum is below 2^51, which calibration sees to, and values are at most twice as far from the anchor.
func (k *taken) add(t *Table, p *plan, acc []uint64) {
	if len(p.families) == 0 {
		return
	}
	n := int64(acc[0])
	e := min(n, t.Bounds.MaxPerPartition)
	acc = acc[1:]
	var words [2]uint64
	for s := range t.Sums {
		words, acc = t.Sums[s].read(acc, words)
		k.far[s] = t.Sums[s].bounded(words[0], words[1], e, n)
	}
	for _, f := range p.families {
		anchor, values := Anchor(t.Sums[f.first].Clamp), e
		if t.Sums[f.first].Total {
			values = 1
		}
		next := int64(0)
		for s := f.behind - 1; s >= f.first; s-- {
			here := k.far[s] + values*(t.Sums[s].Centre-anchor)
			k.beyond[s] += max(here-next, next-here)
			next = here
		}
	}
}

// survey shares the person out.
func (k *taken) survey(p *plan, to [][][]int64) {
	for i, f := range p.families {
		var all, seen, given int64
		for _, n := range k.beyond[f.first:f.behind] {
			all += n
		}
		row := to[i][min(SurveyRow(all), len(to[i])-1)]
		for cell := range row {
			seen += k.beyond[f.behind-1-cell]
			until := partsOf(seen, all)
			row[cell] += until - given
			given = until
		}
	}
}

// partsOf returns how many of a person's parts some is of all, rounded down. Of nothing it is all of them: the narrowest
// clamp takes nothing.
func partsOf(some, all int64) int64 {
	if all == 0 {
		return PersonParts
	}
	hi, lo := bits.Mul64(uint64(some), PersonParts)
	parts, _ := bits.Div64(hi, lo, uint64(all))
	return int64(parts)
}
