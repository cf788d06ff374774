// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/mechanism"
)

// fromFloats are the conversions of this package from floats to integers, with the largest float that each can be given.
// What a larger one than 2^63 becomes depends on the processor: a threshold of +Inf was the least integer on one, and
// showed everything.
var fromFloats = map[string]string{
	"int64(min(x, 1 << 62))": "2^62",
	"int64(math.Ceil(scale * float64(n.refinement) * (1 + 1e-15)))":                           "2^40",
	"int64(math.Ceil(wanted / noise.SigmaForGaussian(1, 1, gaussianEpsilon, gaussianDelta)))": "2^62 times a scale below 2^-6, else 2^56",
	"int64(float64(n.sensitivity) * 1e-15)":                                                   "2^13",
	"int64(math.Ceil(40 * n.scale))":                                                          "160, as it is asked for below a scale of 4",
}

// TestAttackS03NoIntegerComesOfAnOverflow finds every conversion from a float, by what stands in it.
func TestAttackS03NoIntegerComesOfAnOverflow(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if to, ok := call.Fun.(*ast.Ident); ok && strings.Contains("int64 uint64 int uint32 int32", to.Name) {
				text := types.ExprString(call)
				if strings.Contains(text, "math.") && !strings.Contains(text, "math.Float64bits") || strings.Contains(text, "float64") || strings.Contains(text, "(x") || strings.Contains(text, " x") || strings.Contains(text, "scale") {
					found[text] = true
				}
			}
			return true
		})
	}
	for text := range found {
		assert.Contains(t, fromFloats, text, "a new conversion: how large can the float be?")
	}
	for text := range fromFloats {
		assert.True(t, found[text], "no longer there: %s", text)
	}
}

// TestAttackS03ThresholdsAtTheEndsOfTheirRange calibrates for the widest noise and the least δ. A threshold that came of
// an overflow would be below k, or would not hide what it must.
func TestAttackS03ThresholdsAtTheEndsOfTheirRange(t *testing.T) {
	for _, scale := range []float64{0.001, 1, 1 << 20, 1 << 37, 1 << 38} {
		for _, k := range []int64{1, 1 << 61} {
			law, err := mechanism.NewLaplace(scale, 1, 1)
			require.NoError(t, err)
			for _, text := range []string{"1e-10", "0.009"} {
				threshold, err := mechanism.NewThreshold(law, dp.MustApprox("1", text).Delta, k)
				require.NoError(t, err, "scale %g, δ = %s, k = %d", scale, text, k)
				assert.GreaterOrEqual(t, threshold.At, k, "scale %g, δ = %s", scale, text)
				show, err := mechanism.Live().Show(mechanism.Site{}, threshold, 1<<61, threshold.At-1)
				require.NoError(t, err)
				assert.False(t, show)
			}
		}
	}
}

// TestAttackS03TheNarrowestGaussian: where a step of the library's lattice would be finer than 2^62 to 1, noise is refused
// or has the scale that was asked for, and not what an overflow made of it.
func TestAttackS03TheNarrowestGaussian(t *testing.T) {
	refused := 0
	for sigma := 0.001; sigma < 0.05; sigma *= 1.01 {
		law, err := mechanism.NewGaussian(sigma, 1, 1)
		if err != nil {
			assert.ErrorContains(t, err, "gaussian.scale: got")
			refused++
			continue
		}
		assert.GreaterOrEqual(t, law.Scale(), sigma)
		assert.InEpsilon(t, sigma, law.Scale(), 1e-9)
	}
	assert.Positive(t, refused)
}

// TestAttackS03OnAnotherProcessor runs the tests of thresholds and of hostile parameters as arm64 does them, whose
// conversions saturate, and builds them where they cannot run.
func TestAttackS03OnAnotherProcessor(t *testing.T) {
	if os.Getenv("THRONG_NIGHTLY") != "1" {
		t.Skip("nightly")
	}
	binary := filepath.Join(t.TempDir(), "arm64.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0", "THRONG_NIGHTLY=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	emulator, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Skip("built, not run: there is no qemu-aarch64 here; install qemu-user")
	}
	out, err = exec.CommandContext(t.Context(), emulator, binary, "-test.run=S02|S03|S08|N11|N12|N14").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}
