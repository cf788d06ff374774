// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
)

// read returns cells of which a way of reading leaves different groups, nil where it takes none of its own.
func read(as anonymize.As, col aggregate.Column) []string {
	cells := map[anonymize.As]string{
		anonymize.AsRegistrableDomain: "https://www.group%d.example/page",
		anonymize.AsPrefix:            fmt.Sprintf("%%0%dd-rest", max(1, col.Length)),
		anonymize.AsPhoneCountry:      "+3%d 151 234567",
		anonymize.AsPhoneArea:         "+1 21%d 555 2671",
		anonymize.AsIPNetwork:         "%d.0.2.1",
	}
	spelling, ok := cells[as]
	if !ok || len(col.Groups.Declared) > 0 {
		return nil
	}
	var all []string
	for i := range privateGroups {
		if as == anonymize.AsIPNetwork || as == anonymize.AsPhoneArea {
			i += 2 // what begins with 0 or 1 is none
		}
		all = append(all, fmt.Sprintf(spelling, i))
	}
	return all
}

// maxKeys is how many labels of a table records are made for.
const maxKeys = 50

// keys returns one cell of each label of a table, the first ones of many.
func keys(col aggregate.Column) []string {
	r := csv.NewReader(strings.NewReader(col.Lookup.Table))
	if first, _, _ := strings.Cut(col.Lookup.Table, "\n"); strings.Contains(first, ";") {
		r.Comma = ';'
	}
	r.FieldsPerRecord = -1
	var all []string
	seen := map[string]bool{}
	for len(all) < maxKeys {
		fields, err := r.Read()
		if err != nil {
			break
		}
		label := fields[min(int(max(col.Lookup.Level, 1)), len(fields)-1)]
		if seen[label] {
			continue
		}
		seen[label] = true
		cell, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "\ufeff"), "/")
		if anonymize.As(col.As) == anonymize.AsPhone {
			cell += strings.Repeat("0", max(0, len("+1234567")-len(cell)))
		}
		all = append(all, cell)
	}
	return all
}

// several puts two values into every second cell of a dimension whose cells hold several.
func several(col aggregate.Column, raw string, cells []string) []string {
	split := col.Split
	if table.IsList(raw) {
		split = itemEnd
	}
	if split == "" {
		return cells
	}
	out := slices.Clone(cells)
	for i := 1; i < len(out); i += 2 {
		out[i] = cells[i] + split + cells[i-1] + split + cells[i]
	}
	return out
}
