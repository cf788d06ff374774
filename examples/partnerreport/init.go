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
func writeStarters(dir string, stdout io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for -init: %w", err)
	}
	starters := []struct {
		name    string
		content []byte
	}{{"policy.yaml", starterPolicy}, {"release.yaml", starterRelease}}
	for _, s := range starters {
		if _, err := os.Lstat(filepath.Join(dir, s.name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("-init: got a folder that has a %s, want one without; name another: %w", s.name, errUsage)
		}
	}
	for _, s := range starters {
		if err := os.WriteFile(filepath.Join(dir, s.name), s.content, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", s.name, err)
		}
	}
	fmt.Fprintf(stdout, "Wrote %s and %s. Change what differs in your files, then try -plan.\n",
		filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "release.yaml"))
	return nil
}
