// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize/identity"
)

// keyFile writes a file with a mode, whatever the umask.
func keyFile(t *testing.T, content []byte, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestKeyFileHoldsTheKeyByteForByte(t *testing.T) {
	want := fixedSecret(t).Hasher("d").Sum64([]byte("x"))
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		s, err := identity.SecretFromFile(keyFile(t, fixedKey(), mode))
		require.NoError(t, err, "%o", mode)
		assert.Equal(t, want, s.Hasher("d").Sum64([]byte("x")))
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(keyFile(t, fixedKey(), 0o600), link))
	s, err := identity.SecretFromFile(link)
	require.NoError(t, err, "secrets are mounted as links")
	assert.Equal(t, want, s.Hasher("d").Sum64([]byte("x")))

	longest := make([]byte, 4096)
	_, err = rand.Read(longest)
	require.NoError(t, err)
	_, err = identity.SecretFromFile(keyFile(t, longest, 0o600))
	assert.NoError(t, err)
}

func TestAttackD02KeyFilesThatOthersMayReadAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are Unix's")
	}
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o660, 0o601, 0o620, 0o777} {
		path := keyFile(t, fixedKey(), mode)
		_, err := identity.SecretFromFile(path)
		assert.ErrorIs(t, err, identity.ErrKeyFile)
		assert.ErrorContains(t, err, fmt.Sprintf("%q: got the mode %04o, want 0600", path, mode))
	}
}

func TestAttackD02KeyFilesWithoutAKeyAreRefused(t *testing.T) {
	random := make([]byte, 4097)
	_, err := rand.Read(random)
	require.NoError(t, err)
	for name, key := range map[string][]byte{
		"empty": nil, "31 bytes": random[:31], "zero": make([]byte, 32), "passphrase": []byte("correct horse battery staple, and some more\n"),
		"hex": []byte(hex.EncodeToString(random[:64]) + "\n"), "base64": []byte(base64.StdEncoding.EncodeToString(random[:64])),
		"hex of zeros": bytes.Repeat([]byte("00"), 64), "too long": random,
	} {
		path := keyFile(t, key, 0o600)
		_, err := identity.SecretFromFile(path)
		assert.ErrorIs(t, err, identity.ErrKeyFile, name)
		assert.ErrorContains(t, err, path, name)
		assertHides(t, err, key)
	}
	folder := t.TempDir()
	_, err = identity.SecretFromFile(folder)
	assert.ErrorIs(t, err, identity.ErrKeyFile)
	_, err = identity.SecretFromFile(filepath.Join(folder, "absent"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, identity.ErrKeyFile)
}

// assertHides fails where an error holds eight bytes of a key in any of the usual forms.
func assertHides(t *testing.T, err error, key []byte) {
	t.Helper()
	for i := 0; i+8 <= len(key); i += 8 {
		part := key[i : i+8]
		for _, form := range []string{string(part), fmt.Sprintf("%x", part), fmt.Sprint(part), fmt.Sprintf("%q", part)} {
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				assert.NotContains(t, text, form)
			}
		}
	}
}
