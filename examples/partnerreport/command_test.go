// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/bundle"
)

// The codes of run reach the shell, and each stream gets what is its own.
func TestTheProcessEndsWithTheExitCode(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	for _, tt := range []struct {
		name, stdout, stderr string
		args                 []string
		code                 int
	}{
		{"done", "Written to " + out, "", demo(out), exitDone},
		{"help", "Flags:\n", "", []string{"-h"}, exitDone},
		{"failed", "", "u.gz: is damaged or cut short", demo(out, "-usage", write(t, "u.gz", "\x1f\x8b\x08broken")), exitFailed},
		{"usage", "", `stray argument "extra"`, []string{"extra"}, exitUsage},
		{"usage as JSON", `"exit_code": 2`, "", []string{"extra", "-json"}, exitUsage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			c := command(t, tt.args...)
			c.Stdout, c.Stderr = &stdout, &stderr
			err := c.Run()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.code, c.ProcessState.ExitCode())
			for text, want := range map[string]string{stdout.String(): tt.stdout, stderr.String(): tt.stderr} {
				assert.Contains(t, text, want)
				assert.Equal(t, want == "", text == "")
			}
		})
	}
	assert.NoError(t, bundle.Verify(out))
}
