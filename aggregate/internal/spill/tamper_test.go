// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

// onDisk returns a store with three segments in bucket 0 and two in bucket 1, all in its file; each has 40
// bytes, but for a longer one of three frames.
func onDisk(t testing.TB) (s *spill.Store, where map[string]spill.Segment) {
	t.Helper()
	s = small(t, 64, 1)
	require.NoError(t, s.Append(0, text(1, 40)))
	require.NoError(t, s.Append(0, text(2, 40)))
	require.NoError(t, s.Append(0, text(3, 120)))
	require.NoError(t, s.Append(1, text(4, 40)))
	require.NoError(t, s.Append(1, text(1, 40)))
	require.NoError(t, s.Flush())
	a, b := s.Where(0), s.Where(1)
	return s, map[string]spill.Segment{"a0": a[0], "a1": a[1], "long": a[2], "b0": b[0], "b1": b[1]}
}

// sealed reads what stands in the file for a segment of 40 bytes, or for one frame of the long one.
func sealed(t testing.TB, s *spill.Store, off int64, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := s.File().ReadAt(b, off)
	require.NoError(t, err)
	return b
}

// refused reads a bucket and wants an error of tampering that holds nothing else.
func refused(t testing.TB, s *spill.Store, bucket, intact int) {
	t.Helper()
	calls := 0
	err := s.Read(bucket, nil, func([]byte) error { calls++; return nil })
	require.ErrorIs(t, err, spill.ErrTampered)
	assert.Regexp(t, `^reading back from folder ".*": a segment is not what was written; check the disk, and who else may write to it$`, err.Error())
	assert.Equal(t, intact, calls, "segments before the first that was changed")
}

func TestAttackO09ChangedBytesAreFound(t *testing.T) {
	s, where := onDisk(t)
	for bucket, names := range [][]string{{"a0", "a1", "long"}, {"b0", "b1"}} {
		for i, name := range names {
			size := where[name].Length + spill.TagBytes
			if name == "long" {
				size += 2 * spill.TagBytes
			}
			before := sealed(t, s, where[name].Offset, size)
			for at := range before {
				changed := bytes.Clone(before)
				changed[at] ^= 1 << (at % 8)
				_, err := s.File().WriteAt(changed, where[name].Offset)
				require.NoError(t, err)
				refused(t, s, bucket, i)
			}
			_, err := s.File().WriteAt(before, where[name].Offset)
			require.NoError(t, err)
			assert.Len(t, all(t, s, bucket, nil), len(names))
		}
	}
}

func TestAttackO09MovedSegmentsAreFound(t *testing.T) {
	const size = 40 + spill.TagBytes
	move := func(t *testing.T, s *spill.Store, b []byte, to int64) {
		_, err := s.File().WriteAt(b, to)
		require.NoError(t, err)
	}
	t.Run("swapped in a bucket", func(t *testing.T) {
		s, where := onDisk(t)
		a0, a1 := sealed(t, s, where["a0"].Offset, size), sealed(t, s, where["a1"].Offset, size)
		move(t, s, a0, where["a1"].Offset)
		move(t, s, a1, where["a0"].Offset)
		refused(t, s, 0, 0)
	})
	t.Run("the same text from another bucket", func(t *testing.T) {
		s, where := onDisk(t)
		move(t, s, sealed(t, s, where["b1"].Offset, size), where["a0"].Offset)
		refused(t, s, 0, 0)
	})
	t.Run("an earlier one again", func(t *testing.T) {
		s, where := onDisk(t)
		move(t, s, sealed(t, s, where["a0"].Offset, size), where["a1"].Offset)
		refused(t, s, 0, 1)
	})
	t.Run("frames of a long one swapped", func(t *testing.T) {
		s, where := onDisk(t)
		off := where["long"].Offset
		first, second := sealed(t, s, off, 64), sealed(t, s, off+64, 64)
		move(t, s, second, off)
		move(t, s, first, off+64)
		refused(t, s, 0, 2)
	})
	t.Run("the same place of another store", func(t *testing.T) {
		s, where := onDisk(t)
		other, _ := onDisk(t)
		move(t, s, sealed(t, other, where["b1"].Offset, size), where["b1"].Offset)
		refused(t, s, 1, 1)
	})
	t.Run("cut off", func(t *testing.T) {
		s, where := onDisk(t)
		f := s.File().(*os.File)
		require.NoError(t, f.Truncate(where["b1"].Offset+size-1))
		refused(t, s, 1, 1)
		assert.Len(t, all(t, s, 0, nil), 3)
		require.NoError(t, f.Truncate(where["long"].Offset+100))
		refused(t, s, 0, 2)
		require.NoError(t, f.Truncate(0))
		refused(t, s, 0, 0)
		refused(t, s, 1, 0)
	})
}

func TestAttackO09EmptySegmentsAreSealedToo(t *testing.T) {
	s := small(t, 64, 1)
	require.NoError(t, s.Append(0))
	require.NoError(t, s.Append(0, nil, nil))
	assert.Len(t, all(t, s, 0, nil), 2)
	_, err := s.File().WriteAt(make([]byte, spill.TagBytes), s.Where(0)[1].Offset)
	require.NoError(t, err)
	refused(t, s, 0, 1)
}

// TestAdditionalDataNamesBucketAndSequence opens frames with the right nonce and other names.
func TestAdditionalDataNamesBucketAndSequence(t *testing.T) {
	s := small(t, 64, 1)
	abouts := map[string]bool{}
	s.OnSeal(func(_, about []byte) { abouts[string(about)] = true })
	for bucket := range 3 {
		for seq := range 3 {
			require.NoError(t, s.Append(bucket, text(1, 10+seq)))
		}
	}
	for bucket := range 3 {
		for seq := range 3 {
			want := append(append(make([]byte, 7), byte(bucket)), append(append(make([]byte, 7), byte(seq)), append(make([]byte, 7), byte(10+seq))...)...)
			assert.True(t, abouts[string(want)], "bucket %d, sequence %d", bucket, seq)
		}
	}
	s.RenameOnOpen(func(about []byte) { about[7] ^= 1 })
	refused(t, s, 0, 0)
	s.RenameOnOpen(func(about []byte) { about[7] ^= 1; about[15] ^= 1 })
	refused(t, s, 0, 0)
}
