// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/table"
)

var paths = []string{"a", "b", "a.b", "c", "", "more than sixteen bytes", "exactly 13b", "a[]", "c[].a.b", "b[1]", "é[true].c"}

// scanTogether drains all readers at once and returns the rows in sorted order.
func scanTogether(tb testing.TB, src table.Source, columns ...string) [][]string {
	tb.Helper()
	readers, err := src.Open(context.Background(), columns)
	require.NoError(tb, err)
	rows, errs := make([][][]string, len(readers)), make([]error, len(readers))
	var wg sync.WaitGroup
	for i, r := range readers {
		wg.Go(func() {
			var b table.Batch
			for errs[i] = r.Next(context.Background(), &b); errs[i] == nil; errs[i] = r.Next(context.Background(), &b) {
				rows[i] = append(rows[i], texts(tb, &b, len(columns))...)
			}
		})
	}
	wg.Wait()
	for i, r := range readers {
		require.Equal(tb, io.EOF, errs[i])
		require.NoError(tb, r.Close())
	}
	return sorted(slices.Concat(rows...))
}

func sorted(rows [][]string) [][]string {
	rows = append([][]string{}, rows...)
	slices.SortFunc(rows, slices.Compare)
	return rows
}

// agree checks that readers find what the exact parser finds, however many there are and wherever
// blocks end.
func agree(tb testing.TB, body []byte, blockSizes ...int) {
	tb.Helper()
	// The first line keeps what follows from being judged as the start of a file.
	data := append([]byte("{}\n"), body...)
	want := [][]string{}
	if b := ndjsonio.Exact(data, paths...); b.Len > 0 {
		want = texts(tb, b, len(paths))
	}
	for _, size := range append(blockSizes, len(data)+1) {
		got, err := scan(tb, source(tb, data).In(size, 1), paths...)
		require.NoError(tb, err)
		same(tb, want, got, "one reader, blocks of %d bytes", size)
		same(tb, sorted(want), scanTogether(tb, source(tb, data).In(size, 4), paths...), "four readers, blocks of %d bytes", size)
	}
}

// same is require.Equal for many rows.
func same(tb testing.TB, want, got [][]string, what string, args ...any) {
	tb.Helper()
	if !slices.EqualFunc(want, got, slices.Equal) {
		require.Equal(tb, want, got, append([]any{what}, args...)...)
	}
}

// generator makes lines that are JSON or nearly so.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) text() string {
	s := `"`
	for range g.IntN(4) {
		s += g.pick("x", "a long run of text", "é", "東", "😀", `\n`, `\"`, `\\`, `\/`, `\u00e9`, `\ud83d\ude00`, `\uD83D\uDE00`, "\x7f", "\u2028")
	}
	if g.IntN(60) == 0 {
		s += g.pick("\xff", "\xc3", "\xed\xa0\x80", "\t", "\x00", `\u12`, `\ud83d`, `\udc00`, `\x`, `\ud83dx`, `\ud83d\u0041`, `\ud83d\ue000`, `\ud83d\udbff`, `\udfff`, `\ud800`, `\`, "\xf4\x90\x80\x80")
	}
	return s + `"`
}

func (g generator) value(depth int) string {
	switch n := g.IntN(12); {
	case n < 3:
		return g.text()
	case n < 6:
		return g.pick("0", "-0", "1", "12345678", "123456789012", "1.5", "-2e9", "1E+3", "0.0e-0", "7", "1984")
	case n == 6:
		return g.pick("01", "-", "1.", ".5", "+1", "1e", "1e+", "--1", "0x1", "00", "1.5.2", "Infinity", "nul", "truee", "null1", "")
	case n == 7:
		return g.pick("true", "false", "null")
	case depth == 0:
		return "1"
	case n < 10:
		return g.object(depth - 1)
	}
	s := "["
	for i := range g.IntN(4) {
		if i > 0 {
			s += g.blank() + "," + g.blank()
		}
		s += g.value(depth - 1)
	}
	return s + "]"
}

func (g generator) blank() string {
	if g.IntN(4) > 0 {
		return ""
	}
	return g.pick(" ", "\t", "\r", "  ", " ", " ", "\v", "\u00a0")
}

// object has the names of paths and others, mostly in one order and mostly once.
func (g generator) object(depth int) string {
	s := "{" + g.blank()
	n := 0
	for _, name := range []string{
		`"key"`, `"value"`, `"a"`, `"b"`, `"a.b"`, `""`, `"c"`, `"é"`, `"exactly 13b"`, `"exactly 14by"`, `"more than sixteen bytes"`, `"more than sixteen bytes!"`,
	} {
		if g.IntN(3) == 0 {
			continue
		}
		if g.IntN(20) == 0 {
			name = g.pick(`"b"`, `"a"`, `"\u0061"`, `"more than sixteen bytez"`, g.text(), "a", "1", `"a`)
		}
		if n++; n > 1 {
			s += g.blank() + "," + g.blank()
		}
		s += name + g.blank() + ":" + g.blank() + g.value(depth)
	}
	if g.IntN(50) == 0 {
		s += g.pick(",", "}", "]", ":", "x")
	}
	return s + g.blank() + "}"
}

func (g generator) lines(n int) []byte {
	var b bytes.Buffer
	for range n {
		line := g.blank() + g.object(3) + g.blank()
		if g.IntN(20) == 0 {
			line = line[:g.IntN(len(line)+1)]
		}
		b.WriteString(line + g.pick("\n", "\n", "\r\n", "\n\n"))
	}
	if g.IntN(2) == 0 {
		b.WriteString(g.object(1))
	}
	return b.Bytes()
}

func TestManyQuickReadersFindWhatAnExactOneFinds(t *testing.T) {
	for seed := range uint64(120) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(seed, 1))}
			agree(t, g.lines(50), 1, 1+g.IntN(500))
		})
	}
}

func FuzzManyQuickReadersFindWhatAnExactOneFinds(f *testing.F) {
	f.Add([]byte(`{"a":{"b":"x"},"c":2}`+"\n"+`{"c":2,"a":1,"a":1}`), uint8(9))
	f.Add(generator{rand.New(rand.NewPCG(1, 2))}.lines(5), uint8(1))
	f.Add([]byte(`{"a":"\ud83d\ude00","b":[{"a":1e5},{}]}`+"\n{"), uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, size uint8) { agree(t, body, 1+int(size)) })
}

// What the quick parser leaves to the exact one is slow, and so it must know what logs are made of.
func TestOrdinaryRecordsAreReadQuickly(t *testing.T) {
	lines := []string{
		`{"a":1,"b":"x","c":true,"d":null,"e":false,"f":-1.5e9,"F":1E+3,"z":0,"g":[1,"x",{"a":1},[]],"h":{}}`,
		`{"h":{"i":{"j":"é東😀"}},"a":"say \"no\" \u00e9\ud83d\ude00"}`,
		`{ "a" : 1 , "b" : [ 1 , 2 ] }` + "\r",
		`{"zz":0}`,
		`{}`,
		strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60),
	}
	for i, sure := range ndjsonio.Quick([]byte(strings.Join(lines, "\n")+"\n"), "a", "h.i.j") {
		assert.True(t, sure, lines[i])
	}
	wide := "{"
	for i := range 256 {
		wide += fmt.Sprintf(`"column %d":%d,`, i, i)
	}
	wide = wide[:len(wide)-1] + "}\n"
	assert.Equal(t, []bool{true, true}, ndjsonio.Quick([]byte(wide+wide), "column 255"))
}

// What is expected must not be taken for granted.
func TestNamesThatBeginAlikeAreToldApart(t *testing.T) {
	data := []byte("{}\n")
	for _, name := range []string{"a name of 14", "a name of 14b", "a name of 14by", "a name of 14byt", "a name of 14byte", "a name of 14bytes"} {
		data = fmt.Appendf(data, `{"%sx":1,"%s":2}`+"\n"+`{"%sy":3,"%s":4}`+"\n", name, name, name, name)
		rows, err := scan(t, source(t, data), name, name+"x", name+"y")
		require.NoError(t, err)
		assert.Equal(t, [][]string{{"2", "1", null}, {"4", null, "3"}}, rows[len(rows)-2:], name)
	}
}

// Objects whose names are data must not make a parser remember all of them.
func TestAttackI05NamesThatAreDataAreForgotten(t *testing.T) {
	var b bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&b, `{"by id":{"%d":1},"a":%d}`+"\n", i, i)
	}
	most, end := ndjsonio.Learned(b.Bytes(), "a")
	assert.LessOrEqual(t, most, 4096)
	assert.Less(t, end, most, "it has started anew")
	rows, err := scan(t, source(t, b.Bytes()), "a", "by id.777")
	require.NoError(t, err)
	require.Len(t, rows, 100_000)
	assert.Equal(t, []string{"777", "1"}, rows[777])
	assert.Equal(t, []string{"99999", null}, rows[99_999])
	b.Reset()
	for i := range 10_000 {
		fmt.Fprintf(&b, `{"%d":{"%d":1}}`+"\n", i%100, i)
	}
	most, _ = ndjsonio.Learned(b.Bytes(), "a")
	assert.LessOrEqual(t, most, 4096, "names of all places together")
	long, _ := ndjsonio.Learned([]byte(`{"`+strings.Repeat("x", 1000)+`":1}`+"\n"), "a")
	assert.Zero(t, long)
}

// Each reader tells of the one fault of the input, wherever that is and whatever it has read before.
func TestAFaultOfTheInputIsTheSameForEachReader(t *testing.T) {
	good := pageViews(2000)
	limit := &table.Error{File: "x", Problem: "too much", Err: table.ErrLimit}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		at := 256<<10 + rng.IntN(len(good)-256<<10)
		src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(good[:at]), iotest.ErrReader(limit))), nil
		}, ndjsonio.Options{})
		require.NoError(t, err)
		readers, err := src.In(1+rng.IntN(5000), 1+rng.IntN(4)).Open(t.Context(), []string{"userId"})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for _, r := range readers {
			wg.Go(func() {
				var b table.Batch
				var err error
				for err == nil {
					err = r.Next(t.Context(), &b)
				}
				assert.EqualError(t, err, "x: too much")
				assert.Zero(t, b.Len)
				assert.NoError(t, r.Close())
			})
		}
		wg.Wait()
	}
}

func TestTheLastReaderClosesTheInput(t *testing.T) {
	f := &file{Reader: strings.NewReader("{\"v\":1}\n{\"v\":2}\n")}
	src, err := ndjsonio.New("in.ndjson", func(context.Context) (io.ReadCloser, error) { return f, nil }, ndjsonio.Options{})
	require.NoError(t, err)
	readers, err := src.In(1, 3).Open(t.Context(), []string{"v"})
	require.NoError(t, err)
	require.Len(t, readers, 3)
	for _, r := range readers[:2] {
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
	}
	assert.Zero(t, f.closed)
	var b table.Batch
	require.NoError(t, readers[2].Next(t.Context(), &b))
	assert.Equal(t, 2, b.Len, "what the others have not taken")
	require.NoError(t, readers[2].Close())
	require.NoError(t, readers[2].Close())
	assert.Equal(t, 1, f.closed)
}
