// SPDX-License-Identifier: Apache-2.0

package detect

import "bytes"

// hasJWT reports whether there are three parts in base64url, of which two begin as a JSON object does.
func hasJWT(t []byte) bool {
	object := []byte("eyJ") // {"
	for i := 0; i < len(t); i++ {
		next := bytes.Index(t[i:], object)
		if next < 0 {
			return false
		}
		i += next
		head := base64Run(t[i:])
		if head < 10 || !startsAt(t, i) || i+head >= len(t) || t[i+head] != '.' {
			continue
		}
		rest := t[i+head+1:]
		if body := base64Run(rest); bytes.HasPrefix(rest, object) && body < len(rest) && rest[body] == '.' {
			return true
		}
	}
	return false
}

// base64Run is how many characters of base64url a text begins with.
func base64Run(t []byte) (n int) {
	for n < len(t) && (isWord(t[n]) || t[n] == '-') {
		n++
	}
	return n
}

// hasUUID reports whether there is a UUID in a text, but the nil and the max one.
func hasUUID(t []byte) bool {
	const length = 36
	for i := 0; i+length <= len(t); i++ {
		if startsAt(t, i) && endsAt(t, i+length) && isUUID(t[i:i+length]) {
			return true
		}
	}
	return false
}

func isUUID(t []byte) bool {
	zeros, ones := 0, 0
	for i, c := range t {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !isHex(c):
			return false
		case c == '0':
			zeros++
		case c|0x20 == 'f':
			ones++
		}
	}
	return zeros < 32 && ones < 32
}

// The least length of a token of hexadecimal digits, and of one of any letters and digits.
const (
	minHexToken   = 16
	minMixedToken = 20
)

// hasToken reports whether there is a word in a text that was drawn at random.
func hasToken(t []byte) bool {
	for i := 0; i < len(t); {
		if !isAlnum(t[i]) {
			i++
			continue
		}
		end := i
		for end < len(t) && isAlnum(t[end]) {
			end++
		}
		if isRandom(t[i:end]) && !namesAsset(t[end:]) {
			return true
		}
		i = end
	}
	return false
}

// isRandom reports whether a word has digits and letters as mixed as a random source mixes them: of
// hexadecimal digits 10 in 16 are digits, of letters and digits one in six.
func isRandom(word []byte) bool {
	if len(word) < minHexToken {
		return false
	}
	var seen [36]bool
	digits, distinct, changes := 0, 0, 0
	hex, upper, lower := true, false, false
	for i, c := range word {
		at := int(c - '0')
		if isDigit(c) {
			digits++
		} else {
			at = 10 + int(c|0x20-'a')
			hex = hex && isHex(c)
			upper, lower = upper || c < 'a', lower || c >= 'a'
		}
		if !seen[at] {
			seen[at] = true
			distinct++
		}
		if i > 0 && isDigit(c) != isDigit(word[i-1]) {
			changes++
		}
	}
	letters := len(word) - digits
	switch {
	case digits == 0 || letters == 0:
		return false
	case hex && !(upper && lower):
		return digits >= 4 && letters >= 2 && distinct >= 6 && changes >= 4
	}
	return len(word) >= minMixedToken && digits >= 2 && letters >= 4 && distinct >= 10 && changes >= 4
}

// namesAsset reports whether the extension of a script, a style sheet or a picture follows.
func namesAsset(rest []byte) bool {
	for range 2 { // as in app.5f4dcc3b5aa765d6.min.js
		if len(rest) == 0 || rest[0] != '.' {
			return false
		}
		n := 1
		for n < len(rest) && isAlnum(rest[n]) {
			n++
		}
		if isAsset(rest[1:n]) {
			return true
		}
		rest = rest[n:]
	}
	return false
}
