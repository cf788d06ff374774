// SPDX-License-Identifier: Apache-2.0

package anonymize_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/throngdp/throng/anonymize"
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

func TestAttackS12UnicodeVariantsFoldToOneKey(t *testing.T) {
	want := "male"
	for _, in := range []string{"Male", "male", "MALE", "Ｍale", "Ｍａｌｅ", "Male\u200b", "\ufeffMale", "Ma\u00adle", "Ma\u200dle", " Male\t", "\u00a0Male\u3000", "\u202eMale\u202c", "Male\ufe0f", "M\u034fale", "M\u115fale"} {
		key, ok := anonymize.AppendFolded(nil, []byte(in))
		assert.True(t, ok, "%q", in)
		assert.Equal(t, want, string(key), "AppendFolded(%q)", in)
	}
	composed, _ := anonymize.AppendText(nil, []byte("José"))
	decomposed, _ := anonymize.AppendText(nil, []byte("Jose\u0301"))
	assert.Equal(t, composed, decomposed, "normal forms C and D are one text")
	for _, pair := range [][2]string{{"straße", "STRASSE"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"ﬁn", "FIN"}, {"É", "e\u0301"}, {"ℌ", "h"}} {
		a, _ := anonymize.AppendFolded(nil, []byte(pair[0]))
		b, _ := anonymize.AppendFolded(nil, []byte(pair[1]))
		assert.Equal(t, string(a), string(b), pair)
	}
}

func TestAppendTextKeepsWhatIsSeenAndNothingElse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Sport", "Sport"}, {"  a   b ", "a b"}, {"a\tb\r\nc", "a b c"}, {"a\u200b b", "a b"}, {"m²", "m²"}, {"Ｍale", "Ｍale"}, {"日本", "日本"}, {"a \u0001 b", "a b"},
	} {
		got, ok := anonymize.AppendText([]byte("x:"), []byte(c.in))
		assert.True(t, ok, "%q", c.in)
		assert.Equal(t, "x:"+c.want, string(got), "AppendText(%q)", c.in)
	}
	for _, bad := range []string{"", "   ", "\u200b\u200e", "\xff", "a\xc3", strings.Repeat("a", anonymize.MaxText+1), strings.Repeat("\u200b", 5000) + "a", strings.Repeat("é", 129)} {
		got, ok := anonymize.AppendText([]byte("x:"), []byte(bad))
		assert.False(t, ok, "%q", bad)
		assert.Equal(t, "x:", string(got), "dst is as it was")
		got, ok = anonymize.AppendFolded([]byte("x:"), []byte(bad))
		assert.False(t, ok, "%q", bad)
		assert.Equal(t, "x:", string(got), "dst is as it was")
	}
	got, ok := anonymize.AppendText(nil, bytes.Repeat([]byte("a"), anonymize.MaxText))
	assert.True(t, ok)
	assert.Len(t, got, anonymize.MaxText)
}

func FuzzCanonicalText(f *testing.F) {
	for _, seed := range []string{"Male", "e\u0301", "\u200b", "İ", "ß", "\ufdfa", "a\u0300\u0315\u0300", "ῼ", "\u0345\u0301", strings.Repeat("\u0301", 40), "㎨ ﷺ", "\u1e9e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if label, ok := anonymize.AppendText(nil, []byte(in)); ok {
			again, ok := anonymize.AppendText(nil, label)
			if !ok || !bytes.Equal(label, again) {
				t.Fatalf("AppendText(%q) = %q, and of that %q", in, label, again)
			}
			if !utf8.Valid(label) || len(label) > anonymize.MaxText || !norm.NFC.IsNormal(label) || bytes.ContainsFunc(label, isHidden) {
				t.Fatalf("AppendText(%q) = %q is no label", in, label)
			}
		}
		if key, ok := anonymize.AppendFolded(nil, []byte(in)); ok {
			again, ok := anonymize.AppendFolded(nil, key)
			if ok && !bytes.Equal(key, again) {
				t.Fatalf("AppendFolded(%q) = %q, and of that %q", in, key, again)
			}
		}
	})
}

// isHidden leaves out U+034F, which the normal form itself puts between long runs of accents.
func isHidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }

func TestCellsOfEveryKindHaveOneText(t *testing.T) {
	for _, c := range []struct {
		in   anonymize.Value
		want string
	}{
		{integer(-7), "-7"}, {float(1), "1"}, {float(math.Copysign(0, -1)), "0"}, {float(0.5), "0.5"}, {boolean(1), "true"}, {boolean(0), "false"}, {text(" A "), "A"},
	} {
		got, ok := c.in.AppendText(nil)
		assert.True(t, ok)
		assert.Equal(t, c.want, string(got))
	}
	for _, v := range []anonymize.Value{{}, float(math.NaN()), float(math.Inf(1)), {Kind: anonymize.Time, Valid: true, Int: 5}} {
		_, ok := v.AppendText(nil)
		assert.False(t, ok)
		_, ok = v.AppendFolded(nil)
		assert.False(t, ok)
	}
}

func TestWholeReadsWholeNumbersOnly(t *testing.T) {
	for _, v := range []anonymize.Value{integer(1984), float(1984), text("1984"), text(" 1984.0 "), text("1.984e3"), text("+1984.00")} {
		n, ok := v.Whole()
		assert.True(t, ok)
		assert.Equal(t, int64(1984), n)
	}
	for _, v := range []anonymize.Value{{}, text(""), text("1984.5"), text("１９８４"), text("0x7c0"), text("1e30"), float(1984.5), float(math.NaN()), float(math.Inf(-1)), boolean(1), integer(math.MaxInt64)} {
		_, ok := v.Whole()
		assert.False(t, ok, "%v", v)
	}
}

func TestPlainTextAllocatesNothing(t *testing.T) {
	consent, err := anonymize.NewConsent("share_ok", "yes")
	require.NoError(t, err)
	v, dst := text(" Yes "), make([]byte, 0, anonymize.MaxText)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = v.AppendText(dst)
		_ = consent.Check(v)
		_, _ = v.Whole()
	}))
}

func TestValuesPrintTheirKindOnly(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "<text>", fmt.Sprintf(verb, text("canary")))
		assert.Equal(t, "<null>", fmt.Sprintf(verb, anonymize.Value{Bytes: []byte("canary")}))
	}
}
