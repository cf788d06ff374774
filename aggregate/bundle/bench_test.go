// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/dp/estimate"
)

// million is a result of a million rows, as of the visitors of as many cells.
func million(b *testing.B) *aggregate.Result {
	b.Helper()
	r := silent(b)
	t := aggregate.ResultTable{Name: "cell", Dimensions: []string{"area", "hour"}}
	whole := func(n int) aggregate.Number {
		return aggregate.Number{Decimal: estimate.Decimal{Units: int64(n)}, Known: true}
	}
	for area := range 1000 {
		for hour := range 1000 {
			n := 20 + area*hour%100_003
			t.Rows = append(t.Rows, aggregate.Row{
				Group: []string{fmt.Sprint("area ", area), fmt.Sprint("2026-03-16 ", hour)}, Statistic: "visitors", Unit: "persons",
				Value: whole(n), Display: whole(n), Low: whole(n - 7), High: whole(n + 7), Status: aggregate.Normal,
			})
		}
	}
	r.Tables = []aggregate.ResultTable{t}
	return r
}

// BenchmarkWrite writes a bundle of a million rows, all of its files.
func BenchmarkWrite(b *testing.B) {
	r := million(b)
	dir := filepath.Join(b.TempDir(), "out")
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, bundle.Write(b.Context(), dir, r))
		b.StopTimer()
		require.NoError(b, os.RemoveAll(dir))
		b.StartTimer()
	}
}
