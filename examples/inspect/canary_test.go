// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canaries are parts of every value below, and the numbers and days that only the data has.
var canaries = []string{"anary", "73918264", "1937", "2019-08-07", "20190807", "198.51.100", "4321"}

// planted are columns of every role with a value for record i that holds a canary.
var planted = []struct {
	name  string
	value func(i int) string
}{
	{"user_id", func(i int) string { return fmt.Sprintf("canary%d", i%900) }},
	{"gender", func(i int) string { return []string{"canary-f", "canary-m"}[i%2] }},
	{"birth_year", func(int) string { return "1937" }},
	{"dob", func(int) string { return "1937-01-02" }},
	{"age", func(i int) string { return fmt.Sprint(i % 73) }},
	{"consent", func(i int) string { return []string{"canary yes", "canary no"}[i%2] }},
	{"newsletter_opt_out", func(i int) string { return []string{"canary", "0"}[i%2] }},
	{"gpc", func(int) string { return "canary" }},
	{"visited_at", func(i int) string { return fmt.Sprintf("2019-08-07T10:%02d:00Z", i%60) }},
	{"day", func(int) string { return "20190807" }},
	{"seconds", func(i int) string { return fmt.Sprint(73_918_264 + i) }},
	{"price", func(i int) string { return fmt.Sprintf("73918264.%02d", i%100) }},
	{"country", func(i int) string { return []string{"canary land", "canaria"}[i%2] }},
	{"religion", func(int) string { return "canary faith" }},
	{"email", func(i int) string { return fmt.Sprintf("canary%d@example.org", i) }},
	{"phone", func(int) string { return "+12025573918264" }},
	{"ip", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%250) }},
	{"referrer", func(i int) string { return fmt.Sprintf("https://canary.example/%d", i) }},
	{"page", func(i int) string { return fmt.Sprintf("/canary/%d", i) }},
	{"user_agent", func(int) string { return "Mozilla/5.0 canary" }},
	{"notes", func(i int) string { return strings.Repeat("the canary sang and sang ", i%9+3) }},
	{"hash", func(i int) string { return fmt.Sprintf("canary%032x", i*7919) }},
}

func plantedCSV(rows int) string {
	var b strings.Builder
	for i, p := range planted {
		b.WriteString(strings.Repeat(",", min(i, 1)) + p.name)
	}
	for i := range rows {
		b.WriteByte('\n')
		for j, p := range planted {
			b.WriteString(strings.Repeat(",", min(j, 1)) + p.value(i))
		}
	}
	return b.String() + "\n"
}

func plantedJSON(t *testing.T, rows int) string {
	t.Helper()
	var b strings.Builder
	for i := range rows {
		record := map[string]any{}
		for _, p := range planted {
			record[p.name] = p.value(i)
		}
		record["seen"] = map[string]int{fmt.Sprintf("canary%d", i%900): 1} // names that are ids
		record["by"] = map[string]string{"canary@example.org": "canary", "2019-08-07": "canary"}
		line, err := json.Marshal(record)
		require.NoError(t, err)
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// silent asserts that a run and its drafts hold no canary.
func silent(t *testing.T, got output, dir string) {
	t.Helper()
	texts := map[string]string{"stdout": got.stdout, "stderr": got.stderr}
	for _, name := range []string{"policy.yaml", "release.yaml"} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			texts[name] = string(content)
		}
	}
	for name, text := range texts {
		for _, canary := range canaries {
			assert.NotContains(t, strings.ToLower(text), canary, name)
		}
	}
}

func TestNoValueIsPrintedOrWritten(t *testing.T) {
	const rows = 4321
	for name, content := range map[string]string{
		"u.csv":                plantedCSV(rows),
		"u.ndjson":             plantedJSON(t, rows),
		"broken.csv":           plantedCSV(rows) + "\"canary\n",
		"headless.csv":         strings.SplitN(plantedCSV(rows), "\n", 2)[1],
		"oddheader.csv":        strings.Replace(plantedCSV(rows), "hash\n", "canary@example.org\n", 1),
		"noid.csv":             "colour,place\ncanary red,canary hill\n",
		"cut.csv.gz":           "\x1f\x8b\x08canary",
		"labels.csv":           "user_id,\"say \"\"canary\"\"\",canary@example.org,2019-08-07\n" + strings.Repeat("a,canary,canary,canary\n", rows),
		"header as record.csv": "canary-f,canary land\n" + strings.Repeat("canary-f,canary land\ncanary-m,canary hill\n", rows),
	} {
		for _, more := range [][]string{nil, {"-json"}} {
			dir := filepath.Join(t.TempDir(), "draft")
			// Files of the same name for both inputs, so that both are looked at.
			got := look(t, append([]string{"-usage", write(t, "u"+filepath.Ext(name), content), "-visitors", write(t, "v"+filepath.Ext(name), content), "-out", dir}, more...)...)
			require.NotEmpty(t, got.all(), name)
			silent(t, got, dir)
			if name == "u.csv" || name == "u.ndjson" {
				require.Equal(t, exitDone, got.code, got.stderr)
				for _, p := range planted {
					assert.Contains(t, got.stdout, p.name, "%s in %s", p.name, name)
				}
				assert.FileExists(t, filepath.Join(dir, "policy.yaml"))
			}
		}
	}
}

// What is printed and written does not change with the values, the number of records or one person more.
func TestOnlyFormsCount(t *testing.T) {
	report := func(rows int, replace string) (string, string) {
		dir := filepath.Join(t.TempDir(), "draft")
		got := look(t, write(t, "u.csv", strings.ReplaceAll(plantedCSV(rows), "canary", replace)), "-out", dir)
		require.Equal(t, exitDone, got.code, got.stderr)
		return strings.Split(got.stdout, "\nWrote")[0], read(t, filepath.Join(dir, "policy.yaml")) + read(t, filepath.Join(dir, "release.yaml"))
	}
	screen, drafts := report(4321, "canary")
	for _, other := range []string{"sparrow", "wren"} {
		screen2, drafts2 := report(4400, other)
		assert.Equal(t, screen, screen2)
		assert.Equal(t, drafts, drafts2)
	}
}
