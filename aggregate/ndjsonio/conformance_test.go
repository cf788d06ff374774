// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
	"github.com/throngdp/throng/anonymize"
)

func TestSourceKeepsTheContract(t *testing.T) {
	for _, readers := range []int{1, 3} {
		t.Run(fmt.Sprint(readers), func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				return source(t, encode(t, rows)).In(1000, readers)
			}, tabletest.DeliversText)
		})
	}
}

// encode writes numbers and booleans as JSON's own, and leaves a null out in every second row.
func encode(t *testing.T, rows tabletest.Rows) []byte {
	t.Helper()
	var out bytes.Buffer
	for i, row := range rows.Cells {
		record := map[string]any{}
		for c, v := range row {
			switch {
			case !v.Valid && i%2 == 0:
			case !v.Valid:
				record[rows.Columns[c].Name] = nil
			case v.Kind == anonymize.Bytes, v.Kind == anonymize.Time:
				record[rows.Columns[c].Name] = tabletest.Text(v)
			default:
				record[rows.Columns[c].Name] = json.RawMessage(tabletest.Text(v))
			}
		}
		line, err := json.Marshal(record)
		require.NoError(t, err)
		out.Write(append(line, '\n'))
	}
	return out.Bytes()
}
