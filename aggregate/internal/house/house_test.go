// SPDX-License-Identifier: Apache-2.0

package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/throngdp/throng"
	root   = "../../.."
)

// rooms is the map: what each room may import of this module. "…/" means the room and all below it.
// It is a statement of policy: a failing test means that the code is in the wrong room, or that the
// map was thought about and changed.
var rooms = []struct{ room, may, why string }{
	{"dp", "", "the words depend on nothing"},
	{"dp/mechanism", "dp dp/accounting", "mechanisms know parameters and what they cost, not data"},
	{"dp/mechanism/mechanismtest", "dp dp/accounting dp/mechanism", "a recorder is a mechanism"},
	{"dp/accounting", "dp", "an accountant knows parameters, not noise and not data"},
	{"dp/audit", "dp", "statistics judge any mechanism and know none"},
	{"dp/estimate", "", "post-processing must not be able to reach a mechanism"},
	{"anonymize", "anonymize/internal/…", "rules know values, not noise: dp and anonymize never meet"},
	{"anonymize/identity", "anonymize anonymize/internal/…", "ids know values, not noise"},
	{"anonymize/generalize", "anonymize anonymize/internal/…", "labels know values, not noise"},
	{"anonymize/detect", "", "what a text looks like depends on the text alone"},
	{"anonymize/internal/scalar", "", "parsing depends on nothing"},
	{"aggregate/table", "anonymize", "the contract names kinds of values and nothing else"},
	{"aggregate/table/tabletest", "anonymize aggregate/table", "the suite holds third parties to the contract alone"},
	{"aggregate/csvio", "anonymize aggregate/table aggregate/internal/blocks", "a connector knows the contract, never the policy"},
	{"aggregate/ndjsonio", "anonymize aggregate/table aggregate/internal/blocks", "a connector knows the contract, never the policy"},
	{"aggregate/parquetio", "anonymize aggregate/table aggregate/internal/lists", "a connector knows the contract, never the policy"},
	{"aggregate/arrowio", "anonymize aggregate/table aggregate/internal/lists", "a connector knows the contract, never the policy"},
	{"aggregate/structio", "anonymize aggregate/table", "a connector knows the contract, never the policy"},
	{"aggregate/logio", "anonymize aggregate/table aggregate/internal/blocks", "a connector knows the contract, never the policy"},
	{"aggregate/internal/blocks", "", "sharing out a stream depends on nothing"},
	{"aggregate/internal/lists", "anonymize aggregate/table", "lists of a batch know the contract, never a format"},
	{"aggregate/internal/unpack", "aggregate/table", "opening files knows only how to refuse them"},
	{"aggregate/fileio", "anonymize aggregate/table aggregate/internal/unpack aggregate/csvio aggregate/ndjsonio aggregate/logio aggregate/parquetio aggregate/arrowio", "files lead to connectors"},
	{"aggregate/internal/strictyaml", "", "a parser depends on nothing"},
	{"aggregate/internal/spill", "", "files only"},
	{"aggregate/internal/engine", "aggregate/internal/spill dp", "the hot loop knows codes and bounds; no values, no noise"},
	{"aggregate/internal/scan", "aggregate/internal/engine aggregate/table anonymize/…", "rows are made from batches by the policy's rules"},
	{"aggregate/internal/plan", "dp dp/accounting dp/mechanism", "planning reads no data"},
	{"aggregate/internal/seam", "anonymize/identity dp/mechanism", "only what tests replace"},
	{"aggregate/internal/house", "", "tests only"},
	{"aggregate", "dp/… anonymize/… aggregate/table aggregate/internal/…", "the front door; connectors and bundle stand beside it"},
	{"aggregate/audit", "aggregate aggregate/table aggregate/internal/seam anonymize anonymize/identity dp dp/accounting dp/audit dp/mechanism dp/mechanism/mechanismtest", "an audit carries releases out on worlds of its own and watches the mechanism"},
	{"aggregate/bundle", "aggregate dp/estimate aggregate/bundle/internal/…", "a bundle sees a Result and nothing before it"},
	{"aggregate/bundle/internal/folder", "", "files only"},
	{"aggregate/bundle/internal/tablefile", "", "published rows only"},
}

// goFiles parses the files of the module below dir, tests left out unless asked for.
func goFiles(t *testing.T, dir string, tests bool) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	fset := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || !tests && strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files[filepath.ToSlash(rel)] = f
		return err
	}))
	require.NotEmpty(t, files, "no Go files below %s: the test looks in the wrong place", dir)
	return files
}

func matches(pattern, room string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "…"); ok {
		return strings.HasPrefix(room+"/", prefix)
	}
	return pattern == room
}

func TestRoomsImportOnlyWhatTheMapAllows(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range []string{"dp", "anonymize", "aggregate"} {
		for path, f := range goFiles(t, dir, false) {
			room := filepath.ToSlash(filepath.Dir(path))
			i := slices.IndexFunc(rooms, func(r struct{ room, may, why string }) bool { return r.room == room })
			if !assert.GreaterOrEqual(t, i, 0, "%s is a room that the map does not know", room) {
				continue
			}
			seen[room] = true
			for _, spec := range f.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				require.NoError(t, err)
				below, ours := strings.CutPrefix(imported, module+"/")
				if !ours {
					continue
				}
				ok := slices.ContainsFunc(strings.Fields(rooms[i].may), func(p string) bool { return matches(p, below) })
				assert.True(t, ok, "%s imports %s; it may import only: %s (%s)", path, below, rooms[i].may, rooms[i].why)
			}
		}
	}
	for _, r := range rooms {
		assert.True(t, seen[r.room], "the map has a room %s that is not there", r.room)
	}
}

// banned calls in library packages, by package and name, each with its reason.
var banned = map[string]string{
	"log.Fatal":   "a library returns errors",
	"log.Fatalf":  "a library returns errors",
	"log.Fatalln": "a library returns errors",
	"os.Exit":     "a library returns errors",
	"fmt.Print":   "a library does not print",
	"fmt.Printf":  "a library does not print",
	"fmt.Println": "a library does not print",
}

// panics are the library functions that may panic, each on a programmer's mistake that no input can
// cause.
var panics = map[string]string{
	"dp/spend.go:MustApprox":              "documented: for literals in source",
	"anonymize/identity/secret.go:Hasher": "an unset key would be a known key",
}

func TestLibraryPackagesReturnErrors(t *testing.T) {
	for _, dir := range []string{"dp", "anonymize", "aggregate"} {
		for path, f := range goFiles(t, dir, false) {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				assert.False(t, fn.Name.Name == "init" && fn.Recv == nil, "%s has an init function", path)
				ast.Inspect(fn, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok {
						return true
					}
					name := callName(call)
					assert.NotContains(t, banned, name, "%s calls %s: %s", path, name, banned[name])
					if name == "panic" {
						assert.Contains(t, panics, path+":"+fn.Name.Name, "%s panics in %s", path, fn.Name.Name)
					}
					return true
				})
			}
		}
	}
}

func callName(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		if pkg, ok := fun.X.(*ast.Ident); ok {
			return pkg.Name + "." + fun.Sel.Name
		}
	}
	return ""
}

func TestEveryFileHasItsLicenceAndEveryPackageItsDoc(t *testing.T) {
	documented := map[string]bool{}
	for path, f := range goFiles(t, ".", true) {
		first := ""
		if len(f.Comments) > 0 {
			first = f.Comments[0].Text() + f.Comments[0].List[0].Text
		}
		assert.Contains(t, first, "SPDX-License-Identifier: Apache-2.0", path)
		if !strings.HasSuffix(path, "_test.go") {
			dir := filepath.Dir(path)
			documented[dir] = documented[dir] || f.Doc != nil
		}
	}
	for dir, ok := range documented {
		assert.True(t, ok, "package %s has no documentation", dir)
	}
}

func TestTopLevelIsAsAgreed(t *testing.T) {
	agreed := []string{"aggregate", "anonymize", "dp", "examples", "benchmarks", "testdata", "go.mod", "go.sum", "README.md", "LICENSE", "out"}
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			assert.Contains(t, agreed, e.Name(), "the top level is agreed; put it into a room")
		}
	}
}
