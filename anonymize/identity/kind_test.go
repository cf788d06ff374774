// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/identity"
)

var kinds = []identity.Kind{identity.Opaque, identity.Email, identity.Phone, identity.UUID, identity.IP, identity.Int}

func text(s string) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(s)}
}

func integer(i int64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Int, Valid: true, Int: i}
}

func float(f float64) anonymize.Value {
	return anonymize.Value{Kind: anonymize.Float, Valid: true, Float: f}
}

func TestAttackD04SpellingsOfOneIDAreOneUnit(t *testing.T) {
	for _, c := range []struct {
		kind identity.Kind
		want string
		in   []anonymize.Value
	}{
		{identity.Email, "a@x.com", []anonymize.Value{text("A@X.com"), text("a@x.com "), text("\ta@x.com\n"), text("a+tag@x.com"), text("a+b+c@X.COM"), text("ａ＠ｘ.com"), text("a\u200b@x.com"), text("a@x.com.")}},
		{identity.Email, "ali@x.com", []anonymize.Value{text("ALI@x.com"), text("ALİ@x.com"), text("ALI\u0307@x.com"), text("ali\u0307@x.com"), text("alı@x.com")}},
		{identity.Email, "strasse@x.com", []anonymize.Value{text("straße@x.com"), text("STRASSE@x.com"), text("STRAẞE@x.com")}},
		{identity.Email, "josé@bücher.example", []anonymize.Value{text("josé@bücher.example"), text("JOSE\u0301@BU\u0308CHER.example")}},
		{identity.Phone, "442079460958", []anonymize.Value{text("+442079460958"), text("+44 20 7946 0958"), text("0044 (20) 7946-0958"), text("+44 (0)20 7946 0958"), text("tel:+44-20-7946-0958"), text("＋４４ ２０ ７９４６ ０９５８"), text("(+44) 20.7946.0958"), text("+٤٤٢٠٧٩٤٦٠٩٥٨"), text("+44\u00a020\u20117946\u200b0958")}},
		{identity.UUID, "\xf8\x1d\x4f\xae\x7d\xec\x11\xd0\xa7\x65\x00\xa0\xc9\x1e\x6b\xf6", []anonymize.Value{
			text("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), text("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"), text("f81d4fae7dec11d0a76500a0c91e6bf6"), text(" {f81d4fae-7dec-11d0-a765-00a0c91e6bf6} "),
			text("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), text("URN:UUID:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"), text("\xf8\x1d\x4f\xae\x7d\xec\x11\xd0\xa7\x65\x00\xa0\xc9\x1e\x6b\xf6")}},
		{identity.IP, "\xc0\x00\x02\x01", []anonymize.Value{text("192.0.2.1"), text("::ffff:192.0.2.1"), text("::FFFF:c000:201"), text(" 192.0.2.1 "), text("192.0.2.1:443"), text("0:0:0:0:0:ffff:c000:0201")}},
		{identity.IP, "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01", []anonymize.Value{text("2001:db8::1"), text("2001:0DB8:0:0:0:0:0:1"), text("[2001:db8::1]"), text("[2001:db8::1]:443"), text("2001:db8::1%eth0"), text("2001:db8:0::0:1")}},
		{identity.Int, "7", []anonymize.Value{text("7"), text("007"), text(" +7 "), text("７"), text("٠٠٧"), integer(7), float(7)}},
		{identity.Int, "-7", []anonymize.Value{text("-7"), text("-007"), integer(-7)}},
		{identity.Int, "9223372036854775807", []anonymize.Value{text("09223372036854775807"), integer(math.MaxInt64)}},
		{identity.Int, "-9223372036854775808", []anonymize.Value{text("-9223372036854775808"), integer(math.MinInt64)}},
		{identity.Opaque, "7", []anonymize.Value{text("7"), integer(7), float(7)}},
	} {
		for _, v := range c.in {
			got, ok := c.kind.Append([]byte("x"), v)
			assert.True(t, ok, "%s %q", c.kind, v.Bytes)
			assert.Equal(t, "x"+c.want, string(got), "%s %q", c.kind, v.Bytes)
		}
	}
}

func TestOpaqueIDsAreByteExact(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range []string{"a", "A", " a", "a ", "é", "e\u0301", "007", "7", "\xff", "\xfe", "a\u200b", "7.0"} {
		got, ok := identity.Opaque.Append(nil, text(in))
		require.True(t, ok, in)
		assert.Equal(t, in, string(got))
		seen[string(got)] = true
	}
	assert.Len(t, seen, 12)
}

func TestAttackD05DefaultIDsAreNobody(t *testing.T) {
	words := []string{"", " ", "\t\n", "0", "00000", "-", "--", "0.0", "null", "NULL", " Null ", "<null>", "(null)", "nil", "<nil>", "None", "(none)", "undefined", "Unknown", "anonymous",
		"n/a", "NaN", "(not set)", `\N`, "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "00000000000000000000000000000000",
		"0.0.0.0", "::", "0:0:0:0:0:0:0:0", "\x00\x00\x00\x00\x00\x00\x00\x00", strings.Repeat("\x00", 16)}
	for _, kind := range kinds {
		values := []anonymize.Value{{}, integer(0), float(0), float(math.Copysign(0, -1)), float(math.NaN()), float(math.Inf(1)), float(1 << 53), float(1.5),
			{Kind: anonymize.Bool, Valid: true, Int: 1}, {Kind: anonymize.Time, Valid: true, Int: 1}, text(strings.Repeat("a", 5000))}
		for _, word := range words {
			values = append(values, text(word))
		}
		for _, v := range values {
			got, ok := kind.Append([]byte("x"), v)
			assert.False(t, ok, "%s %q", kind, v.Bytes)
			assert.Equal(t, "x", string(got), "dst is as it was")
		}
	}
	for kind, in := range map[identity.Kind]string{
		identity.UUID: "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", identity.IP: "::ffff:0.0.0.0", identity.Email: "unknown", identity.Int: "-0",
	} {
		_, ok := kind.Append(nil, text(in))
		assert.False(t, ok, in)
	}
	_, ok := identity.Opaque.Append(nil, text("nullable"))
	assert.True(t, ok, "only the whole word is a default")
	_, ok = identity.Kind("").Append(nil, text("a"))
	assert.False(t, ok, "the zero kind knows nobody")
}

func TestWhatIsNotAnIDOfItsKindIsNobody(t *testing.T) {
	for kind, texts := range map[identity.Kind][]string{
		identity.Email: {"a", "@x.com", "a@", "a b@x.com", "<a@x.com>", "a@x.com, b@x.com", "a@x.com;b@x.com", "\xff@x.com", strings.Repeat("a", 300) + "@x.com"},
		identity.Phone: {"079460958123", "447946095812", "+1", "+123456", "+1234567890123456", "+44 20 7946 x12", "+0442079460958", "++442079460958", "44+2079460958", "+", "00", "+44\xff2079460958", "000442079460958"},
		identity.UUID:  {"f81d4fae-7dec-11d0-a765-00a0c91e6bf", "f81d4fae-7dec-11d0-a765-00a0c91e6bf61", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", "urn:uuid:", "{}", "7"},
		identity.IP:    {"192.0.2", "192.0.2.256", "192.0.2.01", "x", "2001:db8::1::2", "192.0.2.1/24", strings.Repeat("1", 200)},
		identity.Int:   {"1984.0", "1e3", "0x10", "1_000", "7a", "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "+", "-", "+-7", "²"},
	} {
		for _, in := range texts {
			got, ok := kind.Append([]byte("x"), text(in))
			assert.False(t, ok, "%s %q = %q", kind, in, got)
			assert.Equal(t, "x", string(got))
		}
	}
}

func TestOnlyIntegerKindsAcceptNumbers(t *testing.T) {
	for _, kind := range kinds {
		_, ok := kind.Append(nil, integer(447946095812))
		assert.Equal(t, kind == identity.Opaque || kind == identity.Int, ok, kind)
		assert.Equal(t, ok, kind.Accepts(anonymize.Int))
		assert.True(t, kind.Accepts(anonymize.Bytes))
		assert.False(t, kind.Accepts(anonymize.Bool) || kind.Accepts(anonymize.Time))
		parsed, err := identity.ParseKind(string(kind))
		require.NoError(t, err)
		assert.Equal(t, kind, parsed)
	}
	_, err := identity.ParseKind("Email")
	assert.EqualError(t, err, "want one of opaque, email, phone, uuid, ip, int; choose one")
}

// The values of digits are computed from the shape of Unicode's table; this holds it to that shape.
func TestUnicodeDigitsComeInRunsOfTen(t *testing.T) {
	for _, run := range unicode.Nd.R16 {
		assert.True(t, run.Stride == 1 && (run.Hi-run.Lo+1)%10 == 0, "%x", run.Lo)
	}
	for _, run := range unicode.Nd.R32 {
		assert.True(t, run.Stride == 1 && (run.Hi-run.Lo+1)%10 == 0, "%x", run.Lo)
	}
	got, ok := identity.Int.Append(nil, text("𝟕𝟘𝟡"))
	assert.True(t, ok)
	assert.Equal(t, "709", string(got))
}

func TestPlainIDsAllocateNothing(t *testing.T) {
	dst := make([]byte, 0, 64)
	for kind, in := range map[identity.Kind]string{
		identity.Opaque: "visitor-123", identity.Email: " Ann+news@Example.com", identity.Phone: "+44 20 7946 0958",
		identity.UUID: "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", identity.Int: "000123",
	} {
		v := text(in)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = kind.Append(dst, v) }), kind)
	}
}

func FuzzCanonicalIDs(f *testing.F) {
	for _, seed := range []string{"A@X.com", "İ+ı@ß.example", "+44 (0)20 7946 0958", "{F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6}", "::ffff:1.2.3.4%a", "-007", "\xff", "i\u0307@x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, kind := range kinds {
			got, ok := kind.Append([]byte("x"), text(in))
			if !ok && string(got) != "x" || ok && len(got) < 2 {
				t.Fatalf("%s(%q) = %q, %v", kind, in, got, ok)
			}
			if !ok {
				continue
			}
			// What is canonical stays so.
			again := string(got[1:])
			switch kind {
			case identity.Phone:
				again = "+" + again
			case identity.IP:
				addr, _ := netip.AddrFromSlice(got[1:])
				again = addr.String()
			}
			twice, ok := kind.Append([]byte("x"), text(again))
			if !ok && kind == identity.Email {
				continue // folding can make an address longer than the limit
			}
			if !bytes.Equal(got, twice) {
				t.Fatalf("%s(%q) = %q, and of that %q", kind, in, got, twice)
			}
		}
	})
}

func ExampleKind_Append() {
	for _, in := range []string{"Ann+news@Example.com", " ann@example.com", "(not set)"} {
		id, ok := identity.Email.Append(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(in)})
		fmt.Printf("%q %v\n", id, ok)
	}
	// Output:
	// "ann@example.com" true
	// "ann@example.com" true
	// "" false
}

// What one look takes for an id is one, under all spaces, zeros and words that stand for nobody.
func TestIsPlainIsNeverWrong(t *testing.T) {
	parts := []string{"", " ", "\t", "0", "00000000", "0000-0000", "{0}", ".", "null", "(not set)", "n/a", "a", "x7", "\u00a0", "\x00", "é", "1"}
	plain := 0
	for _, a := range parts {
		for _, b := range parts {
			for _, c := range parts {
				id := []byte(a + b + c)
				if !identity.IsPlain(id) {
					continue
				}
				plain++
				got, ok := identity.Opaque.Append(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: id})
				assert.True(t, ok, "%q", id)
				assert.Equal(t, string(id), string(got))
				trimmed := strings.Trim(string(id), " \t\n\r\v\f\u00a0")
				assert.Equal(t, trimmed, string(id))
				assert.NotEmpty(t, strings.Trim(trimmed, "0-.:{}\x00"), "%q", id)
			}
		}
	}
	assert.Greater(t, plain, 50)
	assert.True(t, identity.IsPlain([]byte("0a1b2c3d4e5f6071")))
	assert.False(t, identity.IsPlain([]byte("0000000000000000")))
}
