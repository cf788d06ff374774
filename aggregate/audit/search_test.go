// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/audit"
)

// TestNeighbourSearch looks for a person who changes more than one may, as StatDP does (Ding et al. 2018), among people
// whose records are drawn at random and not made up by us. A change is seen in the exact numbers, without a sample;
// the largest that was found is then drawn many times.
func TestNeighbourSearch(t *testing.T) {
	people, samples := 30, 500
	if nightly() {
		people, samples = 1250, 100_000
	}
	for _, folder := range []string{demo, everything, found, owners} {
		t.Run(folder, func(t *testing.T) {
			if folder != owners && !nightly() {
				t.Skip("nightly")
			}
			p, r := load(t, folder)
			report, err := audit.Search(t.Context(), p, r, audit.Options{Samples: samples}, people)
			require.NoError(t, err)
			assert.Equal(t, people, report.Pairs)
			assert.Empty(t, failed(report), "%+v", report.Checks)
			for _, c := range report.Checks {
				assert.Positive(t, c.Count, "%s compared nothing", c.Name)
			}
		})
	}
}
