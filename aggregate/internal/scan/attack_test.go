// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func newBuilder(t testing.TB, in *scan.Input) *scan.Builder {
	b, err := scan.NewBuilder(in)
	require.NoError(t, err)
	return b
}

// record returns a record that names account u1 and passes every rule, with one cell changed.
func record(at int, v anonymize.Value) []anonymize.Value {
	r := rows("u1|~|F|/|AAA|2013|yes|1984|~|1|150|~")[0]
	r[at] = v
	return r
}

// What is not asked for is not there: an input of visitors has no value, time or group, and a column
// that nobody mentions can be anything.
func TestAttackD09UnaskedColumnsAreNotTouched(t *testing.T) {
	in := testInput(t)
	in.Labels, in.Attributes, in.Keys = in.Labels[:1], []int{-1, 0}, nil
	in.Values, in.Time, in.Events, in.Rules = nil, nil, false, in.Rules[:1]
	batch := batchOf(rows("u1|~|F|x|x|x|yes|x|x|x|150|x", "u2|~|M|x|x|x|no|x|x|x|150|x"), plain)
	for _, c := range []int{page, course, term, birthYear, parent, seconds, visitedAt, unasked} {
		batch.Columns[c] = unreadable
	}
	r := newBuilder(t, in).Rows(batch)
	require.Equal(t, 2, r.N)
	assert.Equal(t, []uint32{engine.Satisfies(3), engine.Excluded}, r.Flags)
	assert.Nil(t, r.Attrs[0])
	assert.Equal(t, []uint32{1, 2}, r.Attrs[1])
	assert.Empty(t, r.Keys)
	assert.Empty(t, r.Values)
}

func TestAttackD05RecordsOfNobodyAreDropped(t *testing.T) {
	b := newBuilder(t, testInput(t))
	var records [][]anonymize.Value
	for _, id := range []anonymize.Value{null, text(""), text("0"), text("null"), text("00000000-0000-0000-0000-000000000000"), integer(0), text(" ")} {
		records = append(records, record(account, id))
	}
	for _, r := range records {
		assert.Zero(t, b.Rows(batchOf([][]anonymize.Value{r}, plain)).N)
	}
	some := b.Rows(batchOf(rows(
		"~|~|F|/|AAA|2013|yes|1984|~|1|150|~", "u1|~|M|/|AAA|2013|yes|1984|~|2|150|~", "0|~|F|/|AAA|2013|yes|1984|~|3|150|~",
	), plain))
	require.Equal(t, 1, some.N)
	assert.Equal(t, []int64{4}, some.Values[0], "the row of another record")
	assert.Equal(t, uint32(2), some.Attrs[0][0])
}

// The first id that names somebody counts, in whatever order others stand, and the same text in two
// columns is two people.
func TestAttackD02IdsOfTwoColumnsHaveNoHashInCommon(t *testing.T) {
	in := testInput(t)
	r := newBuilder(t, in).Rows(batchOf(rows(
		"a@b.example|~|F|/|A|1|yes|1984|~|1|150|~",
		"~|a@b.example|F|/|A|1|yes|1984|~|1|150|~",
		"null| A@B.EXAMPLE |F|/|A|1|yes|1984|~|1|150|~",
		"a@b.example|c@d.example|F|/|A|1|yes|1984|~|1|150|~",
	), plain))
	require.Equal(t, 4, r.N)
	hi, lo := in.IDs[0].Hasher.Distinct128([]byte("a@b.example"))
	assert.Equal(t, []uint64{hi, lo}, []uint64{r.Hi[0], r.Lo[0]})
	assert.Equal(t, []uint64{hi, lo}, []uint64{r.Hi[3], r.Lo[3]})
	assert.Equal(t, []uint64{r.Hi[1], r.Lo[1]}, []uint64{r.Hi[2], r.Lo[2]})
	assert.NotEqual(t, r.Hi[0], r.Hi[1])
	assert.NotEqual(t, r.Lo[0], r.Lo[1])
}

func TestAttackB14PeriodsAreHalfOpen(t *testing.T) {
	b := newBuilder(t, testInput(t))
	event := func(b *scan.Builder, v anonymize.Value) bool {
		r := b.Rows(batchOf([][]anonymize.Value{record(visitedAt, v)}, plain))
		return r.Flags[0]&engine.Event != 0
	}
	for _, c := range []struct {
		at   anonymize.Value
		want bool
	}{
		{text("99.999999"), false}, {text("100"), true}, {text("199.999999"), true}, {text("200"), false},
		{integer(99), false}, {integer(100), true}, {integer(199), true}, {integer(200), false},
		{anonymize.Value{Kind: anonymize.Time, Valid: true, Int: from - 1}, false},
		{anonymize.Value{Kind: anonymize.Time, Valid: true, Int: from}, true},
		{anonymize.Value{Kind: anonymize.Time, Valid: true, Int: to - 1}, true},
		{anonymize.Value{Kind: anonymize.Time, Valid: true, Int: to}, false},
		{null, false}, {text("soon"), false}, {float(math.NaN()), false}, {integer(math.MinInt64), false},
	} {
		assert.Equal(t, c.want, event(b, c.at), "%+v", c.at)
	}
	all := testInput(t)
	all.Time.All = true
	assert.True(t, event(newBuilder(t, all), text("soon")))
	none := testInput(t)
	none.Time = nil
	assert.True(t, event(newBuilder(t, none), null))
	none.Events = false
	assert.False(t, event(newBuilder(t, none), text("150")))
}

// A cell that cannot be read becomes what the policy says, and no error.
func TestAttackI11UnreadableValuesMakeNoError(t *testing.T) {
	b := newBuilder(t, testInput(t))
	const top = generalize.MaxQuanta
	for _, c := range []struct {
		cell        anonymize.Value
		drop, clamp int64
	}{
		{text("1"), 2, 2}, {integer(-3), -6, -6}, {float(0.25), 1, 1}, {float(math.Copysign(0, -1)), 0, 0},
		{text("1e999"), top, top}, {float(math.Inf(-1)), -top, -top}, {integer(math.MinInt64), -top, -top},
		{float(math.NaN()), engine.NoValue, -7}, {text("nan"), engine.NoValue, -7}, {text("x"), engine.NoValue, -7},
		{text(""), engine.NoValue, -7}, {null, engine.NoValue, -7},
		{anonymize.Value{Kind: anonymize.Time, Valid: true, Int: 5}, engine.NoValue, -7},
	} {
		for _, layout := range []func([]anonymize.Value) table.Column{column, dictionary} {
			r := b.Rows(batchOf([][]anonymize.Value{record(seconds, c.cell)}, func(int) func([]anonymize.Value) table.Column { return layout }))
			assert.Equal(t, [][]int64{{c.drop}, {c.clamp}}, r.Values, "%+v", c.cell)
			assert.Equal(t, 1, r.N)
		}
	}
}

func TestAttackI14UnknownIsExcludedUnlessLifted(t *testing.T) {
	b := newBuilder(t, testInput(t))
	for _, c := range []struct {
		birth, parent anonymize.Value
		excluded      bool
	}{
		{text("2012"), null, false}, {text("2013"), null, true}, {text("2013"), text("no"), true}, {text("2013"), text("yes"), false},
		{null, null, true}, {null, text("yes"), false}, {text("unknown"), text("maybe"), true}, {integer(2012), text("no"), false},
	} {
		r := record(birthYear, c.birth)
		r[parent] = c.parent
		got := b.Rows(batchOf([][]anonymize.Value{r}, plain)).Flags[0]
		want := engine.Event | engine.Satisfies(3) | engine.Satisfies(1)
		if c.excluded {
			want = engine.Event | engine.Satisfies(3) | engine.Excluded
		}
		assert.Equal(t, want, got, "%+v", c)
	}
}

// A file of ever new values costs a bounded amount of memory, and the labels stay what they are.
func TestAttackI05MemosAreBounded(t *testing.T) {
	long := strings.Repeat("x", 8000) // too long for a label: all are one
	for _, c := range []struct {
		name  string
		cells int
		cell  func(int) anonymize.Value
	}{
		{"many texts", scan.MaxMemo + 500, func(i int) anonymize.Value { return text(fmt.Sprintf("%09d", i)) }},
		{"many integers", scan.MaxMemo + 500, func(i int) anonymize.Value { return integer(int64(i)) }},
		{"long texts", scan.MaxMemoBytes/8000 + 500, func(i int) anonymize.Value { return text(fmt.Sprint(i, long)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := testInput(t)
			in.Labels, in.Attributes, in.Keys, in.Rules, in.Values = in.Labels[1:2], nil, [][]int{{0}}, nil, nil
			b := newBuilder(t, in)
			ids := make([]anonymize.Value, 500)
			for i := range ids {
				ids[i] = text("u1")
			}
			codes := func(first int) []uint64 {
				batch := &table.Batch{Len: len(ids), Columns: make([]table.Column, unasked)}
				cells := make([]anonymize.Value, len(ids))
				for i := range cells {
					cells[i] = c.cell(first + i)
				}
				batch.Columns[account], batch.Columns[email] = column(ids), column(make([]anonymize.Value, len(ids)))
				batch.Columns[visitedAt], batch.Columns[page] = column(ids), column(cells)
				return append([]uint64(nil), b.Rows(batch).Keys[0]...)
			}
			first := codes(0)
			for i := 0; i < c.cells; i += len(ids) {
				codes(i)
				if left := c.cells - i; left < 2000 || i%50_000 == 0 {
					values, bytes := b.Remembered(0)
					require.LessOrEqual(t, values, scan.MaxMemo)
					require.LessOrEqual(t, bytes, scan.MaxMemoBytes)
				}
			}
			values, _ := b.Remembered(0)
			require.Less(t, values, 1000, "it has started anew")
			require.Equal(t, first, codes(0))
		})
	}
}

func TestBuildAllocatesNothingOnceValuesAreKnown(t *testing.T) {
	in := testInput(t)
	b := newBuilder(t, in)
	var lines []string
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("u%d|~|F|/%d|AAA|%d|yes|1984|~|%d|150|~", i, i%50, i%7, i%100))
	}
	batch := batchOf(rows(lines...), plain)
	b.Rows(batch)
	assert.Zero(t, testing.AllocsPerRun(10, func() { b.Rows(batch) }))
}

func TestTheSameBitsOfAnotherTypeAreAnotherValue(t *testing.T) {
	in := testInput(t)
	b := newBuilder(t, in)
	for _, c := range []struct {
		kind anonymize.Kind
		want string
	}{{anonymize.Int, "1"}, {anonymize.Bool, "true"}, {anonymize.Time, "unknown"}, {anonymize.Int, "1"}} {
		v := anonymize.Value{Kind: c.kind, Valid: true, Int: 1}
		r := b.Rows(batchOf([][]anonymize.Value{record(page, v)}, plain))
		assert.Equal(t, c.want, in.Labels[1].Dictionary.Label(uint32(r.Keys[0][0])), c.kind)
	}
}

func TestALabelerThatCannotBeMadeIsAnError(t *testing.T) {
	in := testInput(t)
	fault := errors.New("no such zone")
	in.Labels[1].Labeler = func() (*generalize.Labeler, error) { return nil, fault }
	_, err := scan.NewBuilder(in)
	assert.ErrorIs(t, err, fault)
}

func TestTypesThatCannotServeAreRefused(t *testing.T) {
	in := testInput(t)
	for _, c := range []struct {
		column int
		kind   anonymize.Kind
		want   string
	}{
		{account, anonymize.Bool, "a type that can hold ids of kind opaque"},
		{account, anonymize.Int, ""},
		{email, anonymize.Int, "a type that can hold ids of kind email"},
		{email, anonymize.Bytes, ""},
		{seconds, anonymize.Time, "numbers"},
		{seconds, anonymize.Float, ""},
		{visitedAt, anonymize.Bool, "times"},
		{visitedAt, anonymize.Time, ""},
		{page, anonymize.Bool, ""},
		{unasked, anonymize.Time, ""},
	} {
		assert.Equal(t, c.want, in.Refuses(c.column, c.kind), "column %d of %s", c.column, c.kind)
	}
}

func TestDictionariesNumberLabelsOnceForAllWorkers(t *testing.T) {
	in := testInput(t)
	d := in.Labels[1].Dictionary
	results := make(chan []uint32)
	for worker := range 4 {
		go func() {
			var codes []uint32
			for i := range 3000 {
				codes = append(codes, d.Code(fmt.Appendf(nil, "label %d", (i*(worker+1))%3000)))
			}
			results <- codes
		}()
	}
	for range 4 {
		for _, code := range <-results {
			require.NotEqual(t, engine.None, code)
			require.Equal(t, code, d.Code([]byte(d.Label(code))))
			require.False(t, d.Dropped(code))
		}
	}
	closed := in.Labels[0].Dictionary
	require.False(t, closed.Dropped(closed.Code([]byte("male"))))
	require.True(t, closed.Dropped(closed.Code([]byte("divers"))))
	require.Negative(t, d.Compare(d.Code([]byte("label 10")), d.Code([]byte("label 2"))))
}
