// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"math"

	"github.com/throngdp/throng/dp"
)

// Kind is the law of an item's noise. The zero value leaves the choice to [Calibrate].
type Kind uint8

const (
	// AnyNoise is Laplace or Gaussian noise, whichever is smaller.
	AnyNoise Kind = iota
	// LaplaceNoise is Laplace noise on each group.
	LaplaceNoise
	// GaussianNoise is Gaussian noise on each group.
	GaussianNoise
)

// String returns "laplace", "gaussian" or "any".
func (k Kind) String() string {
	switch k {
	case LaplaceNoise:
		return "laplace"
	case GaussianNoise:
		return "gaussian"
	}
	return "any"
}

// Item is one statistic that needs noise. The zero value is refused.
type Item struct {
	// Kind is the law that may be used.
	Kind Kind
	// Sensitivity is the most that one privacy unit changes the statistic's value in one group, in the unit
	// of the value. Required.
	Sensitivity float64
	// L0 is the most groups that one privacy unit counts in; 1 where there are no groups. Required.
	L0 int64
	// Weight is the statistic's share of the budget: of two alike, one of twice the weight gets half the
	// noise. Required, 1 to 1,000,000.
	Weight int64
}

// Noise is what an item got.
type Noise struct {
	// Kind is LaplaceNoise or GaussianNoise.
	Kind Kind
	// Scale is Laplace's b or Gaussian's σ, for each group, in the unit of the value. Rounded up.
	Scale float64
	// StdDev is the standard deviation: b·√2 or σ. Rounding to integers adds 1/12 to its square.
	StdDev float64
}

// Plan is a calibration. Its slice belongs to the caller.
type Plan struct {
	// Method is the accounting under which the noise suffices.
	Method Method
	// Noises has one entry per item, in the items' order.
	Noises []Noise
	// Composition is what is run: the fixed charges and the noise.
	Composition Composition
	// Epsilon is the composition's ε at the target's δ, by Method: never above the target's, and below it
	// by at most 0.1 %.
	Epsilon float64
	// Cost is the weighted mean over items of StdDev/Sensitivity, by which plans are compared.
	Cost float64
}

const maxItems, maxWeight = 1000, 1_000_000

// worthwhile is the part of the cost that a method has to save over those before it.
const worthwhile = 4e-3

// Calibrate returns the least noise for items with which everything, fixed charges included, is
// (ε, δ)-differentially private for the target. It tries the methods given, all where none is, and returns the
// plan of least cost. A later method has to save 0.4 % of it: its plans promise less that is easy to check.
//
// With ZCDP and PLD an item's standard deviation is in proportion to Sensitivity·√L0/Weight, with Basic its ε
// is in proportion to Weight, and δ is shared equally by the Gaussians. Where kinds are free, all-Laplace,
// all-Gaussian and splits between them by L0 are tried.
//
// It returns all faults of its arguments at once, and an error where fixed alone exceeds the target, or
// where no method can do it: Laplace alone can do with δ = 0, by Basic. The scales are rounded up. It takes
// milliseconds; time grows with the number of different items.
func Calibrate(target dp.Spend, items []Item, fixed Composition, methods ...Method) (Plan, error) {
	if err := checkCalibrate(target, items); err != nil {
		return Plan{}, err
	}
	if len(methods) == 0 {
		methods = []Method{Basic, ZCDP, PLD}
	}
	s := &search{target: target, epsilon: target.Epsilon.Float(), delta: target.Delta.Float(), items: items, fixed: fixed}
	var best Plan
	var errs []error
	for _, m := range methods {
		s.method = m
		plan, err := s.plan()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m, err))
			continue
		}
		if best.Noises == nil || plan.Cost < best.Cost*(1-worthwhile) {
			best = plan
		}
	}
	if best.Noises == nil {
		return Plan{}, errors.Join(errs...)
	}
	return best, nil
}

func checkCalibrate(target dp.Spend, items []Item) error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !target.IsSet() {
		fault("target: got %s, want both ε and δ; write δ = 0 for pure differential privacy", target)
	} else if err := errors.Join(target.Epsilon.Check(), target.Delta.Check()); err != nil {
		fault("target: got %s, %w", target, err)
	}
	if len(items) < 1 || len(items) > maxItems {
		fault("items: got %d, want 1 to %d; calibrate them in several releases", len(items), maxItems)
	}
	for i, item := range items[:min(len(items), maxItems)] {
		if item.Kind > GaussianNoise {
			fault("items[%d].kind: got %d, want AnyNoise, LaplaceNoise or GaussianNoise", i, item.Kind)
		}
		if err := positive(fmt.Sprintf("items[%d].sensitivity", i), item.Sensitivity, "bound what one privacy unit adds"); err != nil {
			errs = append(errs, err)
		}
		if item.L0 < 1 || item.L0 > maxTimes/maxItems {
			fault("items[%d].l0: got %d, want 1 to %d; bound the groups that one privacy unit counts in", i, item.L0, maxTimes/maxItems)
		}
		if item.Weight < 1 || item.Weight > maxWeight {
			fault("items[%d].weight: got %d, want 1 to %d; 1 for each gives equal shares", i, item.Weight, maxWeight)
		}
	}
	return errors.Join(errs...)
}

// search looks for one method's plan.
type search struct {
	target         dp.Spend
	epsilon, delta float64 // rounded down
	items          []Item
	fixed          Composition
	method         Method
}

func (s *search) plan() (Plan, error) {
	if s.method == Basic {
		return s.basic()
	}
	if s.delta == 0 {
		return Plan{}, errors.New("target: got δ = 0, want a positive one; only basic composition of Laplace noise can do with none")
	}
	used, err := s.fixed.Epsilon(s.method, s.delta)
	if err != nil {
		return Plan{}, fmt.Errorf("fixed: %w", err)
	}
	if used >= s.epsilon {
		return Plan{}, s.errFixed(fmt.Sprintf("%.6g", used))
	}
	return s.shared()
}

func (s *search) errFixed(used string) error {
	return fmt.Errorf("fixed: got charges of ε = %s, want less than the target's %s; spend less on them, or raise the target", used, s.target.Epsilon)
}

// finish makes a plan of a composition that has been found to be within the target.
func (s *search) finish(c Composition, epsilon float64, noises []Noise) Plan {
	var sum, weights float64
	for i, item := range s.items {
		sum += float64(item.Weight) * noises[i].StdDev / item.Sensitivity
		weights += float64(item.Weight)
	}
	return Plan{Method: s.method, Noises: noises, Composition: c, Epsilon: epsilon, Cost: sum / weights}
}

// add takes noise on an item into a composition.
func (n Noise) add(c Composition, item Item) (Composition, error) {
	if n.Kind == LaplaceNoise {
		e, err := Laplace(n.Scale, item.Sensitivity)
		if err != nil {
			return c, err
		}
		return c.Add(e, item.L0)
	}
	e, err := Gaussian(n.Scale, item.l2())
	if err != nil {
		return c, err
	}
	return c.Add(e, 1)
}

// l2 is the item's l2 sensitivity, rounded up.
func (i Item) l2() float64 {
	if i.L0 == 1 {
		return i.Sensitivity
	}
	return up(i.Sensitivity * up(math.Sqrt(float64(i.L0))))
}

func laplaceNoise(scale float64) Noise { return Noise{LaplaceNoise, scale, scale * math.Sqrt2} }

func gaussianNoise(sigma float64) Noise { return Noise{GaussianNoise, sigma, sigma} }

// compose is the fixed charges and one noise per item.
func (s *search) compose(noises []Noise) (Composition, error) {
	c := s.fixed
	for i, item := range s.items {
		var err error
		if c, err = noises[i].add(c, item); err != nil {
			return c, fmt.Errorf("items[%d]: %w", i, err)
		}
	}
	return c, nil
}
