// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"github.com/throngdp/throng/aggregate/table"
)

// Header says where the names of the columns come from.
type Header uint8

const (
	// FirstRecord: the first record of the input holds the names.
	FirstRecord Header = iota
	// NoHeader: the first record is data, and Options.Columns holds the names.
	NoHeader
)

// Options describe a CSV input. The zero value is right for a file with a header in UTF-8.
type Options struct {
	// Delimiter stands between fields: one or more characters, such as "\t" or "::". Empty means the
	// one among comma, semicolon, tab and | that occurs most often in the first record.
	Delimiter string
	// Header says whether the first record holds the names of the columns; zero means that it does.
	Header Header
	// Columns names every column in order, and is required with NoHeader and refused without.
	Columns []string
	// Encoding is "" or "utf-8", "latin-1" or "windows-1252". Fields are converted to UTF-8.
	Encoding string
	// Null lists spellings of a missing value. The empty field, and \N without quotes, always are one;
	// the spellings listed here also are in quotes.
	Null []string
	// BatchRows is the most records per batch; zero means 4,096.
	BatchRows int
	// Size is the number of input bytes, compressed where the input is, for progress; zero if unknown.
	Size int64
}

const defaultBatchRows = 4096

// maxDelimiter keeps a delimiter a delimiter.
const maxDelimiter = 16

// check returns every fault of the options, joined.
func (o Options) check(file string) error {
	var faults []error
	add := func(format string, args ...any) {
		faults = append(faults, &table.Error{File: file, Problem: fmt.Sprintf(format, args...), Err: table.ErrSchema})
	}
	if len(o.Delimiter) > maxDelimiter || strings.ContainsAny(o.Delimiter, "\"\r\n") {
		add("Options.Delimiter: got %q, want at most %d bytes without quotes and line ends; leave it empty to find it out",
			o.Delimiter, maxDelimiter)
	}
	if cm, err := charmapOf(o.Encoding); err != nil {
		add("Options.Encoding: got %q, want %q, %q or %q; convert the file to UTF-8", o.Encoding, "utf-8", "latin-1", "windows-1252")
	} else if _, err := encodeDelimiter(cm, o.Delimiter); err != nil {
		add("Options.Delimiter: got %q, which %s cannot hold; use another", o.Delimiter, o.Encoding)
	}
	switch {
	case o.Header > NoHeader:
		add("Options.Header: got %d, want FirstRecord or NoHeader; use one of them", o.Header)
	case o.Header == NoHeader && len(o.Columns) == 0:
		add("Options.Columns: got none, want the names of all columns in order; they are needed with NoHeader")
	case o.Header == FirstRecord && len(o.Columns) != 0:
		add("Options.Columns: got names, want none; set Options.Header to NoHeader or leave them out")
	case len(o.Columns) > maxColumns:
		add("Options.Columns: got %d names, want at most %d; name fewer", len(o.Columns), maxColumns)
	}
	if o.BatchRows < 0 || o.BatchRows > 1<<20 {
		add("Options.BatchRows: got %d, want 1 to %d; leave it zero", o.BatchRows, 1<<20)
	}
	if o.Size < 0 {
		add("Options.Size: got %d, want a number of bytes; leave it zero where it is not known", o.Size)
	}
	return errors.Join(faults...)
}

var errEncoding = errors.New("unknown encoding")

// charmapOf returns the character map of a single-byte encoding, nil for UTF-8.
func charmapOf(encoding string) (*charmap.Charmap, error) {
	switch encoding {
	case "", "utf-8":
		return nil, nil
	case "latin-1":
		return charmap.ISO8859_1, nil
	case "windows-1252":
		return charmap.Windows1252, nil
	}
	return nil, errEncoding
}

// encodeDelimiter returns the bytes that delimiter has in the file.
func encodeDelimiter(cm *charmap.Charmap, delimiter string) ([]byte, error) {
	if cm == nil {
		return []byte(delimiter), nil
	}
	var b []byte
	for _, r := range delimiter {
		c, ok := cm.EncodeRune(r)
		if !ok {
			return nil, errEncoding
		}
		b = append(b, c)
	}
	return b, nil
}

// decoder maps each byte of a single-byte encoding to its UTF-8; nil stands for no conversion.
type decoder [256]string

func newDecoder(cm *charmap.Charmap) *decoder {
	if cm == nil {
		return nil
	}
	d := new(decoder)
	for i := range d {
		d[i] = string(cm.DecodeByte(byte(i)))
	}
	return d
}

// decode returns field in UTF-8, in scratch where a byte of it is not ASCII.
func (d *decoder) decode(field []byte, scratch *[]byte) []byte {
	for i, c := range field {
		if c >= 0x80 {
			return d.convert(field, i, scratch)
		}
	}
	return field
}

// convert decodes field, whose first ascii bytes need no conversion.
func (d *decoder) convert(field []byte, ascii int, scratch *[]byte) []byte {
	s := append((*scratch)[:0], field[:ascii]...)
	for _, c := range field[ascii:] {
		s = append(s, d[c]...)
	}
	*scratch = s
	return s
}
