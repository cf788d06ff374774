// SPDX-License-Identifier: Apache-2.0

package nocore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAttackN10EveryProgramThatReadsRecordsWritesNoCore: it is the first thing that they do, and no library does it.
func TestAttackN10EveryProgramThatReadsRecordsWritesNoCore(t *testing.T) {
	programs, err := filepath.Glob("../../*/main.go")
	require.NoError(t, err)
	checked := 0
	for _, path := range programs {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.Contains(string(source), `"github.com/throngdp/throng/aggregate"`) {
			assert.Contains(t, string(source), "\nfunc main() {\n\t_ = nocore.Set()", path)
			checked++
		}
	}
	assert.GreaterOrEqual(t, checked, 4)
}
