// SPDX-License-Identifier: Apache-2.0

package blocks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/blocks"
)

// lines is a cutter of lines, which drops those above longest bytes. State counts its calls that gave
// something.
type lines struct {
	longest, given int
	skipping       bool
}

func (l *lines) Cut(p []byte, final bool) blocks.Piece {
	n := bytes.LastIndexByte(p, '\n') + 1
	switch k := bytes.IndexByte(p, '\n'); {
	case l.skipping:
		l.skipping = k < 0
		if k < 0 {
			k = len(p) - 1
		}
		return blocks.Piece{Len: k + 1, Drop: true}
	case final:
		n = len(p)
	case n == 0 && len(p) > l.longest:
		l.skipping = true
		return blocks.Piece{Len: len(p), Drop: true}
	case n == 0:
		return blocks.Piece{}
	}
	l.given++
	return blocks.Piece{Len: n, State: l.given}
}

// input is a stream that counts how often it was closed.
type input struct {
	io.Reader
	closed int
}

func (i *input) Close() error { i.closed++; return nil }

func source(text string, size int) *blocks.Source {
	return blocks.New(io.NopCloser(strings.NewReader(text)), size)
}

// numbered is n lines of different lengths.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d %s\n", i, strings.Repeat("x", i%37))
	}
	return b.String()
}

// drain takes all blocks and returns copies of their data.
func drain(t testing.TB, s *blocks.Source, c blocks.Cutter) []string {
	t.Helper()
	var all []string
	var b blocks.Block
	for {
		err := s.Take(t.Context(), &b, c)
		if err == io.EOF {
			assert.Empty(t, b.Data)
			return all
		}
		require.NoError(t, err)
		assert.Equal(t, len(all)+1, b.State)
		all = append(all, string(b.Data))
	}
}

func TestBlocksAreTheInputInWholeRecords(t *testing.T) {
	for _, text := range []string{"", "a", "a\n", "\n", numbered(500), numbered(500) + "no end"} {
		for _, size := range []int{1, 2, 7, 100, 1 << 20} {
			all := drain(t, source(text, size), &lines{longest: 1000})
			assert.Equal(t, text, strings.Join(all, ""), "blocks of %d bytes", size)
			for i, block := range all {
				assert.True(t, strings.HasSuffix(block, "\n") || i == len(all)-1, "blocks of %d bytes: %q", size, block)
			}
		}
	}
}

func TestTheInputMayArriveInAnyPieces(t *testing.T) {
	text := numbered(300)
	for _, in := range []io.Reader{
		iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text)), iotest.HalfReader(strings.NewReader(text)),
	} {
		s := blocks.New(io.NopCloser(in), 100)
		assert.Equal(t, text, strings.Join(drain(t, s, &lines{longest: 1000}), ""))
	}
}

func TestWhatIsDroppedIsInNoBlock(t *testing.T) {
	text := "one\n" + strings.Repeat("y", 5000) + "\ntwo\n"
	assert.Equal(t, "one\ntwo\n", strings.Join(drain(t, source(text, 10), &lines{longest: 100}), ""))
	assert.Equal(t, text, strings.Join(drain(t, source(text, 10), &lines{longest: 6000}), ""), "a block grows for a long record")
}

func TestTheBeginningCanBeLookedAt(t *testing.T) {
	s := source("head\n"+numbered(50_000), 64)
	require.NoError(t, s.More(t.Context()))
	assert.Len(t, s.Rest(), blocks.Size)
	require.NoError(t, s.More(t.Context()))
	assert.Len(t, s.Rest(), 2*blocks.Size)
	assert.False(t, s.AtEnd())
	s.Skip(len("head\n"))
	assert.Equal(t, numbered(50_000), strings.Join(drain(t, s, &lines{longest: 100}), ""))

	small := source(numbered(100), 64)
	require.NoError(t, small.More(t.Context()))
	assert.True(t, small.AtEnd())
	all := drain(t, small, &lines{longest: 100})
	assert.Equal(t, numbered(100), strings.Join(all, ""))
	for _, block := range all {
		assert.True(t, strings.HasSuffix(block, "\n"), "%q: what has been read already is cut no worse", block)
	}
}

func TestConcurrentUsersGetEachBlockOnce(t *testing.T) {
	text := numbered(20_000)
	s, c := source(text, 300), &lines{longest: 1000}
	got := make([][]string, s.Share(4))
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var b blocks.Block
			for s.Take(t.Context(), &b, c) == nil {
				got[i] = append(got[i], strings.SplitAfter(string(b.Data), "\n")...)
			}
		})
	}
	wg.Wait()
	all := slices.DeleteFunc(slices.Concat(got...), func(line string) bool { return line == "" })
	want := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	want[len(want)-1] += "\n"
	slices.Sort(all)
	slices.Sort(want)
	assert.Equal(t, want, all)
	assert.EqualValues(t, len(text), s.Progress())
	assert.Zero(t, s.Progress(), "nothing since")
}

func TestABlockStaysAsItIsUntilItsUserTakesAnother(t *testing.T) {
	s, c := source(numbered(2000), 200), &lines{longest: 1000}
	var first, other blocks.Block
	require.NoError(t, s.Take(t.Context(), &first, c))
	was := string(first.Data)
	for s.Take(t.Context(), &other, c) == nil {
		require.Equal(t, was, string(first.Data))
	}
}

func TestAFaultIsEverybodysAnswer(t *testing.T) {
	fault := errors.New("fault")
	s := blocks.New(io.NopCloser(io.MultiReader(strings.NewReader("a\nb\n"), iotest.ErrReader(fault))), 2)
	var one, other blocks.Block
	c := &lines{longest: 9}
	require.NoError(t, s.Take(t.Context(), &one, c))
	require.NoError(t, s.Take(t.Context(), &other, c))
	for _, b := range []*blocks.Block{&one, &other, &one} {
		assert.Equal(t, fault, s.Take(t.Context(), b, c))
		assert.Empty(t, b.Data)
	}
	once := blocks.New(io.NopCloser(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\nb\n")))), 2)
	for range 2 {
		assert.Equal(t, iotest.ErrTimeout, once.Take(t.Context(), &one, c), "also where the input would go on")
	}
	stuck := blocks.New(io.NopCloser(emptyReader{}), 2)
	assert.Equal(t, io.ErrNoProgress, stuck.Take(t.Context(), &one, c))
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestACancelledContextChangesNothing(t *testing.T) {
	text := numbered(100)
	s, c := source(text, 50), &lines{longest: 1000}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var b blocks.Block
	assert.Equal(t, context.Canceled, s.Take(cancelled, &b, c))
	assert.Equal(t, text, strings.Join(drain(t, s, c), ""))
}

func TestTheLastReleaseClosesTheInput(t *testing.T) {
	in := &input{Reader: strings.NewReader("a\nb\n")}
	s := blocks.New(in, 2)
	require.Equal(t, 2, s.Share(2))
	require.NoError(t, s.Release())
	assert.Zero(t, in.closed)
	require.NoError(t, s.Release())
	assert.Equal(t, 1, in.closed)

	in = &input{Reader: strings.NewReader("a\n")}
	require.NoError(t, blocks.New(in, 2).Release())
	assert.Equal(t, 1, in.closed, "a source that was never shared")
}

func TestShareKnowsTheProcessorsAndSmallInputs(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	large := source(numbered(50_000), blocks.Size)
	require.NoError(t, large.More(t.Context()))
	assert.Equal(t, 3, large.Share(0))
	small := source(numbered(10), blocks.Size)
	require.NoError(t, small.More(t.Context()))
	assert.Equal(t, 1, small.Share(0))
	runtime.GOMAXPROCS(40)
	assert.Equal(t, 16, large.Share(0))
}

type consumer struct{ io.Reader }

func (consumer) Close() error    { return nil }
func (consumer) Consumed() int64 { return 77 }

func TestProgressIsWhatTheInputSays(t *testing.T) {
	s := blocks.New(consumer{strings.NewReader("a\n")}, 2)
	drain(t, s, &lines{longest: 9})
	assert.EqualValues(t, 77, s.Progress())
}

func TestBuffersAreUsedAgain(t *testing.T) {
	s, c := source(numbered(100_000), 4<<10), &lines{longest: 1000}
	var one, other blocks.Block
	ctx := t.Context()
	for range 3 {
		require.NoError(t, s.Take(ctx, &one, c))
		require.NoError(t, s.Take(ctx, &other, c))
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = s.Take(ctx, &one, c); _ = s.Take(ctx, &other, c) }))
}
