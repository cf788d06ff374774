// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"encoding/csv"
	"io"
)

// WriteCSV writes a header and the rows as RFC 4180 has it, in UTF-8 without a byte order mark, with
// LF line ends. Text is that of [CSVText] and never spans lines. A number is its numeral; a withheld one
// is an empty cell.
func WriteCSV(w io.Writer, t Table) error {
	rows, err := t.rows()
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	record := make([]string, len(t.Columns))
	for i := range t.Columns {
		record[i] = t.Columns[i].Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for row := range rows {
		for i := range t.Columns {
			record[i] = t.Columns[i].cell(row)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (c *Column) cell(row int) string {
	if c.Text != nil {
		return CSVText(c.Text[row])
	}
	return c.Numerals[row]
}
