// SPDX-License-Identifier: Apache-2.0

package scalar

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// The lengths of an E.164 number with its country code. The standard sets the upper one; below the
// lower one stand short codes and extensions, which are not people.
const (
	minPhoneDigits = 7
	maxPhoneDigits = 15
)

// AppendPhone appends the digits of an international number, country code first, or returns dst as it was and false:
// it must begin with a plus sign or 00 and have 7 to 15 digits.
func AppendPhone(dst, text []byte) ([]byte, bool) {
	start := len(dst)
	text = TrimSpace(text)
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
		switch digit, ok := DigitValue(r); {
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

// DigitValue returns the value of a decimal digit of any script. Unicode encodes them in runs of ten
// that ascend from zero.
func DigitValue(r rune) (byte, bool) {
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
