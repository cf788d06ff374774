// SPDX-License-Identifier: Apache-2.0

package engine

// Priority is what decides which of a person's groups are kept.
func (s *Spec) Priority(hi, lo, group uint64) uint64 { return priority(&s.Seed, hi, lo, group) }

// StateWords is how many words the engine holds in lists, in use or left behind.
func (e *Engine) StateWords() int {
	words := 0
	e.FoldAll()
	for i := range e.buckets {
		words += len(e.buckets[i].arena) + len(e.buckets[i].votes)
	}
	return words
}

// People is how many people the engine holds state of.
func (e *Engine) People() int {
	n := 0
	e.FoldAll()
	for i := range e.buckets {
		n += e.buckets[i].count
	}
	return n
}

// FoldAll folds all rows that are gathered.
func (e *Engine) FoldAll() {
	f := newFolder(e)
	for i := range e.buckets {
		f.foldAll(&e.buckets[i])
	}
}

// Gather makes pieces of at most room rows, and buckets that fold at least so many at once.
func (e *Engine) Gather(room, rows int) { e.maxRoom, e.minGathered = room, rows }

// Spilled is how many buckets are in the spill store.
func (e *Engine) Spilled() int {
	n := 0
	for i := range e.buckets {
		if e.buckets[i].spilled {
			n++
		}
	}
	return n
}
