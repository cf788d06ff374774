// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/table"
)

// file is an opened input that knows whether it was closed and how much was read beneath it.
type file struct {
	io.Reader
	closed   int
	consumed int64
}

func (f *file) Close() error { f.closed++; return nil }

// Consumed pretends that each read took one more compressed byte.
func (f *file) Consumed() int64 { f.consumed++; return f.consumed }

func opened(t *testing.T, in io.ReadCloser) table.Reader {
	t.Helper()
	src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) { return in, nil }, ndjsonio.Options{})
	require.NoError(t, err)
	readers, err := src.Open(context.Background(), []string{"v"})
	require.NoError(t, err)
	return readers[0]
}

func TestBatchesTellHowMuchInputTheyTook(t *testing.T) {
	data := pageViews(9_000)
	r := opened(t, io.NopCloser(bytes.NewReader(data)))
	var b table.Batch
	var sum int64
	for r.Next(context.Background(), &b) == nil {
		assert.NotZero(t, b.Bytes)
		sum += b.Bytes
	}
	assert.EqualValues(t, len(data), sum)

	f := &file{Reader: bytes.NewReader(data)}
	r = opened(t, f)
	sum = 0
	for r.Next(context.Background(), &b) == nil {
		sum += b.Bytes
	}
	assert.Equal(t, f.consumed, sum)
	assert.Less(t, sum, int64(1000), "progress is counted in what the input says")
}

func TestABatchCanBeUsedAgainForAnotherShape(t *testing.T) {
	var b table.Batch
	b.Reset(3)
	b.Columns[0].Valid = append(b.Columns[0].Valid, false)
	b.Columns[0].Dict = &table.Dict{Len: 1}
	b.Columns[0].Ints = append(b.Columns[0].Ints, 7)
	r := opened(t, io.NopCloser(strings.NewReader(`{"v":"x"}`)))
	require.NoError(t, r.Next(context.Background(), &b))
	assert.Equal(t, [][]string{{"x"}}, texts(t, &b, 1))
	assert.Empty(t, b.Columns[0].Valid)
	assert.Empty(t, b.Columns[0].Ints)
}

func TestAReadErrorEndsTheScanAndStays(t *testing.T) {
	broken := io.MultiReader(bytes.NewReader(pageViews(1000)), iotest.ErrReader(errors.New("canary")))
	r := opened(t, io.NopCloser(broken))
	var b table.Batch
	for range 2 {
		err := r.Next(context.Background(), &b)
		assert.EqualError(t, err, "in.ndjson: reading the input failed")
		assert.Zero(t, b.Len)
	}
	src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(iotest.ErrReader(&os.PathError{Op: "read", Path: "canary", Err: os.ErrPermission})), nil
	}, ndjsonio.Options{})
	require.NoError(t, err)
	_, err = src.Open(context.Background(), nil)
	assert.EqualError(t, err, "in.ndjson: reading the input failed")
	assert.ErrorIs(t, err, os.ErrPermission)
}

func TestAReaderThatNeverReturnsAnythingIsGivenUp(t *testing.T) {
	src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(nothing{}), nil
	}, ndjsonio.Options{})
	require.NoError(t, err)
	_, err = src.Open(context.Background(), nil)
	assert.EqualError(t, err, "in.ndjson: reading the input failed")
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestEndOfInputStays(t *testing.T) {
	r := opened(t, io.NopCloser(strings.NewReader(`{"v":"x"}`)))
	var b table.Batch
	require.NoError(t, r.Next(context.Background(), &b))
	for range 2 {
		assert.Equal(t, io.EOF, r.Next(context.Background(), &b))
		assert.Zero(t, b.Len)
	}
}

func TestCloseClosesTheInputOnce(t *testing.T) {
	f := &file{Reader: strings.NewReader("{}\n{}")}
	r := opened(t, f)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	assert.Equal(t, 1, f.closed)
	var b table.Batch
	err := r.Next(context.Background(), &b)
	assert.EqualError(t, err, "in.ndjson: the reader is closed; open the input again")
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestWhereOpenOrSchemaEndsNothingIsLeftOpen(t *testing.T) {
	for _, text := range []string{"[1]", "{}", ""} {
		f := &file{Reader: strings.NewReader(text)}
		src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) { return f, nil }, ndjsonio.Options{})
		require.NoError(t, err)
		_, _ = src.Schema(context.Background())
		assert.Equal(t, 1, f.closed, text)
	}
}

func TestACancelledContextEndsOpenAndNext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	src := source(t, pageViews(20_000))
	readers, err := src.Open(ctx, []string{"v"})
	require.NoError(t, err)
	cancel()
	var b table.Batch
	for err == nil {
		err = readers[0].Next(ctx, &b)
	}
	assert.ErrorIs(t, err, context.Canceled)
	_, err = src.Open(ctx, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestScanningDoesNotAllocatePerRecord(t *testing.T) {
	// One warm-up batch sizes the slices; after it 4,096 records may cost less than one allocation
	// for every 100 of them, which leaves room for a map that the runtime grows.
	r := opened(t, io.NopCloser(bytes.NewReader(bytes.Repeat([]byte(`{"o":{"p":[1,2]},"v":"a\u00e9"}`+"\n"), 50*4096))))
	var b table.Batch
	allocs := testing.AllocsPerRun(20, func() {
		require.NoError(t, r.Next(context.Background(), &b))
		require.Equal(t, 4096, b.Len)
	})
	assert.Less(t, allocs, 40.0)
}

func TestAttackI05NDJSONMemoryAmplification(t *testing.T) {
	endless := strings.Repeat("x", 1<<20)
	var parts []io.Reader
	for range 64 {
		parts = append(parts, strings.NewReader(endless))
	}
	in := io.MultiReader(append([]io.Reader{strings.NewReader("{\"v\":\"")}, append(parts, strings.NewReader("\"}\n{\"v\":1}\n"))...)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := opened(t, io.NopCloser(in))
	var b table.Batch
	require.NoError(t, r.Next(context.Background(), &b))
	runtime.ReadMemStats(&after)
	assert.Equal(t, [][]string{{"1"}}, texts(t, &b, 1))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(6<<20), "buffers of 2 MiB, 1 MiB and so on")
}

func TestAttackI10ErrorTextEchoesValue(t *testing.T) {
	for _, text := range []string{"canary", "[\"canary\"]", "{\n\"canary\":1}", "\"canary\":1}"} {
		_, err := scan(t, source(t, []byte(text)), "v")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "canary")
		assert.NotContains(t, errors.Unwrap(err).Error(), "canary")
	}
}

func TestAttackI11PoisonRowAsOracle(t *testing.T) {
	without := "{\"v\":1}\n{\"v\":2}\n"
	want, err := scan(t, source(t, []byte(without)), "v")
	require.NoError(t, err)
	for _, row := range []string{`{"v":`, `{"v":1,"v":2}`, "{\"v\":\"\xff\"}", strings.Repeat("x", 2<<20), "[1]", "{", "\x00", strings.Repeat("{\"a\":", 20_000)} {
		got, err := scan(t, source(t, []byte("{\"v\":1}\n"+row+"\n{\"v\":2}\n")), "v")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}
