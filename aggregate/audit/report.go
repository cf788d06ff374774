// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"slices"
)

// Format names the layout of a Report as JSON.
const Format = "throng-audit/1"

// Report is what an audit found. It holds made-up records' groups and counts at most, and nothing of them in
// its texts.
type Report struct {
	Format     string `json:"format"`
	Population string `json:"population"`
	Release    string `json:"release"`
	// Claim is what the release says that it costs.
	Claim Claim `json:"claim"`
	// Pairs is how many pairs of neighbouring worlds were compared.
	Pairs  int     `json:"pairs"`
	Checks []Check `json:"checks"`
	Bounds []Bound `json:"bounds"`
	// Unseen lists draws of the plan that no world reached, as table.statistic: nothing was checked of them.
	Unseen []string `json:"unseen"`
	// Violated is true where a check or a bound failed.
	Violated bool `json:"violated"`
}

// Claim is an (ε, δ) pair and the theorem by which the parts add up to it.
type Claim struct {
	Epsilon     string `json:"epsilon"`
	Delta       string `json:"delta"`
	Composition string `json:"composition"`
}

// Check is a rule that holds exactly.
type Check struct {
	Name string `json:"name"`
	// Compared says what was held against what.
	Compared string `json:"compared"`
	// Count is how many single comparisons were made.
	Count  int  `json:"count"`
	Passed bool `json:"passed"`
	// Faults are the first few, in words.
	Faults []string `json:"faults,omitempty"`
}

// maxFaults is how many faults of one check are told.
const maxFaults = 8

// require counts a comparison and keeps a fault where it does not hold.
func (c *Check) require(ok bool, format string, args ...any) bool {
	c.Count++
	if ok {
		return true
	}
	c.Passed = false
	if fault := fmt.Sprintf(format, args...); len(c.Faults) < maxFaults && !slices.Contains(c.Faults, fault) {
		c.Faults = append(c.Faults, fault)
	}
	return false
}

// Bound is a test on samples. It fails where the samples refute the claim at Alpha.
type Bound struct {
	// Statistic is table.statistic, or the release's name for all of them together.
	Statistic string `json:"statistic"`
	// Measure is epsilon, mu, scale (the share of noise beyond a quantile) or keep_rate (how often one person
	// shows a group).
	Measure string `json:"measure"`
	Event   string `json:"event"`
	// Samples is the number of draws that were tested on each side.
	Samples int64   `json:"samples"`
	Alpha   float64 `json:"alpha"`
	// Bound is the lower bound of the measure (the upper one of scale), Claim what it may be at most (at
	// least).
	Bound  float64 `json:"bound"`
	Claim  float64 `json:"claim"`
	Passed bool    `json:"passed"`
}
