// SPDX-License-Identifier: Apache-2.0

package data

import (
	"iter"
	"slices"
	"time"
)

// row is a usage record. Labels are kept as their indexes.
type row struct {
	person
	ts      int64 // milliseconds since 1970
	country uint8
	page    uint16
	seconds uint16
}

// person is what is known of one person: made from the seed and the index alone.
type person struct {
	high, low uint64 // the bits of the id
	gender    uint8
	home      uint8
	second    uint8 // the other country, or home again
	consent   uint8
	born      int32
}

func (g *Generator) person(index uint32) person {
	high := mix(mix(g.config.Seed) + uint64(index))
	low, a := mix(high^1), mix(high^2)
	p := person{high: high, low: low, home: uint8(g.countries.draw(mix(a))), born: born(uint32(a))}
	p.second = p.home
	if a>>32%1000 < 150 {
		p.second = uint8(g.countries.draw(mix(a ^ 3)))
	}
	switch share := a >> 48 % 1000; {
	case share < 480:
		p.gender = 0
	case share < 940:
		p.gender = 1
	case share < 970:
		p.gender = 2
	default:
		p.gender = 3
	}
	if low>>32%1000 >= 950 {
		p.consent = 1
	}
	if g.config.IDs == "uuid" {
		p.high, p.low = high&^0xf000|0x4000, low&^(3<<62)|1<<63
	}
	return p
}

// born is a year from 1936 to 2013; the middle years have the most people.
func born(bits uint32) int32 {
	return 1936 + int32(below(bits<<16, 39)) + int32(below(bits&^0xffff, 40))
}

// people yields everyone, in no order that means anything.
func (g *Generator) people() iter.Seq[*person] {
	return func(yield func(*person) bool) {
		for i := range uint32(len(g.activity)) {
			if p := g.person(i); !yield(&p) {
				return
			}
		}
	}
}

// rows yields the usage records in their order. A row is valid until the next one.
func (g *Generator) rows() iter.Seq[*row] {
	if g.config.Sort == "user" {
		return g.byUser
	}
	return g.byTime
}

func (g *Generator) byTime(yield func(*row) bool) {
	r := source(mix(g.config.Seed ^ 4))
	var out row
	for slot := range g.clock.slots() {
		n := g.clock.before(slot+1) - g.clock.before(slot)
		for j := range n {
			out.ts = hourStart(slot) + (j*hour+int64(below(uint32(r.next()), uint64(hour))))/n
			g.fill(&out, g.person(g.activity.draw(r.next())), &r)
			if !yield(&out) {
				return
			}
		}
	}
}

// byUser draws how often each person occurs before it writes the first row.
func (g *Generator) byUser(yield func(*row) bool) {
	r := source(mix(g.config.Seed ^ 5))
	counts := make([]uint32, len(g.activity))
	for range g.config.Rows {
		counts[g.activity.draw(r.next())]++
	}
	order := make([]uint32, len(counts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		p, q := g.person(a), g.person(b)
		return p.compare(&q)
	})
	var out row
	var times []int64
	for _, i := range order {
		times = times[:0]
		for range counts[i] {
			slot := g.clock.slotOf(int64(below(uint32(r.next()), uint64(g.config.Rows))))
			times = append(times, hourStart(slot)+int64(below(uint32(r.next()), uint64(hour))))
		}
		slices.Sort(times)
		p := g.person(i)
		for _, ts := range times {
			out.ts = ts
			if g.fill(&out, p, &r); !yield(&out) {
				return
			}
		}
	}
}

// fill draws what is not the person's.
func (g *Generator) fill(out *row, p person, r *source) {
	x := r.next()
	out.person, out.country = p, p.home
	if x%100 < 20 {
		out.country = p.second
	}
	out.seconds = g.seconds[x>>52]
	out.page = uint16(g.pages.draw(r.next()))
}

const hour = int64(time.Hour / time.Millisecond)

// hourShares are the shares of the hours of a day.
var hourShares = [24]int64{3, 2, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 9, 8, 8, 9, 10, 12, 14, 15, 13, 9, 5}

// clock says how many rows lie before each hour.
type clock struct{ starts []int64 }

func newClock(rows int64, days int) clock {
	sum := int64(0)
	for _, share := range hourShares {
		sum += share
	}
	c := clock{starts: make([]int64, 0, days*24+1)}
	done := int64(0)
	for slot := range days * 24 {
		c.starts = append(c.starts, rows*done/(sum*int64(days)))
		done += hourShares[slot%24]
	}
	c.starts = append(c.starts, rows)
	return c
}

func (c clock) slots() int { return len(c.starts) - 1 }

func (c clock) before(slot int) int64 { return c.starts[slot] }

// slotOf is the last hour that starts at or before a row.
func (c clock) slotOf(i int64) int {
	at, _ := slices.BinarySearch(c.starts, i+1)
	return at - 1
}

func hourStart(slot int) int64 {
	return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli() + int64(slot)*hour
}
