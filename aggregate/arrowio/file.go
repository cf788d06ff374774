// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
)

var magic = []byte("ARROW1")

// NewFile returns a source over an IPC file ("Feather version 2") of size bytes. r must allow ReadAt
// from several goroutines at once, as files do, and stays the caller's to close, after the last reader.
func NewFile(name string, r io.ReaderAt, size int64) *Source {
	return &Source{name: name, size: size, input: &fileInput{name: name, r: r, size: size}}
}

type fileInput struct {
	name string
	r    io.ReaderAt
	size int64
}

// block is where a message lies in the file.
type block struct {
	offset, body int64
	meta         int64
}

func (b block) end() int64 { return b.offset + b.meta + b.body }

// footer is what the end of the file says.
type footer struct {
	fields       []field
	dictionaries []block
	records      []block
}

func (in *fileInput) fields(ctx context.Context) ([]field, error) {
	f, err := in.footer(ctx)
	return f.fields, err
}

func (in *fileInput) footer(ctx context.Context) (footer, error) {
	if err := ctx.Err(); err != nil {
		return footer{}, err
	}
	var f footer
	err := guard(func() (err error) { f, err = in.readFooter(); return err })
	return f, named(in.name, err)
}

// at reads n bytes at offset, which the caller has checked to lie within the file.
func (in *fileInput) at(offset, n int64) ([]byte, error) {
	buf := aligned(int(n))
	if got, err := in.r.ReadAt(buf, offset); got < len(buf) {
		return nil, atEnd(err, errCut)
	}
	return buf, nil
}

func (in *fileInput) readFooter() (footer, error) {
	head, tail := int64(len(magic)+2), int64(len(magic)+4)
	if in.size < head+tail {
		return footer{}, malformed("it is not an Arrow file: it is too short")
	}
	first, err := in.at(0, head)
	if err != nil {
		return footer{}, err
	}
	last, err := in.at(in.size-tail, tail)
	if err != nil {
		return footer{}, err
	}
	if !bytes.HasPrefix(first, magic) || !bytes.HasSuffix(last, magic) {
		return footer{}, malformed("it is not an Arrow file: its first or last bytes are not ARROW1")
	}
	n := int64(binary.LittleEndian.Uint32(last))
	if n > in.size-head-tail || n > maxMetadata {
		return footer{}, malformed("the footer claims more than the file holds, or more than 16 MiB")
	}
	buf, err := in.at(in.size-tail-n, n)
	if err != nil {
		return footer{}, err
	}
	return in.parseFooter(&flatMessage{buf: buf})
}

func (in *fileInput) parseFooter(m *flatMessage) (footer, error) {
	root := m.root()
	schema, ok := root.table(1)
	if !ok {
		return footer{}, malformed("the footer has no schema")
	}
	fields, err := schemaOf(schema, root.int16(0))
	if err != nil {
		return footer{}, err
	}
	f := footer{fields: fields, dictionaries: blocks(root, 2), records: blocks(root, 3)}
	if err := m.err(); err != nil {
		return footer{}, err
	}
	return f, in.checkBlocks(append(slices.Clone(f.dictionaries), f.records...))
}

func blocks(t flat, slot int) []block {
	start, n := t.vector(slot, 24)
	out := make([]block, n)
	for i := range out {
		at := start + 24*i
		out[i] = block{offset: t.m.int64(at), meta: int64(int32(t.m.uint32(at + 8))), body: t.m.int64(at + 16)}
	}
	return out
}

// checkBlocks refuses blocks outside of the file, and blocks that overlap: a small file could have the
// same rows read millions of times.
func (in *fileInput) checkBlocks(all []block) error {
	slices.SortFunc(all, func(a, b block) int { return cmp.Compare(a.offset, b.offset) })
	end := int64(len(magic))
	for _, b := range all {
		if b.offset < end || b.meta < 4 || b.body < 0 || b.offset > in.size ||
			b.meta > in.size-b.offset || b.body > in.size-b.offset-b.meta {
			return malformed("the footer names a block that overlaps another or lies outside of the file")
		}
		end = b.end()
	}
	return nil
}

// open reads the dictionaries that are needed, and shares the record batches out in runs.
func (in *fileInput) open(ctx context.Context, columns []string) ([]table.Reader, error) {
	f, err := in.footer(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(in.name, f.fields, columns)
	if err != nil {
		return nil, err
	}
	dicts, err := in.dictionaries(ctx, f, chosen.leaves)
	if err != nil {
		return nil, named(in.name, err)
	}
	n := max(1, min(runtime.GOMAXPROCS(0), len(f.records)))
	readers := make([]table.Reader, n)
	for i := range readers {
		d := &decoder{leaves: chosen.leaves, loader: loader{fields: f.fields}, dicts: dicts}
		d.loader.body = &d.body
		share := f.records[i*len(f.records)/n : (i+1)*len(f.records)/n]
		readers[i] = newReader(in.name, chosen.asked, &fileFeed{input: in, decoder: d, blocks: share})
	}
	return readers, nil
}

// dictionaries reads them once, for all readers to share.
func (in *fileInput) dictionaries(ctx context.Context, f footer, chosen []leaf) (map[int64]*dictState, error) {
	d, err := newDecoder(f.fields, chosen)
	if err != nil {
		return nil, err
	}
	defer d.body.close()
	seen := map[int64]bool{}
	for _, b := range f.dictionaries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := guard(func() error {
			m, err := in.message(b, headerDictionary, &d.body)
			if err != nil || !d.needs(m) {
				return err
			}
			id := m.table.int64(0)
			if seen[id] && m.table.byte(2) == 0 {
				return malformed("a dictionary is replaced, which only a stream may do")
			}
			seen[id] = true
			return d.dictionary(m)
		})
		if err != nil {
			return nil, err
		}
	}
	return d.dicts, nil
}

// message reads the metadata of a block, and points body at what follows.
func (in *fileInput) message(b block, header byte, body *body) (message, error) {
	if b.meta > maxMetadata+8 {
		return message{}, malformed("the metadata of a message claims more than 16 MiB")
	}
	buf, err := in.at(b.offset, b.meta)
	if err != nil {
		return message{}, err
	}
	own, length, err := messageLength(buf)
	if err != nil {
		return message{}, err
	}
	if own+length > len(buf) {
		return message{}, errCut
	}
	m, err := parseMessage(buf[own : own+length])
	switch {
	case err != nil:
		return m, err
	case m.header != header:
		return m, malformed("the footer names a block that is another message")
	case m.body > b.body:
		return m, malformed("the body of a message goes past its block")
	}
	body.in = io.NewSectionReader(in.r, b.offset+b.meta, m.body)
	return m, nil
}

// fileFeed reads a run of record batches.
type fileFeed struct {
	input   *fileInput
	decoder *decoder
	blocks  []block
}

func (f *fileFeed) next(context.Context) (rows int, bytes int64, parts []part, err error) {
	if len(f.blocks) == 0 {
		return 0, 0, nil, io.EOF
	}
	b := f.blocks[0]
	f.blocks = f.blocks[1:]
	err = guard(func() error {
		m, err := f.input.message(b, headerRecords, &f.decoder.body)
		if err != nil {
			return err
		}
		rows, parts, err = f.decoder.records(m)
		return err
	})
	return rows, b.meta + b.body, parts, err
}

func (f *fileFeed) close() error {
	f.decoder.body.close()
	return nil
}
