// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle/internal/folder"
	"github.com/throngdp/throng/aggregate/bundle/internal/tablefile"
)

// ErrNotABundle is wrapped where a folder is not exactly what its SHA256SUMS says.
var ErrNotABundle = folder.ErrNotABundle

// Write writes a result as the folder dir, and the folders above it where they are missing. A folder
// that is there already is replaced in one step, but only if it is a bundle that is whole; otherwise
// the error wraps [ErrNotABundle] and nothing is touched. Bundles that were written into it, such as
// out/weekly in out, stay. After any error dir is as it was.
func Write(ctx context.Context, dir string, r *aggregate.Result) error {
	if err := check(r); err != nil {
		return err
	}
	var files []folder.File
	for i := range r.Tables {
		t := tableOf(&r.Tables[i])
		base := "data/" + r.Tables[i].Name
		files = append(files,
			folder.File{Name: base + ".csv", Write: func(w io.Writer) error { return tablefile.WriteCSV(w, t) }},
			folder.File{Name: base + ".parquet", Write: func(w io.Writer) error { return tablefile.WriteParquet(w, t) }})
	}
	files = append(files,
		folder.File{Name: "release.json", Write: func(w io.Writer) error { return writeManifest(w, r) }},
		folder.File{Name: "README.md", Write: func(w io.Writer) error { return writeReadme(w, r) }})
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("making the folder above the bundle: %w", err)
	}
	// The day is enough for a reader; the minute would tell how long the data took.
	return folder.Write(ctx, dir, files, time.Now().UTC().Truncate(24*time.Hour))
}

// check refuses results that no run returns: a program may have put one together.
func check(r *aggregate.Result) error {
	if r == nil || r.Plan == nil {
		return errors.New("result: got none, want one with its plan; hand on what Run returned")
	}
	for i, t := range r.Tables {
		if !folder.ValidTable(t.Name) {
			return fmt.Errorf("result.tables[%d].name: got a name that cannot be a file's, want a lower-case letter, then letters, digits and underscores, and no device of Windows; rename the table", i)
		}
		for j := range t.Rows {
			if len(t.Rows[j].Group) != len(t.Dimensions) {
				return fmt.Errorf("result.tables[%d].rows[%d].group: got another number of labels, want one per dimension; hand on what Run returned", i, j)
			}
		}
	}
	return nil
}

// Verify reports whether dir is a complete and unchanged bundle, with nothing else in it, not even
// another bundle.
func Verify(dir string) error { return folder.Verify(dir) }

// CheckTarget reports whether Write could write to dir: nothing is there, or a bundle, in which other
// bundles may lie. It serves to fail before data is read.
func CheckTarget(dir string) error { return folder.CheckTarget(dir) }

// tableOf lays published rows out as columns.
func tableOf(t *aggregate.ResultTable) tablefile.Table {
	out := tablefile.Table{Rows: len(t.Rows)}
	text := func(name string, get func(*aggregate.Row) string) {
		out.Columns = append(out.Columns, tablefile.Column{
			Name: name, Text: func(row int) string { return get(&t.Rows[row]) },
		})
	}
	number := func(name string, get func(*aggregate.Row) *aggregate.Number) {
		out.Columns = append(out.Columns, tablefile.Column{Name: name, Numeral: func(dst []byte, row int) []byte {
			n := get(&t.Rows[row])
			if !n.Known {
				return dst
			}
			return n.Decimal.Append(dst)
		}})
	}
	for d, name := range t.Dimensions {
		text(name, func(r *aggregate.Row) string { return r.Group[d] })
	}
	text("statistic", func(r *aggregate.Row) string { return r.Statistic })
	text("unit", func(r *aggregate.Row) string { return r.Unit })
	number("value", func(r *aggregate.Row) *aggregate.Number { return &r.Value })
	number("display", func(r *aggregate.Row) *aggregate.Number { return &r.Display })
	number("ci_low", func(r *aggregate.Row) *aggregate.Number { return &r.Low })
	number("ci_high", func(r *aggregate.Row) *aggregate.Number { return &r.High })
	text("obs_status", func(r *aggregate.Row) string { return string(r.Status) })
	return out
}

// writeManifest writes release.json.
func writeManifest(w io.Writer, r *aggregate.Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(manifestOf(r))
}
