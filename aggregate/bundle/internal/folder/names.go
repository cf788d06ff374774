// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// SumsFile is the name of the file that holds the SHA-256 sums of all others.
const SumsFile = "SHA256SUMS"

var (
	tableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	// element is one part of a file's path. It begins with a letter or digit, so that it is never "..",
	// hidden, or an option of a program.
	element = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	// reserved are the names that Windows gives to devices, with any extension.
	reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// ValidTable reports whether name may be a table's: a lower-case letter, then lower-case letters,
// digits and underscores, at most 64 in all, and not the name of a device on Windows.
func ValidTable(name string) bool {
	return tableName.MatchString(name) && !reserved.MatchString(name)
}

// maxDepth is how many parts a file's path may have.
const maxDepth = 3

// validName reports whether name is a slash-separated path that stays inside a folder on every system.
func validName(name string) bool {
	parts := strings.Split(name, "/")
	if len(parts) > maxDepth {
		return false
	}
	for _, part := range parts {
		if !element.MatchString(part) || reserved.MatchString(part) || strings.HasSuffix(part, ".") {
			return false
		}
	}
	return true
}

// checkFiles refuses names that are invalid, doubled or both a file and a folder. Case does not tell
// names apart, because it does not on all systems.
func checkFiles(files []File) error {
	if len(files) == 0 {
		return errors.New("files: got none, want at least one; add one")
	}
	kinds := map[string]string{strings.ToLower(SumsFile): "file"}
	for i, f := range files {
		if !validName(f.Name) {
			return fmt.Errorf("files[%d]: got a name that is not valid, want at most %d parts of letters, digits, . _ and -; rename it", i, maxDepth)
		}
		name := strings.ToLower(f.Name)
		if kinds[name] != "" {
			return fmt.Errorf("files[%d]: got a name that is taken, want each name once; rename it", i)
		}
		kinds[name] = "file"
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if kinds[dir] == "file" {
				return fmt.Errorf("files[%d]: got a name below a file, want it below a folder; rename it", i)
			}
			kinds[dir] = "folder"
		}
	}
	return nil
}
