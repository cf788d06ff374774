// SPDX-License-Identifier: Apache-2.0

package spill

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// maxBuckets bounds the numbers of buckets: a store has a list for each up to the largest.
	maxBuckets = 1 << 20
	// maxSegment bounds a segment, so that one that is read back fits into memory.
	maxSegment = 1 << 30
)

// Store keeps segments in a temporary file. All methods are safe for concurrent use. It prints as a fixed
// text.
type Store struct {
	dir    string
	disk   file
	name   string // of a file that Close must remove; "" where it has no name
	sealer sealer
	buffer int // bytes of a slot's buffer

	users  atomic.Int64 // calls under way, and one until Close
	closed atomic.Bool
	failed atomic.Pointer[error] // the first write that failed
	held   atomic.Int64

	mu       sync.Mutex // guards what follows
	end      int64      // of the file
	chains   []chain    // by bucket
	closeErr error

	slots   []slot
	turn    atomic.Uint32
	readers sync.Pool // of *reader
}

// file is what a store does to its file: the seam at which tests make operations fail.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Open returns a store whose file is in the folder dir, or in os.TempDir() where dir is "". The folder
// must exist. An error names the folder, wraps that of the operating system and says what can be done.
func Open(dir string) (*Store, error) {
	return open(dir, bufferBytes, min(runtime.GOMAXPROCS(0), maxSlots), create)
}

func open(dir string, buffer, slots int, create func(dir string) (file, string, error)) (*Store, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	s := &Store{dir: dir, buffer: buffer, slots: make([]slot, slots)}
	s.readers.New = func() any { return new(reader) }
	s.users.Store(1)
	var err error
	if s.sealer, err = newSealer(); err != nil {
		return nil, err
	}
	if s.disk, s.name, err = create(dir); err != nil {
		s.sealer.wipe()
		return nil, s.explainOpen(err)
	}
	return s, nil
}

// Append appends a segment to a bucket: the parts, one after the other. It keeps none of them. A segment
// may be empty and has at most 1 GiB. Segments of one bucket that are appended concurrently stand in some
// order.
//
// The segment may be in memory when Append returns. Where its write fails, every later call to Append and
// Read returns the error of that write.
func (s *Store) Append(bucket int, parts ...[]byte) error {
	if bucket < 0 || bucket >= maxBuckets {
		return errBucket
	}
	n := 0
	for _, p := range parts {
		if len(p) > maxSegment-n {
			return errSegment
		}
		n += len(p)
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	w := s.take()
	defer w.mu.Unlock()
	return s.append(w, bucket, n, parts)
}

// Segments returns how many segments a bucket has.
func (s *Store) Segments(bucket int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bucket < 0 || bucket >= len(s.chains) {
		return 0
	}
	return len(s.chains[bucket].entries)
}

// Bytes returns how many bytes the segments of a bucket have in all.
func (s *Store) Bytes(bucket int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bucket < 0 || bucket >= len(s.chains) {
		return 0
	}
	return s.chains[bucket].bytes
}

// Memory returns how many bytes the store holds in memory: buffers, at most 8 MiB, and the index, at most
// 16 bytes a segment once buckets have a few dozen. Reads that need a buffer of their own come on top.
func (s *Store) Memory() int64 { return s.held.Load() }

// Close removes everything: the file, the key, the index. Calls under way end first, a Read at its next
// segment; Close does not wait for them, so that it may be called from anywhere, and the last of them
// does the work. Later calls of Append and Read return [ErrClosed]. Calling Close again does nothing. It
// returns an error only where a file could not be removed.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.leave()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeErr
}

// enter begins a call, which must end with leave.
func (s *Store) enter() error {
	for {
		n := s.users.Load()
		if n == 0 || s.closed.Load() {
			return ErrClosed
		}
		if s.users.CompareAndSwap(n, n+1) {
			break
		}
	}
	if err := s.failed.Load(); err != nil {
		s.leave()
		return *err
	}
	return nil
}

func (s *Store) leave() {
	if s.users.Add(-1) == 0 {
		s.destroy()
	}
}

// destroy runs once, when nothing else does.
func (s *Store) destroy() {
	s.sealer.wipe()
	// Nothing in the file is wanted any more, so an error of closing it says nothing.
	_ = s.disk.Close()
	var err error
	if s.name != "" {
		err = s.removeNamed()
	}
	for i := range s.slots {
		s.slots[i].buf = nil
	}
	s.held.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chains, s.closeErr = nil, err
}

// extent gives out a part of the file, each only once.
func (s *Store) extent(size int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > maxOffset-s.end {
		return 0, s.fail(s.explainWrite(errFull))
	}
	off := s.end
	s.end += size
	return off, nil
}

// list adds a segment to a bucket's list and returns its number there.
func (s *Store) list(bucket int, off int64, n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bucket >= len(s.chains) {
		grown := make([]chain, bucket+1)
		copy(grown, s.chains)
		s.held.Add(chainBytes * int64(len(grown)-len(s.chains)))
		s.chains = grown
	}
	c := &s.chains[bucket]
	before := cap(c.entries)
	c.add(newEntry(off, n))
	s.held.Add(entryBytes * int64(cap(c.entries)-before))
	return len(c.entries) - 1
}

// fail keeps the first error of writing and returns it.
func (s *Store) fail(err error) error {
	s.failed.CompareAndSwap(nil, &err)
	return *s.failed.Load()
}

// Format writes a fixed text, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[spill store]") }

var (
	// ErrClosed is returned by a store that was closed.
	ErrClosed = errors.New("the spill store is closed")
	// ErrTampered is wrapped by what Read returns for a segment that is not what was appended: the disk
	// lost it, or somebody changed the file.
	ErrTampered = errors.New("a segment is not what was written")

	errBucket  = errors.New("want a bucket from 0 to 1048575; this is a fault of the program")
	errSegment = errors.New("want a segment of at most 1 GiB; this is a fault of the program")
	errFull    = errors.New("the file has 256 TiB")
)
