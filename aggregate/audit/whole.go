// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"math"
	"slices"

	dpaudit "github.com/throngdp/throng/dp/audit"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

func newZero() *mechanismtest.Recorder { return mechanismtest.New(mechanismtest.Zero) }

// sampleRelease tests all changes of the worst person together against the claim of the release. The outputs
// become one number, the log of the likelihood ratio, of which no event on them tells more.
func (a *auditor) sampleRelease(ctx context.Context, alpha float64) error {
	var all []change
	for _, c := range a.whole {
		if a.opened.probe.noises[place{c.site.Table, c.site.Statistic}].Kind() != 0 {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil
	}
	n := a.samples(drawsOfRelease, len(all))
	if a.o.Samples > 0 {
		n = max(fewestSamples, min(a.o.Samples, a.o.Samples*len(a.worst)/len(all)))
	}
	p, q, err := both(
		func() ([]float64, error) { return a.scores(ctx, all, n, func(c change) int64 { return c.x }) },
		func() ([]float64, error) { return a.scores(ctx, all, n, func(c change) int64 { return c.y }) })
	if err != nil {
		return err
	}
	spend := a.release.Spend
	if charges := a.recorded.probe.charges; len(charges) > 0 {
		spend = charges[0].Spend
	}
	epsilon, _ := spend.Epsilon.Rat().Float64()
	delta, _ := spend.Delta.Rat().Float64()
	b := Bound{
		Statistic: a.report.Release, Measure: "epsilon", Event: "a tail of the likelihood ratio of all changed draws",
		Alpha: alpha, Claim: epsilon,
	}
	f := dpaudit.Search(p, q, delta, alpha)
	if delta > 0 && !slices.ContainsFunc(all, func(c change) bool { return c.call.Kind != mechanism.Gaussian }) {
		// All of them together are one Gaussian mechanism, whose (ε, δ) is one number.
		f = dpaudit.SearchMu(p, q, alpha)
		b.Measure, b.Claim = "mu", dpaudit.GaussianMu(epsilon, delta)
	}
	b.Samples, b.Bound, b.Passed = f.Likely.Draws, f.Bound, f.Bound <= b.Claim
	a.report.Bounds = append(a.report.Bounds, b)
	return nil
}

// scores draws all changed statistics n times on one side and returns the log likelihood ratios.
func (a *auditor) scores(ctx context.Context, all []change, n int, side func(change) int64) ([]float64, error) {
	scores := make([]float64, n)
	for _, c := range all {
		noise := a.opened.probe.noises[place{c.site.Table, c.site.Statistic}]
		out, err := a.draw(ctx, noise, side(c), n)
		if err != nil {
			return nil, err
		}
		for i, v := range out {
			scores[i] += ratio(noise, float64(v-c.x), float64(v-c.y))
		}
	}
	return scores, nil
}

// ratio is the log of how much likelier a distance from x is than one from y.
func ratio(noise mechanism.Noise, fromX, fromY float64) float64 {
	if b := noise.Scale(); noise.Kind() == mechanism.Laplace {
		return (math.Abs(fromY) - math.Abs(fromX)) / b
	}
	return (fromY*fromY - fromX*fromX) / (2 * noise.Scale() * noise.Scale())
}
