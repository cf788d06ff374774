// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

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

// BenchmarkScan reads 4 of the 12 members, one of them nested.
func BenchmarkScan(b *testing.B) {
	data := pageViews(20_000)
	src := source(b, data)
	var batch table.Batch
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		readers, err := src.Open(context.Background(), []string{"userId", "gender", "seconds", "context.ip"})
		require.NoError(b, err)
		rows := 0
		for _, r := range readers {
			for err == nil {
				err = r.Next(context.Background(), &batch)
				rows += batch.Len
			}
			require.ErrorIs(b, err, io.EOF)
			err = r.Close()
		}
		require.Equal(b, 20_000, rows)
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
