// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
)

// RunOn is Run with another mechanism to sample, and only the neighbour who changes most.
func RunOn(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, o Options, live mechanism.Mechanism) (*Report, error) {
	return run(ctx, p, r, o, func(a *auditor) { a.live, a.people = live, a.people[3:4] })
}
