// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"fmt"
	"log"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// What twenty counts cost, of which each is noisy in the three groups that a person may be in.
func ExampleComposition() {
	noise, err := accounting.Laplace(60, 1)
	if err != nil {
		log.Fatal(err)
	}
	counts, err := accounting.Composition{}.Add(noise, 20*3)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range []accounting.Method{accounting.Basic, accounting.ZCDP, accounting.PLD} {
		epsilon, err := counts.Epsilon(m, 1e-9)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: ε = %.3f\n", m, epsilon)
	}
	// Output:
	// basic: ε = 1.000
	// zcdp: ε = 0.735
	// pld: ε = 0.665
}

// The least noise for twenty counts, beside a selection of groups that is charged on its own.
func ExampleCalibrate() {
	// Selection over three groups is three equal parts.
	spend := dp.MustApprox("0.06", "1e-10")
	selection, err := accounting.Approx(dp.Spend{Epsilon: spend.Epsilon.Part(1, 3), Delta: spend.Delta.Part(1, 3)})
	if err != nil {
		log.Fatal(err)
	}
	fixed, err := accounting.Composition{}.Add(selection, 3)
	if err != nil {
		log.Fatal(err)
	}
	items := make([]accounting.Item, 20)
	for i := range items {
		items[i] = accounting.Item{Sensitivity: 1, L0: 3, Weight: 1}
	}
	plan, err := accounting.Calibrate(dp.MustApprox("1", "1e-9"), items, fixed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, σ = %.1f\n", plan.Method, plan.Noises[0].Kind, plan.Noises[0].Scale)
	// Output:
	// pld: gaussian, σ = 43.5
}
