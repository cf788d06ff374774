// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

// inGroups are the records of one person, so many in each group, of value 10.
func inGroups(records ...int) (all []record) {
	for g, n := range records {
		for range n {
			all = append(all, plainRecord(7, 8, uint64(g), 1, 10))
		}
	}
	return all
}

// TestATotalIsSharedByGroups: each group keeps the person, and its share of the records.
func TestATotalIsSharedByGroups(t *testing.T) {
	for _, c := range []struct {
		partitions, each, all int64
		records               []int
		want                  []int64 // nil: any that are all of them together, one or more in each
		over                  int
	}{
		{3, 50, 60, []int{20, 20, 20}, []int64{20, 20, 20}, 0},
		{3, 50, 59, []int{20, 20, 20}, nil, engine.OverContributions},
		{3, 50, 33, []int{41, 41, 1}, []int64{16, 16, 1}, engine.OverContributions},
		{3, 50, 62, []int{900, 11, 1}, []int64{50, 11, 1}, engine.OverPerPartition},
		{3, 41, 45, []int{900, 21, 1}, nil, engine.OverContributions | engine.OverPerPartition},
		{3, 41, 33, []int{900, 21, 1}, []int64{21, 11, 1}, engine.OverContributions | engine.OverPerPartition},
		{3, 3, 3, []int{2, 2, 1}, []int64{1, 1, 1}, engine.OverContributions},
		{3, 3, 3, []int{1, 1, 1}, []int64{1, 1, 1}, 0},
		{3, 3, 3, []int{1, 1, 1, 1}, nil, engine.OverContributions | engine.OverPartitions},
		{2, 9, 12, []int{1, 1, 1}, nil, engine.OverPartitions},
		{2, 20, 20, []int{21}, []int64{20}, engine.OverContributions | engine.OverPerPartition},
	} {
		at := fmt.Sprint(c.records, " within ", c.all)
		spec := plainSpec(c.partitions, c.each)
		spec.Tables[0].Bounds.MaxContributions = c.all
		got := aggregate(spec, inGroups(c.records...), run{chunk: 7, workers: 1})
		require.Equal(t, twin(spec, inGroups(c.records...)), got, at)
		require.Len(t, got.tables[0], min(len(c.records), int(c.partitions)), at)
		var all int64
		for g := range c.records {
			cell := got.tables[0][groupName(uint64(g), []uint32{1})]
			if c.want != nil {
				assert.Equal(t, c.want[g], cell.events, at)
			}
			all += cell.events
		}
		assert.LessOrEqual(t, all, c.all, at)
		if c.over&engine.OverContributions != 0 {
			assert.Equal(t, c.all, all, "%s: nothing is left over", at)
		}
		want := [engine.Overs]int64{}
		want[c.over] = 1
		assert.Equal(t, want, got.bounded[0], at)
	}
}

// TestATotalDoesNotDependOnTheOrder of records, of which groups come first, and whether they stand in the person's record
// or in a list.
func TestATotalDoesNotDependOnTheOrder(t *testing.T) {
	for _, partitions := range []int64{4, 9} {
		for seed := range uint64(15) {
			r := generator(nil, 5_000_000+seed)
			spec := plainSpec(partitions, 30)
			spec.Seed[0] = seed
			spec.Tables[0].Bounds.MaxContributions = 30 + r.Int64N(30)
			records := inGroups(1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(5))
			want := twin(spec, records)
			for range 5 {
				r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
				require.Equal(t, want, aggregate(spec, records, run{chunk: 1 + r.IntN(50), workers: 1 + r.IntN(3)}))
			}
		}
	}
}
