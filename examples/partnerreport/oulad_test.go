// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle"
)

// The command of examples/oulad/policy.yaml, run on the files as they are published.
func TestTheOpenUniversityClickstreamBecomesABundle(t *testing.T) {
	t.Chdir("../..")
	const data = "../shared/data/oulad"
	if _, err := os.Stat(data); err != nil {
		t.Skip("the OULAD clickstream is not beside the project")
	}
	out := filepath.Join(t.TempDir(), "oulad")
	got := reportWithin(t, time.Minute, "-policy", "examples/oulad/policy.yaml", "-release", "examples/oulad/release.yaml",
		"-usage", data+"/studentVle.zip", "-visitors", data+"/studentInfo.csv.gz", "-out", out)
	require.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	require.NoError(t, bundle.Verify(out))

	rows, err := csv.NewReader(strings.NewReader(read(t, filepath.Join(out, "data", "course_gender.csv")))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"course", "gender", "statistic", "unit", "value", "display", "ci_low", "ci_high", "obs_status"}, rows[0])
	share := func(course string) float64 {
		at := slices.IndexFunc(rows, func(r []string) bool { return slices.Equal(r[:4], []string{course, "female", "share", "percent"}) })
		require.GreaterOrEqual(t, at, 0, "no share of women in %s", course)
		v, err := strconv.ParseFloat(rows[at][4], 64)
		require.NoError(t, err)
		return v
	}
	// Exact shares of women among active students. The counts w, m and u (women, men, unknown) carry
	// Laplace noise W, M and U of scale 2, and the share w/(w+m+u) is off by ((1-s)W - s(M+U)) / N. For
	// AAA (s about 0.4, N at least 357) its widest part is 1.2/N; the sum of the three is above t/N with
	// probability at most 7·exp(-t/1.2), below 1e-9 at t = 27.3. Noise in N adds a tenth: 8 points. For
	// BBB (s about 0.9, N at least 1537) the widest are two of 1.8/N: 1e-9 needs t = 46, or 3 points.
	for course, want := range map[string]struct{ percent, within float64 }{
		"AAA-2013J": {38.8889, 8.5}, "AAA-2014J": {44.2577, 8.5}, "BBB-2013B": {88.4190, 3.3}, "BBB-2013J": {89.3298, 3.3},
	} {
		assert.InDelta(t, want.percent, share(course), want.within, course)
	}

	var manifest struct {
		Deployment struct {
			PrivacyLoss struct {
				Parameters map[string]json.Number `json:"privacy_parameters"`
			} `json:"privacy_loss"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, filepath.Join(out, "release.json"))), &manifest))
	assert.Equal(t, json.Number("2"), manifest.Deployment.PrivacyLoss.Parameters["epsilon"])
	assert.Contains(t, got.stdout, "female")
	assert.FileExists(t, filepath.Join(out, "data", "age_activity.csv"))
}
