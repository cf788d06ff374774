// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
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
	}
	return s
}

// surveyed has an engine with wide bounds survey and then keep to those of spec.
func surveyed(t *testing.T, r *rand.Rand, spec *engine.Spec, records []record, how run) outcome {
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
	got, err := e.Survey(t.Context(), how.workers)
	require.NoError(t, err)
	for i := range wide.Tables {
		if !wide.Tables[i].Survey {
			require.Equal(t, engine.Survey{}, got[i])
			continue
		}
		require.Equal(t, twinSurvey(&wide, &wide.Tables[i], records), got[i])
		e.Narrow(i, spec.Tables[i].Bounds, spec.Tables[i].Floor)
	}
	return read(e, spec, how)
}

func TestSurveyAndNarrowedBoundsEqualTheirNaiveTwins(t *testing.T) {
	for seed := range uint64(400) {
		r := generator(nil, 3_000_000+seed)
		spec := randomSpec(r)
		w := newWorld(r, spec, 1+r.IntN(40))
		records := append(w.records(r.IntN(800)), w.adversary()...)
		how := run{chunk: 1 + r.IntN(300), workers: 1 + r.IntN(3), room: 1 + r.IntN(20), gather: 1 + r.IntN(40)}
		if r.IntN(2) == 0 {
			how.limit = 1 + r.Int64N(1<<20)
		}
		require.Equal(t, twin(spec, records), surveyed(t, r, spec, records, how), "seed %d", seed)
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
