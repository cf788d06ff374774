// SPDX-License-Identifier: Apache-2.0

package tablefile

import (
	"errors"
	"fmt"
	"math"
	"regexp"
)

// Column is one column of a table. Exactly one of Text and Numbers is set; a table without rows has
// an empty, not a nil, slice there.
type Column struct {
	// Name is a letter or underscore, then letters, digits and underscores, at most 64 in all.
	Name string
	// Text holds labels, codes and dates. It may hold any bytes.
	Text []string
	// Numbers holds values; those that are valid are finite.
	Numbers []float64
	// Valid is false where a number is withheld; nil means that every number is valid.
	Valid []bool
}

// Table is rows in the order in which they are to be written, as columns of equal length.
type Table struct {
	Columns []Column
}

// ErrTable is wrapped by every error about a table that cannot be written.
var ErrTable = errors.New("table cannot be written")

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func (c *Column) len() int { return max(len(c.Text), len(c.Numbers)) }

// number returns row i, and false where it is withheld. It never returns -0, which reads as a fact
// about rounding.
func (c *Column) number(i int) (float64, bool) {
	if c.Valid != nil && !c.Valid[i] {
		return 0, false
	}
	return c.Numbers[i] + 0, true
}

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
	case (c.Text == nil) == (c.Numbers == nil):
		return fmt.Errorf("%s: want either text or numbers; set one", c.Name)
	case c.len() != rows || c.Valid != nil && len(c.Valid) != rows:
		return fmt.Errorf("%s: got a different number of rows, want that of the first column", c.Name)
	case c.Text != nil && c.Valid != nil:
		return fmt.Errorf("%s: got text with validity, want text in every row; use an empty text", c.Name)
	}
	for i := range c.Numbers {
		if v, ok := c.number(i); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return fmt.Errorf("%s: got a number that is not finite, want finite numbers", c.Name)
		}
	}
	return nil
}
