// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp/estimate"
)

// Clamping says what a clamp that was found takes, by the noisy numbers by which it was found. What the few people whose
// values come to most would lose may not show in them.
type Clamping struct {
	Value string `json:"value"`
	// Clamp is what was found, in the value's unit.
	Clamp []string `json:"clamp"`
	// Percent is about how much of what the policy's clamp lets count this one takes, and AtLeast what is left of that
	// without two standard deviations of its noise.
	Percent Number `json:"percent_beyond"`
	AtLeast Number `json:"at_least"`
	// Warning is set where that is more than a little.
	Warning bool `json:"warning"`
	// Text says the same in words.
	Text string `json:"text"`
}

// clampings says what the clamps that were found take. Nothing is drawn for it.
func (c *compiled) clampings(t *compiledTable, s survey) (all []Clamping) {
	for n, k := range t.auto.clamps {
		all = append(all, c.clamping(t, k, s.clamps[n]))
	}
	return all
}

func (c *compiled) clamping(t *compiledTable, k autoClamp, s clampSurvey) Clamping {
	found, cut := c.clampIn(t, k.value), t.narrowed[k.value]
	out := Clamping{Value: k.value, Clamp: c.clampEnds(k.value, found)}
	part := func(beyond float64) estimate.Decimal {
		return estimate.RoundDecimal(100*min(max(beyond/s.all(), 0), 1), displayPlaces)
	}
	out.Percent, out.AtLeast = known(part(s.beyond(cut))), known(part(s.beyond(cut)-2*s.deviation(cut)))
	out.Warning = out.AtLeast.Float64() >= warnFrom
	what, anchor := "what the values of "+k.value+" come to", c.valueText(k.value, engine.Anchor(found))
	if anchor != "0" {
		what = "how far the values of " + k.value + " are from " + anchor
	}
	out.Text = fmt.Sprintf("about %s %% of %s (at least %s %%) is outside the clamp that was found, %s",
		out.Percent, what, out.AtLeast, c.clampText(k.value, found))
	if out.Warning {
		out.Text += ": sums, means and rates of it are nearer to " + anchor + " than the records say"
	}
	return out
}

// deviation is the standard deviation of the noise of beyond.
func (s *clampSurvey) deviation(clamps int) float64 {
	var squares float64
	for row := range s.rows {
		squares += amount(row) * amount(row)
	}
	return s.sd * math.Sqrt(squares*float64(clamps))
}

// takes returns the part of a value's sums that a clamp which was found is known to take. Where values are counted from
// another than 0 it is not known of the sum.
func (c *compiled) takes(t *compiledTable) map[string]float64 {
	losses := map[string]float64{}
	if t.auto == nil {
		return losses
	}
	for _, k := range t.auto.clamping {
		if engine.Anchor(c.clampIn(t, k.Value)) == 0 {
			losses[k.Value] = k.AtLeast.Float64() / 100
		}
	}
	return losses
}
