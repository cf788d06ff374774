// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp"
	dpaudit "github.com/throngdp/throng/dp/audit"
	"github.com/throngdp/throng/dp/mechanism"
)

// How many draws an audit makes where nothing else is asked for: in all for the statistics and for the
// release as a whole, and at most on a side.
const (
	drawsOfStatistics = 600_000
	drawsOfRelease    = 250_000
	mostSamples       = 100_000
	fewestSamples     = 2_000
	// selectionsPerDraw is how many selections take the time of one draw of noise.
	selectionsPerDraw = 20
)

// sample draws the real noise of the largest changes that were found.
func (a *auditor) sample(ctx context.Context) error {
	chosen, err := a.inflated(ctx)
	if err != nil {
		return err
	}
	tests := 2*len(a.worst) + len(chosen) + 1
	alpha := a.o.Alpha / float64(tests)
	for _, at := range places(a.worst) {
		if err := a.sampleStatistic(ctx, at, alpha); err != nil {
			return err
		}
	}
	for _, c := range chosen {
		if err := a.sampleChoice(ctx, c, alpha); err != nil {
			return err
		}
	}
	return a.sampleRelease(ctx, alpha)
}

// samples is how many draws each of so many draws gets on each side.
func (a *auditor) samples(all, draws int) int {
	if a.o.Samples > 0 {
		return a.o.Samples
	}
	return max(fewestSamples, min(mostSamples, all/(2*max(1, draws))))
}

// draw takes n outputs around x.
func (a *auditor) draw(ctx context.Context, noise mechanism.Noise, x int64, n int) ([]int64, error) {
	out := make([]int64, n)
	for i := range out {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var err error
		if out[i], err = a.live.AddNoise(mechanism.Site{}, noise, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// both draws two sides at the same time.
func both[T any](one, two func() (T, error)) (T, T, error) {
	var wait sync.WaitGroup
	var second T
	var errSecond error
	wait.Go(func() { second, errSecond = two() })
	first, err := one()
	wait.Wait()
	if err == nil {
		err = errSecond
	}
	return first, second, err
}

// sampleStatistic tests one statistic at the largest change of one group: ε or μ of the change at the scale
// that the plan claims, and the scale itself.
func (a *auditor) sampleStatistic(ctx context.Context, at place, alpha float64) error {
	c, noise := a.worst[at], a.opened.probe.noises[at]
	if noise.Kind() == 0 {
		noise = a.recorded.probe.noises[at]
	}
	claimed, ok := a.planned(at)
	if !ok || noise.Kind() == 0 {
		return nil // a rule has told it
	}
	n := a.samples(drawsOfStatistics, len(a.worst))
	p, q, err := both(
		func() ([]int64, error) { return a.draw(ctx, noise, c.x, n) },
		func() ([]int64, error) { return a.draw(ctx, noise, c.y, n) })
	if err != nil {
		return err
	}
	b := Bound{Statistic: at.String(), Samples: int64(n), Alpha: alpha, Measure: "epsilon", Claim: c.amount / claimed.Scale}
	if noise.Kind() == mechanism.Gaussian {
		middle := c.x + (c.y-c.x)/2
		event := dpaudit.Tail[int64]{At: middle, Above: c.y < c.x}
		b.Measure, b.Event = "mu", relative(event, min(c.x, c.y))
		b.Bound = dpaudit.Mu(event.Count(p), event.Count(q), alpha)
	} else {
		below, above := dpaudit.LatticeTails(c.x, c.y)
		event := below
		if c.x > c.y {
			event = above
		}
		b.Event = relative(event, min(c.x, c.y))
		b.Bound = dpaudit.Test(p, q, event, 0, alpha).Bound
	}
	b.Passed = b.Bound <= b.Claim*(1+ulps)
	a.report.Bounds = append(a.report.Bounds, b, scaleBound(at, claimed, p, q, c, alpha))
	return nil
}

// relative writes an event as it is where the smaller input is 0.
func relative(t dpaudit.Tail[int64], smaller int64) string {
	t.At -= smaller
	return t.String()
}

func (a *auditor) planned(at place) (aggregate.PlanDraw, bool) {
	if t := a.table(at.table); t != nil {
		for _, d := range t.Draws {
			if d.Statistic == at.statistic {
				return d, true
			}
		}
	}
	return aggregate.PlanDraw{}, false
}

// scaleBound tests that noise is as wide as claimed, by how much of it lies beyond a quantile of about 0.2,
// where a wrong scale shows best. The number is exactly binomial.
func scaleBound(at place, claimed aggregate.PlanDraw, p, q []int64, c change, alpha float64) Bound {
	quantile := 1.6
	if claimed.Mechanism == mechanism.Gaussian.String() {
		quantile = 1.3
	}
	reach := int64(math.Floor(quantile * claimed.Scale))
	count := dpaudit.Count{Draws: int64(len(p) + len(q))}
	for i := range p {
		for _, d := range []int64{p[i] - c.x, q[i] - c.y} {
			if max(d, -d) > reach {
				count.Hits++
			}
		}
	}
	want := 2 * beyond(claimed.Mechanism, claimed.Scale, float64(reach)+0.5) * (1 - ulps)
	return Bound{
		Statistic: at.String(), Measure: "scale", Event: fmt.Sprintf("{|noise| > %d}", reach), Samples: int64(len(p)), Alpha: alpha,
		Bound: dpaudit.Upper(count, alpha), Claim: want, Passed: dpaudit.AtMost(count, want) >= alpha,
	}
}

// choice is how one table's groups are shown, calibrated to a δ that samples can see.
type choice struct {
	table     string
	threshold mechanism.Threshold
	noise     mechanism.Noise
	selection mechanism.Selection
}

// inflated returns the choices of all tables for k = 1 and the largest δ there is.
func (a *auditor) inflated(ctx context.Context) ([]choice, error) {
	delta, err := dp.ParseDelta("0.0099")
	if err != nil {
		return nil, err
	}
	p, r := *a.open, *a.release
	r.Spend.Delta, p.Budget.Delta = delta, delta
	m := *a.model
	o, err := m.carry(ctx, &p, &r, newZero(), a.base, 1)
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, t := range a.plan.Tables {
		c := choice{table: t.Name, threshold: o.probe.thresholds[t.Name], selection: o.probe.selections[t.Name]}
		c.noise = o.probe.noises[place{t.Name, string(aggregate.CountVisitors)}]
		if c.threshold.K > 0 && c.noise.Kind() != 0 || c.selection.K() > 0 {
			all = append(all, c)
		}
	}
	return all, nil
}

// sampleChoice counts how often a lone person shows a group: at most δ over the groups of a person.
func (a *auditor) sampleChoice(ctx context.Context, c choice, alpha float64) error {
	n := a.samples(drawsOfStatistics/2, len(a.worst))
	if c.selection.K() > 0 {
		n *= selectionsPerDraw
	}
	site := mechanism.Site{Table: c.table}
	count := dpaudit.Count{Draws: int64(n)}
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		shown, err := c.once(a.live, site)
		if err != nil {
			return err
		}
		if shown {
			count.Hits++
		}
	}
	delta, _ := c.threshold.Delta().Rat().Float64()
	claim := delta / float64(max(1, c.threshold.L0()))
	if c.selection.K() > 0 {
		claim = c.selection.KeepProbability(1)
	}
	a.report.Bounds = append(a.report.Bounds, Bound{
		Statistic: c.table, Measure: "keep_rate", Event: "{a group of one person is shown}", Samples: int64(n), Alpha: alpha,
		Bound: dpaudit.Lower(count, alpha), Claim: claim, Passed: dpaudit.AtLeast(count, claim) >= alpha,
	})
	return nil
}

// once decides on a group of one person.
func (c *choice) once(live mechanism.Mechanism, site mechanism.Site) (bool, error) {
	if c.selection.K() > 0 {
		return live.Select(site, c.selection, 1)
	}
	noisy, err := live.AddNoise(site, c.noise, 1)
	if err != nil {
		return false, err
	}
	return live.Show(site, c.threshold, 1, noisy)
}
