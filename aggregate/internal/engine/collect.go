// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"sync"
)

const (
	// partitionBits is the number of high bits of a group's hash that choose a partition. A partition
	// of a few million groups fits the second-level cache.
	partitionBits = 8
	// collected is how many groups a goroutine adds up before they go to their partitions: as many as
	// fit the second-level cache beside the people that they come from.
	collected = 1 << 12
	scattered = 1 << 7
	// runWords is the length of the largest run of entries, and maxRuns how many a goroutine keeps for
	// one partition.
	runWords = 1 << 11
	maxRuns  = 16
)

// total is all groups of one table, parted by hash.
type total struct {
	sums       int
	floor      int64
	collectors []*collector
	parts      [1 << partitionBits]partition
}

type partition struct {
	mu     sync.Mutex
	groups *Groups
}

func newTotal(sums int, floor int64) *total {
	t := &total{sums: sums, floor: floor}
	for i := range t.parts {
		t.parts[i].groups = newGroups(sums)
	}
	return t
}

// collector adds up groups for one goroutine. Groups that many people share meet in a small table; what
// it cannot hold goes to the partitions, many groups at a time.
type collector struct {
	total  *total
	groups *Groups
	added  int                            // how often something was added to groups
	runs   [1 << partitionBits][][]uint64 // of entries
	// room is how many groups are added up here. Where hardly two people share one, that is few: the
	// partitions do it anyway.
	room int
}

// collector returns a new collector, nil for no total.
func (t *total) collector() *collector {
	if t == nil {
		return nil
	}
	c := &collector{total: t, groups: newGroups(t.sums), room: collected}
	t.collectors = append(t.collectors, c)
	return c
}

// at returns where to add to a group, until the next call.
func (c *collector) at(k Group) (*Groups, int) {
	if c.groups.Len() >= c.room {
		few := c.added < 2*c.groups.Len()
		c.part()
		if few && c.room == collected {
			c.room, c.groups = scattered, newGroups(c.total.sums)
		}
	}
	c.added++
	return c.groups, c.groups.at(k)
}

// part moves all groups to the runs of their partitions.
func (c *collector) part() {
	g, words := c.groups, c.groups.entryWords()
	for i, k := range g.Keys {
		p := hashGroup(k) >> (64 - partitionBits)
		runs := c.runs[p]
		last := len(runs) - 1
		if last < 0 || len(runs[last])+words > cap(runs[last]) {
			if len(runs) == maxRuns {
				c.merge(int(p))
				runs = c.runs[p]
			}
			// Runs grow, so that few groups take little and many are not copied.
			runs = append(runs, make([]uint64, 0, min(4*words<<(2*len(runs)), runWords)))
			last = len(runs) - 1
			c.runs[p] = runs
		}
		runs[last] = g.appendEntry(runs[last], i)
	}
	g.clear()
	c.added = 0
}

// merge adds the runs of partition i to it.
func (c *collector) merge(i int) {
	p := &c.total.parts[i]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, run := range c.runs[i] {
		for entry := range slices.Chunk(run, p.groups.entryWords()) {
			p.groups.addEntry(entry)
		}
	}
	c.runs[i] = nil
}

// finish adds up what is left with the collectors and returns all groups; nil for no total.
func (t *total) finish(ctx context.Context, workers int) (*Groups, error) {
	if t == nil {
		return nil, nil
	}
	for _, c := range t.collectors {
		c.part()
	}
	err := share(ctx, workers, len(t.parts), func(_, i int) error {
		for _, c := range t.collectors {
			c.merge(i)
		}
		t.parts[i].groups.drop(t.floor)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t.concat(), nil
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
	if kept < len(g.Keys) {
		g.Keys, g.Visitors, g.Events = slices.Clone(g.Keys[:kept]), slices.Clone(g.Visitors[:kept]), slices.Clone(g.Events[:kept])
		g.totals = slices.Clone(g.totals[:2*kept*g.sums])
	}
	g.index = nil
}

// concat returns the groups of all partitions, which have none in common.
func (t *total) concat() *Groups {
	all := &Groups{sums: t.sums}
	n := 0
	for i := range t.parts {
		n += t.parts[i].groups.Len()
	}
	all.Keys, all.Visitors, all.Events = make([]Group, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	all.totals = make([]uint64, 0, 2*n*t.sums)
	for i := range t.parts {
		g := t.parts[i].groups
		all.Keys, all.Visitors = append(all.Keys, g.Keys...), append(all.Visitors, g.Visitors...)
		all.Events, all.totals = append(all.Events, g.Events...), append(all.totals, g.totals...)
		t.parts[i].groups = nil
	}
	return all
}
