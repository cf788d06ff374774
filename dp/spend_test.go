// SPDX-License-Identifier: Apache-2.0

package dp_test

import (
	"math"
	"math/big"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp"
)

const (
	wantDecimal  = "want a plain decimal number such as 0.5 or 1e-9"
	wantExponent = "want an exponent of at most two digits"
	wantEpsilon  = "want 1e-6 ≤ ε ≤ 20"
	wantDelta    = "want 0, or 1e-10 ≤ δ < 0.01"
)

// notDecimal are texts that some reader of numbers takes and this one does not.
var notDecimal = []string{
	"", " ", " 1", "1 ", "1\n", "\t1", "+1", "-1", "-0", "- 1", "1.", ".5", "1..5", "1.5.", "1,5", "1_0", "1'000", "1/2", "0x1", "0x1p-2", "0b1", "0o7",
	"nan", "NaN", ".nan", "inf", "Inf", "+Inf", ".inf", "infinity", "1e", "1e+", "e1", "1e1.5", "1e--5", "1ee5", "1E", "１", "١", "1\x00", "1e1000", "½", "1f", "1d",
	strings.Repeat("1", 41), "0." + strings.Repeat("1", 41), "1e" + strings.Repeat("9", 1000), strings.Repeat("9", 1<<16),
}

func TestParseEpsilonTakesPlainDecimalsInRangeOnly(t *testing.T) {
	for _, text := range notDecimal {
		e, err := dp.ParseEpsilon(text)
		assert.EqualError(t, err, wantDecimal, "%.50q", text)
		assert.False(t, e.IsSet())
	}
	for _, c := range []struct{ in, want, wantErr string }{
		{"1", "1", ""},
		{"1.0", "1", ""},
		{"0001", "1", ""},
		{"0.5", "0.5", ""},
		{"5e-1", "0.5", ""},
		{"5E-01", "0.5", ""},
		{"50e-02", "0.5", ""},
		{"2e1", "20", ""},
		{"2e+1", "20", ""},
		{"20.000", "20", ""},
		{"1e-6", "1e-6", ""},
		{"0.000001", "1e-6", ""},
		{"0.12345678901234567890123456789", "0.12345678901234567890123456789", ""},
		{"0", "", wantEpsilon},
		{"0e0", "", wantEpsilon},
		{"1e-99", "", wantEpsilon},
		{"1e99", "", wantEpsilon},
		{"0.000000999999999999999999999999999", "", wantEpsilon},
		{"20.0000000000000000000000000001", "", wantEpsilon},
		{"4.440892098500626e-16", "", wantEpsilon},
		{"710", "", wantEpsilon},
		{"1e9", "", wantEpsilon},
		{"1e-300", "", wantExponent},
		{"1e400", "", wantExponent},
		{"1e100", "", wantExponent},
	} {
		e, err := dp.ParseEpsilon(c.in)
		if c.wantErr != "" {
			assert.EqualError(t, err, c.wantErr, "ParseEpsilon(%q)", c.in)
			assert.False(t, e.IsSet(), "ParseEpsilon(%q)", c.in)
			continue
		}
		require.NoError(t, err, "ParseEpsilon(%q)", c.in)
		assert.Equal(t, c.want, e.String(), "ParseEpsilon(%q)", c.in)
	}
}

func TestParseDeltaTakesZeroAndPlainDecimalsInRangeOnly(t *testing.T) {
	for _, text := range notDecimal {
		d, err := dp.ParseDelta(text)
		assert.EqualError(t, err, wantDecimal, "%.50q", text)
		assert.False(t, d.IsSet())
	}
	for _, c := range []struct{ in, want, wantErr string }{
		{"0", "0", ""},
		{"0.000", "0", ""},
		{"0e5", "0", ""},
		{"1e-9", "1e-9", ""},
		{"0.000000001", "1e-9", ""},
		{"1.5e-9", "1.5e-9", ""},
		{"1e-10", "1e-10", ""},
		{"0.009999999999999999999999999999", "0.009999999999999999999999999999", ""},
		{"0.01", "", wantDelta},
		{"1", "", wantDelta},
		{"1e-17", "", wantDelta},
		{"9.9999999999999999e-11", "", wantDelta},
		{"1e-300", "", wantExponent},
	} {
		d, err := dp.ParseDelta(c.in)
		if c.wantErr != "" {
			assert.EqualError(t, err, c.wantErr, "ParseDelta(%q)", c.in)
			assert.False(t, d.IsSet(), "ParseDelta(%q)", c.in)
			continue
		}
		require.NoError(t, err, "ParseDelta(%q)", c.in)
		assert.Equal(t, c.want, d.String(), "ParseDelta(%q)", c.in)
		assert.Equal(t, c.want == "0", d.IsZero())
	}
}

func TestUnsetIsNotZero(t *testing.T) {
	var unset dp.Delta
	assert.False(t, unset.IsSet())
	assert.True(t, unset.IsZero())
	assert.Equal(t, "unset", unset.String())
	assert.Equal(t, "unset", dp.Epsilon{}.String())
	zero, err := dp.ParseDelta("0")
	require.NoError(t, err)
	assert.True(t, zero.IsSet())
	assert.False(t, dp.Spend{Delta: zero}.IsSet())
	assert.False(t, dp.Spend{}.IsSet())
	assert.True(t, dp.MustApprox("1", "0").IsSet())
	assert.EqualError(t, dp.Epsilon{}.Check(), wantEpsilon)
	assert.NoError(t, zero.Check())
}

func TestParseApproxReportsBothFaults(t *testing.T) {
	s, err := dp.ParseApprox("0", "1")
	require.Error(t, err)
	assert.Equal(t, wantEpsilon+"\n"+wantDelta, err.Error())
	assert.False(t, s.IsSet())
	assert.PanicsWithValue(t, "dp.MustApprox: "+wantEpsilon, func() { dp.MustApprox("0", "0") })
	assert.Equal(t, "ε = 0.5, δ = 1e-9", dp.MustApprox("0.5", "1e-9").String())
}

func TestSumsAndPartsOutsideTheLimitsFailTheirCheck(t *testing.T) {
	s := dp.MustApprox("20", "0.009")
	assert.NoError(t, s.Epsilon.Check())
	assert.NoError(t, s.Delta.Check())
	assert.EqualError(t, s.Add(s).Epsilon.Check(), wantEpsilon)
	assert.EqualError(t, s.Add(s).Delta.Check(), wantDelta)
	assert.EqualError(t, dp.MinEpsilon.Part(1, 2).Check(), wantEpsilon)
	assert.EqualError(t, dp.MinDelta.Part(1, 2).Check(), wantDelta)
}

// TestStringComesBackExactly is a property of random parts of random parameters: the text names the
// same number, and is a decimal exactly where there is a finite one.
func TestStringComesBackExactly(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 20_000 {
		digits := rng.Intn(25)
		text := big.NewInt(1 + rng.Int63n(1e9)).String()
		r, ok := new(big.Rat).SetString(text + "e-" + big.NewInt(int64(digits)).String())
		require.True(t, ok)
		if r.Cmp(big.NewRat(1, 1_000_000)) < 0 || r.Cmp(big.NewRat(20, 1)) > 0 {
			continue
		}
		e, err := dp.ParseEpsilon(r.FloatString(digits))
		require.NoError(t, err)
		require.Zero(t, e.Rat().Cmp(r), "ParseEpsilon(%q) = %s", r.FloatString(digits), e)
		again, err := dp.ParseEpsilon(e.String())
		require.NoError(t, err, "%q", e.String())
		require.Zero(t, again.Rat().Cmp(r), "%q", e.String())

		total := 1 + rng.Int63n(1000)
		part := e.Part(1+rng.Int63n(total), total)
		back, ok := new(big.Rat).SetString(part.String())
		require.True(t, ok, "%q", part.String())
		require.Zero(t, back.Cmp(part.Rat()), "%q", part.String())
		require.Equal(t, finite(part.Rat()), !strings.Contains(part.String(), "/"), "%q", part.String())
	}
}

// finite reports whether a number has a finite decimal expansion.
func finite(r *big.Rat) bool {
	den := r.Denom()
	for _, p := range []int64{2, 5} {
		for {
			q, m := new(big.Int).QuoRem(den, big.NewInt(p), new(big.Int))
			if m.Sign() != 0 {
				break
			}
			den = q
		}
	}
	return den.IsInt64() && den.Int64() == 1
}

// TestPartsAddUpExactly divides random parameters into random weights.
func TestPartsAddUpExactly(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	for range 2_000 {
		whole := dp.MustApprox("1", "1e-9")
		whole.Epsilon = whole.Epsilon.Part(1+rng.Int63n(9), 10)
		weights, total := make([]int64, 1+rng.Intn(9)), int64(0)
		for i := range weights {
			weights[i] = 1 + rng.Int63n(1000)
			total += weights[i]
		}
		var sum dp.Spend
		for _, w := range weights {
			sum = sum.Add(dp.Spend{Epsilon: whole.Epsilon.Part(w, total), Delta: whole.Delta.Part(w, total)})
		}
		require.True(t, sum.Equal(whole), "%v: %s, want %s", weights, sum, whole)
		require.False(t, sum.Add(dp.MustApprox("1e-6", "0")).Within(whole))
	}
}

func TestPartRefusesWhatIsNoPart(t *testing.T) {
	e, d := dp.MaxEpsilon, dp.MinDelta
	for _, c := range [][2]int64{{0, 1}, {-1, 1}, {2, 1}, {1, 0}, {1, -1}, {-1, -1}, {0, 0}, {math.MinInt64, math.MinInt64}, {math.MaxInt64, 1}} {
		assert.False(t, e.Part(c[0], c[1]).IsSet(), "%v", c)
		assert.False(t, d.Part(c[0], c[1]).IsSet(), "%v", c)
	}
	assert.False(t, dp.Epsilon{}.Part(1, 2).IsSet())
	assert.Zero(t, e.Part(math.MaxInt64, math.MaxInt64).Rat().Cmp(e.Rat()))
}

// TestFloatsAreTheLargestBelow holds Float to its rounding for random fractions: not above the exact
// number, and the next float is.
func TestFloatsAreTheLargestBelow(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	for range 50_000 {
		total := 1 + rng.Int63()
		e := dp.MaxEpsilon.Part(1+rng.Int63n(total), total)
		f := e.Float()
		require.LessOrEqual(t, new(big.Rat).SetFloat64(f).Cmp(e.Rat()), 0, "%s", e)
		require.Positive(t, new(big.Rat).SetFloat64(math.Nextafter(f, math.Inf(1))).Cmp(e.Rat()), "%s", e)
	}
	d, err := dp.ParseDelta("1e-10")
	require.NoError(t, err)
	assert.LessOrEqual(t, new(big.Rat).SetFloat64(d.Float()).Cmp(d.Rat()), 0)
	assert.Zero(t, dp.Epsilon{}.Float())
}

func TestFloatOfASumThatNobodySpendsIsFinite(t *testing.T) {
	s := dp.MustApprox("20", "0")
	for range 1100 {
		s = s.Add(s)
	}
	assert.Equal(t, math.MaxFloat64, s.Epsilon.Float())
}

func TestParametersCannotBeChangedThroughTheirCopies(t *testing.T) {
	s := dp.MustApprox("1", "1e-9")
	s.Epsilon.Rat().SetInt64(0)
	s.Delta.Rat().SetInt64(1)
	s.Add(s)
	s.Epsilon.Part(1, 2)
	assert.Equal(t, "ε = 1, δ = 1e-9", s.String())
}

func TestWithinComparesBothParametersExactly(t *testing.T) {
	budget := dp.MustApprox("1", "1e-9")
	for _, c := range []struct {
		epsilon, delta string
		want           bool
	}{
		{"1", "1e-9", true},
		{"0.9999999999999999999999999999", "0", true},
		{"1.0000000000000000000000000001", "0", false},
		{"0.5", "1.0000000000000000000000000001e-9", false},
	} {
		assert.Equal(t, c.want, dp.MustApprox(c.epsilon, c.delta).Within(budget), "%s, %s", c.epsilon, c.delta)
	}
	assert.False(t, budget.Within(dp.Spend{}), "an unset budget allows nothing")
	assert.True(t, dp.Spend{}.Within(budget))
}

func TestMarshalTextIsString(t *testing.T) {
	s := dp.MustApprox("0.5", "1e-9")
	e, err := s.Epsilon.MarshalText()
	require.NoError(t, err)
	d, err := s.Delta.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "0.5 1e-9", string(e)+" "+string(d))
}

func TestClampMaxAbsIsTheLargerMagnitude(t *testing.T) {
	for _, c := range []struct {
		clamp dp.Clamp
		want  int64
	}{{dp.Clamp{}, 0}, {dp.Clamp{Lower: 0, Upper: 5}, 5}, {dp.Clamp{Lower: -7, Upper: 5}, 7}, {dp.Clamp{Lower: -7, Upper: -5}, 7}} {
		assert.Equal(t, c.want, c.clamp.MaxAbs(), "%v", c.clamp)
	}
}

// FuzzParse: no text makes a parser panic or take a parameter out of range, and what it takes comes
// back from its own text.
func FuzzParse(f *testing.F) {
	for _, text := range append(notDecimal, "1", "0.5", "1e-9", "20", "0", "5E-01") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := dp.ParseEpsilon(text); err == nil {
			require.NoError(t, e.Check())
			exact, ok := new(big.Rat).SetString(text)
			require.True(t, ok)
			require.Zero(t, exact.Cmp(e.Rat()))
			back, ok := new(big.Rat).SetString(e.String())
			require.True(t, ok)
			require.Zero(t, back.Cmp(e.Rat()))
		}
		if d, err := dp.ParseDelta(text); err == nil {
			require.NoError(t, d.Check())
			require.True(t, d.IsSet())
			require.GreaterOrEqual(t, d.Float(), 0.0)
		}
	})
}
