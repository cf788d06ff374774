// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/mechanism"
)

const google = "github.com/google/differential-privacy/go/"

// bannedImports are import paths by prefix, each with the reason.
var bannedImports = map[string]string{
	"math/rand":                      "not a cryptographic source",
	"golang.org/x/exp/rand":          "not a cryptographic source",
	google + "v3/rand":               "its Normal is a ziggurat on floats; noise comes from noise.AddNoiseInt64",
	google + "v3/dpagg":              "its thresholds ignore that noise is rounded, and its float sums exceed their sensitivity",
	google + "v4":                    "another law than the one stated in this package",
	"gonum.org/v1/gonum/stat/distmv": "samples floats",
}

// bannedNames are identifiers that draw float noise.
var bannedNames = map[string]string{
	"NormFloat64":     "float noise has porous support",
	"ExpFloat64":      "float noise has porous support",
	"AddNoiseFloat64": "leaks its input through low bits",
	"NewPCG":          "not a cryptographic source",
}

// randomnessFaults lists what a source file must not use. path is slash-separated, from the module root.
func randomnessFaults(path string, source []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		for banned, why := range bannedImports {
			if path == "dp/mechanism/fresh.go" && name == google+"v3/rand" {
				continue // it draws to throw away
			}
			if name == banned || strings.HasPrefix(name, banned+"/") {
				faults = append(faults, fmt.Sprintf("%s: imports %s: %s", path, name, why))
			}
		}
		if name == google+"v3/noise" && !strings.HasPrefix(path, "dp/mechanism/") {
			faults = append(faults, fmt.Sprintf("%s: imports %s: draw through dp/mechanism", path, name))
		}
		// Silencing noise is for tests and audits.
		if strings.HasSuffix(name, "/mechanismtest") && !strings.HasPrefix(path, "aggregate/audit/") {
			faults = append(faults, fmt.Sprintf("%s: imports %s outside a test", path, name))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && bannedNames[id.Name] != "" {
			faults = append(faults, fmt.Sprintf("%s: uses %s: %s", path, id.Name, bannedNames[id.Name]))
		}
		return true
	})
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:linkname") {
				faults = append(faults, path+": links into another package")
			}
		}
	}
	return faults, nil
}

func TestAttackN03FloatOrPredictableRandomness(t *testing.T) {
	root := filepath.Join("..", "..")
	scanned := 0
	for _, room := range []string{"aggregate", "anonymize", "dp"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			faults, err := randomnessFaults(filepath.ToSlash(relative), source)
			assert.Empty(t, faults)
			scanned++
			return err
		})
		require.NoError(t, err)
	}
	assert.Greater(t, scanned, 10, "nothing was scanned")

	// Known bad.
	for source, want := range map[string]string{
		"package x\nimport \"math/rand\"":                             "math/rand",
		"package x\nimport r \"math/rand/v2\"":                        "math/rand/v2",
		"package x\nimport . \"" + google + "v3/rand\"":               "ziggurat",
		"package x\nimport \"" + google + "v3/noise\"":                "draw through",
		"package x\nimport \"a/mechanismtest\"":                       "outside a test",
		"package x\nvar f = y.NormFloat64":                            "NormFloat64",
		"package x\nfunc f() { g.AddNoiseFloat64(1, 1, 1, 1, 0) }":    "AddNoiseFloat64",
		"package x\n//go:linkname a b\nfunc a()":                      "links into",
		"package x\nimport \"" + google + "v4/noise\"":                "another law",
		"package x\nimport \"" + google + "v3/dpagg\"\nvar _ = 1":     "thresholds",
		"package x\nimport \"golang.org/x/exp/rand\"\nconst none = 1": "cryptographic",
	} {
		faults, err := randomnessFaults("aggregate/x.go", []byte(source))
		require.NoError(t, err)
		assert.Len(t, faults, 1, source)
		assert.Contains(t, strings.Join(faults, ""), want)
	}
}

// Every file that exports a constructor is a mechanism, and has a proof beside it.
func TestEveryMechanismHasAProof(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var mechanisms []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "New") && !strings.HasSuffix(path, "_test.go") {
				mechanisms = append(mechanisms, strings.TrimSuffix(path, ".go"))
				mechanisms = slices.Compact(mechanisms)
			}
		}
	}
	assert.Equal(t, []string{"gaussian", "laplace", "selection", "threshold"}, mechanisms)
	for _, name := range mechanisms {
		text, err := os.ReadFile(name + ".md")
		require.NoError(t, err)
		for _, heading := range []string{"## Precondition", "## Algorithm", "## Guarantee", "## Proof", "## Rounding"} {
			assert.Contains(t, string(text), "\n"+heading+"\n", "%s.md", name)
		}
	}
}

func TestSiteNeverPrintsItsGroup(t *testing.T) {
	site := mechanism.Site{Table: "activity", Statistic: "visitors", Group: "planted"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("drawn", "site", site, "nested", []any{site})
	encoded, err := json.Marshal(map[mechanism.Site]any{site: []any{site, &site}})
	require.NoError(t, err)
	text := log.String() + string(encoded) + fmt.Sprint(site, &site, []mechanism.Site{site})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3s"} {
		text += fmt.Sprintf(verb+verb, site, struct{ S mechanism.Site }{site})
	}
	assert.NotContains(t, text, "planted")
	assert.NotContains(t, text, fmt.Sprintf("%x", "planted"))
	assert.Equal(t, `"activity"."visitors"[redacted]`, site.String())
}
