// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// Threshold decides from a group's noisy number of people, which is published, whether the group is
// shown: its true number must be at least K and its noisy number at least At. The zero value is
// uncalibrated and refused, and so is a Threshold whose fields were changed.
type Threshold struct {
	// K is the least number of people a shown group has.
	K int64
	// At is the least noisy number of people a shown group has.
	At int64

	delta dp.Delta
	l0    int64
	k, at int64 // as calibrated
}

// NewThreshold calibrates a threshold for the noise n of a table's number of visitors, so that showing
// groups costs δ beyond the noise. delta is the table's; each of the n.L0() groups of a privacy unit
// gets an equal part. It returns an error unless n is calibrated with l∞ = 1, each part is at least
// 1e-13, δ is below dp.MaxDelta and k is in [1, 2^61]. δ is rounded down and At up: fewer groups.
func NewThreshold(n Noise, delta dp.Delta, k int64) (Threshold, error) {
	if n.kind == 0 {
		return Threshold{}, fmt.Errorf("threshold: got uncalibrated noise, want laplace or gaussian")
	}
	if n.lInf != 1 {
		return Threshold{}, fmt.Errorf("threshold: got noise of l∞ = %d, want 1; only a number of people has a threshold", n.lInf)
	}
	if err := checkDelta("threshold", delta, n.l0); err != nil {
		return Threshold{}, err
	}
	if err := checkMinPeople("threshold", k); err != nil {
		return Threshold{}, err
	}
	above, ok := smallestSafe(n, delta.Part(1, n.l0).Float())
	if !ok {
		return Threshold{}, fmt.Errorf("threshold: got no finite threshold for δ = %s, want a larger δ", delta)
	}
	at := k - 1 + above
	return Threshold{K: k, At: at, delta: delta, l0: n.l0, k: k, at: at}, nil
}

func checkMinPeople(path string, k int64) error {
	if k < 1 || k > maxInput {
		return fmt.Errorf("%s.k: got %d, want 1 to 2^61", path, k)
	}
	return nil
}

// smallestSafe returns the smallest integer T with P(1 + N ≥ T) ≤ delta.
func smallestSafe(n Noise, delta float64) (int64, bool) {
	// Quantile's P(|N| > q) is twice P(N ≥ q+1), so T - 1 = q + 1.
	q := n.Quantile(2 * delta)
	if q > maxInput || !(n.Tail(q+1) <= delta) {
		return 0, false
	}
	return q + 2, true
}

// Delta returns the δ that the table is charged for showing groups.
func (t Threshold) Delta() dp.Delta { return t.delta }

// Event returns what the threshold costs beside its noise: δ, once for all groups together. That a lone
// person shows in two groups are two events, whose probabilities are added.
func (t Threshold) Event() (accounting.Event, error) { return accounting.Failure(t.delta) }

// L0 returns the number of groups that δ is split over.
func (t Threshold) L0() int64 { return t.l0 }

// calibrated reports whether t is as NewThreshold made it.
func (t Threshold) calibrated() bool { return t.k >= 1 && t.K == t.k && t.At == t.at }
