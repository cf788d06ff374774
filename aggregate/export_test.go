// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/dp/mechanism"
)

// Prepared is a release whose data has been read, for tests that publish it many times over. It exists
// in tests only: outside them every set of draws is charged.
type Prepared struct {
	c        *compiled
	s        *scanner
	partials *engine.Partials
}

// Prepare reads the inputs.
func Prepare(ctx context.Context, p *Policy, r *Release, in Inputs, workers int) (*Prepared, error) {
	c, err := compile(p, r)
	if err != nil {
		return nil, err
	}
	hooks, err := seam.From(ctx)
	if err != nil {
		return nil, err
	}
	s := newScanner(c, hooks.Secret)
	if err := s.check(ctx, p.inputs(), in); err != nil {
		return nil, err
	}
	partials, err := (&Runner{Workers: workers}).scan(ctx, s, in)
	return &Prepared{c, s, partials}, err
}

// Publish draws once.
func (p *Prepared) Publish(ctx context.Context, m mechanism.Mechanism) ([]ResultTable, error) {
	return publish(ctx, p.c, p.s, p.partials, m)
}
