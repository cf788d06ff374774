// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/accounting"
)

// thousand is 1,000 different mechanisms: noise of both kinds, and selections.
func thousand(tb testing.TB) accounting.Composition {
	var entries []entry
	for i := range 450 {
		entries = append(entries, lap(20+float64(i)/50, 1), gauss(20+float64(i)/50, 1))
	}
	for i := range 100 {
		entries = append(entries, approx(fmt.Sprintf("0.0%d", 100+i), "1e-10", 1))
	}
	return compose(tb, entries...)
}

// One query of 1,000 mechanisms must take at most a second of one core.
func BenchmarkCompose1000(b *testing.B) {
	laplaces := make([]entry, 1000)
	for i := range laplaces {
		laplaces[i] = lap(20+float64(i)/50, 1)
	}
	for name, c := range map[string]accounting.Composition{
		"different-mixed":   thousand(b),
		"different-laplace": compose(b, laplaces...),
		"alike-mixed":       compose(b, lap(30, 400), gauss(30, 400), approx("0.02", "1e-10", 200)),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := c.Epsilon(accounting.PLD, 1e-6)
				require.NoError(b, err)
			}
		})
	}
}

// Planning 20 statistics must take at most 200 ms.
func BenchmarkCalibrate20(b *testing.B) {
	for name, items := range map[string][]accounting.Item{"alike": alike(20, 3, accounting.AnyNoise), "different": uneven(20)} {
		for fixedName, fixed := range map[string]accounting.Composition{"": {}, "-with-selection": compose(b, approx("0.02", "1e-10", 5))} {
			b.Run(name+fixedName, func(b *testing.B) {
				for b.Loop() {
					calibrate(b, usual, items, fixed)
				}
			})
		}
	}
}
