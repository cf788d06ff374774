// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServiceReleasesTwiceAndIsThenRefused(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	text := out.String()
	assert.Contains(t, text, "2026-03-16:\n")
	assert.Contains(t, text, "2026-03-17:\n")
	assert.Contains(t, text, "2026-03-18: refused, the budget is spent\n")
	// 600 free users, noise of scale 2: it is 100 off with probability exp(-50).
	assert.Regexp(t, `free +visitors +(5[5-9]|6[0-4])[0-9] persons`, text)
	assert.NotContains(t, text, "@example.org")
}
