// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// repeatsJob counts the records of pages.
func repeatsJob(t *testing.T) job {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", fmt.Appendf(nil, excludePolicy, "country: {from: visitors, column: country, allow: [de]}"))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", fmt.Appendf(nil, excludeRelease, "statistics"))
	require.NoError(t, err)
	return job{p, r}
}

func zipped(t *testing.T, entries ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range entries {
		w, err := z.Create(fmt.Sprintf("entry%d.csv", i))
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// TestAttackI16TheSameFileTwiceIsRefused under whatever names, before anything is charged; files that are only alike are not.
func TestAttackI16TheSameFileTwiceIsRefused(t *testing.T) {
	const usage, visitors, none = "id,page\nu,home\nv,home\n", "id,country\nu,de\nv,de\n", "id,page\n"
	long := "id,page\n" + strings.Repeat("u,home\n", 20_000)
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	open := func(names ...string) table.Source {
		for i := range names {
			names[i] = filepath.Join(dir, names[i])
		}
		src, err := fileio.Open(t.Context(), names, fileio.Options{})
		require.NoError(t, err)
		return src
	}
	for name, content := range map[string]string{
		"a.csv": usage, "copy.csv": usage, "alike.csv": "id,page\nu,home\nw,home\n",
		"none.csv": none, "none2.csv": none, "empty.csv": "", "empty2.csv": "",
		"long.csv": long + "u,home\n", "long2.csv": long + "u,home\n", "long3.csv": long + "w,home\n",
		"a.csv.gz": gzipped(t, usage), "copy.csv.gz": gzipped(t, usage),
		"both.zip": zipped(t, usage, usage), "none.zip": zipped(t, none, none, usage),
		"v.csv": visitors, "v2.csv": visitors,
	} {
		write(name, content)
	}
	once := csvBytes(t, []byte(usage))
	people := open("v.csv")
	j := repeatsJob(t)
	for name, c := range map[string]struct {
		usage, visitors []table.Source
		repeated        []string // names in the error; none where there is no error
	}{
		"one":                       {usage: []table.Source{open("a.csv")}},
		"a source twice":            {usage: []table.Source{once, once}, repeated: []string{"rows.csv"}},
		"a copy":                    {usage: []table.Source{open("a.csv", "copy.csv")}, repeated: []string{"a.csv", "copy.csv"}},
		"a copy in another source":  {usage: []table.Source{open("a.csv"), open("alike.csv"), open("copy.csv")}, repeated: []string{"a.csv", "copy.csv"}},
		"a file in another source":  {usage: []table.Source{open("a.csv"), open("a.csv")}, repeated: []string{"a.csv"}},
		"a long copy":               {usage: []table.Source{open("long.csv", "long2.csv")}, repeated: []string{"long.csv", "long2.csv"}},
		"a copy that is compressed": {usage: []table.Source{open("a.csv.gz", "copy.csv.gz")}, repeated: []string{"a.csv.gz", "copy.csv.gz"}},
		"in one zip":                {usage: []table.Source{open("both.zip")}, repeated: []string{"entry0.csv", "entry1.csv"}},
		"visitors":                  {usage: []table.Source{once}, visitors: []table.Source{open("v.csv", "v2.csv")}, repeated: []string{"v.csv", "v2.csv"}},
		"alike":                     {usage: []table.Source{open("a.csv", "alike.csv")}},
		"alike for long":            {usage: []table.Source{open("long.csv", "long3.csv")}},
		"no records":                {usage: []table.Source{open("a.csv", "none.csv", "none2.csv")}},
		"no records in a zip":       {usage: []table.Source{open("none.zip")}},
	} {
		if c.visitors == nil {
			c.visitors = []table.Source{people}
		}
		charger := aggregate.Charger(uncharged{})
		if c.repeated == nil {
			charger = &aggregate.MemoryCharger{}
		}
		_, err := (&aggregate.Runner{Charger: charger}).Run(under(t, mechanismtest.New(mechanismtest.Zero)), j.policy, j.release,
			aggregate.Inputs{Usage: c.usage, Visitors: c.visitors})
		if c.repeated == nil {
			assert.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, aggregate.ErrInputs, name)
		for _, file := range c.repeated {
			assert.ErrorContains(t, err, file, name)
		}
		assert.NotContains(t, err.Error(), "home", name)
	}
}

// TestAttackI16RecordsTwiceChangeNoMoreThanAPersonMay: files that overlap, or are one but for their compression, are not
// told apart. Numbers grow with them; what one person changes does not.
func TestAttackI16RecordsTwiceChangeNoMoreThanAPersonMay(t *testing.T) {
	for _, name := range []string{"courses", "crossed"} {
		j := newJob(t, attackTables[name], "K", "1")
		r := rand.New(rand.NewPCG(16, 1))
		for kind := range adversaries {
			w, u := crowd(3, 40), adversary(r, kind)
			half := world{w.uses[:len(w.uses)/2], w.visits}
			overlapping := w.with(half)
			d := j.drawn(t, overlapping)
			requireNeighbors(t, d, j.drawn(t, overlapping.with(u).with(u)))
			if t.Failed() {
				t.Fatal(name, kind)
			}
		}
	}
}
