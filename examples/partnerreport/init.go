// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The demo's own files are what -init writes, so they cannot drift from what works.
var (
	//go:embed policy.yaml
	starterPolicy []byte
	//go:embed release.yaml
	starterRelease []byte
)

// writeStarters writes a policy and a release to start from. It replaces nothing.
func (o *options) writeStarters(stdout io.Writer) error {
	dir := o.init
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &writeError{fmt.Errorf("-init: making the folder: %w", err)}
	}
	starters := []struct {
		name    string
		content []byte
	}{{"policy.yaml", starterPolicy}, {"release.yaml", starterRelease}}
	for _, s := range starters {
		if _, err := os.Lstat(filepath.Join(dir, s.name)); !errors.Is(err, fs.ErrNotExist) {
			return commandError(fmt.Sprintf("-init: got a folder that has a %s, want one without; name another", s.name))
		}
	}
	for _, s := range starters {
		if err := os.WriteFile(filepath.Join(dir, s.name), s.content, 0o644); err != nil {
			return &writeError{fmt.Errorf("-init: writing %s: %w", s.name, err)}
		}
	}
	policy, release := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "release.yaml")
	return o.print(stdout, map[string][]string{"written": {policy, release}}, func() {
		fmt.Fprintf(stdout, "Wrote %s and %s. Change what differs in your files, then look at the plan:\n"+
			"  go run ./examples/partnerreport -policy %[1]s -release %[2]s -plan\n", policy, release)
	})
}
