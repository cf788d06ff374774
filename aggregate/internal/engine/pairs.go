// SPDX-License-Identifier: Apache-2.0

package engine

import "sync"

// Pairs folds several codes, each below 2^31, into one exact 64-bit code. Codes that fit stand side by
// side. Of longer ones two make a pair that has a number of its own, and the number and a third make
// the next pair; the flag keeps the two forms apart. The zero value is ready; safe for concurrent use.
type Pairs struct {
	mu      sync.RWMutex
	numbers map[uint64]uint32
	pairs   []uint64
}

// numbered marks a folded code that is made of numbers. [NoKey] would be one of number 2^31 − 1, and
// there are never that many.
const numbered = 1 << 63

// Width is how many bits each of n codes has where they stand side by side.
func Width(n int) uint {
	if n <= 2 {
		return 32 // the first has 31
	}
	return 63 / uint(n)
}

// SideBySide reports whether a folded code holds its codes side by side, the last in the lowest bits,
// each [Width] wide.
func SideBySide(folded uint64) bool { return folded&numbered == 0 }

// Fold folds codes, of which there may be none.
func (p *Pairs) Fold(codes ...uint32) uint64 {
	width := Width(len(codes))
	var folded uint64
	for _, c := range codes {
		if uint64(c)>>width != 0 {
			return p.number(codes)
		}
		folded = folded<<width | uint64(c)
	}
	return folded
}

// Unfold returns the n codes of a folded code, in order.
func (p *Pairs) Unfold(folded uint64, n int) []uint32 {
	codes := make([]uint32, n)
	if !SideBySide(folded) {
		p.spell(codes, folded&^numbered)
		return codes
	}
	width := Width(n)
	for i := n - 1; i >= 0; i-- {
		codes[i] = uint32(folded & (1<<width - 1))
		folded >>= width
	}
	return codes
}

// number folds three codes or more.
func (p *Pairs) number(codes []uint32) uint64 {
	folded := uint64(codes[0])<<32 | uint64(codes[1])
	for _, c := range codes[2:] {
		folded = uint64(p.pair(folded))<<32 | uint64(c)
	}
	return numbered | folded
}

func (p *Pairs) spell(codes []uint32, folded uint64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i := len(codes) - 1; i >= 2; i-- {
		codes[i] = uint32(folded)
		folded = p.pairs[folded>>32]
	}
	codes[0], codes[1] = uint32(folded>>32), uint32(folded)
}

func (p *Pairs) pair(pair uint64) uint32 {
	p.mu.RLock()
	n, ok := p.numbers[pair]
	p.mu.RUnlock()
	if ok {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, ok := p.numbers[pair]; ok {
		return n
	}
	if p.numbers == nil {
		p.numbers = map[uint64]uint32{}
	}
	n = uint32(len(p.pairs))
	p.pairs = append(p.pairs, pair)
	p.numbers[pair] = n
	return n
}
