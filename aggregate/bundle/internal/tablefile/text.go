// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How text stands in a file. Text that can do no harm stands as it is. Any other text is marked by a
// leading apostrophe, which spreadsheets read as "this is text", and has escapes: \\ for a backslash,
// \xHH for a byte that is not UTF-8, and \uHHHH or \UHHHHHHHH for a character. Text that itself begins
// with an apostrophe is marked too, so that ParseText can tell.

// CSVText returns text as a CSV cell holds it. It marks what a spreadsheet may run as a formula
// (CWE-1236: a first character = + - @, their full-width forms, after any spaces and quotes, at the
// start or after a separator) and what a person cannot see.
func CSVText(text string) string { return mark(text, true) }

// ParquetText returns text as a Parquet cell holds it. Parquet has types, so that nothing there is a
// formula; only what a person cannot see, and what is not UTF-8, is marked.
func ParquetText(text string) string { return mark(text, false) }

// ParseText is the reverse of CSVText and ParquetText. It returns an error for a cell that neither
// writes.
func ParseText(cell string) (string, error) {
	rest, marked := strings.CutPrefix(cell, "'")
	if !marked {
		return cell, nil
	}
	var b strings.Builder
	for rest != "" {
		i := strings.IndexByte(rest, '\\')
		if i < 0 {
			i = len(rest)
		}
		b.WriteString(rest[:i])
		if rest = rest[i:]; rest == "" {
			break
		}
		n, err := unescape(&b, rest)
		if err != nil {
			return "", err
		}
		rest = rest[n:]
	}
	return b.String(), nil
}

// unescape writes what the escape at the start of s stands for and returns its length.
func unescape(b *strings.Builder, s string) (int, error) {
	errEscape := errors.New("got a broken escape in a cell, want one that throng writes")
	if len(s) < 2 {
		return 0, errEscape
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if s[1] == '\\' {
		b.WriteByte('\\')
		return 2, nil
	}
	if digits == 0 || len(s) < 2+digits {
		return 0, errEscape
	}
	v, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	if err != nil {
		return 0, errEscape
	}
	if s[1] == 'x' {
		b.WriteByte(byte(v))
	} else if utf8.ValidRune(rune(v)) {
		b.WriteRune(rune(v))
	} else {
		return 0, errEscape
	}
	return 2 + digits, nil
}

func mark(text string, formulas bool) string {
	if !scan(nil, text, formulas) {
		return text
	}
	b := new(strings.Builder)
	b.WriteByte('\'')
	scan(b, text, formulas)
	return b.String()
}

// scan reports whether text can do harm, and writes it with its escapes to b unless that is nil.
func scan(b *strings.Builder, text string, formulas bool) bool {
	harm := strings.HasPrefix(text, "'")
	// A cell begins at the start of the text, and wherever some program may split the line.
	begins, first := true, true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		starts := formulas && begins && trigger(r)
		invalid := r == utf8.RuneError && size == 1
		escaped := invalid || hidden(r) || starts && !first
		// The leading apostrophe takes the force out of the first cell only.
		harm = harm || escaped || starts
		switch {
		case b == nil:
		case invalid:
			fmt.Fprintf(b, `\x%02X`, text[i])
		case escaped:
			writeEscape(b, r)
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(text[i : i+size])
		}
		switch {
		case separator(r):
			begins, first = true, false
		case !unicode.IsSpace(r) && r != '"' && r != '\'' && !hidden(r):
			begins = false
		}
		i += size
	}
	return harm
}

func writeEscape(b *strings.Builder, r rune) {
	if r > 0xffff {
		fmt.Fprintf(b, `\U%08X`, r)
		return
	}
	fmt.Fprintf(b, `\u%04X`, r)
}

// trigger reports whether a cell that begins with r may be run as a formula: = + - @, their full-width
// and small forms, and the minus sign.
func trigger(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−':
		return true
	}
	return false
}

// separator reports whether a program with other settings may split a line at r.
func separator(r rune) bool {
	switch r {
	case ',', ';', '|', '\t', '\r', '\n':
		return true
	}
	return false
}

// hidden reports whether r changes what is around it without being seen: controls (TAB, CR, LF and NUL
// among them), line and paragraph separators, and all format characters, with them the marks that
// reorder text.
func hidden(r rune) bool {
	return !(' ' <= r && r <= '~') && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
