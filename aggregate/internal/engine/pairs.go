// SPDX-License-Identifier: Apache-2.0

package engine

import "sync"

// Pairs folds several codes into one exact 64-bit code: two codes stand side by side, and a third
// pairs with a number that stands for the first two. The zero value is ready; safe for concurrent
// use.
type Pairs struct {
	mu      sync.RWMutex
	numbers map[uint64]uint32
	pairs   []uint64
}

// Fold appends code, the i-th, to a folded code (0 for i = 0).
func (p *Pairs) Fold(folded uint64, code uint32, i int) uint64 {
	switch i {
	case 0:
		return uint64(code)
	case 1:
		return folded<<32 | uint64(code)
	}
	return uint64(p.number(folded))<<32 | uint64(code)
}

// Unfold returns the n codes of a folded code, in order.
func (p *Pairs) Unfold(folded uint64, n int) []uint32 {
	codes := make([]uint32, n)
	for i := n - 1; i >= 2; i-- {
		codes[i] = uint32(folded)
		p.mu.RLock()
		folded = p.pairs[folded>>32]
		p.mu.RUnlock()
	}
	switch {
	case n == 1:
		codes[0] = uint32(folded)
	case n >= 2:
		codes[0], codes[1] = uint32(folded>>32), uint32(folded)
	}
	return codes
}

func (p *Pairs) number(pair uint64) uint32 {
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
