// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// fixture writes the file of a case.
func (c presetCase) fixture(t *testing.T) table.Source {
	t.Helper()
	return openedFile(t, c.written(t, presetPeople), fileio.Options{})
}

func openedFile(t *testing.T, path string, opts fileio.Options) table.Source {
	t.Helper()
	src, err := fileio.Open(t.Context(), []string{path}, opts)
	require.NoError(t, err)
	return src
}

// ownPart is what no preset says.
const ownPart = `
version: 1
population: site
min_people: {k: 5}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

func TestEachPresetReadsWhatItsSourceWrites(t *testing.T) {
	var names []string
	for name, c := range presetCases {
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			p, err := aggregate.ParsePolicy("policy.yaml", []byte(ownPart+"from: "+name+"\n"+c.change+"\n"))
			require.NoError(t, err)
			assert.Equal(t, name, p.From)
			release := "version: 1\nname: preset\nsnapshot: s1\nrecipient: team\npurpose: statistics\nperiod: {from: 2026-03-16, to: 2026-03-23}\n" +
				"spend: {epsilon: \"20\", delta: \"0.001\"}\ntables:\n  - {name: everyone, bounds: {max_per_partition: 10}, statistics: [visitors, events]}\n"
			var dimensions []string
			for what := range c.want {
				dimension, isEvent := strings.CutSuffix(what, "*")
				if value, _, ok := strings.Cut(what, "="); ok {
					release += fmt.Sprintf("  - {name: %s, bounds: {max_per_partition: 10}, statistics: [{sum: %s}]}\n", value, value)
					dimensions = append(dimensions, value)
					continue
				}
				bounds := ""
				if isEvent {
					bounds = ", bounds: {max_partitions: 3}"
				}
				release += fmt.Sprintf("  - {name: %s, group_by: [%s]%s, statistics: [visitors]}\n", dimension, dimension, bounds)
				dimensions = append(dimensions, dimension)
			}
			r, err := aggregate.ParseRelease("release.yaml", []byte(release))
			require.NoError(t, err)
			for column, col := range p.Columns {
				assert.True(t, col.Role == aggregate.TimeRole || slices.Contains(dimensions, column), "no case reads the column %s", column)
			}
			in := aggregate.Inputs{Usage: []table.Source{c.source(t, p.Inputs.Usage)}}
			res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, in)
			require.NoError(t, err)
			assert.Equal(t, 200.0, value(t, res, "everyone", "visitors"))
			assert.Equal(t, 400.0, value(t, res, "everyone", "events"))
			for what, groups := range c.want {
				dimension, statistic := strings.TrimSuffix(what, "*"), "visitors"
				if v, _, ok := strings.Cut(what, "="); ok {
					dimension, statistic = v, "sum_"+v
				}
				for group, want := range groups {
					var at []string
					if group != "" {
						at = []string{group}
					}
					got := value(t, res, dimension, statistic, at...)
					if want == 0 {
						assert.LessOrEqual(t, got, 0.0, "%s %s", what, group)
						continue
					}
					assert.Equal(t, want, got, "%s %s", what, group)
				}
			}
			assert.Equal(t, name, res.Plan.Preset)
			assert.Contains(t, res.Plan.String(), "preset         "+name+", with what the policy changes in it")
			assert.Contains(t, files(t, res)["release.json"], `"preset": "`+name+`"`)
		})
	}
	files, err := filepath.Glob("presets/*.yaml")
	require.NoError(t, err)
	assert.Len(t, names, len(files), "each preset has a case")
}

// source opens the fixture as the policy says.
func (c presetCase) source(t *testing.T, f aggregate.Format) table.Source {
	t.Helper()
	src := c.fixture(t)
	if f.Format == "" && len(f.Columns) == 0 {
		return src
	}
	return openedFile(t, src.Name(), fileio.Options{Format: f.Format, NoHeader: len(f.Columns) > 0, Columns: f.Columns, Encoding: f.Encoding})
}

// TestPresetsSayOnlyWhatASourceHas: budgets, minimums and recipients are the owner's to say.
func TestPresetsSayOnlyWhatASourceHas(t *testing.T) {
	paths, err := filepath.Glob("presets/*.yaml")
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		src, err := os.ReadFile(path)
		require.NoError(t, err)
		root, faults := strictyaml.Parse(src)
		require.Empty(t, faults, path)
		for _, e := range root.Entries {
			assert.Contains(t, []string{"privacy_unit", "inputs", "columns", "exclude"}, e.Key, path)
		}
		// Alone it lacks exactly what the owner has to say.
		p, err := aggregate.ParsePolicy("policy.yaml", src)
		require.NoError(t, err)
		_, err = aggregate.NewPlan(p, &aggregate.Release{})
		for _, fault := range aggregate.Faults(err) {
			var fe *aggregate.FieldError
			require.ErrorAs(t, fault, &fe)
			assert.Contains(t, []string{"policy.version", "policy.population", "policy.min_people.k", "policy.budget.epsilon",
				"policy.budget.delta", "policy.recipients"}, fe.Path, path)
		}
		assert.Len(t, aggregate.Faults(err), 6, path)
	}
}

func TestAPolicyIsLaidOverItsPreset(t *testing.T) {
	base, err := aggregate.ParsePolicy("p", []byte("from: segment"))
	require.NoError(t, err)
	require.Len(t, base.Columns, 10)
	p, err := aggregate.ParsePolicy("p", []byte(`
from: segment
privacy_unit: {ids: [{column: userId, kind: email}]}
columns:
  gender: {column: context.traits.gender, values: {f: female, Male: man}}
  age: {bands: [13, 18]}
  country: none
  shop: {from: usage, of: event, role: dimension, column: properties.shop, groups: private, otherwise: none}
exclude: {bots: none, consent: {from: usage, column: ok, allow: ["yes"]}}
`))
	require.NoError(t, err)
	want := *base
	assert.Equal(t, []aggregate.IDColumn{{Column: "userId", Kind: "email"}}, p.PrivacyUnit.IDs, "a list is replaced")
	assert.Equal(t, want.Inputs, p.Inputs, "what is not written stays")
	assert.NotContains(t, p.Columns, "country", "none takes a column out")
	assert.Equal(t, aggregate.Column{From: "usage", Of: "event", Role: "dimension", Column: "properties.shop",
		Groups: aggregate.Groups{Private: true}, Otherwise: "none"}, p.Columns["shop"], "a column is added")
	gender := want.Columns["gender"]
	assert.Equal(t, gender.Groups, p.Columns["gender"].Groups)
	assert.Equal(t, "context.traits.gender", p.Columns["gender"].Column)
	assert.Equal(t, map[string]string{"f": "female", "Male": "man", "female": "female", "FEMALE": "female", "Female": "female",
		"male": "male", "MALE": "male", "other": "other", "Other": "other", "OTHER": "other"}, p.Columns["gender"].Values, "mappings are merged by key")
	assert.Equal(t, []int64{13, 18}, p.Columns["age"].Bands)
	assert.Equal(t, "age", p.Columns["age"].As)
	assert.Nil(t, p.Exclude.Bots)
	require.NotNil(t, p.Exclude.Consent)
	assert.Equal(t, want.Columns["event"], p.Columns["event"])

	p, err = aggregate.ParsePolicy("p", []byte("from: segment\nexclude: none"))
	require.NoError(t, err)
	assert.Zero(t, p.Exclude)
}

func TestFaultsSayWhetherTheFileOrThePresetIsMeant(t *testing.T) {
	for policy, want := range map[string]string{
		"from: segmant":            `policy.yaml:1: policy.from: got "segmant", want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; did you mean segment?`,
		"from: ../presets/segment": `policy.yaml:1: policy.from: got "../presets/segment", want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; write one of them`,
		"from: [segment]":          "policy.yaml:1: policy.from: got a list, want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; write one of them",
		"from: segment\ncolumns:\n  gender: {role: value, clamp: [0, 1]}": "preset segment:17: policy.columns.gender.of: got of on a column with role: value, want nothing here; remove it",
		"from: segment\ncolumns:\n  page:\n    grain: {a: 1}":             "policy.yaml:4: policy.columns.page.grain: got a mapping, want text; write one value; quote it where it holds special characters",
		"from: segment\ncolumns: {countri: none}":                         "policy.yaml:2: policy.columns.countri: got a single value, want a mapping; write \"key: value\" lines",
		"from: segment\ncolumns: {country: \"none\"}":                     "policy.yaml:2: policy.columns.country: got a single value, want a mapping; write \"key: value\" lines",
		"from: segment\ncolumns:":                                         "policy.yaml:2: policy.columns: got nothing, want a mapping; write \"key: value\" lines",
		"from: segment\nprivacy_unit: none":                               "policy.yaml:1: policy.privacy_unit.ids: got nothing, want at least one column",
	} {
		p, err := aggregate.ParsePolicy("policy.yaml", []byte(strings.TrimSpace(ownPart[1:])+"\n"+policy))
		if err == nil {
			_, err = aggregate.NewPlan(p, &aggregate.Release{})
		}
		require.Error(t, err, policy)
		// The policy's own part stands on the five lines before.
		want = strings.NewReplacer("policy.yaml:1: policy.privacy_unit", "policy.yaml:1: policy.privacy_unit", "policy.yaml:1:", "policy.yaml:6:", "policy.yaml:2:", "policy.yaml:7:", "policy.yaml:4:", "policy.yaml:9:").Replace(want)
		assert.Contains(t, err.Error(), want)
	}
	_, err := aggregate.NewPlan(&aggregate.Policy{From: "none of ours"}, &aggregate.Release{})
	assert.ErrorContains(t, err, `policy.from: got "none of ours", want one of adobe,`)
}
