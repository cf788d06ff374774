// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/dp/mechanism"
)

// stamped is a source whose bytes are its epoch.
type stamped struct{ epoch byte }

func (s *stamped) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = s.epoch
	}
	return len(p), nil
}

// buffered draws as the library does: bytes through a buffer, bits from a byte that it keeps.
type buffered struct {
	r        *bufio.Reader
	bits     byte
	position int
}

func (b *buffered) u8() byte {
	v, _ := b.r.ReadByte()
	return v
}

func (b *buffered) u64() uint64 {
	var p [8]byte
	_, _ = io.ReadFull(b.r, p[:])
	return binary.LittleEndian.Uint64(p[:])
}

func (b *buffered) boolean() bool {
	if b.position > 7 {
		b.bits, b.position = b.u8(), 0
	}
	b.position++
	return b.bits>>(b.position-1)&1 == 1
}

// TestAttackN10NothingDrawnBeforeAReleaseIsUsed restores a snapshot: all that was drawn before it is 0, all that is
// drawn after it 1. Wherever the buffer and the byte of bits stood, nothing of before may be drawn.
func TestAttackN10NothingDrawnBeforeAReleaseIsUsed(t *testing.T) {
	for _, used := range []int{0, 1, 7, 8, 1000, 65528, 65535, 65536, 65537, 100_003} {
		for bits := range 10 {
			source := &stamped{0}
			b := &buffered{r: bufio.NewReaderSize(source, mechanism.LibraryBuffer), position: math.MaxInt8}
			for range used {
				b.u8()
			}
			for range bits {
				b.boolean()
			}
			source.epoch = 0xff
			mechanism.Discard(mechanism.LibraryBuffer, b.u64, b.boolean)
			for range 20 {
				require.True(t, b.boolean(), "%d bytes and %d bits were used", used, bits)
				require.Equal(t, byte(0xff), b.u8())
			}
		}
	}
}

// TestAttackN10TheLibraryBuffersWhatWeThinkItDoes reads the library's source: a larger buffer, or another one, would
// not be emptied.
func TestAttackN10TheLibraryBuffersWhatWeThinkItDoes(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", strings.TrimSuffix(google, "/")+"/v3").Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "rand", "rand.go"))
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), "rand.go", source, 0)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"randBufLock", "randBuf", "randBitLock", "randBitBuf", "randBitPos"}, variables(file))
	size := regexp.MustCompile(`bufio\.NewReaderSize\(cryptorand\.Reader, (\d+)\)`).FindSubmatch(source)
	require.NotNil(t, size)
	assert.Equal(t, strconv.Itoa(mechanism.LibraryBuffer), string(size[1]))
	assert.Regexp(t, `randBitBuf\s+uint8\n`, string(source))
}

// variables lists the variables of a package's file.
func variables(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// TestAttackN10NoRandomBytesAreKeptHere: no variable of this package can hold any, and nothing buffers the system's
// source.
func TestAttackN10NoRandomBytesAreKeptHere(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		names = append(names, variables(file)...)
		for _, spec := range file.Imports {
			assert.NotEqual(t, `"bufio"`, spec.Path.Value, path)
		}
	}
	slices.Sort(names)
	assert.Equal(t, strings.Fields("errInput errLibrary errRandom errUncalibrated minDelta"), names, "a new variable: can it hold random bytes between releases?")
}

func TestAttackN10EveryLiveMechanismBeginsAnew(t *testing.T) {
	law := laplace(t, "1", 1, 1)
	for range 2 {
		times := 0
		live := mechanism.LiveWithRenewal(func() { times++ })
		assert.Zero(t, times, "before the charge nothing is drawn")
		for range 5 {
			_, err := live.AddNoise(mechanism.Site{}, law, 1)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, times)
	}
}

// drawsOfChild says to this binary that it is the child, and prints.
const drawsOfChild = "THRONG_TEST_DRAWS"

// wide returns draws of noise so wide that two are equal with probability 2^-39.
func wide(t *testing.T) string {
	law, err := mechanism.NewLaplace(1<<38, 1, 1<<30)
	require.NoError(t, err)
	return fmt.Sprint(draws(t, law, 0, 8))
}

// TestAttackN10TwoProcessesOfOneBinaryDrawDifferentNoise starts this binary again and again.
func TestAttackN10TwoProcessesOfOneBinaryDrawDifferentNoise(t *testing.T) {
	if os.Getenv(drawsOfChild) != "" {
		fmt.Println(wide(t))
		return
	}
	seen := map[string]bool{wide(t): true, wide(t): true}
	for range 2 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), drawsOfChild+"=1")
		out, err := child.Output()
		require.NoError(t, err)
		line, _, _ := strings.Cut(string(out), "\n")
		require.Regexp(t, `^\[-?\d+( -?\d+){7}\]$`, line)
		seen[line] = true
	}
	assert.Len(t, seen, 4, "equal noise")
}
