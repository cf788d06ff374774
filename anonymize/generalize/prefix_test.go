// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func TestPrefixesLeaveTheFirstCharacters(t *testing.T) {
	spec := generalize.Spec{As: anonymize.AsPrefix, Length: 3}
	for in, want := range map[string]string{
		"SW1A 1AA": "SW1", "sw1a-1aa": "SW1", " s w1a1aa": "SW1", "ＳＷ１Ａ": "SW1", "75 001": "750", "01234": "012", "K1A–0B1": "K1A",
		"é1aé": "É1A", "e\u03011aa": "É1A", "1\u200b23": "123",
		"SW": "unknown", "S-W": "unknown", "": "unknown", "---": "unknown", "\xff123": "unknown", strings.Repeat("1", 300): "unknown",
	} {
		assert.Equal(t, want, labelOf(t, spec, in), "%q", in)
	}
	l := labeler(t, spec)
	for _, v := range []anonymize.Value{{}, integer(75001), float(75001)} {
		label, known := l.Label(nil, v)
		assert.Equal(t, "unknown", string(label), "a number has lost its zeros")
		assert.False(t, known)
	}
	named := generalize.Spec{As: anonymize.AsPrefix, Length: 2, Values: map[string]string{"10": "Berlin", "80": "Munich"}, Otherwise: "elsewhere"}
	assert.Equal(t, "Berlin", labelOf(t, named, "10-115"))
	assert.Equal(t, "elsewhere", labelOf(t, named, "01067"))
}

func TestFaultsOfPrefixes(t *testing.T) {
	for want, s := range map[string]generalize.Spec{
		"want a length of 1 to 64 characters for a prefix, got 0; correct it":  {As: anonymize.AsPrefix},
		"want a length of 1 to 64 characters for a prefix, got -1; correct it": {As: anonymize.AsPrefix, Length: -1},
		"want a length of 1 to 64 characters for a prefix, got 65; correct it": {As: anonymize.AsPrefix, Length: 65},
		"want a length only together with as: prefix; remove it":               {Length: 3},
	} {
		_, err := generalize.NewLabeler(s)
		assert.EqualError(t, err, want)
	}
}

func FuzzPrefix(f *testing.F) {
	for _, seed := range []string{"SW1A 1AA", "sw1a-1aa", "ßßß", "ﬁﬁ", "e\u0301\u0301\u0301", "ŉŉ", "\u0345ab"} {
		f.Add(seed)
	}
	l, err := generalize.NewLabeler(generalize.Spec{As: anonymize.AsPrefix, Length: 3})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, in string) {
		label, known := l.Label(nil, text(in))
		if !utf8.Valid(label) || known && utf8.RuneCount(label) > 3 {
			t.Fatal("more than the first characters")
		}
		if strings.ContainsAny(string(label), " -\t") {
			t.Fatal("a separator is left")
		}
	})
}
