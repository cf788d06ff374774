// SPDX-License-Identifier: Apache-2.0

package estimate

import (
	"fmt"
	"math"
)

// Mean is an estimated mean per event, in quanta.
type Mean struct {
	// Value is the noisy sum over the noisy number of events, clipped to the clamp.
	Value float64
	// Interval holds the true mean and Value, within the clamp.
	Interval Interval
}

// MeanEstimator estimates sum/events, where every record was clamped to [Low, High] quanta, so the
// mean lies there too. It is safe for concurrent use.
type MeanEstimator struct {
	alpha   float64
	fieller *fieller
}

// NewMeanEstimator returns an estimator for sums and numbers of events with the given laws of noise.
// Both must have been drawn independently of what decided that they are shown.
func NewMeanEstimator(sum, events Law, low, high int64, alpha float64) (*MeanEstimator, error) {
	if err := checkAlpha(alpha); err != nil {
		return nil, err
	}
	if err := checkLaw("sum", sum); err != nil {
		return nil, err
	}
	if err := checkLaw("events", events); err != nil {
		return nil, err
	}
	if low > high {
		return nil, fmt.Errorf("clamp: lower %d above upper %d; swap them", low, high)
	}
	return &MeanEstimator{alpha, newMeanFieller(sum, events, float64(low), float64(high))}, nil
}

// Estimate returns the mean of a noisy sum over a noisy number of events. It returns false if the
// noisy number of events is not positive: there is then no Value, and the interval is the whole
// clamp.
func (e *MeanEstimator) Estimate(sum, events int64) (Mean, bool) {
	whole := e.fieller.whole()
	if events <= 0 {
		return Mean{Value: math.Min(math.Max(0, whole.Low), whole.High), Interval: whole}, false
	}
	x, d := float64(sum), float64(events)
	value := min(max(x/d, whole.Low), whole.High)
	i := e.fieller.intervalAround(x, d, e.alpha)
	return Mean{value, i.clip(whole.Low, whole.High).Including(value)}, true
}
