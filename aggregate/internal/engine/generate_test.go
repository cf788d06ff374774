// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp"
)

var background = context.Background()

// source draws from bytes first, so that a fuzzer decides, and from a generator when they are used up.
type source struct {
	data []byte
	rest *rand.PCG
}

func (s *source) Uint64() uint64 {
	if len(s.data) < 2 {
		return s.rest.Uint64()
	}
	v := uint64(binary.LittleEndian.Uint16(s.data))
	s.data = s.data[2:]
	return v * 0x9e3779b97f4a7c15
}

func generator(data []byte, seed uint64) *rand.Rand {
	return rand.New(&source{data, rand.NewPCG(seed, 1)})
}

// scramble is a bijection with no visible order: codes compare by it, as labels compare by bytes.
func scramble(v uint64) uint64 {
	v = (v ^ v>>31) * 0x7fb5d329728ea185
	v = (v ^ v>>27) * 0x81dadef4bc2dd44d
	return v ^ v>>33
}

func compareCodes(a, b uint64) int { return cmp.Compare(scramble(a), scramble(b)) }

// randomSpec returns any spec that planning could make.
func randomSpec(r *rand.Rand) *engine.Spec {
	s := &engine.Spec{
		Keys: r.IntN(3), Values: r.IntN(3), Seed: [2]uint64{r.Uint64(), r.Uint64()},
		CompareKeys: func(_ int, a, b uint64) int { return compareCodes(a, b) },
	}
	for i := range r.IntN(3) {
		s.Required |= engine.Satisfies(i)
	}
	for range r.IntN(5) {
		a := engine.Attribute{
			Unknown: 1, ConflictUnknown: r.IntN(3) == 0,
			Compare: func(a, b uint32) int { return compareCodes(uint64(a), uint64(b)) },
		}
		if r.IntN(2) == 0 {
			a.Dropped = func(code uint32) bool { return code%5 == 3 }
		}
		s.Attributes = append(s.Attributes, a)
	}
	tables := 1 + r.IntN(4)
	if r.IntN(25) == 0 {
		tables = 30 + r.IntN(80) // more than the word of flags has bits for
	}
	for range tables {
		s.Tables = append(s.Tables, randomTable(r, s))
	}
	return s
}

func randomTable(r *rand.Rand, s *engine.Spec) engine.Table {
	t := engine.Table{
		Key: r.IntN(s.Keys+1) - 1, Events: r.IntN(2) == 0,
		Persons: r.Perm(len(s.Attributes))[:r.IntN(len(s.Attributes)+1)],
		Bounds:  dp.ContributionBounds{MaxPartitions: 1, MaxPerPartition: []int64{1, 2, 5, 50}[r.IntN(4)]},
	}
	if t.Key >= 0 {
		t.Bounds.MaxPartitions = 1 + r.Int64N(40)
	}
	for v := range s.Values {
		if r.IntN(2) == 0 {
			continue
		}
		a, b := r.Int64N(1<<uint(1+r.IntN(40))), -r.Int64N(1<<uint(1+r.IntN(40)))
		if r.IntN(3) == 0 {
			b = a / 2
		}
		sum := engine.Sum{Value: v, Clamp: dp.Clamp{Lower: b, Upper: a}, Total: r.IntN(3) == 0}
		if !sum.Total && r.IntN(2) == 0 {
			sum.Centre = b + (a-b)/2
			sum.Square = a-b < 1<<28 && r.IntN(2) == 0
		}
		t.Sums = append(t.Sums, sum)
		for sum.Narrower = !sum.Square && sum.Clamp.Lower < sum.Clamp.Upper; sum.Narrower && r.IntN(3) > 0; t.Sums = append(t.Sums, sum) {
			sum.Clamp.Lower += r.Int64N(sum.Clamp.Upper - sum.Clamp.Lower + 1)
			sum.Clamp.Upper -= r.Int64N(sum.Clamp.Upper - sum.Clamp.Lower + 1)
			if sum.Centre != 0 {
				sum.Centre = sum.Clamp.Lower + (sum.Clamp.Upper-sum.Clamp.Lower)/2
			}
		}
	}
	for v := range s.Values {
		if r.IntN(3) == 0 {
			lower := r.Int64N(2000) - 1000
			clamp := dp.Clamp{Lower: lower, Upper: lower + 1 + r.Int64N(1<<uint(1+r.IntN(40)))}
			t.Spreads = append(t.Spreads, engine.Spread{Value: v, Clamp: clamp, Leaves: 1 + r.Uint32N(uint32(min(64, clamp.Upper-clamp.Lower+1)))})
		}
	}
	if t.Key >= 0 && (t.Events || len(t.Sums) > 0 || len(t.Spreads) > 0) && r.IntN(2) == 0 {
		least := max(t.Bounds.MaxPartitions, t.Bounds.MaxPerPartition)
		t.Bounds.MaxContributions = least + r.Int64N(1+r.Int64N(2*least))
	}
	if r.IntN(2) == 0 {
		t.Parent = &engine.Parent{Persons: t.Persons[:r.IntN(len(t.Persons)+1)]}
		if t.Key >= 0 && r.IntN(3) > 0 {
			t.Parent.Event = func(code uint64) uint64 { return code / 3 }
		}
	}
	return t
}

// world draws records that belong together.
type world struct {
	*rand.Rand
	spec *engine.Spec
	// groups and labels are how many there are; of ties groups each, all have the same hash.
	groups, ties uint64
	labels       int
	people       [][2]uint64
}

func newWorld(r *rand.Rand, spec *engine.Spec, people int) *world {
	w := &world{Rand: r, spec: spec, groups: 1 + r.Uint64N(60), ties: 1 + r.Uint64N(4), labels: 1 + r.IntN(30)}
	for len(w.people) < people {
		w.people = append(w.people, w.person())
	}
	return w
}

// person returns a new id: of its own, or one that shares a half or the bucket with another.
func (w *world) person() [2]uint64 {
	id := [2]uint64{w.Uint64(), w.Uint64()}
	if len(w.people) > 0 {
		other := w.people[w.IntN(len(w.people))]
		switch w.IntN(4) {
		case 0:
			id[0] = other[0]
		case 1:
			id[1] = other[1]
		case 2:
			id[0] = other[0] ^ 1
		}
	}
	return id
}

func (w *world) records(n int) []record {
	var out []record
	for range n {
		r := w.record(w.people[w.IntN(len(w.people))])
		if w.IntN(5) == 0 {
			r.join, r.flags = true, r.flags&^engine.Event
		}
		out = append(out, r)
	}
	return out
}

func (w *world) record(id [2]uint64) record {
	r := record{hi: id[0], lo: id[1], flags: engine.Event | w.spec.Required}
	switch w.IntN(40) {
	case 0:
		r.flags |= engine.Excluded
	case 1, 2, 3:
		r.flags &^= engine.Event
	case 4, 5, 6, 7:
		r.flags &^= engine.Satisfies(w.IntN(3))
	}
	if w.IntN(8) == 0 {
		r.flags |= engine.Copy
	}
	for range w.spec.Attributes {
		r.attrs = append(r.attrs, w.label())
	}
	for range w.spec.Keys {
		r.keys = append(r.keys, w.key(w.Uint64N(w.groups)))
	}
	for range w.spec.Values {
		r.values = append(r.values, w.value())
	}
	return r
}

func (w *world) label() uint32 {
	if w.IntN(3) == 0 {
		return engine.None
	}
	return uint32(1 + w.IntN(w.labels))
}

func (w *world) key(code uint64) key {
	if w.IntN(20) == 0 {
		return key{engine.NoKey, 0}
	}
	return key{code, scramble(code / w.ties)}
}

var extremes = []int64{engine.NoValue, math.MinInt64 + 1, math.MaxInt64, 1 << 62, -1 << 62, 0, 1, -1}

func (w *world) value() int64 {
	if w.IntN(4) == 0 {
		return extremes[w.IntN(len(extremes))]
	}
	return w.Int64N(2000) - 1000
}

// adversary returns the records of one new person who does everything at once: ever new groups and
// labels, one group very often, the largest numbers.
func (w *world) adversary() []record {
	id := w.person()
	n := 1 + w.IntN(400)
	var out []record
	for i := range n {
		r := w.record(id)
		r.flags = engine.Event | w.spec.Required
		r.join = i > 0 && w.IntN(10) == 0
		for a := range r.attrs {
			r.attrs[a] = uint32(1 + w.IntN(1+i))
		}
		for k := range r.keys {
			code := w.Uint64N(1 + uint64(i))
			if w.IntN(3) == 0 {
				code = 0
			}
			r.keys[k] = w.key(code)
		}
		for v := range r.values {
			r.values[v] = extremes[w.IntN(len(extremes))]
		}
		if r.join {
			r.flags &^= engine.Event
		}
		out = append(out, r)
	}
	return out
}

// feed adds records in chunks, by as many workers as there are.
func feed(e *engine.Engine, spec *engine.Spec, records []record, join bool, how run) {
	chunks := make(chan []record)
	var wg sync.WaitGroup
	for range how.workers {
		wg.Go(func() {
			w := e.Worker()
			for c := range chunks {
				must(w.Add(rowsOf(spec, c, join), join))
			}
			must(w.Flush())
		})
	}
	for c := range slices.Chunk(records, how.chunk) {
		chunks <- c
	}
	close(chunks)
	wg.Wait()
}

// must ends a test that a spill store failed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
