// SPDX-License-Identifier: Apache-2.0

package logio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
)

// renamed is a source under the names that the suite gives to columns. Names that stand for no column of
// the log are asked for as they are, and must be refused.
type renamed struct {
	*logio.Source
	names, columns []string
}

func (r renamed) Schema(ctx context.Context) (table.Schema, error) {
	schema, err := r.Source.Schema(ctx)
	var out table.Schema
	for _, f := range schema.Fields {
		if i := slices.Index(r.columns, f.Name); i >= 0 {
			f.Name = r.names[i]
			out.Fields = append(out.Fields, f)
		}
	}
	return out, err
}

func (r renamed) Open(ctx context.Context, columns []string) ([]table.Reader, error) {
	asked := slices.Clone(columns)
	for i, name := range asked {
		if k := slices.Index(r.names, name); k >= 0 {
			asked[i] = r.columns[k]
		}
	}
	return r.Source.Open(ctx, asked)
}

// hide puts a source under the suite's names; name says which column of the log each of them is.
func hide(src *logio.Source, rows tabletest.Rows, name func(int) string) table.Source {
	r := renamed{Source: src}
	for i, c := range rows.Columns {
		r.names, r.columns = append(r.names, c.Name), append(r.columns, name(i))
	}
	return r
}

func TestSourceKeepsTheContract(t *testing.T) {
	for _, readers := range []int{1, 3} {
		t.Run(fmt.Sprint("combined ", readers), func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				src := source(t, asCombined(rows), logio.Combined).In(1000, readers)
				return hide(src, rows, func(i int) string { return fmt.Sprint("extra", i+1) })
			}, tabletest.DeliversText, tabletest.EmptyIsNull)
		})
		t.Run(fmt.Sprint("W3C ", readers), func(t *testing.T) {
			tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
				return hide(source(t, asCloudFront(rows), logio.W3C).In(1000, readers), rows, header)
			}, tabletest.DeliversText, tabletest.EmptyIsNull)
		})
	}
}

func header(i int) string { return fmt.Sprintf("cs(X-%d)", i) }

// asCombined writes rows as the further fields of a log, as Apache does.
func asCombined(rows tabletest.Rows) []byte {
	var out bytes.Buffer
	for _, cells := range rows.Cells {
		out.WriteString(`192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 - "-" "-"`)
		for _, v := range cells {
			out.WriteString(` "`)
			for _, c := range []byte(tabletest.Text(v)) {
				switch {
				case c == '"', c == '\\':
					out.WriteString(`\` + string(c))
				case c == '\n':
					out.WriteString(`\n`)
				case c < ' ' || c >= 0x7f:
					fmt.Fprintf(&out, `\x%02x`, c)
				default:
					out.WriteByte(c)
				}
			}
			out.WriteString(`"`)
		}
		out.WriteString("\n")
	}
	return out.Bytes()
}

// asCloudFront writes rows as request headers, as CloudFront does.
func asCloudFront(rows tabletest.Rows) []byte {
	out := bytes.NewBufferString("#Version: 1.0\n#Fields: date")
	for i := range rows.Columns {
		out.WriteString(" " + header(i))
	}
	for _, cells := range rows.Cells {
		out.WriteString("\n2019-12-04")
		for _, v := range cells {
			out.WriteByte('\t')
			for _, c := range []byte(tabletest.Text(v)) {
				if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte("\"<>#%{|}\\^~[]`'"), c) >= 0 {
					fmt.Fprintf(out, "%%%02X", c)
				} else {
					out.WriteByte(c)
				}
			}
			if tabletest.Text(v) == "" {
				out.WriteByte('-')
			}
		}
	}
	return append(out.Bytes(), '\n')
}

func source(t testing.TB, data []byte, f logio.Format) *logio.Source {
	t.Helper()
	src, err := logio.New("access.log", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, logio.Options{Format: f})
	require.NoError(t, err)
	return src
}
