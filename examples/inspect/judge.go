// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/detect"
)

// role is what a column is drafted as.
type role int

const (
	leftOut role = iota
	id
	identifier
	dimension // as it is, of the person or of the event
	event
	ageBand // a person's dimension by bands
	domain
	agent
	clock
	value
	consent
	optOut
	gpc
	dnt
	coppa
	parental
	special
	bands
)

// uses are what roles are called.
var uses = map[role]string{
	leftOut: "leave out", id: "id of the person", identifier: "identifier: never decoded", dimension: "dimension of the person",
	event: "dimension of the event", ageBand: "dimension of the person, in bands; rule under_age", domain: "dimension of the event: the domain alone",
	agent: "dimension of the event: browser and device; rule bots", clock: "time", value: "value: set its clamp", consent: "rule consent",
	optOut: "rule opt_outs", gpc: "rule signals: gpc", dnt: "rule signals: dnt", coppa: "rule signals: coppa",
	parental: "exception to under_age: decide", special: "special category (GDPR Art. 9): decide", bands: "dimension of the person: choose bands",
}

// Bounds of the words for distinct values.
const (
	few      = 12
	dozens   = 120
	hundreds = 1200
)

// judge says in words what the columns look like, and what to use them for.
func (r *report) judge() {
	for c := range r.columns {
		c.as = c.timeForm()
		c.Type, c.Missing, c.Distinct, c.Looks = c.typeWord(), c.missingWord(), c.distinctWord(), c.looksWord()
		if c.Problem != "" {
			c.Type, c.Missing, c.Distinct, c.Looks, c.Use = "cannot be read", "", "", "", c.Problem
			continue
		}
		if c.role != id {
			c.role = c.guess(r.idOf(c.input))
		}
		c.Use = uses[c.role]
		if c.role == id {
			c.Use += " (" + c.idKind + ")"
		}
	}
	r.oneTime()
}

func (r *report) idOf(name aggregate.InputName) *column {
	for _, c := range r.input(name).Columns {
		if c.role == id {
			return c
		}
	}
	return nil
}

// oneTime leaves one time: the period applies to one column.
func (r *report) oneTime() {
	var chosen *column
	for c := range r.columns {
		if c.role != clock {
			continue
		}
		if chosen == nil || c.input == chosen.input && c.timeScore() > chosen.timeScore() {
			chosen = c
		}
	}
	for c := range r.columns {
		if c.role == clock && c != chosen {
			c.role, c.Use = leftOut, "leave out: another column is the time"
		}
	}
}

// timeScore prefers what happened to what was sent or stored, and columns without gaps.
func (c *column) timeScore() int {
	score := btoi(c.has("time")) + 2*btoi(c.Missing == "none")
	for _, w := range []string{"sent", "received", "created", "updated", "start", "end", "birth", "expires"} {
		score -= btoi(c.hasWords(w))
	}
	return score
}

// timeForm is how the column's times are written; empty where it has none.
func (c *column) timeForm() string {
	const enough = 90
	switch {
	case c.time, c.share(isInstant, enough) && !c.share(isDate, enough):
		return string(anonymize.AsRFC3339)
	case c.share(isDate, enough):
		return string(anonymize.AsDate)
	case c.share(isCLF, enough):
		return string(anonymize.AsCLF)
	case !c.has("time") || !c.share(isWhole, enough):
		return ""
	case c.share(isEightDigits, enough):
		return string(anonymize.AsYYYYMMDD)
	case c.share(isUnixS, enough):
		return string(anonymize.AsUnixS)
	case c.share(isUnixMS, enough):
		return string(anonymize.AsUnixMS)
	case c.share(isUnixUS, enough):
		return string(anonymize.AsUnixUS)
	case c.share(isUnixNS, enough):
		return string(anonymize.AsUnixNS)
	case c.share(isDay, enough) && (c.hasWords("date") || c.hasWords("day")):
		return string(anonymize.AsDayOffset)
	}
	return ""
}

func (c *column) typeWord() string {
	switch {
	case c.valid == 0:
		return "nothing"
	case c.as != "":
		return "time (" + c.as + ")"
	case c.isBool():
		return "bool"
	case c.share(isWhole, 90):
		return "whole number"
	case c.share(isNumber, 90):
		return "number"
	}
	return "text"
}

func (c *column) isBool() bool {
	return c.valid > 0 && c.values.distinct() <= 4 && (c.forms[isYes]+c.forms[isNo])*100 >= 95*c.valid
}

func (c *column) missingWord() string {
	switch gone := c.rows - c.valid; {
	case c.valid == 0:
		return "all"
	case 100*gone < c.rows:
		return "none"
	case 2*gone < c.rows:
		return "some"
	}
	return "most"
}

func (c *column) distinctWord() string {
	switch n := c.values.distinct(); {
	case c.valid == 0:
		return ""
	case c.unique():
		return "nearly all"
	case n <= few:
		return "few"
	case n <= dozens:
		return "dozens"
	case n <= hundreds:
		return "hundreds"
	}
	return "many"
}

// unique reports whether nearly every value is another one.
func (c *column) unique() bool { return c.valid >= 50 && 10*c.values.distinct() >= 9*c.valid }

// main is what most values identify, where at least one in ten does.
func (c *column) main() (detect.Kind, bool) {
	best := detect.Email
	for k := detect.Email; k <= detect.Person; k++ {
		if c.kinds[k] > c.kinds[best] {
			best = k
		}
	}
	return best, c.kinds[best] > 0 && 10*c.kinds[best] >= c.valid
}

func (c *column) looksWord() string {
	kind, identifies := c.main()
	switch {
	case c.valid == 0:
		return ""
	case c.share(isAgent, 50):
		return "user agent"
	case c.share(isURL, 50):
		return "url"
	case c.share(isPath, 50):
		return "path"
	case identifies && (!c.share(isNumber, 90) || kind == detect.Phone):
		return kind.String()
	case c.as != "" || c.isBool():
		return ""
	case c.share(isLong, 10):
		return "free text"
	case c.role == id, c.unique() && !c.has("amount"):
		return "opaque id"
	case c.values.distinct() <= dozens:
		return "category"
	}
	return ""
}

// guess is the role of a column that is not the person's id.
func (c *column) guess(person *column) role {
	if c.valid == 0 {
		return leftOut
	}
	if role := c.guessRule(); role != leftOut {
		return role
	}
	_, identifies := c.main()
	switch {
	case c.Looks == "user agent", c.has("agent") && c.input == aggregate.Usage:
		return pick(c.input == aggregate.Usage, agent, identifier)
	case c.Looks == "url":
		return pick(c.input == aggregate.Usage, domain, leftOut)
	case c.Looks == "path", c.Looks == "free text":
		return leftOut
	case c.isIdentifier(identifies):
		return identifier
	case c.has("special"):
		return special
	case c.as != "":
		return clock
	}
	return c.guessFigure(person)
}

// guessRule finds columns that say who must be left out.
func (c *column) guessRule() role {
	small := c.values.distinct() <= dozens
	switch {
	case c.hasWords("gpc"), c.is("globalprivacycontrol"):
		return gpc
	case c.hasWords("dnt"), c.is("donottrack"):
		return dnt
	case c.hasWords("coppa"):
		return coppa
	case c.has("parental"):
		return pick(small, parental, leftOut)
	case c.has("out"), c.hasWords("opt out"), c.hasWords("do not sell"):
		return pick(small, optOut, leftOut)
	case c.has("consent"), c.hasWords("opt in"), c.is("analyticsstorage", "adsstorage", "privacyinfoanalyticsstorage"):
		return pick(small, consent, leftOut)
	}
	return c.guessBirth()
}

// guessBirth finds years and dates of birth, and ages.
func (c *column) guessBirth() role {
	c.idKind = ""
	switch {
	case c.has("birth") && c.share(isYear, 80):
		c.as = string(anonymize.AsBirthYear)
	case c.has("birth") && (c.as != "" || c.share(isDate, 80)):
		c.as = string(anonymize.AsBirthDate)
	case c.has("birth"):
		return identifier
	case c.has("age") && c.share(isAge, 90):
		c.as = string(anonymize.AsAge)
	default:
		return leftOut
	}
	return ageBand
}

// isIdentifier reports whether a column identifies people or their devices, by its values or its name.
func (c *column) isIdentifier(byValue bool) bool {
	switch {
	case byValue && (!c.share(isNumber, 90) || c.looksLike(detect.Phone)):
		return true
	case c.has("contact"), c.is("name"), c.hasWords("name") && c.has("named"):
		return true
	case c.values.distinct() <= few:
		return false
	case c.has("device") && c.values.distinct() > dozens:
		return true
	}
	return c.has("personid") || c.has("id") || c.Looks == "opaque id" && !c.share(isNumber, 90)
}

// guessFigure tells categories from values.
func (c *column) guessFigure(person *column) role {
	number := c.share(isNumber, 90)
	category := c.values.distinct() <= dozens && !c.share(isLong, 1)
	switch {
	case number && c.input == aggregate.Usage && (c.has("amount") || !category || !c.share(isWhole, 90)):
		return value
	case number && c.values.distinct() > few:
		return pick(c.input == aggregate.Visitors, bands, leftOut)
	case category, c.has("place") && c.values.distinct() <= hundreds && !number:
		return pick(c.ofPerson(person), dimension, event)
	}
	return leftOut
}

func pick(first bool, a, b role) role {
	if first {
		return a
	}
	return b
}

// text is the report as a person reads it.
func (r *report) text(o *options) string {
	var b strings.Builder
	b.WriteString(r.head())
	for _, in := range r.Inputs {
		in.print(&b)
	}
	b.WriteString(r.next(o))
	return b.String()
}
