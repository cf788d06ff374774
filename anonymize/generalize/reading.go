// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/throngdp/throng/anonymize"
)

// maxLength is the longest prefix that a policy can ask for. What is longer is a text of its own.
const maxLength = 64

// reading is what a way of reading leaves of a text, nil for the ways that read no text.
func reading(s Spec) func([]byte) string {
	switch s.As {
	case anonymize.AsRegistrableDomain:
		return registrableDomain
	case anonymize.AsBrowserFamily:
		return func(text []byte) string { return agent(text, families) }
	case anonymize.AsDeviceClass:
		return func(text []byte) string { return agent(text, devices) }
	case anonymize.AsPrefix:
		return func(text []byte) string { return prefixOf(text, s.Length) }
	case anonymize.AsPhone:
		return func(text []byte) string { return plus(phoneDigits(text)) }
	case anonymize.AsPhoneCountry:
		return phoneCountry
	case anonymize.AsPhoneArea:
		return phoneArea
	case anonymize.AsIPNetwork:
		return s.Bits.network
	}
	return nil
}

// checkTextReading reports the settings of a reading that are missing, out of range or without it.
func checkTextReading(s Spec) error {
	faults := []error{s.Bits.check()}
	if s.As != anonymize.AsIPNetwork && s.Bits != (Bits{}) {
		faults = append(faults, errors.New("want bits only together with as: ip_network; remove them"))
	}
	if s.As == anonymize.AsPhone && (s.Lookup == nil || s.Lookup.by != ByPrefix) {
		faults = append(faults, errors.New("want a lookup by prefix for as: phone; add it, or write as: phone_country"))
	}
	if s.As != "" && s.Lookup != nil && s.Lookup.by == ByNetwork {
		faults = append(faults, fmt.Errorf("want no reading before a lookup by network, got %q; remove it", string(s.As)))
	}
	switch {
	case s.As == anonymize.AsPrefix && (s.Length < 1 || s.Length > maxLength):
		faults = append(faults, fmt.Errorf("want a length of 1 to %d characters for a prefix, got %d; correct it", maxLength, s.Length))
	case s.As != anonymize.AsPrefix && s.Length != 0:
		faults = append(faults, errors.New("want a length only together with as: prefix; remove it"))
	}
	return errors.Join(faults...)
}

// compact is the spelling under which codes that people group with spaces and hyphens are one: upper case,
// without white space and dashes, in compatibility form. "sw1a-1aa" and "ＳＷ1Ａ 1ＡＡ" are "SW1A1AA".
func compact(text []byte) (string, bool) {
	var buf [anonymize.MaxText]byte
	folded, ok := anonymize.AppendFolded(buf[:0], text)
	if !ok {
		return "", false
	}
	out := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, string(folded))
	return out, out != ""
}

// prefixOf returns the first n characters of a code, "" where it has fewer.
func prefixOf(text []byte, n int64) string {
	code, ok := compact(text)
	if !ok || int64(utf8.RuneCountInString(code)) < n {
		return ""
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(code[at:])
		at += size
	}
	return code[:at]
}
