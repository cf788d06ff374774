// SPDX-License-Identifier: Apache-2.0

package logio

import (
	"bytes"

	"github.com/throngdp/throng/aggregate/table"
)

// form says how the text of a cell is written.
type form uint8

const (
	null    form = iota
	plain        // as it is
	escaped      // with backslashes
	doubled      // with quotes that are doubled
	pluses       // with + for blanks
	percent      // with %HH
	twice        // with %HH, perhaps done twice
	joined       // two texts
)

// cell is one field of a line as it is written there; more is the second text of a joined one.
type cell struct {
	form      form
	raw, more []byte
}

// cellOf returns the cell of a field in which a text of that form stands.
func cellOf(raw []byte, f form) cell {
	if len(raw) == 0 || len(raw) == 1 && raw[0] == '-' {
		return cell{}
	}
	return cell{form: f, raw: raw}
}

// put appends a cell as row of c. The slice of which rows are null begins with the first null.
func (r *Reader) put(c *table.Column, row int, from *cell) {
	if from.form == null {
		for len(c.Valid) < row {
			c.Valid = append(c.Valid, true)
		}
	}
	if from.form == null || len(c.Valid) != 0 {
		c.Valid = append(c.Valid, from.form != null)
	}
	switch from.form {
	case plain:
		c.Data = append(c.Data, from.raw...)
	case escaped:
		c.Data = appendUnescaped(c.Data, from.raw)
	case doubled:
		c.Data = appendUnquoted(c.Data, from.raw)
	case pluses:
		start := len(c.Data)
		c.Data = append(c.Data, from.raw...)
		replace(c.Data[start:], '+', ' ')
	case percent:
		c.Data = appendUnpercented(c.Data, from.raw)
	case twice:
		r.scratch = appendUnpercented(r.scratch[:0], from.raw)
		c.Data = appendUnpercented(c.Data, r.scratch)
	case joined:
		c.Data = append(append(append(c.Data, from.raw...), ' '), from.more...)
	}
	c.Offsets = append(c.Offsets, uint32(len(c.Data)))
}

func replace(text []byte, from, to byte) {
	for i, c := range text {
		if c == from {
			text[i] = to
		}
	}
}

// appendUnescaped undoes what Apache and nginx do to quotes, backslashes and what cannot be printed. A
// backslash before anything else stands for itself.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		k := bytes.IndexByte(raw, '\\')
		if k < 0 || k+1 == len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:k]...)
		raw = raw[k+1:]
		at := bytes.IndexByte([]byte(`"\bnrtv`), raw[0])
		switch c, ok := hex2(raw[1:]); {
		case raw[0] == 'x' && ok:
			dst, raw = append(dst, c), raw[3:]
		case at >= 0:
			dst, raw = append(dst, "\"\\\b\n\r\t\v"[at]), raw[1:]
		default:
			dst = append(dst, '\\')
		}
	}
}

// appendUnquoted halves the quotes.
func appendUnquoted(dst, raw []byte) []byte {
	for {
		k := bytes.Index(raw, []byte(`""`))
		if k < 0 {
			return append(dst, raw...)
		}
		dst, raw = append(dst, raw[:k+1]...), raw[k+2:]
	}
}

// appendUnpercented undoes %HH. A % before anything else stands for itself.
func appendUnpercented(dst, raw []byte) []byte {
	for {
		k := bytes.IndexByte(raw, '%')
		if k < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:k]...)
		raw = raw[k+1:]
		if c, ok := hex2(raw); ok {
			dst, raw = append(dst, c), raw[2:]
		} else {
			dst = append(dst, '%')
		}
	}
}

// hex2 reads two hexadecimal digits.
func hex2(text []byte) (v byte, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	for _, c := range text[:2] {
		v <<= 4
		switch {
		case c-'0' <= 9:
			v |= c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v |= c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
	}
	return v, true
}
