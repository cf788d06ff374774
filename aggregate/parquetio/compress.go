// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"bytes"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// codecs keeps the decompressors that are costly to make. It is not safe for concurrent use.
type codecs struct {
	zstd *zstd.Decoder
	gzip *gzip.Reader
}

func (c *codecs) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
	*c = codecs{}
}

// errInflate is the fault of compressed data that is damaged, or not as long as its page says.
var errInflate = malformed("compressed data is damaged or not as long as its page says")

// decompress inflates src to exactly size bytes, held in *buf where it is compressed at all. No
// codec may take more memory than that, whatever its frames claim. These are the libraries that
// parquet-go inflates with, but its own calls give them no limit: it doubles its buffer for as long
// as there is output, and for LZ4 also for as long as there are errors.
func (c *codecs) decompress(buf *[]byte, src []byte, size int, codec format.CompressionCodec) ([]byte, error) {
	if codec == format.Uncompressed {
		return src, nil
	}
	if size == 0 {
		return nil, nil
	}
	*buf = grow(*buf, size+slack)[:size]
	dst := *buf
	switch codec {
	case format.Snappy:
		return inflateSnappy(dst, src)
	case format.Lz4Raw:
		return exactly(lz4.UncompressBlock(src, dst))(dst)
	case format.Zstd:
		return c.inflateZstd(dst, src)
	case format.Gzip:
		return c.inflateGzip(dst, src)
	case format.Brotli:
		return inflateStream(dst, brotli.NewReader(bytes.NewReader(src)))
	}
	return nil, unsupported("the compression codec is not supported; write zstd or snappy")
}

// exactly checks that n bytes, without an error, are all of dst.
func exactly(n int, err error) func(dst []byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) {
		if err != nil || n != len(dst) {
			return nil, errInflate
		}
		return dst, nil
	}
}

func inflateSnappy(dst, src []byte) ([]byte, error) {
	// Decode allocates what the data's first bytes claim if dst is shorter.
	if n, err := snappy.DecodedLen(src); err != nil || n != len(dst) {
		return nil, errInflate
	}
	out, err := snappy.Decode(dst, src)
	return exactly(len(out), err)(dst)
}

func (c *codecs) inflateZstd(dst, src []byte) ([]byte, error) {
	if c.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPage))
		if err != nil {
			return nil, errInflate
		}
		c.zstd = d
	}
	// The capacity is the limit.
	out, err := c.zstd.DecodeAll(src, dst[:0:len(dst)])
	return exactly(len(out), err)(dst)
}

func (c *codecs) inflateGzip(dst, src []byte) ([]byte, error) {
	if c.gzip == nil {
		c.gzip = new(gzip.Reader)
	}
	if c.gzip.Reset(bytes.NewReader(src)) != nil {
		return nil, errInflate
	}
	return inflateStream(dst, c.gzip)
}

// inflateStream fills dst and checks that nothing follows.
func inflateStream(dst []byte, r io.Reader) ([]byte, error) {
	if _, err := io.ReadFull(r, dst); err != nil {
		return nil, errInflate
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n != 0 || err != io.EOF {
		return nil, errInflate
	}
	return dst, nil
}
