// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/generalize"
)

// Unit makes what a person did in one period, a day or a week, a privacy unit of its own. The records of other
// inputs, which have no time, describe each of a person's units.
type Unit struct {
	// Column is the time column of the input whose records are events.
	Column int
	Clock  generalize.Clock
	Grain  generalize.Grain
	// First and Last are the numbers of the periods, by [generalize.Clock.Number], in which events can lie.
	First, Last int64
}

// Shift turns the token of a person into that of their unit with a number, and back.
func (u *Unit) Shift(hi, lo []uint64, number int64) {
	h, l := unitMask(number)
	for i := range hi {
		hi[i] ^= h
		lo[i] ^= l
	}
}

// unitMask is two functions of a number that differ for any two numbers: tokens are uniform, so that those of
// two people's units are as unlikely to be equal as those of two people. It is the finalizer of splitmix64
// (Steele, Lea and Flood 2014), which is a bijection.
func unitMask(number int64) (hi, lo uint64) {
	mix := func(x uint64) uint64 {
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	n := uint64(number)
	return mix(n*0x9e3779b97f4a7c15 + 1), mix(n*0xd1342543de82ef95 + 2)
}

// part makes the tokens of people in a batch those of their units. Records without a time are no events, so that
// their unit is of no meaning.
func (b *Builder) part(batch *table.Batch) {
	u, r := b.in.Unit, &b.rows
	if u == nil {
		return
	}
	if !b.in.Events {
		b.unit = u.First
		u.Shift(r.Hi[:r.N], r.Lo[:r.N], b.unit)
		return
	}
	c := &batch.Columns[u.Column]
	b.numbers = resize(b.numbers, batch.Len)
	for i := range b.numbers {
		b.numbers[i] = 0
		if at, ok := u.Clock.Instant(c.Value(i)); ok {
			b.numbers[i], _ = u.Clock.Number(at, u.Grain)
		}
	}
	for i, n := range kept(b, b.numbers) {
		u.Shift(r.Hi[i:i+1], r.Lo[i:i+1], n)
	}
}

// nextUnit returns the rows of a batch that describes people for their next unit, nil after the last.
func (b *Builder) nextUnit() *engine.Rows {
	u, r := b.in.Unit, &b.rows
	if b.unit == u.Last {
		return nil
	}
	u.Shift(r.Hi[:r.N], r.Lo[:r.N], b.unit)
	b.unit++
	u.Shift(r.Hi[:r.N], r.Lo[:r.N], b.unit)
	return r
}
