// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/estimate"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

func TestAttackO01SuppressedLabelsAreNowhere(t *testing.T) {
	for name, content := range files(t, write(t, silent(t))) {
		assert.NotContains(t, content, canary, name)
	}
	d := small()
	d.add(30, "F", canary, "yes")
	shown := files(t, write(t, d.run(t, mechanismtest.New(mechanismtest.Zero))))
	for _, name := range []string{"data/section.csv", "data/section.parquet"} {
		assert.Contains(t, shown[name], canary, "the search finds what is published")
	}
}

func TestAttackO02WithheldRowsHaveNoNumber(t *testing.T) {
	dir := write(t, silent(t))
	withheld := 0
	for _, name := range []string{"gender", "section"} {
		for _, row := range records(t, dir, name) {
			for _, column := range []string{"value", "display", "ci_low", "ci_high"} {
				assert.Equal(t, row["obs_status"] == "Q", row[column] == "", "%v", row)
			}
			if row["obs_status"] == "Q" {
				withheld++
			}
		}
	}
	assert.Equal(t, 4, withheld, "visitors and share of other and unknown")
}

func TestAttackO03FootersHoldNothingOfTheData(t *testing.T) {
	dir := write(t, silent(t))
	for _, name := range []string{"gender", "section"} {
		content, err := os.ReadFile(filepath.Join(dir, "data", name+".parquet"))
		require.NoError(t, err)
		f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
		require.NoError(t, err)
		assert.EqualValues(t, len(records(t, dir, name)), f.NumRows())
		assert.Empty(t, f.Metadata().KeyValueMetadata)
		require.Len(t, f.Metadata().RowGroups, 1)
		for _, c := range f.Metadata().RowGroups[0].Columns {
			assert.Empty(t, c.MetaData.Statistics.MinValue)
			assert.Empty(t, c.MetaData.Statistics.MaxValue)
			assert.Zero(t, c.MetaData.DictionaryPageOffset)
			assert.Zero(t, c.MetaData.BloomFilterOffset)
		}
	}
}

// replayed returns the bundles of two sets of records, the second with the first's noise and choices.
func replayed(t *testing.T, d, other *data) (one, two map[string]string) {
	t.Helper()
	recorder := mechanismtest.New(mechanismtest.Live)
	one = files(t, write(t, d.run(t, recorder)))
	replay := mechanismtest.NewReplay(recorder.Calls())
	two = files(t, write(t, other.run(t, replay)))
	require.Empty(t, replay.Unrecorded())
	return one, two
}

func TestAttackO04FilesDependOnNoisyNumbersOnly(t *testing.T) {
	other := small()
	other.add(1, "F", "news", "yes")
	one, two := replayed(t, small(), other)
	assert.Equal(t, one, two)
}

// TestAttackP06ManifestIsOfThePlanAlone has records that differ in how many were read, left out,
// withheld and clamped.
func TestAttackP06ManifestIsOfThePlanAlone(t *testing.T) {
	other := small()
	other.add(500, "M", "news", "yes")
	other.add(700, "F", "news", "no")
	other.add(7, "F", canary, "yes")
	other.uses[0].Seconds = 1e6
	one, two := replayed(t, small(), other)
	assert.Equal(t, one, two)
	fresh := files(t, write(t, other.run(t, mechanismtest.New(mechanismtest.Live))))
	assert.Equal(t, one["release.json"], fresh["release.json"], "also with other noise")
	assert.NotEqual(t, one["data/gender.csv"], fresh["data/gender.csv"])
}

func TestRowsDoNotKeepTheOrderOfRecords(t *testing.T) {
	d := &data{}
	for _, section := range []string{"h", "b", "e", "a", "g", "c", "f", "d"} {
		d.add(200, "F", section, "yes")
	}
	dir := write(t, d.run(t, mechanismtest.New(mechanismtest.Zero)))
	var sections []string
	for _, row := range records(t, dir, "section") {
		sections = append(sections, row["section"])
	}
	assert.True(t, slices.IsSorted(sections), "%v", sections)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(d.uses), func(i, j int) { d.uses[i], d.uses[j] = d.uses[j], d.uses[i] })
	slices.Reverse(d.visits)
	assert.Equal(t, files(t, dir), files(t, write(t, d.run(t, mechanismtest.New(mechanismtest.Zero)))))
}

func TestAttackO06LabelsAreTextEverywhere(t *testing.T) {
	r := silent(t)
	evil := "=1+1`[x](http://evil.example)<script>\u202e"
	for i := range r.Tables {
		for j := range r.Tables[i].Rows {
			if g := r.Tables[i].Rows[j].Group; g[0] != "" {
				r.Tables[i].Rows[j].Group = []string{evil + g[0]}
			}
		}
	}
	all := files(t, write(t, r))
	for _, row := range strings.Split(all["data/section.csv"], "\n")[1:] {
		for _, cell := range strings.Split(row, ",") {
			assert.NotRegexp(t, `^["' ]*[=+@]`, strings.TrimPrefix(strings.TrimPrefix(cell, `"`), "'=1+1"), row)
		}
	}
	assert.Contains(t, all["README.md"], "gender = `` '=1+1`[x](http://evil.example)<script>\\u202Efemale ``", "a code span, in which nothing is markup")
	for name, content := range all {
		assert.NotContains(t, content, "\u202e", name)
	}
}

// numeral is a number with a fixed number of decimals, at most 15.
var numeral = regexp.MustCompile(`^(0|-?[1-9][0-9]*|-?[1-9][0-9]*\.[0-9]{1,15}|-?0\.[0-9]{1,15})$`)

// minusNothing is a zero with a sign.
var minusNothing = regexp.MustCompile(`^-0(\.0*)?$`)

// TestAttackP08NumeralsArePlain writes 10^4 rows of numbers near 0 on both sides, and of the largest.
func TestAttackP08NumeralsArePlain(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	number := func(units int64, places uint8) aggregate.Number {
		return aggregate.Number{Decimal: estimate.Decimal{Units: units, Places: places}, Known: true}
	}
	rows := make([]aggregate.Row, 10_000)
	for i := range rows {
		units, places := random.Int64N(41)-20, uint8(random.IntN(7))
		switch i % 10 {
		case 0:
			units = math.MaxInt64 - random.Int64N(1000)
		case 1:
			units = math.MinInt64 + random.Int64N(1000)
		}
		rows[i] = aggregate.Row{
			Group: []string{fmt.Sprint(i)}, Statistic: "visitors", Unit: "persons", Status: aggregate.Normal,
			Value: number(units, places), Display: number(units, 0), Low: number(random.Int64N(3)-1, 1),
			High: aggregate.Number{Decimal: estimate.RoundDecimal(random.Float64()*2e-4-1e-4, 4), Known: i%3 > 0},
		}
	}
	r := silent(t)
	r.Tables = []aggregate.ResultTable{{Name: "many", Dimensions: []string{"number"}, Rows: rows}}
	got := records(t, write(t, r), "many")
	require.Len(t, got, len(rows))
	negative := 0
	for i, row := range got {
		for column, want := range map[string]aggregate.Number{"value": rows[i].Value, "display": rows[i].Display, "ci_low": rows[i].Low, "ci_high": rows[i].High} {
			n := row[column]
			require.Equal(t, want.String(), n)
			if !want.Known {
				continue
			}
			require.Regexp(t, numeral, n)
			require.NotRegexp(t, minusNothing, n)
			_, decimals, _ := strings.Cut(n, ".")
			require.Len(t, decimals, int(want.Decimal.Places), n)
			if strings.HasPrefix(n, "-0.") {
				negative++
			}
		}
	}
	assert.Greater(t, negative, 1000, "numbers just below 0 are among them")
}

// TestSharesAndMeansKeepTheirDecimals: a share of exactly one half is "50.0" to quote.
func TestSharesAndMeansKeepTheirDecimals(t *testing.T) {
	places := map[string][2]int{"visitors": {0, 0}, "visitors_total": {0, 0}, "events": {0, 0}, "share": {4, 1}, "sum_seconds": {1, 1}, "mean_seconds": {3, 2}}
	dir := write(t, silent(t))
	seen := map[string]bool{}
	for _, name := range []string{"gender", "section"} {
		for _, row := range records(t, dir, name) {
			want, ok := places[row["statistic"]]
			require.True(t, ok, row["statistic"])
			if row["value"] == "" {
				continue
			}
			seen[row["statistic"]] = true
			for i, column := range []string{"value", "display"} {
				_, decimals, _ := strings.Cut(row[column], ".")
				assert.Len(t, decimals, want[i], "%v", row)
			}
		}
	}
	assert.Len(t, seen, len(places))
}
