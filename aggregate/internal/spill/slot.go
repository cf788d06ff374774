// SPDX-License-Identifier: Apache-2.0

package spill

import "sync"

const (
	// bufferBytes is how much is gathered for one write. A quarter of it costs the system half as much
	// again for the same bytes, and four times as much where each segment is a write of its own.
	bufferBytes = 1 << 20
	// maxSlots is how many appends may be under way at the same time. Eight seal faster than any disk
	// writes, and their buffers are 8 MiB.
	maxSlots = 8
)

// slot is a buffer in which one append at a time seals its segment. Its place in the file is given to it
// beforehand, so that a segment's place is known, and bound into its nonce, before it is written.
type slot struct {
	mu      sync.Mutex
	buf     []byte // made with the first segment
	base    int64  // where buf[0] goes
	used    int    // bytes sealed; len(buf) too where the slot has no place
	written int    // of these, already in the file
	label   label
}

// cursor reads a segment's parts as if they were one.
type cursor struct {
	parts [][]byte
	at    int // in parts[0]
}

// fill copies the next len(dst) bytes.
func (c *cursor) fill(dst []byte) {
	for len(dst) > 0 {
		n := copy(dst, c.parts[0][c.at:])
		dst = dst[n:]
		if c.at += n; c.at == len(c.parts[0]) {
			c.parts, c.at = c.parts[1:], 0
		}
	}
}

// take locks a slot, if it can one that is idle, and of these always the first: the buffers of the others
// are made only when as many appends are under way.
func (s *Store) take() *slot {
	for i := range s.slots {
		if s.slots[i].mu.TryLock() {
			return &s.slots[i]
		}
	}
	w := &s.slots[s.turn.Add(1)%uint32(len(s.slots))]
	w.mu.Lock()
	return w
}

// append seals a segment of n bytes and lists it.
func (s *Store) append(w *slot, bucket, n int, parts [][]byte) error {
	if w.buf == nil {
		w.buf = make([]byte, s.buffer)
		w.leave()
		s.held.Add(int64(s.buffer))
	}
	c := cursor{parts: parts}
	if n > s.frame() {
		return s.appendLong(w, bucket, n, &c)
	}
	if n+tagBytes > len(w.buf)-w.used {
		if err := s.flush(w); err != nil {
			return err
		}
		w.leave()
		base, err := s.extent(int64(s.buffer))
		if err != nil {
			return err
		}
		w.enter(base)
	}
	seq := s.list(bucket, w.base+int64(w.used), n)
	s.sealFrame(w, &c, bucket, seq, n, n)
	return nil
}

// appendLong seals a segment as a row of frames that are written one after the other through the slot's
// buffer, so that a long segment takes no more memory than a short one.
func (s *Store) appendLong(w *slot, bucket, n int, c *cursor) error {
	if err := s.flush(w); err != nil {
		return err
	}
	w.leave()
	off, err := s.extent(int64(n) + int64(s.frames(n))*tagBytes)
	if err != nil {
		return err
	}
	seq := s.list(bucket, off, n)
	for left := n; left > 0; left -= min(left, s.frame()) {
		w.enter(off)
		s.sealFrame(w, c, bucket, seq, n, min(left, s.frame()))
		off += int64(w.used)
		if err := s.flush(w); err != nil {
			return err
		}
	}
	w.leave()
	return nil
}

// sealFrame fills and seals the next frame, of a segment of n bytes.
func (s *Store) sealFrame(w *slot, c *cursor, bucket, seq, n, frame int) {
	plain := w.buf[w.used : w.used+frame]
	c.fill(plain)
	w.label.set(w.base+int64(w.used), bucket, seq, n)
	s.sealer.seal(plain[:0], w.label.nonce[:], plain, w.label.about[:])
	w.used += frame + tagBytes
}

// enter gives the slot a place in the file.
func (w *slot) enter(base int64) { w.base, w.used, w.written = base, 0, 0 }

// leave takes it away: nothing more fits.
func (w *slot) leave() { w.used, w.written = len(w.buf), len(w.buf) }

// flush writes what the slot holds and the file does not. The slot must be locked.
func (s *Store) flush(w *slot) error {
	if w.written == w.used {
		return nil
	}
	if _, err := s.disk.WriteAt(w.buf[w.written:w.used], w.base+int64(w.written)); err != nil {
		return s.fail(s.explainWrite(err))
	}
	w.written = w.used
	return nil
}

// flushAll writes what all slots hold, after the appends that are under way.
func (s *Store) flushAll() error {
	for i := range s.slots {
		w := &s.slots[i]
		w.mu.Lock()
		err := s.flush(w)
		w.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
