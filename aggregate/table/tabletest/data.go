// SPDX-License-Identifier: Apache-2.0

package tabletest

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

const (
	// idColumn is in every table and never null, so that no line of a text format is blank.
	idColumn = "id"
	// The canary stands in columns that are not asked for. 16 random letters do not occur by chance.
	canaryColumn = "secret"
	canary       = "qmzkxwvhtrplnfgd"
	canaryInt    = int64(0x5ca1ab1e0ddba11)
)

// smallRows has every kind, nulls in every column but the id, and values that repeat.
func smallRows() Rows {
	rows := Rows{Columns: []table.Field{
		{Name: idColumn, Kind: anonymize.Bytes},
		{Name: "city", Kind: anonymize.Bytes},
		{Name: "age", Kind: anonymize.Int},
		{Name: "share", Kind: anonymize.Float},
		{Name: "member", Kind: anonymize.Bool},
		{Name: "seen", Kind: anonymize.Time},
	}}
	cities := []string{"Oslo", "Łódź", "東京"}
	for i := range 50 {
		row := []anonymize.Value{
			String(fmt.Sprintf("r%05d", i)), String(cities[i%3]), Int(int64(i % 7)),
			Float(float64(i%5) / 4), Bool(i%2 == 0), Time(1_700_000_000_000_000 + int64(i)*1_234_567),
		}
		if c := i % 8; c > 0 && c < len(row) {
			row[c] = Null()
		}
		rows.Cells = append(rows.Cells, row)
	}
	return rows
}

// manyRows is more than one batch for most connectors: repeated text, distinct text and numbers,
// with runs of nulls longer than a batch is likely to be.
var manyRows = sync.OnceValue(func() Rows {
	const n = 20_000
	rows := Rows{Columns: []table.Field{
		{Name: idColumn, Kind: anonymize.Bytes},
		{Name: "city", Kind: anonymize.Bytes},
		{Name: "age", Kind: anonymize.Int},
		{Name: "sparse", Kind: anonymize.Bytes},
	}}
	for i := range n {
		row := []anonymize.Value{
			String(fmt.Sprintf("%016x", i*0x9e3779b9)), String(fmt.Sprintf("city %d", i%97)), Int(int64(i)), Null(),
		}
		if i%11 == 0 {
			row[1] = Null()
		}
		if i < 100 || i > n-100 {
			row[3] = String("rare")
		}
		rows.Cells = append(rows.Cells, row)
	}
	return rows
})

// textRows has texts that formats are known to change.
func textRows() Rows {
	rows := Rows{Columns: []table.Field{{Name: idColumn}, {Name: "größe 大"}, {Name: "last"}}}
	for i, text := range []string{
		"", " ", "  both sides  ", "a,b", "a;b", `"`, `say "no"`, `''`, `back\slash`, `\n`, `\N`,
		"two\nlines", "a\ttab", "null", "NULL", "NaN", "true", "007", "1e3", "-0", "#no comment", "=1+1",
		"naïve", "nai\u0308ve", "Ελλάδα", "עברית", "東京都", "👩‍👩‍👧", "\u00a0", "\u2028", "\ufeffmark",
		"1２３", strings.Repeat("long ", 20_000), strings.Repeat("é", 33_000),
	} {
		rows.Cells = append(rows.Cells, []anonymize.Value{
			String(fmt.Sprintf("r%05d", i)), String(text), String("end"),
		})
	}
	return rows
}

// extremeRows has the ends of each kind's range. NaN and infinities are left out, as JSON has none.
func extremeRows() Rows {
	rows := Rows{Columns: []table.Field{
		{Name: idColumn, Kind: anonymize.Bytes},
		{Name: "i", Kind: anonymize.Int},
		{Name: "f", Kind: anonymize.Float},
		{Name: "b", Kind: anonymize.Bool},
		{Name: "t", Kind: anonymize.Time},
	}}
	ints := []int64{0, -1, 1, math.MinInt64, math.MaxInt64, 1 << 53, 1<<53 + 1}
	floats := []float64{0, 0.1, -2.5, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21}
	times := []int64{0, -1, 1, 999_999, -62_000_000_000_000, 1_700_000_000_123_456, 7_000_000_000_000_000}
	for i := range ints {
		rows.Cells = append(rows.Cells, []anonymize.Value{
			String(fmt.Sprintf("r%05d", i)), Int(ints[i]), Float(floats[i]), Bool(i%2 == 1), Time(times[i]),
		})
	}
	return rows
}

// nullRows has one column of each kind without a single value.
func nullRows() Rows {
	rows := smallRows()
	for _, row := range rows.Cells {
		clear(row[1:])
	}
	return rows
}

// canaryRows has a text and an integer column that must not be read.
func canaryRows() Rows {
	rows := smallRows()
	rows.Columns = append(rows.Columns,
		table.Field{Name: canaryColumn, Kind: anonymize.Bytes},
		table.Field{Name: canaryColumn + "2", Kind: anonymize.Int})
	for i, row := range rows.Cells {
		rows.Cells[i] = append(row, String(canary), Int(canaryInt))
	}
	return rows
}
