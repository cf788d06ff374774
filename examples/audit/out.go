// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/throngdp/throng/aggregate/audit"
)

// fileName is what an audit's folder holds.
const fileName = "audit.json"

// errNotOurs marks a folder that is something else than an audit's.
var errNotOurs = errors.New("-out: only a new folder, or one that holds an audit alone, can be written")

// checkOut fails before the audit where its folder must not be written.
func checkOut(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no folder", errNotOurs, dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	for _, e := range entries {
		if e.Name() != fileName || !isReport(filepath.Join(dir, fileName)) {
			return fmt.Errorf("%w: %s holds something else", errNotOurs, dir)
		}
	}
	return nil
}

// isReport reports whether a file is a report of this format.
func isReport(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var r audit.Report
	return json.Unmarshal(raw, &r) == nil && r.Format == audit.Format
}

// writeOut writes the report aside and puts it in place by one rename.
func writeOut(dir string, raw []byte) (err error) {
	if dir == "" {
		return nil
	}
	if err := checkOut(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(filepath.Clean(dir)), ".audit-")
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, fileName)); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return nil
}
