// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"github.com/throngdp/throng/dp/estimate"
)

// Confidence is the coverage of every interval in a Result. An interval covers the noise; it leaves
// out what bounding, clamping and exclusion took away.
const Confidence = 0.95

// Status says how a row is to be read. The codes are those of SDMX's CL_OBS_STATUS.
type Status string

// The statuses.
const (
	// Normal: the value may be quoted.
	Normal Status = "A"
	// Unreliable: the interval is wide, or contribution bounds took more than the noise can hide; quote it
	// only together with the interval and with what the table's Bounding and Clamping say.
	Unreliable Status = "U"
	// Withheld: suppressed, by a rule on noisy numbers or by partition selection.
	Withheld Status = "Q"
)

// Result is what a run released. It holds noisy numbers and what was computed from them, and nothing
// else.
type Result struct {
	Plan   *Plan         `json:"plan"`
	Tables []ResultTable `json:"tables"`
	// Recorded is false where nothing durable was charged, as by a [MemoryCharger]: every run then spends
	// again.
	Recorded bool `json:"recorded"`
}

// ResultTable is one table in long form: one row per group and statistic, ordered by the bytes of
// the groups and then as the release lists the statistics.
type ResultTable struct {
	Name       string   `json:"name"`
	Dimensions []string `json:"dimensions"`
	// Bounding says what the table's contribution bounds took, one entry for each bound.
	Bounding []Bounding `json:"bounding,omitempty"`
	// Clamping says what the clamps that were found take.
	Clamping []Clamping `json:"clamping,omitempty"`
	Rows     []Row      `json:"rows"`
}

// Row is one published number, or the notice that it is withheld.
type Row struct {
	// Group has one label per dimension. In rows of a total, which shares are divided by, dimensions
	// that are summed over are empty.
	Group     []string `json:"group"`
	Statistic string   `json:"statistic"`
	Unit      string   `json:"unit"`
	// Value is the noisy number as drawn: it may be negative, and it is the one to compute with.
	Value Number `json:"value"`
	// Display is the number to quote. Displays of totals equal the sums of their parts where the plan says so:
	// they and the interval then come from all numbers that add up together, and Value from this one alone.
	Display Number `json:"display"`
	// Low and High are the ends of the 95 % interval. The intervals of the shares of one whole hold
	// together with that confidence, all others each by itself.
	Low    Number `json:"ci_low"`
	High   Number `json:"ci_high"`
	Status Status `json:"obs_status"`
}

// Number is a decimal number, or nothing. The zero value is nothing.
type Number struct {
	Decimal estimate.Decimal
	Known   bool
}

func known(d estimate.Decimal) Number { return Number{d, true} }

// String returns the number in plain digits, empty where there is none.
func (n Number) String() string {
	if !n.Known {
		return ""
	}
	return n.Decimal.String()
}

// Float64 returns the number, 0 where there is none.
func (n Number) Float64() float64 {
	if !n.Known {
		return 0
	}
	return n.Decimal.Float64()
}

// MarshalJSON returns the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known {
		return []byte("null"), nil
	}
	return []byte(n.Decimal.String()), nil
}
