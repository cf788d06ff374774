// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// maxKeyFile bounds what is read of a key file: no key is longer, and a device has no end.
const maxKeyFile = 4096

// ErrKeyFile marks a key file that was read and is not fit to hold a key.
var ErrKeyFile = errors.New("the key file cannot be used")

// SecretFromFile returns the secret whose key is the content of a regular file, byte for byte: [MinSecretBytes]
// to 4096 random bytes, as [SecretFromBytes] wants them. On systems with Unix modes nobody but the file's owner
// may have any access to it, mode 0600 or stricter. It may be reached by a symbolic link. It returns an error that
// wraps [ErrKeyFile] or one of package fs, with the path and never a byte of the file.
func SecretFromFile(path string) (Secret, error) {
	key, err := readKey(path)
	defer clear(key)
	if err != nil {
		return Secret{}, fmt.Errorf("reading a key: %w", err)
	}
	s, err := SecretFromBytes(key)
	if err != nil {
		return Secret{}, fmt.Errorf("reading a key: %q: %w (%w)", path, err, ErrKeyFile)
	}
	return s, nil
}

func readKey(path string) ([]byte, error) {
	// What is no file is not opened: a pipe would keep the caller waiting.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := checkKeyFile(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Another file may stand at the path by now.
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := checkKeyFile(path, info); err != nil {
		return nil, err
	}
	key := make([]byte, maxKeyFile+1)
	n, err := io.ReadFull(f, key)
	switch {
	case err == nil:
		return key, fmt.Errorf("%q: got more than %d bytes, want a key; %w", path, maxKeyFile, ErrKeyFile)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return key, err
	}
	return key[:n], nil
}

func checkKeyFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q: got what is no regular file, want a file; %w", path, ErrKeyFile)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("%q: got the mode %04o, want 0600; take it from everyone but the owner (chmod 600), and generate a new key if anyone may have read it; %w",
			path, mode, ErrKeyFile)
	}
	return nil
}
