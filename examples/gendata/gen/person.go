// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// person is everything about one person, made from the seed and the person's index alone, so that
// nothing need be kept.
type person struct {
	g *Generator
	r *source

	index      int
	hash       uint64
	registered bool
	twice      bool
	first      string
	last       string
	email      string
	gender     string
	device     string
	country    *place
	city       string
	ip         [4]byte
}

func (g *Generator) newPerson() *person { return &person{g: g, r: newSource(0, 0)} }

// load makes p the person at index: what usage records need.
func (p *person) load(index int) {
	seed := p.g.config.Seed
	p.r.reset(seed, uint64(index)<<8|2)
	p.index, p.hash = index, mix(mix(seed)^uint64(index))
	p.registered, p.twice = !p.r.chance(40), p.r.chance(12)
	p.first, p.last = firstNames[p.r.IntN(len(firstNames))], lastNames[p.r.IntN(len(lastNames))]
	p.gender, p.device = pick(genders, p.r.IntN(1000)), pick(devices, p.r.IntN(1000))
	p.country = &places[placeAt(p.r.IntN(1000))]
	p.city = p.country.cities[p.r.IntN(len(p.country.cities))]
	// The networks of RFC 5737 and RFC 2544 belong to nobody; people share the addresses in them.
	p.ip = [4]byte{198, byte(18 + p.r.IntN(2)), byte(p.r.IntN(256)), byte(p.r.IntN(256))}
	p.email = ascii.Replace(strings.ToLower(p.first+"."+p.last)) + strconv.Itoa(index) + "@" +
		mailDomains[p.r.IntN(len(mailDomains))]
}

var ascii = strings.NewReplacer("ë", "e", "ü", "ue", "ł", "l")

func placeAt(n int) int {
	for i := range places {
		if n -= places[i].share; n < 0 {
			return i
		}
	}
	return 0
}

// id spells the person's id.
func (p *person) id() string {
	switch p.g.config.IDs {
	case UUID:
		return uuid(p.hash, mix(p.hash))
	case Int:
		return strconv.FormatUint(p.hash>>1, 10)
	case Email:
		return p.email
	}
	return hex16(p.hash)
}

func hex16(v uint64) string {
	var out [16]byte
	for i := range out {
		out[i] = "0123456789abcdef"[v>>(60-4*i)&15]
	}
	return string(out[:])
}

// uuid is of version 4.
func uuid(a, b uint64) string {
	a, b = a&^0xf000|0x4000, b&^(3<<62)|2<<62
	s := hex16(a) + hex16(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// visitor draws the rest of the registration. It follows load, once.
func (p *person) visitor() Visitor {
	v := Visitor{
		ID: p.id(), Email: p.email, Name: p.first + " " + p.last, Gender: p.gender,
		Phone:   p.country.phone + digits(p.hash, 2),
		Country: p.country.word, City: p.city,
	}
	v.BirthYear, v.ParentalConsent = p.birthYear()
	v.ShareOK = pick(consents, p.r.IntN(1000))
	v.OptOut = pick(optOuts, p.r.IntN(1000))
	back := time.Duration(p.r.IntN(3*365*24*3600)) * time.Second
	v.CreatedAt = p.g.config.From.Add(-back)
	return v
}

// second is the other registration of somebody who has two.
func (p *person) second() Visitor {
	v := p.visitor()
	for v.Gender == p.gender {
		v.Gender = pick(genders, p.r.IntN(1000))
	}
	v.CreatedAt = v.CreatedAt.Add(time.Duration(p.r.IntN(24*3600)) * time.Second)
	return v
}

// birthYear returns a year as forms and exports leave it, and the parents' word for a child.
func (p *person) birthYear() (year, parents string) {
	// Two draws added together give a hump: most people are between 20 and 60.
	y := 1946 + p.r.IntN(32) + p.r.IntN(34)
	switch n := p.r.IntN(1000); {
	case n < 70:
		return "", ""
	case n < 100:
		return "1900", ""
	case n < 125:
		return strconv.Itoa(2014 + p.r.IntN(6)), pick(parentalConsents, p.r.IntN(1000))
	case n < 210:
		return strconv.Itoa(y) + ".0", ""
	}
	return strconv.Itoa(y), ""
}

func digits(v uint64, n int) string {
	s := "0000000000000000000" + strconv.FormatUint(v, 10)
	return s[len(s)-n:]
}

func ipv4(b [4]byte) string {
	out := make([]byte, 0, 15)
	for i, part := range b {
		if i > 0 {
			out = append(out, '.')
		}
		out = strconv.AppendUint(out, uint64(part), 10)
	}
	return string(out)
}

func hexByte(b byte) string { return hex.EncodeToString([]byte{b}) }
