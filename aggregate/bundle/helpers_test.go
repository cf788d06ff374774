// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// canary is a label that too few people have.
const canary = "canary-7f3a91c5"

const policyText = `
version: 1
population: demo-site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  gender: {from: visitors, of: person, role: dimension, values: {F: female, M: male, X: other}, groups: [female, male, other, unknown]}
  section: {from: usage, of: event, role: dimension, groups: private}
  seconds: {from: usage, role: value, clamp: [0, 600], resolution: 0.1, unit: s}
exclude:
  consent: {from: visitors, column: share_ok, allow: ["yes"]}
min_people: {k: 20}
budget: {epsilon: "4", delta: "1e-8"}
recipients: {acme: {purposes: [advertising]}}
`

const releaseText = `
version: 1
name: weekly-audience
snapshot: 2026-w12
recipient: acme
purpose: advertising
period: all
spend: {epsilon: "2", delta: "1e-9"}
tables:
  - name: gender
    group_by: [gender]
    statistics: [visitors, {share: visitors}]
  - name: section
    group_by: [section]
    bounds: {max_partitions: 2, max_per_partition: 5}
    statistics: [visitors, {share: visitors}, events, {sum: seconds}, {mean: seconds}]
`

type use struct {
	ID      string  `throng:"id"`
	Section string  `throng:"section"`
	Seconds float64 `throng:"seconds"`
}

type visit struct {
	ID      string `throng:"id"`
	Gender  string `throng:"gender"`
	ShareOK string `throng:"share_ok"`
}

// data is the records of a test.
type data struct {
	uses   []use
	visits []visit
}

// add adds n people with these answers, each with two records.
func (d *data) add(n int, gender, section, consent string) {
	for range n {
		id := fmt.Sprint("person-", len(d.visits))
		d.visits = append(d.visits, visit{id, gender, consent})
		for r := range 2 {
			d.uses = append(d.uses, use{id, section, float64(30*r) + float64(len(d.visits)%10)/10})
		}
	}
}

// small is a fixed set of records: 1,010 people, 4 of whom are all that one section has, and 90 more
// who did not consent.
func small() *data {
	d := &data{}
	d.add(400, "F", "news", "yes")
	d.add(250, "M", "news", "yes")
	d.add(100, "F", "=sport", "yes")
	d.add(250, "M", "=sport", "yes")
	d.add(6, "X", "news", "yes")
	d.add(4, "F", canary, "yes")
	d.add(90, "F", "news", "no")
	return d
}

func (d *data) inputs(t testing.TB) aggregate.Inputs {
	t.Helper()
	uses, err := structio.Slice("uses", d.uses)
	require.NoError(t, err)
	visits, err := structio.Slice("visits", d.visits)
	require.NoError(t, err)
	return aggregate.Inputs{Usage: []table.Source{uses}, Visitors: []table.Source{visits}}
}

// run carries the release out under m.
func (d *data) run(t testing.TB, m mechanism.Mechanism) *aggregate.Result {
	t.Helper()
	p, err := aggregate.ParsePolicy("policy", []byte(policyText))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", []byte(releaseText))
	require.NoError(t, err)
	key := sha256.Sum256([]byte("bundle tests"))
	secret, err := identity.SecretFromBytes(key[:])
	require.NoError(t, err)
	ctx := seam.With(t.Context(), seam.Hooks{Mechanism: m, Secret: secret})
	res, err := aggregate.Run(ctx, p, r, d.inputs(t))
	require.NoError(t, err)
	return res
}

// silent is the result of the small records without noise.
func silent(t testing.TB) *aggregate.Result {
	t.Helper()
	return small().run(t, mechanismtest.New(mechanismtest.Zero))
}

// write writes a result and returns the folder.
func write(t testing.TB, r *aggregate.Result) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	require.NoError(t, bundle.Write(context.Background(), dir, r))
	require.NoError(t, bundle.Verify(dir))
	return dir
}

// files returns the content of the files of a folder by name.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(content)
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// records returns the rows of a CSV file as maps.
func records(t testing.TB, dir, name string) []map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "data", name+".csv"))
	require.NoError(t, err)
	all, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	require.NoError(t, err)
	var rows []map[string]string
	for _, record := range all[1:] {
		row := map[string]string{}
		for i, cell := range record {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}
