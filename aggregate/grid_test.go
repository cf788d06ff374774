// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/aggregate"
)

func TestGridsAreBandsOfEqualWidth(t *testing.T) {
	for _, c := range []struct {
		step, origin int64
		within, want []int64
	}{
		{10, 0, []int64{0, 30}, []int64{0, 10, 20, 30}},
		{10, 0, []int64{0, 31}, []int64{0, 10, 20, 30, 40}},
		{10, 5, []int64{0, 30}, []int64{-5, 5, 15, 25, 35}},
		{10, 1000, []int64{-15, -1}, []int64{-20, -10, 0}},
		{1, -7, []int64{3, 4}, []int64{3, 4}},
		{1 << 53, 0, []int64{-(1 << 53), 1 << 53}, []int64{-(1 << 53), 0, 1 << 53}},
		{10, 0, []int64{0, 9991}, nil}, // 1000 cells
		{1, math.MinInt64, []int64{0, 1}, nil},
		{1, 0, []int64{math.MinInt64, math.MaxInt64}, nil},
		{-1, 0, []int64{0, 1}, nil},
		{1, 0, []int64{1, 0}, nil},
		{1, 0, []int64{1}, nil},
	} {
		col := aggregate.Column{Step: c.step, Origin: c.origin, Range: c.within}
		assert.Equal(t, c.want, col.Edges(), "%+v", c)
	}
	assert.Len(t, aggregate.Column{Step: 10, Range: []int64{0, 9990}}.Edges(), 1000)
	assert.Equal(t, []int64{1, 2}, aggregate.Column{Bands: []int64{1, 2}}.Edges())
}

func TestGridsArePublished(t *testing.T) {
	var usage strings.Builder
	usage.WriteString("id,score,born\n")
	for i := range 300 {
		fmt.Fprintf(&usage, "p%d,%d,%d\n", i, []int{25, -3, 99}[i%3], 1990)
	}
	columns := "  score: {from: usage, of: person, role: dimension, step: 10, range: [20, 50]}\n" +
		"  age: {from: usage, of: person, role: dimension, column: born, as: birth_year, step: 20, origin: 15, range: [15, 75]}"
	res := generalisedAsOf(t, columns, usage.String(), "2026-03-16", "group_by: [score], statistics: [visitors]", "group_by: [age], statistics: [visitors]")
	assert.Equal(t, [][]string{{"20-29"}, {"30-39"}, {"40-49"}, {"50+"}, {"under 20"}, {"unknown"}}, groups(res, 0))
	assert.Equal(t, [][]string{{"15-34"}, {"35-54"}, {"55-74"}, {"75+"}, {"under 15"}, {"unknown"}}, groups(res, 1))
	assert.InDelta(t, 100, value(t, res, "t0", "visitors", "under 20"), 30)
	assert.InDelta(t, 100, value(t, res, "t0", "visitors", "20-29"), 30)
	assert.InDelta(t, 300, value(t, res, "t1", "visitors", "35-54"), 30)
}

func TestFaultsOfGrids(t *testing.T) {
	for fields, want := range map[string]string{
		"range: [0, 10]":                          "policy.columns.score.range: got a range without a step, want both or neither",
		"bands: [1], origin: 3":                   "policy.columns.score.origin: got an origin without a step, want both or neither",
		"step: 10":                                "policy.columns.score.range: got 0 numbers, want two, [lower, upper], for a step",
		"step: 10, range: [1, 2, 3]":              "policy.columns.score.range: got 3 numbers, want two",
		"step: -1, range: [0, 10]":                "policy.columns.score.step: got -1, want a whole number of 1 to 2^53",
		"step: 1, range: [5, 5]":                  "policy.columns.score.range: got [5, 5], want a lower end below the upper",
		"step: 1, range: [0, 1000]":               "policy.columns.score.step: got 1, which makes 1000 cells, want at most 999 cells in the range; take a wider step",
		"step: 1, range: [0, 9007199254740993]":   "policy.columns.score.range: got [0, 9007199254740993], want a lower end below the upper, both within 2^53 of 0",
		"step: 5, range: [0, 10], bands: [1, 2]":  "policy.columns.score.step: got both bands and a step, want one of them",
		"step: 5, range: [0, 200], as: age":       "want ages of 0 to 120 in bands",
		"step: 5, range: [0, 20], values: {a: b}": "want only one of values, lookup, bands and grain",
		"step: 5, range: [0, 20], groups: [a]":    "", // a group that no cell has is listed and empty
	} {
		p := generalising(t, "  score: {from: usage, of: person, role: dimension, "+fields+"}")
		_, err := aggregate.NewPlan(p, generalisedRelease(t, "group_by: [score], statistics: [visitors]"))
		if want == "" {
			assert.NoError(t, err, fields)
			continue
		}
		assert.ErrorContains(t, err, want, fields)
	}
}
