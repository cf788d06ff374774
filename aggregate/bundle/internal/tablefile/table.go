// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
)

// Column is one column of a table. Exactly one of Text and Numeral is set; it is asked row by row, in
// order, once per file.
type Column struct {
	// Name is a letter or underscore, then letters, digits and underscores, at most 64 in all.
	Name string
	// Text returns the label, code or date of a row. It may hold any bytes.
	Text func(row int) string
	// Numeral appends the number of a row as a decimal with as many places as it is to have: "41.0", "-3".
	// It appends nothing where the number is withheld. There is no exponent, no needless zero in front,
	// and no sign of zero.
	Numeral func(dst []byte, row int) []byte
}

// Table is rows in the order in which they are to be written.
type Table struct {
	Rows    int
	Columns []Column
}

// ErrTable is wrapped by every error about a table that cannot be written.
var ErrTable = errors.New("table cannot be written")

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// check checks the columns. Errors name columns and never hold a cell.
func (t Table) check() error {
	// One column alone cannot show an empty cell in CSV.
	if len(t.Columns) < 2 {
		return fmt.Errorf("%w: got %d columns, want at least 2; add the statistic", ErrTable, len(t.Columns))
	}
	seen := make(map[string]bool, len(t.Columns))
	for i, c := range t.Columns {
		switch {
		case !columnName.MatchString(c.Name):
			return fmt.Errorf("%w: columns[%d]: got a name that is not letters, digits and underscores, want such a name; rename it", ErrTable, i)
		case (c.Text == nil) == (c.Numeral == nil):
			return fmt.Errorf("%w: columns[%d]: %s: want either text or numerals; set one", ErrTable, i, c.Name)
		case seen[c.Name]:
			return fmt.Errorf("%w: columns[%d]: got a second %s, want each name once; rename it", ErrTable, i, c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// appendNumeral appends the numeral of a row, or nothing.
func (c *Column) appendNumeral(dst []byte, row int) ([]byte, error) {
	from := len(dst)
	dst = c.Numeral(dst, row)
	if n := dst[from:]; len(n) > 0 && !plain(n) {
		return nil, fmt.Errorf("%w: %s: got a number that is no plain decimal, want digits such as -3 or 41.0; write it so", ErrTable, c.Name)
	}
	return dst, nil
}

// plain reports whether n is a plain decimal: short enough for every reader, so that no float64 is out
// of its range, and without a sign of zero, which would read as a fact about what was rounded away.
func plain(n []byte) bool {
	n, negative := bytes.CutPrefix(n, []byte("-"))
	whole, places, point := bytes.Cut(n, []byte("."))
	switch {
	case !digits(whole) || point && !digits(places):
		return false
	case len(whole) > 1 && whole[0] == '0':
		return false
	}
	return !negative || len(bytes.Trim(n, "0.")) > 0
}

// digits reports whether b is one to forty digits.
func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= 40
}
