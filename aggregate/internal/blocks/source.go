// SPDX-License-Identifier: Apache-2.0

package blocks

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// Size is how many bytes a block has unless a record is longer: a good part of a core's
	// second-level cache, in which a block stays while it is read, cut and taken apart.
	Size = 256 << 10
	// maxReaders is where the goroutine that reads keeps the others waiting.
	maxReaders = 16
	// maxEmptyReads is how often in a row a reader may return nothing, as in bufio.
	maxEmptyReads = 100
)

// Cutter finds the ends of records.
type Cutter interface {
	// Cut looks at p, which begins where the last piece ended. final says that the input ends with p.
	// Where p does not hold a whole record the piece has no length and Cut is called again with more
	// of the same; for one limit of the format's own, it must then return some.
	Cut(p []byte, final bool) Piece
}

// Piece is the beginning of what a [Cutter] was shown.
type Piece struct {
	Len int
	// Drop: the piece has no records and goes to nobody.
	Drop bool
	// State is what else the format must know to take the piece apart.
	State int
}

// Block is a number of whole records. The zero value is an empty block.
type Block struct {
	// Data is valid until the block is given to Take again.
	Data []byte
	// State is that of the piece.
	State int

	buf []byte
}

// Source is a stream that is shared out. Until the first Take, one goroutine may look at its
// beginning with Rest, More and Skip; Take, Progress and Release are safe for concurrent use.
type Source struct {
	mu   sync.Mutex
	in   io.ReadCloser
	size int
	// buf[pos:end] is read and belongs to no block yet.
	buf      []byte
	pos, end int
	eof      bool
	err      error

	consumed func() int64
	// known is what consumed last returned; news is how much of it nobody has been told of.
	known int64
	news  atomic.Int64

	users atomic.Int64
}

// New returns the stream that in yields, to be cut into blocks of about size bytes. Where in has a
// method Consumed() int64, progress is measured by it, and otherwise by the bytes read. The source
// closes in at the first Release, or at the last if [Source.Share] was called.
func New(in io.ReadCloser, size int) *Source {
	s := &Source{in: in, size: size}
	s.users.Store(1)
	if c, ok := in.(interface{ Consumed() int64 }); ok {
		s.consumed = c.Consumed
	}
	return s
}

// Rest returns what has been read of the beginning, valid until More.
func (s *Source) Rest() []byte { return s.buf[s.pos:s.end] }

// Skip passes over the first n bytes of Rest.
func (s *Source) Skip(n int) { s.pos += n }

// AtEnd reports whether nothing follows Rest.
func (s *Source) AtEnd() bool { return s.eof }

// More adds to Rest, where the input has more: up to Size bytes, and what is as long as that already
// is doubled.
func (s *Source) More(ctx context.Context) error {
	want := Size
	for want <= s.end-s.pos {
		want *= 2
	}
	return s.fill(ctx, want)
}

// Share says for how many users the source is open, and returns their number: as many as there are
// processors at work, or one where all of the input has been read. most, if not 0, is used instead.
func (s *Source) Share(most int) int {
	n := min(runtime.GOMAXPROCS(0), maxReaders)
	if s.eof {
		n = 1
	}
	if most > 0 {
		n = most
	}
	s.users.Store(int64(n))
	return n
}

// Take fills b with the next block. It returns io.EOF after the last, the error of ctx without any
// effect, and otherwise what the input failed with, again for each call.
func (s *Source) Take(ctx context.Context, b *Block, c Cutter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Data = nil
	for want := s.size; ; {
		if err := s.fill(ctx, want); err != nil {
			return err
		}
		rest := s.Rest()
		p := rest[:min(want, len(rest))]
		final := s.eof && len(p) == len(rest)
		if len(p) == 0 {
			s.buf, s.pos, s.end = nil, 0, 0
			return io.EOF
		}
		piece := c.Cut(p, final)
		switch {
		case piece.Drop:
			s.pos += piece.Len
			want = s.size
		case piece.Len > 0:
			s.hand(b, piece)
			return nil
		case final:
			s.pos = s.end
		default:
			want *= 2
		}
	}
}

// hand gives b a piece. Of the piece and what follows it the shorter is copied.
func (s *Source) hand(b *Block, piece Piece) {
	b.State = piece.State
	at := s.pos + piece.Len
	data, rest := s.buf[s.pos:at:at], s.buf[at:s.end]
	if len(rest) > len(data) {
		b.buf = append(b.buf[:0], data...)
		b.Data, s.pos = b.buf, at
		return
	}
	old := b.buf[:cap(b.buf)]
	if len(old) < len(rest) {
		old = make([]byte, max(s.size, len(rest)))
	}
	b.buf, b.Data = s.buf, data
	s.buf, s.pos, s.end = old, 0, copy(old, rest)
}

// fill reads until the source holds want bytes or the input ends.
func (s *Source) fill(ctx context.Context, want int) error {
	if s.err != nil {
		return s.err
	}
	if s.eof || s.end-s.pos >= want {
		return ctx.Err()
	}
	s.makeRoom(want)
	for empty := 0; s.end < want && !s.eof; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.in.Read(s.buf[s.end:want])
		s.end += n
		s.count(n)
		if empty++; n > 0 {
			empty = 0
		}
		switch {
		case err == io.EOF:
			s.eof = true
		case err != nil:
			s.err = err
		case empty > maxEmptyReads:
			s.err = io.ErrNoProgress
		}
		if s.err != nil {
			s.buf, s.pos, s.end = nil, 0, 0
			return s.err
		}
	}
	return nil
}

// makeRoom moves the rest to the front of a buffer of at least want bytes.
func (s *Source) makeRoom(want int) {
	rest := s.Rest()
	if len(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.pos, s.end = 0, copy(s.buf, rest)
}

func (s *Source) count(n int) {
	total := s.known + int64(n)
	if s.consumed != nil {
		total = s.consumed()
	}
	s.news.Add(total - s.known)
	s.known = total
}

// Progress returns how many input bytes have been consumed since it was last called, by anybody.
func (s *Source) Progress() int64 { return s.news.Swap(0) }

// Release is called once by each user. The last closes the input.
func (s *Source) Release() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf, s.pos, s.end = nil, 0, 0
	return s.in.Close()
}
