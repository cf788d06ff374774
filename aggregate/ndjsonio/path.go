// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import "strings"

// maxNames bounds the names in a path: n names can be cut in 2^(n-1) ways.
const maxNames = 8

// node is a place in a record that leads to a column: the columns that end here, and the names that
// lead on. It never changes once compiled.
type node struct {
	targets []target
	members map[string]*node
}

// target says that a node is the end of a column. One column has a target for each way to cut its
// path, and the one of the least rank that a record has is its value.
type target struct {
	column int
	rank   uint8
}

// add makes the column reachable by every way to cut its path. It reports false for a path that has
// too many names.
func (n *node) add(path string, column int) bool {
	names := strings.Split(path, ".")
	if len(names) > maxNames {
		return false
	}
	rank := uint8(0)
	n.cut(names, column, &rank)
	return true
}

// cut visits the ways in the order of precedence that the package documents.
func (n *node) cut(names []string, column int, rank *uint8) {
	for i := 1; i <= len(names); i++ {
		child := n.member(strings.Join(names[:i], "."))
		if i < len(names) {
			child.cut(names[i:], column, rank)
			continue
		}
		child.targets = append(child.targets, target{column: column, rank: *rank})
		*rank++
	}
}

func (n *node) member(name string) *node {
	child := n.members[name]
	if child == nil {
		child = &node{}
		if n.members == nil {
			n.members = make(map[string]*node)
		}
		n.members[name] = child
	}
	return child
}
