// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize/identity"
)

func TestNobodyWaitsForAPipeInThePlaceOfAKeyFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := identity.SecretFromFile(pipe)
	assert.ErrorIs(t, err, identity.ErrKeyFile)
}
