// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/table"
)

// pageViews is n records of 12 top-level members with the shape of a collector's page calls.
func pageViews(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"messageId":"ajs-next-%d-0f3b2a6e-7c1d","type":"page","userId":"u%d",`+
			`"anonymousId":"507f191e-810c-1972-9de8-60ea%08d","timestamp":"2026-03-%02dT10:05:03.123Z",`+
			`"sentAt":"2026-03-17T10:05:03.999Z","context":{"ip":"203.0.113.%d","locale":"en-GB",`+
			`"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},`+
			`"properties":{"path":"/course/%d","url":"https://example.org/course/%d?ref=mail"},`+
			`"gender":"F","birth_year":%d,"seconds":%d.5,"share_ok":true}`+"\n",
			i, i%977, i, 1+i%28, i%255, i%91, i%91, 1950+i%50, i%600)
	}
	return b.Bytes()
}

// BenchmarkScan reads 4 of the 12 members, one of them nested, with one goroutine and with two.
func BenchmarkScan(b *testing.B) {
	data := pageViews(60_000)
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src := source(b, data).In(blocks.Size, n)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				readers, err := src.Open(b.Context(), []string{"userId", "gender", "seconds", "context.ip"})
				require.NoError(b, err)
				var rows atomic.Int64
				var wg sync.WaitGroup
				for _, r := range readers {
					wg.Go(func() {
						var batch table.Batch
						for r.Next(b.Context(), &batch) == nil {
							rows.Add(int64(batch.Len))
						}
					})
				}
				wg.Wait()
				require.EqualValues(b, 60_000, rows.Load())
				for _, r := range readers {
					require.NoError(b, r.Close())
				}
			}
		})
	}
}

func source(tb testing.TB, data []byte) *ndjsonio.Source {
	tb.Helper()
	src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, ndjsonio.Options{Size: int64(len(data))})
	require.NoError(tb, err)
	return src
}
