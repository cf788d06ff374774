// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"bytes"
	"encoding/binary"
	"io"
	"unsafe"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// What one record batch may decompress to: a base, as repeated values shrink to nothing, and a
// multiple of what is stored. Columns that are not asked for do not count.
const (
	baseExpansion = 48 << 20
	maxExpansion  = 64
)

// The codecs of format/Message.fbs; -1 is this package's word for none.
const (
	codecNone = -1
	codecLZ4  = 0
	codecZstd = 1
)

// body is where the buffers of a message lie.
type body struct {
	// in is what can be read of a file; held is the body of a stream's message, already in memory.
	in   io.ReaderAt
	held []byte
	size int64

	codec  int
	budget int64
	zstd   *zstd.Decoder
	lz4    *lz4.Reader
}

// reset prepares for the next message.
func (b *body) reset(size int64, codec int) error {
	if codec != codecNone && codec != codecLZ4 && codec != codecZstd {
		return malformed("the compression is unknown")
	}
	b.size, b.codec = size, codec
	b.budget = baseExpansion + maxExpansion*min(size, 1<<48)
	return nil
}

// buffer returns the buffer at offset, decompressed. It is at least need long.
func (b *body) buffer(offset, length int64, need int64) ([]byte, error) {
	if offset < 0 || length < 0 || offset > b.size || length > b.size-offset {
		return nil, malformed("a buffer lies outside of its message")
	}
	if b.codec == codecNone && length < need || length < 8 && need > 0 && b.codec != codecNone {
		return nil, errShort
	}
	if length == 0 {
		return nil, nil
	}
	raw, err := b.stored(offset, length)
	if err != nil || b.codec == codecNone {
		return raw, err
	}
	return b.decompress(raw, need)
}

var errShort = malformed("a buffer is shorter than its rows need")

// stored returns bytes as they are stored, aligned to eight.
func (b *body) stored(offset, length int64) ([]byte, error) {
	if b.in == nil {
		return align(b.held[offset : offset+length]), nil
	}
	buf := aligned(int(length))
	if n, err := b.in.ReadAt(buf, offset); n < len(buf) {
		return nil, atEnd(err, errCut)
	}
	return buf, nil
}

// align copies what a forged offset has moved off a multiple of eight.
func align(b []byte) []byte {
	if len(b) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(b)))%8 == 0 {
		return b
	}
	out := aligned(len(b))
	copy(out, b)
	return out
}

// decompress undoes the codec. The first eight bytes claim the length; -1 means not compressed.
func (b *body) decompress(raw []byte, need int64) ([]byte, error) {
	if len(raw) < 8 {
		return nil, errShort
	}
	claim, packed := int64(binary.LittleEndian.Uint64(raw)), raw[8:]
	switch {
	case claim == -1 && int64(len(packed)) < need:
		return nil, errShort
	case claim == -1:
		return packed, nil
	case claim < need:
		return nil, errShort
	case claim > b.budget:
		return nil, overLimit("a record batch decompresses to far more than it stores; write shorter ones")
	}
	b.budget -= claim
	if b.codec == codecZstd {
		return b.unzstd(packed, claim)
	}
	return b.unlz4(packed, claim)
}

var errCodec = malformed("a compressed buffer is broken")

func (b *body) unzstd(packed []byte, n int64) ([]byte, error) {
	if b.zstd == nil {
		var err error
		b.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, errCodec
		}
	}
	out, err := b.zstd.DecodeAll(packed, aligned(int(n))[:0])
	if err != nil || int64(len(out)) != n {
		return nil, errCodec
	}
	return align(out), nil
}

func (b *body) unlz4(packed []byte, n int64) ([]byte, error) {
	if b.lz4 == nil {
		b.lz4 = lz4.NewReader(nil)
	}
	b.lz4.Reset(bytes.NewReader(packed))
	out := aligned(int(n))
	if _, err := io.ReadFull(b.lz4, out); err != nil {
		return nil, errCodec
	}
	return out, nil
}

func (b *body) close() {
	if b.zstd != nil {
		b.zstd.Close()
	}
	b.zstd, b.lz4 = nil, nil
}
