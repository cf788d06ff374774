// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

// maxMemory is the largest content of a compressed Parquet or Arrow file. A bomb must not take more
// than 256 MiB (ATTACKS I-01), and whoever has packed Parquet, which is compressed inside, a second
// time can unpack it.
const maxMemory = 192 << 20

// sectionSource is a file of a format that needs random access. The connectors of such formats leave
// it to their caller to close the file, and a [table.Source] cannot be closed, so each scan opens
// the file and its last reader closes it.
type sectionSource struct {
	content
	connect func(r io.ReaderAt, size int64) (table.Source, error)

	// schema is kept because reading it unpacks a compressed file.
	mu     sync.Mutex
	schema *table.Schema
}

func newSectionSource(c content, connect func(io.ReaderAt, int64) (table.Source, error)) *sectionSource {
	return &sectionSource{content: c, connect: connect}
}

// Name is how errors call the file.
func (s *sectionSource) Name() string { return s.content.Name }

// Size is the size of the file. Of a compressed one it is unknown, since progress is counted in what
// it unpacks to.
func (s *sectionSource) Size() int64 {
	if s.Plain() {
		return s.content.Size
	}
	return 0
}

// Schema reports the columns.
func (s *sectionSource) Schema(ctx context.Context) (table.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schema != nil {
		return *s.schema, nil
	}
	section, src, err := s.open(ctx)
	if err != nil {
		return table.Schema{}, err
	}
	defer section.Close()
	schema, err := src.Schema(ctx)
	if err != nil {
		return table.Schema{}, err
	}
	s.schema = &schema
	return schema, nil
}

// Open starts a scan.
func (s *sectionSource) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	section, src, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	readers, err := src.Open(ctx, columns)
	if err != nil {
		section.Close()
		return nil, err
	}
	left := new(atomic.Int64)
	left.Store(int64(len(readers)))
	for i, r := range readers {
		readers[i] = &sectionReader{Reader: r, name: s.Name(), section: section, left: left}
	}
	return readers, nil
}

func (s *sectionSource) open(ctx context.Context) (*unpack.Section, table.Source, error) {
	section, err := s.OpenAt(ctx, maxMemory)
	if err != nil {
		return nil, nil, err
	}
	src, err := s.connect(section, section.Size())
	if err != nil {
		section.Close()
		return nil, nil, err
	}
	return section, src, nil
}

// sectionReader is one of several readers of a section; the last to be closed closes that.
type sectionReader struct {
	table.Reader
	name    string
	section *unpack.Section
	left    *atomic.Int64
	once    sync.Once
}

// Close closes the reader, and the file with the last of them.
func (r *sectionReader) Close() error {
	err := r.Reader.Close()
	r.once.Do(func() {
		if r.left.Add(-1) > 0 {
			return
		}
		if closing := r.section.Close(); err == nil && closing != nil {
			err = &table.Error{File: r.name, Problem: "cannot be closed", Err: closing}
		}
	})
	return err
}
