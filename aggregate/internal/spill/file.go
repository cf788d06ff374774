// SPDX-License-Identifier: Apache-2.0

package spill

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// create makes the file: without a name where the system can do that, and otherwise with one.
func create(dir string) (file, string, error) {
	if f, err := openUnnamed(dir); err == nil {
		return f, "", nil
	}
	return createNamed(dir)
}

// createNamed makes a file that only its owner may open, and takes its name away. Where an open file
// cannot be removed, it returns the name as well.
func createNamed(dir string) (file, string, error) {
	// 130 random bits: nobody can have made that file before, and if so, it is not opened.
	name := filepath.Join(dir, "throng-"+rand.Text()+".tmp")
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL
	f, err := os.OpenFile(name, flags|removeOnClose, 0o600)
	if err != nil && removeOnClose != 0 {
		f, err = os.OpenFile(name, flags, 0o600)
	}
	if err != nil {
		return nil, "", err
	}
	if os.Remove(name) == nil {
		name = ""
	}
	return f, name, nil
}

// removeNamed removes a file that kept its name. The system may have done it when the file was closed.
func (s *Store) removeNamed() error {
	err := os.Remove(s.name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("removing an encrypted temporary file: %w; remove it by hand", err)
}

// explain says what could not be done in the store's folder, and what to do. The error of the operating
// system is wrapped without the file's name, which is random.
func (s *Store) explain(doing string, err error, fix string) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s folder %q: %w; %s", doing, s.dir, err, fix)
}

// explainRead is explain for what could not be read back.
func (s *Store) explainRead(err error) error {
	fix := "check the disk, or choose another folder, or raise the memory limit"
	if errors.Is(err, ErrTampered) {
		fix = "check the disk, and who else may write to it"
	}
	return s.explain("reading back from", err, fix)
}

// explainWrite is explain for what could not be written, which is nearly always a matter of space.
func (s *Store) explainWrite(err error) error {
	return s.explain("spilling to", err, "free space, or choose another folder, or raise the memory limit")
}

// explainOpen is explain for a file that could not be made.
func (s *Store) explainOpen(err error) error {
	fix := "free space, or choose another folder, or raise the memory limit"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fix = "make the folder, or choose another folder, or raise the memory limit"
	case errors.Is(err, fs.ErrPermission):
		fix = "let this program write there, or choose another folder, or raise the memory limit"
	}
	return s.explain("making a temporary file in", err, fix)
}
