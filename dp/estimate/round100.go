// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
	"sort"
)

// Round100 rounds shares that add to 100, up to float error, so that they add to exactly 100 at the
// given number of decimal places, by largest remainder (Hamilton's method): all are rounded down,
// then those that lost most get one unit back, ties to the earlier. None moves by a whole unit, and
// equal shares differ by at most one unit.
//
// It returns an error unless there are shares, each is within [0, 100], they add to 100 within 1e-6
// and places is at most 9.
func Round100(shares []float64, places uint8) ([]Decimal, error) {
	if places > 9 {
		return nil, fmt.Errorf("places: got %d, want at most 9", places)
	}
	total := 0.0
	for i, s := range shares {
		if !(s >= 0 && s <= 100+1e-6) {
			return nil, fmt.Errorf("shares[%d]: got a number outside [0, 100]; pass display values", i)
		}
		total += s
	}
	if math.Abs(total-100) > 1e-6 {
		return nil, fmt.Errorf("shares: got a total that is not 100; pass all shares of one denominator")
	}
	power := math.Pow10(int(places))
	units := make([]Decimal, len(shares))
	rests := make([]float64, len(shares))
	left := 100 * int64(power)
	for i, s := range shares {
		floor := math.Floor(s * power)
		units[i] = Decimal{int64(floor), places}
		rests[i] = s*power - floor
		left -= int64(floor)
	}
	handOut(units, rests, left)
	return units, nil
}

// handOut gives left units to the largest rests. left is negative only where float error put the
// floors above 100; the smallest rests then give units back.
func handOut(units []Decimal, rests []float64, left int64) {
	order := make([]int, len(units))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return rests[order[a]] > rests[order[b]] })
	for i := 0; left > 0; i = (i + 1) % len(order) {
		units[order[i]].Units++
		left--
	}
	for i := len(order) - 1; left < 0; i = (i + len(order) - 1) % len(order) {
		if units[order[i]].Units > 0 {
			units[order[i]].Units--
			left++
		}
	}
}
