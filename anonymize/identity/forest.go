// SPDX-License-Identifier: Apache-2.0

package identity

import "slices"

const (
	// maxNodes bounds what a forest can number.
	maxNodes = 1 << 31
	// isRoot marks a root in a forest; the other bits are then its tree's size, and otherwise its parent.
	isRoot = 1 << 31
)

// forest is a union-find structure by size with path halving: four bytes for each id.
type forest []uint32

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = isRoot | 1
	}
	return f
}

// find returns the root of a node.
func (f forest) find(i uint32) uint32 {
	for {
		p := f[i]
		if p&isRoot != 0 {
			return i
		}
		above := f[p]
		if above&isRoot != 0 {
			return p
		}
		f[i], i = above, above
	}
}

// size returns how many nodes the tree of a root has.
func (f forest) size(root uint32) uint32 { return f[root] &^ isRoot }

// join makes two trees one.
func (f forest) join(a, b uint32) { f.joinWithin(a, b, maxNodes-1) }

// joinWithin makes two trees one if that has at most limit nodes, and reports whether the two nodes now are
// in one tree.
func (f forest) joinWithin(a, b, limit uint32) bool {
	a, b = f.find(a), f.find(b)
	if a == b {
		return true
	}
	size := f.size(a) + f.size(b)
	if size > limit {
		return false
	}
	if f.size(a) < f.size(b) {
		a, b = b, a
	}
	f[a], f[b] = isRoot|size, a
	return true
}

// first turns the forest into the list of the smallest token of each node's tree. The forest is used up.
func (f forest) first(tokens *chunks[Token]) []uint32 {
	least := make([]uint32, len(f)) // of a root's tree, plus one
	for i := range f {
		n := uint32(i)
		root := f.find(n)
		if l := least[root]; l == 0 || tokens.at(i).compare(*tokens.at(int(l - 1))) < 0 {
			least[root] = n + 1
		}
	}
	// Below a root stand nodes that lead to it directly or not: all must have been asked before one is changed.
	for i := range f {
		if root := f.find(uint32(i)); root != uint32(i) {
			f[i] = root
		}
	}
	for i, p := range f {
		if p&isRoot == 0 {
			f[i] = least[p] - 1
		}
	}
	for i, l := range least {
		if l != 0 { // it is a root
			f[i] = l - 1
		}
	}
	return f
}

// cut takes apart the trees that have more nodes than the cap. Their links are put in the order of their
// tokens, and each makes two parts one where the cap allows it: what becomes of a component depends on its
// own links alone, and not on the order in which they came.
func (l *Linker) cut(f forest) Cut {
	var cut Cut
	over := func(i uint32) bool { return f.size(f.find(i)) > l.maxIDs }
	var members []uint32
	for i := range f {
		if n := uint32(i); over(n) {
			members = append(members, n)
			if f.find(n) == n {
				cut.Components++
			}
		}
	}
	if len(members) == 0 {
		return cut
	}
	ranks := l.rank(members)
	var links []uint64 // as a pair of ranks, the smaller one first
	for i := range l.links.n {
		e := l.links.at(i)
		if over(e.a) {
			a, b := uint64(ranks[e.a]), uint64(ranks[e.b])
			links = append(links, min(a, b)<<32|max(a, b))
		}
	}
	slices.Sort(links)
	for _, n := range members {
		f[n] = isRoot | 1
	}
	links = slices.Compact(links)
	for _, pair := range links {
		f.joinWithin(members[pair>>32], members[uint32(pair)], l.maxIDs)
	}
	for _, pair := range links {
		if f.find(members[pair>>32]) != f.find(members[uint32(pair)]) {
			cut.Lost++
		}
	}
	return cut
}

// rank sorts nodes by their tokens, and returns the place of each one in that order, by node.
func (l *Linker) rank(nodes []uint32) []uint32 {
	type entry struct {
		token Token
		node  uint32
	}
	entries := make([]entry, len(nodes))
	for i, n := range nodes {
		entries[i] = entry{*l.ids.tokens.at(int(n)), n}
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.token.compare(b.token) })
	ranks := make([]uint32, l.ids.len())
	for i, e := range entries {
		nodes[i], ranks[e.node] = e.node, uint32(i)
	}
	return ranks
}
