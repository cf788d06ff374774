// SPDX-License-Identifier: Apache-2.0

package logio_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/table"
)

// BenchmarkThreeColumns reads a person, a time and a page of each line, with one goroutine and with two.
func BenchmarkThreeColumns(b *testing.B) {
	const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
	for _, form := range []struct {
		name, head, line string
		format           logio.Format
		columns          []string
	}{
		{"combined", "", apache + ` "https://example.org/" "` + agent + "\"\n", logio.Combined, []string{"host", "time", "path"}},
		{"combined all", "", apache + ` "https://example.org/" "` + agent + "\"\n", logio.Combined, []string{"host", "time", "path", "status", "bytes", "referer", "user_agent"}},
		{"iis", "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n",
			"2026-03-16 10:05:03 10.0.0.1 GET /a/b/c.html q=1 443 - 192.0.2.7 " + strings.ReplaceAll(agent, " ", "+") + " https://example.org/ 200 0 0 12\n",
			logio.W3C, []string{"c-ip", "date_time", "cs-uri-stem"}},
	} {
		in := form.head + strings.Repeat(form.line, 32<<20/len(form.line))
		src, err := logio.New("x", func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(in)), nil }, logio.Options{Format: form.format})
		require.NoError(b, err)
		for _, readers := range []int{1, 2} {
			b.Run(form.name+"/"+string(rune('0'+readers)), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
					scanAll(b, src.In(blocks.Size, readers), form.columns)
				}
			})
		}
	}
}

// scanAll drains each reader in a goroutine of its own.
func scanAll(b *testing.B, src table.Source, columns []string) {
	readers, err := src.Open(b.Context(), columns)
	require.NoError(b, err)
	var wg sync.WaitGroup
	errs := make([]error, len(readers))
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
