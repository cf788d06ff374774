// SPDX-License-Identifier: Apache-2.0

package structio_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

// The tables of the suite, as structs. Whatever may be null is a pointer.
type small struct {
	ID     string     `throng:"id"`
	City   *string    `throng:"city"`
	Age    *int64     `throng:"age"`
	Share  *float64   `throng:"share"`
	Member *bool      `throng:"member"`
	Seen   *time.Time `throng:"seen"`
}

type many struct {
	ID     string  `throng:"id"`
	City   *string `throng:"city"`
	Age    *int64  `throng:"age"`
	Sparse *string `throng:"sparse"`
}

type texts struct {
	ID   string `throng:"id"`
	Size string `throng:"größe 大"`
	Last []byte `throng:"last"`
}

type extremes struct {
	ID string    `throng:"id"`
	I  int64     `throng:"i"`
	F  float64   `throng:"f"`
	B  bool      `throng:"b"`
	T  time.Time `throng:"t"`
}

type canaries struct {
	small
	Secret  string `throng:"secret"`
	Secret2 int64  `throng:"secret2"`
}

// decode fills structs by their tags.
func decode[T any](t *testing.T, rows tabletest.Rows) table.Source {
	out := make([]T, len(rows.Cells))
	for i, cells := range rows.Cells {
		set(t, reflect.ValueOf(&out[i]).Elem(), rows.Columns, cells)
	}
	src, err := structio.Slice("rows", out)
	require.NoError(t, err)
	return src
}

func set(t *testing.T, v reflect.Value, columns []table.Field, cells []anonymize.Value) {
	for f := range v.NumField() {
		if v.Type().Field(f).Anonymous {
			set(t, v.Field(f), columns, cells)
			continue
		}
		c := slices.IndexFunc(columns, func(c table.Field) bool {
			return c.Name == v.Type().Field(f).Tag.Get("throng")
		})
		require.GreaterOrEqual(t, c, 0)
		cell := cells[c]
		if !cell.Valid {
			continue
		}
		target := v.Field(f)
		if target.Kind() == reflect.Pointer {
			target.Set(reflect.New(target.Type().Elem()))
			target = target.Elem()
		}
		var value any = cell.Int
		switch cell.Kind {
		case anonymize.Bytes:
			value = string(cell.Bytes)
		case anonymize.Float:
			value = cell.Float
		case anonymize.Bool:
			value = cell.Int == 1
		case anonymize.Time:
			value = time.UnixMicro(cell.Int)
		}
		target.Set(reflect.ValueOf(value).Convert(target.Type()))
	}
}

func TestStructsKeepTheContract(t *testing.T) {
	tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
		switch rows.Columns[len(rows.Columns)-1].Name {
		case "seen":
			return decode[small](t, rows)
		case "sparse":
			return decode[many](t, rows)
		case "last":
			return decode[texts](t, rows)
		case "t":
			return decode[extremes](t, rows)
		}
		return decode[canaries](t, rows)
	})
}

func TestSlicesKeepTheContractOfLists(t *testing.T) {
	type record struct {
		ID      string    `throng:"id"`
		Tags    []*string `throng:"tags"`
		Numbers *[]int64  `throng:"numbers"`
		Secret  []string  `throng:"secret"`
	}
	tabletest.TestLists(t, func(t *testing.T, records []tabletest.Record) table.Source {
		var all []record
		for i, r := range records {
			all = append(all, record{ID: r.ID, Tags: r.Tags, Secret: r.Secret})
			if r.Numbers != nil {
				all[i].Numbers = &r.Numbers
			}
		}
		src, err := structio.Slice("records", all)
		require.NoError(t, err)
		return src
	}, tabletest.Without{Params: true})
	_, err := structio.Slice("records", []struct {
		Deep [][]string `throng:"deep"`
	}{})
	assert.EqualError(t, err, `records: column "deep": its items cannot be read; use a slice of text, numbers, bools or times`)
}

// readAll returns the rows of columns as values whose bytes are copied.
func readAll(t *testing.T, src table.Source, columns ...string) [][]anonymize.Value {
	readers, err := src.Open(t.Context(), columns)
	require.NoError(t, err)
	var rows [][]anonymize.Value
	for _, r := range readers {
		var b table.Batch
		for {
			err := r.Next(t.Context(), &b)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.LessOrEqual(t, b.Len, 8192)
			for i := range b.Len {
				var row []anonymize.Value
				for c := range b.Columns {
					v := b.Columns[c].Value(i)
					v.Bytes = slices.Clone(v.Bytes)
					row = append(row, v)
				}
				rows = append(rows, row)
			}
		}
		require.NoError(t, r.Close())
	}
	return rows
}

func one[T any](t *testing.T, row T, column string) anonymize.Value {
	src, err := structio.Slice("rows", []T{row})
	require.NoError(t, err)
	return readAll(t, src, column)[0][0]
}

// uuid is a type that makes its own text, as the UUID packages do.
type uuid [4]byte

func (u uuid) MarshalText() ([]byte, error) {
	if u[0] == 0xff {
		return nil, errors.New("canary")
	}
	return []byte{'u', '0' + u[0], '0' + u[3]}, nil
}

type gender string

type wide struct {
	I8   int8       `throng:"i8"`
	I    int        `throng:"i"`
	U8   uint8      `throng:"u8"`
	U64  uint64     `throng:"u64"`
	PU   *uint64    `throng:"pu"`
	F32  float32    `throng:"f32"`
	G    gender     `throng:"g"`
	PG   *gender    `throng:"pg"`
	PPG  **gender   `throng:"ppg"`
	ID   uuid       `throng:"id"`
	PID  *uuid      `throng:"pid"`
	IP   netip.Addr `throng:"ip"`
	Raw  []byte     `throng:"raw"`
	When time.Time  `throng:"when"`
}

func TestEveryKindOfFieldIsRead(t *testing.T) {
	g, u := gender("F"), uint64(math.MaxUint64)
	pg := &g
	full := wide{
		I8: -8, I: -1, U8: 255, U64: 1 << 62, PU: &u, F32: 0.5, G: "M", PG: &g, PPG: &pg, ID: uuid{1, 0, 0, 2},
		PID: &uuid{3, 0, 0, 4}, IP: netip.MustParseAddr("192.0.2.1"), Raw: []byte{}, When: time.Unix(-1, 999_999_500),
	}
	text, integer := tabletest.String, tabletest.Int
	for column, want := range map[string]anonymize.Value{
		"i8": integer(-8), "i": integer(-1), "u8": integer(255), "u64": integer(1 << 62), "pu": tabletest.Null(),
		"f32": tabletest.Float(0.5), "g": text("M"), "pg": text("F"), "ppg": text("F"), "id": text("u12"),
		"pid": text("u34"), "ip": text("192.0.2.1"), "raw": text(""), "when": tabletest.Time(-1),
	} {
		got := one(t, full, column)
		assert.Equal(t, want.Valid, got.Valid, column)
		assert.Equal(t, want.Kind, got.Kind, column)
		assert.Equal(t, tabletest.Text(want), tabletest.Text(got), column)
	}
	for _, column := range []string{"pu", "pg", "ppg", "pid", "raw"} {
		assert.False(t, one(t, wide{}, column).Valid, "%s of the zero value is null", column)
	}
	assert.False(t, one(t, wide{ID: uuid{0xff}}, "id").Valid, "what cannot be marshalled is null")
}

// ATTACKS.md I-09: no number or instant wraps.
func TestAttackI09IntegersAndInstantsDoNotWrap(t *testing.T) {
	assert.False(t, one(t, wide{U64: math.MaxInt64 + 1}, "u64").Valid)
	assert.Equal(t, int64(math.MaxInt64), one(t, wide{U64: math.MaxInt64}, "u64").Int)
	assert.False(t, one(t, wide{When: time.Unix(math.MaxInt64/1_000_000+1, 0)}, "when").Valid)
	assert.False(t, one(t, wide{When: time.Unix(math.MinInt64/1_000_000-1, 0)}, "when").Valid)
}

type device struct {
	Kind string `throng:"kind"`
}

type base struct {
	ID string `throng:"id"`
}

type nested struct {
	*Promoted
	base
	Context struct {
		IP     string  `throng:"ip"`
		Device *device `throng:"device"`
	} `throng:"context"`
	Email string
	Phone string `throng:"-"`
}

type Promoted struct {
	Country string `throng:"country"`
}

func TestNestedStructsArePaths(t *testing.T) {
	row := nested{base: base{"a"}, Email: "x", Phone: "y"}
	row.Context.IP = "192.0.2.1"
	src, err := structio.Slice("rows", []*nested{nil, &row, {Promoted: &Promoted{"NO"}}})
	require.NoError(t, err)
	schema, err := src.Schema(t.Context())
	require.NoError(t, err)
	var names []string
	for _, f := range schema.Fields {
		names = append(names, f.Name)
	}
	assert.Equal(t, []string{"country", "id", "context.ip", "context.device.kind"}, names)
	var got [][]string
	for _, row := range readAll(t, src, names...) {
		var line []string
		for _, v := range row {
			if !v.Valid {
				line = append(line, "null")
				continue
			}
			line = append(line, tabletest.Text(v))
		}
		got = append(got, line)
	}
	assert.Equal(t, [][]string{
		{"null", "null", "null", "null"}, {"null", "a", "192.0.2.1", "null"}, {"NO", "", "", "null"},
	}, got)
}

func TestNewRefusesTagsThatCannotBeUsed(t *testing.T) {
	type loop struct {
		Next *loop `throng:"next"`
	}
	for name, tc := range map[string]struct {
		open func() error
		want string
	}{
		"unexported": {func() error {
			_, err := structio.Slice("rows", []struct {
				id string `throng:"id"`
			}{})
			return err
		}, `rows: column "id": its field is not exported; begin its name with a capital`},
		"map": {func() error {
			_, err := structio.Slice("rows", []struct {
				M map[string]int `throng:"m"`
				C chan int       `throng:"c"`
			}{})
			return err
		}, "rows: column \"m\": its type map cannot be a column; use text, a number, a bool or a time\n" +
			"rows: column \"c\": its type chan cannot be a column; use text, a number, a bool or a time"},
		"twice": {func() error {
			_, err := structio.Slice("rows", []struct {
				A int `throng:"a"`
				B int `throng:"a"`
			}{})
			return err
		}, `rows: column "a": two fields have this tag; rename one`},
		"options": {func() error {
			_, err := structio.Slice("rows", []struct {
				A int `throng:"a,omitempty"`
			}{})
			return err
		}, `rows: column "a,omitempty": the tag has a comma; it holds a name and no options`},
		"no tags": {func() error { _, err := structio.Slice("rows", []struct{ A int }{}); return err },
			`rows: no field has a tag; add throng:"name" to those that may be read`},
		"empty struct": {func() error {
			_, err := structio.Slice("rows", []struct {
				A struct{} `throng:"a"`
			}{})
			return err
		}, `rows: column "a": its struct has no tagged field; tag one, or implement encoding.TextMarshaler`},
		"no struct": {func() error { _, err := structio.Slice("rows", []int{}); return err },
			"rows: its rows are no structs"},
		"loop": {func() error { _, err := structio.Slice("rows", []loop{}); return err },
			`rows: column "next.next.next.next.next.next.next.next.next": structs nest too deeply; give the type its own fields`},
		"nil": {func() error { _, err := structio.New[small]("rows", nil); return err },
			"rows: rows is nil; pass a function"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.open()
			assert.EqualError(t, err, tc.want)
			assert.ErrorIs(t, err, table.ErrSchema)
		})
	}
}

func TestClosingEarlyStopsTheSequence(t *testing.T) {
	stopped := false
	src, err := structio.New("rows", func() iter.Seq[base] {
		return func(yield func(base) bool) {
			for yield(base{"a"}) {
			}
			stopped = true
		}
	})
	require.NoError(t, err)
	readers, err := src.Open(t.Context(), []string{"id"})
	require.NoError(t, err)
	var b table.Batch
	require.NoError(t, readers[0].Next(t.Context(), &b))
	assert.Equal(t, 8192, b.Len)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, readers[0].Next(ctx, &b), context.Canceled)
	require.NoError(t, readers[0].Close())
	assert.True(t, stopped)
}

func TestLongTextEndsABatchEarly(t *testing.T) {
	type row struct {
		Text []byte `throng:"text"`
	}
	long := make([]byte, 40<<20)
	src, err := structio.Slice("rows", []row{{long}, {long}, {long[:5]}})
	require.NoError(t, err)
	readers, err := src.Open(t.Context(), []string{"text"})
	require.NoError(t, err)
	var b table.Batch
	require.NoError(t, readers[0].Next(t.Context(), &b))
	assert.Equal(t, 2, b.Len)
	require.NoError(t, readers[0].Next(t.Context(), &b))
	assert.Equal(t, 1, b.Len)
	assert.Len(t, b.Columns[0].Value(0).Bytes, 5)
	require.NoError(t, readers[0].Close())
}

func TestNoRowCostsAnAllocation(t *testing.T) {
	when := time.Unix(1_700_000_000, 0)
	rows := slices.Repeat([]wide{{G: "F", When: when}}, 8192)
	src, err := structio.Slice("rows", rows)
	require.NoError(t, err)
	var b table.Batch
	read := func() {
		readers, err := src.Open(t.Context(), []string{"i", "u64", "f32", "g", "pg", "ip", "raw", "when"})
		require.NoError(t, err)
		require.NoError(t, readers[0].Next(t.Context(), &b))
		require.NoError(t, readers[0].Close())
	}
	read()
	assert.Less(t, testing.AllocsPerRun(5, read), 200.0, "8192 rows share the cost of opening")
}
