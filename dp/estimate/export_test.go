// SPDX-License-Identifier: Apache-2.0

package estimate

// Quantile returns the tabulated quantile of |u·A + v·B|: for tests of the numerics alone.
func Quantile(a, b Law, u, v, level float64) float64 {
	w := weights{u, v}
	return newPair(a, b).quantile(level, w, w, 0)
}

// RoundLevel is roundLevel.
func RoundLevel(level, selection float64) float64 { return roundLevel(level, selection) }
