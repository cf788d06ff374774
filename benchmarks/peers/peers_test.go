// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the DuckDB child that peers starts.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-child") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

const testRows = 20_000

// testBench builds nothing.
func testBench(t *testing.T) *bench {
	dir := t.TempDir()
	return &bench{options: &options{rows: testRows, threads: 2, pairs: 1, data: dir}, scratch: dir, stderr: &bytes.Buffer{}}
}

func TestAllMeasuresRun(t *testing.T) {
	names, lines := measureNames(), len(measureNames())
	args := []string{"-rows", strconv.Itoa(testRows), "-pairs", "1", "-data", t.TempDir(), "-json"}
	if os.Getenv("THRONG_PEERS_BEAM") == "" {
		args = append(args, "-beam=false")
	} else {
		names = []string{"gender", "gender", "gender_country", "gender_country", "country_page_day", "country_page_day"}
		names, lines = append(names, measureNames()[3:]...), lines+3
	}
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), args, &stdout, &stderr), stderr.String())
	printed := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	require.Len(t, printed, lines)
	for i, text := range printed {
		var l jsonLine
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		assert.Equal(t, names[i], l.Measure)
		assert.Positive(t, l.OursS)
		assert.Positive(t, l.PeerS)
		assert.Positive(t, l.Ratio)
		assert.NotEmpty(t, l.Peer)
		assert.EqualValues(t, testRows, l.Rows)
	}
}

func TestTextSaysWhatWasRun(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"-rows", "2000", "-pairs", "2", "-data", dir, "-beam=false", "-measures", "gender,workers"}
	require.Equal(t, 0, run(t.Context(), args, &stdout, &stderr), stderr.String())
	for _, want := range []string{
		"duckdb    v1.", "gender against duckdb, 2000 rows, 2 pairs", "from (select distinct hash(user_id), gender from read_parquet(",
		"check     ", "workers against throng:1_worker",
	} {
		assert.Contains(t, stdout.String(), want)
	}
	assert.NotContains(t, stdout.String(), dir, "the report names this machine's folders")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "usage-2000-v1.parquet", left[0].Name())
}

// ask answers a question with DuckDB, all groups of it.
func ask(t *testing.T, b *bench, q question) figures {
	usage, err := b.file("parquet", b.rows)
	require.NoError(t, err)
	var out bytes.Buffer
	query := strings.ReplaceAll(q.sql, "having count(*) >= 20", "")
	require.NoError(t, answer(t.Context(), strings.ReplaceAll(query, "FROM", from("parquet", usage)), 2, &out))
	path := filepath.Join(t.TempDir(), "out.csv")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	got, err := readDuckDB(path, q)
	require.NoError(t, err)
	return got
}

// naive counts the rows of the CSV twin: by person, by group, the records and their seconds.
func naive(t *testing.T, b *bench, label func(map[string]string) string) map[string]map[string][2]float64 {
	path, err := b.file("csv", b.rows)
	require.NoError(t, err)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	out := map[string]map[string][2]float64{}
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		seconds, err := strconv.ParseFloat(row["seconds"], 64)
		require.NoError(t, err)
		person, group := row["user_id"], label(row)
		if out[person] == nil {
			out[person] = map[string][2]float64{}
		}
		n := out[person][group]
		out[person][group] = [2]float64{n[0] + 1, n[1] + seconds}
	}
	return out
}

func TestSQLWithoutSamplingIsExact(t *testing.T) {
	b := testBench(t)
	for _, tc := range []struct {
		q     question
		label func(map[string]string) string
	}{
		{gender, func(r map[string]string) string { return r["gender"] }},
		{genderCountry, func(r map[string]string) string { return r["gender"] + "|" + r["country"] }},
	} {
		want := figures{}
		for _, groups := range naive(t, b, tc.label) {
			require.LessOrEqual(t, len(groups), 3)
			for group, n := range groups {
				events := min(n[0], 5)
				want.set(group, "visitors", want[group]["visitors"]+1)
				if tc.q.name == "gender" {
					continue
				}
				want.set(group, "events", want[group]["events"]+events)
				want.set(group, "sum_seconds", want[group]["sum_seconds"]+n[1]*events/n[0])
			}
		}
		got := ask(t, b, tc.q)
		require.Len(t, got, len(want))
		for group, statistics := range want {
			require.InDeltaMapValues(t, statistics, got[group], 1e-6, "%s %s", tc.q.name, group)
		}
	}
}

func TestSQLKeepsThreeGroupsOfAPerson(t *testing.T) {
	b := testBench(t)
	people := naive(t, b, func(r map[string]string) string { return r["country"] + "|" + r["page"] + "|" + r["ts"][:10] })
	want, cut, groups := 0, 0, map[string]bool{}
	for _, of := range people {
		want += min(len(of), 3)
		cut += max(len(of)-3, 0)
		for group := range of {
			groups[group] = true
		}
	}
	require.Positive(t, cut)
	got, events := 0.0, 0.0
	for group, statistics := range ask(t, b, countryPageDay) {
		require.True(t, groups[group], group)
		require.LessOrEqual(t, statistics["sum_seconds"], 600*statistics["events"])
		got += statistics["visitors"]
		events += statistics["events"]
	}
	assert.EqualValues(t, want, got)
	assert.GreaterOrEqual(t, events, got)
	assert.LessOrEqual(t, events, 5*got)
}

func TestFiguresThatAreTooFarApartAreFound(t *testing.T) {
	plan := planned{shownFrom: 200, width: map[string]float64{"visitors": 10, "events": 50}}
	exact := figures{"a": {"visitors": 1000, "events": 3000}, "b": {"visitors": 150, "events": 200}}
	for name, tc := range map[string]struct {
		mine    figures
		theirs  figures
		widths  map[string]float64
		sampled bool
		want    string
	}{
		"near":              {mine: figures{"a": {"visitors": 1059, "events": 2701}}, theirs: exact},
		"far visitors":      {mine: figures{"a": {"visitors": 1061, "events": 3000}}, theirs: exact, want: "1 too far apart"},
		"far events":        {mine: figures{"a": {"visitors": 1000, "events": 3301}}, theirs: exact, want: "1 too far apart"},
		"missing":           {mine: figures{"b": {"visitors": 150}}, theirs: exact, want: "1 groups missing"},
		"few in theirs":     {mine: figures{"a": {"visitors": 1000}, "c": {"visitors": 79}}, theirs: exact},
		"none in theirs":    {mine: figures{"a": {"visitors": 1000}, "c": {"visitors": 81}}, theirs: exact, want: "1 too far apart"},
		"their noise":       {mine: figures{"a": {"visitors": 1100}}, theirs: exact, widths: map[string]float64{"visitors": 10}},
		"their threshold":   {mine: figures{"a": {"visitors": 1000}, "c": {"visitors": 81}}, theirs: exact, widths: map[string]float64{}},
		"sampling":          {mine: figures{"a": {"visitors": 1330}}, theirs: exact, sampled: true},
		"more than samples": {mine: figures{"a": {"visitors": 1335}}, theirs: exact, sampled: true, want: "1 too far apart"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := plan.near(tc.mine, tc.theirs, tc.widths, tc.sampled)
			assert.Contains(t, text, " figures compared, ")
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, errFar)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestBeamResultIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beam.txt")
	require.NoError(t, os.WriteFile(path, []byte("visitors|FR|/p/1|7\nevents|FR|/p/1|9\nsum|FR|/p/1|500\n"), 0o600))
	_, _, err := readBeam(path+".none", gender)
	require.NoError(t, err, "Beam writes no file where no group is shown")
	got, widths, err := readBeam(path, countryPageDay)
	require.NoError(t, err)
	assert.Equal(t, figures{"FR|/p/1": {"visitors": 7, "events": 9}}, got)
	assert.InDelta(t, 44.9, widths["visitors"], 0.1)
	assert.InDelta(t, 224.7, widths["events"], 0.1)
}

func TestRunsTakeTurns(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	script := func(name string) *command {
		return &command{path: "/bin/sh", args: []string{"-c", "sleep 0.02; echo " + name + " $GOMAXPROCS >> " + log}, procs: 3, out: filepath.Join(dir, name)}
	}
	pairs, err := inTurns(t.Context(), script("ours"), script("peer"), 2, true, forever)
	require.NoError(t, err)
	require.Len(t, pairs, 2)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Equal(t, "peer 3\nours 3\nours 3\npeer 3\npeer 3\nours 3\n", string(text))
	for _, p := range pairs {
		assert.GreaterOrEqual(t, p.ours.wall, 20*time.Millisecond)
		assert.GreaterOrEqual(t, p.peer.wall, 20*time.Millisecond)
	}
	pairs, err = inTurns(t.Context(), script("ours"), script("peer"), 5, false, time.Millisecond)
	require.NoError(t, err)
	assert.Len(t, pairs, 1, "a pair began after enough")
	fail := &command{path: "/bin/sh", args: []string{"-c", "echo broken >&2; exit 3"}, out: filepath.Join(dir, "fail")}
	_, err = inTurns(t.Context(), fail, fail, 1, false, forever)
	assert.ErrorContains(t, err, "exit status 3: broken")
}

func TestMemoryIsSampled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells it")
	}
	query := "select count(*) from (select range as r, random() as x from range(3000000) order by x)"
	self, err := os.Executable()
	require.NoError(t, err)
	c := &command{path: self, args: []string{"-child", query}, procs: 2, out: filepath.Join(testBench(t).data, "out")}
	s, err := c.run(t.Context())
	require.NoError(t, err)
	assert.Greater(t, s.rss, int64(10<<20))
	assert.Positive(t, s.cpu)
}

func TestMedian(t *testing.T) {
	var pairs []pair
	for _, d := range []time.Duration{5, 1, 9, 2} {
		pairs = append(pairs, pair{ours: sample{wall: d * time.Second}})
	}
	seconds := func(p pair) float64 { return p.ours.wall.Seconds() }
	assert.Equal(t, 3.5, median(pairs, seconds))
	assert.Equal(t, 5.0, median(pairs[:3], seconds))
}

func TestFlagsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"help":     {[]string{"-h"}, 0, ""},
		"unknown":  {[]string{"-colour"}, 2, "flag provided but not defined"},
		"stray":    {[]string{"gender"}, 2, "got 1 arguments after the flags, want none"},
		"measures": {[]string{"-measures", "gender,age"}, 2, `-measures: got "age", want some of gender, gender_country,`},
		"rows":     {[]string{"-rows", "10"}, 2, "-rows: got 10, want 1000 or more"},
		"threads":  {[]string{"-threads", "0"}, 2, "-threads: got 0, want 1 or more"},
		"pairs":    {[]string{"-pairs", "0"}, 2, "-pairs: got 0, want 1 or more"},
		"data":     {[]string{"-data", "results"}, 1, "-data: got a folder of the repository, want one elsewhere"},
		"child":    {[]string{"-child", "select"}, 1, "Parser Error"},
		"throng":   {[]string{"-throng", "/no/such", "-beam=false", "-rows", "1000", "-data", t.TempDir()}, 1, "/no/such"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tc.code, run(t.Context(), tc.args, &stdout, &stderr))
			if tc.code == 0 {
				assert.Contains(t, stdout.String(), "-beam-rows")
				assert.Empty(t, stderr.String())
				return
			}
			assert.Contains(t, stderr.String(), tc.want)
		})
	}
	assert.NoFileExists(t, "results")
}
