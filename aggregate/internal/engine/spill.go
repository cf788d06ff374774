// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

// memory bounds what an engine holds: buckets that are too much go to a spill store, and so do rows
// that then still come for them.
type memory struct {
	limit int64 // of bytes; 0 for none
	dir   string
	used  atomic.Int64 // by the state of people

	mu     sync.Mutex
	store  *spill.Store
	closed bool
}

// SpillBeyond makes the engine keep about limit bytes in memory at most, and the rest in an encrypted
// temporary file in the folder dir ("" for the system's). It is called before the first row comes. The
// bytes are those of live data: the garbage collector lets a heap grow to about twice as many.
func (e *Engine) SpillBeyond(limit int64, dir string) { e.memory.limit, e.memory.dir = limit, dir }

// Discard frees the engine's temporary file. It may be called at any time, and more than once.
func (e *Engine) Discard() error {
	e.memory.mu.Lock()
	defer e.memory.mu.Unlock()
	e.memory.closed = true
	if e.memory.store == nil {
		return nil
	}
	return e.memory.store.Close()
}

// spillStore returns the store, which is made when it is first needed.
func (m *memory) spillStore() (*spill.Store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, spill.ErrClosed
	case m.store != nil:
		return m.store, nil
	}
	var err error
	m.store, err = spill.Open(m.dir)
	return m.store, err
}

// over reports whether the engine holds more than it should.
func (e *Engine) over() bool {
	m := &e.memory
	if m.limit == 0 {
		return false
	}
	e.pool.mu.Lock()
	gathered := e.pool.slabs * slabPieces * pieceWords * wordBytes
	e.pool.mu.Unlock()
	return m.used.Load()+gathered > m.limit
}

const wordBytes = 8

// measure books the change of a bucket's size.
func (e *Engine) measure(b *bucket) {
	size := int64(wordBytes*(len(b.blocks)*e.layout.perBlock*e.layout.words+cap(b.arena)+cap(b.votes)) + 4*cap(b.index))
	e.memory.used.Add(size - b.size)
	b.size = size
}

// drain folds the rows of bucket i, or where it is spilled, spills them. The caller holds its lock.
func (f *folder) drain(i int) error {
	b := &f.e.buckets[i]
	if b.spilled {
		return f.spillRows(i, b)
	}
	f.foldAll(b)
	f.e.measure(b)
	if !f.e.over() {
		return nil
	}
	return f.spillState(i, b)
}

// A segment begins with a word: stateSegment, or the number of the form of the rows that follow. State
// goes on with the number of people, the length of the arena, the records, the arena and the votes.
const stateSegment = ^uint64(0)

func (f *folder) spillState(i int, b *bucket) error {
	store, err := f.e.memory.spillStore()
	if err != nil {
		return err
	}
	head := []uint64{stateSegment, uint64(b.count), uint64(len(b.arena))}
	parts := [][]byte{bytesOf(head)}
	for left, n := b.count*f.e.layout.words, 0; left > 0; n++ {
		block := b.blocks[n][:min(left, len(b.blocks[n]))]
		parts, left = append(parts, bytesOf(block)), left-len(block)
	}
	if err := store.Append(i, append(parts, bytesOf(b.arena), bytesOf(b.votes))...); err != nil {
		return err
	}
	b.index, b.blocks, b.arena, b.votes, b.count, b.spilled = nil, nil, nil, nil, 0, true
	f.e.measure(b)
	return nil
}

// spillRows spills a bucket's pieces, those of one form together.
func (f *folder) spillRows(i int, b *bucket) error {
	store, err := f.e.memory.spillStore()
	if err != nil {
		return err
	}
	for start, end := 0, 0; start < len(b.pieces); start = end {
		form := b.pieces[start].form
		parts := [][]byte{bytesOf([]uint64{uint64(form.number)})}
		for end < len(b.pieces) && b.pieces[end].form == form {
			parts = append(parts, bytesOf(b.pieces[end].rows))
			end++
		}
		if err := store.Append(i, parts...); err != nil {
			return err
		}
	}
	f.forget(b)
	return nil
}

// restore brings a spilled bucket back, complete.
func (f *folder) restore(i int, b *bucket) error {
	store, err := f.e.memory.spillStore()
	if err != nil {
		return err
	}
	b.spilled = false
	return store.Read(i, nil, func(segment []byte) error {
		words := wordsOf(segment)
		if words[0] == stateSegment {
			f.restoreState(b, words[1:])
			return nil
		}
		f.reserve(b, len(words))
		f.fold(b, words[1:], f.e.forms[words[0]], false)
		return nil
	})
}

func (f *folder) restoreState(b *bucket, words []uint64) {
	l := &f.e.layout
	arena := int(words[1])
	b.count, words = int(words[0]), words[2:]
	b.reserve(l, b.count)
	n := b.count * l.words
	for i, at := 0, 0; at < n; i++ {
		at += copy(b.blocks[i], words[at:n])
	}
	words = words[n:]
	b.arena = append(b.arena[:0], words[:arena]...)
	b.votes = append(b.votes[:0], words[arena:]...)
	b.reindex(tableSize(b.count), l)
}

// bytesOf returns the bytes of words, in this machine's order: no other reads them.
func bytesOf(words []uint64) []byte {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), wordBytes*len(words))
}

// wordsOf is the inverse of bytesOf, into memory of its own where bytes do not lie as words do.
func wordsOf(bytes []byte) []uint64 {
	if uintptr(unsafe.Pointer(&bytes[0]))%wordBytes == 0 {
		return unsafe.Slice((*uint64)(unsafe.Pointer(&bytes[0])), len(bytes)/wordBytes)
	}
	words := make([]uint64, len(bytes)/wordBytes)
	copy(bytesOf(words), bytes)
	return words
}
