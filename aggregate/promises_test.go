// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	namedTest  = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	namedField = regexp.MustCompile("`((?:privacy_unit|columns|exclude|min_people|budget|recipients)[A-Za-z_.]*)`")
	testFunc   = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
)

// TestPromisesNameRulesAndTestsThatExist: a page that a lawyer relies on must not fall behind.
func TestPromisesNameRulesAndTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("PROMISES.md")
	require.NoError(t, err)
	reference, err := os.ReadFile("REFERENCE.md")
	require.NoError(t, err)

	tests := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	}))
	named := namedTest.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(named), 20)
	for _, m := range named {
		assert.True(t, tests[m[1]], "there is no test %s", m[1])
	}

	fields := map[string]bool{}
	for _, m := range documented.FindAllStringSubmatch(string(reference), -1) {
		fields[m[1]] = true
	}
	for _, m := range namedField.FindAllStringSubmatch(string(page), -1) {
		assert.True(t, fields[m[1]], "there is no field %s", m[1])
	}

	// Every row of a table has a promise, a rule and a proof.
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| promise") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
			if assert.Len(t, cells, 3, line) {
				assert.Regexp(t, namedTest, cells[2])
			}
		}
	}
}
