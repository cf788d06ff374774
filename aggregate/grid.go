// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
)

// The most cells that a grid cuts its range into (with the open ends, no more labels than bands can have), and the
// farthest that a number of a grid is from 0.
const (
	maxGridCells  = 999
	maxGridNumber = 1 << 53
)

// Edges returns the edges by which a dimension's numbers are cut: Bands, or those of the grid that Step, Origin and
// Range describe. It is nil where there are none, and where the grid cannot be used.
func (c Column) Edges() []int64 {
	if c.Step == 0 {
		return c.Bands
	}
	first, cells, ok := c.grid()
	if !ok || cells > maxGridCells {
		return nil
	}
	edges := make([]int64, cells+1)
	for i := range edges {
		edges[i] = first + int64(i)*c.Step
	}
	return edges
}

// grid returns the first edge of the grid and the number of its cells that hold numbers of the range.
func (c Column) grid() (first, cells int64, ok bool) {
	if len(c.Range) != 2 || c.Step < 1 || c.Step > maxGridNumber || c.Range[0] >= c.Range[1] || !isGridNumber(c.Origin) ||
		!isGridNumber(c.Range[0]) || !isGridNumber(c.Range[1]) {
		return 0, 0, false
	}
	lower := c.Range[0] - c.Origin
	below := lower % c.Step
	if below < 0 {
		below += c.Step
	}
	first = c.Range[0] - below
	return first, (c.Range[1] - first + c.Step - 1) / c.Step, true
}

func isGridNumber(n int64) bool { return n >= -maxGridNumber && n <= maxGridNumber }

// validateGrid reports the faults of step, origin and range, and whether there are none.
func (c Column) validateGrid(f *faults, path string) bool {
	before := len(f.list)
	if c.Step == 0 {
		if c.Range != nil {
			f.add(path+".range", "a range without a step", "both or neither", "write step: 10, or remove it")
		}
		if c.Origin != 0 {
			f.add(path+".origin", "an origin without a step", "both or neither", "write step: 10, or remove it")
		}
		return len(f.list) == before
	}
	if c.Bands != nil {
		f.add(path+".step", "both bands and a step", "one of them", "remove one")
	}
	if c.Step < 1 || c.Step > maxGridNumber {
		f.add(path+".step", fmt.Sprint(c.Step), "a whole number of 1 to 2^53", "write how wide a cell is")
	}
	if !isGridNumber(c.Origin) {
		f.add(path+".origin", fmt.Sprint(c.Origin), "a whole number within 2^53 of 0", "write the lower end of one cell")
	}
	switch _, cells, ok := c.grid(); {
	case len(c.Range) != 2:
		f.add(path+".range", fmt.Sprintf("%d numbers", len(c.Range)), "two, [lower, upper], for a step", "write where the cells begin and end")
	case c.Range[0] >= c.Range[1] || !isGridNumber(c.Range[0]) || !isGridNumber(c.Range[1]):
		f.add(path+".range", fmt.Sprintf("[%d, %d]", c.Range[0], c.Range[1]), "a lower end below the upper, both within 2^53 of 0", "correct it")
	case ok && cells > maxGridCells:
		f.add(path+".step", fmt.Sprintf("%d, which makes %d cells", c.Step, cells), fmt.Sprintf("at most %d cells in the range", maxGridCells), "take a wider step")
	}
	return len(f.list) == before
}
