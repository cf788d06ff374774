// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// vector is one file of testdata/vectors; its README defines the format.
type vector struct {
	header  map[string]string
	payload []string
}

func readVector(t *testing.T, path string) vector {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	head, payload, ok := strings.Cut(string(raw), "\n\n")
	require.True(t, ok, "%s: got no empty line", path)
	v := vector{map[string]string{"l0": "1", "linf": "1", "k": "1"}, strings.Split(strings.TrimSpace(payload), "\n")}
	for line := range strings.Lines(head) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		require.True(t, ok, "%s: got header %q", path, line)
		v.header[name] = value
	}
	require.Contains(t, []string{"value", "error"}, v.header["expect"], path)
	return v
}

func (v vector) integer(t *testing.T, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(v.header[name], 10, 64)
	require.NoError(t, err)
	return n
}

// rows returns the payload as pairs of a name and a number.
func (v vector) rows(t *testing.T) (names []string, values []float64) {
	t.Helper()
	for _, line := range v.payload {
		name, text, ok := strings.Cut(line, " ")
		require.True(t, ok, line)
		value, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		names, values = append(names, name), append(values, value)
	}
	return names, values
}

// eachVector runs check on each scenario of a topic; an error must be the one that is expected.
func eachVector(t *testing.T, topic string, check func(*testing.T, vector) error) {
	paths, err := filepath.Glob(filepath.Join("testdata", "vectors", topic, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			v := readVector(t, path)
			err := check(t, v)
			if v.header["expect"] == "error" {
				require.ErrorContains(t, err, v.payload[0])
				return
			}
			require.NoError(t, err)
		})
	}
}

func (v vector) spend() (dp.Epsilon, dp.Delta, error) {
	e, errE := dp.ParseEpsilon(v.header["epsilon"])
	d, errD := dp.ParseDelta(v.header["delta"])
	return e, d, errors.Join(errE, errD)
}

func (v vector) noise(t *testing.T) (mechanism.Noise, error) {
	if _, _, err := v.spend(); err != nil {
		return mechanism.Noise{}, err
	}
	if v.header["kind"] == "laplace" {
		return laplace(t, v.header["epsilon"], v.integer(t, "l0"), v.integer(t, "linf")), nil
	}
	return gaussian(t, v.header["epsilon"], v.header["delta"], v.integer(t, "l0"), v.integer(t, "linf")), nil
}

func TestSigmaVectors(t *testing.T) {
	eachVector(t, "sigma", func(t *testing.T, v vector) error {
		n, err := v.noise(t)
		if err != nil {
			return err
		}
		names, values := v.rows(t)
		require.Equal(t, []string{"exact"}, names)
		assert.GreaterOrEqual(t, n.Scale(), values[0]*(1-1e-11), "the digits given are rounded")
		assert.InEpsilon(t, values[0], n.Scale(), 1e-4)
		return nil
	})
}

func TestThresholdVectors(t *testing.T) {
	eachVector(t, "threshold", func(t *testing.T, v vector) error {
		n, err := v.noise(t)
		require.NoError(t, err)
		d, err := dp.ParseDelta(v.header["table_delta"])
		require.NoError(t, err)
		if _, err := mechanism.NewThreshold(n, d, 1); err != nil {
			return err
		}
		continuous, err := strconv.ParseFloat(v.header["continuous"], 64)
		require.NoError(t, err)
		names, values := v.rows(t)
		for i, name := range names {
			k, err := strconv.ParseInt(name, 10, 64)
			require.NoError(t, err)
			threshold, err := mechanism.NewThreshold(n, d, k)
			require.NoError(t, err)
			assert.EqualValues(t, values[i], threshold.At, "k = %d", k)
			assert.Equal(t, k, threshold.K)
			assert.EqualValues(t, math.Ceil(continuous+0.5), threshold.At-(k-1), "⌈T+½⌉")
		}
		return nil
	})
}

func TestSelectionVectors(t *testing.T) {
	eachVector(t, "selection", func(t *testing.T, v vector) error {
		e, d, err := v.spend()
		require.NoError(t, err)
		s, err := mechanism.NewSelection(e, d, v.integer(t, "l0"), v.integer(t, "k"))
		if err != nil {
			return err
		}
		names, values := v.rows(t)
		for i, name := range names {
			people, err := strconv.ParseInt(name, 10, 64)
			require.NoError(t, err)
			if values[i] == 0 || values[i] == 1 {
				assert.Equal(t, values[i], s.KeepProbability(people), "%d people", people)
				continue
			}
			// The values have 12 digits or more; 2^-64 a step is far below.
			assert.InEpsilon(t, values[i], s.KeepProbability(people), 2e-12, "%d people", people)
		}
		return nil
	})
}
