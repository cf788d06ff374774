// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"net/netip"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// appendEmail appends the folded address without its tag.
func appendEmail(dst, text []byte) ([]byte, bool) {
	start := len(dst)
	out, ok := anonymize.AppendFolded(dst, text)
	if !ok {
		return dst, false
	}
	address := foldTurkish(out[start:])
	address = bytes.TrimSuffix(address, []byte("."))
	at := bytes.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 || bytes.ContainsAny(address, ` "<>(),;`) {
		return dst, false
	}
	local := address[:at]
	if plus := bytes.IndexByte(local, '+'); plus > 0 {
		address = append(address[:plus], address[at:]...)
	}
	return out[:start+len(address)], true
}

// foldTurkish makes the dotless ı, and the i with a separate dot that İ folds to, an i, in place.
// Turkish software writes "ALİ" and "alı" for "ali" and "ALI".
func foldTurkish(text []byte) []byte {
	if isASCII(text) {
		return text
	}
	out := text[:0]
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == 'ı':
			out = append(out, 'i')
		case r == '\u0307' && len(out) > 0 && out[len(out)-1] == 'i':
		default:
			out = append(out, text[i:i+n]...)
		}
		i += n
	}
	return out
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// The lengths of an E.164 number with its country code. The standard sets the upper one; below the
// lower one stand short codes and extensions, which are not people.
const (
	minPhoneDigits = 7
	maxPhoneDigits = 15
)

// appendPhone appends the digits of an international number.
func appendPhone(dst, text []byte) ([]byte, bool) {
	start := len(dst)
	text = scalar.TrimSpace(text)
	if len(text) > 4 && bytes.EqualFold(text[:4], []byte("tel:")) {
		text = text[4:]
	}
	out, plus := dst, false
	for len(text) > 0 {
		// "(0)" is the digit to dial within the country, not part of the international number.
		if len(out) > start && bytes.HasPrefix(text, []byte("(0)")) {
			text = text[3:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		switch digit, ok := digitValue(r); {
		case ok:
			out = append(out, '0'+digit)
		case (r == '+' || r == '＋') && len(out) == start && !plus:
			plus = true
		case !isPhoneSeparator(r) || r == utf8.RuneError:
			return dst, false
		}
		if len(out)-start > maxPhoneDigits+2 {
			return dst, false
		}
	}
	return international(dst, out, plus)
}

// international checks the digits of out beyond dst and cuts the 00 that stands for a plus sign.
func international(dst, out []byte, plus bool) ([]byte, bool) {
	digits := out[len(dst):]
	if !plus {
		if !bytes.HasPrefix(digits, []byte("00")) {
			return dst, false
		}
		copy(digits, digits[2:])
		digits = digits[:len(digits)-2]
	}
	if len(digits) < minPhoneDigits || len(digits) > maxPhoneDigits || digits[0] == '0' {
		return dst, false
	}
	return out[:len(dst)+len(digits)], true
}

func isPhoneSeparator(r rune) bool {
	return r == '.' || r == '/' || r == '(' || r == ')' || r == '（' || r == '）' ||
		unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf)
}

// appendUUID appends the 16 bytes of a UUID.
func appendUUID(dst, text []byte) ([]byte, bool) {
	var id [16]byte
	if len(text) == len(id) {
		copy(id[:], text)
	} else if !decodeUUID(&id, scalar.TrimSpace(text)) {
		return dst, false
	}
	if isUniform(id) {
		return dst, false
	}
	return append(dst, id[:]...), true
}

// isUniform recognises the nil and the max UUID of RFC 9562, which stand for none.
func isUniform(id [16]byte) bool {
	return (id[0] == 0 || id[0] == 0xff) && bytes.Count(id[:], id[:1]) == len(id)
}

func decodeUUID(id *[16]byte, text []byte) bool {
	if prefix := "urn:uuid:"; len(text) > len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix)) {
		text = text[len(prefix):]
	}
	if n := len(text); n > 2 && text[0] == '{' && text[n-1] == '}' {
		text = text[1 : n-1]
	}
	n := 0
	for _, c := range text {
		if c == '-' {
			continue
		}
		digit := hexDigit(c)
		if n == 2*len(id) || digit > 15 {
			return false
		}
		id[n/2] = id[n/2]<<4 | digit
		n++
	}
	return n == 2*len(id)
}

// hexDigit returns the value of a hexadecimal digit, more than 15 for anything else.
func hexDigit(c byte) byte {
	if c >= '0' && c <= '9' {
		return c - '0'
	}
	if c |= 0x20; c >= 'a' && c <= 'f' {
		return c - 'a' + 10
	}
	return 255
}

// maxIPText is the longest spelling of an address that is looked at: a zone may follow it.
const maxIPText = 128

// appendIP appends the 4 or 16 bytes of an address.
func appendIP(dst, text []byte) ([]byte, bool) {
	text = scalar.TrimSpace(text)
	if len(text) > maxIPText {
		return dst, false
	}
	s := string(text)
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		s = s[1 : n-1]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return dst, false
		}
		addr = withPort.Addr()
	}
	addr = addr.WithZone("").Unmap()
	if addr.IsUnspecified() {
		return dst, false
	}
	if addr.Is4() {
		b := addr.As4()
		return append(dst, b[:]...), true
	}
	b := addr.As16()
	return append(dst, b[:]...), true
}

// appendIntText appends the canonical digits of an integer.
func appendIntText(dst, text []byte) ([]byte, bool) {
	var buf [20]byte // a sign and the 19 digits of an int64
	digits := buf[:0]
	text = scalar.TrimSpace(text)
	switch {
	case len(text) > 0 && text[0] == '-':
		digits = append(digits, '-')
		text = text[1:]
	case len(text) > 0 && text[0] == '+':
		text = text[1:]
	}
	sign, seen := len(digits), false
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		digit, ok := digitValue(r)
		if !ok || len(digits) == cap(digits) {
			return dst, false
		}
		seen = true
		if digit != 0 || len(digits) > sign {
			digits = append(digits, '0'+digit)
		}
	}
	if !seen {
		return dst, false
	}
	i, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return dst, false
	}
	return appendInt(dst, i)
}

// digitValue returns the value of a decimal digit of any script. Unicode encodes them in runs of ten
// that ascend from zero.
func digitValue(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r - '0'), true
	}
	if r < utf8.RuneSelf || !unicode.IsDigit(r) {
		return 0, false
	}
	for _, run := range unicode.Nd.R16 {
		if r <= rune(run.Hi) {
			return byte((r - rune(run.Lo)) % 10), true
		}
	}
	for _, run := range unicode.Nd.R32 {
		if r <= rune(run.Hi) {
			return byte((r - rune(run.Lo)) % 10), true
		}
	}
	return 0, false
}
