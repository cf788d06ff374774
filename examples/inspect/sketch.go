// SPDX-License-Identifier: Apache-2.0

package main

// sketchSize is how many hashes a sketch holds at most.
const sketchSize = 8192

// sketch estimates how many distinct values there were, to some 1.5 %, from the hashes below a limit that
// falls as values come (Flajolet, "On adaptive sampling", 1990). The zero value is ready.
type sketch struct {
	hashes map[uint64]struct{}
	level  uint // hashes whose lowest level bits are 0 are held
}

func (s *sketch) add(hash uint64) {
	if hash&(1<<s.level-1) != 0 {
		return
	}
	if s.hashes == nil {
		s.hashes = map[uint64]struct{}{}
	}
	s.hashes[hash] = struct{}{}
	for len(s.hashes) > sketchSize && s.level < 63 {
		s.level++
		s.drop(s.level)
	}
}

func (s *sketch) drop(level uint) {
	for h := range s.hashes {
		if h&(1<<level-1) != 0 {
			delete(s.hashes, h)
		}
	}
}

// distinct is the estimate, exact up to sketchSize.
func (s *sketch) distinct() int64 { return int64(len(s.hashes)) << s.level }

// overlap is the estimated percentage of the smaller one's values that the other one has too.
func (s *sketch) overlap(t *sketch) int64 {
	level := max(s.level, t.level)
	var mine, theirs, both int64
	for h := range s.hashes {
		if h&(1<<level-1) == 0 {
			mine++
			if _, ok := t.hashes[h]; ok {
				both++
			}
		}
	}
	for h := range t.hashes {
		if h&(1<<level-1) == 0 {
			theirs++
		}
	}
	if mine == 0 || theirs == 0 {
		return 0
	}
	return 100 * both / min(mine, theirs)
}
