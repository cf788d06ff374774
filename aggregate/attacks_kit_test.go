// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

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

// use is one usage record of the attack tests and visit one visitor record. Nil is null.
type use struct {
	ID       []byte   `throng:"id"`
	Course   []byte   `throng:"course"`
	Activity []byte   `throng:"activity"`
	Channel  []byte   `throng:"channel"`
	Device   []byte   `throng:"device"`
	At       []byte   `throng:"at"`
	Seconds  []byte   `throng:"seconds"` // a number as text
	Score    *float64 `throng:"score"`
	Points   *int64   `throng:"points"`
	Secret   []byte   `throng:"secret"` // named by no policy
}

type visit struct {
	ID     []byte `throng:"id"`
	Gender []byte `throng:"gender"`
	Born   []byte `throng:"born"`
	Region []byte `throng:"region"`
	Share  []byte `throng:"share"`
	Parent []byte `throng:"parent"`
}

// world is the records of a test.
type world struct {
	uses   []use
	visits []visit
}

// with returns a world that also has the records of another.
func (w world) with(o world) world {
	return world{slices.Concat(w.uses, o.uses), slices.Concat(w.visits, o.visits)}
}

func (w world) inputs(t testing.TB) aggregate.Inputs {
	t.Helper()
	uses, err := structio.Slice("uses", w.uses)
	require.NoError(t, err)
	visits, err := structio.Slice("visits", w.visits)
	require.NoError(t, err)
	return aggregate.Inputs{Usage: []table.Source{uses}, Visitors: []table.Source{visits}}
}

// attackPolicy reads everything that a policy can read. Words between dollars are filled in.
const attackPolicy = `
version: 1
population: learners
privacy_unit: {ids: [{column: id, kind: $KIND$}]}
columns:
  course: {from: usage, of: event, role: dimension, groups: private}
  activity: {from: usage, of: event, role: dimension, groups: [$ACTIVITIES$]}
  channel: {from: usage, of: event, role: dimension, groups: [app, web]}
  device: {from: usage, of: person, role: dimension, groups: private}
  gender: {from: visitors, of: person, role: dimension, values: {F: female, M: male}, groups: [female, male, unknown]}
  age: {from: visitors, of: person, role: dimension, column: born, as: birth_year, bands: [13, 18, 35]}
  region: {from: visitors, of: person, role: dimension, groups: private, resolve: conflict}
  at: {from: usage, role: time, as: rfc3339, zone: $ZONE$}
  seconds: {from: usage, role: value, clamp: [0, 3600], unit: s}
  score: {from: usage, role: value, $SCORE$}
  points: {from: usage, role: value, sum_clamp: [-100, 100]}
  secret: {role: identifier}
$EXCLUDE$
min_people: {k: $K$, declared: $MODE$}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

const attackRelease = `
version: 1
name: attack
snapshot: s1
recipient: team
purpose: statistics
period: $PERIOD$
as_of: 2026-01-01
spend: $SPEND$
tables:
`

// generous is a spend under which groups of a hundred people are as good as always shown, for tests
// that need something to look at.
const generous = `{epsilon: "20", delta: "0.001"}`

// job is a policy and a release that are in order.
type job struct {
	policy  *aggregate.Policy
	release *aggregate.Release
}

// newJob returns a job over the attack policy. Pairs replace placeholders; the rest have defaults.
func newJob(t testing.TB, tables string, pairs ...string) job {
	t.Helper()
	pairs = append(pairs, "K", "5", "MODE", "hard", "EXCLUDE", "", "PERIOD", "all", "KIND", "opaque", "ZONE", "UTC",
		"ACTIVITIES", "forum, quiz, unknown, video", "SCORE", "clamp: [-1, 1], resolution: 0.001, invalid: clamp", "SPEND", `{epsilon: "4", delta: "1e-6"}`)
	p, err := aggregate.ParsePolicy("policy", replaceWords(attackPolicy, pairs))
	require.NoError(t, err)
	r, err := aggregate.ParseRelease("release", replaceWords(attackRelease+tables, pairs))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, r)
	require.NoError(t, err)
	return job{p, r}
}

// replaceWords fills placeholders in; the first of two values of one placeholder counts.
func replaceWords(text string, pairs []string) []byte {
	seen := map[string]bool{}
	var unique []string
	for i := 0; i < len(pairs); i += 2 {
		if !seen[pairs[i]] {
			seen[pairs[i]] = true
			unique = append(unique, "$"+pairs[i]+"$", pairs[i+1])
		}
	}
	return replace(text, unique...)
}

// live is the mechanism of releases. A new one first discards what the library has drawn ahead, which takes longer
// than many of the draws here.
var live = mechanism.Live()

// runSecret is the secret of every attack test, so that sampling is the same in all runs.
func runSecret(t testing.TB) identity.Secret {
	t.Helper()
	key := sha256.Sum256([]byte("attack tests"))
	s, err := identity.SecretFromBytes(key[:])
	require.NoError(t, err)
	return s
}

// under returns a context under which runs draw from m.
func under(t testing.TB, m mechanism.Mechanism) context.Context {
	t.Helper()
	return seam.With(t.Context(), seam.Hooks{Mechanism: m, Secret: runSecret(t), Wait: noWait, Plans: &plans})
}

// plans are those of all runs of the tests.
var plans seam.Plans

// noWait does not wait for a release's slot.
func noWait(context.Context, time.Duration) error { return nil }

// run carries a job out over a world.
func (j job) run(t testing.TB, m mechanism.Mechanism, w world) *aggregate.Result {
	t.Helper()
	res, err := (&aggregate.Runner{Workers: 1}).Run(under(t, m), j.policy, j.release, w.inputs(t))
	require.NoError(t, err)
	return res
}

// exact carries a job out without noise and returns what was asked of the mechanism.
func (j job) exact(t testing.TB, w world) (*aggregate.Result, []mechanismtest.Call) {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Zero)
	res := j.run(t, rec, w)
	return res, rec.Calls()
}

// drawn returns what a job asks of the mechanism for its groups and their wholes without noise. It leaves
// the plan out, which is slow.
func (j job) drawn(t testing.TB, w world) []mechanismtest.Call {
	t.Helper()
	return slices.DeleteFunc(j.called(t, w), func(c mechanismtest.Call) bool { return c.Site.Statistic == "bounding" })
}

// called returns all that a job asks of the mechanism without noise.
func (j job) called(t testing.TB, w world) []mechanismtest.Call {
	t.Helper()
	rec := mechanismtest.New(mechanismtest.Zero)
	publish(t, j.prepare(t, w), rec)
	return rec.Calls()
}

// prepare reads a world once, so that it can be published many times.
func (j job) prepare(t testing.TB, w world) *aggregate.Prepared {
	t.Helper()
	p, err := aggregate.Prepare(under(t, nil), j.policy, j.release, w.inputs(t), 2)
	require.NoError(t, err)
	return p
}

// publish draws once.
func publish(t testing.TB, p *aggregate.Prepared, m mechanism.Mechanism) []aggregate.ResultTable {
	t.Helper()
	tables, err := p.Publish(t.Context(), m)
	require.NoError(t, err)
	return tables
}

// published draws once and returns all that is published, as text.
func published(t testing.TB, p *aggregate.Prepared, m mechanism.Mechanism) string {
	t.Helper()
	b, err := json.Marshal(publish(t, p, m))
	require.NoError(t, err)
	return string(b)
}

// text returns everything that a result says.
func text(t testing.TB, r *aggregate.Result) string {
	t.Helper()
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return string(b) + r.Plan.String()
}

// files writes a result as a bundle and returns its files by name.
func files(t testing.TB, r *aggregate.Result) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, bundle.Write(t.Context(), dir, r))
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(content)
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// value returns the exact number of a statistic of a group, -1 where the row has none.
func value(t testing.TB, r *aggregate.Result, tableName, statistic string, group ...string) float64 {
	t.Helper()
	for _, tab := range r.Tables {
		if tab.Name != tableName {
			continue
		}
		for _, row := range tab.Rows {
			if row.Statistic == statistic && slices.Equal(row.Group, group) && row.Value.Known {
				return row.Value.Float64()
			}
		}
	}
	return -1
}

// groups returns the groups of a table in their order, once each.
func groups(r *aggregate.Result, at int) [][]string {
	var all [][]string
	for _, row := range r.Tables[at].Rows {
		if len(all) == 0 || !slices.Equal(all[len(all)-1], row.Group) {
			all = append(all, row.Group)
		}
	}
	return all
}

func ptr[T any](v T) *T { return &v }
