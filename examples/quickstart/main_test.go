// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle"
)

const root = "../.."

// read returns a text file of the project.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

// block returns the first fenced block of that language after a heading.
func block(t *testing.T, page, heading, language string) string {
	t.Helper()
	_, section, found := strings.Cut(page, "\n## "+heading+"\n")
	require.True(t, found, "the README has no section %q", heading)
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```\n").FindStringSubmatch(section)
	require.NotNil(t, m, "section %q has no block in %s", heading, language)
	return m[1]
}

func TestTheCodeOfTheREADMEIsTheFunctionThatRuns(t *testing.T) {
	source := read(t, "examples/quickstart/main.go")
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "main.go", source, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "report" {
			text := source[fset.Position(f.Pos()).Offset:fset.Position(f.End()).Offset] + "\n"
			assert.Equal(t, text, block(t, read(t, "README.md"), "In Go", "go"))
			return
		}
	}
	t.Error("main.go has no function report")
}

func TestTheCommandsOfTheREADMERunBeforeEveryChange(t *testing.T) {
	commands := strings.Split(strings.TrimSpace(block(t, read(t, "README.md"), "Try it", "sh")), "\n")
	assert.Len(t, commands, 2)
	for _, command := range commands {
		assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(command)+`( |$)`, read(t, ".ci/run"))
	}
}

func TestQuickstartWritesABundleFromTheProjectsRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	t.Chdir(root)
	require.NoError(t, report(t.Context(), dir))
	assert.NoError(t, bundle.Verify(dir))
	assert.FileExists(t, filepath.Join(dir, "data", "gender.csv"))
}
