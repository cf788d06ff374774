// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// budget runs a command line in process.
func budget(line string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(strings.Fields(line), &out, &errs)
	return code, out.String(), errs.String()
}

func ask[T any](t *testing.T, line string) (value T) {
	t.Helper()
	code, stdout, stderr := budget(line)
	require.Equal(t, exitDone, code, stderr)
	assert.Empty(t, stderr)
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value))
	assert.False(t, decoder.More())
	return value
}

type composed struct{ Basic, ZCDP, PLD float64 }

type calibrated struct {
	Basic, ZCDP, PLD *found
	Best             string
}

// References: dp/accounting/testdata.
func TestComposeAgainstReferences(t *testing.T) {
	for _, tt := range []struct {
		line             string
		basic, zcdp, pld float64
	}{
		{"-gauss sigma=1 -delta 1e-5", 4.37717809568, 4.72838698494, 4.37717809568},
		{"-gauss sigma=10,n=100 -delta 1e-6", 0, 0, 4.88655411746},
		{"-laplace b=1 -gauss sigma=2 -delta 1e-6", 3.25408465022, 0, 3.18390372466},
		{"-pure eps=0.1,n=10 -delta 1e-6", 1, 0, 0.999370905722},
		{"-pure eps=0.1,n=4 -pure n=6,eps=0.1 -delta 1e-6", 1, 0, 0.999370905722},
		{"-laplace b=2 -gauss sigma=5,n=10 -delta 1e-6", 0, 0, 3.3351600192},
	} {
		got := ask[composed](t, "compose -json "+tt.line)
		for name, pair := range map[string][2]float64{"basic": {tt.basic, got.Basic}, "zcdp": {tt.zcdp, got.ZCDP}, "pld": {tt.pld, got.PLD}} {
			if pair[0] != 0 {
				assert.GreaterOrEqual(t, pair[1], pair[0]*(1-1e-11), "%s of %s", name, tt.line)
				assert.LessOrEqual(t, pair[1], pair[0]*(1+2e-4), "%s of %s", name, tt.line)
			}
			assert.Positive(t, pair[1], "%s of %s", name, tt.line)
		}
	}
}

func TestCalibrateAgainstReferences(t *testing.T) {
	for line, want := range map[string]float64{
		"-statistics 2": 2.83, "-statistics 10": 14.14, "-statistics 20": 24.58, "-statistics 50": 38.86, "-statistics 20 -sensitivity 0.5": 12.29,
	} {
		got := ask[calibrated](t, "calibrate -json -epsilon 1 -delta 1e-9 "+line)
		best := map[string]*found{"basic": got.Basic, "zcdp": got.ZCDP, "pld": got.PLD}[got.Best]
		require.NotNil(t, best, line)
		assert.InEpsilon(t, want, best.StdDev, 1e-3, line)
		for _, f := range []*found{got.Basic, got.ZCDP, got.PLD} {
			assert.LessOrEqual(t, f.Epsilon, 1.0, line)
			assert.GreaterOrEqual(t, f.StdDev, best.StdDev, line)
		}
	}
	three := ask[calibrated](t, "calibrate -json -epsilon 1 -delta 1e-9 -statistics 20 -l0 3")
	assert.Equal(t, "pld", three.Best)
	assert.Equal(t, "gaussian", three.PLD.Kind)
	assert.LessOrEqual(t, three.PLD.StdDev, 0.51*three.Basic.StdDev)
}

// The way there and the way back.
func TestCalibratedNoiseComposesToTheTarget(t *testing.T) {
	got := ask[calibrated](t, "calibrate -json -epsilon 1 -delta 1e-9 -statistics 20")
	require.Equal(t, "gaussian", got.PLD.Kind)
	scale, err := json.Marshal(got.PLD.Scale)
	require.NoError(t, err)
	back := ask[composed](t, "compose -json -delta 1e-9 -gauss n=20,sigma="+string(scale))
	assert.LessOrEqual(t, back.PLD, 1.0)
	assert.GreaterOrEqual(t, back.PLD, 0.999)
}

func TestTextSaysWhatJSONSays(t *testing.T) {
	code, stdout, stderr := budget("compose -pure eps=0.1,n=10 -delta 1e-6")
	assert.Equal(t, exitDone, code)
	assert.Empty(t, stderr)
	assert.Regexp(t, `^basic  ε = 1\nzcdp   ε = 1\.\d+\npld    ε = 0\.99937\d+\nat δ = 1e-06\n$`, stdout)
	code, stdout, _ = budget("calibrate -epsilon 1 -delta 0 -statistics 3")
	assert.Equal(t, exitDone, code)
	assert.Regexp(t, `(?m)^basic  laplace +3 +4\.2426407$`, stdout)
	assert.Contains(t, stdout, "pld    not possible; target: got δ = 0, want a positive one")
	assert.Contains(t, stdout, "best: basic\n")
	assert.Nil(t, ask[calibrated](t, "calibrate -json -epsilon 1 -delta 0 -statistics 3").PLD)
}

func TestBadUsageIsToldAllAtOnce(t *testing.T) {
	for _, tt := range []struct {
		line string
		code int
		want []string
	}{
		{"", 2, []string{"got no command, want compose or calibrate"}},
		{"spend", 2, []string{`got the command "spend", want compose or calibrate`}},
		{"compose", 2, []string{"-delta: got nothing"}},
		{"compose -delta 1e-6", 2, []string{"got no mechanism, want at least one of -laplace, -gauss and -pure"}},
		{"compose -laplace b=x -gauss n=3 -pure eps=900 -delta 3", 2, []string{
			`-laplace: got "b=x", want a positive decimal number; such as -laplace b=2,n=3`,
			`-gauss: got "n=3", want sigma=; such as -gauss sigma=2,n=3`, "-pure: got eps=900, want 1e-6 ≤ ε ≤ 20", "-delta: got 3, want a number above 0 and below 1"}},
		{"compose -laplace b=-1 -laplace b=NaN -laplace b=0x1p3 -laplace b=inf -laplace b=0 -delta 1e-6", 2, []string{`"b=-1"`, `"b=NaN"`, `"b=0x1p3"`, `"b=inf"`, `"b=0"`}},
		{"compose -laplace b=1,b=2 -laplace b=1,n=0 -laplace b=1,n=1.5 -laplace b=1,m=2 -delta 1e-6", 2, []string{"want b= once", "want n= a whole number", "want b= and n= only"}},
		{"compose -laplace b=1e300 -laplace b=1,n=9999999999 -delta 1e-6", 2, []string{"-laplace: laplace: got sensitivity/scale = 1e-300", "-laplace: times: got 9999999999"}},
		{"compose -delta x", 2, []string{`invalid value "x" for flag -delta: want a positive decimal number`}},
		{"compose -delta 1e-6 -pure eps=0.1 extra", 2, []string{`got the stray argument "extra"`}},
		{"compose -epsilon 1", 2, []string{"flag provided but not defined: -epsilon"}},
		{"compose -laplace b=1e6,n=1073741824 -delta 1e-9", 1, []string{"pld: composition: got 1073741824 draws"}},
		{"calibrate", 2, []string{`-epsilon: got ""`, `-delta: got ""`, "-statistics: got 0, want 1 to 1000"}},
		{"calibrate -epsilon 99 -delta 1 -statistics 2000 -l0 0", 2, []string{"-epsilon: got", "-delta: got", "-statistics: got 2000", "-l0: got 0"}},
		{"calibrate -epsilon 1 -delta 1e-9 -statistics 2 -sensitivity 0", 2, []string{"-sensitivity"}},
	} {
		code, stdout, stderr := budget(tt.line)
		assert.Equal(t, tt.code, code, tt.line)
		assert.Empty(t, stdout, tt.line)
		for _, want := range tt.want {
			assert.Contains(t, stderr, want, tt.line)
		}
		for line := range strings.Lines(stderr) {
			assert.Regexp(t, `^budget: .+\n$`, line)
		}
		// The same as JSON, and nothing on stderr.
		if tt.line == "" {
			continue
		}
		code, stdout, stderr = budget(tt.line + " -json")
		assert.Equal(t, tt.code, code, tt.line)
		assert.Empty(t, stderr, tt.line)
		var told struct {
			Errors   []struct{ Message string }
			ExitCode int `json:"exit_code"`
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &told), tt.line)
		assert.Equal(t, tt.code, told.ExitCode)
		assert.GreaterOrEqual(t, len(told.Errors), 1, tt.line)
	}
}

func TestHelpIsNoFault(t *testing.T) {
	for _, line := range []string{"-h", "help", "compose -h", "calibrate --help"} {
		code, stdout, stderr := budget(line)
		assert.Equal(t, exitDone, code, line)
		assert.Empty(t, stderr, line)
		for _, want := range []string{"compose prints", "each is given an equal part of -delta", "-statistics many", "Exit codes: 0 done"} {
			assert.Contains(t, stdout, want, line)
		}
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestAnAnswerThatCannotBeWrittenIsAFailure(t *testing.T) {
	var stderr strings.Builder
	assert.Equal(t, exitFailed, run(strings.Fields("compose -pure eps=1 -delta 1e-6"), closed{}, &stderr))
	assert.Contains(t, stderr.String(), "budget: writing the answer: closed")
}
