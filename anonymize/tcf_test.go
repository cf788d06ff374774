// SPDX-License-Identifier: Apache-2.0

package anonymize_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
)

// tcString writes a core segment as the specification lays it out, bit by bit and field by field.
func tcString(version int, specific bool, purposes ...int) string {
	var bits strings.Builder
	field := func(value, width int) {
		for i := width - 1; i >= 0; i-- {
			bits.WriteByte(byte('0' + value>>i&1))
		}
	}
	field(version, 6)
	field(16_000_000_000, 36)  // created, in tenths of a second
	field(16_000_000_000, 36)  // last updated
	field(31, 12)              // CMP
	field(640, 12)             // its version
	field(1, 6)                // screen
	field(0b000100_001101, 12) // language, EN
	field(126, 12)             // vendor list
	field(4, 6)                // policy
	one := 0
	if specific {
		one = 1
	}
	field(one, 1)
	field(0, 1)  // non-standard texts
	field(0, 12) // special features
	all := 0
	for _, p := range purposes {
		all |= 1 << (24 - p)
	}
	field(all, 24)
	field(1<<24-1, 24) // legitimate interests: all of them, which consents to nothing
	field(0, 1+12+16+1+16+1+12)
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text := bits.String()
	text += strings.Repeat("0", (24-len(text)%24)%24)
	var out strings.Builder
	for i := 0; i < len(text); i += 6 {
		n := 0
		for _, b := range text[i : i+6] {
			n = n<<1 | int(b-'0')
		}
		out.WriteByte(digits[n])
	}
	return out.String()
}

func TestTCFStringsConsentToWhatTheySay(t *testing.T) {
	rule, err := anonymize.NewTCF("tc", 8, 9)
	require.NoError(t, err)
	check := func(text string) anonymize.Verdict {
		return rule.Check(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)})
	}
	for text, want := range map[string]anonymize.Verdict{
		tcString(2, true, 8, 9):                    anonymize.Allowed,
		tcString(2, true, 1, 2, 3, 7, 8, 9, 10):    anonymize.Allowed,
		tcString(2, true, 8, 9) + ".YAAAAAAAAAAA":  anonymize.Allowed, // with a segment of disclosed vendors
		" " + tcString(2, true, 8, 9) + "\t":       anonymize.Allowed,
		"0000000110":                               anonymize.Allowed,
		"111111111":                                anonymize.Allowed,
		tcString(2, true, 8):                       anonymize.Refused,
		tcString(2, true):                          anonymize.Refused,
		tcString(2, true, 1, 2, 3, 4, 5, 6, 7, 10): anonymize.Refused,
		tcString(2, false, 8, 9):                   anonymize.Refused, // global scope
		tcString(1, true, 8, 9):                    anonymize.Refused,
		tcString(3, true, 8, 9):                    anonymize.Refused,
		tcString(2, true, 8, 9)[:29]:               anonymize.Refused, // cut off in the purposes
		"." + tcString(2, true, 8, 9):              anonymize.Refused,
		tcString(2, true, 8, 9) + "=":              anonymize.Refused,
		"":                                         anonymize.Refused,
		"11111111":                                 anonymize.Refused,
		"0000000100":                               anonymize.Refused,
		"yes":                                      anonymize.Refused,
	} {
		assert.Equal(t, want, check(text), "%q", text)
	}
	assert.Equal(t, anonymize.Refused, rule.Check(anonymize.Value{}))
	assert.Equal(t, anonymize.Allowed, rule.AllowUnset().Check(anonymize.Value{}))
	assert.Equal(t, anonymize.Refused, rule.AllowUnset().Check(anonymize.Value{Kind: anonymize.Bytes, Valid: true}))
	assert.Equal(t, anonymize.Refused, rule.Check(anonymize.Value{Kind: anonymize.Int, Valid: true, Int: 111111111}))
	assert.Equal(t, anonymize.Refused, new(anonymize.TCF).Check(anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte("111")}))
	for _, bad := range [][]int64{{}, {0}, {25}, {8, -1}} {
		_, err := anonymize.NewTCF("tc", bad...)
		assert.Error(t, err)
	}
	_, err = anonymize.NewTCF("", 1)
	assert.Error(t, err)
}

// FuzzTCF: no text panics, and what is allowed for two purposes is so for each.
func FuzzTCF(f *testing.F) {
	f.Add(tcString(2, true, 8, 9))
	f.Add("0000000110")
	f.Add("C")
	both, _ := anonymize.NewTCF("tc", 8, 9)
	one, _ := anonymize.NewTCF("tc", 9)
	f.Fuzz(func(t *testing.T, text string) {
		v := anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)}
		if both.Check(v) == anonymize.Allowed && one.Check(v) != anonymize.Allowed {
			t.Error("two purposes, but not one of them")
		}
	})
}
