// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxNames is how many exported names the front door may have, methods and fields not counted: 33 of
// them are the plain structs that the two files fill, 18 the words that stand in those. It is raised for
// something that a release can newly say or a caller newly decide on, and for nothing else.
const maxNames = 99

// TestExportedNamesAreThoseOfTheList fails on every change of what the package exports: a change to
// the list is a change of the interface, which a person reads.
func TestExportedNamesAreThoseOfTheList(t *testing.T) {
	names, members := exportedNames(t, ".")
	assert.LessOrEqual(t, len(names), maxNames)
	slices.Sort(names)
	slices.Sort(members)
	golden(t, "testdata/api/aggregate.txt", strings.Join(names, "\n")+"\n\n"+strings.Join(members, "\n")+"\n")
}

// exportedNames lists the exported names of a package, and the methods and fields of those.
func exportedNames(t *testing.T, dir string) (names, members []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			n, m := exportedIn(decl)
			names, members = append(names, n...), append(members, m...)
		}
	}
	require.NotEmpty(t, names)
	return names, members
}

func exportedIn(decl ast.Decl) (names, members []string) {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		switch receiver := receiverOf(fn); {
		case !fn.Name.IsExported():
		case fn.Recv == nil:
			names = append(names, "func "+fn.Name.Name)
		case ast.IsExported(receiver):
			members = append(members, "method "+receiver+"."+fn.Name.Name)
		}
		return names, members
	}
	gen := decl.(*ast.GenDecl)
	for _, spec := range gen.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() {
					names = append(names, gen.Tok.String()+" "+name.Name)
				}
			}
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			names = append(names, "type "+spec.Name.Name)
			members = append(members, membersOf(spec)...)
		}
	}
	return names, members
}

func receiverOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	at := fn.Recv.List[0].Type
	if star, ok := at.(*ast.StarExpr); ok {
		at = star.X
	}
	if name, ok := at.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// membersOf lists the exported fields of a struct and the methods of an interface. An embedded type is
// listed under its own name.
func membersOf(spec *ast.TypeSpec) (members []string) {
	kind, list := "field ", (*ast.FieldList)(nil)
	switch of := spec.Type.(type) {
	case *ast.StructType:
		list = of.Fields
	case *ast.InterfaceType:
		kind, list = "method ", of.Methods
	}
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if name.IsExported() {
				members = append(members, kind+spec.Name.Name+"."+name.Name)
			}
		}
		if embedded, ok := field.Type.(*ast.Ident); ok && len(field.Names) == 0 && embedded.IsExported() {
			members = append(members, kind+spec.Name.Name+"."+embedded.Name)
		}
	}
	return members
}
