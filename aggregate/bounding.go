// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math/bits"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/dp/estimate"
)

// Bounding says how many people have more records than a contribution bound lets count. It is an
// estimate from noisy numbers that are charged like any other.
type Bounding struct {
	// Bound is max_partitions, max_per_partition or max_contributions, and Limit what the release says of it.
	Bound string `json:"bound"`
	Limit int64  `json:"limit"`
	// People is the percentage of the table's people who have more, with its 95 % interval. They are nothing
	// where the table has too few people to tell.
	People Number `json:"people_above"`
	Low    Number `json:"ci_low"`
	High   Number `json:"ci_high"`
	// Warning is set where that is more than a few: numbers of the table are then visibly below what the
	// records say.
	Warning bool `json:"warning"`
	// Text says the same in words.
	Text string `json:"text"`
}

// warnFrom is the percentage of people, at the low end of the interval, from which there is a warning.
const warnFrom = 5.0

// boundings returns the bounds that can take something from a person of the table, as bits of the engine's.
func (t *compiledTable) boundings() (mask int) {
	if t.single {
		return 0
	}
	for _, d := range t.dims {
		if t.given.MaxPartitions > 0 && !d.person() {
			mask |= engine.OverPartitions
		}
	}
	if t.given.MaxContributions > 0 {
		mask |= engine.OverContributions
	}
	for _, d := range t.draws {
		if t.given.MaxPerPartition > 0 && d.Statistic != string(CountVisitors) && d.Statistic != totalVisitors && d.Statistic != bounding {
			mask |= engine.OverPerPartition
		}
	}
	return mask
}

// bounding draws how many people are in each of the sets of bounds that took something from them, of which
// a person is in one, and estimates what each bound took.
func (p *publisher) bounding() ([]Bounding, error) {
	mask := p.t.boundings()
	if mask == 0 {
		return nil, nil
	}
	noise := p.t.calibrated.Noise[len(p.t.draws)-1]
	var exact, noisy [engine.Overs]int64
	for took, n := range p.bounded {
		exact[took&mask] += n
	}
	for took := range noisy {
		if took&^mask != 0 {
			continue
		}
		var err error
		if noisy[took], err = p.m.AddNoise(p.site(bounding, tookNames[took]), noise, exact[took]); err != nil {
			return nil, err
		}
	}
	draws := 1 << (bits.OnesCount(uint(mask)) - 1) // that are added up on either side
	var out []Bounding
	for _, bit := range []int{engine.OverPartitions, engine.OverPerPartition, engine.OverContributions} {
		if mask&bit == 0 {
			continue
		}
		out = append(out, p.t.estimateBounding(bit, noisy, float64(draws)*float64(noise.Quantile(alpha/2/float64(draws)))))
	}
	return out, nil
}

// tookNames name the cells of the draw.
var tookNames = [engine.Overs]string{
	"", "max_partitions", "max_per_partition", "both", "max_contributions", "max_partitions and max_contributions",
	"max_per_partition and max_contributions", "all",
}

// estimateBounding makes a share of the people that a bound took something from. Their number is off by at
// most reach, and so is that of the others, with the confidence of an interval together: the share's interval
// follows from the ends of both.
func (t *compiledTable) estimateBounding(bit int, noisy [engine.Overs]int64, reach float64) Bounding {
	b := Bounding{Bound: "max_partitions", Limit: t.l0}
	switch bit {
	case engine.OverPerPartition:
		b.Bound, b.Limit = "max_per_partition", t.Bounds.MaxPerPartition
	case engine.OverContributions:
		b.Bound, b.Limit = "max_contributions", t.Bounds.MaxContributions
	}
	var over, rest float64
	for took, n := range noisy {
		if took&bit != 0 {
			over += float64(n)
		} else {
			rest += float64(n)
		}
	}
	share := func(over, rest float64) float64 {
		over, rest = max(over, 0), max(rest, 0)
		return 100 * over / (over + rest)
	}
	if over+rest <= 2*reach {
		b.Text = "the table has too few people to tell how many of them have more than " + b.counted()
		return b
	}
	interval := estimate.Interval{Low: share(over-reach, rest+reach), High: share(over+reach, rest-reach)}
	display := estimate.RoundDecimal(share(over, rest), displayPlaces)
	low, high := interval.Including(display.Float64()).Decimals(displayPlaces)
	b.People, b.Low, b.High = known(display), known(low), known(high)
	b.Warning = low.Float64() >= warnFrom
	b.Text = fmt.Sprintf("%s %% of the people (%s–%s) have more than %s", b.People, b.Low, b.High, b.counted())
	if b.Warning {
		b.Text += ": " + b.below()
	}
	return b
}

func (b *Bounding) counted() string {
	switch b.Bound {
	case "max_partitions":
		return fmt.Sprintf("the %s in which a person counts", number(b.Limit, "group"))
	case "max_contributions":
		return fmt.Sprintf("the %s that count in all groups, of those that the other bounds leave", number(b.Limit, "record"))
	}
	return fmt.Sprintf("the %s that count in a group", number(b.Limit, "record"))
}

// below says which statistics a bound lowers.
func (b *Bounding) below() string {
	if b.Bound == "max_partitions" {
		return "numbers of people, events and sums are below what the records say"
	}
	return "events and sums are below what the records say"
}

// warn makes a number unreliable where what bounding, or a clamp that was found, is known to take is more than the
// noise. Who has more than n groups or records loses at least one in n + 1; how many more is not known.
func (c *compiled) warn(t *compiledTable, rows []Row, took []Bounding) {
	var ofGroups, ofRecords float64
	for _, b := range took {
		loss := b.Low.Float64() / 100 / float64(b.Limit+1)
		if b.Bound == "max_partitions" {
			ofGroups = loss
		} else {
			ofRecords += loss
		}
	}
	ofClamps := c.takes(t)
	if ofGroups+ofRecords == 0 && len(ofClamps) == 0 {
		return
	}
	losses := map[string]float64{}
	for _, s := range t.stats {
		switch s.Kind {
		case CountVisitors:
			losses[s.Name()] = ofGroups
		case CountEvents, SumOf:
			losses[s.Name()] = ofGroups + ofRecords + ofClamps[s.Of]
		case MeanOf:
			losses[s.Name()] = ofClamps[s.Of]
		case RateOf:
			losses[s.Name()] = ofRecords + ofClamps[s.Of]
		}
	}
	for i := range rows {
		r := &rows[i]
		loss := losses[r.Statistic] * max(r.Display.Float64(), -r.Display.Float64())
		if r.Status == Normal && loss > (r.High.Float64()-r.Low.Float64())/2 {
			r.Status = Unreliable
		}
	}
}
