// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

func TestSurveyCellsFollowEachOther(t *testing.T) {
	var ends []int64
	for cell := range 11 {
		ends = append(ends, engine.SurveyEnd(cell))
	}
	assert.Equal(t, []int64{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48}, ends)
	for cell := range 64 {
		end := engine.SurveyEnd(cell)
		assert.Equal(t, cell, engine.SurveyCell(end))
		assert.Equal(t, cell+1, engine.SurveyCell(end+1))
	}
}

func octave(n int64) (cell int) {
	for int64(1)<<cell < n {
		cell++
	}
	return cell
}

// twinSurvey counts the plain way.
func twinSurvey(spec *engine.Spec, t *engine.Table, records []record) engine.Survey {
	var s engine.Survey
	if t.Key >= 0 {
		s.Groups = make([]int64, engine.SurveyCell(t.Bounds.MaxPartitions)+1)
	}
	recorded := t.Events || len(t.Sums) > 0 || len(t.Spreads) > 0
	if recorded {
		s.Records = make([]int64, octave(t.Bounds.MaxPerPartition)+1)
	}
	for _, f := range families(t) {
		wide := t.Sums[f[0]]
		most := max(wide.Clamp.Upper-max(wide.Clamp.Lower, 0), min(wide.Clamp.Upper, 0)-wide.Clamp.Lower) * t.Bounds.MaxPartitions
		if !wide.Total {
			most *= t.Bounds.MaxPerPartition
		}
		rows := [][]int64{make([]int64, len(f))}
		for end := int64(1); end < most; end *= 4 {
			rows = append(rows, make([]int64, len(f)))
		}
		s.Clamps = append(s.Clamps, rows)
	}
	people := map[[2]uint64][]record{}
	for _, r := range append(pick(records, false), pick(records, true)...) {
		if id := [2]uint64{r.hi, r.lo}; !r.join || people[id] != nil {
			people[id] = append(people[id], r)
		}
	}
people:
	for _, rows := range people {
		var flags uint32
		for _, r := range rows {
			flags |= r.flags
		}
		if need := spec.Required | engine.Event; flags&engine.Excluded != 0 || flags&need != need {
			continue
		}
		labels := twinLabels(spec, rows)
		for _, a := range t.Persons {
			if f := spec.Attributes[a].Dropped; f != nil && f(labels[a]) {
				continue people
			}
		}
		kept, _ := twinKept(spec, t, rows)
		if len(kept) == 0 {
			continue
		}
		if s.Groups != nil {
			s.Groups[engine.SurveyCell(int64(len(kept)))]++
		}
		if recorded {
			var most int64
			for _, g := range kept {
				most = max(most, g.records)
			}
			s.Records[octave(min(most, t.Bounds.MaxPerPartition))]++
		}
		twinClamps(t, kept, s.Clamps)
	}
	return s
}

// families are the sums of a table that have narrower ones, with these.
func families(t *engine.Table) (all [][]int) {
	for i, s := range t.Sums {
		if last := len(all) - 1; s.Narrower {
			all[last] = append(all[last], i)
		} else {
			all = append(all, []int{i})
		}
	}
	return slices.DeleteFunc(all, func(f []int) bool { return len(f) == 1 })
}

// twinClamps shares out what the groups of one person come to under each clamp.
func twinClamps(t *engine.Table, kept []*twinGroup, to [][][]int64) {
	for i, f := range families(t) {
		wide, anchor := t.Sums[f[0]].Clamp, int64(0)
		if wide.Lower > 0 || wide.Upper < 0 {
			anchor = min(max(0, wide.Lower), wide.Upper)
		}
		beyond := make([]*big.Rat, len(f))
		all := new(big.Rat)
		for k := range beyond {
			beyond[k] = new(big.Rat)
		}
		for _, g := range kept {
			e, next := min(g.records, t.Bounds.MaxPerPartition), new(big.Int)
			if t.Sums[f[0]].Total {
				e = 1
			}
			for k := len(f) - 1; k >= 0; k-- {
				s := t.Sums[f[k]]
				here := new(big.Int).Quo(new(big.Int).Mul(g.sums[f[k]], big.NewInt(e)), big.NewInt(g.records))
				if s.Total {
					here = clampBig(g.sums[f[k]], s.Clamp.Lower, s.Clamp.Upper)
				}
				here = new(big.Int).Add(here, big.NewInt(e*(s.Centre-anchor)))
				part := new(big.Rat).SetInt(new(big.Int).Abs(new(big.Int).Sub(here, next)))
				beyond[k].Add(beyond[k], part)
				all.Add(all, part)
				next = here
			}
		}
		row := 0
		for end := big.NewRat(1, 1); all.Cmp(end) > 0 && row < len(to[i])-1; end.Mul(end, big.NewRat(4, 1)) {
			row++
		}
		seen, given := new(big.Rat), int64(0)
		for k := range f {
			seen.Add(seen, beyond[len(f)-1-k])
			until := int64(engine.PersonParts)
			if all.Sign() > 0 {
				q := new(big.Rat).Quo(new(big.Rat).Mul(seen, big.NewRat(engine.PersonParts, 1)), all)
				until = new(big.Int).Quo(q.Num(), q.Denom()).Int64()
			}
			to[i][row][k] += until - given
			given = until
		}
	}
}

// surveyed has an engine with wide bounds survey and then keep to those of spec, and to one clamp of those that each
// sum can have. It returns what an engine with these clamps alone should come to, too.
func surveyed(t *testing.T, r *rand.Rand, spec *engine.Spec, records []record, how run) (got, want outcome) {
	wide := *spec
	wide.Tables = slices.Clone(spec.Tables)
	for i := range wide.Tables {
		table := &wide.Tables[i]
		if table.Survey = table.Bounds.MaxContributions == 0 && r.IntN(3) > 0; !table.Survey {
			continue
		}
		if table.Key >= 0 {
			table.Bounds.MaxPartitions += r.Int64N(30)
		}
		table.Bounds.MaxPerPartition += r.Int64N(100)
		table.Floor = 1000
	}
	keyed := wide
	keyed.HashKeys = hashesOf(spec, records)
	keyed.Tables = slices.Clone(wide.Tables)
	e := engine.New(keyed)
	if how.room > 0 {
		e.Gather(how.room, how.gather)
	}
	e.SpillBeyond(how.limit, t.TempDir())
	for _, join := range []bool{false, true} {
		feed(e, spec, pick(records, join), join, how)
	}
	surveys, err := e.Survey(t.Context(), how.workers)
	require.NoError(t, err)
	narrow := *spec
	narrow.Tables = slices.Clone(spec.Tables)
	for i := range wide.Tables {
		table := &narrow.Tables[i]
		if !wide.Tables[i].Survey {
			require.Equal(t, engine.Survey{}, surveys[i])
			continue
		}
		require.Equal(t, twinSurvey(&wide, &wide.Tables[i], records), surveys[i])
		table.Sums = slices.Clone(table.Sums)
		var clamps, left []int
		for _, f := range families(table) {
			clamps = append(clamps, r.IntN(len(f)))
			left = append(left, slices.DeleteFunc(f, func(s int) bool { return s == f[0]+clamps[len(clamps)-1] })...)
		}
		for _, s := range slices.Backward(left) {
			table.Sums = slices.Delete(table.Sums, s, s+1)
		}
		for s := range table.Sums {
			table.Sums[s].Narrower = false
		}
		e.Narrow(i, table.Bounds, table.Floor, clamps)
	}
	return read(e, &narrow, how), twin(&narrow, records)
}

func TestSurveyAndNarrowedBoundsEqualTheirNaiveTwins(t *testing.T) {
	for seed := range worlds(400) {
		r := generator(nil, 3_000_000+seed)
		spec := randomSpec(r)
		w := newWorld(r, spec, 1+r.IntN(40))
		records := append(w.records(r.IntN(800)), w.adversary()...)
		how := run{chunk: 1 + r.IntN(300), workers: 1 + r.IntN(3), room: 1 + r.IntN(20), gather: 1 + r.IntN(40)}
		if r.IntN(2) == 0 {
			how.limit = 1 + r.Int64N(1<<20)
		}
		got, want := surveyed(t, r, spec, records, how)
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// TestAPersonIsInOneCellOfASurvey: whoever leaves takes one from one cell of each part.
func TestAPersonIsInOneCellOfASurvey(t *testing.T) {
	for seed := range uint64(100) {
		r := generator(nil, 4_000_000+seed)
		spec := randomSpec(r)
		w := newWorld(r, spec, 2+r.IntN(20))
		records := w.records(r.IntN(400))
		people := map[[2]uint64]bool{}
		for _, rec := range records {
			people[[2]uint64{rec.hi, rec.lo}] = true
		}
		for id := range maps.Keys(people) {
			without := slices.DeleteFunc(slices.Clone(records), func(rec record) bool { return [2]uint64{rec.hi, rec.lo} == id })
			for i := range spec.Tables {
				a, b := twinSurvey(spec, &spec.Tables[i], records), twinSurvey(spec, &spec.Tables[i], without)
				require.LessOrEqual(t, distance(a.Groups, b.Groups), int64(1))
				require.LessOrEqual(t, distance(a.Records, b.Records), int64(1))
				for n := range a.Clamps {
					require.LessOrEqual(t, distance(slices.Concat(a.Clamps[n]...), slices.Concat(b.Clamps[n]...)), int64(engine.PersonParts))
				}
			}
			break
		}
	}
}

func distance(a, b []int64) (d int64) {
	for i := range a {
		d += max(a[i]-b[i], b[i]-a[i])
	}
	return d
}
