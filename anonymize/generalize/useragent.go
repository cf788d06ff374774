// SPDX-License-Identifier: Apache-2.0

package generalize

import "strings"

// tokens is a label and the parts of a User-Agent header, in lower case, any of which gives it.
type tokens struct {
	label string
	any   []string
}

// bots name themselves, or are tools and libraries that no person browses with.
var bots = tokens{"bot", []string{
	"bot", "crawl", "spider", "slurp", "fetch", "scrap", "headless", "phantomjs", "selenium", "puppeteer", "playwright",
	"curl/", "wget/", "python-", "aiohttp", "httpx", "okhttp", "go-http-client", "java/", "libwww", "axios/", "node-",
	"facebookexternalhit", "preview", "monitor", "uptime", "lighthouse", "archive",
}}

// families are browsers. Each is a Chrome or a Safari by its header too, so that the more special come first.
var families = []tokens{
	bots,
	{"edge", []string{"edg/", "edga/", "edgios/", "edge/"}},
	{"opera", []string{"opr/", "opera", "opios/", "opt/"}},
	{"samsung_internet", []string{"samsungbrowser/"}},
	{"yandex", []string{"yabrowser/"}},
	{"uc_browser", []string{"ucbrowser/", "ubrowser/"}},
	{"duckduckgo", []string{"duckduckgo/", "ddg/"}},
	{"firefox", []string{"firefox/", "fxios/"}},
	{"chrome", []string{"chrome/", "crios/", "chromium/"}},
	{"safari", []string{"safari/"}},
	{"internet_explorer", []string{"msie ", "trident/"}},
}

// devices go by the words that browsers use for what they run on.
var devices = []tokens{
	bots,
	{"tv", []string{"smart-tv", "smarttv", "appletv", "apple tv", "googletv", "android tv", "hbbtv", "roku", "crkey", "bravia", "web0s", "netcast"}},
	{"console", []string{"playstation", "xbox", "nintendo"}},
	{"tablet", []string{"ipad", "tablet", "kindle", "silk/", "playbook"}},
	{"phone", []string{"iphone", "ipod", "mobile", "windows phone", "blackberry", "opera mini"}},
	{"tablet", []string{"android"}}, // without "mobile", as Chrome has it
	{"desktop", []string{"windows nt", "macintosh", "x11", "linux", "cros "}},
}

// otherAgent is the label of a User-Agent that none of the tokens knows.
const otherAgent = "other"

// maxUserAgent is as much of a header as is looked at.
const maxUserAgent = 4096

// agent returns the label of the first tokens that a User-Agent header has, "" where it is empty. A column that
// holds labels already keeps them.
func agent(text []byte, known []tokens) string {
	lower := strings.ToLower(strings.TrimSpace(string(text[:min(len(text), maxUserAgent)])))
	if lower == "" || lower == "-" {
		return ""
	}
	for _, t := range known {
		if lower == t.label {
			return t.label
		}
		for _, token := range t.any {
			if strings.Contains(lower, token) {
				return t.label
			}
		}
	}
	return otherAgent
}

// IsBot reports whether a User-Agent header names a robot, or a tool or library that no person browses with. An
// empty header and "-" name nobody, which is for the caller to judge: IsBot reports true, since no browser sends
// them.
func IsBot(userAgent []byte) bool {
	label := agent(userAgent, families)
	return label == bots.label || label == ""
}
