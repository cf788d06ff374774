// SPDX-License-Identifier: Apache-2.0

// Beam answers one of the peers' questions with Google's Privacy on Beam on a local runner. Peers
// builds and starts it; by hand it is
//
//	go run ./beam -in usage.parquet -out result.csv -group gender,country -sum
//
// The result has lines of "statistic|group|value". Exit codes: 0 done; 1 the pipeline failed; 2 the
// flags are wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/textio"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/google/differential-privacy/privacy-on-beam/v3/pbeam"
)

// Beam finds functions and types by name, in this process and in workers, and wants them registered
// before flags are read: this is its own documented way.
func init() {
	local.New(context.Background())
	register.Emitter2[int64, record]()
	register.DoFn3x1[context.Context, int, func(int64, record), error](&readFn{})
	register.Function1x1(groupOf)
	register.Function1x2(groupAndSeconds)
	register.Function2x1(formatVisitors)
	register.Function2x1(formatEvents)
	register.Function2x1(formatSum)
}

// The question's bounds: the same for all peers.
const (
	epsilon       = 1.0
	delta         = 1e-9
	maxPartitions = 3
	maxRecords    = 5
	maxSeconds    = 600
)

// record is a usage record without the person's id.
type record struct {
	Group   string
	Seconds int64
}

func groupOf(r record) string                     { return r.Group }
func groupAndSeconds(r record) (string, int64)    { return r.Group, r.Seconds }
func formatVisitors(group string, n int64) string { return fmt.Sprintf("visitors|%s|%d", group, n) }
func formatEvents(group string, n int64) string   { return fmt.Sprintf("events|%s|%d", group, n) }
func formatSum(group string, n int64) string      { return fmt.Sprintf("sum|%s|%d", group, n) }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	in := flag.String("in", "", "Parquet file of usage records")
	out := flag.String("out", "", "file of the result")
	group := flag.String("group", "gender", "columns to group by: of gender, country, page, day")
	sum := flag.Bool("sum", false, "count events and sum seconds too, in 3 groups and 5 records of each person")
	runner := flag.String("on", "direct", "runner: direct or prism")
	if err := flag.CommandLine.Parse(args); err != nil {
		return 2
	}
	beam.Init()
	beamlog.SetLogger(quiet{})
	// Collecting less often makes it a third faster; the limit holds memory down again at many records.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(8 << 30)
	p := beam.NewPipeline()
	s := p.Root()
	groups, err := rowGroups(*in)
	if err != nil {
		return fail(err)
	}
	read := &readFn{Path: *in, Columns: strings.Split(*group, ",")}
	records := beam.ParDo(s, read, beam.Reshuffle(s, beam.CreateList(s, groups)))
	textio.Write(s, *out, question(s, records, *sum))
	switch *runner {
	case "direct":
		_, err = direct.Execute(context.Background(), p)
	case "prism":
		_, err = prism.Execute(context.Background(), p)
	default:
		err = errors.New("-on: want direct or prism")
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "beam:", err)
	return 1
}

// question is the visitors of each group alone, or visitors, events and seconds.
func question(s beam.Scope, records beam.PCollection, sum bool) beam.PCollection {
	if !sum {
		spec := newSpec(epsilon, 0, delta)
		persons := pbeam.ParDo(s, groupOf, pbeam.MakePrivate(s, records, spec))
		return beam.ParDo(s, formatVisitors, pbeam.DistinctPrivacyID(s, persons, pbeam.DistinctPrivacyIDParams{MaxPartitionsContributed: 1}))
	}
	// Each of three aggregations selects its own groups, two of them at a price in ε.
	const part, third = epsilon / 5, delta / 3
	spec := newSpec(3*part, 2*part, delta)
	private := pbeam.MakePrivate(s, records, spec)
	byGroup, values := pbeam.ParDo(s, groupOf, private), pbeam.ParDo(s, groupAndSeconds, private)
	selection := pbeam.PartitionSelectionParams{Epsilon: part, Delta: third}
	return beam.Flatten(s,
		beam.ParDo(s, formatVisitors, pbeam.DistinctPrivacyID(s, byGroup, pbeam.DistinctPrivacyIDParams{
			AggregationEpsilon: part, PartitionSelectionDelta: third, MaxPartitionsContributed: maxPartitions,
		})),
		beam.ParDo(s, formatEvents, pbeam.Count(s, byGroup, pbeam.CountParams{
			AggregationEpsilon: part, PartitionSelectionParams: selection,
			MaxPartitionsContributed: maxPartitions, MaxValue: maxRecords,
		})),
		beam.ParDo(s, formatSum, pbeam.SumPerKey(s, values, pbeam.SumParams{
			AggregationEpsilon: part, PartitionSelectionParams: selection,
			MaxPartitionsContributed: maxPartitions, MinValue: 0, MaxValue: maxRecords * maxSeconds,
		})))
}

func newSpec(aggregation, selection, delta float64) *pbeam.PrivacySpec {
	spec, err := pbeam.NewPrivacySpec(pbeam.PrivacySpecParams{
		AggregationEpsilon: aggregation, PartitionSelectionEpsilon: selection, PartitionSelectionDelta: delta, PreThreshold: 20,
	})
	if err != nil {
		panic(err) // the numbers above are constants
	}
	return spec
}

// quiet drops what Beam logs below an error: at 10 million rows the log is a cost of its own.
type quiet struct{}

func (quiet) Log(_ context.Context, severity beamlog.Severity, _ int, message string) {
	if severity >= beamlog.SevError {
		fmt.Fprintln(os.Stderr, message)
	}
}
