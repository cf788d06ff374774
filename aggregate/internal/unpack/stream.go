// SPDX-License-Identifier: Apache-2.0

package unpack

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/throngdp/throng/aggregate/table"
)

// readSize is how much is read from a file, or handed from layer to layer, at a time.
const readSize = 64 << 10

// kind is what the first bytes of a stream say that it is.
type kind uint8

const (
	plain kind = iota
	gzipped
	zstandard
	zipped
)

// sniff looks at the first four bytes of a stream.
func sniff(head []byte) kind {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte{0x2a, 0x4d, 0x18}):
		return zstandard // a skippable frame, with which parallel compressors begin
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipped
	}
	return plain
}

// Stream is the decompressed content of a member. It is for one goroutine; the caller closes it.
type Stream struct {
	name   string
	ctx    context.Context
	r      *bufio.Reader
	in     *counter
	file   *os.File
	frees  []func()
	failed error
}

// Open starts to read the member. Its reads fail with the error of ctx once that is done. Errors are
// *table.Error: [table.ErrLimit], [table.ErrMalformed] or the operating system's.
func (m Member) Open(ctx context.Context) (*Stream, error) {
	s, err := m.Raw(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.unwrap(m); err != nil {
		s.Close()
		return nil, fault(m.Name, err)
	}
	return s, nil
}

// Raw starts to read the bytes of the member as they stand in its file.
func (m Member) Raw(ctx context.Context) (*Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, size, err := openRegular(m.path, m.Name)
	if err != nil {
		return nil, err
	}
	if m.entry != nil {
		size = m.Size // a file may have grown, an entry has not
	}
	s := &Stream{name: m.Name, ctx: ctx, file: f}
	s.in = &counter{r: io.NewSectionReader(f, m.offset, size)}
	s.r = bufio.NewReaderSize(s.in, readSize)
	return s, nil
}

// unwrap stacks a decoder for each layer of compression that it finds.
func (s *Stream) unwrap(m Member) error {
	layers := 0
	if m.entry != nil {
		if err := s.openEntry(m); err != nil {
			return err
		}
		layers = 1
	}
	for {
		head, err := s.r.Peek(4)
		if err != nil && err != io.EOF {
			return err
		}
		kind := sniff(head)
		if kind == plain {
			return nil
		}
		if kind == zipped {
			return &table.Error{File: m.Name, Err: table.ErrLimit,
				Problem: "is a zip inside another archive; unpack the outer one first"}
		}
		if layers++; layers > maxLayers {
			return &table.Error{File: m.Name, Err: table.ErrLimit,
				Problem: "is compressed more than twice over; unpack it first"}
		}
		if err := s.decode(kind, m); err != nil {
			return err
		}
	}
}

// decode puts the decoder of kind, with the member's limit, on top of the stream.
func (s *Stream) decode(kind kind, m Member) error {
	if kind == gzipped {
		d, err := gzip.NewReader(s.r)
		if err != nil {
			return err
		}
		s.push(&limited{r: d, left: m.limit, name: m.Name})
		return nil
	}
	d, err := newZstd(s.r)
	if err != nil {
		return err
	}
	s.frees = append(s.frees, d.Close)
	s.push(&limited{r: d, left: m.limit, name: m.Name})
	return nil
}

// newZstd returns a decoder that starts no goroutine and whose window, and so its memory, is bounded.
func newZstd(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
}

func (s *Stream) push(r io.Reader) { s.r = bufio.NewReaderSize(r, readSize) }

// Read reads decompressed bytes.
func (s *Stream) Read(p []byte) (int, error) {
	if s.failed != nil {
		return 0, s.failed
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = fault(s.name, err)
		s.failed = err
	}
	return n, err
}

// Consumed returns how many bytes of the file have been read for this stream, at most the member's
// Size. Decoders read ahead, so it is for progress only.
func (s *Stream) Consumed() int64 { return s.in.n }

// Close releases the decoders and the file. It may be called more than once.
func (s *Stream) Close() error {
	for _, free := range s.frees {
		free()
	}
	s.frees = nil
	if s.failed == nil {
		s.failed = &table.Error{File: s.name, Problem: "is closed", Err: os.ErrClosed}
	}
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if err != nil {
		return fault(s.name, err)
	}
	return nil
}

// counter counts the bytes that pass.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// limited refuses to produce more than left bytes.
type limited struct {
	r    io.Reader
	left int64
	name string
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, overLimit(l.name)
	}
	return n, err
}
