// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"fmt"
	"sync"

	"github.com/throngdp/throng/dp"
)

// Charge is what a release spends, on whose budget, and who is told.
type Charge struct {
	Population, Release, Snapshot string
	Recipient, Purpose            string
	Period                        Period
	// Unit is what is protected: person, person-day, person-week or record. Spends for one are not added to those for
	// another: ε for each day is up to n·ε for a person who has records on n.
	Unit string
	// Spend is what the release costs, Budget what the policy allows the population in all.
	Spend, Budget dp.Spend
	// Plan is the text of the plan that will be carried out.
	Plan string
}

// Charger records charges. Run calls it once, when all data has been read and before the first noise
// is drawn; if it returns an error nothing is drawn. A charge is never taken back.
type Charger interface {
	Charge(ctx context.Context, c Charge) error
}

// MemoryCharger keeps charges until the process ends and refuses what exceeds a population's budget.
// It forgets everything afterwards, so that the next process spends again. It adds charges up by
// basic composition, exactly, for each privacy unit by itself. The zero value is ready; it is safe for concurrent use.
type MemoryCharger struct {
	mu    sync.Mutex
	spent map[account]dp.Spend
}

// account is what is added up together.
type account struct{ population, unit string }

// Charge adds a charge, or returns an error that wraps [dp.ErrBudgetExhausted] and adds nothing.
func (m *MemoryCharger) Charge(_ context.Context, c Charge) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	on := account{c.Population, c.Unit}
	total := m.spent[on].Add(c.Spend)
	if !total.Within(c.Budget) {
		return fmt.Errorf("charging %s for population %s, whose budget is %s: %w", c.Spend, c.Population, c.Budget, dp.ErrBudgetExhausted)
	}
	if m.spent == nil {
		m.spent = map[account]dp.Spend{}
	}
	m.spent[on] = total
	return nil
}

// Spent returns what a population has been charged for a privacy unit.
func (m *MemoryCharger) Spent(population, unit string) dp.Spend {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent[account{population, unit}].Add(dp.Spend{})
}
