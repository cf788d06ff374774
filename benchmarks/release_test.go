// SPDX-License-Identifier: Apache-2.0

package benchmarks_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/benchmarks/internal/data"
)

const policy = `version: 1
population: bench
privacy_unit: {ids: [{column: user_id, from: usage, kind: KIND}]}
columns:
  gender: {role: dimension, from: usage, of: event, groups: private}
  country: {role: dimension, from: usage, of: event, groups: private}
  page: {role: dimension, from: usage, of: event, groups: private}
  day: {role: dimension, from: usage, of: event, column: ts, as: unix_ms, grain: day, groups: private}
  seconds: {role: value, from: usage, clamp: [0, 600]}
EXCLUDEmin_people: {k: 20}
budget: {epsilon: "20", delta: "1e-6"}
recipients: {acme: {purposes: [stats]}}
`

const exclude = `exclude:
  consent: {from: usage, column: consent, allow: ["yes"]}
  under_age: {from: usage, column: born, as: birth_year, below: 13}
`

const release = `version: 1
name: bench
snapshot: s1
recipient: acme
purpose: stats
period: all
as_of: 2026-03-02
spend: {epsilon: "1", delta: "1e-9"}
tables:
`

// The tables that are measured; the names are those of benchmarks/peers.
var tables = map[string]string{
	"gender":           "  - {name: gender, group_by: [gender], bounds: {max_partitions: 1}, statistics: [visitors, {share: visitors}]}\n",
	"gender_country":   "  - {name: gender_country, group_by: [gender, country], bounds: {max_partitions: 3, max_per_partition: 5}, statistics: [visitors, events, {sum: seconds}]}\n",
	"country_page_day": "  - {name: country_page_day, group_by: [country, page, day], bounds: {max_partitions: 3, max_per_partition: 5}, statistics: [visitors, events, {sum: seconds}]}\n",
}

// job is a release over one generated file.
type job struct {
	policy  *aggregate.Policy
	release *aggregate.Release
	input   aggregate.Inputs
	rows    int64
}

func newJob(b testing.TB, c data.Config, kind, rules string, names ...string) *job {
	g, err := data.New(c)
	require.NoError(b, err)
	var file bytes.Buffer
	require.NoError(b, g.WriteUsage(&file))
	source, err := parquetio.New("usage.parquet", bytes.NewReader(file.Bytes()), int64(file.Len()), parquetio.Options{})
	require.NoError(b, err)
	j := &job{rows: c.Rows, input: aggregate.Inputs{Usage: []table.Source{source}}}
	j.policy, err = aggregate.ParsePolicy("policy.yaml", []byte(strings.NewReplacer("KIND", kind, "EXCLUDE", rules).Replace(policy)))
	require.NoError(b, err)
	text := release
	for _, n := range names {
		text += tables[n]
	}
	j.release, err = aggregate.ParseRelease("release.yaml", []byte(text))
	require.NoError(b, err)
	return j
}

// run measures the release, in nanoseconds per row and allocations per run.
func (j *job) run(b *testing.B, workers int) {
	b.ReportAllocs()
	runner := aggregate.Runner{Workers: workers, Slot: -1} // its rest is no work
	for b.Loop() {
		if _, err := runner.Run(b.Context(), j.policy, j.release, j.input); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(j.rows), "ns/row")
}

// usual is a million rows of a hundred thousand people, as most files are written.
func usual() data.Config {
	return data.Config{
		Rows: 1_000_000, People: 100_000, Days: 14, Seed: 1, IDs: "hex16", Sort: "time", Format: "parquet", Codec: "snappy",
	}
}

// BenchmarkRelease runs each table alone, all together, with rules, and with one worker.
func BenchmarkRelease(b *testing.B) {
	three := []string{"gender", "gender_country", "country_page_day"}
	for _, name := range three {
		b.Run(name, func(b *testing.B) { newJob(b, usual(), "opaque", "", name).run(b, 2) })
	}
	b.Run("three_tables", func(b *testing.B) { newJob(b, usual(), "opaque", "", three...).run(b, 2) })
	b.Run("two_rules", func(b *testing.B) { newJob(b, usual(), "opaque", exclude, "gender_country").run(b, 2) })
	b.Run("one_worker", func(b *testing.B) { newJob(b, usual(), "opaque", "", "gender_country").run(b, 1) })
}

// BenchmarkFile runs one release over the ways in which a file may be written.
func BenchmarkFile(b *testing.B) {
	files := map[string]func(*data.Config){
		"uuid": func(c *data.Config) { c.IDs = "uuid" }, "int64": func(c *data.Config) { c.IDs = "int64" },
		"bin16": func(c *data.Config) { c.IDs = "bin16" }, "dict": func(c *data.Config) { c.DictIDs = true },
		"zstd": func(c *data.Config) { c.Codec = "zstd" }, "none": func(c *data.Config) { c.Codec = "none" },
		"by_user": func(c *data.Config) { c.Sort = "user" },
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b.Run(name, func(b *testing.B) {
			c, kind := usual(), "opaque"
			files[name](&c)
			if c.IDs == "uuid" {
				kind = "uuid"
			}
			newJob(b, c, kind, "", "gender_country").run(b, 2)
		})
	}
}

// A scan allocates for people, groups and buffers, and nothing for a row.
func TestScanDoesNotAllocatePerRow(t *testing.T) {
	allocations := func(ids string, rows int64) float64 {
		c := usual()
		c.Rows, c.People, c.IDs = rows, 1000, ids
		j := newJob(t, c, map[string]string{"uuid": "uuid", "hex16": "opaque", "int64": "int"}[ids], "", "gender")
		return testing.AllocsPerRun(3, func() {
			_, err := (&aggregate.Runner{Workers: 1, Slot: -1}).Run(t.Context(), j.policy, j.release, j.input)
			require.NoError(t, err)
		})
	}
	for _, ids := range []string{"hex16", "uuid", "int64"} {
		few, many := allocations(ids, 20_000), allocations(ids, 200_000)
		require.Less(t, many-few, 2000.0, "%s: %v and %v allocations", ids, few, many)
	}
}
