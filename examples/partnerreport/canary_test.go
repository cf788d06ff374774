// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secrets are the texts of the demo's inputs that tell who somebody is.
func secrets(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	add := func(text string) {
		if len(text) >= 6 { // shorter ones, such as the ids 0 and n/a, are nobody's
			all[text] = true
		}
	}
	rows, err := csv.NewReader(strings.NewReader(read(t, demoVisitors))).ReadAll()
	require.NoError(t, err)
	var columns []int
	for _, name := range []string{"visitor_id", "email", "phone", "name", "created_at"} {
		columns = append(columns, slices.Index(rows[0], name))
	}
	require.NotContains(t, columns, -1, "the demo's header has changed")
	for _, row := range rows[1:] {
		for _, c := range columns {
			add(row[c])
		}
	}
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, v := range v {
				walk(k, v)
			}
		case string:
			// device and section are words of the house, not of a person
			if key != "device" && key != "section" {
				add(v)
			}
		}
	}
	for line := range strings.Lines(read(t, demoUsage)) {
		var record any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		walk("", record)
	}
	require.Greater(t, len(all), 10_000, "the demo's inputs hold less than they should")
	return all
}

// decoded is a Parquet file's cells and metadata as text.
func decoded(t *testing.T, content string) string {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader([]byte(content)), int64(len(content)))
	require.NoError(t, err)
	var b strings.Builder
	fmt.Fprintln(&b, f.Metadata())
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, group.NumRows())
		n, _ := rows.ReadRows(buffer)
		require.Len(t, buffer, n)
		require.NoError(t, rows.Close())
		for _, row := range buffer {
			for _, v := range row {
				fmt.Fprintln(&b, v)
			}
		}
	}
	return b.String()
}

func TestAttackI10NothingPrintedOrWrittenTellsWhoSomebodyIs(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	texts := map[string]string{}
	keep := func(name string, got output) {
		assert.NotEmpty(t, got.all(), name)
		texts[name] = got.all()
	}
	keep("table", report(t, demo(out)...))
	keep("result", report(t, demo(out, "-json")...))
	keep("plan", report(t, demo(out, "-plan")...))
	// Files in place of one another: messages about inputs that are full of values.
	keep("swapped", report(t, demo(out, "-json", "-usage", demoVisitors)...))
	keep("policy", report(t, "-plan", "-policy", demoVisitors, "-release", demoUsage))
	keep("headless", report(t, demo(out, "-visitors", write(t, "v.csv", strings.SplitN(read(t, demoVisitors), "\n", 2)[1]))...))
	for path, content := range tree(t, out) {
		texts[path] = content
		if filepath.Ext(path) == ".parquet" {
			texts[path+" decoded"] = decoded(t, content)
			assert.Contains(t, texts[path+" decoded"], "visitors", "the file was not decoded")
		}
	}
	require.Greater(t, len(texts), 14)
	for secret := range secrets(t) {
		for name, text := range texts {
			if strings.Contains(text, secret) {
				// The secret itself would only be told once more.
				t.Fatalf("%s holds a value of the demo's inputs, %d bytes long", name, len(secret))
			}
		}
	}
}
