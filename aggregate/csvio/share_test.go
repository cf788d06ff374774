// SPDX-License-Identifier: Apache-2.0

package csvio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/table"
)

// readTogether drains all readers at once, and returns the rows in sorted order and the error of each
// reader.
func readTogether(t testing.TB, src table.Source, columns ...string) ([][]string, []error) {
	t.Helper()
	readers, err := src.Open(t.Context(), columns)
	require.NoError(t, err)
	rows, errs := make([][][]string, len(readers)), make([]error, len(readers))
	var wg sync.WaitGroup
	for i, r := range readers {
		wg.Go(func() { rows[i], errs[i] = drain(t.Context(), r) })
	}
	wg.Wait()
	for _, r := range readers {
		require.NoError(t, r.Close())
	}
	return sorted(slices.Concat(rows...)), errs
}

func sorted(rows [][]string) [][]string {
	rows = append([][]string{}, rows...)
	slices.SortFunc(rows, slices.Compare)
	return rows
}

// pieces are what inputs are made of at random; the long ones come close to the limit of a record.
var pieces = []string{
	"\n", "\n", "\r\n", "\r", ",", ",", ",", `"`, `"`, `""`, `"",`, `,"`, `",`, "\"\n", "x", "xy", `\N`, "\x00", "é",
	"1,2\n", "1,2\r\n", "\"1\n\",2\n", "1,\"2\"\n", "\"a\"\"\n\"\"b\",\"\"\n",
}

var longPieces = []string{
	strings.Repeat("y", 1<<20), strings.Repeat("z", 1<<20-5), strings.Repeat("1,2\n", 1<<14), strings.Repeat("\"1\",2\r\n", 1<<13),
}

func randomInput(rng *rand.Rand, n int, long bool) string {
	var b strings.Builder
	for range n {
		if long && rng.IntN(15) == 0 {
			b.WriteString(longPieces[rng.IntN(len(longPieces))])
		}
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

// agree checks that readers find the same records as naive does, however many there are and wherever
// blocks end.
func agree(t testing.TB, body, delim string, blockSizes ...int) {
	t.Helper()
	delim = cmpOr(delim, ",")
	body = strings.ReplaceAll(body, ",", delim)
	// The line feed in front settles that lines end with one.
	in := "\na" + delim + "b\n" + body
	want := (&naive{in: []byte(in), fields: 2, delim: delim, eol: '\n'}).rows(len(in) - len(body))
	src := newSource(t, in, csvio.Options{Delimiter: delim, BatchRows: 3})
	same(t, want, read(t, src.In(len(in)+1, 1), "a", "b"), "one block")
	for _, size := range blockSizes {
		same(t, want, read(t, src.In(size, 1), "a", "b"), "one reader, blocks of %d bytes", size)
		got, errs := readTogether(t, src.In(size, 4), "a", "b")
		require.NoError(t, errors.Join(errs...))
		same(t, sorted(want), got, "four readers, blocks of %d bytes", size)
	}
}

// same is require.Equal for many rows.
func same(t testing.TB, want, got [][]string, what string, args ...any) {
	t.Helper()
	if !slices.EqualFunc(want, got, slices.Equal) {
		require.Equal(t, want, got, append([]any{what}, args...)...)
	}
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestManyReadersFindTheRecordsOfOne(t *testing.T) {
	for seed := range uint64(600) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			in := randomInput(rng, rng.IntN(60), false)
			agree(t, in, []string{",", "::", "::::"}[seed%3], 1, 1+rng.IntN(20), 64)
		})
	}
}

func TestManyReadersFindTheRecordsOfOneAroundTheLimits(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			agree(t, randomInput(rng, 40, true), ",", 64<<10+rng.IntN(1<<20))
		})
	}
}

// Every length of a record around the limit, closed or not, behind it something that a wrong count
// of bytes would swallow.
func TestTheLimitDoesNotDependOnBlocks(t *testing.T) {
	for _, end := range []string{"\",2\r\n", "\"\n", "\"x\n", ""} {
		for _, length := range []int{1<<20 - 4, 1<<20 - 3, 1<<20 - 2, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1<<20 + 18} {
			long := "\"\n7,8\n" + strings.Repeat("x", length-12) + "\n9,10\n"
			agree(t, "1,2\n"+long+end+"3,4\n\"5\n\",6\n", ",", 256<<10)
		}
	}
}

// What was looked at in vain ends exactly where a record of several lines begins, or just before or
// after it, and what a block is cut from ends within that record.
func TestWhereReadingLineByLineEndsDoesNotDependOnBlocks(t *testing.T) {
	for _, length := range []int{1<<20 - 1, 1 << 20, 1<<20 + 1, 1<<20 + 2, 1<<20 + 17, 1<<20 + 18, 1<<20 + 19} {
		unclosed := "\"\n1,\n" + strings.Repeat("x", 1000) + "\n"
		unclosed += strings.Repeat("x", length-len(unclosed)-1) + "\n"
		agree(t, unclosed+"\"5\n\",6\n7,8\n", ",", length+len("\"5\n"))
		longLine := "\"" + strings.Repeat("x", length-2) + "\n"
		agree(t, longLine+"\"5\n\",6\n7,8\n", ",", length+len("\"5\n"))
	}
}

func TestADelimiterLongerThanARecord(t *testing.T) {
	src := newSource(t, "a\n\"1\"x\n\"\n\"\n2\n3\n", csvio.Options{Delimiter: "0123456789abcdef"})
	for size := range 12 {
		assert.Equal(t, [][]string{{"\n"}, {"2"}, {"3"}}, read(t, src.In(size+1, 1), "a"), "blocks of %d bytes", size+1)
	}
}

func FuzzManyReadersFindTheRecordsOfOne(f *testing.F) {
	f.Add("1,2\n\"1\n\",2\n", "", uint8(5))
	f.Add("\"1\"x\n\"a\nb\",2\n", "::", uint8(2))
	f.Add("a\",b,\"\n1,2", "", uint8(1))
	f.Fuzz(func(t *testing.T, body, delim string, size uint8) {
		if len(delim) > 16 || strings.ContainsAny(delim, "\"\r\nab") {
			return
		}
		agree(t, body, delim, 1+int(size))
	})
}

// Each reader tells of the one fault of the input, wherever that is and whatever it has read before.
func TestAFaultOfTheInputIsTheSameForEachReader(t *testing.T) {
	good := "a,b\n" + strings.Repeat("1,\"2\n\"\n", 50_000)
	limit := &table.Error{File: "x", Problem: "too much", Err: table.ErrLimit}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		at := 256<<10 + rng.IntN(len(good)-256<<10)
		src, err := csvio.New("in.csv", faulty(good[:at], limit), csvio.Options{BatchRows: 7})
		require.NoError(t, err)
		_, errs := readTogether(t, src.In(1+rng.IntN(5000), 1+rng.IntN(4)), "a")
		for i, err := range errs {
			assert.EqualError(t, err, "x: too much", fmt.Sprint("reader ", i))
		}
	}
}

func TestTheLastReaderClosesTheInput(t *testing.T) {
	closed := 0
	src, err := csvio.New("in.csv", func(context.Context) (io.ReadCloser, error) {
		return closeCounter{strings.NewReader("a,b\n1,2\n3,4\n"), &closed}, nil
	}, csvio.Options{})
	require.NoError(t, err)
	readers, err := src.In(1, 3).Open(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Len(t, readers, 3)
	for _, r := range readers[:2] {
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
	}
	assert.Zero(t, closed)
	rows, err := drain(t.Context(), readers[2])
	require.NoError(t, err)
	assert.Len(t, rows, 2, "what the others have not taken")
	require.NoError(t, readers[2].Close())
	require.NoError(t, readers[2].Close())
	assert.Equal(t, 1, closed)
}

func TestASmallInputHasOneReader(t *testing.T) {
	small, err := newSource(t, "a,b\n"+strings.Repeat("1,2\n", 1000), csvio.Options{}).Open(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, small, 1)
}
