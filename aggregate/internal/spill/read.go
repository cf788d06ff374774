// SPDX-License-Identifier: Apache-2.0

package spill

import (
	"errors"
	"io"
)

// reader is what one Read needs. Readers are used again.
type reader struct {
	buf   []byte
	label label
}

// frame is how much plaintext fits into a buffer.
func (s *Store) frame() int { return s.buffer - tagBytes }

// frames is how many frames a segment of n bytes has. An empty segment has one: its tag says that it is
// there.
func (s *Store) frames(n int) int { return max(1, (n+s.frame()-1)/s.frame()) }

// Read calls f with the segments of a bucket, in the order in which they were appended, and returns the
// first error, f's own unchanged. A segment is f's until f returns. It stands in buf where that has room
// for it and 16 bytes more, and otherwise in a buffer of the store's. f may call any method of the store.
//
// A segment that was changed, moved or cut off gives an error that wraps [ErrTampered], and f is not
// called with it: what f was given of this bucket before must then be thrown away.
func (s *Store) Read(bucket int, buf []byte, f func(segment []byte) error) error {
	if bucket < 0 || bucket >= maxBuckets {
		return errBucket
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	entries := s.entries(bucket)
	// After that: a segment is listed while its slot is locked.
	if err := s.flushAll(); err != nil {
		return err
	}
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	for seq, e := range entries {
		if s.closed.Load() {
			return ErrClosed
		}
		segment, err := s.load(r, buf, bucket, seq, e)
		if err != nil {
			return s.explainRead(err)
		}
		if err := f(segment); err != nil {
			return err
		}
	}
	return nil
}

// entries returns a bucket's list as it is now. What is listed does not change.
func (s *Store) entries(bucket int) []entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bucket >= len(s.chains) {
		return nil
	}
	return s.chains[bucket].entries
}

// load reads and opens a segment.
func (s *Store) load(r *reader, buf []byte, bucket, seq int, e entry) ([]byte, error) {
	off, n := e.offset(), e.length()
	if cap(buf) < n+tagBytes {
		if cap(r.buf) < n+tagBytes {
			r.buf = make([]byte, n+n/8+tagBytes)
		}
		buf = r.buf
	}
	buf = buf[:cap(buf)]
	// Each frame is read over the tag of the one before it, so that their texts stand together.
	for at, i := 0, 0; i < s.frames(n); i++ {
		plain := min(n-at, s.frame())
		frame := buf[at : at+plain+tagBytes]
		if _, err := s.disk.ReadAt(frame, off); err != nil {
			if errors.Is(err, io.EOF) {
				err = ErrTampered
			}
			return nil, err
		}
		r.label.set(off, bucket, seq, n)
		if _, err := s.sealer.open(frame[:0], r.label.nonce[:], frame, r.label.about[:]); err != nil {
			return nil, ErrTampered
		}
		at += plain
		off += int64(len(frame))
	}
	return buf[:n:n], nil
}
