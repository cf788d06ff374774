// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// MaxText is the most bytes that a canonical text may have. A longer one is free text, which is no
// group's name.
const MaxText = 256

// maxRawText bounds what is looked at: invisible characters can make any text long.
const maxRawText = 4096

// AppendText appends the canonical spelling of a text to dst: Unicode normal form C, without control
// characters and characters that nobody sees (zero-width, direction marks, variation selectors),
// with single spaces for white space and none at the ends. It returns dst as it was and false where
// nothing is left, where the text is not UTF-8, and where more than [MaxText] bytes are left.
func AppendText(dst, text []byte) ([]byte, bool) {
	if isPlain(text) {
		return finish(dst, appendPlain(dst, text, false))
	}
	clean, ok := slowText(text)
	if !ok {
		return dst, false
	}
	return finish(dst, append(dst, clean...))
}

// AppendFolded appends a spelling under which texts compare as people compare them: that of
// [AppendText], without regard to case and to compatibility forms, so that "Male", "MALE" and the
// full-width "Ｍａｌｅ" are one. It is for matching only, never for showing.
func AppendFolded(dst, text []byte) ([]byte, bool) {
	if isPlain(text) {
		return finish(dst, appendPlain(dst, text, true))
	}
	clean, ok := slowText(text)
	if !ok {
		return dst, false
	}
	// Folding can undo a normal form and the form can bring spaces, so both are done again.
	clean = cases.Fold().Bytes(norm.NFKC.Bytes(clean))
	clean = appendVisible(nil, norm.NFKC.Bytes(clean))
	return finish(dst, append(dst, norm.NFKC.Bytes(clean)...))
}

// AppendText appends the canonical text of a cell of any kind, so that a column reads the same
// whichever format holds it: an integer as its decimal digits, a whole float as an integer, a
// boolean as true or false. Null, NaN, infinities and timestamps (which have a grain, not a
// spelling) have none: dst is returned as it was, and false.
func (v Value) AppendText(dst []byte) ([]byte, bool) {
	if v.Valid && v.Kind == Bytes {
		return AppendText(dst, v.Bytes)
	}
	return v.appendScalar(dst)
}

// AppendFolded is the spelling of [AppendFolded] for a cell of any kind, see [Value.AppendText].
func (v Value) AppendFolded(dst []byte) ([]byte, bool) {
	if v.Valid && v.Kind == Bytes {
		return AppendFolded(dst, v.Bytes)
	}
	return v.appendScalar(dst)
}

func (v Value) appendScalar(dst []byte) ([]byte, bool) {
	switch {
	case !v.Valid:
		return dst, false
	case v.Kind == Int:
		return strconv.AppendInt(dst, v.Int, 10), true
	case v.Kind == Bool:
		return strconv.AppendBool(dst, v.Int != 0), true
	case v.Kind == Float:
		return appendFloat(dst, v.Float)
	}
	return dst, false
}

func appendFloat(dst []byte, f float64) ([]byte, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, false
	}
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return strconv.AppendInt(dst, int64(f), 10), true
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), true
}

// Whole returns the whole number that a cell holds: an integer, a float without a fraction or a
// decimal text without one ("1984", "1984.0", "1.984e3"). It returns false for all else, and for
// magnitudes beyond 2^62.
func (v Value) Whole() (int64, bool) {
	d, ok := v.decimal()
	if !ok {
		return 0, false
	}
	return d.Quanta(scalar.One, scalar.HalfAway)
}

func (v Value) decimal() (scalar.Decimal, bool) {
	switch {
	case !v.Valid:
		return scalar.Decimal{}, false
	case v.Kind == Bytes:
		return scalar.ParseDecimal(v.Bytes)
	case v.Kind == Int:
		return scalar.FromInt(v.Int), true
	case v.Kind == Float:
		return scalar.FromFloat(v.Float)
	}
	return scalar.Decimal{}, false
}

func finish(before, after []byte) ([]byte, bool) {
	if n := len(after) - len(before); n == 0 || n > MaxText {
		return before, false
	}
	return after, true
}

// isPlain reports whether a text is printable ASCII, which nearly all texts are.
func isPlain(text []byte) bool {
	if len(text) > maxRawText {
		return false
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func appendPlain(dst, text []byte, fold bool) []byte {
	space, start := false, len(dst)
	for _, c := range text {
		if c == ' ' {
			space = len(dst) > start
			continue
		}
		if space {
			dst = append(dst, ' ')
			space = false
		}
		if fold && c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func slowText(text []byte) ([]byte, bool) {
	if len(text) > maxRawText || !utf8.Valid(text) {
		return nil, false
	}
	return norm.NFC.Bytes(appendVisible(nil, text)), true
}

// appendVisible appends what a reader can see of a text.
func appendVisible(dst, text []byte) []byte {
	space, start := false, len(dst)
	for _, r := range string(text) {
		if unicode.IsSpace(r) {
			space = len(dst) > start
			continue
		}
		if isInvisible(r) {
			continue
		}
		if space {
			dst = append(dst, ' ')
			space = false
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
