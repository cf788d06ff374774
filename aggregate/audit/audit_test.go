// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/audit"
)

// load reads the policy and the release of a folder.
func load(t testing.TB, folder string) (*aggregate.Policy, *aggregate.Release) {
	t.Helper()
	p, err := aggregate.LoadPolicy(folder + "/policy.yaml")
	require.NoError(t, err)
	r, err := aggregate.LoadRelease(folder + "/release.yaml")
	require.NoError(t, err)
	return p, r
}

// audited runs an audit with few samples.
func audited(t *testing.T, p *aggregate.Policy, r *aggregate.Release) *audit.Report {
	t.Helper()
	report, err := audit.Run(t.Context(), p, r, audit.Options{Samples: 2000})
	require.NoError(t, err)
	for _, c := range report.Checks {
		assert.True(t, c.Passed, "%s: %v", c.Name, c.Faults)
	}
	for _, b := range report.Bounds {
		assert.True(t, b.Passed, "%+v", b)
	}
	assert.False(t, report.Violated)
	return report
}

// nightly says that there is time for more.
func nightly() bool { return os.Getenv("THRONG_NIGHTLY") == "1" }

// apart skips audits that .ci/run has in a step of its own: together they take a quarter of all tests' time.
func apart(t *testing.T) {
	t.Helper()
	if !nightly() {
		t.Skip("set THRONG_NIGHTLY=1")
	}
}

func TestExamplesKeepTheirClaims(t *testing.T) {
	for _, example := range []string{"partnerreport", "oulad"} {
		t.Run(example, func(t *testing.T) {
			if example == "oulad" && !nightly() {
				t.Skip("nightly")
			}
			p, r := load(t, "../../examples/"+example)
			report := audited(t, p, r)
			assert.Empty(t, report.Unseen, "every draw was reached")
			assert.Equal(t, "2", report.Claim.Epsilon)
			assert.Equal(t, 15, report.Pairs)
		})
	}
}

func TestLinkedPeopleKeepTheirClaims(t *testing.T) {
	p, r := load(t, owners)
	report := audited(t, p, r)
	assert.Empty(t, report.Unseen, "every draw was reached")
	assert.Equal(t, 23, report.Pairs, "with people whose ids are linked")
}

func TestBoundsThatAreFoundKeepTheirClaims(t *testing.T) {
	apart(t)
	p, r := load(t, found)
	assert.Empty(t, audited(t, p, r).Unseen, "every draw was reached")
}

func TestBoundsOnAllRecordsKeepTheirClaims(t *testing.T) {
	apart(t)
	p, r := load(t, together)
	assert.Empty(t, audited(t, p, r).Unseen, "every draw was reached")
}

func TestAReleaseOfEverythingKeepsItsClaims(t *testing.T) {
	p, r := load(t, "testdata")
	report := audited(t, p, r)
	assert.Empty(t, report.Unseen, "every draw was reached")
	for _, c := range report.Checks {
		assert.Positive(t, c.Count, "%s compared nothing", c.Name)
	}
}
