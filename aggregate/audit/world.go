// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
)

// world is the records of some people, by input of the plan.
type world [][]record

// with returns a world that also has the records of another, first.
func (w world) with(first world) world {
	var all world
	for i := range w {
		all = append(all, slices.Concat(first[i], w[i]))
	}
	return all
}

// reversed returns the same records in the opposite order.
func (w world) reversed() world {
	var all world
	for i := range w {
		r := slices.Clone(w[i])
		slices.Reverse(r)
		all = append(all, r)
	}
	return all
}

// inputs hands a world to a run.
func (m *model) inputs(w world) aggregate.Inputs {
	var in aggregate.Inputs
	for i, input := range m.plan.Inputs {
		src := []table.Source{&memory{name: input.Name, columns: input.Columns, records: w[i]}}
		switch input.Name {
		case string(aggregate.Visitors):
			in.Visitors = src
		case string(aggregate.Usage):
			in.Usage = src
		case linksInput:
			in.Links = src
		case consentsInput:
			in.Consents = src
		default:
			in.Listed = src
		}
	}
	return in
}

// person writes the records of one person.
type person struct {
	m      *model
	number int64
	// column is the one id that records have; empty is all of them.
	column string
	w      world
}

// stranger is the number of the person in whom neighbours differ.
const stranger = 9_999_999

func (m *model) person(number int64) *person {
	return &person{m: m, number: number, w: make(world, len(m.columns))}
}

// events is the input whose records are what the person did. The other, where there is one, describes them.
const events = 0

// record adds a record whose cells are chosen by pick. Ids are the person's.
func (p *person) record(input int, pick func(c *column) []byte) {
	var r record
	for i := range p.m.columns[input] {
		c := &p.m.columns[input][i]
		switch {
		case c.id != "" && p.column != "" && p.column != cmp.Or(c.of, c.name):
			r = append(r, nil)
		case c.id != "":
			r = append(r, []byte(idText(c.id, p.number)))
		case p.number >= strangers && c.edges != nil && p.m.policy.PrivacyUnit.Per != "":
			// Neighbours differ in what they did on one day, or in one week: that of the edge.
			r = append(r, c.at(edge))
		default:
			r = append(r, pick(c))
		}
	}
	p.w[input] = append(p.w[input], r)
}

// describe adds a record of the other input, if there is one. Nobody is listed.
func (p *person) describe(pick func(c *column) []byte) {
	if len(p.w) > 1 && p.m.plan.Inputs[1].Name == string(aggregate.Visitors) {
		p.record(1, pick)
	}
}

// link adds a record that says which ids are theirs, if there are links.
func (p *person) link() {
	if at := p.m.input(linksInput); at >= 0 {
		p.record(at, func(*column) []byte { return nil })
	}
}

// decide adds a decision, if there is a log of them.
func (p *person) decide(pick func(c *column) []byte) {
	if at := p.m.input(consentsInput); at >= 0 {
		p.record(at, pick)
	}
}

// idText writes a privacy id of a kind.
func idText(kind string, n int64) string {
	switch kind {
	case "email":
		return fmt.Sprintf("person%d@example.org", n)
	case "phone":
		return fmt.Sprintf("+1555%07d", n)
	case "uuid":
		return fmt.Sprintf("00000000-0000-4000-8000-%012x", n)
	case "ip":
		return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
	case "int":
		return strconv.FormatInt(n, 10)
	}
	return "person-" + strconv.FormatInt(n, 10)
}

// edge is the slot of the group that has about k people.
const edge = -1

// slot picks the cells of one group in all dimensions.
func slot(s int) func(c *column) []byte {
	return func(c *column) []byte { return c.at(s) }
}

// at returns the cell of a slot; numbers are the upper end of their clamp.
func (c *column) at(s int) []byte {
	switch {
	case c.value:
		return []byte(c.upper)
	case len(c.good) == 0:
		return nil
	case s == edge:
		return []byte(c.good[len(c.good)-1])
	}
	return []byte(c.good[s%max(1, len(c.good)-1)])
}

// mixed picks cells by a hash, each column its own.
func mixed(seed uint64) func(c *column) []byte {
	return func(c *column) []byte {
		h := seed
		for _, b := range []byte(c.name) {
			h = mix(h ^ uint64(b))
		}
		return c.at(int(h % 1024))
	}
}

// mix is the finalizer of splitmix64 (Steele, Lea and Flood 2014): worlds are the same in every run.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// crowd is a world of two large groups, some people in many groups, and edge people who all are in one
// group more, with several records each.
func (m *model) crowd(k int64, atEdge int64) world {
	w := make(world, len(m.columns))
	number := int64(1)
	add := func(n int64, pick func(i int64) func(c *column) []byte) {
		for i := range n {
			p := m.person(number)
			for range m.each(1 + i%3) {
				p.record(events, pick(i))
			}
			p.describe(pick(i))
			p.link()
			p.decide(slot(0))
			w = p.w.with(w)
			number++
		}
	}
	same := func(s int) func(int64) func(c *column) []byte {
		return func(int64) func(c *column) []byte { return slot(s) }
	}
	add(2*k+10, same(0))
	add(k+5, same(1))
	add(30, func(i int64) func(c *column) []byte { return mixed(uint64(i)) })
	add(atEdge, same(edge))
	if m.policy.PrivacyUnit.Links != nil {
		w = m.table().with(w)
	}
	return w
}

// perRecord protects single records. People of the worlds then have one.
const perRecord = "record"

func (m *model) each(records int64) int64 {
	if m.policy.PrivacyUnit.Per == perRecord {
		return 1
	}
	return records
}

// neighbour is the records of one person, and what they try.
type neighbour struct {
	name string
	w    world
}

// many is a number above a bound, as far as worlds may have it.
func many(bound int64) int { return int(min(2*bound+20, 4000)) }

// neighbours returns people who try to count for more than one person.
func (m *model) neighbours() []neighbour {
	groups, records := int64(1), int64(1)
	for _, t := range m.plan.Tables {
		groups, records = max(groups, t.MaxPartitions), max(records, t.MaxPerPartition)
	}
	var all []neighbour
	add := func(name string, fill func(p *person)) {
		p := m.person(stranger)
		fill(p)
		p.link()
		p.decide(slot(0))
		if records := p.w[events]; m.policy.PrivacyUnit.Per == perRecord && len(records) > 1 {
			p.w[events] = records[len(records)-1:]
		}
		all = append(all, neighbour{name, p.w})
	}
	add("one person more in a group at its edge", func(p *person) { p.times(1, 1, slot(edge)) })
	add("more groups than count", func(p *person) {
		for i := range many(groups) {
			p.record(events, scattered(i))
		}
		p.describe(slot(0))
	})
	add("more records in a group than count", func(p *person) { p.times(many(records), 1, slot(0)) })
	add("the most in every group", func(p *person) { p.everywhere(m, records, func(c *column) string { return c.upper }) })
	add("the least in every group", func(p *person) { p.everywhere(m, records, func(c *column) string { return c.lower }) })
	add("numbers above the clamp", func(p *person) { p.times(many(records), 1, number("1e15", slot(0))) })
	add("numbers below the clamp", func(p *person) { p.times(many(records), 1, number("-1e15", slot(0))) })
	add("numbers that are none", func(p *person) {
		for i, text := range badNumbers {
			p.record(events, number(text, slot(i%2)))
		}
		p.describe(slot(0))
	})
	add("labels that nobody expects", func(p *person) {
		for i := range 60 {
			p.record(events, strange(i))
		}
		p.describe(strange(1))
	})
	add("nothing but nulls", func(p *person) { p.times(3, 1, func(*column) []byte { return nil }) })
	add("the ends of the period", func(p *person) {
		for i := range 6 {
			p.record(events, atEdges(i))
		}
		p.describe(slot(0))
	})
	add("attributes that disagree", func(p *person) {
		p.times(4, 0, slot(0))
		for i := range 21 {
			p.describe(mixed(uint64(i)))
		}
	})
	add("no description", func(p *person) { p.times(4, 0, slot(0)) })
	add("a description alone", func(p *person) { p.times(0, 2, slot(0)) })
	add("whom a rule leaves out", func(p *person) {
		p.times(many(records), 1, slot(0))
		p.describe(refused)
		p.record(events, refused)
	})
	if m.policy.Exclude.Consents != nil {
		add("who consented and withdrew", func(p *person) {
			p.times(many(records), 1, slot(0))
			p.decide(refused)
		})
	}
	return append(all, m.linkedNeighbours(groups, records)...)
}

// times adds records of what the person did, and descriptions.
func (p *person) times(did, described int, pick func(c *column) []byte) {
	for range did {
		p.record(events, pick)
	}
	for range described {
		p.describe(pick)
	}
}

// everywhere adds enough records in every slot, with one end of each clamp.
func (p *person) everywhere(m *model, records int64, end func(c *column) string) {
	slots := 2
	for _, c := range m.columns[events] {
		if c.group {
			slots = max(slots, len(c.good)-1)
		}
	}
	each := int(min(records+2, int64(math.Ceil(4000/float64(slots)))))
	for s := range slots {
		for range each {
			p.record(events, func(c *column) []byte {
				if c.value {
					return []byte(end(c))
				}
				return c.at(s)
			})
		}
	}
	p.describe(slot(0))
}

// number picks text for numbers.
func number(text string, pick func(c *column) []byte) func(c *column) []byte {
	return func(c *column) []byte {
		if c.value {
			return []byte(text)
		}
		return pick(c)
	}
}

// scattered picks a group that no other record has, where a dimension is open, and otherwise any.
func scattered(i int) func(c *column) []byte {
	return func(c *column) []byte {
		switch {
		case c.free:
			return []byte("only" + strconv.Itoa(i))
		case c.group && len(c.good) > 0:
			return []byte(c.good[int(mix(uint64(i)^uint64(len(c.name)))%uint64(len(c.good)))])
		}
		return c.at(i)
	}
}

var (
	badNumbers = []string{"NaN", "Inf", "-Inf", "-0", "5e-324", "1.8e308", "-1.8e308", "9223372036854775808", "", "0x10", "1,5", "\x00"}
	badLabels  = []string{"", " ", "\x00", "\xff\xfe", "null", "=1+1", "\u202emoc", "a\x1fb", "\\N"}
)

// strange picks labels that are none. Times stay, so that the record counts.
func strange(i int) func(c *column) []byte {
	return func(c *column) []byte {
		if c.group && c.edges == nil && c.bad == "" {
			return []byte(badLabels[int(mix(uint64(i)+uint64(len(c.name)))%uint64(len(badLabels)))])
		}
		return c.at(0)
	}
}

// atEdges picks the ends of the period.
func atEdges(i int) func(c *column) []byte {
	return func(c *column) []byte {
		if len(c.edges) > 0 {
			return []byte(c.edges[i%len(c.edges)])
		}
		return c.at(0)
	}
}

// refused picks what a rule leaves out.
func refused(c *column) []byte {
	if c.bad != "" {
		return []byte(c.bad)
	}
	return c.at(0)
}
