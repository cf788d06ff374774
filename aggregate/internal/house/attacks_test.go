// SPDX-License-Identifier: Apache-2.0

package house_test

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

// attacks are the attacks that the project says it survives, by their letter. Each has a test of its name at least, so
// that a reader can go from one to the other.
var attacks = map[string]string{
	"I": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16",
	"D": "01 02 03 04 05 06 07 08 09 10",
	"B": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15",
	"N": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15",
	"S": "01 02 03 04 05 06 07 08 09 10 11 12 13",
	"P": "01 02 03 04 05 06 07 08 09",
	"O": "01 02 03 04 05 06 09 10 13",
	"L": "07 08 13 14 15 18",
	"X": "08 12",
}

var attackTest = regexp.MustCompile(`(?m)^func TestAttack((?:[A-Z]\d\d)+)`)

func TestEveryAttackHasATestOfItsName(t *testing.T) {
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range attackTest.FindAllStringSubmatch(string(source), -1) {
			for rows := name[1]; rows != ""; rows = rows[3:] {
				found[rows[:3]] = true
			}
		}
		return err
	}))
	for letter, numbers := range attacks {
		for _, number := range strings.Fields(numbers) {
			assert.True(t, found[letter+number], "no test is named TestAttack%s%s…", letter, number)
		}
	}
}
