// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

func TestDecimalPrintsPlainDigits(t *testing.T) {
	for _, tc := range []struct {
		in   estimate.Decimal
		want string
	}{
		{estimate.Decimal{}, "0"},
		{estimate.Decimal{Places: 2}, "0.00"},
		{estimate.Decimal{Units: 7}, "7"},
		{estimate.Decimal{Units: -5, Places: 1}, "-0.5"},
		{estimate.Decimal{Units: 1230, Places: 2}, "12.30"},
		{estimate.Decimal{Units: 5, Places: 4}, "0.0005"},
		{estimate.Decimal{Units: math.MinInt64}, "-9223372036854775808"},
		{estimate.Decimal{Units: math.MaxInt64, Places: 18}, "9.223372036854775807"},
		{estimate.Decimal{Units: 1, Places: 30}, "0.000000000000000000000000000001"},
	} {
		assert.Equal(t, tc.want, tc.in.String())
		f, _ := new(big.Rat).SetString(tc.want)
		want, _ := f.Float64()
		assert.Equal(t, want, tc.in.Float64())
	}
}

func TestDecimalRoundsTheExactNumber(t *testing.T) {
	r := generator()
	half := big.NewRat(1, 2)
	floorOf := func(x *big.Rat) int64 { return new(big.Int).Div(x.Num(), x.Denom()).Int64() }
	inputs := []float64{0, math.Copysign(0, -1), 0.05, 0.15, 0.25, 2.675, -2.5, -0.05, 12.3, 100, 1e-300, -1e-300,
		5e-324, -5e-324, 0.285, 1.005, 4503599627370497.5, 0.1, 0.3, 1.1, 33.3, 99.99999999999999}
	for range 5_000 {
		inputs = append(inputs, (r.Float64()-0.5)*math.Pow10(r.IntN(8)), float64(r.IntN(20001)-10000)/100)
	}
	for _, f := range inputs {
		for _, places := range []uint8{0, 1, 2} {
			scaled := new(big.Rat).SetFloat64(f)
			scaled.Mul(scaled, new(big.Rat).SetFloat64(math.Pow10(int(places))))
			floor := floorOf(scaled)
			ceil := -floorOf(new(big.Rat).Neg(scaled))
			round := floorOf(new(big.Rat).Add(scaled, half))
			if f < 0 { // ties go away from zero
				round = -floorOf(new(big.Rat).Add(new(big.Rat).Neg(scaled), half))
			}
			require.Equal(t, estimate.Decimal{Units: floor, Places: places}, estimate.FloorDecimal(f, places), "%g", f)
			require.Equal(t, estimate.Decimal{Units: ceil, Places: places}, estimate.CeilDecimal(f, places), "%g", f)
			require.Equal(t, estimate.Decimal{Units: round, Places: places}, estimate.RoundDecimal(f, places), "%g", f)
		}
	}
}

func TestDecimalSaturates(t *testing.T) {
	most, least := int64(math.MaxInt64), int64(math.MinInt64)
	inf := math.Inf(1)
	for _, f := range []float64{inf, 1e300, 0x1p63} {
		assert.Equal(t, most, estimate.RoundDecimal(f, 3).Units)
		assert.Equal(t, most, estimate.CeilDecimal(f, 0).Units)
		assert.Equal(t, least, estimate.FloorDecimal(-f, 3).Units)
		assert.Equal(t, least, estimate.RoundDecimal(-f, 0).Units)
	}
	nan := math.NaN()
	assert.Equal(t, least, estimate.FloorDecimal(nan, 2).Units, "the widest interval")
	assert.Equal(t, most, estimate.CeilDecimal(nan, 2).Units)
	assert.Equal(t, "0.00", estimate.RoundDecimal(nan, 2).String())
	assert.Equal(t, estimate.Decimal{Units: 1e15, Places: 15}, estimate.RoundDecimal(1, 200))
}

func TestRound100AddsToExactly100(t *testing.T) {
	r := generator()
	for range 1_000 {
		shares := make([]float64, 1+r.IntN(12))
		total := 0.0
		for i := range shares {
			shares[i] = math.Floor(r.Float64() * r.Float64() * 500)
			total += shares[i]
		}
		if total == 0 {
			continue
		}
		for i := range shares {
			shares[i] *= 100 / total
		}
		for places, hundred := range map[uint8]int64{0: 100, 1: 1000, 2: 10000} {
			got, err := estimate.Round100(shares, places)
			require.NoError(t, err)
			sum := int64(0)
			for i, d := range got {
				sum += d.Units
				require.Equal(t, places, d.Places)
				require.Less(t, math.Abs(d.Float64()-shares[i]), math.Pow10(-int(places))*(1+1e-9))
			}
			require.Equal(t, hundred, sum)
		}
	}
}

func TestRound100GivesTiesToTheEarlier(t *testing.T) {
	units := func(shares []float64, places uint8) (out []string) {
		got, err := estimate.Round100(shares, places)
		require.NoError(t, err)
		for _, d := range got {
			out = append(out, d.String())
		}
		return out
	}
	third := 100.0 / 3
	assert.Equal(t, []string{"33.4", "33.3", "33.3"}, units([]float64{third, third, third}, 1))
	assert.Equal(t, []string{"13", "13", "13", "13", "12", "12", "12", "12"}, units([]float64{12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5}, 0))
	assert.Equal(t, []string{"0.0", "100.0"}, units([]float64{0, 100}, 1))
	assert.Equal(t, []string{"0.1", "99.9"}, units([]float64{0.06, 99.94}, 1))
	assert.Equal(t, []string{"30", "70"}, units([]float64{29.999999999999996, 70}, 0))
}

func TestRound100RefusesWhatIsNot100(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		shares  []float64
		places  uint8
		wantErr string
	}{
		{nil, 1, "shares: got a total that is not 100; pass all shares of one denominator"},
		{[]float64{50, 49}, 1, "shares: got a total that is not 100; pass all shares of one denominator"},
		{[]float64{101, -1}, 1, "shares[0]: got a number outside [0, 100]; pass display values"},
		{[]float64{100, nan}, 1, "shares[1]: got a number outside [0, 100]; pass display values"},
		{[]float64{100}, 10, "places: got 10, want at most 9"},
	} {
		_, err := estimate.Round100(tc.shares, tc.places)
		assert.EqualError(t, err, tc.wantErr)
	}
}

func TestIntervalsAreQuotableByTheirHalfWidth(t *testing.T) {
	i := estimate.Interval{Low: 10, High: 14}
	assert.True(t, estimate.Quotable(i, 2))
	assert.False(t, estimate.Quotable(i, 1.99))
	assert.Equal(t, estimate.Interval{Low: 9, High: 14}, i.Including(9))
	assert.False(t, i.Contains(9.99))
	low, high := estimate.Interval{Low: 10.01, High: 13.99}.Decimals(1)
	assert.Equal(t, "10.0", low.String())
	assert.Equal(t, "14.0", high.String())
}
