// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
)

// draftPeople are enough for groups of half of them to be shown with what a draft spends.
const draftPeople = 4000

// written writes a fixture of so many people.
func (c presetCase) written(t *testing.T, people int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(c.head)
	for i := range people {
		for j := range 3 {
			at := time.Date(2026, 3, 16, 10, 0, i, 0, time.UTC).AddDate(0, 0, j*j*4) // the 16th, the 20th and the 1st
			b.WriteString(c.record(i, j, at) + "\n")
		}
	}
	b.WriteString(c.others)
	path := filepath.Join(t.TempDir(), c.file)
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// inspector builds examples/inspect.
func inspector(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inspect")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../examples/inspect").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// TestTheDraftOfEachFixtureIsReleasedAsItIs has examples/inspect draft both files for the fixture of every preset,
// and releases them without a changed line. Where people are known by an address, or by one id of several, the id
// is named on the command line; Adobe's feed has its header in another file, of which inspect says that it
// belongs in front. A draft takes one id, where a preset knows several: of W3C logs it has the half who logged in.
func TestTheDraftOfEachFixtureIsReleasedAsItIs(t *testing.T) {
	inspect := inspector(t)
	ids := map[string][]string{
		"cloudfront": {"-id", "c-ip"}, "adobe": {"-id", "post_visid_high"}, "combined": {"-id", "host"}, "segment": {"-id", "userId"},
	}
	people := map[string]float64{"w3c": draftPeople / 2}
	for name, c := range presetCases {
		t.Run(name, func(t *testing.T) {
			if name == "adobe" {
				_, columns, _ := strings.Cut(c.change, "[")
				columns, _, _ = strings.Cut(columns, "]")
				c.head = strings.ReplaceAll(columns, ", ", "\t") + "\n"
			}
			path, drafts := c.written(t, draftPeople), filepath.Join(t.TempDir(), "drafts")
			out, err := exec.CommandContext(t.Context(), inspect, append(ids[name], "-quiet", "-out", drafts, path)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			p, err := aggregate.LoadPolicy(filepath.Join(drafts, "policy.yaml"))
			require.NoError(t, err)
			r, err := aggregate.LoadRelease(filepath.Join(drafts, "release.yaml"))
			require.NoError(t, err)
			res, err := aggregate.Run(t.Context(), p, r, aggregate.Inputs{Usage: []table.Source{openedFile(t, path, fileio.Options{})}})
			require.NoError(t, err)
			want := cmp.Or(people[name], draftPeople)
			assert.InDelta(t, want, value(t, res, "everyone", "visitors"), want/10)
			shown := map[string]bool{}
			for _, tab := range res.Tables {
				for _, row := range tab.Rows {
					if row.Value.Known {
						shown[tab.Name] = true
					}
				}
			}
			assert.Greater(t, len(shown), len(res.Tables)/2, "most tables show something")
			dir := filepath.Join(t.TempDir(), "bundle")
			require.NoError(t, bundle.Write(t.Context(), dir, res))
			assert.NoError(t, bundle.Verify(dir))
		})
	}
}
