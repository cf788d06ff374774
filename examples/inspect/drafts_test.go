// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/examples/gendata/gen"
)

// edit is a change that a person makes to a draft, by lines: old is a whole line without its end.
type edit struct{ file, old, new string }

// maxEdits is how many lines a person may have to change before a draft becomes a bundle.
const maxEdits = 5

// drafted inspects files into a new folder, makes the edits and counts the lines that differ.
func drafted(t *testing.T, edits []edit, args ...string) (dir, stdout string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "draft")
	got := look(t, append(args, "-out", dir)...)
	require.Equal(t, exitDone, got.code, got.stderr)
	require.Empty(t, got.stderr)
	changed := 0
	for _, e := range edits {
		path := filepath.Join(dir, e.file)
		before := strings.Split(read(t, path), "\n")
		after := strings.Split(strings.Replace(strings.Join(before, "\n"), "\n"+e.old+"\n", "\n"+e.new+"\n", 1), "\n")
		require.NotEqual(t, before, after, "the draft has no line %q", e.old)
		require.Len(t, after, len(before), "an edit changes one line")
		changed++
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(after, "\n")), 0o600))
	}
	require.LessOrEqual(t, changed, maxEdits)
	return dir, got.stdout
}

// published carries the drafts in a folder out, writes a bundle and returns the groups that are shown, by
// table.
func published(t *testing.T, dir string, usage, visitors []string) map[string][]string {
	t.Helper()
	policy, err := aggregate.LoadPolicy(filepath.Join(dir, "policy.yaml"))
	require.NoError(t, err)
	release, err := aggregate.LoadRelease(filepath.Join(dir, "release.yaml"))
	require.NoError(t, err)
	open := func(patterns []string) []table.Source {
		if len(patterns) == 0 {
			return nil
		}
		src, err := fileio.Open(t.Context(), patterns, fileio.Options{})
		require.NoError(t, err)
		return []table.Source{src}
	}
	result, err := aggregate.Run(t.Context(), policy, release, aggregate.Inputs{Usage: open(usage), Visitors: open(visitors)})
	require.NoError(t, err)
	out := filepath.Join(dir, "bundle")
	require.NoError(t, bundle.Write(t.Context(), out, result))
	require.NoError(t, bundle.Verify(out))
	groups := map[string][]string{}
	for _, table := range result.Tables {
		for _, row := range table.Rows {
			if row.Status != aggregate.Withheld && row.Statistic == "visitors" {
				groups[table.Name] = append(groups[table.Name], strings.Join(row.Group, "/"))
			}
		}
	}
	return groups
}

// generated writes the records of examples/gendata as it does, as CSV.
func generated(t *testing.T, ids gen.IDs) (usage, visitors string) {
	t.Helper()
	g, err := gen.New(gen.Config{Rows: 60_000, People: 6000, Seed: 7, IDs: ids})
	require.NoError(t, err)
	rows := [][]string{{"visitor_id", "email", "phone", "name", "gender", "birth_year", "country", "city", "share_ok", "marketing_opt_out", "parental_consent", "created_at"}}
	for v := range g.Visitors() {
		rows = append(rows, []string{v.ID, v.Email, v.Phone, v.Name, v.Gender, v.BirthYear, v.Country, v.City, v.ShareOK, v.OptOut, v.ParentalConsent, v.CreatedAt.Format(time.RFC3339)})
	}
	visitors = write(t, "visitors.csv", csvText(t, rows))
	rows = [][]string{{"visitor_id", "visited_at", "page", "section", "referrer", "seconds", "amount", "context.ip", "context.device", "context.user_agent"}}
	for u := range g.Usage() {
		amount := ""
		if u.AmountCents > 0 {
			amount = fmt.Sprintf("%d.%02d", u.AmountCents/100, u.AmountCents%100)
		}
		rows = append(rows, []string{u.ID, u.VisitedAt.Format(time.RFC3339), u.Page, u.Section, u.Referrer, u.Seconds, amount, u.IP, u.Device, u.UserAgent})
	}
	return write(t, "usage.csv", csvText(t, rows)), visitors
}

func csvText(t *testing.T, rows [][]string) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, csv.NewWriter(&b).WriteAll(rows))
	return b.String()
}

func TestDraftsOfGeneratedRecordsBecomeABundle(t *testing.T) {
	for ids, kind := range map[gen.IDs]string{gen.Hex: "opaque", gen.UUID: "uuid", gen.Int: "opaque" /* of 63 bits, more than a Value.Whole holds */, gen.Email: "email"} {
		t.Run(string(ids), func(t *testing.T) {
			usage, visitors := generated(t, ids)
			// What a person would set: the words of this file, and how much of a visit counts.
			dir, stdout := drafted(t, []edit{
				{"policy.yaml", "population: my-people             # whose budget this is: people, not files", "population: demo-site"},
				{"release.yaml", "period: all                        # or {from: 2026-03-02, to: 2026-03-09}; the end is exclusive", "period: {from: 2026-03-02, to: 2026-03-30}"},
			}, "-usage", usage, "-visitors", visitors)
			assert.Contains(t, line(t, stdout, "visitor_id"), "id of the person ("+kind+")")
			groups := published(t, dir, []string{usage}, []string{visitors})
			assert.Contains(t, groups["gender"], "F")
			assert.Contains(t, groups["age_band"], "30-44")
			assert.Contains(t, groups["section"], "news")
		})
	}
}

// The demo's files in formats with types and without a header, unchanged.
func TestDraftsOfOtherFormatsBecomeABundle(t *testing.T) {
	for _, ext := range []string{"ndjson", "parquet"} {
		usage, visitors := "../../testdata/usage."+ext, "../../testdata/visitors.parquet"
		dir, stdout := drafted(t, nil, usage, "-visitors", visitors)
		assert.Contains(t, line(t, stdout, "visited_at"), "time (rfc3339)")
		assert.Contains(t, line(t, stdout, "context.ip"), "ip identifier: never decoded")
		groups := published(t, dir, []string{usage}, []string{visitors})
		assert.NotEmpty(t, groups["everyone"], ext) // of some 1,000 people; half of them are near the threshold
	}
}

func TestDraftsOfTheOpenUniversityClickstreamBecomeABundle(t *testing.T) {
	const data = "../../../shared/data/oulad"
	if _, err := os.Stat(data); err != nil {
		t.Skip("the OULAD clickstream is not beside the project")
	}
	usage, visitors := data+"/studentVle.zip", data+"/studentInfo.csv.gz"
	dir, stdout := drafted(t, nil, "-usage", usage, "-visitors", visitors)
	for column, want := range map[string]string{
		"id_student": "id of the person (int)", "date": "time (day_offset) none hundreds time", "sum_click": "value: set its clamp",
		"id_site": "identifier: never decoded", "gender": "few category dimension of the person",
		"disability": "special category (GDPR Art. 9): decide",
	} {
		assert.Contains(t, line(t, stdout, column), want)
	}
	groups := published(t, dir, []string{usage}, []string{visitors})
	assert.ElementsMatch(t, []string{"F", "M"}, groups["gender"])
	assert.Contains(t, groups["age_band"], "0-35")
	assert.ElementsMatch(t, []string{"AAA", "BBB"}, groups["code_module"])
}

// One file with what is known of the person in each record: no visitors.
func TestDraftsOfOneFileBecomeABundle(t *testing.T) {
	var b strings.Builder
	b.WriteString("uid,ts,plan,colour,seconds,user_agent\n")
	for i := range 9000 {
		person := i % 1500
		fmt.Fprintf(&b, "u%05d,%d,%s,%s,%d,\"Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0\"\n", person, 1_772_500_000+i,
			[]string{"free", "paid"}[person%2], []string{"red", "green", "blue"}[i%7%3], i%90)
	}
	usage := write(t, "log.csv", b.String())
	dir, stdout := drafted(t, nil, usage)
	assert.Contains(t, line(t, stdout, "plan"), "dimension of the person")
	assert.Contains(t, line(t, stdout, "colour"), "dimension of the event")
	assert.Contains(t, line(t, stdout, "ts"), "time (unix_s)")
	groups := published(t, dir, []string{usage}, nil)
	assert.ElementsMatch(t, []string{"free", "paid"}, groups["plan"])
	assert.Contains(t, read(t, filepath.Join(dir, "policy.yaml")), "browser: {from: usage, column: user_agent")
}

func TestRegistrationsAloneBecomeABundle(t *testing.T) {
	_, visitors := generated(t, gen.Hex)
	dir, _ := drafted(t, nil, "-visitors", visitors)
	assert.Contains(t, published(t, dir, nil, []string{visitors})["gender"], "F")
}
