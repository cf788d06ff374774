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
// basic composition, exactly. The zero value is ready; it is safe for concurrent use.
type MemoryCharger struct {
	mu    sync.Mutex
	spent map[string]dp.Spend
}

// Charge adds a charge, or returns an error that wraps [dp.ErrBudgetExhausted] and adds nothing.
func (m *MemoryCharger) Charge(_ context.Context, c Charge) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	total := m.spent[c.Population].Add(c.Spend)
	if !total.Within(c.Budget) {
		return fmt.Errorf("charging %s for population %s, whose budget is %s: %w", c.Spend, c.Population, c.Budget, dp.ErrBudgetExhausted)
	}
	if m.spent == nil {
		m.spent = map[string]dp.Spend{}
	}
	m.spent[c.Population] = total
	return nil
}

// Spent returns what a population has been charged.
func (m *MemoryCharger) Spent(population string) dp.Spend {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent[population].Add(dp.Spend{})
}
