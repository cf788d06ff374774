// SPDX-License-Identifier: Apache-2.0

package ndjsonio

const (
	// maxMembers is how many names one shape learns, and maxLearned how many all shapes of a parser.
	maxMembers, maxLearned = 256, 4096
	// maxName is the longest name that is learned.
	maxName = 128
)

// shape is what a parser has learned of the objects that stand at one place in the records: their
// names, all different, and which of them follows which. Records that look like those before need no
// search for a name and no set of names to find one that stands twice.
type shape struct {
	// node is where the objects are on the way to columns, nil where no column lies this way.
	node    *node
	members []member
	// first is the member that an object is expected to begin with.
	first int
}

// member is one name of a shape.
type member struct {
	// name is the name as it stands in a file, with its quotes and a colon; length is its length.
	name   string
	length int
	// words are the first 16 bytes of it, and masks have the bits that are its own.
	words, masks [2]uint64
	node         *node
	// next is the member that is expected after this one.
	next int
	// object is the shape of a value that is an object, and elements stands for the elements of one that
	// is an array; nil until there is one.
	object   *shape
	elements *member
}

// seen is which members of a shape an object has had.
type seen [maxMembers / 64]uint64

// add reports whether the member is seen for the first time.
func (s *seen) add(i int) bool {
	word, bit := &s[uint(i)/64%(maxMembers/64)], uint64(1)<<(uint(i)%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// find returns the position of the member of that name, which it learns if it is new; unsure where it
// may not learn any more.
func (p *parser) find(s *shape, name []byte) int {
	for i := range s.members {
		if m := &s.members[i]; m.name[1:m.length-2] == string(name) {
			return i
		}
	}
	if len(name) > maxName {
		return unsure
	}
	if len(s.members) == maxMembers || p.learned == maxLearned {
		p.forget = true
		return unsure
	}
	p.learned++
	m := member{name: `"` + string(name) + `":`}
	m.length = len(m.name)
	for i := range min(m.length, 16) {
		m.words[i/8] |= uint64(m.name[i]) << (i % 8 * 8)
		m.masks[i/8] |= 0xff << (i % 8 * 8)
	}
	if s.node != nil {
		m.node = s.node.members[string(name)]
	}
	s.members = append(s.members, m)
	return len(s.members) - 1
}

// objectShape returns the shape of an object that is the member's value.
func (m *member) objectShape() *shape {
	if m.object == nil {
		m.object = &shape{node: m.node}
	}
	return m.object
}

// element returns what stands for an element of an array that is the member's value. No column lies
// in an array.
func (m *member) element() *member {
	if m.elements == nil {
		m.elements = &member{}
	}
	return m.elements
}
