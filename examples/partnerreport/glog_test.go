// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAttackO10GlogWritesNothingAndTakesNoFlagOfOurs: Google's noise library brings glog, which writes
// files into the temporary folder once it has something to say, and registers flags on
// flag.CommandLine when it is imported.
func TestAttackO10GlogWritesNothingAndTakesNoFlagOfOurs(t *testing.T) {
	tmp, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	cmd := command(t, demo(out)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	empty(t, tmp)

	require.NotNil(t, flag.Lookup("logtostderr"), "glog is no longer imported: this test has lost its subject")
	own := flag.NewFlagSet("service", flag.ContinueOnError)
	own.SetOutput(io.Discard)
	assert.NotPanics(t, func() { own.Bool("v", false, "") }, "a program keeps -v with a FlagSet of its own")
	assert.NotContains(t, report(t, "-h").all(), "logtostderr")
	assert.Equal(t, exitUsage, report(t, "-logtostderr").code, "glog's flags are none of ours")

	// CVE-2024-45339: before 1.2.4 glog follows a link that somebody else left in that folder.
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`github\.com/golang/glog v1\.2\.(\d+)`).FindSubmatch(mod)
	require.NotNil(t, version, "go.mod does not say which glog")
	patch, err := strconv.Atoi(string(version[1]))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, patch, 5)
}
