// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// changing is an input whose records a test changes under a run.
type changing struct {
	t       testing.TB
	text    string
	changes int
	always  bool
}

func (c *changing) source() table.Source { return csvBytes(c.t, []byte(c.text)) }
func (c *changing) Name() string         { return "changing" }
func (c *changing) Size() int64          { return 0 }
func (c *changing) Schema(ctx context.Context) (table.Schema, error) {
	return c.source().Schema(ctx)
}
func (c *changing) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	return c.source().Open(ctx, columns)
}
func (c *changing) Version(context.Context) (string, error) {
	if c.always {
		c.changes++
	}
	return strconv.Itoa(c.changes), nil
}

func (c *changing) set(text string) { c.text, c.changes = text, c.changes+1 }

// shard calls done when it has been read to its end.
type shard struct {
	table.Source
	done func()
}

type shardReader struct {
	table.Reader
	done func()
}

func (s shard) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	readers, err := s.Source.Open(ctx, columns)
	for i := range readers {
		readers[i] = shardReader{readers[i], s.done}
	}
	return readers, err
}

func (r shardReader) Next(ctx context.Context, b *table.Batch) error {
	err := r.Reader.Next(ctx, b)
	if err == io.EOF {
		r.done()
	}
	return err
}

// racePolicy leaves people out by each kind of input that can.
const racePolicy = `
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  page: {from: usage, of: event, role: dimension, groups: private}
  gender: {from: visitors, of: person, role: dimension, groups: private}
exclude:
  consent: {from: visitors, column: ok, allow: ["yes"]}
  listed: {columns: [{column: erased, id: id}]}
  consents: {columns: [{column: who, id: id}], status: said, allow: [granted], at: at, as: date}
min_people: {k: 1}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

const raceRelease = `
version: 1
name: r
snapshot: s1
recipient: team
purpose: statistics
period: all
as_of: 2026-03-20
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: pages, group_by: [page, gender], bounds: {max_partitions: 3, max_per_partition: 2}, statistics: [visitors, events]}
`

// race is a run over four shards of twelve people, in all of which u has records.
type race struct {
	t                          *testing.T
	visitors, listed, consents *changing
	shards                     []string
	charges                    int
	// after is called after each shard of usage, as often as it is read, onCharge and onWait when a run comes to that.
	after            func(shard int)
	onCharge, onWait func()
	calls            []mechanismtest.Call
}

func newRace(t *testing.T) *race {
	r := &race{t: t, after: func(int) {}, onCharge: func() {}, onWait: func() {}, shards: make([]string, 4)}
	visitors, consents := "id,gender,ok\n", "who,said,at\n"
	for i := range 12 {
		id := string(rune('j' + i)) // u is one of them
		visitors += fmt.Sprintf("%s,g%d,yes\n", id, i%2)
		consents += id + ",granted,2026-03-01\n"
		for n := range r.shards {
			r.shards[n] += fmt.Sprintf("%s,p%d\n%[1]s,own%[1]s\n", id, (i+n)%3)
		}
	}
	r.visitors, r.listed, r.consents = &changing{t: t, text: visitors}, &changing{t: t, text: "erased\n"}, &changing{t: t, text: consents}
	return r
}

func (r *race) Charge(context.Context, aggregate.Charge) error {
	r.charges++
	r.onCharge()
	return nil
}

func (r *race) run() error {
	p, err := aggregate.ParsePolicy("policy", []byte(racePolicy))
	require.NoError(r.t, err)
	rel, err := aggregate.ParseRelease("release", []byte(raceRelease))
	require.NoError(r.t, err)
	in := aggregate.Inputs{Visitors: []table.Source{r.visitors}, Listed: []table.Source{r.listed}, Consents: []table.Source{r.consents}}
	for n, rows := range r.shards {
		in.Usage = append(in.Usage, shard{csvBytes(r.t, []byte("id,page\n"+rows)), func() { r.after(n) }})
	}
	rec := mechanismtest.New(mechanismtest.Zero)
	ctx := seam.With(r.t.Context(), seam.Hooks{Mechanism: rec, Secret: runSecret(r.t), Plans: &plans, Wait: func(context.Context, time.Duration) error {
		r.onWait()
		return nil
	}})
	res, err := (&aggregate.Runner{Workers: 1, Charger: r}).Run(ctx, p, rel, in)
	assert.Equal(r.t, err == nil, res != nil)
	r.calls = rec.Calls()
	return err
}

// without returns what is drawn where nobody ever heard of u, and with where they are one of the people.
func without(t *testing.T) []mechanismtest.Call {
	r := newRace(t)
	for n := range r.shards {
		r.shards[n] = strings.NewReplacer(fmt.Sprintf("u,p%d\n", (11+n)%3), "", "u,ownu\n", "").Replace(r.shards[n])
	}
	require.NoError(t, r.run())
	return r.calls
}

func with(t *testing.T) []mechanismtest.Call {
	r := newRace(t)
	require.NoError(t, r.run())
	return r.calls
}

// withdrawals are the ways in which u can leave.
var withdrawals = map[string]func(r *race){
	"in the log": func(r *race) { r.consents.set(r.consents.text + "u,withdrawn,2026-03-19\n") },
	"in the log, after the cut-off": func(r *race) {
		r.consents.set(r.consents.text + "u,withdrawn,2026-03-21\n")
	},
	"on the list":     func(r *race) { r.listed.set(r.listed.text + "u\n") },
	"as a visitor":    func(r *race) { r.visitors.set(strings.Replace(r.visitors.text, "u,g1,yes", "u,g1,no", 1)) },
	"by being erased": func(r *race) { r.visitors.set(strings.Replace(r.visitors.text, "u,g1,yes\n", "", 1)) },
	"and came back, after the cut-off": func(r *race) {
		r.consents.set(r.consents.text + "u,withdrawn,2026-03-21\nu,granted,2026-03-22\n")
	},
}

// TestAttackI15AWithdrawalDuringARunCountsWhole withdraws u after each of four shards: what is
// drawn is what it would be had u never been, and it is charged once.
func TestAttackI15AWithdrawalDuringARunCountsWhole(t *testing.T) {
	absent := without(t)
	require.NotEqual(t, absent, with(t))
	for name, withdraw := range withdrawals {
		for j := range 4 {
			r, reads := newRace(t), 0
			r.after = func(n int) {
				if n == j {
					if reads++; reads == 1 {
						withdraw(r)
					}
				}
			}
			require.NoError(t, r.run(), name)
			assert.Equal(t, absent, r.calls, "%s, after shard %d", name, j)
			assert.Equal(t, 1, r.charges)
			assert.Equal(t, 2, reads, "what had been read was not kept")
		}
	}
}

// TestAttackI15WhoComesBackBeforeTheCutOffIsPresent: the log says that u withdrew and consented again, both before it.
func TestAttackI15WhoComesBackBeforeTheCutOffIsPresent(t *testing.T) {
	present := with(t)
	for j := range 4 {
		r, changed := newRace(t), false
		r.after = func(n int) {
			if n == j && !changed {
				changed = true
				r.consents.set(r.consents.text + "u,granted,2026-03-19\nu,withdrawn,2026-03-18\n")
			}
		}
		require.NoError(t, r.run())
		assert.Equal(t, present, r.calls)
	}
}

// TestAttackI15AWithdrawalBeforeEmissionReleasesNothing: when the charge has been made nothing is drawn anew, and
// nothing leaves. The error has no number and no word of the data.
func TestAttackI15AWithdrawalBeforeEmissionReleasesNothing(t *testing.T) {
	for name, withdraw := range withdrawals {
		for moment, at := range map[string]func(r *race, f func()){
			"at the charge":   func(r *race, f func()) { r.onCharge = f },
			"at the emission": func(r *race, f func()) { r.onWait = f },
		} {
			r := newRace(t)
			at(r, func() { withdraw(r) })
			err := r.run()
			require.ErrorIs(t, err, aggregate.ErrInputsChanged, name+" "+moment)
			assert.ErrorContains(t, err, "the charge stays")
			assert.False(t, strings.ContainsAny(err.Error(), "0123456789"), err)
			assert.Equal(t, 1, r.charges)
		}
	}
}

// TestAttackI15AnInputThatNeverRestsIsNotCharged: it is read a few times, and then refused.
func TestAttackI15AnInputThatNeverRestsIsNotCharged(t *testing.T) {
	for name, unrest := range map[string]func(r *race){
		"visitors input": func(r *race) { r.visitors.always = true },
		"listed input":   func(r *race) { r.listed.always = true },
		"consents input": func(r *race) { r.consents.always = true },
	} {
		r := newRace(t)
		unrest(r)
		var reads atomic.Int64
		r.after = func(int) { reads.Add(1) }
		err := r.run()
		require.ErrorIs(t, err, aggregate.ErrInputsChanged)
		assert.ErrorContains(t, err, name+": got a change during the run, want none")
		assert.EqualValues(t, 12, reads.Load(), "four shards, three times")
		assert.Zero(t, r.charges)
		assert.Empty(t, r.calls)
	}
}
