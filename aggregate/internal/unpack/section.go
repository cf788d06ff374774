// SPDX-License-Identifier: Apache-2.0

package unpack

import (
	"context"
	"io"
	"os"

	"github.com/throngdp/throng/aggregate/table"
)

// chunkSize is the unit in which a decompressed member is held in memory. Chunks never move, so
// that the most memory used is the content rounded up, not the twice that growing a slice takes.
const chunkSize = 1 << 20

// Section is a member's content at random access, for file formats that are read from their footer.
// ReadAt is safe for concurrent use. The caller closes it.
type Section struct {
	io.ReaderAt
	size int64
	file *os.File
}

// OpenAt opens the member for random access. A member that is not compressed is read from disk. One
// that is gets decompressed into memory, and is refused with [table.ErrLimit] above maxMemory bytes.
func (m Member) OpenAt(ctx context.Context, maxMemory int64) (*Section, error) {
	if m.plain {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, size, err := openRegular(m.path, m.Name)
		if err != nil {
			return nil, err
		}
		return &Section{ReaderAt: f, size: size, file: f}, nil
	}
	s, err := m.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var c chunks
	maxMemory = max(maxMemory, 0)
	size, err := c.fill(s, maxMemory)
	if err != nil {
		return nil, err
	}
	if size > maxMemory {
		return nil, &table.Error{File: m.Name, Err: table.ErrLimit,
			Problem: "is compressed and too large to be held in memory; unpack it to disk first"}
	}
	return &Section{ReaderAt: c, size: size}, nil
}

// Size returns the number of decompressed bytes.
func (s *Section) Size() int64 { return s.size }

// File returns the file that the section reads from, nil where the content is held in memory.
func (s *Section) File() *os.File { return s.file }

// Close releases the file or the memory. It may be called more than once.
func (s *Section) Close() error {
	file := s.file
	s.file, s.ReaderAt = nil, chunks(nil)
	if file == nil {
		return nil
	}
	return file.Close()
}

// chunks is content in pieces of chunkSize, the last of which may be shorter.
type chunks [][]byte

// fill reads r to its end, or until it has read more than most bytes, and returns how many.
func (c *chunks) fill(r io.Reader, most int64) (int64, error) {
	size := int64(0)
	for {
		chunk := make([]byte, min(chunkSize, most-size+1))
		n, err := io.ReadFull(r, chunk)
		size += int64(n)
		if n > 0 {
			*c = append(*c, chunk[:n])
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return size, nil
		}
		if err != nil || size > most {
			return size, err
		}
	}
}

// ReadAt implements [io.ReaderAt].
func (c chunks) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, os.ErrInvalid
	}
	n := 0
	for n < len(p) {
		i, at := (off+int64(n))/chunkSize, (off+int64(n))%chunkSize
		if i >= int64(len(c)) || at >= int64(len(c[i])) {
			return n, io.EOF
		}
		n += copy(p[n:], c[i][at:])
	}
	return n, nil
}
