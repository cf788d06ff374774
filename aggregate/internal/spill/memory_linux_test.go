// SPDX-License-Identifier: Apache-2.0

// The race detector's own memory takes a minute to search.
//go:build !race

package spill_test

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

// mask hides a key from a search for it: the test itself holds only key XOR mask.
const mask = 0x9e3779b97f4a7c15

// knownKey is a random source that gives one key, again and again.
type knownKey [4]uint64

func (k *knownKey) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte((k[i/8%4] ^ mask) >> (8 * (i % 8)))
	}
	return len(b), nil
}

// inMemory counts where this process's own writable memory holds the key.
func (k *knownKey) inMemory(t *testing.T) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skip("this system does not let a process read its memory: ", err)
	}
	defer mem.Close()
	const chunk, step = 1 << 20, 4
	// The buffer is shared memory, so that it is not among what is searched.
	buf, err := unix.Mmap(-1, 0, chunk+24, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	defer func() { assert.NoError(t, unix.Munmap(buf)) }()
	found := 0
	for lines := bufio.NewScanner(strings.NewReader(string(maps))); lines.Scan(); {
		if !strings.Contains(lines.Text(), " rw-p ") {
			continue
		}
		var from, to int64
		_, err := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to)
		require.NoError(t, err)
		for ; from < to; from += chunk {
			n, _ := mem.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
			for i := 0; i+32 <= n; i += step {
				if k.at(buf[i:]) {
					found++
				}
			}
		}
	}
	return found
}

func (k *knownKey) at(b []byte) bool {
	for i := range k {
		if binary.LittleEndian.Uint64(b[8*i:])^mask != k[i] {
			return false
		}
	}
	return true
}

// TestAttackD03KeyLeavesMemory searches three times at most: the system may have saved registers that held
// the key when it interrupted a thread, which a store cannot prevent and a second one hardly meets.
func TestAttackD03KeyLeavesMemory(t *testing.T) {
	left := 1
	for attempt := 0; left > 0 && attempt < 3; attempt++ {
		var k knownKey
		require.NoError(t, binary.Read(rand.Reader, binary.LittleEndian, k[:]))
		reader := rand.Reader
		rand.Reader = io.Reader(&k)
		s, err := spill.Open(t.TempDir())
		rand.Reader = reader
		require.NoError(t, err)
		require.NoError(t, s.Append(0, []byte("x")))
		require.Len(t, all(t, s, 0, nil), 1)
		if k.inMemory(t) == 0 {
			t.Skip("the cipher of this machine keeps its key in a form that the test does not know")
		}
		require.NoError(t, s.Close())
		left = k.inMemory(t)
	}
	assert.Zero(t, left)
}
