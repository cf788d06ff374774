// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// maxURL is the longest text in which a host is looked for.
const maxURL = 1 << 16

// registrableDomain returns the domain under a public suffix that a URL, a referrer or a bare host belongs to, in
// lower-case ASCII: "www.news.bbc.co.uk" is "bbc.co.uk". Nothing else of the text is left: no user, no
// subdomain, no path, query or fragment. It returns "" where there is none: an address, a name without a
// public suffix, a suffix itself, a scheme other than http and https, an email address.
//
// Only suffixes of registries count, not those that companies have put on the list for their customers: a page
// of alice.github.io belongs to github.io, since a customer's name is a person's.
func registrableDomain(text []byte) string {
	host := hostOf(text)
	if host == "" {
		return ""
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return ""
	}
	if _, err := netip.ParseAddr(ascii); err == nil || len(ascii) > 253 {
		return ""
	}
	labels := strings.Split(strings.ToLower(ascii), ".")
	for i := range labels { // the longest suffix comes first
		suffix := strings.Join(labels[i:], ".")
		if found, registry := publicsuffix.PublicSuffix(suffix); registry && found == suffix {
			if i == 0 || labels[i-1] == "" {
				return ""
			}
			return labels[i-1] + "." + suffix
		}
	}
	return ""
}

// hostOf returns the host of a URL or a bare host, without user and port, "" where the text is neither.
func hostOf(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > maxURL || !utf8.Valid(text) {
		return ""
	}
	scheme, rest, isURL := bytes.Cut(text, []byte("://"))
	switch {
	case isURL && !bytes.EqualFold(scheme, []byte("http")) && !bytes.EqualFold(scheme, []byte("https")):
		return ""
	case !isURL && bytes.HasPrefix(text, []byte("//")):
		rest, isURL = text[2:], true
	case !isURL:
		rest = text
	}
	if end := bytes.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	if at := bytes.LastIndexByte(rest, '@'); at >= 0 {
		if !isURL {
			return "" // an email address
		}
		rest = rest[at+1:]
	}
	host, port, _ := bytes.Cut(rest, []byte(":"))
	if bytes.ContainsAny(host, "[]%") || bytes.ContainsFunc(port, func(r rune) bool { return r < '0' || r > '9' }) {
		return "" // an IPv6 address, an escape, a scheme without a host
	}
	return strings.TrimSuffix(string(host), ".")
}
