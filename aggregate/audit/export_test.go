// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"math/rand/v2"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
)

// RunOn is Run with another mechanism to sample, and only the neighbour who changes most.
func RunOn(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, o Options, live mechanism.Mechanism) (*Report, error) {
	return run(ctx, p, r, o, func(a *auditor) { a.live, a.people = live, a.people[3:4] })
}

// Search is Run with people whose records are drawn at random.
func Search(ctx context.Context, p *aggregate.Policy, r *aggregate.Release, o Options, people int) (*Report, error) {
	return run(ctx, p, r, o, func(a *auditor) {
		a.people = nil
		for i := range people {
			a.people = append(a.people, a.random(rand.New(rand.NewPCG(uint64(i), 11))))
		}
	})
}

// random is a person with records of every kind that the others have, mixed: as many as come out, under ids that
// are linked where there are links.
func (m *model) random(r *rand.Rand) neighbour {
	p := m.person(stranger)
	p.link()
	ids := []node{{"", 0, stranger}}
	if m.policy.PrivacyUnit.Links != nil {
		devices, bridge, large := m.linked()
		switch r.IntN(4) {
		case 0:
			ids = devices.ids
		case 1:
			ids = bridge.ids
		case 2:
			ids = large.ids[r.IntN(len(large.ids)):][:1]
		}
	}
	pick := func() func(c *column) []byte {
		i := r.IntN(60)
		kinds := []func(c *column) []byte{
			slot(i), slot(edge), mixed(r.Uint64()), scattered(i), strange(i), atEdges(i), refused,
			number(badNumbers[i%len(badNumbers)], slot(i)), number("1e15", slot(i)), number("-1e15", slot(i)),
		}
		// Most records are of one or two kinds, so that many are in one group.
		return kinds[r.IntN(1+r.IntN(len(kinds)))]
	}
	for range 1 << r.IntN(9) {
		id := ids[r.IntN(len(ids))]
		p.number, p.column = id.number, id.column
		p.times(1, r.IntN(2), pick())
	}
	return neighbour{"a person at random", p.w}
}
