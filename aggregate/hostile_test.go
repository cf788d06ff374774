// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
)

const plainPolicy = `version: 1
population: site
privacy_unit: {ids: [{column: visitor_id, kind: opaque}]}
columns:
  gender: {from: visitors, of: person, role: dimension, values: {M: male, F: female}}
  section: {from: usage, of: event, role: dimension, groups: private}
min_people: {k: 20}
budget: {epsilon: "4", delta: "1e-8"}
recipients: {acme: {purposes: [advertising]}}
`

const plainRelease = `version: 1
name: weekly
snapshot: s1
recipient: acme
purpose: advertising
period: all
spend: {epsilon: "1", delta: "1e-9"}
tables:
  - name: section
    group_by: [section]
    bounds: {max_partitions: 2}
    statistics: [visitors]
`

func plain(t *testing.T) (*aggregate.Policy, *aggregate.Release) {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy.yaml", []byte(plainPolicy))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release.yaml", []byte(plainRelease))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	require.NoError(t, err, "the files that the attacks change are in order themselves")
	return p, r
}

// edited returns a file with one text replaced, which must stand in it once.
func edited(t *testing.T, file, from, to string) []byte {
	t.Helper()
	require.Equal(t, 1, strings.Count(file, from), "%s", from)
	return []byte(strings.Replace(file, from, to, 1))
}

// requireRefused requires that two files are refused before any data is read, with *FieldErrors of
// which one is about path.
func requireRefused(t *testing.T, policy, release []byte, path string) {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy.yaml", policy)
	if err == nil {
		var r *aggregate.Release
		if r, err = aggregate.ParseRelease("release.yaml", release); err == nil {
			err = runUntouched(t.Context(), p, r)
		}
	}
	requireFieldErrors(t, err)
	var paths []string
	for _, fault := range aggregate.Faults(err) {
		paths = append(paths, fault.(*aggregate.FieldError).Path)
	}
	assert.Contains(t, paths, path)
}

// TestAttackI06SpecBombsAndHostileScalars hands over files that other readers of YAML expand, guess at
// or hang on.
func TestAttackI06SpecBombsAndHostileScalars(t *testing.T) {
	plain(t)
	laughs := "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
	for c := 'b'; c <= 'i'; c++ {
		ref := "*" + string(c-1)
		laughs += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat(ref+", ", 9), ", ") + "]\n"
	}
	for name, src := range map[string]string{
		"billion laughs":      laughs + plainPolicy,
		"CVE-2022-28948":      "0: [:!00 \xef",
		"100 000 brackets":    strings.Repeat("[", 100_000),
		"60 000 brackets":     strings.Repeat("[", 60_000),
		"deep mappings":       strings.Repeat("{a: ", 64) + "1" + strings.Repeat("}", 64),
		"merge key of itself": "a: &a\n  <<: *a\n" + plainPolicy,
		"three documents":     plainPolicy + "---\n" + plainPolicy + "---\n" + plainPolicy,
		"a tag":               "version: !!int 1\n" + plainPolicy,
		"more than 64 KiB":    plainPolicy + "# " + strings.Repeat("x", 64<<10),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := aggregate.ParsePolicy("policy.yaml", []byte(src))
			assert.Nil(t, p)
			requireFieldErrors(t, err)
		})
	}
	for _, text := range hostileNumbers {
		t.Run("policy epsilon "+text, func(t *testing.T) {
			requireRefused(t, edited(t, plainPolicy, `"4"`, text), []byte(plainRelease), "policy.budget.epsilon")
		})
		t.Run("release delta "+text, func(t *testing.T) {
			requireRefused(t, []byte(plainPolicy), edited(t, plainRelease, `"1e-9"`, text), "release.spend.delta")
		})
	}
}

// hostileNumbers are no plain decimal numbers, though some reader of YAML or of floats takes each.
var hostileNumbers = []string{
	".nan", ".NaN", "nan", ".inf", "-.inf", "Inf", "infinity", "1e400", "0x1", "0b1", "0o7", "1_0", "-0", "-1", "+1", `"+1"`, `"0x1p-2"`,
	"1/3", `"1,5"`, `" 1"`, `"1 "`, "1.", ".5", "1e", "1e+", "true", "null", `""`, "[1]", "{a: 1}", "1e-300", `"１"`, "9999999999999999999999999999999999999999999",
}

// TestAttackN11HostileParameters asks for parameters at which the noise library hangs, releases the
// exact count or shows everything. All are refused before data is read.
func TestAttackN11HostileParameters(t *testing.T) {
	plain(t)
	for _, epsilon := range []string{"0", "-1", ".nan", ".inf", "1e-300", "4.440892098500626e-16", "9.99999e-7", "20.000001", "710", "1e9"} {
		t.Run("epsilon "+epsilon, func(t *testing.T) {
			requireRefused(t, []byte(plainPolicy), edited(t, plainRelease, `"1"`, epsilon), "release.spend.epsilon")
			requireRefused(t, edited(t, plainPolicy, `"4"`, epsilon), []byte(plainRelease), "policy.budget.epsilon")
		})
	}
	for _, delta := range []string{"-1", "1", "0.01", ".nan", "1e-17", "9.99e-11"} {
		t.Run("delta "+delta, func(t *testing.T) {
			requireRefused(t, []byte(plainPolicy), edited(t, plainRelease, `"1e-9"`, delta), "release.spend.delta")
			requireRefused(t, edited(t, plainPolicy, `"1e-8"`, delta), []byte(plainRelease), "policy.budget.delta")
		})
	}
	t.Run("no delta for private groups", func(t *testing.T) {
		requireRefused(t, []byte(plainPolicy), edited(t, plainRelease, `"1e-9"`, "0"), "release.tables[0]")
	})
	for _, n := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
		t.Run("max_partitions "+strconv.FormatInt(n, 10), func(t *testing.T) {
			requireRefused(t, []byte(plainPolicy), edited(t, plainRelease, "max_partitions: 2", "max_partitions: "+strconv.FormatInt(n, 10)),
				"release.tables[0].bounds.max_partitions")
		})
		t.Run("max_per_partition "+strconv.FormatInt(n, 10), func(t *testing.T) {
			release := edited(t, string(edited(t, plainRelease, "[visitors]", "[events]")),
				"max_partitions: 2", "max_partitions: 2, max_per_partition: "+strconv.FormatInt(n, 10))
			requireRefused(t, []byte(plainPolicy), release, "release.tables[0].bounds.max_per_partition")
		})
	}
}

// TestAttackN11HostileParametersInGo builds the same in Go, where no parser stands in the way.
func TestAttackN11HostileParametersInGo(t *testing.T) {
	forty := dp.MustApprox("20", "0.009").Add(dp.MustApprox("20", "0.009"))
	sliver := dp.Spend{Epsilon: dp.MinEpsilon.Part(1, 10), Delta: dp.MinDelta.Part(1, 10)}
	for name, c := range map[string]struct {
		spend dp.Spend
		paths []string
	}{
		"unset":         {dp.Spend{}, []string{"release.spend.delta", "release.spend.epsilon"}},
		"epsilon unset": {dp.Spend{Delta: dp.MinDelta}, []string{"release.spend.epsilon"}},
		"delta unset":   {dp.Spend{Epsilon: dp.MinEpsilon}, []string{"release.spend.delta"}},
		"sums":          {forty, []string{"release.spend.delta", "release.spend.epsilon"}},
		"parts":         {sliver, []string{"release.spend.delta", "release.spend.epsilon"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, r := plain(t)
			r = exported(r)
			r.Spend = c.spend
			err := runUntouched(t.Context(), p, r)
			requireFieldErrors(t, err)
			var paths []string
			for _, fault := range aggregate.Faults(err) {
				paths = append(paths, fault.(*aggregate.FieldError).Path)
			}
			assert.Equal(t, c.paths, paths)
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		p, r := plain(t)
		assert.ErrorIs(t, runUntouched(t.Context(), nil, r), aggregate.ErrSpec)
		assert.ErrorIs(t, runUntouched(t.Context(), p, nil), aggregate.ErrSpec)
		requireFieldErrors(t, runUntouched(t.Context(), &aggregate.Policy{}, &aggregate.Release{}))
		requireFieldErrors(t, runUntouched(t.Context(), p, &aggregate.Release{}))
	})
	t.Run("words that no file can hold", func(t *testing.T) {
		p, r := plain(t)
		r = exported(r)
		r.Name, r.Snapshot, r.Period = "a\nb", strings.Repeat("x", 10_000), aggregate.Period{From: "a\nb", To: "c"}
		r.Tables = []aggregate.Table{{Name: "t\x00", GroupBy: []string{"a\nb"}, Statistics: []aggregate.Statistic{{Kind: "median"}, {Kind: aggregate.SumOf, Of: "a\nb"}}}}
		requireFieldErrors(t, runUntouched(t.Context(), p, r))
		p = exported(p)
		p.Columns["a\nb"] = aggregate.Column{Role: "role\n", From: "x\ny"}
		p.Recipients["\n"] = aggregate.Recipient{}
		p.PrivacyUnit.IDs[0].Kind = "a\nb"
		requireFieldErrors(t, runUntouched(t.Context(), p, r))
	})
}

func TestTheTextOfAFileErrorNamesTheFileOnce(t *testing.T) {
	_, err := aggregate.LoadPolicy("testdata/no-such-policy.yaml")
	require.Error(t, err)
	assert.Equal(t, 1, strings.Count(err.Error(), "no-such-policy.yaml"))
	assert.NotErrorIs(t, err, aggregate.ErrSpec, "a file that is not there says nothing")
}
