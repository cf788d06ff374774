// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

func alike(n int, l0 int64, kind accounting.Kind) []accounting.Item {
	items := make([]accounting.Item, n)
	for i := range items {
		items[i] = accounting.Item{Kind: kind, Sensitivity: 1, L0: l0, Weight: 1}
	}
	return items
}

func TestX(t *testing.T) {
	target := dp.MustApprox("1", "1e-9")
	for _, l0 := range []int64{1, 3, 6} {
		for _, n := range []int{2, 5, 10, 20, 50} {
			now := time.Now()
			p, err := accounting.Calibrate(target, alike(n, l0, accounting.AnyNoise), accounting.Composition{})
			require.NoError(t, err)
			el := time.Since(now)
			b, err := accounting.Calibrate(target, alike(n, l0, accounting.AnyNoise), accounting.Composition{}, accounting.Basic)
			require.NoError(t, err)
			z, err := accounting.Calibrate(target, alike(n, l0, accounting.GaussianNoise), accounting.Composition{}, accounting.ZCDP)
			require.NoError(t, err)
			fmt.Println(l0, n, p.Method, p.Noises[0], p.Epsilon, p.Cost/b.Cost, p.Cost/z.Cost, el)
		}
	}
	var mixed []accounting.Item
	for i := range 20 {
		mixed = append(mixed, accounting.Item{Sensitivity: 1 + float64(i)/3, L0: int64(1 + i), Weight: int64(1 + i%3)})
	}
	sel, err := accounting.Approx(dp.MustApprox("0.02", "1e-10"))
	require.NoError(t, err)
	var f accounting.Composition
	f, _ = f.Add(sel, 5)
	now := time.Now()
	p, err := accounting.Calibrate(target, mixed, f)
	fmt.Println(p.Method, p.Cost, p.Epsilon, err, time.Since(now))
	for _, m := range []accounting.Method{1, 2, 3} {
		now := time.Now()
		p, err := accounting.Calibrate(target, mixed, f, m)
		fmt.Println(p.Method, p.Cost, p.Epsilon, err, time.Since(now))
	}
	_ = math.Pi
}
