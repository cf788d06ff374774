// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
)

func TestAddAllocatesNothingOnceEverybodyIsKnown(t *testing.T) {
	r := generator(nil, 5)
	spec := plainSpec(5, 3)
	w := newWorld(r, spec, 2000)
	var records []record
	for _, rec := range w.records(50_000) {
		if !rec.join {
			records = append(records, rec)
		}
	}
	rows := rowsOf(spec, records, false)
	e := engine.New(*spec)
	worker := e.Worker()
	// Votes are appended and merged, so that lists settle after a few rounds.
	for range 200 {
		must(worker.Add(rows, false))
	}
	assert.Zero(t, testing.AllocsPerRun(5, func() { must(worker.Add(rows, false)) }))
}

// A list that has moved leaves its old places behind. They add up to less than twice the list.
func TestListsLeaveLittleBehind(t *testing.T) {
	for _, keep := range []int64{1, 2, 3, 6, 20, 40, 1000} {
		spec := plainSpec(keep, 1)
		spec.Attributes, spec.Tables[0].Persons = nil, nil
		e := engine.New(*spec)
		for group := range uint64(keep) {
			row := plainRecord(1, 2, group, 0, 1)
			row.attrs = nil
			w := e.Worker()
			must(w.Add(rowsOf(spec, []record{row}, false), false))
			must(w.Flush())
		}
		const slot = 5 // priority, key, records, two words of one sum
		assert.Less(t, e.StateWords(), 3*slot*int(keep)+1, "%d groups", keep)
	}
}

// A person with ever new labels costs time in proportion to their rows: the square would take
// minutes here.
func TestAttackD08EverNewLabelsOfOnePerson(t *testing.T) {
	const labels = 1 << 20
	spec := plainSpec(1, 1)
	spec.Tables = spec.Tables[:1]
	spec.Tables[0].Sums, spec.Tables[0].Spreads, spec.Tables[0].Parent, spec.Values = nil, nil, nil, 0
	rows := &engine.Rows{N: labels, Attrs: make([][]uint32, 1), Keys: make([][]uint64, 1)}
	for i := range uint64(labels) {
		rows.Hi, rows.Lo = append(rows.Hi, 1), append(rows.Lo, 2)
		rows.Flags = append(rows.Flags, engine.Event)
		rows.Attrs[0] = append(rows.Attrs[0], uint32(1+i))
		rows.Keys[0] = append(rows.Keys[0], 3)
	}
	e := engine.New(*spec)
	w := e.Worker()
	must(w.Add(rows, false))
	again := *rows
	again.N = labels - 5 // the last five labels have one vote each, all others two
	must(w.Add(&again, false))
	for i := range rows.Attrs[0] {
		rows.Attrs[0][i] = labels - 2
	}
	again.N = 2 // and one of them ends with three
	must(w.Add(&again, false))
	must(w.Flush())
	p, err := e.Close(background, 1)
	require.NoError(t, err)
	require.Equal(t, 1, p.Tables[0].Len())
	assert.Equal(t, engine.Group{Event: 3, Person: labels - 2}, p.Tables[0].Keys[0])
}

func TestVisitorsWithoutUsageTakeNoRoom(t *testing.T) {
	spec := plainSpec(5, 3)
	e := engine.New(*spec)
	w := e.Worker()
	must(w.Add(rowsOf(spec, []record{plainRecord(1, 1, 1, 2, 1)}, false), false))
	var visitors []record
	for i := range uint64(1000) {
		visitors = append(visitors, record{hi: scramble(i), lo: i, attrs: []uint32{3}})
	}
	must(w.Add(rowsOf(spec, append(visitors, record{hi: 1, lo: 1, attrs: []uint32{2}}), true), true))
	must(w.Flush())
	assert.Equal(t, 1, e.People())
}
