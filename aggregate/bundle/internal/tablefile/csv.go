// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"encoding/csv"
	"io"
)

// WriteCSV writes a header and the rows as RFC 4180 has it, in UTF-8 without a byte order mark, with
// LF line ends. Text is that of [CSVText] and never spans lines. A number is its numeral; a withheld one
// is an empty cell. After an error w may hold a part of the file.
func WriteCSV(w io.Writer, t Table) error {
	if err := t.check(); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	record := make([]string, len(t.Columns))
	texts := make([]lastText, len(t.Columns))
	for i, c := range t.Columns {
		record[i], texts[i].mark = c.Name, CSVText
	}
	if err := out.Write(record); err != nil {
		return err
	}
	var numerals []byte
	ends := make([]int, len(t.Columns))
	for row := range t.Rows {
		numerals = numerals[:0]
		for i := range t.Columns {
			c := &t.Columns[i]
			if c.Text != nil {
				record[i] = texts[i].cell(c.Text(row))
				continue
			}
			var err error
			if numerals, err = c.appendNumeral(numerals, row); err != nil {
				return err
			}
			ends[i] = len(numerals)
		}
		// The numerals of a row share one string.
		all, from := string(numerals), 0
		for i := range t.Columns {
			if t.Columns[i].Numeral != nil {
				record[i], from = all[from:ends[i]], ends[i]
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// lastText remembers the cell of the last text of a column: in most columns the next one is the same.
type lastText struct {
	mark       func(string) string
	text, last string
}

func (l *lastText) cell(text string) string {
	if text != l.text {
		l.text, l.last = text, l.mark(text)
	}
	return l.last
}
