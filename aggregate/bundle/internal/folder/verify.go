// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// ErrNotABundle is wrapped where a folder is not exactly what its SHA256SUMS says.
var ErrNotABundle = errors.New("not a bundle")

// errNoSums is the fault of a folder without SHA256SUMS.
var errNoSums = unlike("got no %s, want one; name another folder", SumsFile)

// maxSums bounds SHA256SUMS, in bytes: some ten thousand files.
const maxSums = 1 << 20

// sumLine is a line of SHA256SUMS as sha256sum writes it: sum, two spaces, name.
var sumLine = regexp.MustCompile(`^([0-9a-f]{64})  (.+)$`)

// Verify reports whether dir is a complete and unchanged bundle: a real directory with a SHA256SUMS
// that names every other file, each of which has its sum, and with nothing else: no other file, no
// folder without a file, no link, no device. Where it is not, the error wraps [ErrNotABundle]; other
// errors are those of the operating system, among them that files vanish while a folder is replaced.
func Verify(dir string) error { return look(dir, verify) }

// CheckTarget reports whether [Write] could replace dir: nothing is there, or a bundle, in which other
// bundles may lie.
func CheckTarget(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return look(dir, func(root *os.Root) error {
		_, err := inspect(root)
		return err
	})
}

func look(dir string, check func(*os.Root) error) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("verifying a bundle: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: got something that is no folder, want a bundle; name its folder: %w", dir, ErrNotABundle)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("verifying a bundle: %w", err)
	}
	defer root.Close()
	if err := check(root); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// unlike is an error that says how a folder differs from a bundle.
func unlike(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrNotABundle)...)
}

// verify returns an error unless root is a bundle and nothing else.
func verify(root *os.Root) error {
	sums, err := readSums(root)
	if err != nil {
		return err
	}
	return verifyFiles(root, sums, func(name string) error {
		if path.Dir(name) == "." && holdsBundle(root, name) == nil {
			return unlike("got the folder %.200q, which is a bundle of its own inside this one, want nothing else; hand each on by itself", name)
		}
		return unlike("got the folder %.200q, which %s does not name, want nothing else; move it away", name, SumsFile)
	})
}

// inspect returns an error unless root is what Write may replace: a bundle in which other bundles may
// lie, or a folder of bundles alone. It returns their names.
func inspect(root *os.Root) (nested []string, err error) {
	sums, errSums := readSums(root)
	if errSums != nil && !errors.Is(errSums, errNoSums) {
		return nil, errSums
	}
	err = verifyFiles(root, sums, func(name string) error {
		if strings.HasPrefix(name, leftoverStart) {
			return unlike("got the folder %.200q, which a write to a bundle inside this one makes or has left, want it gone; write that bundle again", name)
		}
		// Its name is plain because Write made it; what else a person may have put here is not touched.
		if !validName(name) || path.Dir(name) != "." || holdsBundle(root, name) != nil {
			return unlike("got the folder %.200q, which %s does not name, want nothing else; move it away", name, SumsFile)
		}
		nested = append(nested, name)
		return fs.SkipDir
	})
	if errSums != nil && (err == nil && nested == nil || errors.Is(err, ErrNotABundle)) {
		return nil, errSums
	}
	return nested, err
}

// holdsBundle returns an error unless the folder name below root is a bundle and nothing else.
func holdsBundle(root *os.Root, name string) error {
	inner, err := root.OpenRoot(name)
	if err != nil {
		return fmt.Errorf("verifying a bundle: %w", err)
	}
	defer inner.Close()
	return verify(inner)
}

// verifyFiles checks that root holds what sums name, and nothing else but folders about which strange
// returns nil or fs.SkipDir.
func verifyFiles(root *os.Root, sums map[string]string, strange func(name string) error) error {
	dirs := map[string]bool{".": true}
	for name := range sums {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	left := maps.Clone(sums)
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("verifying a bundle: %w", err)
		case entry.IsDir():
			if !dirs[name] {
				return strange(name)
			}
			return nil
		case !entry.Type().IsRegular():
			return unlike("got %.200q, which is no plain file, want plain files; remove it", name)
		case name == SumsFile:
			return nil
		case sums[name] == "":
			return unlike("got the file %.200q, which %s does not name, want nothing else; move it away", name, SumsFile)
		}
		delete(left, name)
		return verifyFile(root, name, sums[name])
	})
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return unlike("got no file %.200q, want all that %s names; copy the folder again", slices.Min(slices.Collect(maps.Keys(left))), SumsFile)
	}
	return nil
}

func verifyFile(root *os.Root, name, want string) error {
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("verifying a bundle: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("verifying a bundle: %w", err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return unlike("got a changed file %.200q, want the sum that %s has; copy the folder again", name, SumsFile)
	}
	return nil
}

// readSums reads SHA256SUMS strictly: sorted, each name once, valid names only.
func readSums(root *os.Root) (map[string]string, error) {
	info, err := root.Lstat(SumsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoSums
	}
	if err != nil {
		return nil, fmt.Errorf("verifying a bundle: %w", err)
	}
	// Lstat first: opening a named pipe would wait for a writer.
	if !info.Mode().IsRegular() || info.Size() > maxSums {
		return nil, unlike("got a %s that throng does not write, want a plain file; name another folder", SumsFile)
	}
	data, err := root.ReadFile(SumsFile)
	if err != nil {
		return nil, fmt.Errorf("verifying a bundle: %w", err)
	}
	sums, last := map[string]string{}, ""
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		m := sumLine.FindStringSubmatch(lines.Text())
		if m == nil || !validName(m[2]) || strings.EqualFold(m[2], SumsFile) || m[2] <= last {
			return nil, unlike("got a line of %s that throng does not write, want sum and name, sorted; copy the folder again", SumsFile)
		}
		sums[m[2]], last = m[1], m[2]
	}
	if lines.Err() != nil || len(sums) == 0 {
		return nil, unlike("got a %s that throng does not write, want sum and name, sorted; copy the folder again", SumsFile)
	}
	return sums, nil
}
