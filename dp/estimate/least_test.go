// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/estimate"
)

func TestWithheldPartWithinItsNoiseCountsAsNothing(t *testing.T) {
	part := estimate.Count{Law: roundedLaplace{2}, ShownAt: 20}
	s, err := estimate.NewPartShares([]estimate.Count{part, part, part}, 0.05)
	require.NoError(t, err)
	// P(N >= 6) = exp(-5.5/2)/2 = 0.032 and P(N >= 7) = 0.019: from 7 on a number is more than noise.
	for noisy, total := range map[int64]float64{-3: 400, 0: 400, 6: 400, 7: 407, 19: 419, 20: 420} {
		shares, ok := s.Estimate([]int64{300, 100, noisy})
		require.True(t, ok)
		assert.InDelta(t, 100*300/total, shares[0].Value, 1e-9, "third part %d", noisy)
	}
	always := estimate.Count{Law: roundedLaplace{2}, ShownAt: estimate.AlwaysShown}
	s, err = estimate.NewPartShares([]estimate.Count{always, always}, 0.05)
	require.NoError(t, err)
	shares, _ := s.Estimate([]int64{99, 1})
	assert.InDelta(t, 99, shares[0].Display, 1e-9, "what is shown counts, however small")
}
