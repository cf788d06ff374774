// SPDX-License-Identifier: Apache-2.0

package identity

import "math/bits"

// chunkLen is how many elements grow together: a list of many millions is never copied to make it longer.
const chunkLen = 1 << 16

// chunks is a list that grows without moving.
type chunks[T any] struct {
	parts []*[chunkLen]T
	n     int
}

func (c *chunks[T]) add(v T) {
	if c.n%chunkLen == 0 {
		c.parts = append(c.parts, new([chunkLen]T))
	}
	c.parts[c.n/chunkLen][c.n%chunkLen] = v
	c.n++
}

func (c *chunks[T]) at(i int) *T { return &c.parts[uint(i)/chunkLen][uint(i)%chunkLen] }

// idTable numbers tokens in the order of their arrival, in 16 bytes each and 8 for each slot of an
// open-addressing table, of which at most three quarters are taken.
type idTable struct {
	tokens chunks[Token]
	// slots hold the upper half of a token's place and its number plus one; 0 is free.
	slots []uint64
}

const firstSlots = 1 << 10

func (t *idTable) len() int { return t.tokens.n }

// place spreads a token over the slots. The token is a keyed hash already, of a family that is linear:
// ids that follow one another would lie side by side.
func place(t Token) uint64 {
	x := t.Lo ^ bits.RotateLeft64(t.Hi, 32)
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return x ^ x>>32
}

// slot returns where a token is, or where it belongs, and what is there.
func (t *idTable) slot(token Token) (at int, held uint64) {
	p, mask := place(token), len(t.slots)-1
	for at = int(p) & mask; ; at = (at + 1) & mask {
		held = t.slots[at]
		if held == 0 || held>>32 == p>>32 && *t.tokens.at(int(uint32(held) - 1)) == token {
			return at, held
		}
	}
}

// find returns the number of a token.
func (t *idTable) find(token Token) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	_, held := t.slot(token)
	return uint32(held) - 1, held != 0
}

// number returns the number of a token, a new one where it has none.
func (t *idTable) number(token Token) uint32 {
	if 4*t.len() >= 3*len(t.slots) {
		t.grow()
	}
	at, held := t.slot(token)
	if held == 0 {
		t.tokens.add(token)
		held = place(token)>>32<<32 | uint64(t.len())
		t.slots[at] = held
	}
	return uint32(held) - 1
}

func (t *idTable) grow() {
	n := max(firstSlots, 2*len(t.slots))
	t.slots = nil // the tokens know their places: there is no need for both tables at once
	t.slots = make([]uint64, n)
	for i := range t.len() {
		p := place(*t.tokens.at(i))
		at := int(p) & (n - 1)
		for t.slots[at] != 0 {
			at = (at + 1) & (n - 1)
		}
		t.slots[at] = p>>32<<32 | uint64(i+1)
	}
}
