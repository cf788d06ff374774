// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// place is a statistic of a table.
type place struct{ table, statistic string }

func (p place) String() string { return p.table + "." + p.statistic }

// probe is a recorder that also keeps the parameters themselves, and is the charger of its run.
type probe struct {
	*mechanismtest.Recorder

	mu         sync.Mutex
	noises     map[place]mechanism.Noise
	thresholds map[string]mechanism.Threshold
	selections map[string]mechanism.Selection
	charges    []aggregate.Charge
	early      bool // something was drawn before it was charged
}

func newProbe(r *mechanismtest.Recorder) *probe {
	return &probe{
		Recorder: r, noises: map[place]mechanism.Noise{},
		thresholds: map[string]mechanism.Threshold{}, selections: map[string]mechanism.Selection{},
	}
}

// note calls f under the lock, after it has looked whether the release was charged.
func (p *probe) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.early = p.early || len(p.charges) == 0
	f()
}

// AddNoise implements mechanism.Mechanism.
func (p *probe) AddNoise(site mechanism.Site, n mechanism.Noise, x int64) (int64, error) {
	p.note(func() { p.noises[place{site.Table, site.Statistic}] = n })
	v, err := p.Recorder.AddNoise(site, n, x)
	if isSurvey(site.Statistic) {
		return answer(site), err
	}
	return v, err
}

// answer is what a survey is told. What follows depends on it, and holds for each answer. This one is that a great many
// people have 4 groups, and up to 4 records in one, and values that come to 64 within the second clamp that is narrower
// than the policy's, and not within the third: bounds that are found are narrower than those that the engine has kept to.
func answer(site mechanism.Site) int64 {
	if site.Group == "4" || site.Group == "64/2" {
		return 1 << 30
	}
	return 0
}

// isSurvey reports whether a draw is of those by which bounds are found.
func isSurvey(statistic string) bool { return strings.HasPrefix(statistic, "survey_") }

// Show implements mechanism.Mechanism.
func (p *probe) Show(site mechanism.Site, t mechanism.Threshold, n, noisy int64) (bool, error) {
	p.note(func() { p.thresholds[site.Table] = t })
	return p.Recorder.Show(site, t, n, noisy)
}

// Select implements mechanism.Mechanism.
func (p *probe) Select(site mechanism.Site, s mechanism.Selection, n int64) (bool, error) {
	p.note(func() { p.selections[site.Table] = s })
	return p.Recorder.Select(site, s, n)
}

// Charge implements aggregate.Charger.
func (p *probe) Charge(_ context.Context, c aggregate.Charge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.charges = append(p.charges, c)
	return nil
}

// outcome is what a run left behind.
type outcome struct {
	result *aggregate.Result
	calls  []mechanismtest.Call
	probe  *probe
}

// carry carries a release out over a world. All runs have one secret, so that the sampling of a person's
// records is the same in each.
func (m *model) carry(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, rec *mechanismtest.Recorder, w world, workers int) (*outcome, error) {
	key := sha256.Sum256([]byte("worlds of an audit"))
	secret, err := identity.SecretFromBytes(key[:])
	if err != nil {
		return nil, err
	}
	probe := newProbe(rec)
	runner := aggregate.Runner{Workers: workers, Charger: probe, Slot: -1}
	result, err := runner.Run(seam.With(ctx, seam.Hooks{Mechanism: probe, Secret: secret, Plans: m.plans}), p, r, m.inputs(w))
	if err != nil {
		return nil, err
	}
	return &outcome{result, rec.Calls(), probe}, nil
}
