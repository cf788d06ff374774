// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// square is records of people in the cells of a square of areas and hours, made as they are read.
type square struct {
	records int
	// at returns the person and the cell of a record.
	at func(i int) (person, cell int)
	// side is how many areas and how many hours there are.
	side int
}

// crowded has perCell people in each cell, each person in perPerson cells.
func crowded(cells, perCell, perPerson, side int) square {
	return square{cells * perCell, func(i int) (int, int) { return i / perPerson, i % cells }, side}
}

// sparse has thirty people in one cell of a hundred and two in the others.
func sparse(cells, side int) square {
	crowded := cells / 100 * 30
	return square{crowded + 2*cells, func(i int) (int, int) {
		if i < crowded {
			return i / 10, 100 * (i % (cells / 100))
		}
		return i / 10, (i - crowded) % cells
	}, side}
}

func (square) Name() string { return "square" }

func (square) Size() int64 { return 0 }

func (square) Schema(context.Context) (table.Schema, error) {
	return table.Schema{Fields: []table.Field{
		{Name: "id", Kind: anonymize.Int}, {Name: "area", Kind: anonymize.Int}, {Name: "hour", Kind: anonymize.Int}, {Name: "seconds", Kind: anonymize.Int},
	}}, nil
}

func (s square) Open(_ context.Context, columns []string) ([]table.Reader, error) {
	return []table.Reader{&squareReader{square: s, columns: columns}}, nil
}

type squareReader struct {
	square
	columns []string
	next    int
}

func (r *squareReader) Close() error { return nil }

func (r *squareReader) Next(_ context.Context, b *table.Batch) error {
	b.Reset(len(r.columns))
	for i := range b.Columns {
		b.Columns[i].Kind = anonymize.Int
	}
	for ; b.Len < 1<<16 && r.next < r.records; r.next++ {
		person, cell := r.at(r.next)
		for i, name := range r.columns {
			var v int
			switch name {
			case "id":
				v = person
			case "area":
				v = cell / r.side
			case "hour":
				v = cell % r.side
			case "seconds":
				v = r.next % 3600
			}
			b.Columns[i].Ints = append(b.Columns[i].Ints, int64(v))
		}
		b.Len++
	}
	if b.Len == 0 {
		return io.EOF
	}
	return nil
}

const squarePolicy = `
version: 1
population: phones
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  area: {from: usage, of: event, role: dimension, groups: $AREAS$}
  hour: {from: usage, of: event, role: dimension, groups: $HOURS$}
  seconds: {from: usage, role: value, clamp: [0, 3600], unit: s}
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {city: {purposes: [statistics]}}
`

const squareRelease = `
version: 1
name: footfall
snapshot: s1
recipient: city
purpose: statistics
period: all
spend: {epsilon: "20", delta: "0.001"}
tables:
  - name: cell
    group_by: [area, hour]
    bounds: {max_partitions: 10, max_per_partition: 2}
    statistics: [$STATISTICS$]
`

// squareJob is a release of the square's cells.
func squareJob(b *testing.B, groups, statistics string) job {
	b.Helper()
	p, err := aggregate.ParsePolicy("policy", replace(squarePolicy, "$AREAS$", groups, "$HOURS$", groups))
	require.NoError(b, err)
	r, err := aggregate.ParseRelease("release", replace(squareRelease, "$STATISTICS$", statistics))
	require.NoError(b, err)
	return job{p, r}
}

// numbers declares every label of n: the numbers from 0, and what a record without one has.
func numbers(n int) string {
	labels := []string{"unknown"}
	for i := range n - 1 {
		labels = append(labels, fmt.Sprintf("%q", fmt.Sprint(i)))
	}
	return "[" + strings.Join(labels, ", ") + "]"
}

// BenchmarkPublish draws and words a million cells, and of 2.6 million cells the one in a hundred that
// has at least k people. Reading is not measured; it takes a minute and 3 GB for all cases.
//
//	go test -run '^$' -bench Publish -benchtime 3x ./aggregate
func BenchmarkPublish(b *testing.B) {
	const side = 1000
	full, few := crowded(side*side, 30, 10, side), sparse(2_600_000, 1613)
	for _, c := range []struct {
		name, groups, statistics string
		records                  square
	}{
		{"visitors", "private", "visitors", full},
		{"selection", "private", "events", full},
		{"three", "private", "visitors, events, {sum: seconds}", full},
		{"mean", "private", "visitors, {mean: seconds}", full},
		{"share", "private", "{share: visitors, within: [area]}", full},
		{"few", "private", "visitors, events, {share: visitors}", few},
		{"declared", numbers(950), "visitors, {share: events, within: [area]}", crowded(949*949, 30, 10, 949)},
		{"parts", numbers(950), "visitors, {share: events}", crowded(949*949, 30, 10, 949)},
	} {
		b.Run(c.name, func(b *testing.B) {
			j := squareJob(b, c.groups, c.statistics)
			p, err := aggregate.Prepare(b.Context(), j.policy, j.release, aggregate.Inputs{Usage: []table.Source{c.records}}, 2)
			require.NoError(b, err)
			before := heap()
			peak := watchHeap()
			b.ReportAllocs()
			var rows int
			for b.Loop() {
				tables, err := p.Publish(b.Context(), live)
				require.NoError(b, err)
				rows = len(tables[0].Rows)
			}
			b.ReportMetric(float64(rows), "rows")
			b.ReportMetric(float64(peak()-before)/1e6, "peak-MB")
			runtime.KeepAlive(p)
		})
	}
}

// BenchmarkPlan plans a table of 902,500 declared groups whose shares are of the sum of all of them.
func BenchmarkPlan(b *testing.B) {
	j := squareJob(b, numbers(950), "visitors, {share: events}")
	b.ReportAllocs()
	for b.Loop() {
		_, err := aggregate.NewPlan(j.policy, j.release)
		require.NoError(b, err)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap watches the heap until the returned function is called, which returns its largest size.
func watchHeap() func() uint64 {
	stop, largest := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				largest <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); return <-largest }
}
