// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"slices"

	"github.com/throngdp/throng/aggregate"
)

// node is an id that the table of links names: its column in records, its column in the table, and the number
// that its text is made of.
type node struct {
	column string
	at     int
	number int64
}

// component is ids that links join. The table of links is held fixed: every world has all of it, and neighbours
// differ in records alone.
type component struct {
	ids   []node
	links [][2]int
}

// Numbers of the first ids of components. Those from strangers on are of people in whom neighbours differ.
const (
	residentFrom = 8_000_000
	strangers    = 9_000_000
	starFrom     = strangers
	chainFrom    = strangers + 100_000
	largeFrom    = strangers + 200_000
)

// mostLinked bounds the ids of a person in the worlds, where a policy allows more.
const mostLinked = 50

// input returns the number of the plan's input of a name, -1 where there is none.
func (m *model) input(name string) int {
	return slices.IndexFunc(m.plan.Inputs, func(in aggregate.PlanInput) bool { return in.Name == name })
}

// ids returns ids with consecutive numbers. They are of one column of the table of links or of another, which
// records of what people did have where any is in these.
func (m *model) ids(from int64, n int, other func(i int) bool) []node {
	columns := m.policy.PrivacyUnit.Links.Columns
	at := []int{}
	for i := range columns {
		at = append(at, i)
	}
	slices.SortStableFunc(at, func(i, j int) int { return m.inEvents(columns[i].ID) - m.inEvents(columns[j].ID) })
	at = at[len(at)-2:]
	all := make([]node, n)
	for i := range all {
		side := at[0]
		if other(i) {
			side = at[1]
		}
		all[i] = node{columns[side].ID, side, from + int64(i)}
	}
	return all
}

// inEvents is 1 where records of what people did have ids of a name, else 0.
func (m *model) inEvents(id string) int {
	if slices.ContainsFunc(m.columns[events], func(c column) bool { return c.id != "" && c.name == id }) {
		return 1
	}
	return 0
}

// star is an account with devices: all ids are linked to the first.
func (m *model) star(from int64, n int) component {
	c := component{ids: m.ids(from, n, func(i int) bool { return i > 0 })}
	for i := 1; i < n; i++ {
		c.links = append(c.links, [2]int{0, i})
	}
	return c
}

// chain links each id to the one before, and the last to the first where they are of two columns. Without its
// links, whoever is in the middle leaves two components.
func (m *model) chain(from int64, n int) component {
	c := component{ids: m.ids(from, n, func(i int) bool { return i%2 == 1 })}
	for i := 1; i < n; i++ {
		c.links = append(c.links, [2]int{i - 1, i})
	}
	if n%2 == 0 && n > 2 {
		c.links = append(c.links, [2]int{0, n - 1})
	}
	return c
}

// linked are the components of the worlds of a policy with links: a person with several devices, one whose links
// bridge those of others, and one above the cap.
func (m *model) linked() (devices, bridge, large component) {
	most := m.policy.PrivacyUnit.Links.MaxIDs
	n := int(min(most, mostLinked))
	return m.star(starFrom, n), m.chain(chainFrom, n), m.star(largeFrom, int(most)+2)
}

// table returns the table of links, and records of those who stay: a component above the cap, whose cut must not
// depend on anybody else's links.
func (m *model) table() world {
	p := m.person(0)
	devices, bridge, large := m.linked()
	residents := m.star(residentFrom, int(m.policy.PrivacyUnit.Links.MaxIDs)+2)
	for _, c := range []component{residents, devices, bridge, large} {
		p.join(c)
	}
	p.under(residents.ids, func(i int) {
		p.times(1+i%3, 1, slot(i))
		p.decide(slot(0))
	})
	return p.w
}

// join adds the links of a component.
func (p *person) join(c component) {
	at := p.m.input(linksInput)
	columns := p.m.columns[at]
	for _, l := range c.links {
		r := make(record, len(columns))
		for _, end := range l {
			id := c.ids[end]
			r[id.at] = []byte(idText(columns[id.at].id, id.number))
		}
		p.w[at] = append(p.w[at], r)
	}
}

// under adds records under each of some ids.
func (p *person) under(ids []node, add func(i int)) {
	for i, id := range ids {
		p.number, p.column = id.number, id.column
		add(i)
	}
}

// linkedNeighbours returns the records of those whom the table of links joins, spread over their ids. Of a
// component above the cap it is one id: which others are in its part the keys of a run decide.
func (m *model) linkedNeighbours(groups, records int64) []neighbour {
	if m.policy.PrivacyUnit.Links == nil {
		return nil
	}
	devices, bridge, large := m.linked()
	var all []neighbour
	add := func(name string, ids []node) {
		p, wide := m.person(0), m.person(0)
		p.under(ids, func(int) {
			p.times(many(records)/len(ids)+2, 1, slot(0))
			p.decide(slot(0))
		})
		wide.under(ids, func(i int) {
			for n := range many(groups)/len(ids) + 2 {
				wide.record(events, scattered(i+n*len(ids)))
			}
			wide.describe(slot(0))
			wide.decide(slot(0))
		})
		all = append(all, neighbour{name + ", in one group", p.w}, neighbour{name + ", in many groups", wide.w})
	}
	add("several linked devices", devices.ids)
	add("links that bridge two others", bridge.ids)
	add("an id of a component above the cap", large.ids[:1])
	add("another id of that component", large.ids[len(large.ids)-1:])
	return all
}
