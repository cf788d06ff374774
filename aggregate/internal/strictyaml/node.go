// SPDX-License-Identifier: Apache-2.0

package strictyaml

// Kind is what a Node is.
type Kind uint8

// The kinds of node. Null is a value that was left out, or written as null or ~.
const (
	Null Kind = iota
	Scalar
	Sequence
	Mapping
)

// String returns the kind in words for a person: "a list", not "sequence".
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "a single value"
	case Sequence:
		return "a list"
	case Mapping:
		return "a mapping"
	default:
		return "nothing"
	}
}

// Node is one value of a file. Line and Column count from 1, Column in characters.
type Node struct {
	Kind         Kind
	Line, Column int
	// Text is a scalar's text without quotes and escapes. Numbers and booleans stay as they are spelled.
	Text string
	// Quoted is true where the scalar was written in quotes or as a block.
	Quoted bool
	// Source is the name of another file that the node comes from; empty for the file itself.
	Source string
	// Entries are those of a mapping, Items those of a sequence, both in the order of the file.
	Entries []Entry
	Items   []*Node
}

// Entry is one key of a mapping and its value, which is never nil.
type Entry struct {
	Key          string
	Line, Column int
	// Source is as that of a Node.
	Source string
	Value  *Node
}

// Get returns the value of a key, nil where n is nil, no mapping or has no such key.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// Fault is one thing that is wrong with a file. Got, Want and Fix are phrases for a text of the shape
// "path: got X, want Y; fix"; they are short and hold no line break.
type Fault struct {
	// Line and Column say where, 0 where the fault is the whole file's.
	Line, Column int
	// Source is the name of another file that the fault is in; empty for the file itself.
	Source string
	// Path is the dotted path such as columns.gender.values, empty where it is not known.
	Path           string
	Got, Want, Fix string
}

// maxQuote is how many characters of the file a fault quotes at most.
const maxQuote = 40
