// SPDX-License-Identifier: Apache-2.0

package estimate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/throngdp/throng/dp/estimate"
)

// vector is one file of testdata/vectors; its README defines the format.
type vector struct {
	header map[string]string
	in     [][]float64
	out    []string
}

func readVector(t *testing.T, path string) vector {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	head, body, ok := strings.Cut(string(text), "\n\n")
	require.True(t, ok)
	v := vector{header: map[string]string{}}
	for line := range strings.Lines(head) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		require.True(t, ok, line)
		v.header[name] = value
	}
	for line := range strings.Lines(body) {
		in, out, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "in: "), " -> ")
		require.True(t, ok, line)
		var numbers []float64
		for _, field := range strings.Fields(in) {
			f, err := strconv.ParseFloat(field, 64)
			require.NoError(t, err)
			numbers = append(numbers, f)
		}
		v.in, v.out = append(v.in, numbers), append(v.out, out)
	}
	return v
}

func (v vector) number(t *testing.T, name string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(v.header[name], 64)
	require.NoError(t, err, name)
	return f
}

func (v vector) law(t *testing.T, name string) estimate.Law {
	t.Helper()
	scale, ok := strings.CutPrefix(v.header[name], "rounded-laplace ")
	require.True(t, ok, name)
	b, err := strconv.ParseFloat(scale, 64)
	require.NoError(t, err)
	return roundedLaplace{b}
}

func (v vector) count(t *testing.T) estimate.Count {
	t.Helper()
	c := estimate.Count{Law: v.law(t, "law"), ShownAt: estimate.AlwaysShown, Floor: estimate.NoFloor}
	if v.header["shown-at"] != "always" {
		c.ShownAt = int64(v.number(t, "shown-at"))
	}
	if v.header["floor"] != "none" {
		c.Floor = int64(v.number(t, "floor"))
	}
	return c
}

// ends prints an interval at two decimals, rounded outward.
func ends(i estimate.Interval) string {
	low, high := i.Decimals(2)
	return low.String() + ".." + high.String()
}

func shareText(s estimate.Share) string {
	if !s.Shown {
		return "withheld"
	}
	return fmt.Sprintf("%s %s", estimate.RoundDecimal(s.Value, 2), ends(s.Interval))
}

func runCount(t *testing.T, v vector) func([]float64) string {
	e, err := estimate.NewCountEstimator(v.count(t), v.number(t, "alpha"))
	require.NoError(t, err)
	return func(in []float64) string {
		low, high, shown := e.Interval(int64(in[0]))
		if !shown {
			return "withheld"
		}
		return fmt.Sprintf("%d..%d", low, high)
	}
}

func runPartShares(t *testing.T, v vector) func([]float64) string {
	return func(in []float64) string {
		parts := make([]estimate.Count, len(in))
		noisy := make([]int64, len(in))
		for i, x := range in {
			parts[i], noisy[i] = v.count(t), int64(x)
		}
		e, err := estimate.NewPartShares(parts, v.number(t, "alpha"))
		require.NoError(t, err)
		shares, ok := e.Estimate(noisy)
		if !ok {
			return "withheld"
		}
		var texts []string
		for _, s := range shares {
			texts = append(texts, shareText(s))
		}
		return strings.Join(texts, ", ")
	}
}

func runTotalShare(t *testing.T, v vector) func([]float64) string {
	e, err := estimate.NewTotalShares(v.count(t), v.count(t), v.number(t, "alpha"))
	require.NoError(t, err)
	return func(in []float64) string {
		s, _ := e.Estimate(int64(in[0]), int64(in[1]), int(in[2]))
		return shareText(s)
	}
}

func runMean(t *testing.T, v vector) func([]float64) string {
	var low, high int64
	_, err := fmt.Sscan(v.header["clamp"], &low, &high)
	require.NoError(t, err)
	e, err := estimate.NewMeanEstimator(v.law(t, "law"), v.law(t, "law-of-events"), low, high, v.number(t, "alpha"))
	require.NoError(t, err)
	return func(in []float64) string {
		m, ok := e.Estimate(int64(in[0]), int64(in[1]))
		if !ok {
			return "no value " + ends(m.Interval)
		}
		return estimate.RoundDecimal(m.Value, 2).String() + " " + ends(m.Interval)
	}
}

// equations reads "0 = 1 + 2; 1 >= 3".
func (v vector) equations(t *testing.T) (equations []estimate.Equation) {
	t.Helper()
	for text := range strings.SplitSeq(v.header["equations"], "; ") {
		total, parts, open := strings.Cut(text, " >= ")
		if !open {
			total, parts, _ = strings.Cut(text, " = ")
		}
		e := estimate.Equation{Open: open}
		_, err := fmt.Sscan(total, &e.Total)
		require.NoError(t, err, text)
		for part := range strings.SplitSeq(parts, " + ") {
			p, err := strconv.Atoi(part)
			require.NoError(t, err, text)
			e.Parts = append(e.Parts, p)
		}
		equations = append(equations, e)
	}
	return equations
}

func runConsistent(t *testing.T, v vector) func([]float64) string {
	var counts []estimate.Count
	for scale := range strings.FieldsSeq(v.header["scales"]) {
		v.header["law"] = "rounded-laplace " + scale
		counts = append(counts, v.count(t))
	}
	c, err := estimate.NewConsistent(counts, v.equations(t), v.number(t, "alpha"))
	require.NoError(t, err)
	return func(in []float64) string {
		noisy := make([]int64, len(in))
		for i, x := range in {
			noisy[i] = int64(x)
		}
		fitted, ok := c.Estimate(noisy)
		if !ok {
			return "withheld"
		}
		var texts []string
		for _, f := range fitted {
			texts = append(texts, fmt.Sprintf("%.2f %d %d..%d", f.Value, f.Display, f.Low, f.High))
		}
		return strings.Join(texts, ", ")
	}
}

func runDecimal(*testing.T, vector) func([]float64) string {
	return func(in []float64) string {
		f, places := in[0], uint8(in[1])
		return fmt.Sprint(estimate.RoundDecimal(f, places), " ", estimate.FloorDecimal(f, places), " ", estimate.CeilDecimal(f, places))
	}
}

func runRound100(t *testing.T, _ vector) func([]float64) string {
	return func(in []float64) string {
		got, err := estimate.Round100(in[1:], uint8(in[0]))
		require.NoError(t, err)
		return strings.Trim(fmt.Sprint(got), "[]")
	}
}

func TestVectors(t *testing.T) {
	for topic, run := range map[string]func(*testing.T, vector) func([]float64) string{
		"count": runCount, "part-shares": runPartShares, "total-share": runTotalShare,
		"mean": runMean, "consistent": runConsistent, "decimal": runDecimal, "round100": runRound100,
	} {
		paths, err := filepath.Glob(filepath.Join("testdata", "vectors", topic, "*.txt"))
		require.NoError(t, err)
		require.NotEmpty(t, paths, topic)
		for _, path := range paths {
			t.Run(topic+"/"+filepath.Base(path), func(t *testing.T) {
				v := readVector(t, path)
				answer := run(t, v)
				for i, in := range v.in {
					assert.Equal(t, v.out[i], answer(in), "in: %v", in)
				}
			})
		}
	}
}
