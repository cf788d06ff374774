// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/throngdp/throng/dp"
)

// Odometer keeps the list of what has been run. The zero value is ready, and has run nothing. It is safe
// for concurrent use and must not be copied.
//
// It tells what was spent and stops nothing: where its reading decides what is run next, the readings by
// ZCDP and PLD are not a guarantee. That needs a [Filter].
type Odometer struct {
	mu  sync.Mutex
	run Composition
}

// Record takes in an event that happened the given number of times. Errors are those of [Composition.Add];
// after one, nothing is recorded.
func (o *Odometer) Record(e Event, times int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	next, err := o.run.Add(e, times)
	if err != nil {
		return err
	}
	o.run = next
	return nil
}

// Composition returns all that was recorded so far.
func (o *Odometer) Composition() Composition {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.run
}

// Filter lets mechanisms through as long as their sum stays within a limit. It holds even where each
// mechanism's parameters are chosen from all outputs before it, because it only adds: ε and δ (Rogers,
// Roth, Ullman and Vadhan 2016) or ρ and δ (Feldman and Zrnic 2021; Whitehouse, Ramdas, Rogers and Wu 2023). There
// is no filter by privacy loss distributions: they depend on the whole schedule, which the outputs would
// then have chosen. The zero value refuses everything. It is safe for concurrent use and must not be copied.
type Filter struct {
	mu sync.Mutex
	// Limits and sums of ε, or of ρ, and of δ; a nil limit is an unset filter.
	limit, limitDelta, spent, spentDelta *big.Rat
	rho                                  bool
}

// NewFilter limits the sums of ε and δ. Gaussian events are refused: charge one as [Approx] with the pair
// that its noise was calibrated to. It returns an error where the limit is unset.
func NewFilter(limit dp.Spend) (*Filter, error) {
	if !limit.IsSet() {
		return nil, fmt.Errorf("limit: got %s, want both ε and δ; write δ = 0 for pure mechanisms", limit)
	}
	return &Filter{limit: limit.Epsilon.Rat(), limitDelta: limit.Delta.Rat(), spent: new(big.Rat), spentDelta: new(big.Rat)}, nil
}

// NewRhoFilter limits the sums of ρ and δ. The whole is delta-approximately ρ-zero-concentrated
// differentially private; [Composition.Rho] says what an event costs. It returns an error unless ρ is positive
// and finite and delta is set.
func NewRhoFilter(rho float64, delta dp.Delta) (*Filter, error) {
	err := positive("rho", rho, "a Gaussian costs Δ²/(2σ²)")
	if !delta.IsSet() {
		err = errors.Join(err, errors.New("delta: got nothing, want the most that events may fail; write 0 for none"))
	}
	if err != nil {
		return nil, err
	}
	return &Filter{rho: true, limit: new(big.Rat).SetFloat64(rho), limitDelta: delta.Rat(), spent: new(big.Rat), spentDelta: new(big.Rat)}, nil
}

// Charge adds an event that is about to happen the given number of times. It must be called before the
// event's first random bit is drawn. An error that wraps [dp.ErrBudgetExhausted] says that the limit would be
// exceeded; after any error nothing is charged and the event must not happen.
func (f *Filter) Charge(e Event, times int64) error {
	one, err := Composition{}.Add(e, times)
	if err != nil {
		return err
	}
	cost, delta, ok := one.Sum()
	if e.drift != 0 {
		return errors.New("event: got a sampler error, which does not add up; charge the event as Approx")
	}
	if f.rho {
		rho, _ := one.Rho()
		cost = new(big.Rat).SetFloat64(rho)
	} else if !ok {
		return errors.New("event: got a Gaussian, want a pair (ε, δ); charge it as Approx, or use NewRhoFilter")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.limit == nil {
		return errors.New("filter: got an unset filter, want one made by NewFilter or NewRhoFilter")
	}
	cost.Add(cost, f.spent)
	delta.Add(delta, f.spentDelta)
	if cost.Cmp(f.limit) > 0 || delta.Cmp(f.limitDelta) > 0 {
		return fmt.Errorf("filter: the event does not fit into what is left: %w", dp.ErrBudgetExhausted)
	}
	f.spent, f.spentDelta = cost, delta
	return nil
}
