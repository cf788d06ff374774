// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func text(s string) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(s)}
}

func integer(i int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Int, Valid: true, Int: i}
}

func float(f float64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Float, Valid: true, Float: f}
}

func boolean(i int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Bool, Valid: true, Int: i}
}

func timestamp(micros int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Time, Valid: true, Int: micros}
}

func number(t testing.TB, resolution string) generalize.Number {
	t.Helper()
	n, err := generalize.NewNumber(resolution)
	require.NoError(t, err)
	return n
}

const limit = generalize.MaxQuanta

func TestAttackI08SpecialFloatsNeverReachTheSum(t *testing.T) {
	cent := number(t, "0.01")
	for _, c := range []struct {
		in   anonymize.Value
		want int64
		verd generalize.Verdict
	}{
		{float(math.NaN()), 0, generalize.Invalid}, {text("nan"), 0, generalize.Invalid}, {text("NaN"), 0, generalize.Invalid}, {text("-nan"), 0, generalize.Invalid},
		{float(math.Inf(1)), limit, generalize.Saturated}, {float(math.Inf(-1)), -limit, generalize.Saturated},
		{text("Infinity"), limit, generalize.Saturated}, {text("-INF"), -limit, generalize.Saturated}, {text("1e999"), limit, generalize.Saturated}, {text("-1e999999999999999999"), -limit, generalize.Saturated},
		{float(math.MaxFloat64), limit, generalize.Saturated}, {float(-1e300), -limit, generalize.Saturated},
		{float(math.Copysign(0, -1)), 0, generalize.Finite}, {text("-0"), 0, generalize.Finite}, {text("-0.004"), 0, generalize.Finite}, {text("0e999999999999"), 0, generalize.Finite},
		{float(math.SmallestNonzeroFloat64), 0, generalize.Finite}, {float(-math.SmallestNonzeroFloat64), 0, generalize.Finite}, {text("1e-999999999999"), 0, generalize.Finite},
		{anonymize.Value{}, 0, generalize.Missing}, {text(""), 0, generalize.Missing}, {text(" \t"), 0, generalize.Missing},
	} {
		got, verdict := cent.Quantum(c.in)
		assert.Equal(t, c.want, got, "%v %q %g", c.in, c.in.Bytes, c.in.Float)
		assert.Equal(t, c.verd, verdict, "%v %q %g", c.in, c.in.Bytes, c.in.Float)
	}
}

func TestAttackI09IntegersNeverWrap(t *testing.T) {
	one, fine, coarse := number(t, "1"), number(t, "1e-18"), number(t, "60")
	for _, c := range []struct {
		n    generalize.Number
		in   anonymize.Value
		want int64
	}{
		{one, text("9223372036854775807"), limit}, {one, text("4611686018427387904.5"), limit}, {one, text("-4611686018427387903.5"), -limit}, {one, text("18446744073709551615.5"), limit}, {one, text("9223372036854775808"), limit}, {one, text("-9223372036854775809"), -limit}, {one, text("18446744073709551615"), limit},
		{one, text("18446744073709551617"), limit}, {one, text("36893488147419103233"), limit}, {one, text("99999999999999999999999999999999999999"), limit},
		{one, integer(math.MaxInt64), limit}, {one, integer(math.MinInt64), -limit}, {one, integer(limit - 1), limit - 1},
		{fine, integer(5), limit}, {fine, integer(-5), -limit}, {fine, integer(4), 4e18}, {coarse, integer(math.MaxInt64), 153722867280912930}, {coarse, integer(90), 2}, {coarse, integer(-90), -2},
		{one, text("1e3"), 1000}, {one, text("1E+3"), 1000}, {one, text("+5"), 5}, {one, text(".5"), 1}, {one, text("5."), 5}, {one, boolean(1), 1},
	} {
		got, verdict := c.n.Quantum(c.in)
		assert.Equal(t, c.want, got, "%v %q %d", c.in, c.in.Bytes, c.in.Int)
		assert.GreaterOrEqual(t, verdict, generalize.Finite)
	}
	for _, in := range []anonymize.Value{text("１２"), text("٣"), text("0x10"), text("1_000"), text("1,000"), text("1 000"), text("--1"), text("1e"), text("e1"), text("."), text("12a"), text("\xff"), timestamp(5)} {
		got, verdict := one.Quantum(in)
		assert.Zero(t, got)
		assert.Equal(t, generalize.Invalid, verdict, "%q", in.Bytes)
	}
}

// The bounding unit sees only integers; whatever the cell, clamping them gives a number in bounds.
func TestAttackB15ClampedQuantaStayInBounds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	n := number(t, "0.01")
	const alphabet = "0123456789+-.eEinfatyNI１ _x"
	runes := []rune(alphabet)
	finite := 0
	for range 300_000 {
		v := float(math.Float64frombits(r.Uint64()))
		if r.IntN(3) > 0 {
			s := make([]rune, r.IntN(24))
			for i := range s {
				s[i] = runes[min(r.IntN(len(runes)), r.IntN(len(runes)))]
			}
			v = text(string(s))
		}
		q, verdict := n.Quantum(v)
		switch verdict {
		case generalize.Missing, generalize.Invalid:
			if q != 0 {
				t.Fatalf("Quantum(%q) = %d without a number", v.Bytes, q)
			}
			continue
		case generalize.Saturated:
			if q != limit && q != -limit {
				t.Fatalf("Quantum(%q, %g) = %d, want a bound", v.Bytes, v.Float, q)
			}
		}
		finite++
		if q > limit || q < -limit || (v.Kind == anonymize.Float && (v.Float > 1) != (q > 100) && math.Abs(v.Float-1) > 0.01) {
			t.Fatalf("Quantum(%q, %g) = %d", v.Bytes, v.Float, q)
		}
	}
	assert.Greater(t, finite, 50_000)
}

func FuzzQuantum(f *testing.F) {
	for _, seed := range []string{"nan", "Infinity", "1e999", "9223372036854775808", "１２", "1e3", "-0", "0.005", "4611686018427387904"} {
		f.Add(seed)
	}
	n, err := generalize.NewNumber("0.01")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, s string) {
		q, verdict := n.Quantum(text(s))
		if q > limit || q < -limit || verdict < generalize.Finite && q != 0 {
			t.Fatalf("Quantum(%q) = %d, %s", s, q, verdict)
		}
	})
}

func TestHalvesRoundAwayFromZeroWhateverTheFormat(t *testing.T) {
	cent := number(t, "0.01")
	for s, want := range map[string]int64{
		"0.005": 1, "-0.005": -1, "0.0049999999999999999999999999": 0, "0.015": 2, "1.005": 101, "2.675": 268, "-2.675": -268, "0.025": 3, "1.115": 112, "123456789.125": 12345678913,
	} {
		got, _ := cent.Quantum(text(s))
		assert.Equal(t, want, got, s)
		var f float64
		_, err := fmt.Sscan(s, &f)
		require.NoError(t, err)
		if s != "0.0049999999999999999999999999" {
			got, _ = cent.Quantum(float(f))
			assert.Equal(t, want, got, "%s as a float", s)
		}
	}
	nickel := number(t, "0.05")
	got, _ := nickel.Quantum(text("0.12"))
	assert.Equal(t, int64(2), got)
}

func TestNumberRefusesOddResolutions(t *testing.T) {
	const want = "want a positive decimal number such as 0.01, with at most 9 significant digits, from 1e-18 to 1e18; correct the resolution"
	for _, bad := range []string{"", "0", "-1", "nan", "inf", "1e19", "1e-19", "0.1234567891", "x"} {
		_, err := generalize.NewNumber(bad)
		assert.EqualError(t, err, want, bad)
	}
	_, verdict := generalize.Number{}.Quantum(integer(1))
	assert.Equal(t, generalize.Invalid, verdict, "the zero Number reads nothing")
	assert.Equal(t, "missing invalid finite saturated", fmt.Sprint(generalize.Missing, " ", generalize.Invalid, " ", generalize.Finite, " ", generalize.Saturated))
}
