// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// nPages is how many pages the site has.
const nPages = 2000

// page is a path with its section.
type page struct{ path, section string }

// newPages makes up the site. Visits follow Zipf's law. A few paths hold an address, as those of
// careless password resets do.
func newPages(seed uint64) ([]page, alias) {
	r := newSource(seed, 3)
	pages := make([]page, nPages)
	weights := make([]float64, nPages)
	for i := range pages {
		section := Sections[r.IntN(len(Sections))]
		path := "/" + section + "/" + strconv.Itoa(1000+i)
		if i%400 == 7 {
			section = "account"
			path = "/account/reset/" + strings.ToLower(lastNames[i%len(lastNames)]) + strconv.Itoa(i) + "@example.com"
		}
		pages[i] = page{path, section}
		weights[i] = math.Pow(float64(i+1), -1.1)
	}
	// Without these every seed would have a section or two that nobody visits.
	for i, section := range Sections {
		pages[i] = page{"/" + section + "/", section}
	}
	return pages, newAlias(weights)
}

// log makes usage records one after the other.
type log struct {
	g      *Generator
	r      *source
	person *person
}

func (g *Generator) newLog() *log {
	return &log{g: g, r: newSource(g.config.Seed, 4), person: g.newPerson()}
}

// row makes record i.
func (l *log) row(i int) Usage {
	l.person.load(l.g.activity.draw(l.r))
	at := l.g.paths[l.g.pages.draw(l.r)]
	u := Usage{
		Person: l.person.index, Page: at.path, Section: at.section,
		VisitedAt: l.when(i), Device: l.device(), IP: l.ip(), Referrer: l.referrer(), Seconds: l.seconds(),
	}
	if l.r.chance(20) {
		u.AmountCents = int32(min(max(l.r.logNormal(1999, 0.8), 49), 999_999))
	}
	if !l.g.config.NoAgents {
		u.UserAgent = agents[u.Device]
	}
	u.ID = l.id()
	if u.ID == "" || u.ID == "0" || u.ID == nobody {
		u.Person = -1
	}
	return u
}

// nobody is what software writes that was given no id.
const nobody = "00000000-0000-0000-0000-000000000000"

func (l *log) id() string {
	switch n := l.r.IntN(1000); {
	case n < 12:
		return ""
	case n < 16:
		return "0"
	case n < 18:
		return nobody
	case n < 100 && l.g.config.IDs == Email:
		return strings.ToUpper(l.person.email[:1]) + l.person.email[1:]
	}
	return l.person.id()
}

// when spreads the records over the days in order; a few come from clocks that are weeks off.
func (l *log) when(i int) time.Time {
	span := l.g.span()
	step := float64(span) / float64(max(l.g.config.Rows, 1))
	at := l.g.config.From.Add(time.Duration((float64(i) + l.r.Float64()) * step)).Truncate(time.Second)
	switch l.r.IntN(400) {
	case 0:
		return at.Add(-span - 24*time.Hour)
	case 1:
		return at.Add(span + 24*time.Hour)
	}
	return at
}

// device is mostly the person's own.
func (l *log) device() string {
	if l.r.chance(150) {
		return pick(devices, l.r.IntN(1000))
	}
	return l.person.device
}

func (l *log) ip() string {
	ip := l.person.ip
	switch n := l.r.IntN(100); {
	case n < 5:
		return "2001:db8::" + hexByte(ip[2]) + ":" + hexByte(ip[3])
	case n < 25:
		ip[3] = byte(l.r.IntN(256))
	}
	return ipv4(ip)
}

// referrer is mostly missing. What is there tells more than its site.
func (l *log) referrer() string {
	switch l.r.IntN(40) {
	case 0:
		return "https://search.example/?q=" + l.person.last + "+" + l.person.city
	case 1:
		return "https://mail.example/read?user=" + l.person.email
	case 2, 3:
		return "https://www.partner.example/"
	case 4:
		return "https://" + strings.ToLower(l.person.last) + ".blog.example/"
	}
	return ""
}

// seconds is how long the page was looked at; the last cases are what scripts report.
func (l *log) seconds() string {
	v := round(l.r.logNormal(35, 1.1))
	switch n := l.r.IntN(1000); {
	case n < 30:
		return ""
	case n < 36:
		return "n/a"
	case n < 44:
		return "-" + strconv.FormatFloat(v, 'f', -1, 64)
	case n < 47:
		return strconv.Itoa(1_000_000_000 + l.r.IntN(1_000_000_000))
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
