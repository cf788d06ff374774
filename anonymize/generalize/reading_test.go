// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func labelOf(t *testing.T, s generalize.Spec, text string) string {
	t.Helper()
	l, err := generalize.NewLabeler(s)
	require.NoError(t, err)
	label, _ := l.Label(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)})
	return string(label)
}

// TestAttackI13OnlyTheRegistrableDomainSurvives gives URLs as they come, with a canary wherever a person can
// stand in one.
func TestAttackI13OnlyTheRegistrableDomainSurvives(t *testing.T) {
	spec := generalize.Spec{As: anonymize.AsRegistrableDomain}
	for text, want := range map[string]string{
		"https://canary:canary@canary.blog.example.co.uk/reset/canary?email=canary%2540b.c#canary": "example.co.uk",
		"HTTPS://WWW.Example.COM:8443/canary":                                                      "example.com",
		"http://example.com.":                                                                      "example.com",
		"  //canary.cdn.example.org/canary ":                                                       "example.org",
		"www.bbc.co.uk":                                                                            "bbc.co.uk",
		"m.example.de/canary":                                                                      "example.de",
		"example.de:80":                                                                            "example.de",
		"https://canary.github.io/":                                                                "github.io",
		"https://canary.s3.amazonaws.com/canary":                                                   "amazonaws.com",
		"https://bücher.example.de/canary":                                                         "example.de",
		"https://canary.bücher.de":                                                                 "xn--bcher-kva.de",
		"https://xn--bcher-kva.de/":                                                                "xn--bcher-kva.de",
		"http://example.com\\canary@evil.org/":                                                     "example.com",
		"https://a@b@example.net?u=canary":                                                         "example.net",
		"https://google.com/search?q=canary+canary":                                                "google.com",
		// What has no registrable domain is unknown.
		"https://co.uk/": "unknown", "com": "unknown", "localhost": "unknown", "http://intranet/canary": "unknown",
		"http://canary.corp.internal/": "unknown", "http://192.0.2.7/canary": "unknown", "192.0.2.7": "unknown",
		"http://[2001:db8::1]:80/": "unknown", "2001:db8::1": "unknown", "canary@example.com": "unknown",
		"mailto:canary@example.com": "unknown", "data:text/html,canary.example.com": "unknown",
		"javascript:canary.example.com": "unknown", "android-app://com.canary.example/": "unknown",
		"http://%63anary.com": "unknown", "": "unknown", "   ": "unknown", "-": "unknown", "http://": "unknown",
		"http://.com/": "unknown", "https://ex ample.com": "unknown", "\xff\xfe.com": "unknown",
	} {
		got := labelOf(t, spec, text)
		assert.Equal(t, want, got, text)
		assert.NotContains(t, got, "canary")
	}
	assert.Equal(t, "unknown", labelOf(t, spec, strings.Repeat("a.", 40_000)+"com"))
	assert.Equal(t, "search", labelOf(t, generalize.Spec{As: anonymize.AsRegistrableDomain,
		Values: map[string]string{"google.com": "search", "bing.com": "search"}, Otherwise: "other"}, "https://www.google.com/?q=canary"))
	l, err := generalize.NewLabeler(spec)
	require.NoError(t, err)
	for _, v := range []anonymize.Value{{}, {Kind: anonymize.Int, Valid: true, Int: 7}} {
		label, known := l.Label(nil, v)
		assert.Equal(t, "unknown", string(label))
		assert.False(t, known)
	}
}

func TestUserAgentsLeaveBrowserAndDevice(t *testing.T) {
	const mozilla = "Mozilla/5.0 "
	for text, want := range map[string][2]string{
		mozilla + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                            {"chrome", "desktop"},
		mozilla + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":              {"edge", "desktop"},
		mozilla + "(Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                         {"safari", "desktop"},
		mozilla + "(iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1":     {"chrome", "phone"},
		mozilla + "(iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":             {"safari", "tablet"},
		mozilla + "(Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": {"samsung_internet", "phone"},
		mozilla + "(Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                             {"chrome", "tablet"},
		mozilla + "(X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0":                                                                     {"firefox", "desktop"},
		mozilla + "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                   {"bot", "bot"},
		mozilla + "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36":                              {"bot", "bot"},
		"curl/8.5.0": {"bot", "bot"}, "python-requests/2.31": {"bot", "bot"},
		mozilla + "(Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                         {"internet_explorer", "desktop"},
		mozilla + "(SMART-TV; Linux; Tizen 7.0) AppleWebKit/538.1 SamsungBrowser/3.0 TV Safari/538.1": {"samsung_internet", "tv"},
		"something canary": {"other", "other"}, "": {"unknown", "unknown"}, "-": {"unknown", "unknown"}, "Chrome": {"chrome", "other"},
	} {
		assert.Equal(t, want[0], labelOf(t, generalize.Spec{As: anonymize.AsBrowserFamily}, text), text)
		assert.Equal(t, want[1], labelOf(t, generalize.Spec{As: anonymize.AsDeviceClass}, text), text)
	}
	known := generalize.Spec{As: anonymize.AsDeviceClass, Groups: []string{"phone", "rest"}, Otherwise: "rest"}
	assert.Equal(t, "phone", labelOf(t, known, "phone"))
	assert.Equal(t, "rest", labelOf(t, known, "curl/8.5.0"))
}

func TestFaultsOfReadings(t *testing.T) {
	for _, s := range []generalize.Spec{
		{As: anonymize.AsRegistrableDomain, Bands: []int64{1, 2}},
		{As: anonymize.AsDeviceClass, Grain: "day"},
		{As: "domain"},
	} {
		_, err := generalize.NewLabeler(s)
		assert.ErrorContains(t, err, "want", string(s.As))
	}
}

func FuzzRegistrableDomain(f *testing.F) {
	for _, seed := range []string{"https://a:b@c.example.co.uk:1/x?y#z", "//x.y", "a@b.com", "http://[::1]/", "xn--.com"} {
		f.Add(seed)
	}
	l, err := generalize.NewLabeler(generalize.Spec{As: anonymize.AsRegistrableDomain})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		label, _ := l.Label(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(text)})
		for _, c := range label {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
				t.Fatalf("a byte %q in a domain", c)
			}
		}
		if s := string(label); s != "unknown" && (strings.Count(s, ".") < 1 || len(s) > 253) {
			t.Fatal("no domain")
		}
	})
}
