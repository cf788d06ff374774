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
	// L1 is the most that one privacy unit changes the values of all groups together, where that is less than
	// L0·Sensitivity; 0 otherwise.
	L1 float64
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
	// Once is set where Laplace noise is charged as one draw on a number that changes by the item's L1, and not
	// as L0 draws on numbers that change by its Sensitivity.
	Once bool
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
// With ZCDP and PLD an item's standard deviation is in proportion to its l2 sensitivity over Weight, with Basic its ε
// is in proportion to Weight, and δ is shared equally by the Gaussians. Where kinds are free, all-Laplace,
// all-Gaussian and splits between them by what Gaussian noise gains are tried.
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
		if item.L1 != 0 && !(item.L1 >= item.Sensitivity && item.L1 <= item.Sensitivity*float64(item.L0)) {
			fault("items[%d].l1: got %g, want at least the sensitivity and at most l0 times as much; leave it out where groups change independently", i, item.L1)
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
		change, times := item.Sensitivity, item.L0
		if n.Once {
			change, times = item.L1, 1
		}
		e, err := Laplace(n.Scale, change)
		if err != nil {
			return c, err
		}
		return c.Add(e, times)
	}
	e, err := Gaussian(n.Scale, item.l2())
	if err != nil {
		return c, err
	}
	return c.Add(e, 1)
}

// l2 is the item's l2 sensitivity, rounded up.
func (i Item) l2() float64 { return L2(i.L0, i.Sensitivity, i.L1) }

// L2 returns the largest l2 norm of l0 numbers of which each is at most lInf and all are l1 together, rounded up; an
// l1 of 0 stands for l0·lInf. Squares grow most where they are largest, so that it is that of as many numbers of
// lInf as l1 has room for, and one of what is left.
func L2(l0 int64, lInf, l1 float64) float64 {
	full, rest := float64(l0), 0.0
	if l1 > 0 {
		rest = math.Mod(l1, lInf)
		if n := math.Round((l1 - rest) / lInf); n < full {
			full = n
		} else {
			rest = 0
		}
	}
	if rest > 0 {
		part := up(rest / lInf)
		full = up(full + up(part*part))
	}
	if full == 1 {
		return lInf
	}
	return up(lInf * up(math.Sqrt(full)))
}

// gain is how many times the l1 sensitivity is larger than the l2 sensitivity, squared: L0 where groups change
// independently. It tells how much Gaussian noise gains over Laplace noise.
func (i Item) gain() float64 {
	if i.L1 == 0 {
		return float64(i.L0)
	}
	ratio := i.L1 / i.l2()
	return ratio * ratio
}

// laplace is Laplace noise on the item, charged in the way that costs less: of ε by basic composition, and otherwise
// of ρ.
func (i Item) laplace(scale float64, m Method) Noise {
	once := i.L1 > 0
	if m != Basic {
		once = once && i.L1*i.L1 <= float64(i.L0)*i.Sensitivity*i.Sensitivity
	}
	return Noise{Kind: LaplaceNoise, Scale: scale, StdDev: scale * math.Sqrt2, Once: once}
}

func gaussianNoise(sigma float64) Noise {
	return Noise{Kind: GaussianNoise, Scale: sigma, StdDev: sigma}
}

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
