// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readScript reads a table as a partner would and prints its types and rows. Only the empty cell is
// missing; without that, pandas would take a group named "NA" for nothing.
const readScript = `
import json, sys
import pandas, pyarrow, pyarrow.parquet
folder, name, numbers = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
parquet = pyarrow.parquet.read_table(f"{folder}/data/{name}.parquet")
csv = pandas.read_csv(f"{folder}/data/{name}.csv", keep_default_na=False, na_values={c: [""] for c in numbers})
def rows(columns):
    return [[None if x is None or x != x else x for x in row] for row in zip(*columns)]
json.dump({
    "types": {f.name: str(f.type) for f in parquet.schema},
    "dtypes": {c: str(csv[c].dtype) if c in numbers else pandas.api.types.infer_dtype(csv[c]) for c in csv.columns},
    "frame": {c: str(t) for c, t in parquet.to_pandas().dtypes.items() if c in numbers},
    "parquet": rows([c.to_pylist() for c in parquet.columns]),
    "csv": rows([csv[c].tolist() for c in csv.columns]),
    "nulls": {f.name: c.null_count for f, c in zip(parquet.schema, parquet.columns)},
}, sys.stdout)
`

func TestPythonReadsTheSameRows(t *testing.T) {
	python := os.Getenv("THRONG_PYTHON")
	if python == "" {
		t.Skip("THRONG_PYTHON is not set: name a Python that has pandas and pyarrow to read the files with it")
	}
	r := silent(t)
	for i := range r.Tables[1].Rows { // text that pandas would take for a missing value
		if g := r.Tables[1].Rows[i].Group; g[0] == "news" {
			r.Tables[1].Rows[i].Group = []string{"NA"}
		}
	}
	dir := write(t, r)
	for i, name := range []string{"gender", "section"} {
		t.Run(name, func(t *testing.T) {
			command := exec.Command(python, "-c", readScript, dir, name, "value,display,ci_low,ci_high")
			command.Stderr = os.Stderr
			out, err := command.Output()
			require.NoError(t, err)
			var got struct {
				Types, Dtypes, Frame map[string]string
				Parquet, CSV         [][]any
				Nulls                map[string]int
			}
			require.NoError(t, json.Unmarshal(out, &got))
			var want [][]any
			withheld := 0
			for _, row := range records(t, dir, name) {
				line := []any{}
				for _, text := range []string{name, "statistic", "unit"} {
					line = append(line, row[text])
				}
				for _, number := range []string{"value", "display", "ci_low", "ci_high"} {
					if row[number] == "" {
						line = append(line, nil)
						continue
					}
					f, err := strconv.ParseFloat(row[number], 64)
					require.NoError(t, err)
					line = append(line, f)
				}
				want = append(want, append(line, row["obs_status"]))
				if row["obs_status"] == "Q" {
					withheld++
				}
			}
			assert.Len(t, want, len(r.Tables[i].Rows))
			assert.Equal(t, want, got.CSV)
			// In CSV alone, text that is like a formula has a mark.
			for j := range want {
				want[j][0] = r.Tables[i].Rows[j].Group[0]
			}
			assert.Equal(t, want, got.Parquet)
			for _, column := range []string{name, "statistic", "unit", "obs_status"} {
				assert.Equal(t, "string", got.Types[column])
				assert.Equal(t, "string", got.Dtypes[column])
				assert.Zero(t, got.Nulls[column])
			}
			for _, column := range []string{"value", "display", "ci_low", "ci_high"} {
				assert.Equal(t, "double", got.Types[column])
				assert.Equal(t, "float64", got.Dtypes[column])
				assert.Equal(t, "float64", got.Frame[column])
				assert.Equal(t, withheld, got.Nulls[column], "null is withheld and nothing else")
			}
		})
	}
}
