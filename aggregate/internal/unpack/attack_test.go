// SPDX-License-Identifier: Apache-2.0

package unpack_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

// zstdFrame is a frame of n blocks of 128 KiB of zeros each, in 4 bytes a block, whose header is head.
func zstdFrame(head []byte, n int) []byte {
	b := append([]byte{0x28, 0xb5, 0x2f, 0xfd}, head...)
	for i := range n {
		block := uint32(128<<10)<<3 | 1<<1 // RFC 8878, 3.1.1.2: type RLE
		if i == n-1 {
			block |= 1
		}
		b = append(b, byte(block), byte(block>>8), byte(block>>16), 0)
	}
	return b
}

// overlapped is a zip of n entries, all of which mean the same bytes (Fifield 2019, in its simplest
// form: a full local header for each entry is not needed by readers that follow the directory).
func overlapped(t *testing.T, data []byte, n int) []byte {
	t.Helper()
	one := zipped(t, part{name: "a", data: data, method: zip.Deflate})
	at := bytes.Index(one, []byte("PK\x01\x02"))
	end := bytes.LastIndex(one, []byte("PK\x05\x06"))
	entry, tail := one[at:end], bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(n))
	binary.LittleEndian.PutUint16(tail[10:], uint16(n))
	binary.LittleEndian.PutUint32(tail[12:], uint32(n*len(entry)))
	return append(append(bytes.Clone(one[:at]), bytes.Repeat(entry, n)...), tail...)
}

func TestAttackI01DecompressionBomb(t *testing.T) {
	zeros := gz(t, make([]byte, 64<<20))
	fiveDeep := []byte(content)
	for range 5 {
		fiveDeep = gz(t, fiveDeep)
	}
	some := bytes.Repeat([]byte(content), 1000)
	deflated := func(fake func(*zip.FileHeader)) []byte {
		return zipped(t, part{name: "a", data: some, method: zip.Deflate, fake: fake})
	}
	for _, tt := range []struct {
		name string
		file []byte
		want error
		// memory is how many bytes may be allocated in all.
		memory uint64
	}{
		{"1 GiB of zeros in gzip", bytes.Repeat(zeros, 16), table.ErrLimit, 8 << 20},
		{"1 GiB of zeros in gzip in gzip", gz(t, bytes.Repeat(zeros, 16)), table.ErrLimit, 8 << 20},
		{"gzip in gzip five times", fiveDeep, table.ErrLimit, 8 << 20},
		{"1 GiB of zeros in zstd", zstdFrame([]byte{0, 7 << 3}, 8192), table.ErrLimit, 16 << 20},
		{"zstd with a window of 2^31", zstdFrame([]byte{0, 21 << 3}, 1), table.ErrLimit, 8 << 20},
		{"zstd with a window of 2^28", zstdFrame([]byte{0, 18 << 3}, 1), table.ErrLimit, 8 << 20},
		{"zstd that is its own window of 2^40", zstdFrame([]byte{0xe0, 0, 0, 0, 0, 0, 1, 0, 0}, 1), table.ErrLimit, 8 << 20},
		{"zip of 1 GiB of zeros", zipped(t, part{name: "a", data: bytes.Repeat(zeros, 16)}), table.ErrLimit, 8 << 20},
		{"zip that claims 2^40 bytes", deflated(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 40 }), table.ErrLimit, 1 << 20},
		{"zip that claims 2^63 bytes", deflated(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 63 }), table.ErrMalformed, 1 << 20},
		{"zip that claims one byte", deflated(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 }), table.ErrMalformed, 8 << 20},
		{"zip that claims one byte more", deflated(func(h *zip.FileHeader) { h.UncompressedSize64++ }), table.ErrMalformed, 8 << 20},
		{"zip with a wrong checksum", deflated(func(h *zip.FileHeader) { h.CRC32++ }), table.ErrMalformed, 8 << 20},
		{"zip entry longer than the file", deflated(func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 30 }), table.ErrMalformed, 1 << 20},
		{"zip entry longer than anything", deflated(func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 63 }), table.ErrMalformed, 1 << 20},
		{"zip whose entries overlap", overlapped(t, bytes.Repeat([]byte{'x'}, 1<<20), 9000), table.ErrMalformed, 16 << 20},
		{"zip of 10,001 entries", overlapped(t, nil, 10_001), table.ErrLimit, 16 << 20},
		{"zip of a million entries", overlapped(t, nil, 1_000_000), table.ErrLimit, 128 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := save(t, tt.file)
			var err error
			start := time.Now()
			allocated := allocates(func() { err = drain(t.Context(), path, unpack.Limits{}) })
			require.ErrorIs(t, err, tt.want)
			var e *table.Error
			require.ErrorAs(t, err, &e)
			assert.Less(t, allocated, tt.memory)
			assert.Less(t, time.Since(start), time.Minute, "far above what the limits let it take")
		})
	}
}

// allocates returns how many bytes f allocates in all, which is no less than what it holds at once.
func allocates(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAttackI01ManyMembersShareOneAllowance(t *testing.T) {
	var parts []part
	zeros := gz(t, make([]byte, 9<<20))
	for i := range 64 {
		parts = append(parts, part{name: fmt.Sprint(i), data: zeros})
	}
	err := drain(t.Context(), save(t, zipped(t, parts...)), unpack.Limits{})
	assert.ErrorIs(t, err, table.ErrLimit, "64 × 9 MiB of zeros are more than 512 MiB")
}

func TestHonestRepetitiveFilesAreRead(t *testing.T) {
	// 256 MiB of one line: a ratio of 290 in gzip, far above any log's, and still below the allowance.
	line := []byte("2026-03-16T00:00:00Z GET /health 200\n")
	path := save(t, bytes.Repeat(gz(t, bytes.Repeat(line, 1<<20/len(line))), 256))
	assert.NoError(t, drain(t.Context(), path, unpack.Limits{}))
}

func TestWindowOf128MiBIsRead(t *testing.T) {
	file := zstdFrame([]byte{0, 17 << 3}, 1)
	var err error
	allocated := allocates(func() { err = drain(t.Context(), save(t, file), unpack.Limits{}) })
	assert.NoError(t, err)
	assert.Less(t, allocated, uint64(192<<20), "the window and little more")
}

func FuzzOpenNeverPanics(f *testing.F) {
	f.Add(gz(f, []byte(content)))
	f.Add(zst(f, []byte(content)))
	f.Add(zipped(f, part{name: "a", data: []byte(content), method: zip.Deflate}))
	f.Add(zstdFrame([]byte{0, 7 << 3}, 3))
	f.Fuzz(func(t *testing.T, in []byte) {
		err := drain(t.Context(), save(t, in), unpack.Limits{MaxOutput: 1 << 20})
		if err != nil {
			var e *table.Error
			require.ErrorAs(t, err, &e)
		}
	})
}
