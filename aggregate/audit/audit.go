// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// Options tune an audit. The zero value is ready.
type Options struct {
	// Samples is how many draws each statistic gets on each side. 0 means as many as about 850,000
	// in all allow, at most 100,000.
	Samples int
	// Alpha is the probability with which a sound release may fail; 0 means 1e-6.
	Alpha float64
}

const (
	defaultAlpha = 1e-6
	// maxSamples bounds Options.Samples.
	maxSamples = 100_000_000
	// mostPeople is the largest k of the worlds. What is calibrated to a larger one differs by a constant.
	mostPeople = 200
)

// auditor is an audit under way.
type auditor struct {
	*model
	o    Options
	live mechanism.Mechanism
	// people are the persons in whom neighbours differ.
	people []neighbour
	// open is the policy with k = 1, under which a group of one person is drawn.
	open   *aggregate.Policy
	report *Report
	rules  rules
	// base is a world, its draws and its result under frozen noise.
	base     world
	recorded *outcome
	still    []mechanismtest.Call
	result   []byte
	// seen are the draws that were reached, worst the largest change of each statistic, and whole the changes
	// by the person who changes most.
	seen  map[place]bool
	worst map[place]change
	whole []change
	// noises are the parameters, by what was drawn with k = 1.
	opened *outcome
}

// rules are the checks that hold exactly.
type rules struct {
	sensitivity, same, questions, minimum, planned, charge, choice, order Check
}

func newRules() rules {
	check := func(name, compared string) Check { return Check{Name: name, Compared: compared, Passed: true} }
	return rules{
		sensitivity: check("sensitivity", "what one person changes in exact numbers, with the l0 and l∞ of the noise"),
		same:        check("same_result", "all that is published on two neighbours, with the noise frozen"),
		questions:   check("same_draws", "the draws on two neighbours, but for groups that a charged choice hides"),
		minimum:     check("minimum", "the people of every shown group, with k"),
		planned:     check("as_planned", "the law of every draw, with the plan's"),
		charge:      check("charge", "what was drawn, composed, with what was charged before"),
		choice:      check("choice_of_groups", "thresholds and chances at their edges, with ε, δ and k"),
		order:       check("order", "exact numbers with the records reversed and two workers, with one worker"),
	}
}

// Run audits a release under a policy. It returns an error where the two cannot be used, as [aggregate.Run]
// does, for options out of range, and ctx.Err() where it was cancelled. A violated claim is no error.
func Run(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, o Options) (*Report, error) {
	return run(ctx, p, r, o, nil)
}

// run is Run. A test can set another mechanism to sample, and choose among the neighbours.
func run(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, o Options, set func(*auditor)) (*Report, error) {
	a, err := newAuditor(p, r, o)
	if err != nil {
		return nil, err
	}
	if set != nil {
		set(a)
	}
	for _, step := range []func(context.Context) error{
		a.record, a.compare, a.compareMinimum, a.compareOrder, a.checkDraws, a.sample,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a.finish(), nil
}

func newAuditor(p *aggregate.Policy, r *aggregate.Release, o Options) (*auditor, error) {
	if o.Samples < 0 || o.Samples > maxSamples {
		return nil, fmt.Errorf("samples: got %d, want 0 to %d; leave it out", o.Samples, maxSamples)
	}
	if o.Alpha == 0 {
		o.Alpha = defaultAlpha
	}
	if !(o.Alpha > 0 && o.Alpha < 0.5) {
		return nil, fmt.Errorf("alpha: got %g, want above 0 and below 0.5; leave it out", o.Alpha)
	}
	plan, err := aggregate.NewPlan(p, r)
	if err != nil {
		return nil, err
	}
	own, open := *p, *p
	own.MinPeople.K, open.MinPeople.K = min(p.MinPeople.K, mostPeople), 1
	a := &auditor{
		model: newModel(&own, r, plan), o: o, open: &open, rules: newRules(), live: mechanism.Live(),
		seen: map[place]bool{}, worst: map[place]change{},
	}
	a.people = a.neighbours()
	a.report = &Report{
		Format: Format, Population: plan.Population, Release: plan.Release, Unseen: []string{},
		Claim: Claim{plan.Spend.Epsilon, plan.Spend.Delta, plan.Composition},
	}
	return a, nil
}

func (a *auditor) k() int64 { return a.policy.MinPeople.K }

// exact carries the release out without noise.
func (a *auditor) exact(ctx context.Context, p *aggregate.Policy, w world, workers int) (*outcome, error) {
	return a.carry(ctx, p, a.release, newZero(), w, workers)
}

// record makes the world that neighbours are compared with. Its edge group is one person short of k.
func (a *auditor) record(ctx context.Context) (err error) {
	a.base = a.crowd(a.k(), a.k()-1)
	if a.recorded, err = a.exact(ctx, a.policy, a.base, 1); err != nil {
		return err
	}
	a.plan = a.recorded.result.Plan // with the bounds that are found
	if a.opened, err = a.exact(ctx, a.open, a.base, 1); err != nil {
		return err
	}
	return a.freeze(ctx)
}

// freeze fixes the answer to every question. Answers other than those recorded can bring up new questions,
// which are answered in their turn: level by level, where a tree is searched.
func (a *auditor) freeze(ctx context.Context) error {
	calls := a.recorded.calls
	for range maxFreezes {
		a.still = frozen(calls)
		rec := mechanismtest.NewReplay(a.still)
		replay, err := a.carry(ctx, a.policy, a.release, rec, a.base, 1)
		if err != nil {
			return err
		}
		if calls = replay.calls; len(rec.Unrecorded()) > 0 {
			continue
		}
		a.still = replay.calls // with other answers some questions may not have come up
		a.checkShown(replay)
		a.result, err = json.Marshal(replay.result)
		return err
	}
	return errors.New("the same answers bring up new questions again and again")
}

// maxFreezes is more than the levels of any tree.
const maxFreezes = 16

// compare holds the world against each of its neighbours.
func (a *auditor) compare(ctx context.Context) error {
	for _, n := range a.people {
		w := a.base.with(n.w)
		own, open, err := both(
			func() (*outcome, error) { return a.exact(ctx, a.policy, w, 1) },
			func() (*outcome, error) { return a.exact(ctx, a.open, w, 1) })
		if err != nil {
			return err
		}
		a.hold(n.name, a.recorded, own, a.policy)
		a.hold(n.name, a.opened, open, a.open)
		replay, err := a.carry(ctx, a.policy, a.release, mechanismtest.NewReplay(a.still), w, 1)
		if err != nil {
			return err
		}
		result, err := json.Marshal(replay.result)
		if err != nil {
			return err
		}
		a.rules.same.require(bytes.Equal(result, a.result), "with %s another result is published", n.name)
		questions(&a.rules.questions, a.still, replay.calls, n.name)
		a.checkShown(replay)
		a.report.Pairs++
	}
	return nil
}

// hold compares the exact numbers of two neighbours under a policy.
func (a *auditor) hold(who string, before, after *outcome, p *aggregate.Policy) {
	a.note(before, after)
	all := changes(before.calls, after.calls, p == a.open)
	sensitivity(&a.rules.sensitivity, all, who)
	a.keep(all, p == a.open)
	a.checkRun(after, p)
}

// note keeps which draws were reached.
func (a *auditor) note(all ...*outcome) {
	for _, o := range all {
		for at := range o.probe.noises {
			a.seen[at] = true
		}
	}
}

// keep remembers the largest changes, for the samples.
func (a *auditor) keep(all []change, absent bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(c change) bool { return c.call.Operation != mechanismtest.AddNoise })
	for _, c := range all {
		at := place{c.site.Table, c.site.Statistic}
		if c.amount > a.worst[at].amount {
			a.worst[at] = c
		}
	}
	if absent && loss(all) > loss(a.whole) {
		a.whole = all
	}
}

// loss is about the privacy loss of all changes together.
func loss(all []change) float64 {
	var sum float64
	for _, c := range all {
		sum += c.amount / c.call.Scale
	}
	return sum
}

// compareOrder reads the same records in another order.
func (a *auditor) compareOrder(ctx context.Context) error {
	w := a.base.with(a.neighbours()[1].w)
	one, err := a.exact(ctx, a.open, w, 1)
	if err != nil {
		return err
	}
	two, err := a.exact(ctx, a.open, w.reversed(), readers)
	if err != nil {
		return err
	}
	before, after := numbers(one.calls), numbers(two.calls)
	a.rules.order.require(len(before) == len(after), "there are %d draws in one order and %d in the other", len(before), len(after))
	for site, x := range before {
		a.rules.order.require(after[site] == x, "%s.%s: another number in another order", site.Table, site.Statistic)
	}
	return nil
}

// finish puts the report together.
func (a *auditor) finish() *Report {
	r := &a.rules
	a.report.Checks = []Check{r.sensitivity, r.same, r.questions, r.minimum, r.planned, r.charge, r.choice, r.order}
	for _, t := range a.plan.Tables {
		for _, d := range t.Draws {
			if at := (place{t.Name, d.Statistic}); !a.seen[at] {
				a.report.Unseen = append(a.report.Unseen, at.String())
			}
		}
	}
	a.report.Violated = slices.ContainsFunc(a.report.Checks, func(c Check) bool { return !c.Passed }) ||
		slices.ContainsFunc(a.report.Bounds, func(b Bound) bool { return !b.Passed })
	return a.report
}

// places returns the keys of a map in order.
func places[V any](m map[place]V) []place {
	return slices.SortedFunc(maps.Keys(m), func(x, y place) int { return bytes.Compare([]byte(x.String()), []byte(y.String())) })
}
