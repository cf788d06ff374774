// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// literal reads word and returns the position after it.
func literal(buf []byte, i int, word string) int {
	if end := i + len(word); end <= len(buf) && string(buf[i:end]) == word {
		return end
	}
	return unsure
}

// number reads a number and returns the position after it.
func number(buf []byte, i int) int {
	if i+8 <= len(buf) {
		// The lowest of the eight bytes that has its high bit set is no digit.
		x := binary.LittleEndian.Uint64(buf[i:]) ^ ones*'0'
		n := bits.TrailingZeros64((x+ones*(0x80-10)|x)&(ones*0x80)) / 8
		if n < 8 && (n == 1 || n > 1 && buf[i] != '0') && buf[i+n] != '.' && buf[i+n]|0x20 != 'e' {
			return i + n
		}
	}
	return anyNumber(buf, i)
}

func anyNumber(buf []byte, i int) int {
	if i < len(buf) && buf[i] == '-' {
		i++
	}
	if i < len(buf) && buf[i] == '0' {
		i++
	} else if i = digits(buf, i); i == unsure {
		return unsure
	}
	if i < len(buf) && buf[i] == '.' {
		if i = digits(buf, i+1); i == unsure {
			return unsure
		}
	}
	if i < len(buf) && buf[i]|0x20 == 'e' {
		if i++; i < len(buf) && (buf[i] == '+' || buf[i] == '-') {
			i++
		}
		return digits(buf, i)
	}
	return i
}

// digits reads one digit or more.
func digits(buf []byte, i int) int {
	begin := i
	for i < len(buf) && buf[i]-'0' <= 9 {
		i++
	}
	if i == begin {
		return unsure
	}
	return i
}

// ones times a byte is that byte in each of eight.
const ones = 0x0101010101010101

// text reads a string whose opening quote stands before i and returns the position after it, and
// whether it has escapes.
func text(buf []byte, i int) (end int, escaped bool) {
	for i+8 <= len(buf) {
		// The lowest of the eight bytes that has its high bit set is a quote, a backslash, a control
		// character or not ASCII. Those above it may also be what they are not.
		x := binary.LittleEndian.Uint64(buf[i:])
		special := ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x
		if special &= ones * 0x80; special == 0 {
			i += 8
			continue
		}
		n := bits.TrailingZeros64(special) &^ 7
		if i += n / 8; byte(x>>n) == '"' {
			return i + 1, escaped
		}
		if i = character(buf, i); i == unsure {
			return unsure, false
		}
		escaped = escaped || byte(x>>n) == '\\'
	}
	for i < len(buf) {
		c := buf[i]
		if c == '"' {
			return i + 1, escaped
		}
		if i = character(buf, i); i == unsure {
			return unsure, false
		}
		escaped = escaped || c == '\\'
	}
	return unsure, false
}

// character reads one character of a string or one escape, and returns the position after it.
func character(buf []byte, i int) int {
	switch c := buf[i]; {
	case c < ' ':
		return unsure
	case c == '\\':
		return escape(buf, i+1)
	case c < utf8.RuneSelf:
		return i + 1
	}
	r, n := utf8.DecodeRune(buf[i:])
	if r == utf8.RuneError && n == 1 {
		return unsure
	}
	return i + n
}

// escape reads what follows a backslash and returns the position after it.
func escape(buf []byte, i int) int {
	if i >= len(buf) {
		return unsure
	}
	switch buf[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		high, ok := hex4(buf, i+1)
		if !ok {
			return unsure
		}
		if high < 0xd800 || high > 0xdfff {
			return i + 5
		}
		if high < 0xdc00 && i+7 <= len(buf) && buf[i+5] == '\\' && buf[i+6] == 'u' {
			if low, ok := hex4(buf, i+7); ok && 0xdc00 <= low && low <= 0xdfff {
				return i + 11
			}
		}
	}
	return unsure
}

func hex4(buf []byte, i int) (v uint32, ok bool) {
	if i+4 > len(buf) {
		return 0, false
	}
	for _, c := range buf[i : i+4] {
		v <<= 4
		switch {
		case c-'0' <= 9:
			v |= uint32(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v |= uint32(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return v, true
}
