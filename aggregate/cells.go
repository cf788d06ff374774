// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
)

// cells are the groups that a table may publish. There may be millions: a label is kept as its rank among
// the labels of its dimension, and a cell's own text is made where it is needed. Ranks follow the bytes
// of the labels, so that no order of cells depends on anything else.
type cells struct {
	axes  []axis
	ranks []uint32 // of each cell in each dimension, cell by cell
	at    []int    // place among the partials, -1 where nobody is in the cell
}

// axis is the labels of one dimension in the order of their bytes, with their codes.
type axis struct {
	labels []string
	codes  []uint32
}

func (c *cells) len() int { return len(c.at) }

// of returns the ranks of a cell.
func (c *cells) of(i int) []uint32 { return c.ranks[i*len(c.axes):][:len(c.axes)] }

func (c *cells) label(i, dim int) string { return c.axes[dim].labels[c.of(i)[dim]] }

func (c *cells) add(ranks []uint32, at int) {
	c.ranks, c.at = append(c.ranks, ranks...), append(c.at, at)
}

// appendLabels appends the labels of a cell in the given dimensions; those of the others are empty.
func (c *cells) appendLabels(dst []string, i int, dims []int) []string {
	from := len(dst)
	for range c.axes {
		dst = append(dst, "")
	}
	for _, d := range dims {
		dst[from+d] = c.label(i, d)
	}
	return dst
}

// keySeparator cannot stand in a label: labels have no control characters.
const keySeparator = "\x1f"

// appendKey appends the canonical key of a cell's whole in the given dimensions, of the cell itself in
// all of them.
func (c *cells) appendKey(dst []byte, i int, dims []int) []byte {
	for d := range c.axes {
		if d > 0 {
			dst = append(dst, keySeparator...)
		}
		if slices.Contains(dims, d) {
			dst = append(dst, c.label(i, d)...)
		}
	}
	return dst
}

// order returns all cells by their ranks in the given dimensions, of which the first counts most; cells
// that have the same ranks stay in their order.
func (c *cells) order(dims []int) []int {
	order, sorted := make([]int, c.len()), make([]int, c.len())
	for i := range order {
		order[i] = i
	}
	for _, d := range slices.Backward(dims) {
		starts := make([]int, len(c.axes[d].labels)+1)
		for i := range order {
			starts[c.of(i)[d]+1]++
		}
		for r := range starts[1:] {
			starts[r+1] += starts[r]
		}
		for _, i := range order {
			rank := c.of(i)[d]
			sorted[starts[rank]] = i
			starts[rank]++
		}
		order, sorted = sorted, order
	}
	return order
}

// declaredAxis returns the declared labels of a dimension.
func declaredAxis(labels []string, d *scan.Dictionary) axis {
	a := axis{labels: slices.Sorted(slices.Values(labels))}
	for _, label := range a.labels {
		a.codes = append(a.codes, d.Code([]byte(label)))
	}
	return a
}

// foundAxis returns the labels of the given codes, each once.
func foundAxis(codes []uint32, d *scan.Dictionary) axis {
	type labelled struct {
		label string
		code  uint32
	}
	slices.Sort(codes)
	var all []labelled
	for _, code := range slices.Compact(codes) {
		all = append(all, labelled{d.Label(code), code})
	}
	slices.SortFunc(all, func(a, b labelled) int { return strings.Compare(a.label, b.label) })
	var a axis
	for _, l := range all {
		a.labels, a.codes = append(a.labels, l.label), append(a.codes, l.code)
	}
	return a
}

// rankByCode returns the rank of each code, in a table as long as the largest of them.
func (a axis) rankByCode() []uint32 {
	var table []uint32
	if len(a.codes) > 0 {
		table = make([]uint32, slices.Max(a.codes)+1)
	}
	for rank, code := range a.codes {
		table[code] = uint32(rank)
	}
	return table
}

// declaredCells makes a cell for every combination of declared groups.
func (p *publisher) declaredCells() {
	c := &p.cells
	n := 1
	for _, d := range p.t.dims {
		c.axes = append(c.axes, declaredAxis(d.declared, p.s.dictionaries[d]))
		n *= len(d.declared)
	}
	c.ranks, c.at = make([]uint32, 0, n*len(c.axes)), make([]int, 0, n)
	ranks := make([]uint32, len(c.axes))
	for range n {
		c.add(ranks, p.groups.Find(p.group(p.all, ranks)))
		c.advance(ranks, p.all)
	}
}

// advance makes ranks those of the next combination of labels of the given dimensions, the last first.
func (c *cells) advance(ranks []uint32, dims []int) {
	for _, d := range slices.Backward(dims) {
		if ranks[d]++; int(ranks[d]) < len(c.axes[d].labels) {
			return
		}
		ranks[d] = 0
	}
}

// privateCells makes a cell for every group that has enough people to be shown at all. The others are
// never shown, whatever is drawn, so nothing is drawn for them.
func (p *publisher) privateCells() {
	found := cells{axes: make([]axis, len(p.t.dims))}
	for i, n := range p.groups.Visitors {
		if n >= p.c.policy.MinPeople.K {
			found.add(p.codes(p.groups.Keys[i]), i)
		}
	}
	for d, dim := range p.t.dims {
		found.axes[d] = p.axis(&found, d, dim)
		table := found.axes[d].rankByCode()
		for i := range found.len() {
			found.of(i)[d] = table[found.of(i)[d]]
		}
	}
	p.cells = cells{axes: found.axes, ranks: make([]uint32, 0, len(found.ranks)), at: make([]int, 0, len(found.at))}
	for _, i := range found.order(p.all) {
		p.cells.add(found.of(i), found.at[i])
	}
}

// axis returns the labels of a dimension of a table with private groups, whose cells hold codes.
func (p *publisher) axis(found *cells, d int, dim *dimension) axis {
	if dim.declared != nil {
		return declaredAxis(dim.declared, p.s.dictionaries[dim])
	}
	codes := make([]uint32, found.len())
	for i := range codes {
		codes[i] = found.of(i)[d]
	}
	return foundAxis(codes, p.s.dictionaries[dim])
}

// codes returns the codes of a group in each dimension.
func (p *publisher) codes(g engine.Group) []uint32 {
	codes := make([]uint32, len(p.t.dims))
	for i, code := range p.s.pairs.Unfold(g.Event, len(p.st.events)) {
		codes[p.st.events[i]] = code
	}
	for i, code := range p.s.engine.PersonPairs().Unfold(g.Person, len(p.st.persons)) {
		codes[p.st.persons[i]] = code
	}
	return codes
}

// group returns the group that has the given ranks in the given dimensions.
func (p *publisher) group(dims []int, ranks []uint32) engine.Group {
	return p.fold(dims, func(d int) uint32 { return p.cells.axes[d].codes[ranks[d]] })
}

// coarser returns the group in the given dimensions that a group is in.
func (p *publisher) coarser(g engine.Group, dims []int) engine.Group {
	codes := p.codes(g)
	return p.fold(dims, func(d int) uint32 { return codes[d] })
}

func (p *publisher) fold(dims []int, code func(dim int) uint32) engine.Group {
	events, persons := make([]uint32, 0, 8), make([]uint32, 0, 8) // on the stack, where they are enough
	for _, d := range dims {
		if p.t.dims[d].person() {
			persons = append(persons, code(d))
		} else {
			events = append(events, code(d))
		}
	}
	return engine.Group{Event: p.s.pairs.Fold(events...), Person: p.s.engine.PersonPairs().Fold(persons...)}
}
