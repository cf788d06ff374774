// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

// small returns a store with buffers of a few bytes.
func small(t testing.TB, buffer, slots int) *spill.Store {
	t.Helper()
	s, err := spill.OpenSmall(t.TempDir(), buffer, slots)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// all reads a bucket.
func all(t testing.TB, s *spill.Store, bucket int, buf []byte) [][]byte {
	t.Helper()
	var segments [][]byte
	require.NoError(t, s.Read(bucket, buf, func(segment []byte) error {
		segments = append(segments, bytes.Clone(segment))
		return nil
	}))
	return segments
}

// text is n bytes that tell segments apart.
func text(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed*31)
	}
	return b
}

func TestSegmentsComeBackInOrder(t *testing.T) {
	s, err := spill.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	const mib = 1 << 20
	lengths := []int{0, 1, 10_000, mib - spill.TagBytes - 1, mib - spill.TagBytes, mib - spill.TagBytes + 1, mib, 3*mib + 5, 7, 0}
	var want [2][][]byte
	for i, n := range lengths {
		for bucket := range want {
			segment := text(2*i+bucket, n)
			want[bucket] = append(want[bucket], segment)
			cut := n / 3
			require.NoError(t, s.Append(1000*bucket, segment[:cut], nil, segment[cut:]))
		}
	}
	for bucket := range want {
		assert.Equal(t, len(lengths), s.Segments(1000*bucket))
		total := 0
		for _, w := range want[bucket] {
			total += len(w)
		}
		assert.EqualValues(t, total, s.Bytes(1000*bucket))
		for _, buf := range [][]byte{nil, make([]byte, 20_000), make([]byte, 0, 8*mib)} {
			got := all(t, s, 1000*bucket, buf)
			require.Len(t, got, len(want[bucket]))
			for i := range got {
				assert.True(t, bytes.Equal(want[bucket][i], got[i]), "segment %d of bucket %d", i, bucket)
			}
		}
	}
	for _, bucket := range []int{-1, 1, 999, 1001, spill.MaxBuckets} {
		assert.Zero(t, s.Segments(bucket))
		assert.Zero(t, s.Bytes(bucket))
	}
	assert.Empty(t, all(t, s, 1, nil), "a bucket without segments")
	assert.Empty(t, all(t, s, 5000, nil), "a bucket beyond the largest")
}

func TestAppendKeepsNothingOfItsParts(t *testing.T) {
	s := small(t, 256, 1)
	parts := [][]byte{[]byte("first "), []byte("second")}
	require.NoError(t, s.Append(0, parts...))
	assert.Equal(t, "first ", string(parts[0]), "Append changes no part")
	assert.Len(t, parts, 2)
	copy(parts[0], "XXXXXX")
	assert.Equal(t, "first second", string(all(t, s, 0, nil)[0]))
}

func TestReadUsesTheBufferItIsGiven(t *testing.T) {
	s := small(t, 64, 1)
	long := text(1, 200)
	require.NoError(t, s.Append(0, long))
	buf := make([]byte, 0, len(long)+spill.TagBytes)
	require.NoError(t, s.Read(0, buf, func(segment []byte) error {
		assert.Same(t, &buf[:1][0], &segment[0])
		assert.Equal(t, len(segment), cap(segment), "f cannot append into what lies behind")
		return nil
	}))
	buf = make([]byte, len(long)+spill.TagBytes-1)
	require.NoError(t, s.Read(0, buf, func(segment []byte) error {
		assert.NotSame(t, &buf[0], &segment[0])
		assert.Equal(t, long, segment)
		return nil
	}))
	assert.Equal(t, make([]byte, len(buf)), buf, "a buffer that is too small is left alone")
}

func TestReadReturnsTheFirstErrorOfItsCallback(t *testing.T) {
	s := small(t, 64, 1)
	for i := range 3 {
		require.NoError(t, s.Append(0, text(i, 10)))
	}
	stop, calls := errors.New("stop"), 0
	err := s.Read(0, nil, func([]byte) error {
		if calls++; calls == 2 {
			return stop
		}
		return nil
	})
	assert.Equal(t, stop, err)
	assert.Equal(t, 2, calls)
}

func TestCallbackMayUseTheStore(t *testing.T) {
	s := small(t, 64, 1)
	require.NoError(t, s.Append(0, []byte("outer")))
	require.NoError(t, s.Append(1, []byte("inner")))
	var inner []byte
	require.NoError(t, s.Read(0, nil, func(segment []byte) error {
		inner = all(t, s, 1, nil)[0]
		assert.NoError(t, s.Append(0, []byte("later")))
		assert.Equal(t, "outer", string(segment), "the inner Read has a buffer of its own")
		return nil
	}))
	assert.Equal(t, "inner", string(inner))
	assert.Len(t, all(t, s, 0, nil), 2, "a segment appended while the bucket was read is there afterwards")
}

func TestLimitsAreErrors(t *testing.T) {
	s := small(t, 64, 1)
	for _, bucket := range []int{-1, spill.MaxBuckets} {
		assert.EqualError(t, s.Append(bucket, []byte("x")), "want a bucket from 0 to 1048575; this is a fault of the program")
		assert.Error(t, s.Read(bucket, nil, func([]byte) error { return nil }))
	}
	big := make([]byte, spill.MaxSegment/4+1) // never touched, so never in memory
	assert.EqualError(t, s.Append(0, big, big, big, big), "want a segment of at most 1 GiB; this is a fault of the program")
	assert.Zero(t, s.Segments(0))
	s.SetEnd(1<<48 - 63)
	err := s.Append(0, text(1, 10))
	assert.ErrorContains(t, err, "the file has 256 TiB; free space")
	assert.Equal(t, err, s.Append(0, nil))
	s = small(t, 64, 1)
	s.SetEnd(1<<48 - 64)
	assert.NoError(t, s.Append(0, text(1, 10)))
	assert.Equal(t, int64(1<<48-64), s.Where(0)[0].Offset)
}

// TestNoNonceIsUsedTwice holds what AES-GCM stands on.
func TestNoNonceIsUsedTwice(t *testing.T) {
	s := small(t, 300, 3)
	var mu sync.Mutex
	nonces := map[string]bool{}
	abouts := map[string]int{}
	s.OnSeal(func(nonce, about []byte) {
		mu.Lock()
		defer mu.Unlock()
		assert.False(t, nonces[string(nonce)], "nonce %x again", nonce)
		nonces[string(nonce)] = true
		abouts[string(about)]++
	})
	frames := 0
	for _, n := range []int{0, 1, 200, 284, 285, 900} {
		frames += max(1, (n+283)/284)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				for _, n := range []int{0, 1, 200, 284, 285, 900} {
					assert.NoError(t, s.Append(g%2, text(i, n)))
				}
				assert.NoError(t, s.Read(g, nil, func([]byte) error { return nil }))
			}
		})
	}
	wg.Wait()
	assert.Len(t, nonces, 4*50*frames)
	assert.Len(t, abouts, 4*50*6, "each segment's additional data is its own")
}

func TestBufferedSegmentsAreRead(t *testing.T) {
	s := small(t, 1<<12, 2)
	var want [][]byte
	for i := range 100 {
		want = append(want, text(i, 50*i))
		require.NoError(t, s.Append(3, want[i]))
		if i%7 == 0 {
			require.Equal(t, want, all(t, s, 3, nil), "after %d segments", i+1)
		}
	}
}

func TestConcurrentAppendsAndReads(t *testing.T) {
	const workers, rounds, shared = 6, 300, 99
	s := small(t, 1<<10, 3)
	var wg sync.WaitGroup
	for g := range workers {
		wg.Go(func() {
			for i := range rounds {
				segment := text(g*rounds+i, (i*37+g*11)%1500)
				assert.NoError(t, s.Append(g, segment[:len(segment)/2], segment[len(segment)/2:]))
				assert.NoError(t, s.Append(shared, binary.BigEndian.AppendUint32(nil, uint32(g<<16|i))))
				if i%50 == 0 {
					n := 0
					assert.NoError(t, s.Read(g, nil, func(segment []byte) error {
						assert.Equal(t, text(g*rounds+n, (n*37+g*11)%1500), segment)
						n++
						return nil
					}))
					assert.Equal(t, i+1, n)
					assert.NoError(t, s.Read(shared, nil, func(segment []byte) error { return nil }))
				}
			}
		})
	}
	wg.Wait()
	var next [workers]int
	for _, segment := range all(t, s, shared, nil) {
		v := binary.BigEndian.Uint32(segment)
		g, i := int(v>>16), int(v&0xffff)
		assert.Equal(t, next[g], i, "segments of one worker stay in order")
		next[g]++
	}
	for g := range next {
		assert.Equal(t, rounds, next[g])
		assert.Equal(t, rounds, s.Segments(g))
	}
}

func TestIndexIsSmall(t *testing.T) {
	assert.EqualValues(t, spill.EntryBytes, unsafe.Sizeof(spill.Entry{}))
	assert.LessOrEqual(t, unsafe.Sizeof(spill.Chain{}), uintptr(spill.ChainBytes))
	s, err := spill.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	const buckets, each = 1024, 300
	require.NoError(t, s.Append(buckets-1, nil))
	before := s.Memory()
	assert.GreaterOrEqual(t, before, int64(1<<20+buckets*spill.ChainBytes), "a buffer and the empty lists")
	assert.LessOrEqual(t, before, int64(1<<20+buckets*spill.ChainBytes+1000))
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	for range each {
		for bucket := range buckets {
			require.NoError(t, s.Append(bucket, nil))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&m1)
	perSegment := float64(s.Memory()-before) / (buckets * each)
	assert.LessOrEqual(t, perSegment, 14.0, "bytes of index a segment, as counted")
	assert.LessOrEqual(t, float64(int64(m1.HeapAlloc)-int64(m0.HeapAlloc))/(buckets*each), 16.0, "as the heap has it")
	assert.LessOrEqual(t, s.Memory(), int64(9<<20+buckets*each*16))
	runtime.KeepAlive(s)
}

func TestLongSegmentsNeedNoMoreMemory(t *testing.T) {
	s := small(t, 1<<16, 1)
	long := text(1, 1<<22)
	require.NoError(t, s.Append(0, nil))
	before := s.Memory()
	allocated := testing.AllocsPerRun(5, func() { require.NoError(t, s.Append(0, long, long)) })
	assert.LessOrEqual(t, allocated, 1.0)
	assert.LessOrEqual(t, s.Memory()-before, int64(1000))
}

func TestAppendAndReadAllocateNothing(t *testing.T) {
	s, err := spill.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	a, b := text(1, 4000), text(2, 6000)
	for i := range 510 {
		require.NoError(t, s.Append(7+i/500, a, b))
	}
	// The list grows by a quarter, once in a hundred appends here: AllocsPerRun rounds down.
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = s.Append(7, a, b) }), "Append")
	buf := make([]byte, 10_016)
	n := 0
	read := func(segment []byte) error { n += len(segment); return nil }
	// So many runs since the race detector makes pools forget one thing in four.
	assert.Zero(t, testing.AllocsPerRun(200, func() { _ = s.Read(8, buf, read) }), "Read into a buffer")
	assert.Zero(t, testing.AllocsPerRun(200, func() { _ = s.Read(8, nil, read) }), "Read without one")
	assert.Positive(t, n)
}

func TestStorePrintsAsAFixedText(t *testing.T) {
	s := small(t, 64, 1)
	require.NoError(t, s.Append(0, []byte("canary")))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		assert.Equal(t, "[spill store]", fmt.Sprintf(verb, s), verb)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "store", s)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "store", s)
	assert.Contains(t, log.String(), `store="[spill store]"`)
	assert.Contains(t, log.String(), `"store":{}`)
	got, err := json.Marshal(map[string]any{"store": s})
	require.NoError(t, err)
	assert.Equal(t, `{"store":{}}`, string(got))
}

func TestDefaultFolderIsTheSystems(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	s, err := spill.Open("")
	require.NoError(t, err)
	require.NoError(t, s.Append(0, []byte("x")))
	require.NoError(t, s.Close())
	require.NoError(t, os.RemoveAll(dir))
	_, err = spill.Open("")
	assert.ErrorContains(t, err, fmt.Sprintf("making a temporary file in folder %q", dir))
}

// FuzzStore holds the store to a map of slices. Each step is two bytes: what to do with which bucket, and
// how long a segment is.
func FuzzStore(f *testing.F) {
	f.Add(byte(64), []byte{0, 1, 1, 2, 0x40, 0, 0, 255, 0x41, 0, 2, 48, 2, 49, 0x42, 0})
	f.Add(byte(17), []byte{0, 0, 0, 1, 0, 2, 0x40, 0})
	f.Add(byte(200), bytes.Repeat([]byte{3, 183, 3, 184, 3, 185, 0x43, 9}, 20))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, buffer byte, steps []byte) {
		s, err := spill.OpenSmall(dir, max(int(buffer), spill.TagBytes+1), 1+int(buffer)%3)
		require.NoError(t, err)
		defer s.Close()
		model := map[int][][]byte{}
		buf := make([]byte, int(buffer))
		for pair := range slices.Chunk(steps, 2) {
			if len(pair) < 2 {
				break
			}
			bucket := int(pair[0] & 7)
			if pair[0]&0x40 != 0 {
				require.Equal(t, model[bucket], all(t, s, bucket, buf[:cap(buf)*int(pair[1]&1)]))
				continue
			}
			n := int(pair[1])
			if pair[0]&0x80 != 0 {
				n *= 5
			}
			segment := text(len(model[bucket])+bucket*100, n)
			model[bucket] = append(model[bucket], segment)
			cut := n * int(pair[0]>>4&3) / 3
			require.NoError(t, s.Append(bucket, segment[:cut], segment[cut:]))
		}
		for bucket := range 8 {
			require.Equal(t, model[bucket], all(t, s, bucket, nil))
			require.Equal(t, len(model[bucket]), s.Segments(bucket))
			require.EqualValues(t, len(bytes.Join(model[bucket], nil)), s.Bytes(bucket))
		}
	})
}
