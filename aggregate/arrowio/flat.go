// SPDX-License-Identifier: Apache-2.0

package arrowio

import "encoding/binary"

// flat is a table of a FlatBuffers message. The generated code that usually reads these trusts every
// offset: a forged message makes it recurse without end or allocate for a vector that is not there.
// Here each access is checked, vectors lie within the message, and the work is counted.
type flat struct {
	m   *flatMessage
	pos int
}

// flatMessage is the bytes of a message and the first fault found in them.
type flatMessage struct {
	buf  []byte
	work int
	bad  bool
}

// root returns the outermost table.
func (m *flatMessage) root() flat { return m.table(0) }

// fail notes that the message cannot be believed; what is read afterwards is zero.
func (m *flatMessage) fail() { m.bad = true }

// err reports whether anything that was read was not there.
func (m *flatMessage) err() error {
	if m.bad {
		return malformed("the metadata of a message is broken")
	}
	return nil
}

// at returns n bytes at pos, or nil.
func (m *flatMessage) at(pos, n int) []byte {
	if m.bad || pos < 0 || n < 0 || pos > len(m.buf) || n > len(m.buf)-pos {
		m.fail()
		return nil
	}
	return m.buf[pos : pos+n]
}

func (m *flatMessage) uint16(pos int) int {
	if b := m.at(pos, 2); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (m *flatMessage) uint32(pos int) int {
	if b := m.at(pos, 4); b != nil {
		return int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (m *flatMessage) int64(pos int) int64 {
	if b := m.at(pos, 8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// table follows the offset at pos. An honest message holds a table at most once, and a table takes
// four bytes at least, so more visits than that mean tables that share their parts.
func (m *flatMessage) table(pos int) flat {
	if m.work++; m.work > len(m.buf)/4+1 {
		m.fail()
	}
	return flat{m: m, pos: pos + m.uint32(pos)}
}

// slot returns the position of a field, and 0 where the table does not have it.
func (t flat) slot(field int) int {
	vtable := t.pos - int(int32(t.m.uint32(t.pos)))
	if entry := 4 + 2*field; entry+2 <= t.m.uint16(vtable) {
		if offset := t.m.uint16(vtable + entry); offset != 0 {
			return t.pos + offset
		}
	}
	return 0
}

func (t flat) byte(field int) byte {
	if pos := t.slot(field); pos != 0 {
		if b := t.m.at(pos, 1); b != nil {
			return b[0]
		}
	}
	return 0
}

func (t flat) int16(field int) int16 {
	if pos := t.slot(field); pos != 0 {
		return int16(t.m.uint16(pos))
	}
	return 0
}

// int32 returns a field, or otherwise where the table does not have it.
func (t flat) int32(field int, otherwise int32) int32 {
	if pos := t.slot(field); pos != 0 {
		return int32(t.m.uint32(pos))
	}
	return otherwise
}

func (t flat) int64(field int) int64 {
	if pos := t.slot(field); pos != 0 {
		return t.m.int64(pos)
	}
	return 0
}

// table returns a field that is a table.
func (t flat) table(field int) (flat, bool) {
	if pos := t.slot(field); pos != 0 {
		return t.m.table(pos), true
	}
	return flat{m: t.m}, false
}

// vector returns where the elements of a field begin and how many there are of size bytes each.
func (t flat) vector(field, size int) (start, n int) {
	pos := t.slot(field)
	if pos == 0 {
		return 0, 0
	}
	pos += t.m.uint32(pos)
	n = t.m.uint32(pos)
	if t.m.at(pos+4, n*size) == nil {
		return 0, 0
	}
	return pos + 4, n
}

// text returns a string field. Its length is charged as work: many fields may name one long string.
func (t flat) text(field int) string {
	start, n := t.vector(field, 1)
	t.m.work += n / 4
	return string(t.m.at(start, n))
}
