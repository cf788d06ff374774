// SPDX-License-Identifier: Apache-2.0

package spill

// entry says where a segment is: 48 bits of place and 32 of length, in ten bytes. A run of 100 million
// rows makes some 400,000 of them.
type entry struct {
	off [3]uint16
	n   [2]uint16
}

const entryBytes = 10

// maxOffset is where the file must end: 256 TiB.
const maxOffset = 1 << 48

func newEntry(off int64, n int) entry {
	return entry{
		off: [3]uint16{uint16(off), uint16(off >> 16), uint16(off >> 32)},
		n:   [2]uint16{uint16(n), uint16(n >> 16)},
	}
}

func (e entry) offset() int64 {
	return int64(e.off[0]) | int64(e.off[1])<<16 | int64(e.off[2])<<32
}

func (e entry) length() int { return int(e.n[0]) | int(e.n[1])<<16 }

// chain lists the segments of a bucket, in order.
type chain struct {
	entries []entry
	bytes   int64 // of plaintext
}

const chainBytes = 32

// add appends an entry. Lists grow by a quarter, where append would double the short ones: the index
// counts against the memory limit that the spilling keeps.
func (c *chain) add(e entry) {
	if n := len(c.entries); n == cap(c.entries) {
		grown := make([]entry, n, n+n/4+8)
		copy(grown, c.entries)
		c.entries = grown
	}
	c.entries = append(c.entries, e)
	c.bytes += int64(e.length())
}
