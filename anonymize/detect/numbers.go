// SPDX-License-Identifier: Apache-2.0

package detect

import "bytes"

// digits is a number as it is written: its digits and how they are grouped.
type digits struct {
	all    [20]byte
	n      int
	groups [8]int
	parts  int
	sep    byte // the separator, 0 for none, '*' for several kinds
	end    int  // where it ends in the text
}

// readDigits reads the digits at i, with single separators between groups, up to 20 digits in 8 groups.
func readDigits(t []byte, i int) (d digits, ok bool) {
	group := 0
	for {
		switch {
		case i < len(t) && isDigit(t[i]):
			if d.n == len(d.all) {
				return d, false
			}
			d.all[d.n] = t[i]
			d.n++
			group++
			i++
			continue
		case group == 0:
			return d, false
		}
		if d.parts == len(d.groups) {
			return d, false
		}
		d.groups[d.parts], group = group, 0
		d.parts++
		d.end = i
		if skip := separates(t, i); skip > 0 {
			if c := t[i]; d.sep == 0 {
				d.sep = c
			} else if d.sep != c {
				d.sep = '*'
			}
			i += skip
			continue
		}
		return d, endsNumber(t, d.end)
	}
}

// separates is the length of what stands between two groups of digits at i, 0 where a number ends.
func separates(t []byte, i int) int {
	if i+1 >= len(t) {
		return 0
	}
	switch t[i] {
	case ' ', '-', '.', '/':
		if isDigit(t[i+1]) {
			return 1
		}
	case ')':
		if t[i+1] == ' ' && i+2 < len(t) && isDigit(t[i+2]) {
			return 2
		}
		if isDigit(t[i+1]) {
			return 1
		}
	}
	return 0
}

func (d *digits) value() []byte { return d.all[:d.n] }

// grouped reports whether the digits stand in groups of these lengths.
func (d *digits) grouped(lengths ...int) bool {
	if d.parts != len(lengths) {
		return false
	}
	for i, n := range lengths {
		if d.groups[i] != n {
			return false
		}
	}
	return true
}

// numbered looks for ids made of digits.
func numbered(t []byte) Kind {
	for i := 0; i < len(t); i++ {
		if !isDigit(t[i]) || !startsAt(t, i) {
			continue
		}
		d, ok := readDigits(t, i)
		if !ok {
			i += max(0, d.n-1)
			continue
		}
		before := t[:i]
		switch {
		case isNational(&d):
			return NationalID
		case isCard(&d):
			return Card
		case isPhone(&d, before):
			return Phone
		case afterWord(before, birthWords) && isDate(&d):
			return BirthDate
		}
		i = d.end - 1
	}
	return 0
}

// isNational recognises the numbers of several countries.
func isNational(d *digits) bool {
	v := d.value()
	switch d.n {
	case 9:
		return d.grouped(3, 2, 4) && (d.sep == '-' || d.sep == ' ') && isSSN(v)
	case 11:
		plain := d.parts == 1
		return (plain || d.grouped(2, 3, 3, 3)) && isSteuerID(v) || plain && isPESEL(v) || d.grouped(3, 3, 3, 2) && isCPF(v)
	case 13:
		return v[0] == '7' && v[1] == '5' && v[2] == '6' && (d.parts == 1 || d.grouped(3, 4, 4, 2)) && weighted(v[:12], "131313131313")%10 == (10-int(v[12]-'0'))%10
	case 15:
		return (d.parts == 1 || d.groups[0] == 1) && isNIR(v)
	}
	return false
}

func isSSN(v []byte) bool {
	area, group, serial := number(v[:3]), number(v[3:5]), number(v[5:])
	return area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}

// isSteuerID recognises a German tax id: of the first ten digits one occurs twice or three times, and the
// check digit is that of ISO 7064, MOD 11,10.
func isSteuerID(v []byte) bool {
	var times [10]int
	product := 10
	for _, c := range v[:10] {
		times[c-'0']++
		sum := (int(c-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	repeated, most := 0, 0
	for _, n := range times {
		if n > 1 {
			repeated++
		}
		most = max(most, n)
	}
	return v[0] != '0' && repeated == 1 && most <= 3 && (11-product)%10 == int(v[10]-'0')
}

// isPESEL recognises a Polish number, which begins with a date of birth.
func isPESEL(v []byte) bool {
	month, day := number(v[2:4])%20, number(v[4:6])
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (10-weighted(v[:10], "1379137913")%10)%10 == int(v[10]-'0')
}

// isCPF recognises a Brazilian number by its two check digits.
func isCPF(v []byte) bool {
	check := func(n int) bool {
		sum := 0
		for i, c := range v[:n] {
			sum += int(c-'0') * (n + 1 - i)
		}
		return sum*10%11%10 == int(v[n]-'0')
	}
	return check(9) && check(10) && bytes.Count(v, v[:1]) < 11
}

// isNIR recognises a French number: sex, year and month of birth, place, and a key modulo 97.
func isNIR(v []byte) bool {
	month := number(v[3:5])
	return (v[0] == '1' || v[0] == '2') && (month >= 1 && month <= 12 || month >= 20 && month <= 42) &&
		number(v[13:15]) == 97-number(v[:13])%97
}

// weighted adds up digits, each times its weight.
func weighted(v []byte, weights string) (sum int) {
	for i, c := range v {
		sum += int(c-'0') * int(weights[i]-'0')
	}
	return sum
}

// isCard recognises a payment card by its issuer's first digits, its length and its check digit.
func isCard(d *digits) bool {
	if d.parts > 1 && d.sep != ' ' && d.sep != '-' || d.n < 13 {
		return false
	}
	v := d.value()
	two, four := number(v[:2]), number(v[:4])
	var fits bool
	switch {
	case v[0] == '4':
		fits = d.n == 16 || d.n == 19 || d.n == 13 && d.parts > 1
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720:
		fits = d.n == 16
	case two == 34, two == 37:
		fits = d.n == 15
	case two == 36, two == 38, two == 30:
		fits = d.n == 14 && d.parts > 1
	case four == 6011, two == 65, two == 62, four >= 3528 && four <= 3589, four >= 6440 && four <= 6499:
		fits = d.n >= 16
	}
	return fits && isLuhn(v)
}

func isLuhn(v []byte) bool {
	sum := 0
	for i := range v {
		x := int(v[len(v)-1-i] - '0')
		if i%2 == 1 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0
}

var (
	phoneWords = [][]byte{[]byte("tel"), []byte("phone"), []byte("mobile"), []byte("whatsapp"), []byte("telephone"), []byte("fax")}
	birthWords = [][]byte{
		[]byte("born"), []byte("birthday"), []byte("birthdate"), []byte("birth"), []byte("dob"), []byte("geboren"), []byte("nacido"), []byte("nacida"),
	}
)

// isPhone recognises what the package documentation says.
func isPhone(d *digits, before []byte) bool {
	v := d.value()
	opened := len(before) > 0 && before[len(before)-1] == '('
	if opened {
		before = before[:len(before)-1]
	}
	before = bytes.TrimRight(before, " ")
	switch {
	case len(before) > 0 && before[len(before)-1] == '+':
		return d.n >= 9 && d.n <= 15 && v[0] != '0'
	case d.n >= 7 && d.n <= 15 && afterWord(before, phoneWords):
		return true
	case d.parts < 2 || d.sep == '/':
		return false
	case d.grouped(3, 3, 4):
		return v[0] >= '2' && v[3] >= '2' // North America
	case d.grouped(1, 3, 3, 4):
		return v[0] == '1' && v[1] >= '2' && v[4] >= '2'
	case v[0] == '0' && v[1] == '0':
		return d.n >= 11 && d.n <= 17 && v[2] != '0'
	}
	return v[0] == '0' && d.n >= 9 && d.n <= 12 && d.groups[0] <= 5
}

// afterWord reports whether one of the words stands before a number, with at most a few signs between.
func afterWord(before []byte, words [][]byte) bool {
	before = bytes.TrimRight(before, " :=.-+(\"'")
	for _, tail := range []string{"", "date", "number", "no", "on"} {
		rest := before
		if tail != "" {
			if !endsInWord(rest, []byte(tail)) {
				continue
			}
			rest = bytes.TrimRight(rest[:len(rest)-len(tail)], " _-")
		}
		for _, word := range words {
			if endsInWord(rest, word) {
				return true
			}
		}
	}
	return false
}

// isDate recognises year, month and day in either order, and eight digits that are one.
func isDate(d *digits) bool {
	v := d.value()
	plausible := func(year, month, day []byte) bool {
		y, m, n := number(year), number(month), number(day)
		return y >= 1900 && y < 2100 && m >= 1 && m <= 31 && n >= 1 && n <= 31
	}
	switch {
	case d.n == 8 && (d.parts == 1 || d.grouped(4, 2, 2)):
		return plausible(v[:4], v[4:6], v[6:])
	case d.grouped(2, 2, 4):
		return plausible(v[4:], v[2:4], v[:2])
	case d.n == 7 && d.parts == 3 && d.groups[2] == 4:
		return plausible(v[3:], v[d.groups[0]:3], v[:d.groups[0]])
	}
	return false
}

// hasCoordinates reports whether there are a latitude and a longitude with four decimals or more.
func hasCoordinates(t []byte) bool {
	for i := 0; i < len(t); i++ {
		if !isDigit(t[i]) || !startsAt(t, i) || i > 0 && t[i-1] == '.' {
			continue
		}
		latitude, n := readDecimal(t[i:])
		if n == 0 || latitude > 90 {
			continue
		}
		rest := bytes.TrimLeft(t[i+n:], " ,;/:&NSns\"'|")
		if len(rest) == len(t)-i-n {
			continue
		}
		if at := bytes.IndexAny(rest, "0123456789"); at < 0 || at > len("longitude=-")+2 {
			continue
		} else if longitude, n := readDecimal(rest[at:]); n > 0 && longitude <= 180 {
			return true
		}
	}
	return false
}

// readDecimal reads a number with at least four decimals, and returns its whole part and its length.
func readDecimal(t []byte) (whole int64, n int) {
	for n < len(t) && n < 3 && isDigit(t[n]) {
		n++
	}
	if n == 0 || n >= len(t) || t[n] != '.' {
		return 0, 0
	}
	whole = number(t[:n])
	start := n + 1
	for n = start; n < len(t) && isDigit(t[n]); n++ {
	}
	if n-start < 4 || n < len(t) && (t[n] == '.' || isLetter(t[n]) && bytes.IndexByte([]byte("NSEWnsew"), t[n]) < 0) {
		return 0, 0
	}
	return whole, n
}
