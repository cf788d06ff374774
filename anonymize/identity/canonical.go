// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"strconv"
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

// appendIP appends the 4 or 16 bytes of an address.
func appendIP(dst, text []byte) ([]byte, bool) {
	addr, ok := scalar.ParseAddr(text)
	switch {
	case !ok || addr.IsUnspecified():
		return dst, false
	case addr.Is4():
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
		digit, ok := scalar.DigitValue(r)
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
