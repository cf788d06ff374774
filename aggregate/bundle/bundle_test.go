// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
)

var update = flag.Bool("update", false, "rewrite testdata/golden; a person reads every change")

// TestFilesAreAsAPartnerReadsThem holds the whole bundle of a small result, without noise, against
// testdata/golden.
func TestFilesAreAsAPartnerReadsThem(t *testing.T) {
	dir := write(t, silent(t))
	got := files(t, dir)
	for _, name := range []string{"README.md", "release.json", "data/gender.csv", "data/section.csv"} {
		golden := filepath.Join("testdata", "golden", filepath.Base(name))
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(got[name]), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), got[name], "%s; go test -update rewrites it", name)
	}
	assert.Len(t, got, 7, "two tables in two formats, release.json, README.md and SHA256SUMS")
}

func TestSumsAreThoseOfSha256sum(t *testing.T) {
	program, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("no sha256sum")
	}
	check := exec.Command(program, "--strict", "-c", "SHA256SUMS")
	check.Dir = write(t, silent(t))
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "data/section.parquet: OK\n")
}

func TestABundleInsideAnotherStays(t *testing.T) {
	r := silent(t)
	dir := write(t, r)
	inner := filepath.Join(dir, "oulad")
	require.NoError(t, bundle.Write(t.Context(), inner, r))
	require.NoError(t, bundle.CheckTarget(dir))
	assert.ErrorIs(t, bundle.Verify(dir), bundle.ErrNotABundle, "a partner gets one bundle and nothing else")
	require.NoError(t, bundle.Write(t.Context(), dir, r))
	assert.NoError(t, bundle.Verify(inner))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644))
	for _, err := range []error{bundle.CheckTarget(dir), bundle.Write(t.Context(), dir, r)} {
		assert.ErrorIs(t, err, bundle.ErrNotABundle)
	}
	assert.NoError(t, bundle.Verify(inner))
	assert.NoError(t, bundle.CheckTarget(filepath.Join(dir, "none", "yet")))
}

func TestAttackO05NothingTellsWhereAndWhen(t *testing.T) {
	r := silent(t)
	dir := write(t, r)
	one := files(t, dir)
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("HOSTNAME", "elsewhere")
	t.Setenv("USER", "nobody")
	local := time.Local
	time.Local = time.FixedZone("far", 14*3600)
	defer func() { time.Local = local }()
	assert.Equal(t, one, files(t, write(t, r)))
	assert.Equal(t, one, files(t, write(t, silent(t))), "another run of the same release on the same records")

	host, err := os.Hostname()
	require.NoError(t, err)
	for name, content := range one {
		assert.NotContains(t, content, host, name)
		assert.NotContains(t, content, os.TempDir(), name)
		assert.NotContains(t, content, time.Now().UTC().Format("2006-01-02"), name)
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := e.Info()
		require.NoError(t, err)
		assert.Zero(t, info.ModTime().UnixNano()%(24*time.Hour).Nanoseconds(), "%s tells more than the day", path)
		return nil
	}))
}

func TestResultsThatNoRunReturnsAreRefused(t *testing.T) {
	plan := silent(t).Plan
	row := aggregate.Row{Group: []string{"a"}}
	named := func(name string) *aggregate.Result {
		return &aggregate.Result{Plan: plan, Tables: []aggregate.ResultTable{{Name: name}}}
	}
	const badName = "result.tables[0].name: got a name that cannot be a file's"
	for _, tc := range []struct {
		name   string
		result *aggregate.Result
		want   string
	}{
		{"nothing", nil, "result: got none"},
		{"no plan", &aggregate.Result{}, "result: got none"},
		{"another folder", named("../other/t"), badName},
		{"a folder below", named("a/b"), badName},
		{"a partner's name", named("Acme"), badName},
		{"a device", named("nul"), badName},
		{"no name", named(""), badName},
		{"label without dimension", &aggregate.Result{Plan: plan, Tables: []aggregate.ResultTable{{Name: "t", Rows: []aggregate.Row{row}}}},
			"result.tables[0].rows[0].group: got another number of labels"},
		{"one table twice", &aggregate.Result{Plan: plan, Tables: []aggregate.ResultTable{{Name: "t"}, {Name: "t"}}}, "got a name that is taken"},
		{"dimension like a column", &aggregate.Result{Plan: plan, Tables: []aggregate.ResultTable{{Name: "t", Dimensions: []string{"value"}}}}, "got a second value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			assert.ErrorContains(t, bundle.Write(t.Context(), dir, tc.result), tc.want)
			assert.NoDirExists(t, dir)
		})
	}
}

// TestFractionsAreStatedFromAbove: JSON has no fractions, and the loss must not look smaller than it is.
func TestFractionsAreStatedFromAbove(t *testing.T) {
	r := silent(t)
	for _, fraction := range []string{"1/3", "2/3", "1/7", "1/3000000000"} {
		r.Plan.Spend = aggregate.PlanSpend{Epsilon: fraction, Delta: "1e-9"}
		var got struct {
			Deployment struct {
				Loss struct {
					Parameters map[string]float64 `json:"privacy_parameters"`
					Details    string             `json:"privacy_parameters_details"`
				} `json:"privacy_loss"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(files(t, write(t, r))["release.json"]), &got))
		exact, _ := new(big.Rat).SetString(fraction)
		stated := new(big.Rat).SetFloat64(got.Deployment.Loss.Parameters["epsilon"])
		assert.Positive(t, stated.Cmp(exact), fraction)
		near, _ := new(big.Rat).Quo(stated, exact).Float64()
		assert.InDelta(t, 1, near, 1e-15)
		assert.Contains(t, got.Deployment.Loss.Details, "exactly ε = "+fraction)
	}
}
