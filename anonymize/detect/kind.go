// SPDX-License-Identifier: Apache-2.0

package detect

// Kind is what a text looks like. The zero value is nothing in particular.
type Kind uint8

// The kinds; the package documentation says what each takes in.
const (
	Email Kind = iota + 1
	Phone
	IP
	IBAN
	Card
	NationalID
	DeviceID
	JWT
	Token
	Coordinates
	BirthDate
	Person

	kinds = int(Person) + 1
)

var kindNames = [kinds]string{
	"no identifier", "email", "phone", "ip", "iban", "card", "national id", "device id", "jwt", "token", "coordinates", "birth date", "person",
}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < kinds {
		return kindNames[k]
	}
	return "unknown kind"
}

// maxText is how much of a text is looked at.
const maxText = 64 << 10

// maxDecoding is how often a text that was percent-encoded may have been encoded again.
const maxDecoding = 3

// KindOf returns what a text looks like, the most telling where it is several things, and false where
// it looks like no identifier. It is safe for concurrent use.
func KindOf(text []byte) (Kind, bool) {
	text = text[:min(len(text), maxText)]
	s := survey(text)
	if s.classes&(classOdd|classPercent) == 0 {
		k := s.kind(text)
		return k, k != 0
	}
	return kindOfOdd(text)
}

// kindOfOdd serves texts that have to be brought into plain characters first.
func kindOfOdd(text []byte) (Kind, bool) {
	var plainBuf, decodedBuf [1024]byte
	plain := appendPlain(plainBuf[:0], text)
	for range maxDecoding {
		s := survey(plain)
		if k := s.kind(plain); k != 0 {
			return k, true
		}
		if s.classes&classPercent == 0 {
			return 0, false
		}
		decoded, changed := appendDecoded(decodedBuf[:0], plain)
		if !changed {
			return 0, false
		}
		plain = appendPlain(plain[:0], decoded)
	}
	s := survey(plain)
	k := s.kind(plain)
	return k, k != 0
}

// kind looks for each kind that a plain text has the characters for, the most telling first.
func (s *summary) kind(t []byte) Kind {
	switch {
	case s.dots >= 2 && s.longest >= 8 && hasJWT(t):
		return JWT
	case s.classes&classAt != 0 && s.dots >= 1 && hasEmail(t):
		return Email
	case len(t) >= 36 && s.dashes >= 4 && hasUUID(t):
		return DeviceID
	case s.digits >= 6 && s.classes&classLetter != 0:
		if k := lettered(t); k != 0 {
			return k
		}
	}
	switch {
	case s.digits >= 4 && s.dots >= 3 && hasIPv4(t), s.colons >= 2 && hasIPv6(t):
		return IP
	case (s.colons >= 5 || s.dashes >= 5) && hasMAC(t):
		return DeviceID
	case s.digits >= 10 && s.dots >= 2 && hasCoordinates(t):
		return Coordinates
	}
	if s.digits >= 7 {
		if k := numbered(t); k != 0 {
			return k
		}
	}
	switch {
	case s.classes&(classSlash|classAt|classEquals) != 0 && hasPerson(t):
		return Person
	case s.longest >= minHexToken && hasToken(t):
		return Token
	}
	return 0
}

// The classes of a byte.
const (
	classDigit = 1 << iota
	classLetter
	classDot
	classDash
	classColon
	classAt
	classSlash
	classEquals
	classPercent
	classOdd // not printable ASCII
)

var classes = func() (table [256]uint16) {
	for c := range table {
		switch {
		case c < ' ' || c > '~':
			table[c] = classOdd
		case isDigit(byte(c)):
			table[c] = classDigit
		case isLetter(byte(c)):
			table[c] = classLetter
		}
	}
	for c, class := range map[byte]uint16{'.': classDot, '-': classDash, ':': classColon, '@': classAt, '/': classSlash, '=': classEquals, '%': classPercent} {
		table[c] = class
	}
	return table
}()

// summary is what one pass over a text shows, so that most texts need no second.
type summary struct {
	classes                               uint16
	digits, dots, dashes, colons, longest int // longest: run of letters, digits, - and _
}

func survey(text []byte) (s summary) {
	run := 0
	for _, c := range text {
		class := classes[c]
		s.classes |= class
		switch class {
		case classDigit:
			s.digits++
			run++
			continue
		case classLetter:
			run++
			continue
		case classDash:
			s.dashes++
			run++
			continue
		case classDot:
			s.dots++
		case classColon:
			s.colons++
		default:
			if c == '_' {
				run++
				continue
			}
		}
		s.longest = max(s.longest, run)
		run = 0
	}
	s.longest = max(s.longest, run)
	return s
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool  { return isDigit(c) || isLetter(c) }

// isWord reports whether a byte next to a candidate makes it a part of something longer.
func isWord(c byte) bool { return isAlnum(c) || c == '_' }

// startsAt reports whether a word can start at i.
func startsAt(t []byte, i int) bool { return i == 0 || !isWord(t[i-1]) }

// endsAt reports whether a word can end before i.
func endsAt(t []byte, i int) bool { return i >= len(t) || !isWord(t[i]) }

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
