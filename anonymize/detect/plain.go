// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendPlain appends a text in plain characters, as the package documentation describes.
func appendPlain(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			dst = appendPlainRune(dst, rune(c))
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError {
			i += n
			continue
		}
		parts := norm.NFKD.Properties(text[i : i+n]).Decomposition()
		if parts == nil {
			dst = appendPlainRune(dst, r)
		}
		for len(parts) > 0 {
			r, n := utf8.DecodeRune(parts)
			dst = appendPlainRune(dst, r)
			parts = parts[n:]
		}
		i += n
	}
	return dst
}

func appendPlainRune(dst []byte, r rune) []byte {
	switch {
	case r >= ' ' && r <= '~':
		return append(dst, byte(r))
	case unicode.IsSpace(r):
		return append(dst, ' ')
	case r < utf8.RuneSelf, r == 0xAD:
		return dst
	case int(r-lookalikeFirst) >= 0 && int(r-lookalikeFirst) < len(lookalikes) && lookalikes[r-lookalikeFirst] != 0:
		return append(dst, lookalikes[r-lookalikeFirst])
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return dst
	case unicode.Is(unicode.Pd, r):
		return append(dst, '-')
	case unicode.Is(unicode.Nd, r):
		return append(dst, digitOf(r))
	}
	switch r {
	case '−', '⁃', '˗':
		return append(dst, '-')
	case '。', '·', '•', '∙', '⋅', '・':
		return append(dst, '.')
	case '∶', 'ː', '˸':
		return append(dst, ':')
	case '⁄', '∕':
		return append(dst, '/')
	}
	return utf8.AppendRune(dst, r)
}

// digitOf returns the ASCII digit of a decimal digit of any script. Unicode encodes them in runs of
// ten that ascend from zero.
func digitOf(r rune) byte {
	for _, run := range unicode.Nd.R16 {
		if r <= rune(run.Hi) {
			return '0' + byte((r-rune(run.Lo))%10)
		}
	}
	for _, run := range unicode.Nd.R32 {
		if r <= rune(run.Hi) {
			return '0' + byte((r-rune(run.Lo))%10)
		}
	}
	return '0'
}

// lookalikeFirst is the first Greek letter.
const lookalikeFirst = 0x370

// lookalikes holds the Latin letter that a Greek, Cyrillic or Armenian one looks like.
var lookalikes = func() (table [0x590 - lookalikeFirst]byte) {
	const pairs = "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoαaρpνvιiκkυuχx" +
		"АAВBЕEКKМMНHОOРPСCТTУYХXЅSІIЈJԚQԜW" + "аaеeоoрpсcуyхxѕsіiјjһhԁdԛqԝwкkмmтtвbнhҮYүy" + "օoհhոnսuցgքp"
	latin := true
	var foreign rune
	for _, r := range pairs {
		if latin = !latin; latin {
			table[foreign-lookalikeFirst] = byte(r)
		}
		foreign = r
	}
	return table
}()

// appendDecoded appends a text with its percent-encoding undone once.
func appendDecoded(dst, text []byte) (out []byte, changed bool) {
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			dst = append(dst, hexValue(text[i+1])<<4|hexValue(text[i+2]))
			i += 2
			changed = true
			continue
		}
		dst = append(dst, text[i])
	}
	return dst, changed
}
