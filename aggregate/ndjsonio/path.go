// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"strings"

	"github.com/throngdp/throng/aggregate/table"
)

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
	takes  takes
}

// takes says what of the values that stand at a node is a column's.
type takes uint8

const (
	takesScalar takes = iota
	takesList         // of which any value is one: what is no array is its only item
	takesNested       // an array or an object, in which the value lies
)

// of is what a column takes of a cell.
func (t takes) of(c cell) cell {
	if t == takesScalar && c.form == nested || t == takesNested && c.form != nested {
		return cell{}
	}
	return c
}

// add makes the column reachable by every way to cut its path. It reports false for a path that has
// too many names.
func (n *node) add(path string, column int) bool {
	names := strings.Split(path, ".")
	if len(names) > maxNames {
		return false
	}
	t := target{column: column}
	p, isList := table.ParsePath(path)
	if isList && p.Key == "" {
		t.takes = takesList
	}
	// A name in a file may itself hold brackets. Of the longest paths only one of two readings has ranks enough.
	if !isList || len(names) < maxNames {
		n.cut(names, &t)
	}
	if isList && p.Key != "" {
		t.takes = takesNested
	}
	if isList {
		n.cut(strings.Split(p.List, "."), &t)
	}
	return true
}

// cut visits the ways in the order of precedence that the package documents, and gives each the rank after the
// one before.
func (n *node) cut(names []string, t *target) {
	for i := 1; i <= len(names); i++ {
		child := n.member(strings.Join(names[:i], "."))
		if i < len(names) {
			child.cut(names[i:], t)
			continue
		}
		child.targets = append(child.targets, *t)
		t.rank++
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
