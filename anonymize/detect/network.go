// SPDX-License-Identifier: Apache-2.0

package detect

import "bytes"

// hasIPv4 reports whether there is an IPv4 address of a machine in a text.
func hasIPv4(t []byte) bool {
	for i := 0; i < len(t); i++ {
		if !isDigit(t[i]) || !startsAt(t, i) {
			continue
		}
		octets, n := readIPv4(t[i:])
		if n == 0 || i > 0 && t[i-1] == '.' || !endsNumber(t, i+n) || isProduct(t[:i]) || isNetwork(t[i+n:], 24) {
			continue
		}
		if isMachine(octets) {
			return true
		}
	}
	return false
}

// readIPv4 reads a dotted quad and returns its length, 0 where there is none.
func readIPv4(t []byte) (octets [4]int, n int) {
	for part := range octets {
		if part > 0 {
			if n >= len(t) || t[n] != '.' {
				return octets, 0
			}
			n++
		}
		start := n
		for n < len(t) && n-start < 3 && isDigit(t[n]) {
			octets[part] = octets[part]*10 + int(t[n]-'0')
			n++
		}
		if n == start || octets[part] > 255 || n-start > 1 && t[start] == '0' {
			return octets, 0
		}
	}
	return octets, n
}

// endsNumber reports whether a number ends before i and no further part of one follows.
func endsNumber(t []byte, i int) bool {
	return endsAt(t, i) && !(i+1 < len(t) && (t[i] == '.' || t[i] == ',') && isDigit(t[i+1]))
}

// isMachine leaves out this network, loopback, multicast, masks and what is rather a version.
func isMachine(octets [4]int) bool {
	if octets[0] == 0 || octets[0] == 127 || octets[0] >= 224 {
		return false
	}
	return octets[0] > 9 || octets[1] > 9 || octets[2] > 9 || octets[3] > 9
}

var versionWords = [][]byte{[]byte("version"), []byte("ver"), []byte("release"), []byte("build"), []byte("firmware"), []byte("rev")}

// isProduct reports whether a text ends as in "Firefox/" or "version ".
func isProduct(before []byte) bool {
	if n := len(before); n > 1 && before[n-1] == '/' && isLetter(before[n-2]) {
		return true
	}
	before = bytes.TrimRight(before, " :=.")
	for _, word := range versionWords {
		if endsInWord(before, word) {
			return true
		}
	}
	return false
}

// endsInWord reports whether a text ends in a word, which is in lower case.
func endsInWord(t, word []byte) bool {
	i := len(t) - len(word)
	return i >= 0 && bytes.EqualFold(t[i:], word) && startsAt(t, i)
}

// isNetwork reports whether a prefix length of at most longest follows an address.
func isNetwork(after []byte, longest int) bool {
	if len(after) < 2 || after[0] != '/' || !isDigit(after[1]) {
		return false
	}
	length, n := 0, 1
	for n < len(after) && n < 4 && isDigit(after[n]) {
		length = length*10 + int(after[n]-'0')
		n++
	}
	return endsAt(after, n) && length <= longest
}

// hasIPv6 reports whether there is a global, local or link-local IPv6 address in a text.
func hasIPv6(t []byte) bool {
	for i := 0; i < len(t); i++ {
		if !isHex(t[i]) || !startsAt(t, i) || i > 0 && t[i-1] == ':' {
			continue
		}
		n := readIPv6(t[i:])
		if n > 0 && endsAt(t, i+n) && !isNetwork(t[i+n:], 64) {
			return true
		}
	}
	return false
}

// readIPv6 reads an address whose first group has all its four digits, as those in use do, and returns
// its length, 0 where there is none.
func readIPv6(t []byte) int {
	groups, digits, n := 0, 0, 0
	compressed := false
	for n < len(t) {
		start := n
		for n < len(t) && n-start < 4 && isHex(t[n]) {
			if isDigit(t[n]) {
				digits++
			}
			n++
		}
		if n > start {
			groups++
		}
		if groups == 1 && !isUsedIPv6(t[start:n]) {
			return 0
		}
		if groups == 8 || n >= len(t) || t[n] != ':' {
			break
		}
		n++
		if n < len(t) && t[n] == ':' {
			if compressed {
				return 0
			}
			compressed = true
			n++
		}
	}
	if n > 0 && t[n-1] == ':' && !(n > 1 && t[n-2] == ':') {
		n-- // a sentence's colon
	}
	if digits == 0 || groups < 8 && !compressed {
		return 0
	}
	return n
}

// isUsedIPv6 recognises 2000::/3, fc00::/7 and fe80::/10.
func isUsedIPv6(group []byte) bool {
	if len(group) != 4 {
		return false
	}
	switch group[0] {
	case '2', '3':
		return true
	case 'f', 'F':
		second := group[1] | 0x20
		return second == 'c' || second == 'd' || second == 'e' && group[2] >= '8'
	}
	return false
}

// hasMAC reports whether there is the address of a network card in a text.
func hasMAC(t []byte) bool {
	const length = len("00:00:00:00:00:00")
	for i := 0; i+length <= len(t); i++ {
		if startsAt(t, i) && isMAC(t[i:i+length]) && endsNumber(t, i+length) && !endsPairs(t, i, length) {
			return true
		}
	}
	return false
}

// endsPairs reports whether the pairs of digits go on before or after a candidate.
func endsPairs(t []byte, i, length int) bool {
	separator := t[i+2]
	return i > 0 && t[i-1] == separator || i+length < len(t) && t[i+length] == separator
}

func isMAC(t []byte) bool {
	letters, zeros, ones := 0, 0, 0
	for i, c := range t {
		if i%3 == 2 {
			if c != t[2] || c != ':' && c != '-' {
				return false
			}
			continue
		}
		switch {
		case !isHex(c):
			return false
		case c == '0':
			zeros++
		case c|0x20 == 'f':
			ones++
		}
		if isLetter(c) {
			letters++
		}
	}
	return letters > 0 && zeros < 12 && ones < 12
}
