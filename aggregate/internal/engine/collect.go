// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
)

const (
	// partitionBits is the number of high bits of a group's hash that choose a partition. A partition
	// of a few million groups fits the second-level cache.
	partitionBits = 8
	// collected is how many groups are added up before they go to their partitions: as many as fit
	// the second-level cache beside the people that they come from.
	collected = 1 << 12
	// runWords is the length of the largest piece of a partition.
	runWords = 1 << 12
)

// collector adds up the groups of one table for one goroutine. Groups that many people share meet in
// a small table; what outgrows it is parted by hash, so that the parts can be merged each by itself.
type collector struct {
	floor  int64
	groups *Groups
	parts  [1 << partitionBits][][]uint64 // pieces of entries
}

func newCollector(sums int, floor int64) *collector {
	return &collector{floor: floor, groups: newGroups(sums)}
}

// at returns where to add to a group, until the next call.
func (c *collector) at(k Group) (*Groups, int) {
	if c.groups.Len() >= collected {
		c.part()
	}
	return c.groups, c.groups.at(k)
}

// part moves all groups to their partitions.
func (c *collector) part() {
	g, words := c.groups, c.groups.entryWords()
	for i, k := range g.Keys {
		p := &c.parts[hashGroup(k)>>(64-partitionBits)]
		last := len(*p) - 1
		if last < 0 || len((*p)[last])+words > cap((*p)[last]) {
			// Pieces grow, so that few groups take little and many are not copied.
			*p = append(*p, make([]uint64, 0, min(4*words<<(2*len(*p)), runWords)))
			last++
		}
		(*p)[last] = g.appendEntry((*p)[last], i)
	}
	g.clear()
}

// merge adds up what the closers have collected for one table, which collected chooses; nil where
// they have nothing to collect.
func merge(ctx context.Context, workers int, closers []*closer, collected func(*closer) *collector) (*Groups, error) {
	first := collected(closers[0])
	if first == nil {
		return nil, nil
	}
	var parts [1 << partitionBits]*Groups
	for _, c := range closers {
		collected(c).part()
	}
	err := share(ctx, workers, len(parts), func(_, i int) {
		g := newGroups(first.groups.sums)
		for _, c := range closers {
			own := collected(c)
			for _, piece := range own.parts[i] {
				for entry := range slices.Chunk(piece, g.entryWords()) {
					g.addEntry(entry)
				}
			}
			own.parts[i] = nil
		}
		g.drop(first.floor)
		parts[i] = g
	})
	if err != nil {
		return nil, err
	}
	return concat(first.groups.sums, parts[:]), nil
}

// drop forgets groups of fewer visitors than floor, and the index.
func (g *Groups) drop(floor int64) {
	kept := 0
	for i := range g.Keys {
		if g.Visitors[i] < floor {
			continue
		}
		g.Keys[kept], g.Visitors[kept], g.Events[kept] = g.Keys[i], g.Visitors[i], g.Events[i]
		copy(g.totals[2*kept*g.sums:], g.totals[2*i*g.sums:2*(i+1)*g.sums])
		kept++
	}
	g.Keys, g.Visitors, g.Events = slices.Clone(g.Keys[:kept]), slices.Clone(g.Visitors[:kept]), slices.Clone(g.Events[:kept])
	g.totals, g.index = slices.Clone(g.totals[:2*kept*g.sums]), nil
}

// concat returns the groups of all parts, which have none in common.
func concat(sums int, parts []*Groups) *Groups {
	all := &Groups{sums: sums}
	n := 0
	for _, g := range parts {
		n += g.Len()
	}
	all.Keys, all.Visitors, all.Events = make([]Group, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	all.totals = make([]uint64, 0, 2*n*sums)
	for i, g := range parts {
		all.Keys, all.Visitors = append(all.Keys, g.Keys...), append(all.Visitors, g.Visitors...)
		all.Events, all.totals = append(all.Events, g.Events...), append(all.totals, g.totals...)
		parts[i] = nil
	}
	return all
}
