// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"errors"
	"fmt"
	"regexp"
)

// Column is one column of a table. Exactly one of Text and Numerals is set; a table without rows has
// an empty, not a nil, slice there.
type Column struct {
	// Name is a letter or underscore, then letters, digits and underscores, at most 64 in all.
	Name string
	// Text holds labels, codes and dates. It may hold any bytes.
	Text []string
	// Numerals holds numbers as decimals with as many places as they are to have: "41.0", "-3". An empty
	// one is withheld. There is no exponent, no needless zero in front, and no sign of zero.
	Numerals []string
}

// Table is rows in the order in which they are to be written, as columns of equal length.
type Table struct {
	Columns []Column
}

// ErrTable is wrapped by every error about a table that cannot be written.
var ErrTable = errors.New("table cannot be written")

// numeral is a plain decimal. It is short enough for every reader, and no float64 is out of its range.
var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?$`)

// negativeZero would read as a fact about what was rounded away.
var negativeZero = regexp.MustCompile(`^-0(\.0+)?$`)

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func (c *Column) len() int { return max(len(c.Text), len(c.Numerals)) }

// rows checks the table and returns its number of rows. Errors name columns and never hold a cell.
func (t Table) rows() (int, error) {
	// One column alone cannot show an empty cell in CSV.
	if len(t.Columns) < 2 {
		return 0, fmt.Errorf("%w: got %d columns, want at least 2; add the statistic", ErrTable, len(t.Columns))
	}
	rows, seen := t.Columns[0].len(), make(map[string]bool, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		if err := c.check(rows); err != nil {
			return 0, fmt.Errorf("%w: columns[%d]: %w", ErrTable, i, err)
		}
		if seen[c.Name] {
			return 0, fmt.Errorf("%w: columns[%d]: got a second %s, want each name once; rename it", ErrTable, i, c.Name)
		}
		seen[c.Name] = true
	}
	return rows, nil
}

func (c *Column) check(rows int) error {
	switch {
	case !columnName.MatchString(c.Name):
		return errors.New("got a name that is not letters, digits and underscores, want such a name; rename it")
	case (c.Text == nil) == (c.Numerals == nil):
		return fmt.Errorf("%s: want either text or numerals; set one", c.Name)
	case c.len() != rows:
		return fmt.Errorf("%s: got a different number of rows, want that of the first column", c.Name)
	}
	for _, n := range c.Numerals {
		if n != "" && (!numeral.MatchString(n) || negativeZero.MatchString(n)) {
			return fmt.Errorf("%s: got a number that is no plain decimal, want digits such as -3 or 41.0; write it so", c.Name)
		}
	}
	return nil
}
