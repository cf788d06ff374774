// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/audit"
	"github.com/throngdp/throng/dp/mechanism"
)

// faulty is the live mechanism with a fault.
type faulty struct {
	mechanism.Mechanism
	kind mechanism.Kind
	// percent is what noise of that kind is drawn at.
	percent int64
	// lower is by how much too low the threshold is, sure how many people too many a selection sees.
	lower, sure int64
}

func (f faulty) AddNoise(site mechanism.Site, n mechanism.Noise, x int64) (int64, error) {
	v, err := f.Mechanism.AddNoise(site, n, x)
	if err == nil && n.Kind() == f.kind {
		v = x + (v-x)*f.percent/100
	}
	return v, err
}

func (f faulty) Show(site mechanism.Site, t mechanism.Threshold, n, noisy int64) (bool, error) {
	return f.Mechanism.Show(site, t, n, noisy+f.lower)
}

func (f faulty) Select(site mechanism.Site, s mechanism.Selection, n int64) (bool, error) {
	return f.Mechanism.Select(site, s, n+f.sure)
}

// demo is a release of Laplace noise and thresholds.
const demo = "../../examples/partnerreport"

// TestFaultyMechanismsAreCaught plants faults in what is sampled. A sound mechanism passes the same tests.
func TestFaultyMechanismsAreCaught(t *testing.T) {
	apart(t)
	for _, c := range []struct {
		name   string
		folder string
		fault  faulty
		by     string
	}{
		{"N-05 Laplace noise of nine tenths", demo, faulty{kind: mechanism.Laplace, percent: 90}, "scale"},
		{"N-06 Gaussian noise of nine tenths", "testdata/gaussian", faulty{kind: mechanism.Gaussian, percent: 90}, "scale"},
		{"S-02 a threshold off by one", demo, faulty{lower: 1}, "choice_of_groups"},
		{"S-01 selection of two people more", "testdata/gaussian", faulty{sure: 2}, "keep_rate"},
		{"none", demo, faulty{}, ""},
		{"none", "testdata/gaussian", faulty{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, r := load(t, c.folder)
			c.fault.Mechanism = mechanism.Live()
			report, err := audit.RunOn(t.Context(), p, r, audit.Options{Samples: 5000}, c.fault)
			require.NoError(t, err)
			assert.Equal(t, c.by != "", report.Violated)
			if c.by != "" {
				assert.Contains(t, failed(report), c.by)
			}
		})
	}
}

// failed names the checks that failed, and the measures of the bounds that did.
func failed(report *audit.Report) []string {
	names := []string{}
	for _, c := range report.Checks {
		if !c.Passed {
			names = append(names, c.Name)
		}
	}
	for _, b := range report.Bounds {
		if !b.Passed && !slices.Contains(names, b.Measure) {
			names = append(names, b.Measure)
		}
	}
	return names
}
