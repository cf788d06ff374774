// SPDX-License-Identifier: Apache-2.0

package csvio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// BenchmarkThreeOfEightColumns reads page views with one goroutine and with two, without quotes, with
// quotes around one field and with quotes around all.
func BenchmarkThreeOfEightColumns(b *testing.B) {
	plain := "28400,AAA-2013J,546652,-10,4,GB,Mozilla/5.0,https://example.org/\n"
	for _, form := range []struct{ name, line string }{
		{"plain", plain},
		{"one quoted", strings.Replace(plain, "Mozilla/5.0", `"Mozilla/5.0 (X11, Linux)"`, 1)},
		{"all quoted", `"` + strings.ReplaceAll(strings.TrimSpace(plain), ",", `","`) + "\"\n"},
	} {
		in := []byte("visitor_id,course,page,day,clicks,country,agent,ref\n" + strings.Repeat(form.line, 32<<20/len(form.line)))
		src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(in)), nil }, csvio.Options{})
		require.NoError(b, err)
		for _, readers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", form.name, readers), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
					scanAll(b, src.In(blocks.Size, readers), "visitor_id", "course", "clicks")
				}
			})
		}
	}
}

// scanAll drains each reader in a goroutine of its own.
func scanAll(b *testing.B, src table.Source, columns ...string) {
	readers, err := src.Open(b.Context(), columns)
	require.NoError(b, err)
	errs := make([]error, len(readers))
	var wg sync.WaitGroup
	for i, r := range readers {
		wg.Go(func() {
			var batch table.Batch
			for errs[i] == nil {
				errs[i] = r.Next(b.Context(), &batch)
			}
		})
	}
	wg.Wait()
	for i, r := range readers {
		require.Equal(b, io.EOF, errs[i])
		require.NoError(b, r.Close())
	}
}
