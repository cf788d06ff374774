// SPDX-License-Identifier: Apache-2.0

package spill

import "os"

// File is what a test may put in the place of a store's file.
type File = file

const (
	MaxSegment = maxSegment
	MaxBuckets = maxBuckets
	TagBytes   = tagBytes
	EntryBytes = entryBytes
	ChainBytes = chainBytes
)

// OpenSmall returns a store whose buffers are small, so that little data meets many boundaries.
func OpenSmall(dir string, buffer, slots int) (*Store, error) {
	return open(dir, buffer, slots, create)
}

// OpenNamed returns a store whose file had a name for a moment, as where there are no unnamed files.
func OpenNamed(dir string) (*Store, error) { return open(dir, bufferBytes, 2, createNamed) }

// OpenKept returns a store whose file keeps its name, as where an open file cannot be removed.
func OpenKept(dir string) (*Store, error) {
	return open(dir, bufferBytes, 2, func(dir string) (file, string, error) {
		f, err := os.CreateTemp(dir, "throng-")
		if err != nil {
			return nil, "", err
		}
		return f, f.Name(), nil
	})
}

// File returns a store's file.
func (s *Store) File() File { return s.disk }

// SetFile puts another file in its place.
func (s *Store) SetFile(f File) { s.disk = f }

// End returns where the store's file ends, once all is written.
func (s *Store) End() int64 { return s.end }

// SetEnd moves it.
func (s *Store) SetEnd(end int64) { s.end = end }

// Flush writes what is in the buffers.
func (s *Store) Flush() error { return s.flushAll() }

// OnSeal calls f with the nonce and the additional data of each frame.
func (s *Store) OnSeal(f func(nonce, about []byte)) {
	seal := s.sealer.seal
	s.sealer.seal = func(dst, nonce, plain, about []byte) []byte {
		f(nonce, about)
		return seal(dst, nonce, plain, about)
	}
}

// Seal seals with the store's key.
func (s *Store) Seal(plain []byte) []byte {
	return s.sealer.seal(nil, make([]byte, 12), plain, nil)
}

// Segment is where a segment is and how long.
type Segment struct {
	Offset int64
	Length int
}

// Where lists the places of a bucket's segments.
func (s *Store) Where(bucket int) []Segment {
	var all []Segment
	for _, e := range s.entries(bucket) {
		all = append(all, Segment{e.offset(), e.length()})
	}
	return all
}

type (
	Entry = entry
	Chain = chain
)

// RenameOnOpen changes the additional data of each frame before it is opened.
func (s *Store) RenameOnOpen(f func(about []byte)) {
	open := s.sealer.open
	s.sealer.open = func(dst, nonce, sealed, about []byte) ([]byte, error) {
		f(about)
		return open(dst, nonce, sealed, about)
	}
}
