// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// entry makes part of a composition; see compose.
type entry struct {
	event accounting.Event
	err   error
	times int64
}

func lap(b float64, times int64) entry {
	e, err := accounting.Laplace(b, 1)
	return entry{e, err, times}
}

func gauss(sigma float64, times int64) entry {
	e, err := accounting.Gaussian(sigma, 1)
	return entry{e, err, times}
}

func approx(epsilon, delta string, times int64) entry {
	e, err := accounting.Approx(dp.MustApprox(epsilon, delta))
	return entry{e, err, times}
}

func pure(epsilon string, times int64) entry { return approx(epsilon, "0", times) }

func compose(t testing.TB, entries ...entry) accounting.Composition {
	t.Helper()
	var c accounting.Composition
	for _, e := range entries {
		require.NoError(t, e.err)
		var err error
		c, err = c.Add(e.event, e.times)
		require.NoError(t, err)
	}
	return c
}

// golden are compositions with their exact ε, or a lower bound of it where no exact value is known
// (testdata/README.md).
var golden = []struct {
	name  string
	of    []entry
	delta float64
	want  float64
}{
	{"G1", []entry{gauss(1, 1)}, 1e-5, 4.37717809568},
	{"G2", []entry{gauss(2, 1)}, 1e-6, 2.25408465022},
	{"G3", []entry{gauss(5, 10)}, 1e-6, 2.92160059043},
	{"G4", []entry{gauss(10, 100)}, 1e-6, 4.88655411746},
	{"G5", []entry{gauss(10, 1000)}, 1e-5, 17.8565868301},
	{"G7", []entry{gauss(1, 30)}, 1e-5, 37.622456931},
	{"L1", []entry{lap(1, 1)}, 1e-5, 0.9999799999},
	{"L2", []entry{lap(2, 1)}, 0.1, 0.289278968684},
	{"L3", []entry{lap(10, 2)}, 1e-5, 0.19996},
	{"L4", []entry{lap(1, 2)}, 1e-3, 1.99599999734},
	{"L5", []entry{lap(10, 10)}, 1e-6, 0.99897808944722},
	{"L6", []entry{lap(10, 100)}, 1e-6, 4.6926456},
	{"L8", []entry{lap(100, 1000)}, 1e-9, 1.7740918},
	{"M1", []entry{lap(1, 1), gauss(2, 1)}, 1e-6, 3.18390372466},
	{"M2", []entry{lap(2, 1), gauss(5, 10)}, 1e-6, 3.3351600192},
	{"M3", []entry{lap(10, 1), gauss(10, 100)}, 1e-5, 4.40098033459},
	{"M4", []entry{lap(.5, 1), gauss(4, 1)}, 1e-8, 3.26125965553},
	{"M6", []entry{lap(2, 5), gauss(20, 30)}, 1e-6, 3.4540130},
	{"K1", []entry{pure("0.1", 10)}, 1e-6, 0.999370905722},
	{"K2", []entry{pure("0.1", 100)}, 1e-6, 4.77456758811},
	{"K3", []entry{pure("0.5", 20)}, 1e-5, 9.85941102412},
	{"A1", []entry{approx("0.05", "1e-7", 20)}, 1e-5, 0.783394747530593},
	{"A2", []entry{approx("0.05", "1e-7", 20)}, 3e-6, 0.872281892284361},
	{"S1", []entry{approx("0.1", "1e-8", 5), lap(2, 1), gauss(3, 1)}, 1e-6, 2.17302924265228},
}

func TestAttackL14PLDAgainstGoldenValues(t *testing.T) {
	for _, tt := range golden {
		got, err := compose(t, tt.of...).Epsilon(accounting.PLD, tt.delta)
		if assert.NoError(t, err, tt.name) {
			assert.GreaterOrEqual(t, got, tt.want-1e-12*tt.want, tt.name)
			assert.LessOrEqual(t, got, 1.01*tt.want+1e-3, tt.name)
		}
	}
}
