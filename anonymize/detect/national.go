// SPDX-License-Identifier: Apache-2.0

package detect

import "bytes"

// lettered looks for ids made of letters and digits.
func lettered(t []byte) Kind {
	for i := 0; i+9 <= len(t); i++ {
		if !isAlnum(t[i]) || !startsAt(t, i) {
			continue
		}
		rest := t[i:]
		switch {
		case isLetter(t[i]) && isIBAN(rest):
			return IBAN
		case isNINO(rest), isSpanish(rest), isFiscal(rest):
			return NationalID
		}
	}
	return 0
}

// ibanLengths are the lengths by country of the SWIFT registry.
var ibanLengths = map[[2]byte]int{
	{'A', 'D'}: 24, {'A', 'E'}: 23, {'A', 'L'}: 28, {'A', 'T'}: 20, {'A', 'Z'}: 28, {'B', 'A'}: 20, {'B', 'E'}: 16,
	{'B', 'G'}: 22, {'B', 'H'}: 22, {'B', 'I'}: 27, {'B', 'R'}: 29, {'B', 'Y'}: 28, {'C', 'H'}: 21, {'C', 'R'}: 22,
	{'C', 'Y'}: 28, {'C', 'Z'}: 24, {'D', 'E'}: 22, {'D', 'J'}: 27, {'D', 'K'}: 18, {'D', 'O'}: 28, {'E', 'E'}: 20,
	{'E', 'G'}: 29, {'E', 'S'}: 24, {'F', 'I'}: 18, {'F', 'K'}: 18, {'F', 'O'}: 18, {'F', 'R'}: 27, {'G', 'B'}: 22,
	{'G', 'E'}: 22, {'G', 'I'}: 23, {'G', 'L'}: 18, {'G', 'R'}: 27, {'G', 'T'}: 28, {'H', 'N'}: 28, {'H', 'R'}: 21,
	{'H', 'U'}: 28, {'I', 'E'}: 22, {'I', 'L'}: 23, {'I', 'Q'}: 23, {'I', 'S'}: 26, {'I', 'T'}: 27, {'J', 'O'}: 30,
	{'K', 'W'}: 30, {'K', 'Z'}: 20, {'L', 'B'}: 28, {'L', 'C'}: 32, {'L', 'I'}: 21, {'L', 'T'}: 20, {'L', 'U'}: 20,
	{'L', 'V'}: 21, {'L', 'Y'}: 25, {'M', 'C'}: 27, {'M', 'D'}: 24, {'M', 'E'}: 22, {'M', 'K'}: 19, {'M', 'N'}: 20,
	{'M', 'R'}: 27, {'M', 'T'}: 31, {'M', 'U'}: 30, {'N', 'I'}: 28, {'N', 'L'}: 18, {'N', 'O'}: 15, {'O', 'M'}: 23,
	{'P', 'K'}: 24, {'P', 'L'}: 28, {'P', 'S'}: 29, {'P', 'T'}: 25, {'Q', 'A'}: 29, {'R', 'O'}: 24, {'R', 'S'}: 22,
	{'R', 'U'}: 33, {'S', 'A'}: 24, {'S', 'C'}: 31, {'S', 'D'}: 18, {'S', 'E'}: 24, {'S', 'I'}: 19, {'S', 'K'}: 24,
	{'S', 'M'}: 27, {'S', 'O'}: 23, {'S', 'T'}: 25, {'S', 'V'}: 28, {'T', 'L'}: 23, {'T', 'N'}: 24, {'T', 'R'}: 26,
	{'U', 'A'}: 29, {'V', 'A'}: 22, {'V', 'G'}: 24, {'X', 'K'}: 20, {'Y', 'E'}: 30,
}

// compact copies the letters and digits with which a text begins into buf, in upper case, single
// spaces and dashes between them cut. It returns how many of the text's bytes they take.
func compact(buf, t []byte) (n int, ok bool) {
	at := 0
	for n = 0; at < len(buf); n++ {
		if n >= len(t) {
			return 0, false
		}
		c := t[n]
		switch {
		case isLetter(c):
			buf[at] = c &^ 0x20
			at++
		case isDigit(c):
			buf[at] = c
			at++
		case c != ' ' && c != '-' || !isAlnum(t[n-1]):
			return 0, false
		}
	}
	return n, endsAt(t, n)
}

func isIBAN(t []byte) bool {
	if len(t) < 15 || !isLetter(t[1]) || !isDigit(t[2]) || !isDigit(t[3]) {
		return false
	}
	var buf [33]byte
	length, ok := ibanLengths[[2]byte{t[0] &^ 0x20, t[1] &^ 0x20}]
	if !ok {
		return false
	}
	iban := buf[:length]
	if _, ok := compact(iban, t); !ok {
		return false
	}
	rest := 0
	for i := range iban {
		c := iban[(i+4)%length]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// isNINO recognises a British National Insurance number by the rules of its letters.
func isNINO(t []byte) bool {
	var id [9]byte
	if _, ok := compact(id[:], t); !ok || !isDigits(id[2:8]) || id[8] < 'A' || id[8] > 'D' {
		return false
	}
	switch string(id[:2]) {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return false
	}
	const first, second = "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
	return bytes.IndexByte([]byte(first), id[0]) >= 0 && bytes.IndexByte([]byte(second), id[1]) >= 0
}

// isSpanish recognises a DNI (eight digits and a letter) and a NIE (X, Y or Z, seven digits and a
// letter), where the letter is the remainder modulo 23.
func isSpanish(t []byte) bool {
	var id [9]byte
	if _, ok := compact(id[:], t); !ok {
		return false
	}
	if id[0] >= 'X' && id[0] <= 'Z' {
		id[0] = '0' + id[0] - 'X'
	}
	return isDigits(id[:8]) && id[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number(id[:8])%23] && number(id[:8]) > 0
}

// fiscalShape has A for letters and 0 for digits (or the letters that replace them for namesakes).
const fiscalShape = "AAAAAA00A00A000A"

// isFiscal recognises an Italian codice fiscale by its shape and check letter.
func isFiscal(t []byte) bool {
	var id [len(fiscalShape)]byte
	if n, ok := compact(id[:], t); !ok || n != len(id) {
		return false
	}
	const months = "ABCDEHLMPRST"
	// The values of 0 to 9 and of A to Z at odd places.
	const odd = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x02\x04\x12\x14\x0b\x03\x06\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17"
	sum := 0
	for i, c := range id[:15] {
		digit := isDigit(c)
		if digit != (fiscalShape[i] == '0') && !(fiscalShape[i] == '0' && bytes.IndexByte([]byte("LMNPQRSTUV"), c) >= 0) {
			return false
		}
		value := int(c - 'A')
		if digit {
			value = int(c - '0')
		}
		if i%2 == 0 {
			value = int(odd[value])
		}
		sum += value
	}
	return bytes.IndexByte([]byte(months), id[8]) >= 0 && id[15] == 'A'+byte(sum%26)
}

func isDigits(t []byte) bool {
	for _, c := range t {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// number returns the value of at most 18 digits.
func number(digits []byte) (n int64) {
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n
}
