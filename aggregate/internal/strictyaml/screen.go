// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on a file. They keep the work below a tenth of a second whatever the file holds: the lexer
// and the parser take time quadratic in some of these.
const (
	// MaxBytes is how long a file may be: 64 KiB.
	MaxBytes = 64 << 10
	// MaxLevels is how deep mappings and sequences may nest.
	MaxLevels = 32
	// MaxTokens bounds the marks, keys and values together, without comments.
	MaxTokens = 4 << 10
	// maxKey bounds a key, in bytes: the parser keeps a path for every key.
	maxKey = 128
	// maxBlankLines bounds empty lines in a row: the lexer copies a block scalar once for each.
	maxBlankLines = 64
	// maxAngles bounds "<" in a row: the lexer counts the run anew at each.
	maxAngles = 64
	// maxFaults bounds what is reported; a person mends that many at a time at most.
	maxFaults = 100
)

// normalize removes a byte order mark and turns CR LF into LF.
func normalize(src []byte) string {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	return strings.ReplaceAll(string(src), "\r\n", "\n")
}

// screen refuses bytes that no honest file holds, before the lexer sees them. Each kind of fault is
// reported where it first stands.
func screen(text string) []Fault {
	s := screener{line: 1, column: 1, seen: map[string]bool{}}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		s.rune(r, size)
		i += size
	}
	return s.faults
}

// screener walks over a text and remembers where it is.
type screener struct {
	line, column int
	blank        int // lines in a row that hold only spaces
	text         bool
	angles       int
	seen         map[string]bool
	faults       []Fault
}

func (s *screener) rune(r rune, size int) {
	s.check(r, size)
	if r == '<' {
		s.angles++
	} else {
		s.angles = 0
	}
	if s.angles > maxAngles {
		s.fault("a run of \"<\"", "ordinary text", "shorten it")
	}
	if r != '\n' {
		s.text = s.text || r != ' '
		s.column++
		return
	}
	s.blank++
	if s.text {
		s.blank = 0
	}
	if s.blank > maxBlankLines {
		s.fault("many empty lines in a row", fmt.Sprintf("at most %d", maxBlankLines), "remove them")
	}
	s.line, s.column, s.text = s.line+1, 1, false
}

func (s *screener) check(r rune, size int) {
	switch {
	case r == utf8.RuneError && size <= 1:
		s.fault("bytes that are not UTF-8", "UTF-8 text", "save the file as UTF-8")
	case r == '\t':
		s.fault("a tab character", "spaces", `use spaces, or "\t" in double quotes`)
	case r == '\r':
		s.fault("a carriage return alone", "lines that end in LF or CR LF", "save the file with Unix line ends")
	case r == 0:
		s.fault("a NUL character", "text", "save the file as UTF-8 without NUL characters")
	case hidden(r):
		s.fault("a character that cannot be seen (U+"+hex4(r)+")", "text that reads as it is stored",
			`remove it, or write "\u`+hex4(r)+`" in double quotes`)
	}
}

func (s *screener) fault(got, want, fix string) {
	if s.seen[got] {
		return
	}
	s.seen[got] = true
	s.faults = append(s.faults, Fault{Line: s.line, Column: s.column, Got: got, Want: want, Fix: fix})
}

// hidden reports whether a person who reads the file cannot see r or is misled by it: control
// characters, line ends that editors disagree on, and the marks that reorder text (CVE-2021-42574).
func hidden(r rune) bool {
	switch {
	case r < ' ' && r != '\n', r >= 0x7f && r <= 0x9f:
		return true
	case r == 0x2028, r == 0x2029, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	case r == 0xfeff, r == 0xfffe, r == 0xffff:
		return true
	}
	return false
}

func hex4(r rune) string { return fmt.Sprintf("%04X", r) }

// quote returns text as a fault shows it: in quotes, escaped and shortened.
func quote(text string) string {
	if utf8.RuneCountInString(text) > maxQuote {
		text = string([]rune(text)[:maxQuote]) + "…"
	}
	return strconv.Quote(text)
}
