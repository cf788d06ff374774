// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/anonymize/detect"
)

// idScore is how much a column looks like the id of a person; 0 where it does not.
func (c *column) idScore() int {
	if c.Problem != "" || c.time || c.rows > 0 && c.valid == 0 || c.rows >= 1000 && c.values.distinct() <= few {
		return 0
	}
	switch {
	case c.has("thing"):
		return 0
	case c.has("personid"), c.has("person") && c.has("id"), c.is("csusername"):
		return 100
	case c.is("id") && c.input == aggregate.Visitors:
		return 70
	case c.is("id"):
		return 40
	case c.looksLike(detect.Email) && c.has("contact"):
		return 30
	case c.has("device") && (c.has("id") || c.share(isUUID, 90)):
		return 20
	}
	return 0
}

// looksLike reports whether at least half of the values look like an identifier.
func (c *column) looksLike(k detect.Kind) bool { return c.valid > 0 && 2*c.kinds[k] >= c.valid }

// opaque reports whether a column has many values that are neither amounts nor times: what could be an id.
func (c *column) opaque() bool {
	return c.Problem == "" && !c.time && c.values.distinct() > dozens && !c.has("time") && !c.has("amount") &&
		!c.has("contact") && !c.has("thing") && !c.has("birth") && !c.share(isDate, 90) && !c.share(isInstant, 90) &&
		!c.share(isLong, 10) && !c.share(isPath, 10) && !c.share(isURL, 10) && (!c.share(isNumber, 90) || c.share(isWhole, 90))
}

// choosePerson finds the column that names the person in each input. Asked names what to take instead.
func (r *report) choosePerson(asked list) error {
	candidates := make([][]*column, len(r.Inputs))
	for i, in := range r.Inputs {
		candidates[i] = in.candidates(asked)
	}
	if len(r.Inputs) == 2 {
		if u, v := pair(candidates[0], candidates[1]); u != nil {
			name(u, v)
			return nil
		}
	}
	var chosen []*column
	for i, in := range r.Inputs {
		best := best(candidates[i])
		if best == nil {
			return missingID(in)
		}
		chosen = append(chosen, best)
	}
	name(chosen...)
	return nil
}

func (in *input) candidates(asked list) []*column {
	var all []*column
	for _, c := range in.Columns {
		if len(asked) > 0 && slices.Contains(asked, c.Name) && c.Problem == "" {
			return []*column{c}
		}
		if len(asked) == 0 && (c.idScore() > 0 || c.opaque()) {
			all = append(all, c)
		}
	}
	return all
}

// best is the column that looks most like a person's id by its name.
func best(all []*column) *column {
	var found *column
	for _, c := range all {
		if found == nil || c.idScore() > found.idScore() {
			found = c
		}
	}
	if found == nil || found.idScore() == 0 && len(all) > 1 {
		return nil
	}
	return found
}

// pair finds the columns of two inputs that hold the same ids: by name, and by values that both have.
func pair(usage, visitors []*column) (u, v *column) {
	most := 0
	for _, a := range usage {
		for _, b := range visitors {
			score := a.idScore() + b.idScore()
			if a.Name == b.Name {
				score += 30
			}
			if a.values.overlap(&b.values) >= 30 {
				score += 60
			}
			if score >= 80 && score > most {
				most, u, v = score, a, b
			}
		}
	}
	return u, v
}

// name makes columns the person's id, of a kind that all of them can have.
func name(columns ...*column) {
	all := func(ok func(*column) bool) bool {
		return !slices.ContainsFunc(columns, func(c *column) bool { return !ok(c) })
	}
	kind := "opaque"
	switch {
	case all(func(c *column) bool { return c.share(isUUID, 98) }):
		kind = "uuid"
	case all(func(c *column) bool { return c.share(isWhole, 98) }):
		kind = "int"
	case all(func(c *column) bool { return c.looksLike(detect.Email) }):
		kind = "email"
	case all(func(c *column) bool { return c.looksLike(detect.Phone) }):
		kind = "phone"
	}
	for _, c := range columns {
		c.role, c.idKind = id, kind
	}
}

// Bounds of what is held to be an attribute of the person.
const (
	// repeating is how many ids must be there more than once.
	repeating = 20
	// constant is how many of 100 such ids must have one value alone.
	constant = 98
)

// ofPerson reports whether a usage column describes the person: by its name, or because nearly everybody who
// is in the sample more than once has one value.
func (c *column) ofPerson(id *column) bool {
	if c.input == aggregate.Visitors || c.has("person attribute") {
		return true
	}
	if c.values.distinct() < 2 {
		return false
	}
	type held struct {
		value      uint64
		more, many bool
	}
	people := map[uint64]held{}
	for i := range min(len(c.kept), len(id.kept)) {
		person, value := id.kept[i], c.kept[i]
		if person == 0 || value == 0 {
			continue
		}
		if h, ok := people[person]; ok {
			people[person] = held{h.value, true, h.many || h.value != value}
		} else {
			people[person] = held{value: value}
		}
	}
	more, many := 0, 0
	for _, h := range people {
		more += btoi(h.more)
		many += btoi(h.many)
	}
	return more >= repeating && 100*(more-many) >= constant*more
}
