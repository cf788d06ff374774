// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/anonymize/detect"
)

// identifiers are made up, or those that their issuers give as examples.
var identifiers = map[detect.Kind][]string{
	detect.Email: {
		"anna.meier@example.org", "mailto:a@b.co", "Anna <anna@example.com>", "x+tag@sub.example.co.uk",
		"/unsubscribe?for=anna%40example.org", "anna%2540example.org", "jürgen@exämple.de",
	},
	detect.Phone: {
		"+49 30 901820", "+14155552671", "+1 (415) 555-2671", "(415) 555-2671", "415-555-2671", "0033 1 40 20 50 50",
		"030 901820-0", "01 40 20 50 50", "tel: 5552671", "phone=4155552671", "whatsapp 491701234567",
	},
	detect.IP: {"203.0.113.7", "client 198.51.100.23:8080", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a"},
	detect.IBAN: {
		"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "gb29nwbk60161331926819", "FR14 2004 1010 0505 0001 3M02 606",
	},
	detect.Card:        {"4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "378282246310005", "6011000990139424"},
	detect.NationalID:  {"078-05-1120", "AB 12 34 56 C", "86095742719", "12345678Z", "X1234567L", "RSSMRA85T10A562S", "44051401359", "529.982.247-25", "756.9217.0769.85", "255081416802538"},
	detect.DeviceID:    {"38400000-8cf0-11bd-b23e-10b96e40000d", "idfa=6D92078A-8246-4BA4-AE5B-76104861E7DC", "00:1A:2B:3C:4D:5E"},
	detect.JWT:         {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"},
	detect.Token:       {"5f4dcc3b5aa765d61d8327deb882cf99", "sid=a1b2c3d4e5f60718", "EAIaIQobChMI9vL6wq2K7wIVlsLtCh2xwA9b"},
	detect.Coordinates: {"52.520008, 13.404954", "37.7749,-122.4194", "lat=48.85837&lon=2.29448"},
	detect.BirthDate:   {"born 1984-02-29", "dob: 29.02.1984", "date of birth 01/02/1990", "birthdate=19840229"},
	detect.Person:      {"/users/anna", "https://example.org/u/4711?x=1", "/search?user=anna", "/@anna_m", "@anna_m", "?first_name=Anna&x=1"},
}

// ordinary is what dimensions of honest releases look like.
var ordinary = []string{
	"", "female", "unknown", "DE", "United States", "Bosnia and Herzegovina", "/", "/news/2024/03/election-results", "/products/shoes?size=42&color=red",
	"18-39", "60+", "2026-03-16", "2026-W12", "2026-03-16T14:00:00Z", "16.03.2026", "1234", "10115", "SW1A 1AA", "90210-1234", "iPhone 14 Pro Max",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Firefox/121.0.1.2", "version 10.15.7.1",
	"1920x1080", "€ 1.234,56", "1,234,567.89", "127.0.0.1", "255.255.255.0", "203.0.113.0/24", "app.5f4dcc3b5aa765d6.min.js", "logo@2x.png",
	"sku-000123", "B07XJ8C8F5", "9783161484100", "00000000-0000-0000-0000-000000000000", "internationalization", "Donaudampfschifffahrtsgesellschaft",
	"/users/login", "/user/settings", "utm_source=newsletter", "google / cpc", "3.14159", "52.5, 13.4", "12:34:56", "AS3320", "Rock 'n' Roll", "born in Berlin",
	"1700000000", "1700000000000", "course-2013J", "AAA-2013J", "#ff00aa", "UTF-8", "en-GB", "application/json", "?name=true",
}

func TestIdentifiersAreRecognised(t *testing.T) {
	for want, texts := range identifiers {
		for _, text := range texts {
			got, ok := detect.KindOf([]byte(text))
			assert.True(t, ok, text)
			assert.Equal(t, want.String(), got.String(), text)
		}
	}
}

func TestOrdinaryTextsAreNot(t *testing.T) {
	for _, text := range ordinary {
		got, ok := detect.KindOf([]byte(text))
		assert.False(t, ok, "%q is called %v", text, got)
	}
}

// TestAttackI12SpellingsHideNothing writes each identifier with characters that nobody sees, in full width,
// and in mathematical digits.
func TestAttackI12SpellingsHideNothing(t *testing.T) {
	wide := func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}
	bold := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '𝟎'
		}
		return r
	}
	for want, texts := range identifiers {
		for _, text := range texts {
			for name, spelt := range map[string]string{
				"zero width":  strings.Join(strings.Split(text, ""), "\u200b"),
				"soft hyphen": strings.Join(strings.Split(text, ""), "\u00ad"),
				"full width":  strings.Map(wide, text), "bold digits": strings.Map(bold, text),
			} {
				got, ok := detect.KindOf([]byte(spelt))
				assert.True(t, ok, "%s of %q", name, text)
				assert.Equal(t, want.String(), got.String(), "%s of %q", name, text)
			}
		}
	}
	got, ok := detect.KindOf([]byte("аnnа@ехаmрlе.оrg")) // Cyrillic letters among Latin ones
	assert.True(t, ok && got == detect.Email)
}

// TestCheckDigitsAreChecked changes one digit of each number that has a check digit.
func TestCheckDigitsAreChecked(t *testing.T) {
	for _, text := range []string{"DE89370400440532013000", "4111111111111111", "378282246310005", "86095742719", "12345678Z", "529.982.247-25", "756.9217.0769.85", "255081416802538"} {
		was, _ := detect.KindOf([]byte(text))
		changed := []byte(text)
		at := len(changed) - 4
		for changed[at] < '0' || changed[at] > '9' {
			at--
		}
		changed[at] = '0' + (changed[at]-'0'+1)%10
		got, ok := detect.KindOf(changed)
		assert.False(t, ok && got == was, "%s is still %v", changed, got)
	}
}

func TestColumnsAreSharesInCoarseSteps(t *testing.T) {
	for mails, want := range map[int]string{0: "none", 5: "few", 50: "some", 300: "many", 900: "most"} {
		var c detect.Column
		for i := range 1000 {
			if i < mails {
				c.Add(fmt.Appendf(nil, "someone%d@example.org", i))
			} else {
				c.Add([]byte("female"))
			}
		}
		assert.Equal(t, want, c.Share(detect.Email).String(), "%d of 1000", mails)
		assert.Equal(t, "none", c.Share(detect.Phone).String())
		assert.EqualValues(t, 1000, c.Texts())
		kind, share := c.Main()
		if mails == 0 {
			assert.Equal(t, "no identifier none", fmt.Sprint(kind, " ", share))
		} else {
			assert.Equal(t, detect.Email, kind)
		}
	}
}

func TestKindOfAllocatesNothing(t *testing.T) {
	texts := [][]byte{[]byte("/news/2024/03/election-results"), []byte("anna.meier@example.org"), []byte("+49 30 901820"), []byte("jürgen@exämple.de"), []byte("a%40b.co")}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, text := range texts {
			detect.KindOf(text)
		}
	}))
}

func FuzzKindOf(f *testing.F) {
	for _, texts := range identifiers {
		for _, text := range texts {
			f.Add([]byte(text))
		}
	}
	for _, text := range ordinary {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kind, ok := detect.KindOf(text)
		again, _ := detect.KindOf(text)
		if kind != again || ok != (kind != 0) {
			t.Fatal("not a function of the text")
		}
	})
}

func BenchmarkKindOf(b *testing.B) {
	for name, texts := range map[string][]string{"ordinary": ordinary, "odd": {"Café Zürich – Größe", "naïve façade"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			raw := make([][]byte, len(texts))
			for i, t := range texts {
				raw[i] = []byte(t)
			}
			for i := range b.N {
				detect.KindOf(raw[i%len(raw)])
			}
		})
	}
}
