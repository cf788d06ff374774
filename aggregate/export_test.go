// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"time"

	"github.com/throngdp/throng/dp/mechanism"
)

// Prepared is a release whose data has been read, for tests that publish it many times over. It exists
// in tests only: outside them every set of draws is charged.
type Prepared struct{ rd *reading }

// Prepare reads the inputs.
func Prepare(ctx context.Context, p *Policy, r *Release, in Inputs, workers int) (*Prepared, error) {
	rd, err := (&Runner{Workers: workers}).read(ctx, p, r, in)
	return &Prepared{rd}, err
}

// Publish draws once.
func (p *Prepared) Publish(ctx context.Context, m mechanism.Mechanism) ([]ResultTable, error) {
	p.rd.mechanism = m
	return p.rd.release(ctx)
}

// RestOfSlot is what is left of a slot of which a run has taken some or more.
func RestOfSlot(rn *Runner, taken time.Duration) time.Duration { return rn.rest(taken) }
