// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"iter"
	"math"
	"time"
)

// IDs says what the ids of visitors look like.
type IDs string

// The forms of ids. Addresses are spelled in another case now and then, as people do.
const (
	Hex   IDs = "hex"
	UUID  IDs = "uuid"
	Int   IDs = "int"
	Email IDs = "email"
)

const maxPeople = 100_000_000

// Config says what to make up.
type Config struct {
	// Rows is the number of usage records; People how many people they are drawn from. Some people
	// will have none, and some are not registered.
	Rows, People int
	Seed         uint64
	// IDs is Hex where empty.
	IDs IDs
	// From is the first day, 2026-03-02 where zero, and Days how many days there are, 28 where zero.
	From time.Time
	Days int
	// Spread is how unequal people's activity is, the σ of its logarithm: 1.5 where zero.
	Spread float64
	// NoAgents leaves out user agents, which are long.
	NoAgents bool
}

// Visitor is a registration. Empty text is missing.
type Visitor struct {
	ID, Email, Phone, Name           string
	Gender, BirthYear                string
	Country, City                    string
	ShareOK, OptOut, ParentalConsent string
	CreatedAt                        time.Time
}

// Usage is a page view. Empty text is missing.
type Usage struct {
	// Person is the index of the person in the generator, and -1 where the id stands for nobody.
	Person    int
	ID        string
	VisitedAt time.Time
	Page      string
	Section   string
	Referrer  string
	IP        string
	UserAgent string
	Device    string
	// Seconds is text, as some of it is no number.
	Seconds string
	// AmountCents is what was bought for; 0 where nothing was.
	AmountCents int32
}

// Generator makes up records. It is safe for concurrent use.
type Generator struct {
	config   Config
	activity alias
	pages    alias
	paths    []page
}

// New checks the config and prepares what the records are drawn from: 8 bytes per person.
func New(c Config) (*Generator, error) {
	if c.IDs == "" {
		c.IDs = Hex
	}
	if c.From.IsZero() {
		c.From = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	}
	if c.Days == 0 {
		c.Days = 28
	}
	if c.Spread == 0 {
		c.Spread = 1.5
	}
	switch {
	case c.Rows < 0:
		return nil, fmt.Errorf("rows: got %d, want 0 or more", c.Rows)
	case c.People < 1 || c.People > maxPeople:
		return nil, fmt.Errorf("people: got %d, want 1 to %d", c.People, maxPeople)
	case c.Days < 1 || c.Days > 3660:
		return nil, fmt.Errorf("days: got %d, want 1 to 3660", c.Days)
	case !(c.Spread > 0 && c.Spread <= 4):
		return nil, fmt.Errorf("spread: got %g, want above 0 to 4", c.Spread)
	case c.IDs != Hex && c.IDs != UUID && c.IDs != Int && c.IDs != Email:
		return nil, fmt.Errorf("ids: got %q, want hex, uuid, int or email", string(c.IDs))
	}
	g := &Generator{config: c}
	g.activity = newAlias(activity(c))
	g.paths, g.pages = newPages(c.Seed)
	return g, nil
}

// activity gives each person a weight: half of the people do little, and a few do thousands of times as
// much.
func activity(c Config) []float64 {
	r := newSource(c.Seed, 1)
	weights := make([]float64, c.People)
	for i := range weights {
		weights[i] = r.logNormal(1, c.Spread)
	}
	return weights
}

// Visitors yields registrations: one for nearly everybody, and at the end a second one for the few who
// registered twice, with another gender.
func (g *Generator) Visitors() iter.Seq[Visitor] {
	return func(yield func(Visitor) bool) {
		p := g.newPerson()
		for i := range g.config.People {
			p.load(i)
			if p.registered && !yield(p.visitor()) {
				return
			}
		}
		for i := range g.config.People {
			if p.load(i); p.registered && p.twice && !yield(p.second()) {
				return
			}
		}
	}
}

// VisitorOf returns the registration of a person by index, as it would stand in each of their usage
// records.
func (g *Generator) VisitorOf(person int) Visitor {
	p := g.newPerson()
	p.load(person)
	return p.visitor()
}

// Usage yields page views in the order of a log.
func (g *Generator) Usage() iter.Seq[Usage] {
	return func(yield func(Usage) bool) {
		l := g.newLog()
		for i := range g.config.Rows {
			if !yield(l.row(i)) {
				return
			}
		}
	}
}

// span is the length of the log.
func (g *Generator) span() time.Duration {
	return time.Duration(g.config.Days) * 24 * time.Hour
}

// round cuts v to steps of one tenth, the same on every machine.
func round(v float64) float64 { return math.Floor(v*10) / 10 }
