// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
)

func TestSourceKeepsTheContractOfLists(t *testing.T) {
	tabletest.TestLists(t, func(t *testing.T, records []tabletest.Record) table.Source {
		var out bytes.Buffer
		for i, r := range records {
			record := map[string]any{"id": r.ID, "tags": r.Tags, "numbers": r.Numbers, "secret": r.Secret}
			var params []any
			for _, p := range r.Params {
				value := map[string]any{}
				if p.Text != nil || i%2 == 0 {
					value["string_value"] = p.Text
				}
				if p.Int != nil {
					value["int_value"] = *p.Int
				}
				params = append(params, map[string]any{"value": value, "key": p.Key, "more": []int{1, 2}})
			}
			record["params"] = params
			line, err := json.Marshal(record)
			require.NoError(t, err)
			out.Write(append(line, '\n'))
		}
		return source(t, out.Bytes()).In(1000, 3)
	}, tabletest.Without{}, tabletest.DeliversText)
}

// TestListsInOddForms reads each record by both parsers.
func TestListsInOddForms(t *testing.T) {
	for _, c := range []struct{ record, column, want string }{
		{`{"a":[1,"x",true,null,1.50,"\u0041\n",[2],{"b":3}]}`, "a[]", "[1 x true null 1.50 A\n null null]"},
		{`{"a":[ ]}`, "a[]", "[]"},
		{`{"a":null}`, "a[]", "[]"},
		{`{"b":[1]}`, "a[]", "[]"},
		{`{"a":"one"}`, "a[]", "[one]"},
		{`{"a":7}`, "a[]", "[7]"},
		{`{"a":{"b":1}}`, "a[]", "[null]"},
		{`{"a":{"b":1}}`, "a[].b", "[1]"},
		{`{"a":"one"}`, "a[].b", "[]"},
		{`{"a" : [ {"b" : {"c" : 1}} , {"c":2}, 3, {"b":{"c":[4]}} , {"b":{"c":"}]\""}} ] }`, "a[].b.c", `[1 null null null }]"]`},
		{`{"x":{"a":["in"]},"x.a":["flat"]}`, "x.a[]", "[in]"},
		{`{"x.a":["flat"]}`, "x.a[]", "[flat]"},
		{`{"a[]":["literal"]}`, "a[]", "[literal]"},
		{`{"a[]":["literal"],"a":["list"]}`, "a[]", "[literal]"},
		{`{"Age [years]":5}`, "Age [years]", "5"},
		{`{"p":[{"key":"k","value":"v"}]}`, "p[k]", "v"},
		{`{"p":[{"key":"k","value":{"string_value":null,"int_value":"12"}}]}`, "p[k]", "12"},
		{`{"p":[{"key":"k","value":{"double_value":1.5e3}}]}`, "p[k]", "1.5e3"},
		{`{"p":[{"key":"k","value":{"int_value":1}}]}`, "p[k].value.string_value", "null"},
		{`{"p":[{"key":"k","other":{"x":1}}]}`, "p[k].other.x", "1"},
		{`{"p":[{"value":1,"k\u0065y":"\u006b"}]}`, "p[k]", "1"},
		{`{"p":[{"key":"l","value":1},{"key":"k","value":null},{"key":"k","value":3}]}`, "p[k]", "null"},
		{`{"p":[7,[],{},{"key":null},{"key":{"a":1}},{"key":"k","value":4}]}`, "p[k]", "4"},
		{`{"p":{"key":"k","value":4}}`, "p[k]", "4"},
		{`{"p":"k"}`, "p[k]", "null"},
		{`{"p":[{"key":"a.b","value":4}]}`, "p[a.b]", "4"},
		{`{"u":{"p":[{"key":"k","value":5}]}}`, "u.p[k]", "5"},
	} {
		for _, before := range []string{`{"`, `{"e\u0073c":[1,{}],"`} {
			line := strings.Replace(c.record, `{"`, before, 1)
			src := source(t, []byte(line+"\n"))
			readers, err := src.Open(t.Context(), []string{"other", c.column, "p"})
			require.NoError(t, err)
			var b table.Batch
			require.NoError(t, readers[0].Next(t.Context(), &b))
			got := "null"
			if col := &b.Columns[1]; col.Items != nil {
				var items []string
				for i := range col.Starts[1] {
					if v := col.Items.Value(int(i)); v.Valid {
						items = append(items, tabletest.Text(v))
					} else {
						items = append(items, "null")
					}
				}
				got = fmt.Sprint(items)
			} else if v := col.Value(0); v.Valid {
				got = tabletest.Text(v)
			}
			assert.Equal(t, c.want, got, "%s of %s", c.column, line)
			for _, r := range readers {
				require.NoError(t, r.Close())
			}
		}
	}
}

// TestAttackI05ALongListIsCut: of a list as long as a line may be, so many items count as of any other.
func TestAttackI05ALongListIsCut(t *testing.T) {
	line := `{"id":"a","tags":[` + strings.TrimSuffix(strings.Repeat("1,", 500_000), ",") + `]}` + "\n"
	src := source(t, []byte(line+`{"id":"b","tags":["x"]}`+"\n"))
	readers, err := src.Open(t.Context(), []string{"tags[]"})
	require.NoError(t, err)
	var b table.Batch
	require.NoError(t, readers[0].Next(t.Context(), &b))
	assert.Equal(t, []uint32{0, table.MaxItems, table.MaxItems + 1}, b.Columns[0].Starts)
}
