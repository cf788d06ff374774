// SPDX-License-Identifier: Apache-2.0

package accounting_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// entry is a part of a composition; see compose.
type entry struct {
	event accounting.Event
	err   error
	times int64
}

func lap(b float64, times int64) entry {
	e, err := accounting.Laplace(b, 1)
	return entry{e, err, times}
}

func discrete(b float64, d, times int64) entry {
	e, err := accounting.DiscreteLaplace(b, d)
	return entry{e, err, times}
}

func gauss(sigma float64, times int64) entry {
	e, err := accounting.Gaussian(sigma, 1)
	return entry{e, err, times}
}

func approx(epsilon, delta string, times int64) entry {
	e, err := accounting.Approx(dp.MustApprox(epsilon, delta))
	return entry{e, err, times}
}

func failure(t testing.TB, delta string, times int64) entry {
	t.Helper()
	d, err := dp.ParseDelta(delta)
	require.NoError(t, err)
	e, err := accounting.Failure(d)
	return entry{e, err, times}
}

func compose(t testing.TB, entries ...entry) accounting.Composition {
	t.Helper()
	var c accounting.Composition
	for _, e := range entries {
		require.NoError(t, e.err)
		var err error
		c, err = c.Add(e.event, e.times)
		require.NoError(t, err)
	}
	return c
}

var methods = map[string]accounting.Method{"basic": accounting.Basic, "zcdp": accounting.ZCDP, "pld": accounting.PLD}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return x
}

// parseLine reads a mechanism of a vector.
func parseLine(t *testing.T, line string) entry {
	t.Helper()
	words := strings.Fields(line)
	times := int64(number(t, words[len(words)-1]))
	switch words[0] {
	case "laplace":
		return lap(number(t, words[1]), times)
	case "discrete":
		return discrete(number(t, words[1]), int64(number(t, words[2])), times)
	case "gaussian":
		return gauss(number(t, words[1]), times)
	}
	require.Equal(t, "approx", words[0], line)
	return approx(words[1], words[2], times)
}

// Every row of the table of golden values, and more (testdata/README.md).
func TestAttackL14AccountantNeverUnderReports(t *testing.T) {
	paths, err := filepath.Glob("testdata/vectors/epsilon/*.txt")
	require.NoError(t, err)
	require.Greater(t, len(paths), 30)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			head, payload, ok := strings.Cut(string(raw), "\n\n")
			require.True(t, ok)
			header := map[string]string{}
			for line := range strings.Lines(head) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				header[name] = value
			}
			var entries []entry
			for line := range strings.Lines(payload) {
				entries = append(entries, parseLine(t, line))
			}
			got, err := compose(t, entries...).Epsilon(methods[header["method"]], number(t, header["delta"]))
			if header["expect"] == "error" {
				require.ErrorContains(t, err, header["epsilon"])
				return
			}
			require.NoError(t, err)
			want := number(t, header["epsilon"])
			// Half a unit of the eleventh digit is what the vector may be rounded up by.
			assert.GreaterOrEqual(t, got, want*(1-5e-12))
			assert.LessOrEqual(t, got, 1.01*want+1e-3)
			if header["epsilon-is"] == "exact" {
				assert.LessOrEqual(t, got, want*(1+2e-4), "what a lattice is expected to add")
			}
		})
	}
}
