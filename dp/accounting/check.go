// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"fmt"
	"math"
)

const (
	// minLoss and maxLoss bound sensitivity over scale. Below, a mechanism costs less than any budget can
	// count; above, it promises nothing.
	minLoss, maxLoss = 1e-15, 1e3
	// maxTimes bounds the number of draws in a composition, so that errors that grow with it stay small.
	maxTimes = int64(1) << 30
	// maxParts bounds the number of different mechanisms, and with it time and memory.
	maxParts = 4096
)

// positive returns an error unless x is a number above 0 that is not infinite.
func positive(path string, x float64, fix string) error {
	if !(x > 0) || math.IsInf(x, 1) {
		return fmt.Errorf("%s: got %g, want a positive finite number; %s", path, x, fix)
	}
	return nil
}

func checkLoss(path string, loss float64) error {
	if !(loss >= minLoss && loss <= maxLoss) {
		return fmt.Errorf("%s: got sensitivity/scale = %g, want %g to %g; check that both are in the same unit, and that a share of a budget is not tiny", path, loss, minLoss, maxLoss)
	}
	return nil
}

func checkDelta(delta float64) error {
	if !(delta >= 0 && delta < 1) {
		return fmt.Errorf("delta: got %g, want 0 ≤ δ < 1; 1e-9 is usual", delta)
	}
	return nil
}

func checkEpsilon(epsilon float64) error {
	if !(epsilon >= 0) || math.IsInf(epsilon, 1) {
		return fmt.Errorf("epsilon: got %g, want a finite number of at least 0", epsilon)
	}
	return nil
}

func checkTimes(times int64) error {
	if times < 1 || times > maxTimes {
		return fmt.Errorf("times: got %d, want 1 to %d; a mechanism that is run on l0 groups counts l0 times", times, maxTimes)
	}
	return nil
}

// up returns the next float64 above x, which covers one correctly rounded operation.
func up(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }

// down returns the next float64 below x.
func down(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

// minimize returns where in [low, high] f is least, to about 1e-6 of the interval, and its value there,
// by golden section. f must fall and then rise; where it does not, the value is still one that f takes.
func minimize(low, high float64, f func(float64) float64) (x, value float64) {
	const ratio = 0.6180339887498949
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	fa, fb := f(a), f(b)
	for range 30 {
		if fa <= fb {
			high, b, fb = b, a, fa
			a = high - ratio*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + ratio*(high-low)
			fb = f(b)
		}
	}
	if fa <= fb {
		return a, fa
	}
	return b, fb
}
